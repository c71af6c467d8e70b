"""The commands that need no board: what they write, say and refuse."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tinyseal_host import __version__
from tinyseal_host.formats import parse_release


def test_help_names_every_command_and_every_exit_status(tinyseal):
    found = tinyseal("--help")
    assert found.status == 0
    for word in (
        *(
            "example",
            "keygen",
            "keys",
            "contract",
            "check",
            "build",
            "inspect",
            "seal",
            "open",
            "provision",
            "push",
            "deploy",
            "infer",
            "status",
            "sim",
        ),
        *("0 done", "1 failed", "2 usage", "3 the board refused it", "4 no board"),
    ):
        assert word in found.out


def test_version(tinyseal):
    assert tinyseal("--version").out == f"tinyseal {__version__}\n"


@pytest.mark.parametrize(
    "line",
    ["", "bild", "build", "build m.tflite", "build m.tflite --contract c --version x --keys k", "seal m.tsm --keys k",
     "sim --heap 3", "sim --heap many", "infer f.npy --prot sim", "status"],
)  # fmt: skip
def test_wrong_command_lines_are_status_2(tinyseal, here, line):
    found = tinyseal(line)
    assert found.status == 2
    assert found.error
    assert found.hint
    assert found.out == ""


def test_example_writes_its_files_and_leaves_equal_ones_alone(tinyseal, here):
    for _ in range(2):
        found = tinyseal("example ex")
        assert found.status == 0
        assert found.out.split() == [
            f"ex/{name}" for name in ("motion.tflite", "motion.toml", "training.npy", "frames.npy", "labels.npy")
        ]
    assert sorted(path.name for path in Path("ex").iterdir()) == [
        "frames.npy",
        "labels.npy",
        "motion.tflite",
        "motion.toml",
        "training.npy",
    ]


def test_example_overwrites_nothing(tinyseal, here):
    Path("motion.toml").write_text("mine")
    found = tinyseal("example .")
    assert found.status == 1
    assert "motion.toml" in found.error
    assert [path.name for path in here.iterdir()] == ["motion.toml"]


def test_build_says_what_it_made_and_inspect_reads_it(tinyseal, shared, here):
    found = tinyseal(
        "build --version 9 -o m.tsm --name hand --keys",
        shared / "keys",
        "--contract",
        shared / "motion.toml",
        shared / "motion.tflite",
    )
    assert (found.status, found.err) == (0, "")
    assert found.out == f"m.tsm: hand, version 9, {Path('m.tsm').stat().st_size:,} bytes\n"
    text = tinyseal("inspect m.tsm").out
    for word in (
        "hand",
        "model version   9",
        "600 x float32",
        "standing, running, walking, badminton",
        "95,936",
        "CONV",
        "SOFTMAX",
        "signature",
    ):
        assert word in text
    about = tinyseal("inspect m.tsm --json").json
    assert (about["kind"], about["name"], about["version"], about["macs"]) == ("tsm", "hand", 9, 95936)
    assert sum(about["sizes"].values()) == about["bytes"] == Path("m.tsm").stat().st_size


def test_build_writes_beside_the_model_by_default(tinyseal, shared, here):
    (here / "motion.tflite").write_bytes((shared / "motion.tflite").read_bytes())
    assert (
        tinyseal("build motion.tflite --version 1 --keys", shared / "keys", "--contract", shared / "motion.toml").status
        == 0
    )
    assert parse_release(Path("motion.tsm").read_bytes()).header.name == "motion"


def test_inspect_model(tinyseal, shared):
    text = tinyseal("inspect", shared / "motion.tflite").out
    for word in ("11,304 bytes", "1x100x6", "95,936", "CONV_2D", "FULLY_CONNECTED", "SOFTMAX", "24,000"):
        assert word in text
    about = tinyseal("inspect --json", shared / "motion.tflite").json
    assert about["kind"] == "tflite"
    assert about["problems"] == []
    assert [layer["operator"] for layer in about["layers"]][-1] == "SOFTMAX"
    assert about["arena"]["lower_bound"] == 600 + 800
    assert (
        about["arena"]["bytes"]
        >= about["arena"]["most_live"]
        == max(layer["cost"]["live_bytes"] for layer in about["layers"] if layer["cost"])
    )
    aliases = [layer["operator"] for layer in about["layers"] if layer["cost"] is None]
    assert aliases == ["RESHAPE", "RESHAPE"]
    # The second convolution and the dense layer write where they read, in a place as large as the larger of the two.
    for layer, tensors in ((1, 600 + 800), (2, 800), (3, 800 + 384), (5, 384 + 32), (6, 32), (7, 32 + 4)):
        cost = about["layers"][layer]["cost"]
        assert cost["live_bytes"] - cost["scratch_bytes"] == tensors
    assert about["layers"][5]["cost"]["table_bytes"] == 0
    assert about["layers"][7]["cost"]["table_bytes"] == 256 * 4
    rows = {line.split()[1]: line.split()[-5:-2] for line in text.splitlines() if line[:5].strip().isdecimal()}
    assert rows["RESHAPE"] == ["-", "-", "-"]
    assert rows["FULLY_CONNECTED"] == [str(4 * (32 + 16)), "176", "144"]
    assert "lower bound   1,400 bytes" in text
    for name in ("rv32imc", "xtensawin"):
        layers = sum(layer["cost"]["instructions"][name] for layer in about["layers"] if layer["cost"])
        assert layers < about["instructions"][name] < layers + 100 * 600


def test_inspect_operators_needs_no_file(tinyseal, here):
    found = tinyseal("inspect --operators")
    assert (found.status, found.err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in found.out.splitlines())
    assert lines.pop("operator") == "accepted"
    assert lines == tinyseal("inspect --operators --json").json["operators"]
    assert "constant int8 weights, per tensor or per channel" in lines["CONV_2D"]


@pytest.mark.parametrize("line", ["inspect", "inspect some.tflite --operators"])
def test_inspect_wants_a_file_or_operators(tinyseal, here, line):
    found = tinyseal(line)
    assert (found.status, found.error) == (2, "wanted a FILE or --operators")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("inspect none.tsm", "none.tsm: no such file"),
        ("inspect .", ".: is a directory"),
        ("inspect note.txt", "note.txt: not a .tflite, .tsm or .seal file"),
        ("inspect cut.tsm", "release: "),
        ("build note.txt --contract ok.toml --version 1 --keys KEYS", "note.txt: "),
        ("build motion.tflite --contract none.toml --version 1 --keys KEYS", "none.toml: no such file"),
        ("build motion.tflite --contract note.txt --version 1 --keys KEYS", "note.txt: not TOML"),
        ("build motion.tflite --contract short.toml --version 1 --keys KEYS", "600"),
        ("build motion.tflite --contract ok.toml --version 0 --keys KEYS", "version is 0"),
        ("build motion.tflite --contract ok.toml --version 4294967296 --keys KEYS", "version is 4294967296"),
        ("build motion.tflite --contract ok.toml --version 1 --keys none", "none: no signing.key"),
        (
            "build motion.tflite --contract ok.toml --version 1 --keys KEYS --name a-name-of-17-chars",
            "wanted 1 to 16 bytes",
        ),
        ("seal motion.tsm --device 07 --keys none", "none: no master.key"),
        ("seal note.txt --device 07 --keys KEYS", "release: "),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(tinyseal, shared, here, line, said):
    Path("note.txt").write_text("hello, this is a note\n")
    Path("ok.toml").write_text((shared / "motion.toml").read_text())
    Path("short.toml").write_text((shared / "motion.toml").read_text().replace("length = 600", "length = 594"))
    for name in ("motion.tflite", "motion.tsm"):
        Path(name).write_bytes((shared / name).read_bytes())
    Path("cut.tsm").write_bytes((shared / "motion.tsm").read_bytes()[:-1])
    before = {path: path.read_bytes() for path in here.iterdir()}
    found = tinyseal(line.replace("KEYS", str(shared / "keys")))
    assert found.status in (1, 3)
    assert said in found.error
    assert found.out == ""
    assert {path: path.read_bytes() for path in here.iterdir()} == before


def test_a_failed_build_keeps_the_old_output(tinyseal, shared, here):
    Path("m.tsm").write_text("precious")
    assert (
        tinyseal(
            "build --version 0 -o m.tsm --keys",
            shared / "keys",
            "--contract",
            shared / "motion.toml",
            shared / "motion.tflite",
        ).status
        == 1
    )
    assert Path("m.tsm").read_text() == "precious"


def test_errors_as_json(tinyseal, here):
    found = tinyseal("inspect none.tsm --json")
    assert found.status == 1
    assert found.json == {"error": "none.tsm: no such file or directory", "exit_status": 1}
    assert found.err.startswith("tinyseal: error: none.tsm")


def test_the_installed_command_ends_quietly_when_its_reader_does(shared):
    """`tinyseal inspect ... | head -1`, by the real program."""
    program = Path(sys.executable).with_name("tinyseal")
    done = subprocess.run(
        ["sh", "-c", f"{program} inspect {shared / 'motion.tflite'} | head -1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("model")
    assert "Traceback" not in done.stderr


def test_refused_model_names_file_layer_and_operator(tinyseal, shared, here):
    """A tanh in front of the softmax, by changing the operator's code in the file."""
    data = bytearray((shared / "motion.tflite").read_bytes())
    import tflite

    model = tflite.Model.GetRootAs(data)
    for i in range(model.OperatorCodesLength()):
        code = model.OperatorCodes(i)
        if code.BuiltinCode() == tflite.BuiltinOperator.SOFTMAX:
            for field in (4, 10):  # deprecated_builtin_code and builtin_code
                offset = code._tab.Offset(field)
                if offset:
                    at = code._tab.Pos + offset
                    data[at] = tflite.BuiltinOperator.TANH
    Path("tanh.tflite").write_bytes(data)
    found = tinyseal(
        "build tanh.tflite --version 1 -o m.tsm --keys", shared / "keys", "--contract", shared / "motion.toml"
    )
    assert found.status == 1
    assert found.error.startswith("tanh.tflite: layer 7")
    assert "TANH" in found.error
    assert not Path("m.tsm").exists()
    about = tinyseal("inspect tanh.tflite --json").json
    assert any("TANH" in problem for problem in about["problems"])
    assert about["arena"] is None
    assert "live bytes" not in tinyseal("inspect tanh.tflite").out


def test_frames_of_the_example_are_float32(shared):
    assert np.load(shared / "frames.npy").dtype == np.float32
