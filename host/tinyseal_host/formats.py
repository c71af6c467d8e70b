"""The sealed file's header and the release, packed and parsed as FORMAT.md has them; no cryptography in here.

Parsing is strict and goes through the bytes once: what is not exactly as the format says is a RefusedError with the
code that a board gives for the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from .contract import Contract, pack_labels, parse_contract, parse_labels
from .errors import Refusal, RefusedError, TinysealError, quoted
from .program import PROGRAM_HEADER_LEN, Program, parse_program
from .program_rules import check_steps
from .quantise_rules import check_quantise

FORMAT_VERSION = 1
MAX_MODEL_VERSION = 0xFFFFFFFF
MAX_DEVICE_ID_LEN = 16
MAX_NAME_LEN = 16
TAG_LEN = 16
SIGNATURE_LEN = 384

SEALED_FIELDS = (
    ("magic", "4s"),
    ("format_version", "B"),
    ("key_source", "B"),
    ("device_id_len", "B"),
    ("reserved", "B"),
    ("device_id", "16s"),
    ("model_version", "I"),
    ("payload_len", "I"),
    ("nonce", "12s"),
    ("reserved", "4s"),
    ("key_check", "16s"),
)
"""Field names and struct codes of the sealed header, in order, little-endian."""
RELEASE_FIELDS = (
    ("magic", "4s"),
    ("total_len", "I"),
    ("format_version", "H"),
    ("reserved", "H"),
    ("model_version", "I"),
    ("name", "16s"),
    ("contract_len", "I"),
    ("labels_len", "I"),
    ("program_len", "I"),
    ("tables_len", "I"),
    ("selftest_len", "I"),
    ("reserved", "12s"),
)
"""Field names and struct codes of the release header, in order, little-endian."""
_SEALED = struct.Struct("<" + "".join(code for _, code in SEALED_FIELDS))
_RELEASE = struct.Struct("<" + "".join(code for _, code in RELEASE_FIELDS))
SEALED_HEADER_LEN = _SEALED.size
RELEASE_HEADER_LEN = _RELEASE.size

_NOT_SEALED = "tinyseal seal makes a sealed file of a release"
SEALED_MAGIC = b"SEAL"
RELEASE_MAGIC = b"TSM1"
LEAST_RELEASE_LEN = RELEASE_HEADER_LEN + SIGNATURE_LEN
"""Bytes below which a payload cannot hold a release header and a signature."""
SECTIONS = ("contract", "labels", "program", "tables", "selftest")


class KeySource(IntEnum):
    """Where a board has its device key from."""

    NVS = 1
    EFUSE = 2
    FILE = 3


@dataclass(frozen=True)
class SealedHeader:
    """The 64 bytes before the ciphertext, which are also its additional authenticated data."""

    key_source: KeySource
    device_id: bytes
    model_version: int
    payload_len: int
    nonce: bytes
    key_check: bytes

    def pack(self) -> bytes:
        """The header's 64 bytes."""
        return _SEALED.pack(
            *(SEALED_MAGIC, FORMAT_VERSION, self.key_source, len(self.device_id), 0, self.device_id),
            *(self.model_version, self.payload_len, self.nonce, bytes(4), self.key_check),
        )


