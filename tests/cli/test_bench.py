"""`tinyseal bench`, on a virtual board and without one."""

import json
import os

import pytest
from tinyseal_host.bench import measuring
from tinyseal_host.bench.engines import OPENED, questions
from tinyseal_host.cli import main
from tinyseal_host.contract import TYPES
from tinyseal_host.example import write_example
from tinyseal_host.program import OPERATORS


def figure(name, us, count=1):
    return {"group": "g", "name": name, "about": "", "us": us, "worst_us": us, "count": count, "unit": "block"}


def result(*figures, clock_hz=None, **changed):
    """A result file's content, made by hand."""
    board = {"board": "B", "machine": "m", "micropython": "1.28.0", "architecture": "rv32imc", "kernels": "native"}
    heap = {"before": [2000, 1024], "after": [2000, 1024]}
    made = {"tinyseal_bench": 1, "package": "0.1.0", "board": board | {"virtual": False}, "clock_hz": clock_hz}
    return made | {"heap": heap, "figures": list(figures), "left_out": {}, "models": []} | changed


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A run on a virtual board that holds a model: status before, the run's outcome, its files, status after."""
    folder = tmp_path_factory.mktemp("bench")
    write_example(folder)
    before = os.getcwd()
    os.chdir(folder)
    try:
        assert main(["keygen", "keys", "--json"]) == 0
        port = ["--port", "sim", "--state", "board"]
        deploy = ["deploy", "motion.tflite", "--contract", "motion.toml", "--version", "1", "--keys", "keys"]
        assert main([*deploy, *port]) == 0
        slots = sorted(path.read_bytes() for path in (folder / "board").glob("*.bin"))
        assert main(["bench", *port, "-o", "b.json", "--plot", "b.png"]) == 0
        assert sorted(path.read_bytes() for path in (folder / "board").glob("*.bin")) == slots
    finally:
        os.chdir(before)
    return folder


def test_all_that_a_board_does_is_measured(measured):
    """Flash and NVS being the same byte for byte afterwards is the fixture's."""
    found = json.loads((measured / "b.json").read_text())
    names = [one["name"] for one in found["figures"]]
    assert len(set(names)) == len(names)
    assert {one.name for one in questions()} | {f"open_{n >> 10}k" for n in OPENED} | {"rsa_verify"} <= set(names)
    assert {f"gate_{kind}{more}" for kind in TYPES for more in ("", "_all")} <= set(names)
    kernels = {one["about"].split(",")[0] for one in found["figures"] if one["group"] == "kernels"}
    assert kernels == {name for name, _ in OPERATORS.values()}
    assert all(0 < one["us"] <= one["worst_us"] and one["cycles"] is None for one in found["figures"])
    assert found["board"]["virtual"]
    assert (found["clock_hz"], found["left_out"]) == (None, {})
    assert "device_id" not in json.dumps(found)
    (model,) = found["models"]
    assert (model["name"], model["macs"]) == ("motion", 95936)
    assert sum(step["macs"] for step in model["steps"]) == model["macs"]
    free = {when: sizes[0] for when, sizes in (found["heap"] | model["heap"]).items()}
    assert free["before"] > free["open"] + model["release_bytes"] + model["arena_bytes"]
    assert found["heap"]["before"][1] <= found["heap"]["before"][0]
    assert (measured / "b.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_result_against_itself(tinyseal, measured):
    path = measured / "b.json"
    outcome = tinyseal("bench --json --compare", path, path)
    assert outcome.status == 0
    assert {one["ratio"] for one in outcome.json["figures"]} == {1.0}
    shown = tinyseal("bench --compare", path, path).out
    assert "figures of a PC and not of a chip" in shown
    assert "rsa_verify" in shown


def test_two_results_side_by_side(tinyseal, here):
    """240 MHz: 10 us for 4 blocks are 600 cycles each."""
    (here / "a.json").write_text(json.dumps(result(figure("aes", 10, 4), figure("old", 1), clock_hz=240_000_000)))
    (here / "b.json").write_text(json.dumps(result(figure("aes", 5, 1), figure("new", 2))))
    outcome = tinyseal("bench --compare a.json b.json --plot c.png")
    rows = {line.split()[0]: line.split()[1:] for line in outcome.out.splitlines()}
    assert rows["aes"] == ["10", "5", "2", "600", "-"]
    assert rows["old"] == ["1", "-", "-", "240", "-"]
    assert rows["new"] == ["-", "2", "-", "-", "-"]
    assert "B at 240 MHz, MicroPython 1.28.0, tinyseal 0.1.0" in outcome.out
    assert (here / "c.png").exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        json.dumps(result(figure("a", -1))),
        json.dumps(result(figure("a", float("nan")))),
        json.dumps(result(figure("a", "1"))),
        json.dumps(result(figure("a", 1, 0))),
        json.dumps(result(figure(7, 1))),
        json.dumps(result(heap={"before": [1, 1]})),
        json.dumps(result(clock_hz="fast")),
        json.dumps(result(left_out=3)),
        json.dumps(result(models=[3])),
    ],
)
def test_a_file_that_is_no_result(tinyseal, here, content):
    (here / "a.json").write_text(content)
    outcome = tinyseal("bench --compare a.json a.json")
    assert (outcome.status, outcome.error) == (
        1,
        "a.json: is no result of tinyseal bench, wanted what -o has saved",
    )


