"""FORMAT.md is the one description: its tables, words and commands bind host, board and openssl to each other.

The program and its tables have a file of their own, test_format_program.py.
"""

import hashlib
import hmac
import json
import re
import secrets
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_release as tiny
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from firmware_sources import ROOT
from format_document import DOCUMENT, constants, rows, section
from tinyseal_host import contract, errors, formats, keys, program, sealing

MICROPYTHON = Path(sys.executable).with_name("micropython")

CODES = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i32": "i", "f32": "f"}


def fields(heading):
    """(name, struct code) for each row of a table of offset, type, field; the offsets have to follow from the types."""
    found, at = [], 0
    for offset, kind, name, _ in rows(heading):
        assert int(offset) == at, (heading, name)
        code = CODES.get(kind) or kind.replace(" bytes", "s")
        at += struct.calcsize(f"<{code}")
        found.append((name, code))
    return tuple(found)


def size(described):
    return struct.calcsize("<" + "".join(code for _, code in described))


@pytest.mark.parametrize(
    ("heading", "host"),
    [
        ("Sealed header", formats.SEALED_FIELDS),
        ("Release header", formats.RELEASE_FIELDS),
        ("Contract", contract.CONTRACT_FIELDS),
        ("Channel", contract.CHANNEL_FIELDS),
        ("Program header", program.PROGRAM_FIELDS),
    ],
)
def test_the_host_has_the_document_s_fields(heading, host):
    assert host == fields(heading)


def test_lengths_that_the_document_gives():
    assert size(fields("Sealed header")) == formats.SEALED_HEADER_LEN == constants("sealed")["_HEADER"] == 64
    assert size(fields("Release header")) == formats.RELEASE_HEADER_LEN == constants("release")["_HEADER"] == 64
    assert size(fields("Contract")) == contract.CONTRACT_LEN == constants("contract")["_FIXED"] == 28
    records = {constants(module)["_RECORD"] for module in ("contract", "gate", "gate_more", "raw")}
    assert {size(fields("Channel")), contract.CHANNEL_LEN} == records == {64}
    assert size(fields("Program header")) == program.PROGRAM_HEADER_LEN == 4 * constants("net")["_HEADER_WORDS"]
    assert formats.TAG_LEN == constants("sealed")["_TAG"] == 16
    assert formats.SIGNATURE_LEN == constants("rsa")["SIZE"] == 384
    assert "The last 384 bytes" in section("Signature")
    assert "The file is exactly `64 + payload_len + 16` bytes" in section("Sealed header")


def test_types_and_checks_of_a_contract():
    cells = {name: meaning for _, _, name, meaning in rows("Contract")}
    types = {name: int(number) for number, name in re.findall(r"(\d) `(\w+)`", cells["type"])}
    assert types == contract.TYPES
    checks = {name.upper(): int(number) for number, name in re.findall(r"(\d+) (\w+)", cells["checks"])}
    assert checks == {check.name: check.value for check in contract.Checks}
    statuses = {name: int(code) for code, name, _ in rows("5. Refusals", 1)}
    order = [name for _, name in sorted((number, name) for name, number in checks.items())]
    assert [statuses[name] for name in order] == list(range(statuses["ZEROS"] + 1, statuses["SENSOR"]))
    text = section("Contract") + section("Channel")
    board = constants("contract")
    assert f"1 to {board['_CHANNELS_MAX']};" in text
    assert board["_CHANNELS_MAX"] == contract.MAX_CHANNELS
    assert f"a channel has {board['_SAMPLES_MAX']} values at most" in text
    assert board["_SAMPLES_MAX"] == contract.MAX_MEAN_SAMPLES
    assert f"or {contract.NO_ZERO} for none" in text
    assert constants("raw")["_NO_ZERO"] == contract.NO_ZERO


def test_sections_come_in_the_document_s_order():
    order = re.search(r"^`(header ‖ .* ‖ signature)`$", DOCUMENT, re.MULTILINE)[1].split(" ‖ ")
    assert tuple(order[1:-1]) == formats.SECTIONS


