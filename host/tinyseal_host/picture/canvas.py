"""A picture of palette colours that lines, areas and text are put on; what lies outside of it is cut off."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from . import font, png

SCALE = 2
"""Pixels of one dot of the font, in either direction."""
TEXT_HEIGHT = SCALE * font.HEIGHT
CHARACTER_WIDTH = SCALE * (font.WIDTH + 1)


class Ink(IntEnum):
    """What a pixel is; the number is its index in the palette."""

    PAPER = 0
    TEXT = 1
    FRAME = 2
    GRID = 3
    TRACE = 4
    LIMIT = 5
    REFUSED = 6
    SPOT = 7


_PALETTE = [
    (255, 255, 255),
    (30, 30, 30),
    (130, 130, 130),
    (222, 222, 222),
    (31, 90, 160),
    (20, 130, 60),
    (253, 222, 214),
    (205, 20, 20),
]


class Canvas:
    """`width` x `height` pixels of paper; x grows to the right and y downwards."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.pixels = np.full((height, width), Ink.PAPER, np.uint8)

    def area(self, left: int, top: int, right: int, bottom: int, ink: Ink) -> None:
        """Fill columns `left`..`right` and lines `top`..`bottom`, both ends included."""
        self.pixels[max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)] = ink

    def dashes(self, left: int, right: int, y: int, ink: Ink) -> None:
        """A broken line, two pixels high."""
        for x in range(left, right + 1, 10):
            self.area(x, y, min(x + 5, right), y + 1, ink)

    def text(self, x: int, y: int, text: str, ink: Ink = Ink.TEXT, *, right: bool = False) -> None:
        """Text with its upper left corner at x, y; with `right` it ends before x."""
        dots = np.kron(font.dots(text), np.ones((SCALE, SCALE), np.bool_))
        x = x - dots.shape[1] if right else x
        dots = dots[:, max(-x, 0) :]
        window = self.pixels[y : y + dots.shape[0], max(x, 0) : max(x, 0) + dots.shape[1]]
        window[dots[: window.shape[0], : window.shape[1]]] = ink

    def encode(self) -> bytes:
        """The picture as a PNG file."""
        return png.encode(self.pixels, _PALETTE)
