"""Seal int8 neural networks for MicroPython boards, and put them there; the command is `tinyseal`."""

__version__ = "0.1.0"
