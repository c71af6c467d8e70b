"""Parses a release that is proven to be the signer's (level 3): FORMAT.md section 3, in one strict pass.

Nothing is copied: sections are offsets into the decrypted buffer, and views of it.
"""

import uhashlib
import ustruct
from micropython import const

from . import rsa
from .contract import Contract
from .errors import RELEASE, SIGNATURE, SealError
from .sha256 import digest_of

_HEADER = const(64)


def _refuse(what):
    raise SealError(RELEASE, what)


def _padded(n):
    return (n + 3) & ~3


def verify(release, modulus):
    """SealError(SIGNATURE) unless the last 384 bytes are the signer's signature of all bytes before them."""
    body = len(release) - rsa.SIZE
    view = memoryview(release)
    if not rsa.verify(modulus, digest_of(uhashlib.sha256(view[:body])), view[body:]):
        raise SealError(SIGNATURE)


class Release:
    """What a release says: name, labels, contract and where program, tables and self-test lie.

    `contract` is a Contract; `selftest_frame` and `selftest_output` are views.
    SealError(RELEASE) when a rule is broken.
    """

    def __init__(self, release, version):
        """`version`: the sealed header's, which the signed one must equal."""
        if release[:4] != b"TSM1":
            _refuse("magic")
        total, form, reserved, signed_version = ustruct.unpack_from("<IHHI", release, 4)
        if total != len(release) or form != 1 or reserved or any(release[52:64]):
            _refuse("header")
        if signed_version != version:
            _refuse("version")
        self.name = _text(release[16:32])
        contract_len, labels_len, self.program_len, self.tables_len, selftest_len = ustruct.unpack_from(
            "<5I", release, 32
        )
        if contract_len & 3 or self.program_len & 3 or self.tables_len & 3:
            _refuse("lengths")
        labels_at = _after(release, _HEADER, contract_len)
        self.program_at = _after(release, labels_at, labels_len)
        self.tables_at = _after(release, self.program_at, self.program_len)
        selftest_at = _after(release, self.tables_at, self.tables_len)
        if _after(release, selftest_at, selftest_len) + rsa.SIZE != total:
            _refuse("sections")
        self.contract = Contract(release, _HEADER, contract_len)
        self.labels = _labels(release[labels_at : labels_at + labels_len])
        frame = self.contract.size * self.contract.length
        if selftest_len <= frame:
            _refuse("self-test")
        view = memoryview(release)
        self.selftest_frame = view[selftest_at : selftest_at + frame]
        self.selftest_output = view[selftest_at + frame : selftest_at + selftest_len]


def _after(release, at, n):
    """Where the section behind the one of n bytes begins; the padding between them is zero."""
    end = _padded(at + n)
    if end > len(release):
        _refuse("sections")
    if any(release[at + n : end]):
        _refuse("padding")
    return end


def _text(padded):
    """UTF-8 padded with zero bytes."""
    end = len(padded)
    while end and not padded[end - 1]:
        end -= 1
    if b"\0" in bytes(padded[:end]):
        _refuse("name")
    return _decoded(padded[:end])


def _decoded(raw):
    """UTF-8 as in RFC 3629; MicroPython's own check lets overlong forms, surrogates and numbers above 10FFFF pass."""
    try:
        text = str(raw, "utf-8")
    except UnicodeError:
        _refuse("UTF-8")
    length = 0
    for character in text:
        code = ord(character)
        if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
            _refuse("UTF-8")
        length += 1 + (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF)
    if length != len(raw):
        _refuse("UTF-8")
    return text


def _labels(section):
    labels = []
    at = 1
    for _ in range(section[0] if section else 0):
        end = at + 1 + section[at] if at < len(section) else len(section) + 1
        if end > len(section):
            _refuse("labels")
        labels.append(_decoded(section[at + 1 : end]))
        at = end
    if at != len(section):
        _refuse("labels")
    return tuple(labels)
