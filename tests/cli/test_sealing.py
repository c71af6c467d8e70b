"""`seal` for one board and for many, and `open`: what they write, say and refuse."""

import errno
import itertools
from pathlib import Path

import pytest
import tiny_release
from tinyseal_host import files, keys, sealing
from tinyseal_host.cli import sealing as command
from tinyseal_host.formats import KeySource, parse_sealed


def test_seal_and_open(tinyseal, shared, here):
    found = tinyseal("seal --device 02:00:00:00:00:07 -o m.seal --keys", shared / "keys", shared / "motion.tsm")
    assert (found.status, found.err) == (0, "")
    assert parse_sealed(Path("m.seal").read_bytes()).device_id == bytes.fromhex("020000000007")
    text = tinyseal("inspect m.seal").out
    for word in ("020000000007", "nvs", "model version  2"):
        assert word in text
    assert tinyseal("open m.seal -o back.tsm --keys", shared / "keys").status == 0
    assert Path("back.tsm").read_bytes() == (shared / "motion.tsm").read_bytes()


def test_open_refuses_what_a_board_would(tinyseal, shared, here):
    assert tinyseal("seal --device 0207 -o m.seal --keys", shared / "keys", shared / "motion.tsm").status == 0
    sealed = bytearray(Path("m.seal").read_bytes())
    sealed[100] ^= 1
    Path("altered.seal").write_bytes(sealed)
    for name, folder, code in (("altered.seal", "keys", "AUTHENTICATION"), ("m.seal", "stranger", "AUTHENTICATION")):
        found = tinyseal(f"open {name} -o back.tsm --json --keys", shared / folder)
        assert found.status == 3
        assert found.json["code"] == code
    for name, folder in (("altered.seal", "keys"), ("m.seal", "stranger")):
        assert tinyseal(f"open {name} -o back.tsm --keys", shared / folder).error.endswith(
            "altered, damaged, or sealed under another key"
        )
    assert not Path("back.tsm").exists()


def test_keys_from_two_folders(tinyseal, shared, here):
    """The station that seals has the master key, and of the signer the public half at most."""
    station, signer = here / "station", here / "signer"
    station.mkdir()
    signer.mkdir()
    for folder, name in ((station, "master.key"), (signer, "signing.pub")):
        (folder / name).write_bytes((shared / "keys" / name).read_bytes())
        (folder / name).chmod(0o600)
    assert tinyseal("seal --device 07 -o m.seal --keys station", shared / "motion.tsm").status == 0
    assert tinyseal("open m.seal -o back.tsm --keys station --keys signer").status == 0
    refused = tinyseal(
        "build --version 1 -o m.tsm --keys station --keys signer --contract",
        shared / "motion.toml",
        shared / "motion.tflite",
    )
    assert refused.status == 1
    assert "signing.key" in refused.error


def test_wrong_device_id_is_a_usage_error(tinyseal, shared, here):
    found = tinyseal("seal --device 7c9e0 -o m.seal --keys", shared / "keys", shared / "motion.tsm")
    assert (found.status, Path("m.seal").exists()) == (2, False)
    assert "7c9e0" in found.error


def test_seal_says_whose_signature_it_saw(tinyseal, shared, here):
    signer = keys.signer_fingerprint(keys.load_signer([shared / "keys"]))
    found = tinyseal("seal --device 07 -o m.seal --keys", shared / "keys", shared / "motion.tsm")
    assert (found.status, found.err) == (0, "")
    assert found.out.splitlines() == ["m.seal: for board 07, 13,584 bytes", f"signed by {signer}"]
    about = tinyseal("seal --device 07 -o m.seal --json --keys", shared / "keys", shared / "motion.tsm").json
    assert about["signer"] == signer


