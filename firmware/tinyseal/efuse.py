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

# By chip: where eFuse begins, and the first of the registers with the clocks; shifted, for an int of 2^30 or more takes
# twice the room.
_CHIPS = {
    "s2": (0x3F41A000 >> 8, 0x3F4C0044 >> 2),  # DPORT_PERIP_CLK_EN1
    "s3": (0x60007000 >> 8, 0x600C001C >> 2),  # SYSTEM_PERIP_CLK_EN1
    "c3": (0x60008800 >> 8, 0x600C0014 >> 2),
    "c6": (0x600B0800 >> 8, 0x600960CC >> 2),  # PCR_SHA_CONF
    "h2": (0x600B0800 >> 8, 0x600960C8 >> 2),
}
_PCR_CHIPS = "c6 h2"
_BASE = const(0x6003E000 >> 12)
_PCR_BASE = const(0x6008D000 >> 12)

_RD_DIS = const(0x30)  # eFuse: a bit a key block
_PURPOSE_0 = const(0x34)  # of the blocks 0 and 1 in the top byte, four bits each
_PURPOSE_2 = const(0x38)  # of the other four from bit 0 on

_START = const(0x40)  # HMAC
_PURPOSE = const(0x44)
_KEY = const(0x48)
_PARA_FINISH = const(0x4C)
_MESSAGE_ONE = const(0x50)
_MESSAGE_ING = const(0x54)
_RESULT_FINISH = const(0x5C)
_QUERY_ERROR = const(0x68)
_QUERY_BUSY = const(0x6C)
_MESSAGE = const(0x80)
_RESULT = const(0xC0)
_MESSAGE_PAD = const(0xF0)
_ONE_BLOCK = const(0xF4)

_HMAC_UP = const(8)  # the same number as a block's purpose and as the peripheral's
_POLLS = const(10000)  # some 0.1 s of a loop in Python; a block of SHA-256 takes microseconds


def hmac_into(message, out, mem32=umachine.mem32, chip=None):
    """Fill `out`, a bytearray of 32 bytes, with HMAC-SHA256 of `message` under the key of this board's HMAC_UP block.

    That is the lowest key block of this purpose. `mem32` gives and takes 32-bit words by address. `chip` is named as
    esptool does, and else read in the last words of `_machine`, "... with ESP32-S3FN8". SealError(NO_KEY) without such
    a block, or when it can be read or was never written; SealError(ENGINE). SHA must be idle, as it is before Wi-Fi.
    """
    name = (chip or usys.implementation._machine.split(" with ")[-1]).replace("-", "").lower()
    chip = name[5:7]
    if chip not in _CHIPS or name[7:8].isdigit():  # the C61 is no C6, the H21 no H2
        _refuse("no HMAC peripheral")
    efuse, at = _CHIPS[chip]
    block = _find_block(mem32, efuse << 8)
    # A block that has its purpose but no key answers as with a key of zeros. It takes the SHA engine, so it is first.
    of_zeros = hmac(bytes(32), message)
    # Registers, our bits in each, and the resets among them: of SHA, which HMAC computes with, of DS, whose reset holds
    # the other two, and of HMAC. In PCR bit 0 is the clock and bit 1 the reset; else the resets are two words further.
    at <<= 2
    if chip in _PCR_CHIPS:
        base = _PCR_BASE
        gates = [(at, 3, 2), (at + 0x14, 3, 2), (at + 0x18, 3, 2)]
    else:
        base = _BASE
        gates = [(at, 0x34, 0), (at + 8, 0x34, 0x34)]
    found = [mem32[at] & bits for at, bits, _ in gates]
    try:
        _reset(mem32, gates)  # wherever it was left in the middle
        _compute(mem32, base << 12, block, message, out)
    finally:
        _reset(mem32, gates)  # and no result is left
        for at, bits, _ in gates:
            mem32[at] = mem32[at] & ~bits | found.pop(0)
    if out in (of_zeros, bytes(32)):  # the latter from registers that are dead
        _refuse("KEY%d holds no key" % block)


def _refuse(why):
    raise SealError(NO_KEY, why)


def _find_block(mem32, at):
    purposes = mem32[at + _PURPOSE_0] >> 24 | mem32[at + _PURPOSE_2] << 8
    for block in range(6):
        if purposes >> 4 * block & 15 == _HMAC_UP:
            break
    else:
        _refuse("no eFuse key for HMAC")
    if not mem32[at + _RD_DIS] >> block & 1:
        _refuse("KEY%d can be read" % block)
    return block


def _reset(mem32, gates):
    for at, bits, resets in gates:
        mem32[at] |= bits
        mem32[at] &= ~resets


def _compute(mem32, base, block, message, out):
    def idle(at, word=None):
        """Write a register once the peripheral is idle, or read it."""
        for _ in range(_POLLS):
            if not mem32[base + _QUERY_BUSY]:
                if word is None:
                    return mem32[base + at]
                mem32[base + at] = word
                return 0
        raise SealError(ENGINE, "HMAC stays busy")

    idle(_START, 1)
    idle(_PURPOSE, _HMAC_UP)
    idle(_KEY, block)
    idle(_PARA_FINISH, 1)
    if idle(_QUERY_ERROR):
        raise SealError(ENGINE, "HMAC refuses KEY%d" % block)
    # Padded as SHA-256 pads what follows one block: HMAC's key comes first, though the manual does not count it.
    padded = message + b"\x80" + bytes(-(len(message) + 9) % 64) + ustruct.pack(">Q", 8 * (64 + len(message)))
    for at in range(0, len(padded), 64):
        if at:
            idle(_MESSAGE_ING if at + 64 < len(padded) else _MESSAGE_PAD, 1)
        for i in range(0, 64, 4):
            idle(_MESSAGE + i, ustruct.unpack_from("<I", padded, at + i)[0])
        idle(_MESSAGE_ONE, 1)
    if len(padded) == 64:
        idle(_ONE_BLOCK, 1)
    # A word of 2^30 or more is an object on a board, which cannot be wiped: up to eight pieces of four bytes of the
    # result, each by itself, stay in freed memory until it is used again.
    for i in range(0, 32, 4):
        ustruct.pack_into("<I", out, i, idle(_RESULT + i))
    idle(_RESULT_FINISH, 1)
