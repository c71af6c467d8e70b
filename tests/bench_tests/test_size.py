"""The bytes that the firmware takes on a board, and their limit."""

import re

import pytest
from bench import size
from emulation import ARCHITECTURES
from firmware_sources import modules
from vm import payload


@pytest.fixture(scope="module")
def sizes():
    return size.measure()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_runtime_with_all_operators_stays_below_its_limit(sizes, architecture):
    assert sizes.bytes[architecture].keys() == modules(architecture).keys()
    assert sizes.runtime(architecture) < 48 * 1024
    core = sizes.bytes[architecture].keys() - {"remote", "gate_more", "hkdf", "keep", "raw"}
    assert sizes.runtime(architecture) == sum(sizes.bytes[architecture][name] for name in core)
    assert not {"gate_more", "keep", "raw"} & sizes.loaded["rows"]  # its key is in a file: HKDF is


def test_a_model_of_few_operators_loads_less(sizes):
    """What the host alone calls is not loaded either."""
    for architecture in ARCHITECTURES:
        assert sizes.total(architecture, "rows") < sizes.total(architecture, "example") < sizes.total(architecture)
    assert {"__init__", "net", "steps_matrix"} <= sizes.loaded["rows"]
    assert not {"remote", "steps_pool", "steps_softmax", "steps_copy"} & sizes.loaded["rows"]
    assert {"steps_pool", "steps_softmax"} <= sizes.loaded["example"]


def test_the_table_and_the_totals(capsys, sizes):
    assert size.main() == 0
    rows, totals = (part.splitlines() for part in capsys.readouterr().out.split("\n\n"))
    assert rows[0].split() == ["module", *ARCHITECTURES, "loaded", "by"]
    assert len(rows) == 1 + len(modules(ARCHITECTURES[0]))
    net = next(row for row in rows if row.startswith("net "))
    here = (payload() / "firmware" / name / "tinyseal" / "net.mpy" for name in ARCHITECTURES)
    assert re.split(r"  +", net)[1:] == [*(f"{path.stat().st_size:,}" for path in here), "rows, example"]
    found = dict(line.split()[:2] for line in totals)
    by_hand = sum(int(row.split()[2].replace(",", "")) for row in rows[1:])
    assert int(found[{"rv32imc": "size_all", "xtensawin": "xt_size_all"}[ARCHITECTURES[1]]]) == by_hand
    assert len(found) == 10
