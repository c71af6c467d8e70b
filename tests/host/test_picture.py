"""Pictures, read back by a decoder written from the PNG standard, and what is drawn on them."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinyseal_host.picture import Panel, chart, draw, font, png
from tinyseal_host.picture.canvas import Canvas, Ink


def decode(data):
    """Palette indexes, uint8 [height, width], and the palette, with the rules of the standard checked."""
    assert data[:8] == bytes([137, 80, 78, 71, 13, 10, 26, 10])
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        body = data[at + 4 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length) == (zlib.crc32(body),)
        chunks.append((body[:4], body[4:]))
        at += 12 + length
    assert [kind for kind, _ in chunks] == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    width, height, depth, colour, compression, filters, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (depth, colour, compression, filters, interlace) == (8, 3, 0, 0, 0)
    lines = np.frombuffer(zlib.decompress(chunks[2][1]), np.uint8).reshape(height, width + 1)
    assert not lines[:, 0].any()
    palette = np.frombuffer(chunks[1][1], np.uint8).reshape(-1, 3)
    assert chunks[3][1] == b""
    assert lines[:, 1:].max() < len(palette)
    return lines[:, 1:], [tuple(colour) for colour in palette.tolist()]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 256), st.integers(0, 2**32 - 1))
def test_a_png_is_read_back(height, width, colours, seed):
    rng = np.random.default_rng(seed)
    palette = [tuple(colour) for colour in rng.integers(0, 256, (colours, 3)).tolist()]
    pixels = rng.integers(0, colours, (height, width)).astype(np.uint8)
    found, found_palette = decode(png.encode(pixels, palette))
    assert found.tolist() == pixels.tolist()
    assert found_palette == palette


def test_every_character_has_dots_of_its_own():
    characters = "0123456789abcdefghijklmnopqrstuvwxyz-+.,:/()%=_?"
    drawn = {font.dots(character).tobytes() for character in characters + "é"}
    assert len(drawn) == len(characters) + 1
    assert not font.dots(" ").any()
    assert font.dots("aB").tolist() == np.hstack([font.dots("a"), font.dots("b")]).tolist()
    assert font.dots("é").tolist() == font.dots("\n").tolist()
    assert not font.dots("8")[:, 5].any()


@pytest.mark.parametrize(("x", "y"), [(-3, 2), (47, 2), (10, 20), (60, 40)])
def test_text_beyond_the_edge_is_cut(x, y):
    wide = Canvas(200, 100)
    wide.text(x + 50, y + 20, "cut 8")
    narrow = Canvas(50, 24)
    narrow.text(x, y, "cut 8")
    assert narrow.pixels.tolist() == wide.pixels[20:44, 50:100].tolist()


def test_text_that_ends_somewhere():
    canvas = Canvas(100, 20)
    canvas.text(90, 2, "-3.5", right=True)
    columns = np.flatnonzero((canvas.pixels == Ink.TEXT).any(axis=0))
    assert 90 - 4 * 12 <= columns[0] < columns[-1] < 90


def panel(values, low=-1.0, high=1.0, spots=None, refused=None):
    values = np.asarray(values, np.float32)
    nothing = np.zeros(values.shape, bool)
    return Panel(
        "channel 0",
        values,
        low,
        high,
        nothing if spots is None else spots,
        nothing.any(axis=1) if refused is None else np.asarray(refused),
    )


PLOT_LEFT, PLOT_RIGHT = 110, 1179  # of a picture that is 1200 wide
TOP = 48 + 24  # of the first plot: title and legend, then its own title


def plot(one):
    """The pixels inside of the only panel's axes."""
    pixels, _ = decode(draw("a title", [one]))
    assert pixels.shape[1] == 1200
    return pixels[TOP + 1 : TOP + 131, PLOT_LEFT + 1 : PLOT_RIGHT]


def lines_of(pixels, ink):
    return np.flatnonzero((pixels == ink).any(axis=1))


def columns_of(pixels, ink):
    return np.flatnonzero((pixels == ink).any(axis=0))


def test_values_lie_between_their_limits():
    """A quarter of the way from the lower limit to the upper one, wherever those are."""
    for low, high in ((-1.0, 1.0), (0.0, 4.0), (-30000.0, -10000.0)):
        value = low + (high - low) / 4
        pixels = plot(panel(np.full((3, 50), value), low, high))
        upper, lower = lines_of(pixels, Ink.LIMIT)[[0, -1]]
        (line,) = lines_of(pixels, Ink.TRACE)
        assert abs((lower - 0.5 - line) / (lower - upper - 1) - 0.25) < 0.03
        assert len(columns_of(pixels, Ink.TRACE)) > 1060