def test_refusals_and_statuses():
    refusals = {int(code): name for code, name, _ in rows("5. Refusals")}
    statuses = {int(code): name for code, name, _ in rows("5. Refusals", 1)}
    assert {refusal.value: refusal.name for refusal in errors.Refusal} == refusals
    assert {status.value: status.name for status in errors.Status} == statuses
    board = constants("errors")
    assert board.pop("CODES")[1:] == tuple(refusals.values())
    assert board.pop("STATUSES") == tuple(statuses.values())
    told = {name: code for table in (refusals, statuses) for code, name in table.items()}
    told_apart = ("OK", "SIZE", "NAN", "RANGE", "ZEROS")  # by the gate; the optional ones follow in their checks' order
    gate, more = constants("gate"), constants("gate_more")
    assert {name: gate[f"_{name}"] for name in told_apart} == {name: told[name] for name in told_apart}
    assert (more["_OK"], more["_ZEROS"]) == (told["OK"], told["ZEROS"])
    assert board == {name: told[name] for name in (*refusals.values(), "OK", "SENSOR") if name}


def test_key_sources_and_info_strings():
    described = [(row[0], row[-1]) for row in rows("1. Keys")]
    sources = dict(re.findall(r"source (\d) `(\w+)`", " ".join(name for name, _ in described)))
    assert {str(source.value): source.name.lower() for source in formats.KeySource} == sources
    infos = {name.split("`")[1]: re.findall(r'info="([^"]+)"', text) for name, text in described if "`" in name}
    assert infos == {
        "nvs": [keys.DEVICE_KEY_INFO.decode()],
        "efuse": [keys.EFUSE_ROOT_INFO.decode()],
        "file": [keys.DEVICE_KEY_INFO.decode(), keys.FILE_SEED_INFO.decode()],
    }
    efuse = next(text for name, text in described if "efuse" in name)
    assert f'HMAC-SHA256(root, "{keys.DEVICE_KEY_INFO.decode()}" ‖ device_id)' in efuse
    assert constants("keys")["_INFO"] == keys.DEVICE_KEY_INFO
    text = re.search(r"of the 16 bytes `(.{16})`", section("Sealed header"))[1].encode()
    assert text == sealing.KEY_CHECK_TEXT == constants("gcm")["KEY_CHECK_TEXT"]


def test_the_store_of_a_board():
    described = {name: int(length) for name, length, _ in rows("4. The store of a board")}
    lengths = {"key": constants("keys")["KEY"], "signer": constants("rsa")["SIZE"]}
    assert described == lengths | {"state": constants("slots")["_STATE_LEN"], constants("store")["_MARK"]: 1}
    assert constants("store")["_SIGNER"] == constants("rsa")["SIZE"]
    text = section("4. The store of a board")
    assert f"in `{constants('store')['_FOLDER']}`" in text
    _, slot_a, slot_b = constants("slots")["_PATHS"]
    upload = f"{constants('store')['_FOLDER']}/{constants('remote')['_UPLOAD']}"
    assert f"The slots are `{slot_a}` and `{slot_b}`; `{upload}` is an upload" in text


@pytest.fixture(scope="module")
def signing_key():
    return rsa.generate_private_key(65537, 3072)


@pytest.fixture(scope="module")
def release(signing_key):
    return sealing.sign(tiny.body(), signing_key)


def hkdf(ikm, salt, info):
    return hmac.digest(hmac.digest(salt, ikm, "sha256"), info + b"\x01", "sha256")


