"""The campaign of `make powercut` in short: it looks at what a cut leaves, and finds what is wrong."""

import contextlib
import dataclasses
import itertools

import pytest
from powercut import cables, cuts, protocol_bench, scenarios
from powercut.tally import Tally
from tinyseal_host.board.transport import connect
from tinyseal_host.errors import BoardError
from tinyseal_host.sim import Fault, VirtualBoard

BY_NAME = {scenario.name: scenario for scenario in scenarios.SCENARIOS}


@pytest.fixture(scope="module", autouse=True)
def bench():
    protocol_bench.install()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol_bench.transport_serial, "time", protocol_bench.Clock)
        yield


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The board before the command and the command's writes, of each scenario when it is asked for."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = cuts.prepared(BY_NAME[name], tmp_path_factory.mktemp("boards") / "one")
        return made[name]

    return get


def powered(live, folder, cut):
    """A board whose power will fail, and its port."""
    stack = contextlib.ExitStack()
    if live == "bench":
        return stack, stack.enter_context(protocol_bench.Bench(folder, "{}:{}".format(*cut))).url
    return stack, stack.enter_context(VirtualBoard(folder, cut=cut)).port


@pytest.mark.parametrize("live", ["bench", "board"])
def test_a_live_cut_leaves_what_the_record_says(prepared, tmp_path, live):
    """At the first write, in the middle, at the last, which is one to NVS; in this process and on a pseudo-terminal.

    What littlefs writes of a file's time differs from run to run, and with it a checksum: these writes are left out.
    """
    before, writes = prepared("update")
    assert writes[-1].kind == 2
    again = cuts.record(before, BY_NAME["update"])
    timed = [one for one, other in zip(writes, again, strict=True) if one != other]
    assert len(timed) < 4
    remains = cuts.Remains(before, writes)
    for cut in itertools.product((1, len(writes) // 2, len(writes)), cuts.PARTS):
        folder = scenarios.copy(before, tmp_path / "{}-{}".format(*cut))
        stack, port = powered(live, folder, cut)
        with stack, pytest.raises(BoardError, match="does not answer"), connect(port, soft_reset=False) as link:
            BY_NAME["update"].run(link)
        flash, nvs = (bytearray(data) for data in remains.after(*cut))
        left = bytearray((folder / "flash.bin").read_bytes())
        for write in timed:
            for data in (flash, left):
                data[write.at : write.at + len(write.data)] = bytes(len(write.data))
        assert flash == left, cut
        assert nvs == (folder / "nvs.bin").read_bytes(), cut


@pytest.mark.parametrize("name", BY_NAME)
def test_some_cuts_of_every_command(prepared, name):
    before, writes = prepared(name)
    found = cuts.distinct(before, writes)
    assert sum(cut.same for cut in found) == 3 * len(writes)
    few = {0, len(found) // 3, len(found) - 2, len(found) - 1}
    tally = cuts.attack(BY_NAME[name], [found[i] for i in few], before, writes)
    assert (tally.wrong, tally.cuts >= len(few)) == ([], True)


def remove_first(link):
    """An update that removes the old model before it sends the new one."""
    link.run("import uos\nfor n in uos.listdir('/seal'): uos.remove('/seal/' + n)")
    BY_NAME["update"].run(link)


def forget_the_floor(link):
    """One that lowers the floor, and can be done once only."""
    link.run("from tinyseal import slots\nassert slots.state()[0]\nslots.write_state(0, slots.state()[1])")


@pytest.mark.parametrize(("run", "counts"), [(remove_first, (1, 0, 0)), (forget_the_floor, (0, 0, 1))])
def test_a_command_that_is_not_safe_is_found(prepared, run, counts):
    before, _ = prepared("update")
    scenario = dataclasses.replace(BY_NAME["update"], run=run)
    writes = cuts.record(before, scenario)
    tally = cuts.attack(scenario, [cuts.Cut(max(1, len(writes) // 2), "whole", 1)], before, writes)
    assert (tally.no_model, tally.floors, tally.retries) == counts, tally.wrong
    assert not tally.clean


@pytest.mark.parametrize("fault", Fault)
def test_some_faults_of_the_cable(prepared, fault):
    before, _ = prepared("update")
    total = cables.length(BY_NAME["update"], before)
    tally = cables.attack(BY_NAME["update"], before, fault, range(7, total, total // 5))
    assert (tally.wrong, tally.faults) == ([], len(range(7, total, total // 5)))


def test_an_end_without_a_hint_is_found(prepared, monkeypatch):
    before, _ = prepared("update")

    def run(scenario, bench):
        raise BoardError("it ends")

    monkeypatch.setattr(cables, "_run", run)
    tally = cables.attack(BY_NAME["update"], before, Fault.DROP, range(1, 2))
    assert (tally.cable_wrong, tally.retries) == (1, 1)


def test_the_last_line():
    assert str(Tally(cuts=1200, no_model=1, floors=2, retries=3)) == (
        "powercut: 1,200 cuts, 1 boards without a model, 2 floors lowered, 3 retries failed"
    )
    assert not Tally().clean
    assert Tally(cuts=1).clean
