"""How well a board is protected, as far as it says itself: what a person who holds it in hand could do with it.

Where a key lies in eFuse, and what else is burned, is read in the chip's registers, on the chips that have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..burning.chips import chip_of
from ..formats import KeySource
from .provisioning import BoardInfo
from .transport import Link

# Where the eFuse controller begins: DR_REG_EFUSE_BASE in ESP-IDF's components/soc/CHIP/.../reg_base.h.
_EFUSE = {
    "esp32s2": 0x3F41A000,
    "esp32s3": 0x60007000,
    "esp32c3": 0x60008800,
    "esp32c6": 0x600B0800,
    "esp32h2": 0x600B0800,
}
# From there on EFUSE_RD_WR_DIS and EFUSE_RD_REPEAT_DATA0 to 3. What their bits mean is the same on the five chips, in
# esptool's espefuse/efuse_defs/CHIP.yaml and espefuse/efuse/CHIP/mem_definition.py.
_WORDS = range(0x2C, 0x40, 4)
_BLOCKS = 6
_HMAC_UP = 8

# A file shadows a built-in module `x` where `ux` can be imported, which always gives the built-in one; not asked about
# where there is a file `ux`, which would be run.
_LOOK = """
import uos,ujson
def _n(d):
 try:return [e[0] for e in uos.ilistdir(d)]
 except OSError:return []
def _b(n):
 try:__import__(n)
 except ImportError:return False
 return True
def _s():
 f=[(d,n,n.rsplit('.',1)) for d in ('/','/lib/') for n in _n(d)]
 f=[(d,n,p[0]) for d,n,p in f if p[1:] in ([],['py'],['mpy'])]
 a=[s for _,_,s in f]
 return [d+n for d,n,s in f if 'u'+s not in a and _b('u'+s)]
def _p():
 try:
  import tinyseal
  p=tinyseal.__file__
 except Exception:return
 return 'files' if p[:1]=='/' or 'tinyseal' in _n('/') else 'frozen'
"""


@dataclass(frozen=True)
class KeyBlock:
    """A block of eFuse with a key for the HMAC peripheral, and who can still read or write it."""

    number: int
    readable: bool
    writeable: bool
    purpose_writeable: bool

    @property
    def sound(self) -> bool:
        """Whether nobody can."""
        return not (self.readable or self.writeable or self.purpose_writeable)


@dataclass(frozen=True)
class Fuses:
    """What is burned: the key block that the board uses, None without; what keeps others out of the chip."""

    key_block: KeyBlock | None
    secure_boot: bool
    flash_encryption: bool
    download_mode: bool


@dataclass(frozen=True)
class Posture:
    """`package` is "frozen", "files" or None; `fuses` and `floor` are None where the board cannot say."""

    key_source: KeySource | None
    fuses: Fuses | None
    floor: int | None
    package: str | None
    shadows: Sequence[str]


def look(link: Link, info: BoardInfo, status: dict[str, Any] | None) -> Posture:
    """Ask the board, whose `status` is None where the package cannot be asked. BoardError when it goes away."""
    shadows, package = link.json("print(ujson.dumps([_s(),_p()]))", given=_LOOK)
    base = _EFUSE.get(chip_of(info.machine) or "")
    fuses = None
    if base is not None:
        words = link.json(f"import umachine,ujson;print(ujson.dumps([umachine.mem32[{base}+i]for i in {_WORDS}]))")
        with link.understanding():
            fuses = parse_fuses([int(word) for word in words])
    with link.understanding():
        source = KeySource(status["key_source"]) if status and status["key_source"] else None
        return Posture(source, fuses, status["floor"] if status else None, package, [str(name) for name in shadows])


def parse_fuses(words: Sequence[int]) -> Fuses:
    """From the five words at `_WORDS`; of the key blocks with the purpose HMAC_UP the lowest one counts."""
    write_disabled, read_disabled, crypt, boot, download = words
    purposes = crypt >> 24 & 0xFF | (boot & 0xFFFF) << 8
    block = None
    for number in reversed(range(_BLOCKS)):
        if purposes >> 4 * number & 15 == _HMAC_UP:
            block = KeyBlock(
                number,
                readable=not read_disabled >> number & 1,
                writeable=not write_disabled >> 23 + number & 1,
                purpose_writeable=not write_disabled >> 8 + number & 1,
            )
    return Fuses(
        block,
        secure_boot=bool(boot >> 20 & 1),
        flash_encryption=(crypt >> 18 & 7).bit_count() % 2 == 1,
        download_mode=not download & 1,
    )
