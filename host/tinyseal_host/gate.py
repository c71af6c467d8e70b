"""The host's twin of the board's gate: holds one frame against a contract."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .contract import NO_ZERO, Channel, Checks, Contract
from .errors import Status
from .units import Int64, Units


class Verdict(NamedTuple):
    """What the gate says of a frame: the first check that fails, and the first channel in which it does.

    `channel` is -1 when the frame is accepted, and for SIZE and ZEROS, which are of the whole frame.
    """

    status: Status
    channel: int = -1


def check(frame: object, contract: Contract) -> Status:
    """The status of one frame, as `examine` gives it."""
    return examine(frame, contract).status


def examine(frame: object, contract: Contract) -> Verdict:
    """Hold one frame, a contiguous array of the contract's type and length in any shape, against the contract.

    The checks come in the order of FORMAT.md, section 5. Anything that is not such an array is SIZE; nothing is raised.
    """
    if not isinstance(frame, np.ndarray) or frame.dtype != contract.dtype:
        return Verdict(Status.SIZE)
    if frame.size != contract.length or not frame.flags.c_contiguous:
        return Verdict(Status.SIZE)
    values = frame.reshape(contract.samples, len(contract.channels))
    if contract.type == "float32" and not np.isfinite(values).all():
        return _first(Status.NAN, ~np.isfinite(values).all(axis=0))
    lows = np.array([channel.low for channel in contract.channels], contract.dtype)
    highs = np.array([channel.high for channel in contract.channels], contract.dtype)
    outside = ((values < lows) | (values > highs)).any(axis=0)
    if outside.any():
        return _first(Status.RANGE, outside)
    if sum(_zeros(values[:, i], channel) for i, channel in enumerate(contract.channels)) > contract.max_zeros:
        return Verdict(Status.ZEROS)
    return _optional(values, contract) if contract.checks else Verdict(Status.OK)


def _first(status: Status, failing: np.bool_ | npt.NDArray[np.bool_]) -> Verdict:
    return Verdict(status, int(np.argmax(failing)))


def _zeros(values: npt.NDArray[np.generic], channel: Channel) -> int:
    if channel.zero == NO_ZERO:
        return 0
    return int(np.count_nonzero(values == values.dtype.type(channel.zero)))


def _optional(values: npt.NDArray[np.generic], contract: Contract) -> Verdict:
    """The checks that the contract asks for, each over all channels before the next one."""
    units = [contract.units(i) for i in range(len(contract.channels))]
    columns = [own.u(values[:, i]) for i, own in enumerate(units)]
    for asked, status, fails in (
        (Checks.SATURATED, Status.SATURATED, _saturated),
        (Checks.FLAT, Status.FLAT, _flat),
        (Checks.STEP, Status.STEP, _steps),
        (Checks.MEAN, Status.MEAN, _mean),
        (Checks.DEVIATION, Status.DEVIATION, _deviation),
    ):
        if contract.checks & asked:
            for number, channel in enumerate(contract.channels):
                if fails(columns[number], channel, units[number]):
                    return Verdict(status, number)
    return Verdict(Status.OK)


def _saturated(u: Int64, channel: Channel, _: Units) -> bool:
    return int(np.count_nonzero((u <= channel.rail_low) | (u >= channel.rail_high))) > channel.max_saturated


def _flat(u: Int64, channel: Channel, _: Units) -> bool:
    return int(u.max() - u.min()) < channel.min_movement


def _steps(u: Int64, channel: Channel, _: Units) -> bool:
    return bool((np.abs(np.diff(u)) > channel.max_step).any())


def _mean(u: Int64, channel: Channel, units: Units) -> bool:
    return not channel.mean_low <= int((u >> units.shift).sum()) <= channel.mean_high


def _deviation(u: Int64, channel: Channel, units: Units) -> bool:
    q = u >> units.shift
    spread = len(q) * int((q * q).sum()) - int(q.sum()) ** 2  # n^2 times the variance, below 2^62
    return not channel.deviation_low <= spread <= channel.deviation_high
