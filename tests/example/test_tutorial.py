"""Every command in TUTORIAL.md is run, in its order, on one virtual board; TROUBLE.md has all that can be red."""

import ast
import re
import shutil
from pathlib import Path

import pytest
from documents import ROOT, blocks, comparable, shell, transcript
from tinyseal_host import errors, example
from tinyseal_host.sim import VirtualBoard

FOLDER = Path(example.__file__).parent
TUTORIAL = (FOLDER / "TUTORIAL.md").read_text(encoding="utf-8")
TROUBLE = (FOLDER / "TROUBLE.md").read_text(encoding="utf-8")
BEGIN = "tinyseal example motion"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the reader is after the first commands: in `motion`, beside the firmware."""
    made = tmp_path_factory.mktemp("tutorial")
    shutil.copytree(ROOT / "firmware", made / "firmware")
    assert f"    {BEGIN} && cd motion\n" in TUTORIAL
    shell(BEGIN, made)
    return made / "motion"


def without_numbers(text):
    """What a monitor shows, but for how many frames and microseconds, and which came last."""
    return re.sub(r"\d[\d.,]*", "N", re.sub(r"^last .*$", "last", text, flags=re.MULTILINE))


def test_the_transcript(folder):
    """A shorter look by `monitor`: six seconds are three rounds of the ten frames, so its reasons keep their order."""
    shown_there = transcript(TUTORIAL)
    assert len(shown_there) > 20
    with VirtualBoard(folder / "board") as board:
        for command, shown in shown_there:
            came = shell(command.replace("--seconds 20", "--seconds 6"), folder, ESPPORT=str(board.port))
            alike = without_numbers if command.startswith("tinyseal monitor") else comparable
            assert alike(came) == alike(shown), command
    assert (folder / "monitor.png").read_bytes().startswith(PNG)


def test_the_picture():
    (name,) = re.findall(r"^!\[[^]]+\]\((.*)\)$", TUTORIAL, re.MULTILINE)
    picture = (FOLDER / name).read_bytes()
    assert picture.startswith(PNG)
    assert len(picture) < 40 * 1024


def test_the_lines_that_quantise_are_those_of_train_py():
    """They need TensorFlow, so nothing here runs them: they have to be the ones that made the example."""
    (block,) = [text for text in blocks(TUTORIAL, "python") if "TFLiteConverter" in text]
    trained = {line.strip() for line in (FOLDER / "train.py").read_text(encoding="utf-8").splitlines()}
    lines = [line.strip() for line in block.splitlines() if line]
    assert len(lines) > 6
    assert [line for line in lines if line not in trained] == []


def test_the_python_can_be_read():
    for block in blocks(TUTORIAL, "python"):
        ast.parse(block)


def first_cells(heading):
    """The first column of the table below a heading, without back quotes."""
    section = TROUBLE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.split(" | ")[0].strip("| `") for line in section.splitlines() if line.startswith("| ")]
    return rows[1:]


def test_every_exit_status():
    known = {0, 130} | {kind.exit_status for kind in (errors.TinysealError, errors.UsageError, errors.BoardError)}
    known |= {errors.RefusedError(code, "").exit_status for code in errors.Refusal}
    assert first_cells("The exit status of a command") == [str(status) for status in sorted(known)]


def test_every_reason_for_a_frame():
    reasons = [status.name.lower() for status in errors.Status if status != errors.Status.OK]
    assert first_cells("A frame is refused") == reasons


def test_every_refusal():
    assert first_cells("A model is refused") == [code.name for code in errors.Refusal]


def test_what_is_said_of_a_contract_that_does_not_fit(folder):
    contract = (folder / "motion.toml").read_text(encoding="ascii").replace("length = 600", "length = 300")
    (folder / "short.toml").write_text(contract, encoding="ascii")
    build = "tinyseal build motion.tflite --contract short.toml --version 1 --keys their -o short.tsm"
    said = shell(f"tinyseal keygen their && {build}", folder)
    assert first_cells("Before there is a release")[2] in said
