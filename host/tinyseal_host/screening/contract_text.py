"""A proposed contract as a TOML file that a person can read and edit."""

from __future__ import annotations

from collections.abc import Iterable

from .proposal import Limit, Proposal

_WIDTH = 100

_ABOUT = {
    "range": "Every value of a channel lies in here.",
    "zero_ratio": "At most this share of the values of a frame is zero.",
    "saturated_ratio": "At most this share of a channel's values lies at its rails or beyond.",
    "least_movement": "In every frame a channel's greatest and least value are at least this far apart.",
    "largest_step": "From one value of a channel to its next it is at most this far.",
    "mean": "Each channel's mean over a frame lies in here.",
    "deviation": "Each channel's standard deviation over a frame lies in here.",
}
_OFF = {
    "least_movement": "in some frame a channel stands still, or a frame is one sample",
    "largest_step": "in some channel no frame has any, or a frame is one sample",
    "mean": "a channel has too many samples in a frame",
    "deviation": "a frame is one sample, or too many",
}


def contract_text(proposal: Proposal, source: str) -> str:
    """The TOML text of a contract proposed for the frames that are called `source`."""
    rule, count = proposal.rule, proposal.count
    skipped = f", {rule.quantile:g} of the frames disregarded at either end" if rule.quantile else ""
    lines = [
        "# What a frame must look like before the network sees it.",
        *_comment(
            f"Proposed from {count:,} clean frames, {source}: what was seen in them, wider by a margin of "
            f"{rule.margin:g}{skipped}, rounded outwards. Made without the frame that it is held against, it would "
            f"refuse {proposal.left_out:,} of the {count:,}: expect about as much of new frames. From saturated_ratio "
            "on, any limit that is not wanted can go."
        ),
        "",
        f'type = "{proposal.type}"',
        f"length = {proposal.samples * proposal.channels}",
        f"channels = {proposal.channels}",
    ]
    if proposal.type != "float32":
        lines += [
            "",
            *_comment(
                "All limits below are raw numbers, as the sensor gives them. With a scale and an offset, one number "
                "each or one a channel, they would be physical ones, raw * scale + offset, and written so."
            ),
        ]
    for key, about in _ABOUT.items():
        limits = proposal.of(key)
        lines += ["", *_comment(f"{about} {_seen(limits)}" if limits else f"{about} Not asked: {_OFF[key]}.")]
        if len(limits) == proposal.channels or key == "zero_ratio":
            lines += _setting(key, [_value(limit) for limit in limits])
        elif limits:
            lines += _comment(f"Not asked: {_OFF[key]}.")
        if key == "saturated_ratio":
            lines += _setting("rails", [_pair(*map(_number, ends)) for ends in proposal.rails])
    lines += [
        "",
        "# After so many refused frames in a row the board reports a failed sensor, until a good frame comes.",
        "# sensor_failure = 10",
        "",
        "# What the network's outputs stand for, in their order.",
        '# labels = ["first", "second"]',
    ]
    return "\n".join(lines) + "\n"


def _value(limit: Limit) -> str:
    ends = [_number(end) for end in (limit.low, limit.high) if end is not None]
    return _pair(*ends) if len(ends) == 2 else ends[0]


def _pair(low: str, high: str) -> str:
    return f"[{low}, {high}]"


def _number(value: float) -> str:
    """As short as it can be said."""
    return str(int(value)) if value == int(value) and abs(value) < 1 << 53 else repr(value)


def _seen(limits: list[Limit]) -> str:
    low, high = min(limit.seen_low for limit in limits), max(limit.seen_high for limit in limits)
    return f"Seen: {low:.4g} to {high:.4g}."


def _setting(key: str, values: list[str]) -> list[str]:
    """One number or pair where all channels have the same, else a list of one a channel."""
    if len(set(values)) == 1:
        return [f"{key} = {values[0]}"]
    line = f"{key} = [{', '.join(values)}]"
    return [line] if len(line) <= _WIDTH else [f"{key} = [", *(f"    {value}," for value in values), "]"]


def _comment(text: str) -> Iterable[str]:
    lines, line = [], "#"
    for word in text.split():
        if len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = "#"
        line += " " + word
    return [*lines, line]
