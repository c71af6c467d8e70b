"""FORMAT.md's operators and tables, against board, host and the generator of the kernels."""

import ast
import itertools
import re

from firmware_sources import modules, payload_module
from format_document import FIRMWARE, constants, rows, section
from tinyseal_host import program, program_checks, program_rules, quantise_rules
from tinyseal_host.model import tables


def test_operators():
    listed = {name: operands for _, name, operands in rows("Program header", 1)}
    described = {}
    for number, name, operands in rows("Program header", 1):
        same = operands.removeprefix("as `").removesuffix("`")  # as another operator
        described[int(number)] = (name, tuple(listed.get(same, operands).split()))
    assert described == program.OPERATORS
    board = ast.parse((FIRMWARE / "net.py").read_text(encoding="utf-8")).body
    steps = [ast.parse(path.read_text(encoding="utf-8")).body for path in sorted(FIRMWARE.glob("steps_*.py"))]
    words = {
        node.name: next(ast.literal_eval(line.value) for line in node.body if ast.unparse(line).startswith("WORDS = "))
        for node in itertools.chain(*steps)
        if isinstance(node, ast.ClassDef) and "WORDS = " in ast.unparse(node)
    }
    table = next(node.value for node in board if ast.unparse(node).startswith("_OPERATORS = "))
    on_board = {
        key.value: words[value.value.partition(".")[2]] for key, value in zip(table.keys, table.values, strict=True)
    }
    assert on_board == {number: len(operands) for number, (_, operands) in described.items()}


def words_of(heading, table=0):
    """(names, what is said of each) of a table of words; they have to follow each other."""
    found = rows(heading, table)
    assert [int(word) for word, *_ in found] == list(range(len(found)))
    return [name for _, _, name, _ in found], {name: meaning for _, _, name, meaning in found}


def test_dot_tables():
    layout = constants("layout")
    names, said = words_of("Dot table")
    assert names == ["base", "multiplier", "half", "right"]
    assert 4 * len(names) == program._SHORT_ROW_WORDS_LEN
    assert said["right"] == f"right shift, 1 to {layout['_RIGHT_MAX']}"
    names, said = words_of("Dot table", 1)
    assert names == ["base", "mult_hi", "mult_lo", "left", "right"]
    assert 4 * len(names) == program._ROW_WORDS_LEN
    assert f"0 to {layout['_LEFT_MAX']}" in said["left"]
    assert f"0 to {layout['_RIGHT_MAX']}" in said["right"]


def test_blocks_and_units():
    """The widths that the document gives are those of the board, the host, and the generator of the kernels."""
    text = section("Dot table")
    widths = tuple(int(width) for width in re.search(r": (\d+), (\d+) or (\d+) bytes", text).groups())
    assert widths == tables.WIDTHS == program_checks.DOT_WIDTHS == constants("layout")["WIDTHS"]
    assert widths == payload_module().WIDTHS
    assert {f"dot_{width}" for width in widths} == {name for name in modules("rv32imc") if re.match(r"dot_\d", name)}
    assert "a multiple of 16" in text
    assert program._DOT_BLOCK == widths[-1] == 16
    unit_len = int(re.search(r"Eight input bytes are a unit, (\d+) bytes of scratch", text)[1])
    assert unit_len == tables.UNIT_LEN == program_checks.UNIT_LEN == constants("layout")["UNIT_LEN"]
    assert f"`{unit_len} * width / 8`" in text
    assert f"`reach_h * reach_w * c / 8 * {unit_len}`" in section("Program header")


def test_3x3_table():
    names, said = words_of("3x3 table")
    assert names == ["bias", "multiplier", "half", "right"]
    assert program._DEPTHWISE3X3_RECORD_LEN == 9 + 3 + 4 * len(names) == 28
    assert "28 bytes: nine weights + 128" in section("3x3 table")
    assert said["right"] == f"right shift, 1 to {program_rules._DEPTHWISE3X3_RIGHT}"


def test_rows_and_quantise_tables():
    names, said = words_of("Rows table")
    assert names == ["bias", "mult_hi", "mult_lo", "left", "right"]
    layout = constants("layout")
    assert program._ROW_WORDS_LEN == 4 * len(names) == 4 * program_checks._ROW_WORDS
    assert f"0 to {layout['_LEFT_MAX']}" in said["left"]
    assert f"0 to {layout['_RIGHT_MAX']}" in said["right"]
    quantise = {name: (int(offset), kind) for offset, kind, name, _ in rows("Quantise table")}
    assert quantise["threshold"] == (12, f"{layout['_THRESHOLDS']} u32")
    steps_at = quantise["threshold"][0] + 4 * layout["_THRESHOLDS"]
    assert quantise["steps"][0] == steps_at == quantise_rules.FLOAT32_HEAD_LEN == layout["_QUANTISE_FIXED"]
    raw = {name: (int(offset), kind) for offset, kind, name, _ in rows("Quantise tables of raw integers")}
    assert raw == {"base": (0, "u16"), "shift": (2, "u16"), "first": (4, "256 u8"), "last": (260, "256 u16")}
    assert quantise_rules.RAW16_LEN == constants("raw")["_RAW16_LEN"] == 4 + 256 + 2 * 256
    assert quantise_rules.RAW8_LEN == constants("raw")["_RAW8_LEN"] == 256
    assert section("Exponential table").lstrip().startswith("256 i32")
    assert program._EXP_TABLE_LEN == 4 * 256
