"""HMAC-SHA256 under a key in eFuse that only the HMAC peripheral can read, by its registers (hardware).

The numbers are those of ESP-IDF's components/soc/CHIP: HMAC in hwcrypto_reg.h (S2, S3, C3) and hmac_reg.h (C6, H2),
eFuse in efuse_reg.h, bases in reg_base.h, clocks and resets in dport_reg.h (S2), system_reg.h (S3, C3) and pcr_reg.h
(C6, H2). The order of writes is that of the ESP32-C3 Technical Reference Manual, 19.2.5 "HMAC Process (Detailed)".
"""

import umachine
import ustruct
import usys
from micropython import const

from .errors import ENGINE, NO_KEY, SealError
from .hkdf import hmac
from .memory import equal

# By chip: where HMAC and eFuse begin; the bits of the clocks that must run and of the resets that must be off; the
# reset of HMAC alone; the registers of these clocks and resets in pairs, HMAC's last. They are those of SHA, which HMAC
# computes with, of DS, whose reset holds the other two, and of HMAC.
_CHIPS = {
    "esp32s2": (0x6003E000, 0x3F41A000, 0x34, 0x34, 0x20, ((0x3F4C0044, 0x3F4C004C),)),  # *_PERIP_CLK_EN1, RST_EN1
    "esp32s3": (0x6003E000, 0x60007000, 0x34, 0x34, 0x20, ((0x600C001C, 0x600C0024),)),
    "esp32c3": (0x6003E000, 0x60008800, 0x34, 0x34, 0x20, ((0x600C0014, 0x600C001C),)),
    "esp32c6": (0x6008D000, 0x600B0800, 1, 2, 2, tuple((at, at) for at in (0x600960CC, 0x600960E0, 0x600960E4))),
    "esp32h2": (0x6008D000, 0x600B0800, 1, 2, 2, tuple((at, at) for at in (0x600960C8, 0x600960DC, 0x600960E0))),
}  # PCR_SHA_CONF, PCR_DS_CONF and PCR_HMAC_CONF

# eFuse: RD_DIS, a bit a key block, and KEY_PURPOSE_0 to 5, four bits each, two of them in the top byte of DATA1.
_RD_DIS = const(0x30)
_DATA1 = const(0x34)
_DATA2 = const(0x38)
_BLOCKS = const(6)
_HMAC_UP = const(8)  # the same number as a block's purpose and as what the peripheral is to do

_START = const(0x40)
_PURPOSE = const(0x44)
_KEY = const(0x48)
_CONFIGURED = const(0x4C)  # SET_PARA_FINISH
_MESSAGE_ONE = const(0x50)
_MESSAGE_ING = const(0x54)
_RESULT_FINISH = const(0x5C)
_QUERY_ERROR = const(0x68)
_QUERY_BUSY = const(0x6C)
_MESSAGE = const(0x80)
_RESULT = const(0xC0)
_MESSAGE_PAD = const(0xF0)
_ONE_BLOCK = const(0xF4)

_SIZE = const(32)  # bytes of a key and of a result
_BLOCK = const(64)
_POLLS = const(10000)  # some 0.1 s of a Python loop; a block takes the engine microseconds


def chip_name():
    """This board's chip as esptool names it, by the last words of `_machine`: "... with ESP32-S3FN8" is "esp32s3"."""
    name = usys.implementation._machine.split(" with ")[-1].replace("-", "").lower()
    for chip in _CHIPS:
        if name.startswith(chip):
            return chip
    return name