def test_no_extreme_is_lost_among_many_values():
    """One value of 200,000, of which some 190 share a column of pixels."""
    values = np.zeros((100, 2000))
    values[40, 700] = 0.9
    columns = columns_of(plot(panel(values))[:30], Ink.TRACE)
    assert len(columns) == 1
    assert abs(columns[0] - (40 * 2000 + 700) / 200000 * 1069) <= 2


def test_few_values_are_steps():
    pixels = plot(panel([[0.5, -0.5]]))
    upper, lower = (
        np.flatnonzero((pixels[half] == Ink.TRACE).sum(axis=1) > 500) for half in (slice(65), slice(65, 130))
    )
    assert len(upper) == len(lower) == 1
    assert columns_of(pixels[upper], Ink.TRACE).max() < 540
    assert columns_of(pixels[65 + lower], Ink.TRACE).min() > 530


def test_what_is_refused_is_marked_where_it_is():
    values = np.zeros((10, 100))
    values[3, 50] = 7.0
    spots = values > 1
    pixels = plot(panel(values, spots=spots, refused=np.arange(10) == 3))
    shaded = columns_of(pixels, Ink.REFUSED)
    assert abs(shaded[0] - 0.3 * 1069) <= 2
    assert abs(shaded[-1] - 0.4 * 1069) <= 3
    marked = columns_of(pixels, Ink.SPOT)
    assert abs(marked.mean() - 0.35 * 1069) <= 2
    assert len(marked) <= 5
    assert lines_of(pixels, Ink.SPOT).max() < 6  # 7.0 lies far above the limit, so it is at the edge


def test_a_refused_frame_narrower_than_a_pixel_is_seen():
    pixels = plot(panel(np.zeros((5000, 2)), refused=np.arange(5000) == 2500))
    assert len(columns_of(pixels, Ink.REFUSED)) == 1


def test_what_has_no_value_is_marked_from_top_to_bottom():
    values = np.zeros((10, 100))
    values[5, 10:20] = np.nan
    values[5, 90] = np.inf
    pixels = plot(panel(values, spots=~np.isfinite(values), refused=np.arange(10) == 5))
    full = np.flatnonzero((pixels == Ink.SPOT).all(axis=0))
    assert {round(x / 1069 * 100) for x in full.tolist()} == {51, 52, 59}
    assert lines_of(pixels[:, 0:500], Ink.SPOT).size == 0


def test_what_nothing_is_wrong_with_has_no_red():
    pixels = plot(panel(np.random.default_rng(1).uniform(-1, 1, (10, 100))))
    assert not np.isin(pixels, [Ink.REFUSED, Ink.SPOT]).any()


def test_a_panel_for_each_channel():
    pixels, _ = decode(draw("three", [panel(np.zeros((2, 9)))] * 3))
    assert pixels.shape == (48 + 3 * (24 + 132) + 46, 1200)
    for number in range(3):
        top = TOP + number * (24 + 132)
        assert (pixels[top, PLOT_LEFT : PLOT_RIGHT + 1] == Ink.FRAME).all()
        assert (pixels[top - 18 : top - 2] == Ink.TEXT).any()


def test_limits_far_from_the_values_leave_the_values_to_be_seen():
    values = np.sin(np.arange(400) / 9).reshape(4, 100)
    low, high = chart.view(panel(values, -3e38, 3e38))
    assert -1.5 < low < -1 < 1 < high < 1.5
    pixels = plot(panel(values, -3e38, 3e38))
    assert len(lines_of(pixels, Ink.TRACE)) > 90
    assert not (pixels == Ink.LIMIT).any()
    assert chart.view(panel(np.full((2, 5), np.nan))) == pytest.approx((-1.24, 1.24))


@given(st.floats(-1e6, 1e6), st.floats(1e-1, 1e6), st.integers(1, 12))
def test_ticks_are_few_round_and_inside(low, span, most):
    high = low + span
    found = chart.ticks(low, high, most)
    assert len(found) <= most + 1
    for value in found:
        assert low - 1e-9 * span <= value <= high + 1e-9 * span
    gaps = np.diff(found)
    if len(gaps):
        assert np.allclose(gaps, gaps[0], rtol=1e-3)
        assert round(float(gaps[0]) / 10 ** np.floor(np.log10(gaps[0] * 1.001)), 3) in (1, 2, 5)
