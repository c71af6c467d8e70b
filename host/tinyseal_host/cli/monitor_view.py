"""How a session looks at a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..monitoring.lines import Frame
from ..monitoring.session import Session, percentile
from .terminal import printable

_MOST_SCORES = 12
_BAR = 32


def view(session: Session, port: str, at_s: float, *, keys: str = "", paused: bool = False) -> RenderableType:
    """All of it; `keys` is the line about the keyboard, "" where there is none."""
    minutes, seconds = divmod(int(at_s), 60)
    what = f"{session.about.name}, version {session.about.version}" if session.about else "an application"
    head = Text(printable(f"{what}, on {port}"), style="bold")
    head.append(f"   {minutes:02}:{seconds:02}", style="default")
    if paused:
        head.append("   paused", style="bold yellow")
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in rows(session, at_s):
        table.add_row(name, value)
    parts: list[RenderableType] = [head, Text(), table, Text(), _scores(session)]
    if keys:
        parts += [Text(), Text(keys, style="dim")]
    return Group(*parts)


def rows(session: Session, at_s: float) -> list[tuple[str, Text]]:
    """Everything but the scores, in words."""
    last, answer = session.last, session.last_answer
    refused = sum(session.refused.values())
    said = f"{session.frames:,}, {session.rate(at_s):.1f} a second"
    if session.missing:
        said += f", {session.missing:,} never came"
    if session.restarts:
        said += f", {session.restarts:,} restarts"
    found = [("frames", Text(said))]
    if last is not None:
        found.append(("last", _last(session, last)))
    found.append(("accepted", Text(f"{session.accepted:,}", style="green" if session.accepted else "")))
    reasons = ", ".join(f"{count:,} {_reason(*key)}" for key, count in session.refused.most_common())
    found.append(
        ("refused", Text(f"{refused:,}" + (f": {reasons}" if reasons else ""), style="red" if refused else ""))
    )
    times = session.latencies_us()
    if answer is not None and times:
        middle, most = percentile(times, 0.5) / 1000, percentile(times, 0.95) / 1000
        spent = f"gate {answer.gate_us / 1000:.2f} ms, network {answer.net_us / 1000:.2f} ms"
        found.append(("latency", Text(f"{spent}; of both, half below {middle:.2f} ms, 95 % below {most:.2f} ms")))
    if last is not None:
        found.append(("health", _health(last)))
    if session.trouble is not None:
        found.append(("trouble", Text(printable(session.trouble.text), style="bold red")))
    if session.unreadable:
        what = printable((session.last_unreadable or "")[:60])
        found.append(("ill-formed", Text(f"{session.unreadable:,} lines, the last: {what}", style="yellow")))
    return found


def line(session: Session, frame: Frame) -> str:
    """One frame, where there is no terminal."""
    if not frame.accepted:
        return f"frame {frame.number}  refused: {_reason(frame.reason.name.lower(), frame.channel)}"
    milliseconds = (frame.gate_us + frame.net_us) / 1000
    name = printable(frame.name or session.label(frame.top))
    return f"frame {frame.number}  {name} {frame.scores[frame.top]}, {milliseconds:.2f} ms"


def _last(session: Session, last: Frame) -> Text:
    if last.accepted:
        return Text(printable(last.name or session.label(last.top)), style="bold green")
    return Text(f"refused: {_reason(last.reason.name.lower(), last.channel)}", style="bold red")


def _health(last: Frame) -> Text:
    counted = ", ".join(f"{name} {count:,}" for name, count in last.counts.items())
    text = Text(f"since the model opened: {counted}; at most {last.longest:,} refused in a row")
    if last.failed:
        text.append("; the sensor has failed", style="bold red")
    return text


def _reason(reason: str, channel: int | None) -> str:
    return reason if channel is None else f"{reason} in channel {channel}"


def _scores(session: Session) -> RenderableType:
    """Those of the last accepted frame, at most twelve, the greatest first if there are more."""
    answer = session.last_answer
    if answer is None:
        return Text("no frame was accepted yet", style="dim")
    order = range(len(answer.scores))
    if len(answer.scores) > _MOST_SCORES:
        order = sorted(order, key=lambda i: -answer.scores[i])[:_MOST_SCORES]  # type: ignore[assignment]
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    table.add_column(no_wrap=True)
    for i in order:
        score = answer.scores[i]
        style = "bold green" if i == answer.top else ""
        table.add_row(
            Text(printable(session.label(i)), style), Text(str(score), style), Text("#" * _filled(score), style)
        )
    return table


def _filled(score: int) -> int:
    return round((score + 128) * _BAR / 255)
