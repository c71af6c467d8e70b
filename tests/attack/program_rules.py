"""What FORMAT.md section 3 asks of a program, so that no step leads outside the arena or the tables."""

from dataclasses import dataclass

from tinyseal_host.formats import Release

K_MAX = 16384  # weights of a row: 255 * 255 * k stays below 2^31
PIXELS_MAX = (1 << 31) // 255  # of a MEAN: 255 * pixels stays below 2^31
_QUANTISE_FIXED = 12 + 257 * 4
_ROW_WORDS = 5


@dataclass(frozen=True)
class _Rules:
    """The tables section begins at release offset `tables_at`."""

    release: Release
    tables_at: int

    def arena(self, at, n):
        return n >= 1 and at + n <= self.release.program.arena_len

    def table(self, at, n):
        return at % 4 == 0 and self.tables_at <= at and at + n <= self.tables_at + len(self.release.tables)

    def word(self, at):
        return int.from_bytes(self.release.tables[at - self.tables_at :][:4], "little")

    def rows(self, o):
        if not (1 <= o["k"] <= K_MAX and o["m"] >= 1):
            return False
        size = (o["k"] + 3) // 4 * 4 + 4 * _ROW_WORDS
        if not self.table(o["rows_at"], o["m"] * size):
            return False
        ends = range(o["rows_at"] + size, o["rows_at"] + o["m"] * size + 1, size)
        return all(multiplier(*(self.word(end - back) for back in (16, 12, 8, 4))) for end in ends)

    def quantise(self, at):
        if not self.table(at, _QUANTISE_FIXED) or not self.table(at, _QUANTISE_FIXED + self.word(at + 8)):
            return False
        return self.word(at) <= 255 and self.word(at + _QUANTISE_FIXED - 4) == 0x7FFFFFFF

    def step_rows(self, o):
        reach = (o["pixels"] - 1) * o["step"] + o["k"] if o["pixels"] else 0
        return self.rows(o) and clamp(o) and self.arena(o["in_at"], reach) and self.output(o, o["pixels"] * o["m"])

    def step_conv(self, o):
        names = list(o)
        small = names[names.index("in_h") : names.index("pad_left") + 1]
        return (
            self.rows(o)
            and clamp(o)
            and o["pad"] <= 255
            and o["k"] == o["kernel_h"] * o["kernel_w"] * o["c"]
            and all(o[name] < 1 << 16 for name in small)
            and max(o["out_h"], o["out_w"]) < 1 << 15
            and self.arena(o["in_at"], o["in_h"] * o["in_w"] * o["c"])
            and self.arena(o["scratch_at"], o["out_w"] * o["k"])
            and self.output(o, o["out_h"] * o["out_w"] * o["m"])
        )

    def step_mean(self, o):
        words = (o[name] for name in ("mult_hi", "mult_lo", "left", "right"))
        return (
            1 <= o["pixels"] <= PIXELS_MAX
            and multiplier(*words)
            and clamp(o)
            and self.arena(o["in_at"], o["pixels"] * o["c"])
            and self.output(o, o["c"])
        )

    def step_softmax(self, o):
        return (
            1 <= o["depth"] <= 255
            and o["scratch_at"] % 4 == 0
            and self.arena(o["scratch_at"], 8)
            and self.arena(o["in_at"], o["rows"] * o["depth"])
            and self.output(o, o["rows"] * o["depth"])
            and self.table(o["table_at"], 1024)
        )

    def output(self, o, n):
        return self.arena(o["out_at"], n)


def multiplier(hi, lo, left, right):
    """Whether a row's requantisation is one that section "Rows table" allows."""
    return hi < 1 << 15 and lo < 1 << 16 and left <= 28 and right <= 31


def clamp(o):
    """Whether zero point and limits are biased bytes, in order."""
    return o["zero"] <= 255 and o["low"] <= o["high"] <= 255


def is_sound(release: Release) -> bool:
    """Whether the program of a parsed release keeps the rules that `parse_release` leaves to the board."""
    rules = _Rules(release, release.header.layout()["tables"][0])
    checks = {"ROWS": rules.step_rows, "CONV": rules.step_conv, "MEAN": rules.step_mean, "SOFTMAX": rules.step_softmax}
    return rules.quantise(release.program.quantise_at) and all(
        checks[step.name](step.operands) for step in release.program.steps
    )
