"""The gate on the board against the host's, and against exact numbers; what it allocates, with the heap locked."""

import random

import numpy as np
import pytest
from firmware.test_gate import (
    test_a_buffer_that_changes_its_size_is_looked_at_again,
    test_anything_else_is_size,
    test_order_and_limits,
)
from firmware.test_gate import test_anything_else_is_size_for_raw_integers as test_anything_else_is_size_of_raw_integers
from firmware.test_gate_allocation import (
    test_forget_lets_go,
    test_nothing_by_all_checks_of_all_types,
    test_nothing_for_bytes_never_seen_before,
    test_nothing_for_frames_seen_before,
    test_the_count_would_notice_an_allocation,
)
from firmware.test_gate_twin import FRAMES, SCRIPT, on_host
from gate_cases import random_case, verdict
from tinyseal_host import example, gate
from tinyseal_host.contract_toml import read_contract
from vm import ask, ask_each

pytestmark = pytest.mark.usefixtures("kept")

_CASES = 250


def test_random_frames():
    """Every status but SIZE; samples at both sides of the 64 that are taken at a time."""
    source = random.Random(42)
    cases = [random_case(source, (1, 2, 3, 5, 8, 63, 64, 65)) for _ in range(_CASES)]
    wanted = [list(verdict(case)) for case in cases]
    assert {status for status, _ in wanted} == {0, 2, 3, 4, 5, 6, 7, 8, 9}
    assert [on_host(case) for case in cases] == wanted
    assert ask_each(SCRIPT, [case.question() for case in cases]) == wanted


@pytest.mark.parametrize("activity", range(4))
def test_frames_of_the_example(activity):
    """One of each activity: as it is, with a NaN, with a dead channel, and ten times as strong."""
    with (example._DATA / "motion.toml").open("rb") as file:
        contract = read_contract(file.name)
    good = FRAMES[10 * activity].reshape(100, 6)
    nan, dead = good.copy(), good.copy()
    nan[41, activity] = np.nan
    dead[:, activity] = 0
    frames = [good, nan, dead, good * np.float32(10)]
    wanted = [[int(number) for number in gate.examine(frame, contract)] for frame in frames]
    assert len({status for status, _ in wanted}) > 2
    packed = contract.pack().hex()
    for frame, verdict_of_host in zip(frames, wanted, strict=True):
        assert ask(SCRIPT, [[packed, frame.tobytes().hex()]]) == [verdict_of_host]
