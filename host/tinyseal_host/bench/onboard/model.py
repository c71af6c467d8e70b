"""On the board: the release in `Box.data`, unsealed and unsigned, as a model: each of its steps, and the whole."""

from tinyseal import SealError
from tinyseal.errors import MEMORY
from tinyseal.model import Model
from tinyseal.release import Release

_RUNS = 5
_ENOUGH_US = 3000000


def measure(version, closely):
    """What it takes; None without the memory for it. The release is gone afterwards.

    `closely`: each step is timed over many runs, not by its quickest of a few.
    """
    try:
        return _measure(version, closely)
    except MemoryError:
        return None
    except SealError as error:
        if error.code == MEMORY:
            return None
        raise
    finally:
        Box.data = bytearray()


def _measure(version, closely):
    frame = Release(Box.data, version).selftest_frame
    gc.collect()
    start = ticks_us()
    model = Model(Box.data, version)  # runs the self-test: the answer is the right one
    prepared = ticks_diff(ticks_us(), start)
    try:
        while_open = heap()
        gates, nets, steps = _run(model, frame)
        if closely:
            net = model._net
            steps = [best(lambda: step.run(model._payload, net._arena))[0] for step in net._steps]
    finally:
        model.close()
    return {
        "prepare_us": prepared,
        "gate": [min(gates), max(gates)],
        "net": [min(nets), max(nets)],
        "steps": steps,
        "heap_open": while_open,
    }


def _run(model, frame):
    """Microseconds of gate and network, frame by frame, and of each step at its quickest."""
    net = model._net
    gates, nets = [], []
    steps = [1 << 29] * len(net._steps)
    while len(nets) < _RUNS and sum(nets) < _ENOUGH_US:
        gc.collect()
        if model.infer(frame):
            raise ValueError("the gate refuses the frame of the self-test")
        gates.append(model.gate_us)
        nets.append(model.net_us)
        for number, step in enumerate(net._steps):
            start = ticks_us()
            step.run(model._payload, net._arena)
            steps[number] = min(steps[number], ticks_diff(ticks_us(), start))
    return gates, nets, steps
