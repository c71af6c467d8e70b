"""Refusal codes and frame statuses, as FORMAT.md section 5 numbers them (level 0)."""

from micropython import const

NO_MODEL = const(1)
FORMAT = const(2)
WRONG_BOARD = const(3)
ROLLBACK = const(4)
NO_KEY = const(5)
ENGINE = const(6)
AUTHENTICATION = const(7)
SIGNATURE = const(8)
RELEASE = const(9)
SELF_TEST = const(10)
MEMORY = const(11)
CLOSED = const(12)
STORE = const(13)

CODES = (
    "",
    "NO_MODEL",
    "FORMAT",
    "WRONG_BOARD",
    "ROLLBACK",
    "NO_KEY",
    "ENGINE",
    "AUTHENTICATION",
    "SIGNATURE",
    "RELEASE",
    "SELF_TEST",
    "MEMORY",
    "CLOSED",
    "STORE",
)

OK = const(0)
SENSOR = const(10)

STATUSES = (
    "OK",
    "SIZE",
    "NAN",
    "RANGE",
    "ZEROS",
    "SATURATED",
    "FLAT",
    "STEP",
    "MEAN",
    "DEVIATION",
    "SENSOR",
)


class SealError(Exception):
    """Why a model was not opened: `code` is one of the numbers above, `detail` names what was got and wanted."""

    def __init__(self, code, detail=""):
        super().__init__(CODES[code] + (": " + detail if detail else ""))
        self.code = code
        self.detail = detail
