"""Chapter "open": what it costs to open a sealed file of 16 KiB, from AES's known answer to the signature."""

import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from emulation import ARCHITECTURES, Architecture

from . import open_heap
from .emulated_board import EmulatedBoard
from .line import Line

PAYLOAD = 16384  # bytes
_SIGNATURE = 384
_AUTHENTICATION = 7  # FORMAT.md section 5
_MODULES = ("errors", "memory", "sha256", "ctr", "ghash", "rsa", "gcm", "contract", "release")
_FIGURES = {
    "ghash": ("ghash.update",),
    "ctr": ("ctr.start", "ctr.advance", "ctr.blank"),
    "xor": ("ctr.xor_into",),
    "table": ("ghash._powers", "ghash._combine"),
    "wipe": ("memory._fill", "memory._erase"),
    "compare": ("memory._difference", "memory._low_bits"),
}
_NOTES = {
    "ghash": "GHASH of header, ciphertext and lengths",
    "ctr": "counter blocks, and the search for keystream blocks of zeros",
    "xor": "keystream and ciphertext",
    "table": "GHASH's, once a file",
    "wipe": "tables, keystream and the key in the AES object",
    "compare": "tag and known answers; alignment",
}
_REACH = {"": 60, "xt_": 75}  # instructions a byte: the design's, and for Xtensa 1.25 times as many
_PREFIXES = {"rv32imc": "", "xtensawin": "xt_"}


@dataclass(frozen=True)
class SealedFile:
    """A sealed file as FORMAT.md has it, but for what only the parser would look at."""

    key: bytes
    modulus: bytes
    header: bytes
    release: bytes
    ciphertext: bytes
    tag: bytes

    @property
    def parts(self) -> tuple[bytes, bytes, bytes]:
        """Key, nonce and AAD."""
        return self.key, self.header[32:44], self.header


def sealed_file() -> SealedFile:
    """A payload of random bytes with pyca's signature, sealed by pyca, under keys made for it."""
    key = secrets.token_bytes(32)
    signer = generate_private_key(65537, 8 * _SIGNATURE)
    body = secrets.token_bytes(PAYLOAD - _SIGNATURE)
    release = body + signer.sign(body, PSS(MGF1(hashes.SHA256()), 32), hashes.SHA256())
    check = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(b"tinyseal key chk")
    header = secrets.token_bytes(48) + check
    sealed = AESGCM(key).encrypt(header[32:44], release, header)
    modulus = signer.public_key().public_numbers().n.to_bytes(_SIGNATURE, "big")
    return SealedFile(key, modulus, header, release, sealed[:-16], sealed[-16:])


@dataclass(frozen=True)
class Opening:
    """Instructions by figure, leaf calls, and what the C modules did; `faults` by figure, of the answers."""

    instructions: Counter[str]
    calls: int
    builtin: Counter[str]
    faults: dict[str, str]


def _refusal(board: EmulatedBoard, file: SealedFile, tag: bytes, data: bytearray) -> int:
    """The code with which opening is refused, 0 when it is not."""
    try:
        board.modules["gcm"].open_in_place(*file.parts, data, tag, file.header[48:])
    except board.modules["errors"].SealError as error:
        return int(error.code)
    return 0


def _figures(instructions: Counter[str]) -> Counter[str]:
    """By figure, from by leaf; ValueError for a leaf that none has."""
    by_leaf = {leaf: figure for figure, leaves in _FIGURES.items() for leaf in leaves}
    if unknown := instructions.keys() - by_leaf.keys():
        raise ValueError(f"opening calls leaves that no figure has: {', '.join(sorted(unknown))}")
    figures: Counter[str] = Counter()
    for leaf, count in instructions.items():
        figures[by_leaf[leaf]] += count
    return figures


def opening(architecture: Architecture, file: SealedFile) -> Opening:
    """Open the file on an emulated board, with a wrong tag and then with the right one; the second is counted."""
    board = EmulatedBoard(architecture, _MODULES)
    faults = {}
    data = bytearray(file.ciphertext)
    wrong = bytes([file.tag[0] ^ 1]) + file.tag[1:]
    if _refusal(board, file, wrong, data) != _AUTHENTICATION or data != file.ciphertext:
        faults["compare"] = "a wrong tag is not refused, or the ciphertext is not left alone"
    board.forget()
    board.modules["gcm"].check_engine()
    board.modules["sha256"].check_engine()
    if code := _refusal(board, file, file.tag, data):
        faults["ghash"] = faults["table"] = f"pyca's tag is refused with code {code}"
    if data != file.release:
        faults["ctr"] = faults["xor"] = "the data are not what pyca encrypted"
    if any(any(buffer) for buffer in board.buffers.values() if buffer is not data):
        faults["wipe"] = "a buffer of the work is not all zeros afterwards"
    if any(file.key in engine.memory for engine in board.engines):
        faults["wipe"] = "an AES object has the key afterwards"
    if not _verified(board, file.release, file.modulus):
        faults["rsa"] = "pyca's signature is refused"
    opened = Opening(_figures(board.instructions), board.calls.total(), board.builtin.copy(), faults)
    if _verified(board, bytes([file.release[0] ^ 1]) + file.release[1:], file.modulus):
        faults["rsa"] = "a wrong signature is accepted"
    return opened


def _verified(board: EmulatedBoard, release: bytes, modulus: bytes) -> bool:
    try:
        board.modules["release"].verify(release, modulus)
    except board.modules["errors"].SealError:
        return False
    return True


def lines() -> Iterator[Line]:
    """The chapter's; EmulationError and VmError when counts and memory cannot be had."""
    file = sealed_file()
    openings: dict[Architecture, Opening] = {a: opening(a, file) for a in ARCHITECTURES}
    for architecture, opened in openings.items():
        yield from _counted(_PREFIXES[architecture], opened)
    yield from _excluded(openings["rv32imc"])
    yield from open_heap.lines(PAYLOAD)


def _counted(prefix: str, opened: Opening) -> Iterator[Line]:
    unit = "instructions/byte"
    for figure, note in _NOTES.items():
        count = opened.instructions[figure]
        yield Line(prefix + figure, count / PAYLOAD, unit, note, opened.faults.get(figure, ""))
    total = opened.instructions.total()
    faults = "; ".join(dict.fromkeys(opened.faults.values()))
    yield Line(
        f"{prefix}open_16k", total / PAYLOAD, unit, f"all of these, for 16 KiB; to be at most {_REACH[prefix]}", faults
    )


def _excluded(opened: Opening) -> Iterator[Line]:
    """What is in no figure above: the bytecode between the leaves, and MicroPython's C code."""
    builtin, signature = opened.builtin, opened.faults.get("rsa", "")
    yield Line("leaf_calls", opened.calls, "calls", "their bytecode and argument conversion are not counted above")
    yield Line("aes", builtin["aes"], "blocks", "by the AES engine, not counted above")
    yield Line("sha256", builtin["sha256"], "bytes", "by the SHA engine, not counted above")
    yield Line("rsa", builtin["pow"], "squarings", "modulo 3072 bits by pow(), not counted above", signature)
