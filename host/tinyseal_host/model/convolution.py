"""Where the window of a 2-D convolution lies: sizes, strides and padding as TensorFlow Lite computes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """One spatial axis in positions: sizes of input, kernel and output; `before` is the padding ahead of the input."""

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    out: int

    @property
    def padded(self) -> bool:
        """Whether the kernel ever reaches outside the input, on either side."""
        return self.before > 0 or (self.out - 1) * self.stride - self.before + self.reach > self.size

    @property
    def reach(self) -> int:
        """Positions from the kernel's first to its last, both counted."""
        return (self.kernel - 1) * self.dilation + 1


def same_or_valid(padding: str, size: int, kernel: int, stride: int, dilation: int) -> Axis | None:
    """The Axis for padding SAME or VALID; None when the kernel does not fit once. All sizes are at least 1."""
    reach = (kernel - 1) * dilation + 1
    out = (size + stride - 1) // stride if padding == "SAME" else (size - reach) // stride + 1
    if out < 1:
        return None
    missing = max((out - 1) * stride + reach - size, 0)
    return Axis(size, kernel, stride, dilation, missing // 2, out)


@dataclass(frozen=True)
class Window:
    """Both axes, and the channels of the input."""

    height: Axis
    width: Axis
    channels: int

    @property
    def step(self) -> int | None:
        """Bytes from one pixel's input to the next when every pixel's input is one contiguous run, all evenly spaced.

        None when it is not so, and the input under the kernel has to be copied together first.
        """
        height, width = self.height, self.width
        if height.padded or width.padded:
            return None
        run_in_row = width.kernel == 1 or width.dilation == 1
        whole_rows = width.kernel == width.size and height.dilation == 1
        if not run_in_row or not (height.kernel == 1 or whole_rows):
            return None
        across, down = width.stride * self.channels, height.stride * width.size * self.channels
        if width.out == 1:
            return down
        return across if height.out == 1 or down == width.out * across else None
