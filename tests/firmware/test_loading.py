"""A model loads the modules of its own operators, with their kernels, and no other's."""

import json
from pathlib import Path

import numpy as np
import pytest
from compiling import compile_bytes
from tflite_writer import TfliteWriter, options
from tinyseal_host import example
from tinyseal_host.contract import Channel, Checks, Contract
from tinyseal_host.formats import SIGNATURE_LEN
from vm import _PRELUDE, run

FAMILIES = ("copy", "elementwise", "pool", "softmax")
SCRIPT = """
import sys
from tinyseal.model import Model
def loaded():
    return sorted(name[9:] for name in sys.modules if name.startswith("tinyseal."))
before = loaded()
with open("m.tsm", "rb") as file:
    Model(bytearray(file.read()), 3).close()
print(ujson.dumps([before, loaded()]))
"""


def alone(name, inputs, output, chosen=None):
    """A file with one operator; `inputs` are constants behind an input of 1 by 4 by 8 values."""
    writer = TfliteWriter()
    entry, result = (writer.tensor(shape, scale=0.1) for shape in ((1, 4, 8), output))
    constants = [writer.constant(array, scale=0.1 if array.dtype == np.int8 else None) for array in inputs]
    writer.operator(name, [entry, *constants], [result], chosen)
    return writer.finish([entry], [result])


def dense():
    chosen = options("FullyConnectedOptions", keepNumDims=True)
    return alone("FULLY_CONNECTED", [np.ones((3, 8), np.int8)], (1, 4, 3), chosen)


MODELS = {
    "dense": (dense, set()),
    "mean": (lambda: alone("MEAN", [np.array([1], np.int32)], (1, 8), options("ReducerOptions")), {"pool"}),
    "map": (lambda: alone("QUANTIZE", [], (1, 4, 8)), {"elementwise"}),
    "pad": (lambda: alone("PAD", [np.array([[0, 0], [1, 1], [0, 0]], np.int32)], (1, 6, 8)), {"copy"}),
    "example": (Path(example.__file__).with_name("motion.tflite").read_bytes, {"pool", "softmax"}),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_loads_what_it_needs(name):
    make, families = MODELS[name]
    files = {"m.tsm": compile_bytes(make()) + bytes(SIGNATURE_LEN), "question.json": b"0"}
    before, after = json.loads(run(_PRELUDE + SCRIPT, files=files))
    assert not [module for module in before if module.startswith("steps_")]
    assert {family for family in FAMILIES if f"steps_{family}" in after} == families
    assert ("steps_matrix" in after) == (name in ("dense", "example"))
    assert not {"raw", "gate_more"} & set(after)


@pytest.mark.parametrize(("kind", "checks"), [("float32", 0), ("float32", 1), ("int16", 0), ("uint8", 1)])
def test_a_contract_loads_what_it_needs(kind, checks):
    channel = Channel(0, 100, zero=0, rail_high=200, max_saturated=32)
    contract = Contract(kind, 32, (channel,), 32, Checks(checks))
    files = {"m.tsm": compile_bytes(dense(), contract) + bytes(SIGNATURE_LEN), "question.json": b"0"}
    before, after = json.loads(run(_PRELUDE + SCRIPT, files=files))
    assert not {"raw", "gate_more"} & set(before)
    assert ("raw" in after) == (kind != "float32")
    assert ("gate_more" in after) == bool(checks)
