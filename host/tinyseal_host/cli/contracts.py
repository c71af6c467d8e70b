"""The commands that make a contract from clean frames, and hold frames against one."""

from __future__ import annotations

import argparse
import tomllib
from decimal import Decimal

from ..board.inference import fit_frames, read_frames
from ..contract_toml import contract_of, read_contract
from ..errors import Status
from ..files import check_output, write_whole
from ..screening.contract_text import contract_text
from ..screening.limits import Rule
from ..screening.proposal import Limit, propose
from ..screening.screen import Screening, picture, screen
from ..screening.survey import survey
from .output import Output


def contract(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal contract`."""
    check_output(options.output, inputs=[options.frames])
    frames = read_frames(options.frames)
    if frames.dtype.name == "float64":  # numbers as text
        frames = fit_frames(frames, "float32", options.frames)
    seen = survey(frames, options.channels, str(options.frames))
    proposal = propose(seen, frames.dtype.name, Rule(options.margin, options.quantile))
    text = contract_text(proposal, options.frames.name)
    made = contract_of(tomllib.loads(text, parse_float=Decimal), options.output)
    with output.progress("frames", unit="frames") as step:
        refused = screen(frames, made, step).refused
    write_whole(options.output, text.encode())
    output.columns(
        ("limit", "channel", "seen", "allowed", "refused", "left out"),
        [
            (
                limit.key,
                limit.channel,
                _interval(limit.seen_low, limit.seen_high),
                _interval(limit.low, limit.high),
                int(limit.refused.sum()),
                int(limit.left_out.sum()),
            )
            for limit in proposal.limits
        ],
    )
    output.say()
    output.say(f"{options.output}: refuses {refused:,} of these {proposal.count:,} frames")
    output.say(
        f"made without the frame that it is held against, it would refuse {proposal.left_out:,} of {proposal.count:,}"
    )
    output.result(
        {
            "file": str(options.output),
            "frames": proposal.count,
            "refused": refused,
            "left_out": proposal.left_out,
            "limits": [_limit_fields(limit) for limit in proposal.limits],
        }
    )


def check(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal check`: frames that are refused are what it was asked for, and no failure."""
    if options.plot is not None:
        check_output(options.plot, inputs=[options.frames, options.contract])
    rules = read_contract(options.contract)
    frames = fit_frames(read_frames(options.frames), rules.type, options.frames)
    with output.progress("frames", unit="frames") as step:
        screening = screen(frames, rules, step)
    passed = len(frames) - screening.refused
    many = "" if len(frames) == 1 else "s"
    summary = f"{options.frames.name}: {len(frames):,} frame{many}, {passed:,} pass, {screening.refused:,} refused"
    if options.plot is not None:
        write_whole(options.plot, picture(frames, rules, screening, summary))
    output.say(summary)
    refusals = [row for row in screening.counts() if row[0] is not Status.OK]
    if refusals:
        output.columns(
            ("refused for", "channel", "frames", "first"),
            [
                (status.name.lower(), _channel(channel), count, _first(screening, status, channel))
                for status, channel, count in refusals
            ],
        )
    if options.plot is not None:
        output.say(f"drawn in {options.plot}")
    output.result(
        {
            "frames": len(frames),
            "refused": screening.refused,
            "counts": [
                {"status": int(status), "reason": status.name.lower(), "channel": _channel(channel), "frames": count}
                for status, channel, count in screening.counts()
            ],
            "verdicts": [
                {
                    "frame": number,
                    "status": int(v.status),
                    "reason": v.status.name.lower(),
                    "channel": _channel(v.channel),
                }
                for number, v in enumerate(screening.verdicts)
            ],
        }
    )


def _channel(number: int) -> int | None:
    return None if number < 0 else number


def _first(screening: Screening, status: Status, channel: int) -> int:
    return screening.verdicts.index((status, channel))


def _interval(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:.4g}"
    if high is None:
        return f"at least {low:.4g}"
    return f"{low:.4g} to {high:.4g}"


def _limit_fields(limit: Limit) -> dict[str, object]:
    return {
        "key": limit.key,
        "channel": limit.channel,
        "seen": [limit.seen_low, limit.seen_high],
        "low": limit.low,
        "high": limit.high,
        "refused": int(limit.refused.sum()),
        "left_out": int(limit.left_out.sum()),
    }
