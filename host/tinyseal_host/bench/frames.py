"""Frames, the contracts that allow them, and the bytes that the network gets of them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..contract import DTYPES, TYPES, Channel, Contract
from ..contract_toml import contract_of
from ..errors import Status
from ..model.quantisation import quantise
from ..model.raw_tables import raw_quantise_tables
from ..model.tables import quantise_table
from .engines import Question, digest

LENGTH, CHANNELS = 600, 6
_SCALE, _ZERO_POINT = 0.25, 3
_PLAIN = """
type = "{kind}"
length = 600
channels = 6
range = [{low}, 100]
zero_ratio = 0.1
"""
_MORE = """
saturated_ratio = 0.3
least_movement = 50
largest_step = 200
mean = [{low}, 99]
deviation = [5, 90]
"""


@dataclass(frozen=True)
class Case:
    """A frame with what the gate takes of it, and with how it is quantised: both questions count values."""

    question: Question
    section: bytes
    frame: bytes


@dataclass(frozen=True)
class Quantising:
    """A frame, and behind it the table by which it becomes bytes; `kind` is the frame's type."""

    question: Question
    kind: str
    frame: bytes
    table: bytes


def gate_cases() -> list[Case]:
    """Every type, with the four checks that all contracts have, and with the optional ones as well."""
    found = []
    for kind in TYPES:
        frame = _frame(kind)
        for name, text, about in (
            (f"gate_{kind}", _PLAIN, "size, NaN, range, zeros"),
            (f"gate_{kind}_all", _PLAIN + _MORE, "and all optional checks"),
        ):
            contract = _contract(text.format(kind=kind, low=_low(kind)))
            question = Question(name, LENGTH, "value", f"{kind}: {about}", str(int(Status.OK)))
            found.append(Case(question, contract.pack(), frame.tobytes()))
    return found


def quantise_cases() -> list[Quantising]:
    """Every type; uint8 is as int8."""
    found = []
    for kind in ("float32", "int16", "int8"):
        frame = _frame(kind)
        if kind == "float32":
            table = quantise_table(_SCALE, _ZERO_POINT)
        else:
            table = raw_quantise_tables(Contract(kind, 1, (Channel(0, 1),), 0), _SCALE, _ZERO_POINT)
        wanted = (quantise(frame.astype(np.float32), _SCALE, _ZERO_POINT).astype(np.int16) + 128).astype(np.uint8)
        about = f"{kind} to the network's bytes"
        question = Question(f"quantise_{kind}", LENGTH, "value", about, digest(wanted.tobytes()))
        found.append(Quantising(question, kind, frame.tobytes(), table))
    return found


def _low(kind: str) -> int:
    return 0 if kind == "uint8" else -100


def _frame(kind: str) -> npt.NDArray[np.generic]:
    """Whole numbers up to 99, every second one negative where there are such, every tenth a zero."""
    values = np.random.default_rng(7).integers(1, 100, LENGTH)
    if _low(kind):
        values[1::2] *= -1
    values[::10] = 0
    return values.astype(DTYPES[kind])


def _contract(text: str) -> Contract:
    return contract_of(tomllib.loads(text, parse_float=Decimal), Path("bench.toml"))
