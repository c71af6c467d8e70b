"""The host's gate says of every frame what the board's does: drawn frames at the limits, and all of the example's."""

import json
import random
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from gate_cases import NUMPY, random_case, verdict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tinyseal_host import example, gate
from tinyseal_host.contract import parse_contract
from tinyseal_host.contract_toml import contract_of, read_contract
from vm import _PRELUDE, ask, run

FOLDER = Path(example.__file__).parent
FRAMES = np.load(FOLDER / "frames.npy")
SCRIPT = """
from tinyseal.contract import Contract
from tinyseal.gate import Gate
answers = []
section = gate = None
for packed, frame in question:
    if packed:
        section = bytearray(unhex(packed))
        gate = Gate(Contract(section, 0, len(section)))
    answers.append([gate.check(unhex(frame)), gate.channel])
print(ujson.dumps(answers))
"""


def on_host(case):
    """[status, channel] by the host's parser and gate."""
    found = gate.examine(np.frombuffer(case.frame, NUMPY[case.type]), parse_contract(case.section()))
    return [int(found.status), found.channel]


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.lists(st.randoms(use_true_random=False), min_size=1, max_size=20))
def test_drawn_frames(sources):
    """A batch for each start of the VM; both against exact numbers."""
    cases = [random_case(source, (1, 2, 3, 5)) for source in sources]
    wanted = [list(verdict(case)) for case in cases]
    assert [on_host(case) for case in cases] == wanted
    assert ask(SCRIPT, [case.question() for case in cases], heap_kib=4096) == wanted


def test_many_frames_of_the_generator():
    """The host's gate alone, which needs no start of the VM: every status often."""
    source = random.Random(77)
    cases = [random_case(source) for _ in range(1000)]
    assert [on_host(case) for case in cases] == [list(verdict(case)) for case in cases]


TIGHT = {  # between what the example's frames have, so that some pass each check and some do not
    "type": "float32",
    "length": 600,
    "channels": 6,
    "range": [-25, 25],
    "zero_ratio": Decimal("0.004"),
    "saturated_ratio": 0,
    "rails": [[-18, 18]] * 3 + [[-20, 20]] * 3,
    "least_movement": [2, 2, 2, 1, 1, 1],
    "largest_step": 21,
    "mean": [[-10, 9], [-8, 10], [-9, 9], [-2, 2], [-1, 1], [Decimal("-0.05"), Decimal("0.05")]],
    "deviation": [[Decimal("0.05"), 5], [Decimal("0.05"), 6], [Decimal("0.05"), 7], *[[Decimal("0.05"), 4]] * 3],
}


@pytest.mark.parametrize("name", ["as it ships", "tight"])
def test_every_frame_of_the_example(name):
    """As they are; and each spoiled by a NaN, a dead channel, a stuck one, a spike and ten times the gain."""
    path = FOLDER / "motion.toml"
    contract = read_contract(path) if name == "as it ships" else contract_of(TIGHT, path)
    frames = []
    for number, good in enumerate(FRAMES.reshape(-1, 100, 6)):
        channel = number % 6
        frames.append(good)
        for spoil in range(5):
            bad = good.copy()
            if spoil == 0:
                bad[number % 100, channel] = np.nan
            elif spoil == 1:
                bad[:, channel] = 0
            elif spoil == 2:
                bad[10:, channel] = bad[10, channel]
            elif spoil == 3:
                bad[50, channel] += 22
            else:
                bad[:, channel] *= 10
            frames.append(bad)
    packed = contract.pack().hex()
    question = [[packed if number == 0 else "", frame.tobytes().hex()] for number, frame in enumerate(frames)]
    found = [gate.examine(frame, contract) for frame in frames]
    wanted = [[int(status), channel] for status, channel in found]
    statuses = {int(status) for status, _ in found}
    assert statuses >= ({0, 2, 3} if name == "as it ships" else {0, 2, 3, 4, 5, 6, 7, 8, 9}), statuses
    for firmware in (None, "bytecode"):
        files = {"question.json": json.dumps(question).encode()}
        answer = run(_PRELUDE + SCRIPT, files=files, heap_kib=8192, firmware=firmware)
        assert json.loads(answer) == wanted, firmware
