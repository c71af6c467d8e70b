"""The board's network on the VM against TensorFlow Lite Micro: random layers and networks; native code, heap locked."""

import json

import numpy as np
import pytest
import vm
from compiling import compile_bytes, frames_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tflite_strategies import STRATEGIES, run_tflm
from tinyseal_host.formats import SIGNATURE_LEN
from vm import _PRELUDE, run

MODELS = 12  # in one start of the VM
SCRIPT = """
import micropython
from tinyseal.model import Model
status = 0  # a new name would make the dictionary of globals grow
found = []
for number, (count, size) in enumerate(question):
    with open("%d.tsm" % number, "rb") as file:
        model = Model(bytearray(file.read()), 3)  # the version that compile_bytes gives
    frame = bytearray(size)
    outputs = []
    with open("%d.frames" % number, "rb") as file:
        for _ in range(count):
            file.readinto(frame)
            if LOCKED:
                micropython.heap_lock()
            status = model.infer(frame)
            if LOCKED:
                micropython.heap_unlock()
            outputs.append(hexlify(model.output).decode() if not status else "status %d" % status)
    model.close()
    found.append(outputs)
print(ujson.dumps(found))
"""


def run_on_vm(models):
    """int8 outputs [frames, outputs] of each model, for its own frames."""
    files, question = {}, []
    for number, model in enumerate(models):
        frames = frames_of(model.data, model.inputs)
        files[f"{number}.tsm"] = compile_bytes(model.data) + bytes(SIGNATURE_LEN)  # proven elsewhere, not here
        files[f"{number}.frames"] = b"".join(frame.tobytes() for frame in frames)
        question.append((len(frames), frames[0].nbytes))
    files["question.json"] = json.dumps(question).encode()
    # Plain kernels allocate: integers above the small ones, tuples of words.
    locked = f"LOCKED = {vm.FIRMWARE != 'bytecode'}\n"
    found = json.loads(run(_PRELUDE + locked + SCRIPT, files=files, heap_kib=2048))
    return [np.array([np.frombuffer(bytes.fromhex(text), np.int8) for text in outputs]) for outputs in found]


@pytest.mark.parametrize("name", STRATEGIES)
@settings(max_examples=5, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_board_gives_tflm_s_bytes(name, data):
    models = data.draw(st.lists(STRATEGIES[name], min_size=MODELS, max_size=MODELS))
    for model, found in zip(models, run_on_vm(models), strict=True):
        assert found.tolist() == run_tflm(model.data, model.inputs).tolist(), model


@pytest.mark.parametrize("name", STRATEGIES)
@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_board_without_native_code_gives_the_same(name, data, monkeypatch):
    monkeypatch.setattr(vm, "FIRMWARE", "bytecode")
    models = data.draw(st.lists(STRATEGIES[name], min_size=4, max_size=4))
    for model, found in zip(models, run_on_vm(models), strict=True):
        assert found.tolist() == run_tflm(model.data, model.inputs).tolist(), model