@pytest.mark.parametrize("more", [(), ("--device", "08")], ids=["one", "many"])
def test_seal_refuses_a_strangers_release_where_it_knows_the_signer(tinyseal, shared, station, here, more):
    signer = here / "signer"
    signer.mkdir()
    (signer / "signing.pub").write_bytes((shared / "stranger" / "signing.pub").read_bytes())
    line = "seal --device 07 -o out --json --keys station --keys signer"
    found = tinyseal(line, shared / "motion.tsm", *more)
    assert (found.status, found.json["code"]) == (3, "SIGNATURE")
    assert not Path("out").exists()


def test_seal_says_when_it_could_not_check_the_signature(tinyseal, shared, station, here):
    found = tinyseal("seal --device 07 -o m.seal --json --keys station", shared / "motion.tsm")
    assert (found.status, found.json["signer"]) == (0, None)
    assert found.err == "tinyseal: note: the release's signature was not checked: no signing.pub in the key folders\n"


@pytest.fixture
def station(shared, here):
    """Keys as a factory has them: the master key alone."""
    folder = here / "station"
    folder.mkdir()
    (folder / "master.key").write_bytes((shared / "keys" / "master.key").read_bytes())
    (folder / "master.key").chmod(0o600)
    return folder


IDS = [f"0200000000{number:02x}" for number in range(40)]


@pytest.fixture
def many(tinyseal, shared, here):
    """Seal for the 40 boards in boards.txt."""
    Path("boards.txt").write_text("# the bench\n" + "\n".join(IDS))

    def run(*more):
        return tinyseal("seal --devices boards.txt -o out --keys", shared / "keys", shared / "motion.tsm", *more)

    return run


def opened(path, shared):
    """(device id in the header, whether the release in it is the one that was sealed)."""
    data = path.read_bytes()
    release = sealing.unseal(data, keys.load_master([shared / "keys"]))
    return parse_sealed(data).device_id.hex(), release == (shared / "motion.tsm").read_bytes()


def test_many_boards_have_a_file_each_under_their_id(many, shared, here):
    found = many()
    assert (found.status, found.err) == (0, "")
    assert found.out.splitlines()[0] == "out: motion, version 2, for 40 boards: 40 files written, 0 there already"
    assert sorted(path.name for path in Path("out").iterdir()) == [f"{device}.seal" for device in IDS]
    for device in IDS:
        assert opened(here / "out" / f"{device}.seal", shared) == (device, True)
    nonces = {path.read_bytes()[32:44] for path in Path("out").iterdir()}
    assert len(nonces) == len(IDS)


def test_many_boards_as_json(many):
    about = many("--key-source", "file", "--json").json
    assert [entry["device_id"] for entry in about["files"]] == IDS
    assert all(Path(entry["file"]).is_file() and entry["written"] for entry in about["files"])
    assert (about["folder"], about["version"], about["key_source"]) == ("out", 2, "file")


def test_boards_may_be_named_on_the_command_line_as_well(many, tinyseal, shared):
    assert many("--device", "0a", "--device", "0b:0c").status == 0
    assert len(list(Path("out").iterdir())) == len(IDS) + 2
    found = tinyseal("seal --device 01 --device 02 -o two --keys", shared / "keys", shared / "motion.tsm")
    assert found.status == 0
    assert sorted(path.name for path in Path("two").iterdir()) == ["01.seal", "02.seal"]


def test_a_second_run_writes_only_what_is_missing_or_wrong(many, tinyseal, shared, here):
    assert many().status == 0
    out = here / "out"
    good = {path.name: path.read_bytes() for path in out.iterdir()}
    flipped = bytearray(good[f"{IDS[4]}.seal"])
    flipped[100] ^= 1
    wrong = {  # what has to be written again
        IDS[0]: None,
        IDS[1]: good[f"{IDS[1]}.seal"][:-1],
        IDS[2]: good[f"{IDS[3]}.seal"],
        IDS[4]: bytes(flipped),
        IDS[5]: sealing.seal(tiny_release.unsigned(), bytes.fromhex(IDS[5]), KeySource.NVS, bytes(32)),
        IDS[6]: b"",
    }
    for device, data in wrong.items():
        (out / f"{device}.seal").unlink()
        if data is not None:
            (out / f"{device}.seal").write_bytes(data)
    about = many("--json").json
    assert {entry["device_id"] for entry in about["files"] if entry["written"]} == set(wrong)
    for device in IDS:
        assert opened(out / f"{device}.seal", shared) == (device, True)
        assert ((out / f"{device}.seal").read_bytes() == good[f"{device}.seal"]) is (device not in wrong)


