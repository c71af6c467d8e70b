"""A chip's registers by address, as `machine.mem32` gives them: HMAC peripheral, its clocks and resets, eFuse.

For ESP32-S2, -S3, -C3, -C6 and -H2. No other address of a chip's peripherals has a register here.

Sources: ESP-IDF `components/soc/CHIP/`: `reg_base.h` for the bases, `system_reg.h` (S2, S3, C3) and `pcr_reg.h` (C6,
H2) for clocks and resets, `efuse_reg.h`.
"""

from hmac_engine import HmacEngine, has

EFUSE_BYTES = 0x200  # of registers, from the base on
KEY_BLOCKS = 6

_PERIPHERALS = ((0x3F400000, 0x3F500000), (0x60000000, 0x60100000))  # of all five chips; the first is the S2's alone
_CLOCKS, _EFUSE, _HMAC = range(3)

_BLOCK0 = 0x2C  # eFuse, read side; its second word is RD_DIS, the purposes begin in the third at bit 24
_RD_DIS = _BLOCK0 + 4
_PURPOSES, _FIRST_PURPOSE_BIT = _BLOCK0 + 8, 24
_KEY0 = 0x9C
_KEY_BYTES = 32


class _Gates:
    """Clock and reset of each of the three modules: address and bit of both, clock on at 1, held in reset at 1."""

    def __init__(self, sha, ds, hmac, ready_bit=0):
        self.sha, self.ds, self.hmac = sha, ds, hmac
        self.ready_bit = ready_bit  # reads 1 in these registers whatever is written


def _system(clocks, resets):
    """Of the chips that have all clocks in one register and all resets in another."""
    return _Gates(*((clocks, bit, resets, bit) for bit in (1 << 2, 1 << 4, 1 << 5)))


def _pcr(sha, ds, hmac, ready_bit=0):
    """Of the chips that have a register for each module."""
    return _Gates(*((at, 1, at, 2) for at in (sha, ds, hmac)), ready_bit=ready_bit)


# Base of the HMAC peripheral, base of the eFuse controller, clocks and resets.
CHIPS = {
    "esp32s2": (0x6003E000, 0x3F41A000, _system(0x3F4C0044, 0x3F4C004C)),
    "esp32s3": (0x6003E000, 0x60007000, _system(0x600C001C, 0x600C0024)),
    "esp32c3": (0x6003E000, 0x60008800, _system(0x600C0014, 0x600C001C)),
    "esp32c6": (0x6008D000, 0x600B0800, _pcr(0x600960CC, 0x600960E0, 0x600960E4)),
    "esp32h2": (0x6008D000, 0x600B0800, _pcr(0x600960C8, 0x600960DC, 0x600960E0, ready_bit=4)),
}


def covers(address):
    """Whether an address is one of a chip's peripherals."""
    return any(low <= address < high for low, high in _PERIPHERALS)


class ChipRegisters:
    """`registers[address]` is a 32-bit word; ValueError where there is no register.

    `faults` says in words what was done that a chip has no defined answer to; `reads` and `writes` count accesses.
    """

    def __init__(self, chip, efuse, keys=None, busy_reads=3):
        """A chip after power-on, with the modules' clocks off and their resets held, as IDF leaves what nobody uses.

        `efuse`: what the eFuse controller's registers read, from the base on, EFUSE_BYTES. `keys`: {number 0..5: 32
        bytes}, the read-protected key blocks, which those registers do not show. `busy_reads`: as for HmacEngine.
        """
        hmac_base, efuse_base, self._gates = CHIPS[chip]
        self._hmac_base, self._efuse_base = hmac_base, efuse_base
        self._efuse = bytearray(efuse)
        self._keys = keys or {}
        for number in range(KEY_BLOCKS):
            if self._protected(number):
                at = _KEY0 + _KEY_BYTES * number
                self._efuse[at : at + _KEY_BYTES] = bytes(_KEY_BYTES)
        self._words = {}
        for clock, _, reset, held in (self._gates.sha, self._gates.ds, self._gates.hmac):
            self._words.setdefault(clock, self._gates.ready_bit)
            self._words[reset] = self._words.get(reset, self._gates.ready_bit) | held
        self.reads = self.writes = 0
        self.engine = HmacEngine(self._key, busy_reads)

    @property
    def faults(self):
        """The words of all faults since power-on."""
        return self.engine.faults

    def __getitem__(self, address):
        """Read a register."""
        self.reads += 1
        place, offset = self._find(address)
        if place == _CLOCKS:
            return self._words[address]
        if place == _EFUSE:
            return self._word(offset)
        return self.engine.read(offset, self._sha_runs()) if self._on(self._gates.hmac) else 0

    def __setitem__(self, address, value):
        """Write a register: 32 bits of an integer, as `mem32` takes them."""
        self.writes += 1
        value &= 0xFFFFFFFF
        place, offset = self._find(address)
        if place == _CLOCKS:
            self._words[address] = value | self._gates.ready_bit
            self._gates_changed()
        elif place == _EFUSE:
            self.faults.append(f"eFuse controller written: {offset:03x}")
        elif self._on(self._gates.hmac):
            self.engine.write(offset, value)

    def _find(self, address):
        """Which of the three an address belongs to, and its offset there; ValueError when to none."""
        if address in self._words:
            return _CLOCKS, 0
        offset = address - self._efuse_base
        if 0 <= offset < EFUSE_BYTES and offset % 4 == 0:
            return _EFUSE, offset
        offset = address - self._hmac_base
        if has(offset):
            return _HMAC, offset
        raise ValueError(f"no register at {address:08x}")

    def _on(self, gate):
        clock, enabled, reset, held = gate
        return bool(self._words[clock] & enabled) and not self._words[reset] & held

    def _sha_runs(self):
        # A DS or HMAC peripheral in reset holds the SHA engine in reset too (IDF `sha_ll.h`); IDF switches the clock of
        # DS on for an HMAC as well, and nobody has said that it goes without.
        return all(self._on(gate) for gate in (self._gates.sha, self._gates.ds, self._gates.hmac))

    def _gates_changed(self):
        _, _, reset, held = self._gates.hmac
        if self._words[reset] & held:
            self.engine.reset()
        elif self.engine.calculating and not self._sha_runs():
            self.engine.lose()  # no fault: who resets all three may begin with SHA

    def _protected(self, number):
        return self._word(_RD_DIS) >> number & 1

    def _word(self, offset):
        return int.from_bytes(self._efuse[offset : offset + 4], "little")

    def _key(self, number):
        """Purpose and key of a block as the HMAC peripheral sees them: zeros where nothing was burned."""
        if number >= KEY_BLOCKS:
            return None
        purposes = self._word(_PURPOSES) | self._word(_PURPOSES + 4) << 32
        at = _KEY0 + _KEY_BYTES * number
        shown = bytes(self._efuse[at : at + _KEY_BYTES])
        key = self._keys.get(number, shown) if self._protected(number) else shown
        return purposes >> _FIRST_PURPOSE_BIT + 4 * number & 0xF, key
