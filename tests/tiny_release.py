"""The smallest honest release, byte by byte from FORMAT.md and with none of the project's own packing code.

The network rounds the first two of four float32 values to int8: a quantise table of scale 1 and zero point 0, one ROWS
step with the weights (4, 0, 0, 0) and (0, 4, 0, 0), and a multiplier of 1/2 before a right shift of 1.
"""

import struct

NAME = b"tiny"
LABELS = (b"left", "zurück".encode())
LOW, HIGH, LENGTH, MAX_ZEROS = -4.5, 8.0, 4, 2
FRAME = struct.pack("<4f", 2.0, -3.0, 0.0, 0.5)
OUTPUT = struct.pack("2b", 2, -3)

CONTRACT_AT = 64
LABELS_AT = CONTRACT_AT + 28 + 64
LABELS_SECTION = bytes([2]) + b"".join(bytes([len(label)]) + label for label in LABELS)
PROGRAM_AT = LABELS_AT + 16  # two bytes of padding
PROGRAM_LEN = 4 * (7 + 14)
TABLES_AT = PROGRAM_AT + PROGRAM_LEN
ARENA_LEN = 16 + 2 * 36

SIGNATURE_LEN = 384


def _bits(value):
    return int.from_bytes(struct.pack("<f", value), "little")


def quantise_table():
    """round(x) half away from zero: threshold[n] is n + 0.5, exactly."""
    thresholds = [_bits(n + 0.5) for n in range(256)]
    first = thresholds[0] >> 16
    count = (thresholds[254] >> 16) + 2 - first
    steps = bytes(sum(t <= (first + i) << 16 for t in thresholds[:255]) for i in range(count))
    table = struct.pack("<3I257I", 128, first, count, *thresholds, 0x7FFFFFFF) + steps
    return table + bytes(-len(table) % 4)


def dot_table():
    """Short: rows of 16; base, which is 2 * (0 - zx * sum(w)) - sum(v) with zx = 128; multiplier, half and right."""
    words = struct.pack("<i3I", 2 * (0 - 128 * 4) - (16 * 128 + 4), 1 << 30, 1, 1)
    first, second = bytes([132, 128, 128, 128]), bytes([128, 132, 128, 128])
    return first + bytes([128] * 12) + words + second + bytes([128] * 12) + words


TABLES = quantise_table() + dot_table()
ROWS_AT = TABLES_AT + len(quantise_table())


def contract(length=LENGTH, max_zeros=MAX_ZEROS):
    """One channel of float32, whose scale is 1 and offset 0, and no optional check."""
    return struct.pack("<7I4f8I2Q", 1, length, 1, 0, max_zeros, 0, 0, LOW, HIGH, 1.0, 0.0, *[0] * 8, 0, 0)


def program(tables_at=TABLES_AT):
    """Arena of 88 bytes: the frame at 0, of which 16 bytes are read, the output at 4, two units of scratch at 16."""
    header = struct.pack("<7I", ARENA_LEN, 0, LENGTH, 4, 2, tables_at, 1)
    rows_at = tables_at + len(quantise_table())
    return header + struct.pack("<14I", 1, 0, 4, 1, 1, 4, rows_at, 2, 1, 16, 4, 128, 0, 255)


def body(version=7):
    """All of a release but its signature."""
    sections = (
        contract(),
        LABELS_SECTION,
        program(),
        TABLES,
        FRAME + OUTPUT,
    )
    padded = b"".join(section + bytes(-len(section) % 4) for section in sections)
    total = 64 + len(padded) + SIGNATURE_LEN
    lengths = [len(section) for section in sections]
    return struct.pack("<4sIHHI16s5I12s", b"TSM1", total, 1, 0, version, NAME, *lengths, bytes(12)) + padded


def unsigned(version=7):
    """A whole release whose signature is zeros."""
    return body(version) + bytes(SIGNATURE_LEN)