def parse_sealed(data: bytes) -> SealedHeader:
    """The header of a whole sealed file; RefusedError FORMAT when it, or the file's length, is not exact."""
    if len(data) < SEALED_HEADER_LEN:
        raise _bad_seal(f"file has {len(data)} bytes, wanted at least {SEALED_HEADER_LEN}", hint=_NOT_SEALED)
    fields = _SEALED.unpack_from(data)
    magic, version, source, id_len, reserved, padded_id, model_version, payload_len, nonce, reserved4, key_check = (
        fields
    )
    if magic != SEALED_MAGIC:
        raise _bad_seal("magic is not SEAL", hint=_NOT_SEALED)
    if version != FORMAT_VERSION:
        raise _bad_seal(f"format version is {version}, wanted {FORMAT_VERSION}")
    if source not in list(KeySource):
        raise _bad_seal(f"key source is {source}, wanted 1 to 3")
    if not 1 <= id_len <= MAX_DEVICE_ID_LEN:
        raise _bad_seal(f"device id has {id_len} bytes, wanted 1 to {MAX_DEVICE_ID_LEN}")
    if any(padded_id[id_len:]) or reserved or any(reserved4):
        raise _bad_seal("padding or reserved bytes are not zero")
    if model_version == 0:
        raise _bad_seal("model version is 0")
    if payload_len < LEAST_RELEASE_LEN:
        raise _bad_seal(f"payload has {payload_len} bytes, wanted at least {LEAST_RELEASE_LEN}")
    wanted = SEALED_HEADER_LEN + payload_len + TAG_LEN
    if len(data) != wanted:
        raise _bad_seal(f"file has {len(data)} bytes, wanted {wanted}")
    return SealedHeader(KeySource(source), padded_id[:id_len], model_version, payload_len, nonce, key_check)


@dataclass(frozen=True)
class ReleaseHeader:
    """The 64 bytes that a release begins with; lengths in bytes, before padding."""

    total_len: int
    model_version: int
    name: str
    contract_len: int
    labels_len: int
    program_len: int
    tables_len: int
    selftest_len: int

    def pack(self) -> bytes:
        """The header's 64 bytes."""
        return _RELEASE.pack(
            *(RELEASE_MAGIC, self.total_len, FORMAT_VERSION, 0, self.model_version, self.name.encode()),
            *(self.contract_len, self.labels_len, self.program_len, self.tables_len, self.selftest_len, bytes(12)),
        )

    def layout(self) -> dict[str, tuple[int, int]]:
        """For each section and the signature its first byte and its length before padding."""
        places, at = {}, RELEASE_HEADER_LEN
        for section in SECTIONS:
            length: int = getattr(self, f"{section}_len")
            places[section] = (at, length)
            at = _padded(at + length)
        return places | {"signature": (at, SIGNATURE_LEN)}


def parse_release_header(data: bytes) -> ReleaseHeader:
    """The header of a whole release; RefusedError RELEASE when it, or the release's length, is not exact."""
    if len(data) < LEAST_RELEASE_LEN:
        raise _bad_release(f"has {len(data)} bytes, wanted at least {LEAST_RELEASE_LEN}")
    magic, total_len, version, reserved, model_version, padded_name, *lengths, reserved12 = _RELEASE.unpack_from(data)
    if magic != RELEASE_MAGIC:
        raise _bad_release("magic is not TSM1")
    if total_len != len(data):
        raise _bad_release(f"has {len(data)} bytes, its header says {total_len}")
    if version != FORMAT_VERSION:
        raise _bad_release(f"format version is {version}, wanted {FORMAT_VERSION}")
    if reserved or any(reserved12):
        raise _bad_release("reserved bytes are not zero")
    if model_version == 0:
        raise _bad_release("model version is 0")
    name = padded_name.rstrip(b"\0")
    try:
        header = ReleaseHeader(total_len, model_version, name.decode(), *lengths)
    except UnicodeDecodeError as error:
        raise _bad_release("name is not UTF-8") from error
    if b"\0" in name:
        raise _bad_release("name is not padded with zero bytes")
    if header.contract_len % 4 or header.program_len % 4 or header.tables_len % 4:
        raise _bad_release("contract, program or tables are not a multiple of 4 bytes")
    signature_at = header.layout()["signature"][0]
    if signature_at + SIGNATURE_LEN != total_len:
        raise _bad_release(f"its sections make {signature_at + SIGNATURE_LEN} bytes, its header says {total_len}")
    return header