@pytest.mark.parametrize("changed", ["version", "source", "master"])
def test_another_sealing_replaces_what_is_there(many, tinyseal, shared, here, changed):
    assert many().status == 0
    before = (here / "out" / f"{IDS[0]}.seal").read_bytes()
    release, folder, source = shared / "motion.tsm", shared / "keys", "nvs"
    if changed == "version":
        line = "build --version 3 -o 3.tsm --contract"
        assert tinyseal(line, shared / "motion.toml", shared / "motion.tflite", "--keys", shared / "keys").status == 0
        release = here / "3.tsm"
    elif changed == "source":
        source = "efuse"
    else:
        folder = here / "other"
        keys.generate(folder, [keys.KeyKind.MASTER])
    found = tinyseal(f"seal --devices boards.txt -o out --key-source {source} --keys", folder, release)
    assert found.out.splitlines()[0].endswith("40 files written, 0 there already")
    assert (here / "out" / f"{IDS[0]}.seal").read_bytes() != before


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_run_that_breaks_off_leaves_whole_files_and_is_taken_up(many, here, shared, monkeypatch, error):
    counter = itertools.count()

    def write_whole(path, data):
        if next(counter) == 12:
            raise files.TinysealError(f"{path}: {files.reason(error)}") if isinstance(error, OSError) else error
        files.write_whole(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(command, "write_whole", write_whole)
        found = many()
    assert found.status == (1 if isinstance(error, OSError) else 130)
    there = sorted(path.name for path in (here / "out").iterdir())
    assert 0 < len(there) < len(IDS)
    for name in there:
        assert opened(here / "out" / name, shared) == (name.removesuffix(".seal"), True)
    about = many("--json").json
    assert sum(entry["written"] for entry in about["files"]) == len(IDS) - len(there)


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("seal M --keys KEYS", 2, "no board is named"),
        ("seal M --keys KEYS --device 01 --device 02", 2, "no folder for their files"),
        ("seal M --keys KEYS --devices one.txt", 2, "no folder for their files"),
        ("seal M --keys KEYS --device 01 --device 02 --device 1:0 -o out", 2, "device id is"),
        ("seal M --keys KEYS --device 01 --device 01 -o out", 2, "01 is named twice"),
        ("seal M --keys KEYS --device 01 --devices one.txt -o out", 2, "01 is named twice"),
        ("seal M --keys KEYS --devices none.txt -o out", 1, "none.txt: no such file"),
        ("seal M --keys KEYS --devices bad.txt -o out", 1, "bad.txt, line 2: device id is"),
        ("seal M --keys KEYS --devices one.txt -o one.txt", 1, "one.txt: file exists"),
        ("seal M --keys KEYS --devices one.txt -o none/out", 1, "none/out: no such file"),
        ("seal one.txt --keys KEYS --devices one.txt -o out", 1, "one.txt: release: "),
        ("seal M --keys none --devices one.txt -o out", 1, "none: no master.key"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(tinyseal, shared, here, line, status, said):
    Path("one.txt").write_text("01\n")
    Path("bad.txt").write_text("01\n0\n")
    before = {path: path.read_bytes() for path in here.iterdir()}
    found = tinyseal(line.replace("KEYS", str(shared / "keys")).replace("M ", f"{shared / 'motion.tsm'} "))
    assert (found.status, found.out) == (status, "")
    assert said in found.error
    assert {path: path.read_bytes() for path in here.iterdir()} == before
