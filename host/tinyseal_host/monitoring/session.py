"""What has been seen since the monitor began: counted here, beside what the board counts itself."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter, deque

from .lines import About, Frame, Line, Trouble, Unreadable

_KEPT = 20000  # frames for the picture and for what is saved by hand
_RATE_S = 10.0
HEADER = ("seconds", "frame", "status", "reason", "channel", "top", "class", "gate_us", "net_us", "scores")


class Session:
    """Frames and other lines, with the seconds at which they came.

    `refused` counts by (reason, channel); `missing` are the frames whose lines never came, by their numbers;
    `restarts`, how often those began anew. `history` has the last 20,000 frames.
    """

    def __init__(self) -> None:
        self.frames = self.accepted = self.unreadable = self.missing = self.restarts = 0
        self.refused: Counter[tuple[str, int | None]] = Counter()
        self.classes: Counter[int] = Counter()
        self.last: Frame | None = None
        self.last_answer: Frame | None = None
        self.about: About | None = None
        self.trouble: Trouble | None = None
        self.last_unreadable: str | None = None
        self.history: deque[tuple[float, Frame]] = deque(maxlen=_KEPT)
        self._begun = False

    def note(self, line: Line, at_s: float) -> None:
        """Take one line. What comes before the first readable one is a start's messages, or the end of a line."""
        if isinstance(line, Unreadable):
            self.last_unreadable = line.text
            self.unreadable += self._begun
            return
        self._begun = True
        if isinstance(line, Frame):
            self._note_frame(line, at_s)
        elif isinstance(line, About):
            self.about = line
        else:
            self.trouble = line

    def _note_frame(self, frame: Frame, at_s: float) -> None:
        if self.last is not None:
            step = frame.number - self.last.number
            self.restarts += step <= 0
            self.missing += max(0, step - 1)
        self.last, self.trouble = frame, None
        self.frames += 1
        self.history.append((at_s, frame))
        if frame.accepted:
            self.accepted += 1
            self.classes[frame.top] += 1
            self.last_answer = frame
        else:
            self.refused[frame.reason.name.lower(), frame.channel] += 1

    def label(self, top: int) -> str:
        """What an output stands for."""
        if self.about is not None and top < len(self.about.labels):
            return self.about.labels[top]
        if self.last_answer is not None and self.last_answer.top == top and self.last_answer.name:
            return self.last_answer.name
        return f"output {top}"

    def rate(self, now_s: float) -> float:
        """Frames a second in the last ten, or since the first."""
        times = [at for at, _ in self.history if at > now_s - _RATE_S]
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0

    def latencies_us(self) -> list[int]:
        """Gate and network together, of the accepted frames in the history, sorted."""
        return sorted(frame.gate_us + frame.net_us for _, frame in self.history if frame.accepted)


def csv_text(rows: list[tuple[float, Frame]], *, head: bool) -> str:
    """Lines of CSV, with HEADER first when `head`; the scores of a frame are one field, with blanks between."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if head:
        writer.writerow(HEADER)
    for at_s, frame in rows:
        channel = "" if frame.channel is None else frame.channel
        first = [f"{at_s:.3f}", frame.number, int(frame.status), frame.reason.name.lower(), channel]
        if frame.accepted:
            answer = [frame.top, frame.name, frame.gate_us, frame.net_us, " ".join(map(str, frame.scores))]
        else:
            answer = ["", "", frame.gate_us, "", ""]
        writer.writerow([*first, *answer])
    return text.getvalue()


def percentile(ordered: list[int], share: float) -> int:
    """The least value that so large a share of sorted values does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
