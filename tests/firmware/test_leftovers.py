"""Nothing secret stays in RAM: the memory of the VM's process is searched while a model is open, and afterwards."""

import os
import random

import pytest
from attack import leftovers
from attack.ram import INTERRUPTED, REFUSED, Bench, interrupt_while_opening
from tinyseal_host.formats import KeySource


@pytest.fixture(scope="module", params=[True, False], ids=["native", "plain"])
def bench(request, tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("bench"), native=request.param)


def test_the_search_finds_every_secret_that_is_there(bench):
    """Planted in the VM's heap by one piece of 16 bytes each."""
    pieces = {}
    for name, data in bench.secrets.named.items():
        found = [data[at : at + 16] for at in range(len(data) - 15) if len(set(data[at : at + 16])) > 7]
        pieces[name] = random.Random(name).choice(found).hex()
    with bench.power() as (link, search):
        link.run(f"planted = [bytearray(bytes.fromhex(text)) for text in {list(pieces.values())!r}]")
        assert set(search()) == {bench.secrets.pieces()[bytes.fromhex(text)] for text in pieces.values()}


def test_the_search_finds_the_tables_that_the_firmware_really_makes(bench):
    """With the wipe of decryption's memory left out."""
    with bench.power() as (link, search):
        link.run("real = gcm.wipe\ngcm.wipe = lambda buffer: None if len(buffer) > 64 else real(buffer)\nkept = []")
        link.run("make = gcm.Work\ndef keeping():\n    kept.append(make())\n    return kept[-1]\ngcm.Work = keeping")
        assert bench.run(link, REFUSED[0]) == "AUTHENTICATION"
        assert any(name.startswith("GHASH table") for name in search())
        link.run("gcm.wipe = real\nfor work in kept:\n    real(work.memory)")
        assert search() == {}


def test_weights_are_found_while_a_model_is_open_and_nothing_when_it_is_closed(bench):
    with bench.power() as (link, search):
        assert search() == {}
        for _ in range(2):
            link.run("m = tinyseal.open()")
            found = search()
            assert set(found) == {name for name in bench.secrets.named if name.startswith("weights")}
            assert sum(found.values()) > 4000
            link.run("m.close()")
            assert search() == {}


def test_nothing_is_left_by_what_did_not_open(bench):
    """All in one life of the VM: it is usable after each of them."""
    with bench.power() as (link, search):
        for scenario in (*REFUSED, *INTERRUPTED[::5]):
            assert bench.run(link, scenario) == scenario.wanted, scenario
            assert search() == {}, scenario
        assert link.run("print(outcome())").strip() == "OK"
        assert search() == {}


def test_nothing_is_left_by_a_real_interrupt(bench):
    with bench.power() as (link, search):
        for delay_ms in (3, 11, 20, 32):
            assert interrupt_while_opening(link, delay_ms / 1000).startswith("KeyboardInterrupt")
            assert search() == {}


@pytest.mark.parametrize("native", [True, False], ids=["native", "plain"])
def test_nothing_is_left_where_the_key_is_derived(tmp_path, native):
    """Key source `file`. The seed itself lies in a file, in the clear, and so in the filesystem's caches."""
    bench = Bench(tmp_path, KeySource.FILE, native)
    with bench.power() as (link, search):
        assert link.run("print(outcome())").strip() == "OK"
        assert set(search()) <= {"seed"}
        assert bench.run(link, REFUSED[0]) == REFUSED[0].wanted
        assert set(search()) <= {"seed"}


def test_idle_model_closes_by_itself_and_the_next_frame_says_so(bench):
    with bench.power() as (link, search):
        link.run("import time\nfrom array import array\nf = array('f', (i * 5 % 11 - 4.5 for i in range(600)))")
        link.run("m = tinyseal.open(keep_ms=2000)\nfor _ in range(5):\n    m.infer(f)\n    time.sleep_ms(500)\n")
        assert set(search()) > set()
        link.run("time.sleep_ms(2400)")
        assert search() == {}
        caught = "except tinyseal.SealError as e:\n    print(tinyseal.CODES[e.code], e.detail)"
        said = link.run(f"try:\n    m.infer(f)\n{caught}")
        assert said.strip() == "CLOSED no frame for 2000 ms"


def test_a_timer_watches_one_model_and_never_closes_it_in_a_frame(bench):
    """A frame that takes longer than the model may be idle is finished; a second model cannot take the timer."""
    with bench.power() as (link, search):
        link.run("import time\nfrom array import array\nf = array('f', (i * 5 % 11 - 4.5 for i in range(600)))")
        link.run("m = tinyseal.open(keep_ms=400)")
        second = "try:\n    tinyseal.open(keep_ms=400)\nexcept ValueError as e:\n    print(e)"
        assert link.run(second).strip() == "timer 0 watches another model"
        slow = (
            "real = kernels.finish\ndef slow(*a):\n    time.sleep_ms(1000)\n    return real(*a)\nkernels.finish = slow"
        )
        assert link.run(f"{slow}\nm.infer(f)\nprint(m.infer(f), m.is_open())").strip() == "0 True"
        link.run("time.sleep_ms(900)")
        assert link.run("print(m.is_open())").strip() == "False"
        assert search() == {}
        link.run("kernels.finish = real\nm = tinyseal.open(keep_ms=400)\nm.close()")


def test_nothing_is_left_by_what_the_host_calls(bench):
    """Of `tinyseal.remote`: weights while its model is open, nothing before and afterwards."""
    with bench.power() as (link, search):
        link.call("status")
        assert search() == {}
        link.call("open_model")
        link.call("status")
        assert {name.split()[0] for name in search()} == {"weights"}
        link.call("close_model")
        assert search() == {}


def test_the_search_reads_across_its_chunks(monkeypatch):
    """A secret that lies over the edge between two pieces of memory."""
    chunk = 1 << 16  # small, and yet not a million pieces where many tests have run in this process
    monkeypatch.setattr(leftovers, "_CHUNK", chunk)
    secret = bytes(random.Random(5).randbytes(48))
    holder = bytearray(64 * chunk)
    for at in range(chunk - 96, len(holder) - 48, chunk + 13):
        holder[at : at + 48] = secret
    found = leftovers.search(os.getpid(), leftovers.Secrets({"planted": secret}))
    assert found["planted"] >= 33 * len(range(chunk - 96, len(holder) - 48, chunk + 13))
