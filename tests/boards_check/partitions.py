"""The partition table: ESP-IDF's rules for tables (Partition Tables, API guide), and two slots for the firmware."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SECTOR = 0x1000
_APP = 0x10000  # what the flash cache maps at once; Secure Boot wants sizes of it as well
_SUBTYPES = {"app": ("ota_0", "ota_1"), "data": ("nvs", "ota", "phy", "nvs_keys", "fat")}
_LABEL = 16


@dataclass(frozen=True)
class Partition:
    """One line of the table; offset and size in bytes."""

    label: str
    type: str
    subtype: str
    offset: int
    size: int
    flags: str

    @property
    def end(self) -> int:
        """One byte behind it."""
        return self.offset + self.size


def parse(text: str) -> list[Partition]:
    """ValueError for a line that is not six fields with numbers where they belong."""
    found = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            label, kind, subtype, offset, size, flags = (part.strip() for part in line.split(","))
            found.append(Partition(label, kind, subtype, int(offset, 0), int(size, 0), flags))
    return found


def problems(path: Path, table_offset: int, bootloader: int, flash: int) -> Iterator[str]:
    """One line for each; offsets of table and bootloader, and flash size, in bytes."""
    try:
        table = parse(path.read_text())
    except (OSError, ValueError) as error:
        yield f"{path.name}: {error}"
        return
    if table_offset % _SECTOR or table_offset - bootloader < 0xC000:
        yield f"the partition table is at {table_offset:#x}, wanted a sector with 48 KiB for the bootloader before it"
    end = table_offset + _SECTOR
    for part in sorted(table, key=lambda part: part.offset):
        yield from (f"{path.name}: {part.label} {problem}" for problem in _partition(part, end, flash))
        end = max(end, part.end)
    labels = [part.label for part in table]
    yield from (f"{path.name}: {label} is there twice" for label in sorted(set(labels)) if labels.count(label) > 1)
    yield from (f"{path.name}: {problem}" for problem in _together(table))


def _partition(part: Partition, end: int, flash: int) -> Iterator[str]:
    if part.subtype not in _SUBTYPES.get(part.type, ()):
        yield f"is of type {part.type}, {part.subtype}: not known"
    if not 0 < len(part.label) < _LABEL:
        yield f"has a label of {len(part.label)} characters, wanted 1 to 15"
    if part.flags not in ("", "encrypted"):
        yield f"has flags {part.flags}, wanted encrypted or none"
    align = _APP if part.type == "app" else _SECTOR
    if part.offset % align or part.size % align or not part.size:
        yield f"is at {part.offset:#x} with {part.size:#x} bytes, wanted multiples of {align:#x}"
    if part.offset < end:
        yield f"begins at {part.offset:#x}, wanted {end:#x} or more"
    if part.end > flash:
        yield f"ends at {part.end:#x}, wanted at most {flash:#x}"


def _together(table: list[Partition]) -> Iterator[str]:
    sizes = {part.subtype: part.size for part in table}
    if sizes.get("ota_0") is None or sizes.get("ota_0") != sizes.get("ota_1"):
        yield "wanted two slots of one size, ota_0 and ota_1"
    if sizes.get("ota") != 2 * _SECTOR:
        yield "wanted otadata with two sectors"
    if sizes.get("nvs", 0) < 3 * _SECTOR:
        yield "wanted nvs with three sectors or more"
    if not any(part.subtype == "nvs_keys" and part.flags == "encrypted" for part in table):
        yield "wanted nvs_keys, encrypted"
    if not any(part.label == "vfs" for part in table):
        yield "wanted a partition labelled vfs, which MicroPython mounts"
