"""What the application prints: one line of JSON a frame, for `tinyseal monitor` or any other reader."""

from tinyseal import OK, STATUSES
from ujson import dumps


def about(model):
    """What the lines that follow are of."""
    return dumps({"model": model.name, "version": model.version, "labels": model.labels})


def frame(model, number, status):
    """One frame: what `infer` said, why, and what the model has counted so far."""
    health = model.health
    refused = status != OK
    line = {
        "frame": number,
        "status": status,
        "reason": _name(health.last_status if refused else OK),
        "channel": health.last_channel if refused and health.last_channel >= 0 else None,
        "gate_us": model.gate_us,
        "health": {
            "counts": {_name(i): n for i, n in enumerate(health.counts) if n},
            "longest": health.longest,
            "failed": health.failed,
        },
    }
    if not refused:
        line["top"] = model.top
        line["class"] = model.labels[model.top] if model.labels else ""
        line["scores"] = list(model.output)
        line["net_us"] = model.net_us
    return dumps(line)


def failure(what, error):
    """Why there is no frame."""
    return dumps({"error": "%s: %s" % (what, error)})


def _name(status):
    return STATUSES[status].lower()
