"""The command's lines and exit status."""

import re
from collections.abc import Iterator

import pytest
from bench import __main__ as bench
from bench.line import Line
from vm import VmError

_LINE = re.compile(r"(?P<name>\w+) +(?P<figure>\d+(?:\.\d\d)?) +(?P<unit>\S+)(?: +(?P<note>.+))?")
_INSTRUCTIONS = ("ghash", "ctr", "xor", "table", "wipe", "compare", "open_16k")


def test_open_prints_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """The sum is that of its parts, within what they are rounded by; the memory is more than the 8 KiB of tables."""
    assert bench.main(["open"]) == 0
    heading, *printed = capsys.readouterr().out.splitlines()
    assert heading == "open"
    found = {}
    for line in printed:
        match = _LINE.fullmatch(line)
        assert match, line
        assert match["name"] not in found
        found[match["name"]] = float(match["figure"]), match["unit"]
    for prefix in ("", "xt_"):
        *parts, whole = (found[prefix + name][0] for name in _INSTRUCTIONS)
        assert abs(sum(parts) - whole) < 0.005 * len(_INSTRUCTIONS)
        assert {found[prefix + name][1] for name in _INSTRUCTIONS} == {"instructions/byte"}
    assert {"leaf_calls", "aes", "sha256", "rsa"} < found.keys()
    for name in ("open_heap", "open_heap_example"):
        assert found[name][0] > 8192
        assert found[name][1] == "bytes"


def chapter(*lines: Line, error: Exception | None = None):
    def run() -> Iterator[Line]:
        yield from lines
        if error:
            raise error

    return run


def test_a_wrong_answer_is_said_and_the_other_chapters_still_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = chapter(Line("first", 1.5, "unit", "note", fault="got 2, wanted 3"), Line("second", 2, "unit"))
    monkeypatch.setattr(
        bench,
        "CHAPTERS",
        {"bad": bad, "broken": chapter(error=VmError("no VM")), "good": chapter(Line("third", 3, "u"))},
    )
    assert bench.main([]) == 1
    out = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert out == [
        "bad",
        "first 1.50 unit WRONG: got 2, wanted 3",
        "second 2 unit",
        "broken",
        "WRONG: no VM",
        "good",
        "third 3 u",
    ]
    assert bench.main(["good"]) == 0
    assert bench.main(["broken"]) == 1


def test_an_unknown_chapter_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        bench.main(["opne"])
    assert stopped.value.code == 2
    assert "opne" in capsys.readouterr().err
