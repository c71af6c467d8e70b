"""A search of a process's whole memory for the secrets that opening a model brings there.

What counts as a secret is computed here, from the keys and the file alone, with pyca and FIPS-197: nothing is asked of
the firmware.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from tinyseal_host.formats import parse_release

PIECE = 16  # bytes: the shortest run that is looked for
_DISTINCT = 8  # a piece with fewer different bytes (padding, small numbers) may stand anywhere by chance
_FILTER_BITS = 20
_CHUNK = 16 << 20  # bytes of memory at a time
_NOT_MEMORY = ("[vvar]", "[vvar_vclock]", "[vsyscall]")


@dataclass
class Secrets:
    """Byte strings by name; every run of 16 bytes of them is looked for."""

    named: dict[str, bytes] = field(default_factory=dict)

    def pieces(self) -> dict[bytes, str]:
        """Every window of 16 bytes that neither looks like padding nor begins so, with the name of what it is from."""
        found: dict[bytes, str] = {}
        for name, data in self.named.items():
            for at in range(len(data) - PIECE + 1):
                piece = data[at : at + PIECE]
                if len(set(piece)) >= _DISTINCT and len(set(piece[:4])) > 1:
                    found.setdefault(piece, name)
        return found


def of_opening(sealed: bytes, device_key: bytes, release: bytes) -> Secrets:
    """All that must not stay in RAM when the sealed file is closed or refused: key, what derives from it, weights."""
    named = {"device key": device_key, **_weights(release)}
    schedule = _key_schedule(device_key)
    named["AES key schedule"] = schedule
    named["AES key schedule, words swapped"] = _swapped(schedule)
    ecb = Cipher(algorithms.AES(device_key), modes.ECB()).encryptor()
    subkey = ecb.update(bytes(16))
    named["GCM subkey"] = subkey
    named["GCM subkey, words swapped"] = _swapped(subkey)
    nonce = sealed[32:44]
    blocks = -(-len(release) // 16)
    counters = b"".join(nonce + counter.to_bytes(4, "big") for counter in range(1, blocks + 2))
    named["keystream"] = ecb.update(counters)
    for position, entry in enumerate(_table(subkey)):
        named[f"GHASH table, position {position}"] = entry
        named[f"GHASH table, position {position}, words swapped"] = _swapped(entry)
    return Secrets({name: data for name, data in named.items() if data})


def of_derivation(secret: bytes, salt: bytes, key: bytes) -> Secrets:
    """What HKDF goes through on the way from a seed to a device key: PRK, and the keyed pads of both HMACs."""
    extract = hmac.HMAC(salt, hashes.SHA256())
    extract.update(secret)
    prk = extract.finalize()
    pads = {
        f"{name} with {pad:#x}": bytes(byte ^ pad for byte in value)
        for name, value in (("PRK", prk),)
        for pad in (0x36, 0x5C)
    }
    return Secrets({"seed": secret, "PRK": prk, "derived key": key, **pads})


def _weights(release: bytes) -> dict[str, bytes]:
    """The rows of every step that has some (FORMAT.md, "Rows table"); other tables are the same for many models."""
    named = {}
    for number, step in enumerate(parse_release(release).program.steps):
        if "rows_at" in step.operands:
            at = step.operands["rows_at"]
            named[f"weights of step {number}"] = release[at : at + step.table_bytes]
    return named


def search(pid: int, secrets: Secrets) -> dict[str, int]:
    """How many pieces of each secret the process holds anywhere, counted by place; none when it is empty."""
    pieces = secrets.pieces()
    wanted = np.zeros(1 << _FILTER_BITS, bool)
    first_words = np.unique(np.array([int.from_bytes(piece[:4], "little") for piece in pieces], np.uint32))
    wanted[_hash(first_words)] = True
    found: dict[str, int] = {}
    for chunk in _memory(pid):
        data = np.frombuffer(chunk, np.uint8)
        for shift in range(4):
            words = data[shift : shift + (len(data) - shift) // 4 * 4].view(np.uint32)
            maybe = np.flatnonzero(wanted[_hash(words)])
            # A word that is everywhere, zero say, may share its place in the filter with one that is wanted.
            if not maybe.size:
                continue
            for index in maybe[np.isin(words[maybe], first_words)]:
                at = shift + 4 * int(index)
                name = pieces.get(chunk[at : at + PIECE])
                if name is not None:
                    found[name] = found.get(name, 0) + 1
    return found


def _hash(words):
    """A place in the filter for each uint32: the top bits of a product, which all bits have a part in."""
    return words * np.uint32(0x9E3779B1) >> np.uint32(32 - _FILTER_BITS)


def _memory(pid: int):
    """The process's readable memory in pieces that overlap by 15 bytes, stopped while it is read."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line)
            if match is None or "r" not in match[3] or match[4] in _NOT_MEMORY:
                continue
            if match[4].startswith("/") and "w" not in match[3]:
                continue  # a file's own bytes, which the process cannot change
            start, end = int(match[1], 16), int(match[2], 16)
            for at in range(start, end, _CHUNK):
                memory.seek(at)
                try:
                    yield memory.read(min(end, at + _CHUNK + PIECE - 1) - at)
                except OSError:  # a guard page, or a mapping of a file that has become shorter
                    continue


def _swapped(data: bytes) -> bytes:
    return np.frombuffer(data, ">u4").astype("<u4").tobytes()


def _key_schedule(key: bytes) -> bytes:
    """FIPS-197, 5.2, for a key of 256 bits: 60 words, big-endian."""
    sbox = _sbox()
    words = [key[i : i + 4] for i in range(0, 32, 4)]
    rcon = 1
    for i in range(8, 60):
        word = words[i - 1]
        if i % 8 == 0:
            word = bytes(sbox[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ rcon]) + word[1:]
            rcon = rcon << 1
        elif i % 8 == 4:
            word = bytes(sbox[b] for b in word)
        words.append(bytes(a ^ b for a, b in zip(word, words[i - 8], strict=True)))
    return b"".join(words)


def _sbox() -> bytes:
    """FIPS-197, 5.1.1: the inverse in GF(2^8), then an affine map."""

    def times(a: int, b: int) -> int:
        product = 0
        while b:
            if b & 1:
                product ^= a
            a = a << 1 ^ (0x11B if a & 0x80 else 0)
            b >>= 1
        return product

    inverse = [0] + [next(b for b in range(256) if times(a, b) == 1) for a in range(1, 256)]
    out = []
    for value in inverse:
        bits = value
        for turn in range(1, 5):
            bits ^= (value << turn | value >> 8 - turn) & 0xFF
        out.append(bits ^ 0x63)
    return bytes(out)


def _table(subkey: bytes) -> list[bytes]:
    """For each of a block's 32 nibbles, the subkey times x^0 to x^3 there (SP 800-38D, 6.3)."""
    value = int.from_bytes(subkey, "big")
    rows = []
    for _ in range(32):
        row = b""
        for _ in range(4):
            row += value.to_bytes(16, "big")
            value = value >> 1 ^ (0xE1 << 120 if value & 1 else 0)
        rows.append(row)
    return rows
