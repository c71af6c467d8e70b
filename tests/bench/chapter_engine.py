"""Chapter "engine": what layers and whole inferences cost, in instructions of the boards' code and as ratios of time.

Instructions are those of all leaves: offsets, padding, requantisation, clamp and store are in them. The bytecode that
calls a leaf is in no count; a call takes about `_CALL` instructions by a measurement of RV32, and every line says how
many calls there were, and what the figure would be with them.
"""

from collections.abc import Iterator

from compiling import compile_bytes, frames_of
from emulation import ARCHITECTURES, Architecture
from tflite_parts import run_tflm
from tinyseal_host.errors import TinysealError
from tinyseal_host.model.instructions import predicted

from . import engine_times
from .emulated_net import Cost, EmulatedNet
from .engine_cases import CASES, Case
from .engine_models import MLPERF, BenchModel, bench_model, model_paths, name_of
from .line import Line

_CALL = 382  # instructions of a call with three arguments from bytecode, and of converting them
_PREFIXES = {"rv32imc": "", "xtensawin": "xt_"}
_XTENSA_MOST = 1.25  # of RV32
_TFLM_MOST = 0.5
_PLAIN_LEAST = 150


def lines() -> Iterator[Line]:
    """The chapter's."""
    nets = {architecture: EmulatedNet(architecture) for architecture in ARCHITECTURES}
    for name in CASES:
        yield from case_lines(name, nets)
    models = []
    for path in model_paths():
        try:
            models.append(bench_model(path))
        except TinysealError as error:
            yield Line(name_of(path), 0, "instructions", f"not compiled: {error}")
    for model in models:
        yield from model_lines(model, nets)
    for model in models:
        if model.name in MLPERF:
            yield tflm_line(model)
            yield plain_line(model)


def case_lines(name: str, nets: dict[Architecture, EmulatedNet]) -> Iterator[Line]:
    """One layer, on each architecture."""
    case = CASES[name]()
    data, frame = case.file.data, case.file.frame
    expected = run_tflm(data, frame[None])[0]
    body, values = compile_bytes(data), frames_of(data, [frame])[0]
    first: float | None = None
    for architecture, net in nets.items():
        inference = net.run(body, values)
        wrong = int((inference.output != expected).sum())
        fault = f"{wrong} of {expected.size} outputs are not TensorFlow Lite Micro's" if wrong else ""
        counted = inference.steps[case.file.before : len(inference.steps) - case.file.after]
        cost = sum(counted, Cost(0, 0))
        figure = cost.instructions / case.count
        goal = _goal(figure, most=case.goal) if first is None else _of_rv32(figure, first, case)
        note = f"{goal}; {_with_calls(cost, case.count)}; {case.shapes}"
        first = figure if first is None else first
        yield Line(_PREFIXES[architecture] + name, figure, case.unit, note, fault)


def model_lines(model: BenchModel, nets: dict[Architecture, EmulatedNet]) -> Iterator[Line]:
    """A whole inference, quantising and finishing included, on each architecture."""
    first: float | None = None
    for architecture, net in nets.items():
        inference = net.run(model.body, model.frame)
        cost = inference.whole
        figure = cost.instructions / (model.macs or 1)
        ratio = "" if first is None else f"{figure / first:.3f} of RV32; "
        error = predicted(model.program, architecture) / cost.instructions - 1
        note = (
            f"{ratio}{_with_calls(cost, model.macs or 1)}; "
            f"{cost.instructions:,} instructions, predicted {error:+.1%}; {model.macs:,} MACs"
        )
        first = figure if first is None else first
        fault = model.fault(inference.output)
        yield Line(f"{_PREFIXES[architecture]}{model.name}", figure, "instructions/MAC", note, fault)


def tflm_line(model: BenchModel) -> Line:
    """Our time over TensorFlow Lite Micro's."""
    times = engine_times.against_tflm(model)
    ratio = times.ours / times.other
    note = f"{_goal(ratio, most=_TFLM_MOST)}; {times.ours / 1000:.3f} ms on the VM, {times.other / 1000:.3f} ms TFLM's"
    return Line(f"tflm_ratio_{model.name}", ratio, "times", note, times.fault)


def plain_line(model: BenchModel) -> Line:
    """Plain MicroPython's time over ours."""
    times = engine_times.against_plain(model)
    ratio = times.other / times.ours
    note = f"{_goal(ratio, least=_PLAIN_LEAST)}; {times.ours / 1000:.3f} ms, {times.other / 1000:.0f} ms plain"
    return Line(f"plain_ratio_{model.name}", ratio, "times", note, times.fault)


def _goal(figure: float, *, most: float | None = None, least: float | None = None) -> str:
    if most is not None:
        return f"goal <= {most:g}: {'yes' if figure <= most else 'no'}"
    if least is not None:
        return f"goal >= {least:g}: {'yes' if figure >= least else 'no'}"
    return "no goal"


def _of_rv32(figure: float, first: float, case: Case) -> str:
    ratio = figure / first
    wanted = _XTENSA_MOST if case.unit == "instructions/MAC" else None
    return f"{ratio:.3f} of RV32, {_goal(ratio, most=wanted)}"


def _with_calls(cost: Cost, count: int) -> str:
    figure = (cost.instructions + _CALL * cost.calls) / count
    return f"{figure:.2f} with {cost.calls} {'call' if cost.calls == 1 else 'calls'}"
