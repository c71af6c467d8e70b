"""The virtual eFuse of a board that is a chip, and that chip's registers.

Two files of the state directory hold it:

`efuse.bin` as `espefuse --virt --path-efuse-file` writes it: the eFuse controller's registers from the last byte to the
first. Without the file nothing is burned.

`efuse.keys`: what that file forgets, the key blocks that are protected from reading: a JSON object, {block: key}, with
`BLOCK_KEY0` to `BLOCK_KEY5` and 64 hex digits each. A protected block that is missing here is one that was never
written: its key is zeros.
"""

import errno
import json

from chip_registers import EFUSE_BYTES, KEY_BLOCKS, ChipRegisters, covers
from settings import CHIP, HOST, StateError, state_file

_KEY_BYTES = 32
_BLOCKS = [f"BLOCK_KEY{number}" for number in range(KEY_BLOCKS)]


class _WithRegisters:
    """Memory by address, but at the addresses of a chip's peripherals registers, and these of whole words."""

    def __init__(self, memory, registers=None):
        self._memory, self._registers = memory, registers

    def __getitem__(self, address):
        return self._part(address)[address]

    def __setitem__(self, address, value):
        self._part(address)[address] = value

    def _part(self, address):
        if not covers(address):
            return self._memory
        if self._registers is None:
            raise ValueError("registers are read and written by mem32 alone")
        return self._registers


def with_registers(mem8, mem16, mem32):
    """The three with the registers of the board's chip; StateError for a damaged file."""
    return _WithRegisters(mem8), _WithRegisters(mem16), _WithRegisters(mem32, _load())


def _load():
    image, keys = _read("efuse.bin"), _read("efuse.keys")
    if image is None:
        image = bytes(EFUSE_BYTES)
    elif len(image) != EFUSE_BYTES:
        raise StateError(f"efuse.bin has {len(image)} bytes, wanted {EFUSE_BYTES}")
    return ChipRegisters(CHIP, bytes(reversed(image)), _parsed(keys) if keys is not None else {})


def _read(name):
    try:
        with HOST.open(state_file(name), "rb") as file:
            return file.read()
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise


def _parsed(text):
    try:
        named = json.loads(text)
        keys = {_BLOCKS.index(block): bytes.fromhex(key) for block, key in named.items()}
        if all(len(key) == _KEY_BYTES for key in keys.values()):
            return keys
    except (ValueError, AttributeError, TypeError):
        pass
    raise StateError("efuse.keys is not {BLOCK_KEYn: 64 hex digits}")
