"""Where a convolution's window lies, against the positions counted out one by one."""

import itertools

import pytest
from tinyseal_host.model.convolution import Window, same_or_valid

CHANNELS = 2


def addresses(height, width):
    """For each output pixel the addresses of its input values in the kernel's order, None for padding."""
    for y, x in itertools.product(range(height.out), range(width.out)):
        pixel = []
        for ky, kx in itertools.product(range(height.kernel), range(width.kernel)):
            iy = y * height.stride + ky * height.dilation - height.before
            ix = x * width.stride + kx * width.dilation - width.before
            inside = 0 <= iy < height.size and 0 <= ix < width.size
            first = (iy * width.size + ix) * CHANNELS
            pixel += range(first, first + CHANNELS) if inside else [None] * CHANNELS
        yield pixel


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_step_is_given_exactly_when_pixels_are_evenly_spaced_runs(padding):
    sizes = itertools.product([1, 2, 3, 5], [1, 2, 3], [1, 2], [1, 2])  # size, kernel, stride, dilation
    axes = [axis for axis in (same_or_valid(padding, *size) for size in sizes) if axis is not None]
    seen = set()
    for height, width in itertools.product(axes, axes):
        pixels = list(addresses(height, width))
        runs = all(None not in p and p == list(range(p[0], p[0] + len(p))) for p in pixels)
        gaps = {second[0] - first[0] for first, second in itertools.pairwise(pixels)} if runs else set()
        step = Window(height, width, CHANNELS).step
        assert (step is not None) == (runs and len(gaps) <= 1), (height, width)
        assert not gaps or step is None or gaps == {step}
        seen.add(step)
    assert {None, 2, 4}.issubset(seen)


@pytest.mark.parametrize(
    ("padding", "size", "kernel", "stride", "dilation", "before", "out"),
    [  # by hand from the definition of SAME: ceil(size / stride) positions, the odd one of the padding behind
        ("SAME", 100, 5, 2, 1, 1, 50),
        ("SAME", 23, 3, 2, 1, 1, 12),
        ("SAME", 4, 2, 1, 1, 0, 4),
        ("SAME", 7, 3, 1, 2, 2, 7),
        ("SAME", 4, 1, 3, 1, 0, 2),
        ("VALID", 50, 5, 2, 1, 0, 23),
        ("VALID", 7, 3, 1, 3, 0, 1),
    ],
)
def test_padding_and_output(padding, size, kernel, stride, dilation, before, out):
    axis = same_or_valid(padding, size, kernel, stride, dilation)
    assert (axis.before, axis.out) == (before, out)


def test_kernel_that_does_not_fit():
    assert same_or_valid("VALID", 6, 3, 1, 3) is None
