"""Runs the bench on a board: each chapter after a restart, by code that is sent for it and leaves nothing there.

Keys, models and slots are not touched, and every answer is compared with the right one: figures of an engine that
computes something else are worth nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .. import __version__
from ..board.provisioning import BoardInfo
from ..board.transport import Link, Progress, base64_chunks
from ..errors import BoardError, Refusal, RefusedError
from . import engines, frames, models
from .engines import Question
from .models import Ready
from .result import Figure, Measured

_ONBOARD = Path(__file__).with_name("onboard")
_CLOCK = (_ONBOARD / "clock.py").read_text(encoding="utf-8")
_CHAPTERS = {name: (_ONBOARD / f"{name}.py").read_text(encoding="utf-8") for name in ("engines", "gate", "model")}
_PATIENCE_S = 900.0  # a large model on a board without the native emitter
_VIRTUAL = "VIRTUAL"
_NO_MEMORY = "no memory"

_Answers = list[Figure]


def measure(link: Link, info: BoardInfo, wanted: list[Ready], progress: Progress | None = None) -> Measured:
    """All figures, and the `wanted` models; BoardError when an answer is wrong. The package is on the board."""
    bench = _Bench(link)
    clock, before = bench.begin()
    jobs: list[Callable[[], _Answers]] = [*bench.jobs(), *(partial(bench.layer, layer) for layer in models.layers())]
    found: list[dict[str, Any]] = []
    figures: list[Figure] = []
    for number, job in enumerate(jobs):
        figures += job()
        if progress:
            progress(number + 1, len(jobs) + len(wanted))
    for number, model in enumerate(wanted):
        found.append(bench.model(model))
        figures += _of_model(found[-1])
        if progress:
            progress(len(jobs) + number + 1, len(jobs) + len(wanted))
    virtual = info.name == _VIRTUAL
    board = {
        "board": info.name,
        "machine": info.machine,
        "micropython": info.version,
        "architecture": info.architecture,
        "kernels": "native" if info.native else "plain",
        "virtual": virtual,
    }
    heap = {"before": before, "after": bench.begin()[1]}
    return Measured(__version__, board, None if virtual else clock, tuple(figures), bench.left_out, tuple(found), heap)


class _Bench:
    """The board's answers as figures."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.left_out: dict[str, str] = {}
        """Figures that cannot be had, and why."""

    def begin(self) -> tuple[int | None, list[int]]:
        """Restart; the clock in Hz, where the board knows it, and its heap before anything is loaded."""
        self._link.restart()
        code = "import umachine\nf=getattr(umachine,'freq',None)\nsay([f and f(),heap()])"
        with self._link.understanding():
            clock, heap = self._ask(code, _CLOCK)
            # Some ports give (CPU, bus).
            hertz = clock[0] if isinstance(clock, list) else clock
            return int(hertz) if hertz else None, [int(heap[0]), int(heap[1])]

    def jobs(self) -> Iterator[Callable[[], _Answers]]:
        """All that is no network."""
        yield self._engines
        for n in engines.OPENED:
            yield partial(self._opening, n)
        yield self._signature
        for case in frames.gate_cases():
            yield partial(self._gate, case)
        for quantising in frames.quantise_cases():
            yield partial(self._quantise, quantising)

    def _engines(self) -> _Answers:
        answers = self._chapter("engines", "say(engines())")
        with self._link.understanding():
            return [self._figure("engines", one, answers[one.name]) for one in engines.questions()]

    def _opening(self, n: int) -> _Answers:
        question, tag = engines.opening(n)
        answer = self._chapter("engines", f"say(opening({n},{tag!r}))")
        if answer is None:
            self.left_out[question.name] = _NO_MEMORY
            return []
        return [self._figure("opening", question, answer)]

    def _signature(self) -> _Answers:
        question, parts = engines.signature()
        answer = self._chapter("engines", "say(signature({!r},{!r},{!r}))".format(*parts))
        return [self._figure("opening", question, answer)]

    def _gate(self, case: frames.Case) -> _Answers:
        self._send("gate", case.frame)
        return [self._figure("gate", case.question, self._ask(f"say(check({case.section!r}))"))]

    def _quantise(self, case: frames.Quantising) -> _Answers:
        self._send("gate", case.frame + case.table)
        answer = self._ask(f"say(quantise({case.kind!r},{frames.LENGTH},{len(case.frame)}))")
        return [self._figure("gate", case.question, answer)]

    def layer(self, layer: Ready) -> _Answers:
        """The kernels of a release that was made for them."""
        found = self.model(layer, closely=True)
        if "net" not in found:
            self.left_out[layer.name] = found["refused"]
            return []
        figures = []
        for step in found["steps"]:
            name = layer.name if len(found["steps"]) == 1 else f"{layer.name}_{step['operator'].lower()}"
            count, unit = (step["macs"], "MAC") if step["macs"] else (step["values"], "value")
            about = f"{step['operator']}, {step['shape']}"
            figures.append(Figure("kernels", name, about, step["us"], step["us"], count, unit))
        return figures

    def model(self, model: Ready, *, closely: bool = False) -> dict[str, Any]:
        """What a model takes, or why it was not measured."""
        if model.refused:
            return {"name": model.name, "refused": model.refused}
        before = self.begin()[1]
        program = model.program
        sizes = {"release_bytes": len(model.release), "arena_bytes": program.arena_len, "macs": program.macs}
        try:
            self._send("model", model.release)
            found = self._ask(f"say(measure({models.VERSION},{closely}))")
        except RefusedError as error:
            if error.code != Refusal.MEMORY:
                raise
            found = None
        if found is None:
            return {"name": model.name, **sizes, "refused": _NO_MEMORY, "heap": {"before": before}}
        after = self._ask("say(heap())")
        with self._link.understanding():
            steps = [
                {
                    "operator": step.name,
                    "shape": step.output_shape,
                    "macs": step.macs,
                    "values": math.prod(map(int, step.output_shape.split("x"))),
                    "us": us,
                }
                for step, us in zip(program.steps, found["steps"], strict=True)
            ]
            heap = {"before": before, "open": found["heap_open"], "after": after}
            return {
                "name": model.name,
                **sizes,
                "prepare_us": found["prepare_us"],
                "gate": found["gate"],
                "net": found["net"],
                "values": program.input_len,
                "heap": heap,
                "steps": steps,
            }

    def _chapter(self, name: str, code: str) -> Any:
        self._link.restart()
        return self._ask(code, _CLOCK + _CHAPTERS[name])

    def _send(self, chapter: str, data: bytes) -> None:
        """Into the board's `Box.data`, which is there before the package: it wants its memory in one piece."""
        self._link.restart()
        self._link.run(f"new({len(data)})", given=_CLOCK)
        for at, text in base64_chunks(data):
            self._link.run(f"put({at},{text!r})")
        self._link.run("pass", given=_CHAPTERS[chapter])

    def _ask(self, code: str, given: str = "") -> Any:
        output = self._link.run(code, given=given, timeout_s=_PATIENCE_S)
        with self._link.understanding():
            return json.loads(output.strip().splitlines()[-1])

    def _figure(self, group: str, question: Question, answer: Any) -> Figure:
        with self._link.understanding():
            us, worst_us, said = float(answer[0]), float(answer[1]), str(answer[2])
        if said != question.answer:
            raise BoardError(
                f"{self._link.device}: {question.name} gives another answer than it should",
                hint="reset the board and try again; if it stays so, its engines or its package are at fault",
            )
        return Figure(group, question.name, question.about, us, worst_us, question.count, question.unit)


def _of_model(model: dict[str, Any]) -> list[Figure]:
    """Gate and network of a model, if it was measured."""
    if "net" not in model:
        return []
    name, macs = model["name"], model["macs"]
    (gate_us, gate_worst), (net_us, net_worst) = model["gate"], model["net"]
    about = "as the model's own counter has it"
    gate = Figure("models", f"{name} gate", about, gate_us, gate_worst, model["values"], "value")
    count, unit = (macs, "MAC") if macs else (model["values"], "value")
    net = Figure("models", f"{name} network", "quantising included", net_us, net_worst, count, unit)
    return [gate, net]
