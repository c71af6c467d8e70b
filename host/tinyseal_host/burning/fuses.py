"""What a chip's eFuses say, which key block is free, and whether burning did what it should."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import TinysealError
from .espefuse import PURPOSE

BLOCKS = 6
_FREE = "USER"  # the purpose of a block that has none
_ZEROS = {"00"}


@dataclass(frozen=True)
class Block:
    """A key block: its purpose, and whether it is as the factory left it, can be read, can be written."""

    purpose: str
    empty: bool
    readable: bool
    writeable: bool
    purpose_writeable: bool

    @property
    def free(self) -> bool:
        """Whether a key can be burned into it."""
        whole = self.readable and self.writeable and self.purpose_writeable
        return self.purpose == _FREE and self.empty and whole


@dataclass(frozen=True)
class Fuses:
    """The blocks KEY0 to KEY5; whether one can still be protected from reading; the factory MAC."""

    blocks: tuple[Block, ...]
    protectable: bool
    mac: bytes


def parse_fuses(summary: dict[str, Any]) -> Fuses:
    """From `Espefuse.summary`; TinysealError when it is not that of a chip with six key blocks."""
    try:
        blocks = []
        for number in range(BLOCKS):
            key, purpose = summary[f"BLOCK_KEY{number}"], summary[f"KEY_PURPOSE_{number}"]
            blocks.append(
                Block(
                    purpose=str(purpose["value"]),
                    empty=set(str(key["value"]).split()) == _ZEROS,
                    readable=bool(key["readable"]),
                    writeable=bool(key["writeable"]),
                    purpose_writeable=bool(purpose["writeable"]),
                )
            )
        mac = bytes.fromhex(str(summary["MAC"]["value"]).split()[0].replace(":", ""))
        return Fuses(tuple(blocks), bool(summary["RD_DIS"]["writeable"]), mac)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise TinysealError("espefuse's summary is not that of a chip with six key blocks") from error


def choose_block(fuses: Fuses, wanted: int | None = None) -> int:
    """The key block to burn: `wanted`, or the first that is free. TinysealError when none will do.

    A board uses the lowest block with the purpose HMAC_UP, so there must be none below.
    """
    if not fuses.protectable:
        raise TinysealError(
            "RD_DIS is closed for writing: a key that is burned now could be read",
            hint="the key has to be burned before Secure Boot closes RD_DIS; this chip keeps --key-source nvs",
        )
    free = [number for number, block in enumerate(fuses.blocks) if block.free]
    if wanted is not None and wanted not in free:
        raise TinysealError(f"KEY{wanted} is in use: {_describe(fuses.blocks[wanted])}", hint=_hint(free))
    if not free:
        raise TinysealError(f"none of the {BLOCKS} key blocks is free")
    chosen = free[0] if wanted is None else wanted
    for number, block in enumerate(fuses.blocks[:chosen]):
        if block.purpose == PURPOSE:
            raise TinysealError(
                f"KEY{number} has the purpose {PURPOSE} already, and a board uses the lowest such block",
                hint="tinyseal provision --key-source efuse, if the key in it is yours",
            )
    return chosen


def _describe(block: Block) -> str:
    found = [f"purpose {block.purpose}"]
    found += ["not empty"] if block.readable and not block.empty else []
    found += [] if block.readable else ["protected from reading"]
    found += [] if block.writeable and block.purpose_writeable else ["protected from writing"]
    return ", ".join(found)


def _hint(free: list[int]) -> str:
    return f"free: {', '.join(f'KEY{number}' for number in free)}" if free else "no block is free"


def verify(fuses: Fuses, block: int) -> None:
    """TinysealError unless a key block is one that nobody can read or write, with the purpose HMAC_UP."""
    found = fuses.blocks[block]
    if found.purpose != PURPOSE or found.readable or found.writeable or found.purpose_writeable:
        raise TinysealError(
            f"KEY{block} is not as it should be: {_describe(found)}, wanted purpose {PURPOSE} and both protections"
        )
