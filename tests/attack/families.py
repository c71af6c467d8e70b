"""The attacks on a file, by how far the attacker gets: no key, the device key, the device key and the signing key."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from tinyseal_host.formats import SEALED_HEADER_LEN, SIGNATURE_LEN, TAG_LEN

from attack.edits import Cut, Edit, Extend, cuts, extensions, flips, release_fields, sealed_fields, swaps
from attack.judging import judge
from attack.tally import Tally
from attack.target import Target

_PAYLOAD_LEN_AT = 28


@dataclass(frozen=True)
class Family:
    """All edits of one thing, and what makes a sealed file of an edit."""

    name: str
    edits: list[Edit]
    make: Callable[[Edit], bytes]
    rightful: bool = False


def families(target: Target) -> list[Family]:
    """Every bit, length and pair of fields of the sealed file, of the release in it, and of what is signed in that."""
    sealed, release, body = target.sealed, target.release, target.body
    ends = [edit for edit in (*cuts(sealed), *extensions()) if isinstance(edit, Cut | Extend)]
    fields = release_fields(release)
    signature = len(release) - SIGNATURE_LEN
    return [
        Family(
            "the file altered",
            flips(sealed) + ends + swaps(sealed, sealed_fields(sealed)),
            lambda edit: edit.apply(sealed),
        ),
        Family("its payload_len made to fit", ends, lambda edit: _relength(edit.apply(sealed))),
        Family(
            "the release altered, sealed rightly",
            flips(release) + cuts(release) + extensions() + swaps(release, fields),
            lambda edit: target.seal(edit.apply(release)),
        ),
        Family(
            "what is signed cut or longer, the old signature behind it",
            cuts(body) + extensions(),
            lambda edit: target.seal(edit.apply(body) + release[signature:]),
        ),
        Family(
            "altered, signed and sealed rightly",
            flips(body) + cuts(body) + extensions() + swaps(body, fields),
            lambda edit: target.seal(target.sign(edit.apply(body))),
            rightful=True,
        ),
    ]


def attack(target: Target, family: Family, edits: list[Edit], *, search: bool = False) -> Tally:
    """What became of some of a family's edits; see `judge`."""
    named = {f"{family.name}, {edit}": family.make(edit) for edit in edits}
    return judge(target, named, rightful=family.rightful, search=search)


def _relength(data: bytes) -> bytes:
    """The header says what the file has, where there is room for that."""
    if len(data) < SEALED_HEADER_LEN + TAG_LEN:
        return data
    altered = bytearray(data)
    struct.pack_into("<I", altered, _PAYLOAD_LEN_AT, len(data) - SEALED_HEADER_LEN - TAG_LEN)
    return bytes(altered)