def hmac_into(message, out, mem32=umachine.mem32, chip=None):
    """Fill `out`, a bytearray of 32 bytes, with HMAC-SHA256 of `message` under the key of this board's HMAC_UP block.

    That is the lowest key block of this purpose. `mem32` gives and takes 32-bit words by address, `chip` is named as by
    `chip_name`. SealError(NO_KEY) without such a block, or when it can be read or was never written; SealError(ENGINE).
    SHA must be idle, which it is before Wi-Fi and TLS begin.
    """
    chip = chip or chip_name()
    if chip not in _CHIPS:
        raise SealError(NO_KEY, "no HMAC peripheral on " + chip)
    base, efuse, clocks, resets, own_reset, gates = _CHIPS[chip]
    block = _find_block(mem32, efuse)
    # A block that has its purpose but no key answers as one with a key of zeros. hashlib takes the SHA engine, so now.
    of_zeros = hmac(bytes(_SIZE), message)
    found = [(mem32[clock] & clocks, mem32[reset] & resets) for clock, reset in gates]
    hmac_reset = gates[-1][1]
    try:
        for clock, reset in gates:
            _write_bits(mem32, clock, clocks, clocks)
            _write_bits(mem32, reset, resets, 0)
        _write_bits(mem32, hmac_reset, own_reset, own_reset)  # whatever it was left in the middle of
        _write_bits(mem32, hmac_reset, own_reset, 0)
        _compute(mem32, base, block, _padded(message), out)
    finally:
        _write_bits(mem32, hmac_reset, own_reset, own_reset)  # nor is a result left in it
        for (clock, reset), (clock_bits, reset_bits) in zip(gates, found):
            _write_bits(mem32, reset, resets, reset_bits)
            _write_bits(mem32, clock, clocks, clock_bits)
    if not any(out):  # as registers read that are dead
        raise SealError(ENGINE, "HMAC gives zeros")
    if equal(out, of_zeros):
        raise SealError(NO_KEY, "eFuse block KEY%d was never written" % block)


def _find_block(mem32, efuse):
    purposes = mem32[efuse + _DATA1] >> 24 | (mem32[efuse + _DATA2] & 0xFFFF) << 8
    for block in range(_BLOCKS):
        if purposes >> 4 * block & 15 == _HMAC_UP:
            if not mem32[efuse + _RD_DIS] >> block & 1:
                raise SealError(NO_KEY, "eFuse block KEY%d can be read" % block)
            return block
    raise SealError(NO_KEY, "no eFuse block has the purpose HMAC_UP")


def _write_bits(mem32, address, mask, bits):
    mem32[address] = (mem32[address] | mask) ^ mask | bits


def _padded(message):
    """As SHA-256 pads what follows one block: HMAC's key comes before it, though the manual does not count it."""
    padded = message + b"\x80" + bytes(-(len(message) + 9) % _BLOCK)
    return padded + ustruct.pack(">Q", 8 * (_BLOCK + len(message)))


def _wait(mem32, base):
    for _ in range(_POLLS):
        if not mem32[base + _QUERY_BUSY] & 1:
            return
    raise SealError(ENGINE, "HMAC is busy for too long")


def _compute(mem32, base, block, padded, out):
    _wait(mem32, base)
    mem32[base + _START] = 1
    _wait(mem32, base)
    mem32[base + _PURPOSE] = _HMAC_UP
    mem32[base + _KEY] = block
    mem32[base + _CONFIGURED] = 1
    _wait(mem32, base)
    if mem32[base + _QUERY_ERROR] & 1:
        raise SealError(ENGINE, "HMAC refuses eFuse block KEY%d" % block)
    for at in range(0, len(padded), _BLOCK):
        if at:  # PAD announces the last one, which holds the padding
            mem32[base + (_MESSAGE_ING if at + _BLOCK < len(padded) else _MESSAGE_PAD)] = 1
            _wait(mem32, base)
        for i in range(0, _BLOCK, 4):
            mem32[base + _MESSAGE + i] = ustruct.unpack_from("<I", padded, at + i)[0]
        mem32[base + _MESSAGE_ONE] = 1
        _wait(mem32, base)
    if len(padded) == _BLOCK:
        mem32[base + _ONE_BLOCK] = 1
        _wait(mem32, base)
    # A word of 2^30 or more is an object on a board, which cannot be wiped: up to eight pieces of four bytes of the
    # result, each by itself, stay in freed memory until it is used again.
    for i in range(0, _SIZE, 4):
        ustruct.pack_into("<I", out, i, mem32[base + _RESULT + i])
    mem32[base + _RESULT_FINISH] = 1
