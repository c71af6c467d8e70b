"""A board's posture in words and in JSON."""

from __future__ import annotations

from ..board.posture import KeyBlock, Posture
from ..formats import KeySource

_SOURCES = {
    None: "none, the board was not provisioned",
    KeySource.NVS: "nvs: whoever reads the whole flash has the key, unless NVS is encrypted",
    KeySource.EFUSE: "efuse: the key stays in the chip, which uses it for whoever runs code there",
    KeySource.FILE: "file: for development only",
}
_PACKAGES = {
    None: "none",
    "files": "files in /lib/tinyseal: whoever writes the filesystem can change them",
    "frozen": "frozen into the firmware",
}


def posture_table(found: Posture) -> list[tuple[str, object]]:
    """Names and values for a person."""
    fuses = found.fuses
    rows: list[tuple[str, object]] = [("key source", _SOURCES[found.key_source])]
    if fuses is None:
        rows.append(("key block", "the board is no chip with an HMAC peripheral"))
    else:
        rows.append(("key block", _block(fuses.key_block) if fuses.key_block else "none burned"))
        rows += [
            ("secure boot", "on" if fuses.secure_boot else "off: any firmware runs"),
            ("flash encryption", "on" if fuses.flash_encryption else "off"),
            ("download mode", "open: a serial tool reads and writes the flash" if fuses.download_mode else "closed"),
        ]
    return [
        *rows,
        ("version floor", "unknown" if found.floor is None else found.floor),
        ("REPL", "open, it answers: whoever is at the port runs code and can ask for the key"),
        ("package", _PACKAGES[found.package]),
        ("shadowing files", ", ".join(found.shadows) + ": instead of built-in modules" if found.shadows else "none"),
    ]


def _block(block: KeyBlock) -> str:
    reads = "READABLE" if block.readable else "protected from reading"
    writes = "WRITEABLE" if block.writeable or block.purpose_writeable else "protected from writing"
    return f"KEY{block.number}, purpose HMAC_UP, {reads}, {writes}"


def posture_fields(found: Posture) -> dict[str, object]:
    """The same as JSON has it; null where the board cannot say."""
    fuses = found.fuses
    block = fuses.key_block if fuses else None
    return {
        "key_source": found.key_source.name.lower() if found.key_source else None,
        "key_block": {
            "block": f"KEY{block.number}",
            "purpose": "HMAC_UP",
            "readable": block.readable,
            "writeable": block.writeable,
            "purpose_writeable": block.purpose_writeable,
        }
        if block
        else None,
        "secure_boot": fuses.secure_boot if fuses else None,
        "flash_encryption": fuses.flash_encryption if fuses else None,
        "download_mode": ("open" if fuses.download_mode else "closed") if fuses else None,
        "version_floor": found.floor,
        "repl": "open",
        "package": found.package,
        "shadowing_files": list(found.shadows),
    }
