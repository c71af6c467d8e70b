"""What is frozen: the folder that `make frozen` and the manifest write, and the boot.py of closed boards on the VM."""

import os

import pytest
from boards_check.definition import HARDENED
from firmware_sources import firmware_module, modules
from vm import run

frozen = firmware_module("frozen")
BOOT = (HARDENED / "common" / "modules" / "boot.py").read_text()


@pytest.mark.parametrize("architecture", ["rv32imc", "xtensawin"])
def test_the_whole_package_is_written(tmp_path, architecture):
    folder = frozen.write(architecture, tmp_path)
    assert folder == tmp_path / architecture
    found = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert found == {f"tinyseal/{name}.py": text for name, text in modules(architecture).items()}
    assert "tinyseal/dot_64.py" in found


def test_what_is_right_is_left_alone_and_what_is_not_is_mended(tmp_path):
    folder = frozen.write("rv32imc", tmp_path) / "tinyseal"
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    (folder / "rsa.py").write_text("def verify(*_):\n    return True\n")
    (folder / "left_over.py").write_text("")
    frozen.write("rv32imc", tmp_path)
    assert {path.name for path in folder.iterdir() if path.stat().st_mtime != 1} == {"rsa.py"}
    assert {path.stem: path.read_text() for path in folder.iterdir()} == modules("rv32imc")


@pytest.mark.parametrize("architecture", ["bytecode", "rv32", ""])
def test_only_architectures_that_boards_have_are_frozen(tmp_path, architecture):
    with pytest.raises(ValueError, match=f"architecture is {architecture}, wanted one of xtensawin, rv32imc, x64"):
        frozen.write(architecture, tmp_path)
    assert list(tmp_path.iterdir()) == []


SHADOWS = {"planted.py": b"print('from the filesystem')\n", "binascii.py": b"print('from the filesystem')\n"}
IMPORTS = """
try:
    import planted
except ImportError as error:
    print(error)
import binascii
print(hasattr(binascii, "hexlify"))
"""


def test_after_boot_nothing_is_imported_from_the_filesystem():
    assert run(IMPORTS, files=SHADOWS).splitlines() == ["from the filesystem"] * 2 + ["False"]
    assert run(BOOT + IMPORTS, files=SHADOWS).splitlines() == ["no module named 'planted'", "True"]