def test_a_result_of_another_format(tinyseal, here):
    (here / "a.json").write_text(json.dumps(result(tinyseal_bench=2)))
    assert tinyseal("bench --compare a.json a.json").error == "a.json: is of format 2, wanted 1"


def test_nothing_to_draw(tinyseal, here):
    (here / "a.json").write_text(json.dumps(result(figure("a", 0))))
    assert tinyseal("bench --compare a.json a.json --plot c.png").error == "nothing to draw: no figure is above zero"
    assert not (here / "c.png").exists()


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("bench", "no board named"),
        ("bench --port sim --port sim", "several boards, wanted one at a time"),
        ("bench --compare a b -o c", "-o belongs to measuring, and --compare asks no board"),
        ("bench --compare a b --models c", "--models belongs to measuring, and --compare asks no board"),
    ],
)
def test_what_cannot_be_meant(tinyseal, here, line, error):
    outcome = tinyseal(line)
    assert outcome.status == 2
    assert outcome.error.startswith(error)


def test_a_folder_without_models(tinyseal, here):
    assert tinyseal("bench --port sim --models .").error == ".: has no .tflite in it, wanted the models to measure"
    assert tinyseal("bench --port sim --models none").error == "none: no such file or directory"


def test_an_engine_that_gives_other_answers(tinyseal, here, monkeypatch):
    """The board encrypts with another key than the host thinks."""
    chapter = measuring._CHAPTERS["engines"]
    monkeypatch.setitem(measuring._CHAPTERS, "engines", chapter.replace("bytes(range(32))", "bytes(32)"))
    outcome = tinyseal("bench --port sim -o b.json")
    assert outcome.status == 4
    assert outcome.error.endswith("aes_block gives another answer than it should")
    assert not (here / "b.json").exists()


def test_what_a_board_has_no_memory_for(tinyseal, here, shared):
    """It is said, and the rest measured; a model that cannot be compiled, too."""
    (here / "models").mkdir()
    (here / "models" / "broken.tflite").write_bytes(b"x" * 64)
    (here / "models" / "motion.tflite").write_bytes((shared / "motion.tflite").read_bytes())
    outcome = tinyseal("bench --port sim --heap 128 --models models -o b.json")
    assert outcome.status == 0
    assert "open_64k: no memory" in outcome.out
    found = json.loads((here / "b.json").read_text())
    assert set(found["left_out"].values()) == {"no memory"}
    assert "open_64k" in found["left_out"]
    assert "open_4k" in {one["name"] for one in found["figures"]}
    broken, motion = found["models"]
    assert "net" not in broken
    assert "broken.tflite" in broken["refused"]
    assert motion["net"][0] > 0
