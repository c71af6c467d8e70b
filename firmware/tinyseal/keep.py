"""Closes a model that nobody uses, by a hardware timer (hardware)."""

import umachine

_models = {}  # type: dict  # by number of the timer, the model that it watches


def close_when_idle(model, keep_ms, timer_id):
    """Close `model` once no frame has come for `keep_ms` milliseconds, or up to a quarter later.

    Takes the hardware timer of that number until the model is closed. ValueError when keep_ms is below 4, or when the
    timer watches another model that is still open.
    """
    if keep_ms < 4:
        raise ValueError("keep_ms below 4")
    if timer_id in _models and _models[timer_id].is_open():
        raise ValueError("timer %d watches another model" % timer_id)
    timer = umachine.Timer(timer_id)

    def look(_):  # by the scheduler, so never in the middle of a bytecode; `infer` says when it is at work
        if timer_id in _models and _models[timer_id] is model and model.close_if_idle(keep_ms):
            timer.deinit()
            del _models[timer_id]

    _models[timer_id] = model
    timer.init(mode=umachine.Timer.PERIODIC, period=keep_ms // 4, callback=look)
