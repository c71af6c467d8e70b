"""Searches the VM's heap for any 16 bytes of a text that must not be there: from inside, fast enough for every file."""

PIECE = 16  # bytes: the shortest run that is found

# The text is kept inverted, in the file `inverted`, so that the search does not find its own words. The heap is the
# mapping in which a fresh object lies: that the search finds the text of an open model shows that it is the right one.
SEARCH = """
import micropython, uctypes

def heap():
    here = uctypes.addressof(bytearray(1))
    with open("/proc/self/maps") as maps:
        for line in maps:
            start, end = [int(text, 16) for text in line.split(" ", 1)[0].split("-")]
            if start <= here < end:
                return uctypes.bytearray_at(start, end - start)

@micropython.viper
def count(p: ptr8, n: int, starts: ptr8, inverted: ptr8, pieces: int) -> int:
    found = 0
    i = 0
    while i < n:
        # the first two bytes, in a table of bits
        if starts[p[i] << 5 | p[i + 1] >> 3] >> (p[i + 1] & 7) & 1:
            k = 0
            while k < pieces:
                j = 0
                while j < 16 and p[i + j] == inverted[k + j] ^ 255:
                    j += 1
                if j == 16:
                    found += 1
                k += 1
        i += 1
    return found

HEAP = heap()
with open("inverted", "rb") as file:
    INVERTED = file.read()
STARTS = bytearray(8192)
for k in range(len(INVERTED) - 15):
    a, b = INVERTED[k] ^ 255, INVERTED[k + 1] ^ 255
    STARTS[a << 5 | b >> 3] |= 1 << (b & 7)

def released():
    return count(HEAP, len(HEAP) - 16, STARTS, INVERTED, len(INVERTED) - 15)
"""


def inverted(text: bytes) -> bytes:
    """What the file `inverted` holds beside a script with SEARCH in it."""
    return bytes(byte ^ 255 for byte in text)
