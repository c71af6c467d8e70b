"""The HMAC peripheral of the ESP32 family at its registers.

By the ESP32-C3 Technical Reference Manual v1.3, chapter 19; the other chips have the same registers (`hwcrypto_reg.h`,
`hmac_reg.h`). Two things are from ESP-IDF (`esp_hmac.c`, `hmac_hal.c`) and not from there: the driver waits until the
peripheral is idle before it believes the error register, and the padding counts the ipad block.

What the manual forbids or leaves out has no defined outcome on a chip. Here it ends the calculation: the error register
reads 1, the result zero, until the result is finished or the peripheral reset; and `faults` says in words what it was.
"""

import sha256_blocks as sha

_UP = 8  # purpose: the result is for the user (table 19.2-1)

# Section 19.4: offsets from the peripheral's base.
_START, _PURPOSE, _KEY, _PARA_FINISH = 0x40, 0x44, 0x48, 0x4C
_ONE, _ING, _END, _RESULT_FINISH = 0x50, 0x54, 0x58, 0x5C
_INVALIDATE_JTAG, _INVALIDATE_DS, _ERROR, _BUSY = 0x60, 0x64, 0x68, 0x6C
_MESSAGE, _RESULT, _PAD, _ONE_BLOCK = 0x80, 0xC0, 0xF0, 0xF4

_MESSAGE_WORDS, _RESULT_WORDS = 16, 8
_FOREVER = 1 << 30

# Where a calculation is. In the last two it has come to its end, of one kind or the other.
_IDLE, _CONFIGURING, _FIRST, _BETWEEN, _NEXT, _LAST, _DONE, _ENDED = range(8)
_TAKES_A_BLOCK = (_FIRST, _NEXT, _LAST)


def has(offset):
    """Whether there is a register at this offset, as far as they are here."""
    return offset % 4 == 0 and (_START <= offset <= _BUSY or _MESSAGE <= offset < 0xE0 or offset in (_PAD, _ONE_BLOCK))


class HmacEngine:
    """Registers by offset. `key_of(number)` is the purpose and the 32 bytes of a key block, None without such a block.

    Only the mode in which the user gets the result is here; a purpose of the other modes is an error. After each step
    it is busy until the busy register was read `busy_reads` times; None makes it busy for ever.
    """

    def __init__(self, key_of, busy_reads):
        """In reset, and with nothing to say of faults yet."""
        self.faults = []
        self.busy_reads = busy_reads
        self._key_of = key_of
        self.reset()

    def reset(self):
        """Forget the calculation."""
        self._at = _IDLE
        self._busy = 0
        self._error = 0
        self._purpose = self._number = None
        self._blocks = 0
        self._message = [None] * _MESSAGE_WORDS
        self._result = bytes(4 * _RESULT_WORDS)
        self._inner = self._outer = None

    @property
    def calculating(self):
        """Whether the SHA engine holds something of this calculation."""
        return self._at in (_FIRST, _BETWEEN, _NEXT, _LAST) or self._busy > 0

    def stop(self, reason):
        """End the calculation because of something that must not be."""
        self.faults.append(reason)
        self.lose()

    def lose(self):
        """End the calculation without a result, as when the SHA engine was reset."""
        hangs = self._busy == _FOREVER
        self.reset()
        self._at, self._error = _ENDED, 1
        if hangs:
            self._busy = _FOREVER

    def read(self, offset, sha_runs):
        """A word; what can only be written reads 0. Nothing goes on while the SHA engine does not run."""
        if offset == _BUSY:
            busy = self._busy > 0
            if busy and sha_runs and self._busy != _FOREVER:
                self._busy -= 1
            return int(busy)
        if offset == _ERROR:
            return 0 if self._busy else self._error
        if _RESULT <= offset < _RESULT + 4 * _RESULT_WORDS:
            if self._busy:
                self.stop("result read while busy")
            at = offset - _RESULT
            return int.from_bytes(self._result[at : at + 4], "little")
        return 0

    def write(self, offset, value):
        """Take a word; of commands bit 0 alone counts, and what can only be read stays as it is."""
        if offset in (_ERROR, _BUSY) or _RESULT <= offset < _RESULT + 4 * _RESULT_WORDS:
            return
        if self._busy:
            self.stop(f"written while busy: {offset:02x}")
        elif offset == _RESULT_FINISH:
            if value & 1:
                self.reset()
        elif self._at != _ENDED:
            if offset in (_PURPOSE, _KEY):
                self._configure(offset, value)
            elif _MESSAGE <= offset < _RESULT:
                self._take_word((offset - _MESSAGE) // 4, value)
            elif value & 1:
                self._command(offset)

    def _configure(self, offset, value):
        if self._at != _CONFIGURING:
            self.stop("purpose or key outside of the configuration")
        elif offset == _PURPOSE:
            self._purpose = value & 0xF
        else:
            self._number = value & 7

    def _take_word(self, index, value):
        if self._at in _TAKES_A_BLOCK:
            self._message[index] = value
        else:
            self.stop(f"message word {index} when no block is due")

    def _command(self, offset):
        if offset in (_INVALIDATE_JTAG, _INVALIDATE_DS):
            return  # of results that stay inside the chip
        if offset == _START:
            if self._at == _IDLE:
                self._at = _CONFIGURING
            else:
                self.stop("start in the middle of a calculation")
        elif offset == _PARA_FINISH:
            self._configured()
        elif offset == _ONE:
            self._take_block()
        elif self._at != _BETWEEN:
            self.stop(f"{offset:02x} when no block has been processed")
        elif offset == _ING:
            self._at = _NEXT
        elif offset == _PAD:
            self._at = _LAST
        elif offset == _END:
            self._process(sha.padding(64 * (1 + self._blocks)))
            self._finish()
        elif self._blocks == 1:
            self._finish()
        else:
            self.stop(f"one-block after {self._blocks} blocks")

    def _configured(self):
        if self._at != _CONFIGURING or self._purpose is None or self._number is None:
            self.stop("configuration finished without start, purpose and key")
            return
        burned = self._key_of(self._number)
        if self._purpose != _UP or burned is None or burned[0] != self._purpose:
            self._at, self._error = _ENDED, 1
            self._work()
            return
        padded = burned[1] + bytes(32)
        self._inner = sha.compressed(sha.START, bytes([b ^ 0x36 for b in padded]))
        self._outer = sha.compressed(sha.START, bytes([b ^ 0x5C for b in padded]))
        self._at = _FIRST
        self._work()

    def _take_block(self):
        # Nothing says what a word is that was not written for this very block.
        if self._at not in _TAKES_A_BLOCK or None in self._message:
            self.stop("block processed that is not due or not whole")
            return
        self._process(b"".join([word.to_bytes(4, "little") for word in self._message]))
        self._blocks += 1
        self._message = [None] * _MESSAGE_WORDS
        if self._at == _LAST:
            self._finish()
        else:
            self._at = _BETWEEN
            self._work()

    def _process(self, block):
        self._inner = sha.compressed(self._inner, block)

    def _finish(self):
        self._result = sha.joined(sha.compressed(self._outer, sha.joined(self._inner) + sha.padding(64 + 32)))
        self._at = _DONE
        self._work()

    def _work(self):
        self._busy = _FOREVER if self.busy_reads is None else self.busy_reads
