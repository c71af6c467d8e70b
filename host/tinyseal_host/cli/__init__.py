"""The command `tinyseal`: the only part of the package that prints or exits."""

from .main import main

__all__ = ["main"]
