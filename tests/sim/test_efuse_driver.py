"""The firmware's HMAC driver on a virtual board that is a chip, which it knows by the name that the board has."""

import hmac
import json

import pytest
from efuse_chip import CHIPS, Block, image
from tinyseal_host.board.provisioning import describe, send_firmware
from tinyseal_host.board.transport import connect
from tinyseal_host.sim import VirtualBoard

KEY = bytes(range(1, 33))
ASK = """
from tinyseal import efuse
from tinyseal.errors import SealError
out = bytearray(32)
try:
    efuse.hmac_into(b"message", out)
    print(out.hex())
except SealError as error:
    print(error)
"""


@pytest.fixture
def asked(tmp_path):
    """What a board with these key blocks answers, and what it is to the host."""

    def ask(chip, blocks, keys):
        if blocks:
            (tmp_path / "efuse.bin").write_bytes(image(blocks)[::-1])
            (tmp_path / "efuse.keys").write_text(json.dumps(keys))
        with VirtualBoard(tmp_path, chip=chip) as board, connect(board.port) as link:
            info = describe(link)
            send_firmware(link, info)
            return link.run(ASK).strip(), (info.name, info.architecture)

    return ask


@pytest.mark.parametrize("chip", CHIPS)
def test_the_hmac_under_the_burned_key(asked, chip):
    answer, board = asked(chip, [Block(3, KEY)], {"BLOCK_KEY3": KEY.hex()})
    assert answer == hmac.digest(KEY, b"message", "sha256").hex()
    assert board == ("VIRTUAL", "x64")


def test_a_key_that_was_never_written_is_refused(asked):
    assert "KEY3 holds no key" in asked("esp32c3", [Block(3, None)], {})[0]


@pytest.mark.parametrize("chip", ["esp32", "esp32c2", None])
def test_a_board_without_the_peripheral_is_refused(asked, chip):
    assert "NO_KEY: no HMAC peripheral" in asked(chip, [], {})[0]
