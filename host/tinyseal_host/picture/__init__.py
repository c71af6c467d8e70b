"""Frames as a picture: a PNG of palette colours, drawn with numpy and nothing else."""

from .chart import Panel, draw

__all__ = ["Panel", "draw"]
