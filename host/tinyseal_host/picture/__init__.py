"""Frames and figures as a picture: a PNG of palette colours, drawn with numpy and nothing else."""

from .bars import Bar, draw_bars
from .canvas import Ink
from .chart import Panel, draw

__all__ = ["Bar", "Ink", "Panel", "draw", "draw_bars"]
