"""On the board: frames held against contracts, and made the network's bytes."""

from tinyseal import kernels, raw
from tinyseal.contract import Contract
from tinyseal.gate import Gate


def check(section):
    """[best, worst, the gate's status] of the frame in `Box.data` and a contract section that allows it."""
    gate = Gate(Contract(bytearray(section), 0, len(section)))
    frame = Box.data
    return best(lambda: gate.check(frame)) + [str(gate.check(frame))]


def quantise(kind, n, table_at):
    """[best, worst, digest] of n values in `Box.data`, with their table behind them; kind says which leaf it takes."""
    frame, table, out = Box.data, bytearray(memoryview(Box.data)[table_at:]), bytearray(n)
    if kind == "float32":
        found = best(lambda: kernels.quantise(frame, 0, 0, out, n, table))
    elif kind == "int16":
        found = best(lambda: raw._quantise16(frame, out, n, 0, 1, table))
    else:
        found = best(lambda: raw._quantise8(frame, out, n, 0, 1, table))
    return found + [digest(out)]