@pytest.mark.parametrize("source", [1, 2, 3])
def test_a_reader_of_ten_lines_opens_a_sealed_file(release, source):
    """Written from sections 1 and 2 of the document alone."""
    master, device_id = secrets.token_bytes(32), bytes.fromhex("7cdfa1e0c3b4")
    file = sealing.seal(release, device_id, formats.KeySource(source), master)

    salt = file[8 : 8 + file[6]]
    if file[5] == 1:
        device_key = hkdf(master, salt, b"model-encryption")
    elif file[5] == 2:
        device_key = hmac.digest(hkdf(master, salt, b"tinyseal efuse hmac"), b"model-encryption" + salt, "sha256")
    else:
        device_key = hkdf(hkdf(master, salt, b"tinyseal file seed"), salt, b"model-encryption")
    block = Cipher(algorithms.AES256(device_key), modes.ECB()).encryptor().update(b"tinyseal key chk")
    plain = AESGCM(device_key).decrypt(file[32:44], file[64:], file[:64])

    assert (file[5], salt, block, plain) == (source, device_id, file[48:64], release)
    assert "AESGCM(device_key).decrypt(file[32:44], file[64:], file[:64])" in section("2. Sealed file, `NAME.seal`")


BOARD = """
import sys
sys.path.insert(0, sys.argv[1])
import ujson, ustruct
from tinyseal.sealed import Sealed
from tinyseal.release import Release
sealed = Sealed(sys.argv[2])
with open(sys.argv[3], "rb") as file:
    data = bytearray(file.read())
release = Release(data, sealed.version)
contract = release.contract
print(ujson.dumps([
    sealed.key_source, sealed.device_id.hex(), sealed.version, sealed.payload_len,
    release.name, release.labels, contract.length, list(ustruct.unpack_from("<2i", data, contract.at)),
    contract.max_zeros,
    release.program_at, release.program_len, release.tables_at, release.tables_len,
    bytes(release.selftest_frame).hex(), bytes(release.selftest_output).hex(),
]))
"""


def test_the_board_reads_the_same_offsets(release, tmp_path):
    """The board's own modules, in the VM, on the release written by hand and on a sealed file of it."""
    (tmp_path / "M.tsm").write_bytes(release)
    sealed = sealing.seal(release, bytes.fromhex("7cdfa1e0c3b4"), formats.KeySource.FILE, secrets.token_bytes(32))
    (tmp_path / "M.seal").write_bytes(sealed)
    (tmp_path / "board.py").write_text(BOARD)
    command = [MICROPYTHON, tmp_path / "board.py", ROOT / "firmware", tmp_path / "M.seal", tmp_path / "M.tsm"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout
    limits = list(struct.unpack("<2i", struct.pack("<2f", tiny.LOW, tiny.HIGH)))
    assert json.loads(answer.stdout) == [
        *(3, "7cdfa1e0c3b4", 7, len(release)),
        *(tiny.NAME.decode(), [label.decode() for label in tiny.LABELS], tiny.LENGTH, limits, tiny.MAX_ZEROS),
        *(tiny.PROGRAM_AT, tiny.PROGRAM_LEN, tiny.TABLES_AT, len(tiny.TABLES)),
        *(tiny.FRAME.hex(), tiny.OUTPUT.hex()),
    ]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
class TestOpenssl:
    """The document's commands as they stand there; `head -c -384` is GNU's."""

    COMMANDS = re.search(r"By hand:\n\n((?:    .*\n)+)", DOCUMENT)[1]

    @pytest.fixture
    def folder(self, tmp_path, signing_key, release):
        pem = signing_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (tmp_path / "signing.pub").write_bytes(pem)
        (tmp_path / "M.tsm").write_bytes(release)
        return tmp_path

    def run(self, folder):
        return subprocess.run(["sh", "-c", self.COMMANDS], cwd=folder, capture_output=True, text=True, check=False)

    def test_a_good_signature(self, folder, release):
        answer = self.run(folder)
        assert (answer.returncode, answer.stdout.strip()) == (0, "Verified OK")
        assert hashlib.sha256((folder / "body").read_bytes()).digest() == hashlib.sha256(release[:-384]).digest()

    @pytest.mark.parametrize("at", [0, 100, -385, -384, -1])
    def test_a_changed_byte(self, folder, release, at):
        changed = bytearray(release)
        changed[at] ^= 1
        (folder / "M.tsm").write_bytes(changed)
        answer = self.run(folder)
        assert answer.returncode != 0
        assert "Verified OK" not in answer.stdout
        assert "erification failure" in answer.stdout + answer.stderr
