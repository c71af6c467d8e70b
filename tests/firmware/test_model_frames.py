"""Whole models with every type of frame: outputs, health and the sensor's failure, on the VM."""

import json

import numpy as np
import pytest
from compiling import PATH
from tflite_parts import run_tflm
from tinyseal_host.contract_toml import contract_of
from tinyseal_host.example import write_example
from tinyseal_host.formats import SIGNATURE_LEN
from tinyseal_host.model.compiler import compile_model
from tinyseal_host.model.network import read_network
from tinyseal_host.model.quantisation import quantise
from tinyseal_host.model.selftest import physical
from tinyseal_host.model.tflite_reader import read_model
from vm import _PRELUDE, run

FRAMES = 3
SCRIPT = """
from tinyseal.model import Model
with open("m.tsm", "rb") as file:
    model = Model(bytearray(file.read()), 1)
found = []
for frame in question:
    status = model.infer(unhex(frame))
    found.append([status, bytes(model.output).hex(), model.top])
print(ujson.dumps(found))
"""
CHANNELS = 6
TYPES = {
    "float32": {},
    "int16": {"scale": [0.001, 0.002, 0.001, 0.01, 0.01, 0.0011], "offset": [0, 0.5, -0.25, 0, 0, 1]},
    "int8": {"scale": 0.25, "offset": 1},
    "uint8": {"scale": [0.25, 0.25, 0.3, 0.3, 0.3, 0.3], "offset": -30},
}
CHECKS = {
    "least_movement": 0.1,
    "largest_step": 60,
    "mean": [-20, 20],
    "deviation": [0.01, 20],
    "saturated_ratio": 0.5,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The example's model."""
    return write_example(tmp_path_factory.mktemp("example"))[0].read_bytes()


def contract(kind, **keys):
    """Of the example's frames, wide enough for all."""
    table = {"type": kind, "length": 600, "channels": CHANNELS, "range": [-35, 40], "zero_ratio": 1, **TYPES[kind]}
    if kind == "int16":
        table["range"] = [[-32, 32], [-40, 40], [-32, 32], [-35, 40], [-35, 40], [-30, 30]]
    if kind == "int8":
        table["range"] = [-31, 32]
    return contract_of(json_numbers(table | keys), PATH)


def json_numbers(table):
    """As TOML gives them."""
    from decimal import Decimal

    return json.loads(json.dumps(table), parse_float=Decimal)


@pytest.mark.parametrize("firmware", [None, "bytecode"])
@pytest.mark.parametrize("kind", TYPES)
def test_outputs_are_tflm_s(model, kind, firmware):
    """With all optional checks; the self-test's frame is made by the compiler, and passes them."""
    rules = contract(kind, **CHECKS)
    release = compile_model(model, PATH, rules, name="m", version=1) + bytes(SIGNATURE_LEN)
    source = np.random.default_rng(4)
    frames, expected = [], []
    entry = read_network(read_model(model, PATH)).input
    for _ in range(FRAMES):
        spans = [(channel.low + (channel.high - channel.low) * 0.2, channel.high * 0.8) for channel in rules.channels]
        columns = [source.uniform(*span, rules.samples) for span in spans]
        frame = np.stack(columns, axis=1).astype(rules.dtype).reshape(-1)
        frames.append(frame.tobytes().hex())
        quantised = quantise(physical(frame, rules), float(entry.scales[0]), int(entry.zero_points[0]))
        expected.append(run_tflm(model, quantised.reshape(1, *entry.shape))[0])
    answer = json.loads(
        run(
            _PRELUDE + SCRIPT,
            files={"question.json": json.dumps(frames).encode(), "m.tsm": release},
            heap_kib=1024,
            firmware=firmware,
        )
    )
    for (status, output, top), wanted in zip(answer, expected, strict=True):
        assert status == 0
        assert np.frombuffer(bytes.fromhex(output), np.int8).tolist() == wanted.tolist()
        assert top == int(np.argmax(wanted))


HEALTH = """
from tinyseal import errors
from tinyseal.model import Model
import gc, micropython
with open("m.tsm", "rb") as file:
    model = Model(bytearray(file.read()), 1)
frames = [unhex(frame) for frame in question]
before = [list(model.health.counts), model.health.last_status, model.health.last_channel, model.health.longest]
statuses = bytearray(len(frames))
failed = bytearray(len(frames))
at = allocated = 0
for _ in range(2):  # the second time with everything in place
    model.health.__init__(6, 3)
    micropython.heap_lock()
    at = 0
    allocated = gc.mem_alloc()
    for frame in frames:
        statuses[at] = model.infer(frame)
        failed[at] = model.health.failed
        at += 1
    allocated = gc.mem_alloc() - allocated
    micropython.heap_unlock()
health = model.health
print(ujson.dumps({
    "before": before, "statuses": list(statuses), "failed": list(failed), "allocated": allocated,
    "counts": dict(zip(errors.STATUSES, health.counts)), "channels": list(health.channels),
    "last": [errors.STATUSES[health.last_status], health.last_channel, health.run, health.longest],
    "times": model.gate_us >= 0 and model.net_us > 0, "latest": Model.latest_health is health,
}))
"""


def test_health_and_the_sensor_s_failure(model):
    """Refusals in a row up to the contract's number and beyond it, twice, with a good frame between them and behind."""
    rules = contract("float32", sensor_failure=3, zero_ratio=0.5)
    release = compile_model(model, PATH, rules, name="m", version=1) + bytes(SIGNATURE_LEN)
    good = np.tile(np.linspace(1, 2, 100, dtype=np.float32)[:, None], (1, CHANNELS))
    nan, high, zeros = good.copy(), good.copy(), np.zeros_like(good)
    nan[7, 4], high[9, 2] = np.nan, 1e6
    short = good[:-1]
    order = [good, nan, high, good, high, zeros, nan, high, short, good, zeros]
    question = json.dumps([frame.tobytes().hex() for frame in order]).encode()
    found = json.loads(run(_PRELUDE + HEALTH, files={"question.json": question, "m.tsm": release}, heap_kib=512))
    sensor = 10
    assert found == {
        "before": [[0] * 11, 0, -1, 0],
        "statuses": [0, 2, 3, 0, 3, 4, sensor, sensor, sensor, 0, 4],
        "failed": [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0],
        "allocated": 0,
        "counts": {"OK": 3, "SIZE": 1, "NAN": 2, "RANGE": 3, "ZEROS": 2, "SENSOR": 3}
        | dict.fromkeys(("SATURATED", "FLAT", "STEP", "MEAN", "DEVIATION"), 0),
        "channels": [0, 0, 3, 0, 2, 0],
        "last": ["ZEROS", -1, 1, 5],
        "times": True,
        "latest": True,
    }
