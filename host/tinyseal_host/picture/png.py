"""Writes a picture of palette colours as PNG (ISO/IEC 15948): one header, one palette, one stream, no filters."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE_TYPE = 3  # colour type 3: every pixel is an index into the palette


def encode(pixels: Pixels, palette: list[Colour]) -> bytes:
    """The bytes of a PNG file, from palette indexes, uint8 [height, width], and 1 to 256 colours (red, green, blue)."""
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _PALETTE_TYPE, 0, 0, 0)
    lines = np.zeros((height, width + 1), np.uint8)  # each line begins with its filter, 0: none
    lines[:, 1:] = pixels
    return _SIGNATURE + b"".join(
        [
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", bytes(value for colour in palette for value in colour)),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
