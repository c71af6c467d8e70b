"""Time of whole inferences on the VM as ratios: to TensorFlow Lite Micro's interpreter, and to plain MicroPython.

Ours is `Net.run`, quantising and all, as x64 code of the same sources; start, compilation and planning are in none.
Wall time, the least of many inferences in several processes. Other work on the machine falsifies it: an inference of
plain MicroPython takes up to seconds and finds no quiet moment as ours does, so that its ratio comes out too high.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tflite_micro import runtime
from tinyseal_host.formats import SIGNATURE_LEN
from vm import _PRELUDE, run

from .engine_models import BenchModel
from .plain_layers import plain_layers

_TURNS = 9
_PLAIN_TURNS = 5
_TURN_S = 0.1
_LEAST_REPEATS = 3
_HEAP_KIB = 32 << 10
_OURS = """
from utime import ticks_us, ticks_diff
from tinyseal.model import Model

def least_us(work, at_least_us, at_least_times):
    begin = ticks_us()
    least, times = 1 << 60, 0
    while times < at_least_times or ticks_diff(ticks_us(), begin) < at_least_us:
        start = ticks_us()
        work()
        least = min(least, ticks_diff(ticks_us(), start))
        times += 1
    return least

with open("m.tsm", "rb") as file:
    model = Model(bytearray(file.read()), 3)  # the version that compile_bytes gives
with open("frame", "rb") as file:
    frame = bytearray(file.read())
net = model._net
us = least_us(lambda: net.run(frame), question["us"], question["times"])
answer = {"us": us, "output": list(net.output)}
"""
_PLAIN = """
import plain_network
from uarray import array
layers = question["layers"]
plain_network.load(layers)
values = array("b", question["frame"])
answer["plain_us"] = least_us(lambda: plain_network.run(layers, values), question["us"], 1)
answer["plain_output"] = list(layers[-1]["output"])
"""
_TELL = "print(ujson.dumps(answer))\n"


@dataclass(frozen=True)
class Times:
    """Microseconds of an inference: ours, and what it is compared with; `fault` when an answer was wrong."""

    ours: float
    other: float
    fault: str


def against_tflm(model: BenchModel, turns: int = _TURNS, turn_s: float = _TURN_S) -> Times:
    """The least time of each in so many turns, taken one after the other; of TFLM's only `invoke`."""
    interpreter = model.tflm()
    ours: list[float] = []
    theirs: list[float] = []
    faults = []
    for _ in range(turns):
        answer = _on_vm(model, _OURS, turn_s)
        ours.append(answer["us"])
        theirs.append(_least_invoke_us(model, interpreter, turn_s))
        faults.append(model.differs(np.array(answer["output"], np.int8), interpreter.get_output(0)))
    return Times(min(ours), min(theirs), next(filter(None, faults), ""))


def against_plain(model: BenchModel, turns: int = _PLAIN_TURNS, turn_s: float = _TURN_S) -> Times:
    """The least time of each in so many runs of the VM, each of which does both. Plain MicroPython has its
    frame as int8 already.
    """
    question = {"layers": plain_layers(model.network), "frame": model.int8_frame.reshape(-1).tolist()}
    answers = [_on_vm(model, _OURS + _PLAIN, turn_s, **question) for _ in range(turns)]
    faults = [model.fault(np.array(answer["output"], np.int8)) for answer in answers]
    for answer in answers:
        fault = model.fault(np.array(answer["plain_output"], np.int8))
        faults.append(f"plain MicroPython: {fault}" if fault else "")
    times = (min(answer[name] for answer in answers) for name in ("us", "plain_us"))
    return Times(*times, next(filter(None, faults), ""))


def _on_vm(model: BenchModel, script: str, turn_s: float, **question: Any) -> dict[str, Any]:
    question |= {"us": int(turn_s * 1e6), "times": _LEAST_REPEATS}
    files = {
        "m.tsm": model.body + bytes(SIGNATURE_LEN),  # not looked at here
        "frame": model.frame.astype("<f4").tobytes(),
        "question.json": json.dumps(question).encode(),
        "plain_network.py": Path(__file__).with_name("plain_network.py").read_bytes(),
    }
    answer: dict[str, Any] = json.loads(run(_PRELUDE + script + _TELL, files=files, heap_kib=_HEAP_KIB, timeout=600))
    return answer


def _least_invoke_us(model: BenchModel, interpreter: runtime.Interpreter, turn_s: float) -> float:
    least, times, begin = float("inf"), 0, time.perf_counter()
    while times < _LEAST_REPEATS or time.perf_counter() - begin < turn_s:
        model.set_frame(interpreter)
        start = time.perf_counter_ns()
        interpreter.invoke()
        least = min(least, (time.perf_counter_ns() - start) / 1000)
        times += 1
    return least
