"""The host's twin of the board's gate: holds one frame against a contract."""

from __future__ import annotations

import numpy as np

from .contract import Contract
from .errors import Status

_FLOAT32 = np.dtype("<f4")


def check(frame: object, contract: Contract) -> Status:
    """The status of one frame, a contiguous float32 array of `contract.length` values in any shape.

    The first check that fails over the whole frame decides, in the order of FORMAT.md: size, NaN or infinity, range,
    zeros. Anything that is not such an array is SIZE; nothing is raised.
    """
    if not isinstance(frame, np.ndarray) or frame.dtype != _FLOAT32:
        return Status.SIZE
    if frame.size != contract.length or not frame.flags.c_contiguous:
        return Status.SIZE
    if not np.isfinite(frame).all():
        return Status.NAN
    if (frame < np.float32(contract.low)).any() or (frame > np.float32(contract.high)).any():
        return Status.RANGE
    if frame.size - int(np.count_nonzero(frame)) > contract.max_zeros:
        return Status.ZEROS
    return Status.OK