@dataclass(frozen=True)
class Release:
    """A parsed release. `contract` carries the labels; `selftest_output` is int8 values as bytes."""

    header: ReleaseHeader
    contract: Contract
    program: Program
    tables: bytes = field(repr=False)
    selftest_frame: bytes = field(repr=False)
    selftest_output: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """The outputs' names, or none."""
        return self.contract.labels

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of every part with its padding; together they are the release."""
        places = self.header.layout()
        return {"header": RELEASE_HEADER_LEN} | {name: _padded(length) for name, (_, length) in places.items()}


def parse_release(data: bytes) -> Release:
    """A Release from the bytes of a `.tsm`; RefusedError RELEASE when it breaks a rule of FORMAT.md section 3.

    The signature is taken as it stands, and the self-test is not run: see `sealing.verify` and `sealing.check`.
    """
    header = parse_release_header(data)
    places = header.layout()
    parts = {name: data[at : at + length] for name, (at, length) in places.items()}
    for name, (at, length) in places.items():
        if any(data[at + length : _padded(at + length)]):
            raise _bad_release(f"padding after {name} is not zero")
    contract = replace(parse_contract(parts["contract"]), labels=parse_labels(parts["labels"]))
    program = parse_program(parts["program"], parts["tables"], places["tables"][0])
    check_quantise(contract, program.quantise_at, parts["tables"], places["tables"][0])
    check_steps(program, parts["tables"], places["tables"][0])
    if contract.length != program.input_len:
        raise _bad_release(f"contract has {contract.length} values, the program's input {program.input_len}")
    if len(contract.labels) not in (0, program.output_len):
        raise _bad_release(f"has {len(contract.labels)} labels, wanted none or {program.output_len}")
    if header.selftest_len != contract.frame_bytes + program.output_len:
        raise _bad_release(f"self-test has {header.selftest_len} bytes, not a frame and an output")
    frame, output = parts["selftest"][: contract.frame_bytes], parts["selftest"][contract.frame_bytes :]
    return Release(header, contract, program, parts["tables"], frame, output, parts["signature"])


def build_release(
    *,
    name: str,
    version: int,
    contract: Contract,
    labels: Sequence[str],
    program_for: Callable[[int], bytes],
    tables: bytes,
    selftest_frame: bytes,
    selftest_output: bytes,
) -> bytes:
    """The body of a release, all of it but the signature, held against every rule that a board holds it against.

    `program_for(tables_at)` gives the program once the release offset of the tables is known; its length must not
    depend on that. TinysealError for a name or version that does not fit, RefusedError RELEASE for parts that do not.
    """
    if not name.isprintable() or not 1 <= len(name.encode()) <= MAX_NAME_LEN:
        raise TinysealError(
            f"name is {quoted(name)}, wanted 1 to {MAX_NAME_LEN} bytes of printable text", hint="use --name"
        )
    if not 1 <= version <= MAX_MODEL_VERSION:
        raise TinysealError(f"version is {version}, wanted 1 to {MAX_MODEL_VERSION}")
    label_bytes = pack_labels(tuple(labels))
    tables_at = (
        RELEASE_HEADER_LEN + contract.section_len + _padded(len(label_bytes)) + len(program_for(PROGRAM_HEADER_LEN))
    )
    sections = (contract.pack(), label_bytes, program_for(tables_at), tables, selftest_frame + selftest_output)
    padded = b"".join(section + bytes(-len(section) % 4) for section in sections)
    total_len = RELEASE_HEADER_LEN + len(padded) + SIGNATURE_LEN
    body = ReleaseHeader(total_len, version, name, *map(len, sections)).pack() + padded
    parse_release(body + bytes(SIGNATURE_LEN))
    return body


def _padded(length: int) -> int:
    return length + 3 & ~3


def _bad_seal(message: str, hint: str | None = None) -> RefusedError:
    return RefusedError(Refusal.FORMAT, f"sealed file: {message}", hint=hint)


def _bad_release(message: str) -> RefusedError:
    return RefusedError(Refusal.RELEASE, f"release: {message}")
