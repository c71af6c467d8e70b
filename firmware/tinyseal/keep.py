"""Closes a model that nobody uses, by a hardware timer (hardware)."""

import umachine


def close_when_idle(model, keep_ms, timer_id):
    """Close `model` once no frame has come for `keep_ms` milliseconds, or up to a quarter later.

    Takes the hardware timer of that number until the model is closed. ValueError when keep_ms is below 4.
    """
    if keep_ms < 4:
        raise ValueError("keep_ms below 4")
    timer = umachine.Timer(timer_id)

    def look(_):
        if model.close_if_idle(keep_ms):
            timer.deinit()

    timer.init(mode=umachine.Timer.PERIODIC, period=keep_ms // 4, callback=look)
