"""Making a board ours: what it is, the firmware that it needs, its device key and its signer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .. import sealing
from ..errors import BoardError, RefusedError, TinysealError
from ..formats import KeySource
from ..keys import device_key, modulus, provisioned_secret, signer_fingerprint
from . import installing
from .firmware import architecture, has_native_kernels, load_boards, load_firmware
from .transport import Link, Progress

_OTHER_KEYS = "name the keys that it was provisioned with, or write others with tinyseal provision --replace"
_DESCRIBE = """
import sys,ubinascii,umachine,ujson
i=sys.implementation
print(ujson.dumps([ubinascii.hexlify(umachine.unique_id()).decode(),i._machine,i.version[:3],getattr(i,"_mpy",0)]))
"""

# The keys first: what is left after a cut is of no use to anybody, and the same again removes it.
_WIPE = """
import uos
try:
    from esp32 import NVS
    _n = NVS("tinyseal")
    for _k in ("key", "signer", "files", "state"):
        try:
            _n.erase_key(_k)
            _n.commit()
        except OSError as e:
            if e.errno != -0x1102:
                raise
except ImportError:
    pass
for _d in ("/seal", "/tinyseal", "/lib/tinyseal.new", "/lib/tinyseal"):
    try:
        for _e in list(uos.ilistdir(_d)):
            uos.remove(_d + "/" + _e[0])
        uos.rmdir(_d)
    except OSError as e:
        if e.errno != 2:
            raise
"""


@dataclass(frozen=True)
class BoardInfo:
    """What a board says of itself before anything of ours is on it."""

    device_id: bytes
    machine: str
    version: str
    architecture: str

    @property
    def name(self) -> str:
        """The name under `boards/`, or what MicroPython calls the machine where there is none."""
        for name, data in load_boards().items():
            if any(re.search(pattern, self.machine) for pattern in data["machine"]):
                return name
        return self.machine

    @property
    def native(self) -> bool:
        """Whether the kernels that it gets are native code."""
        return has_native_kernels(self.architecture)


@dataclass(frozen=True)
class Sent:
    """What became of the firmware's files: sent, left alone, and removed."""

    sent: int
    kept: int
    removed: int


def describe(link: Link) -> BoardInfo:
    """Ask a board what it is; BoardError when its MicroPython cannot run the firmware, RefusedError without memory."""
    try:
        answer = link.json(_DESCRIBE)
    except (BoardError, RefusedError):
        raise
    except TinysealError as error:  # ImportError: another MicroPython than a board's, or another Python
        raise BoardError(error.message, hint="write MicroPython to it: https://micropython.org/download") from error
    try:
        device_id, machine, version, mpy = answer
        number = ".".join(str(int(part)) for part in version)
        return BoardInfo(bytes.fromhex(device_id), str(machine), number, architecture(mpy))
    except (TypeError, ValueError) as error:
        raise BoardError(f"{link.device}: the board does not say what it is") from error


def status(link: Link) -> dict[str, Any] | None:
    """What `tinyseal.remote.status` says; None on a board without the package."""
    number = installing.protocol(link)
    if number is None:
        return None
    installing.check_protocol(link, number)
    answer: dict[str, Any] = link.call("status")
    return answer


def require_package(link: Link) -> None:
    """TinysealError on a board without the package, or with one that this host does not understand."""
    number = installing.protocol(link)
    if number is None:
        raise TinysealError(
            f"{link.device}: the board has no tinyseal on it that can be loaded",
            hint="tinyseal provision --port ... --keys ...",
        )
    installing.check_protocol(link, number)


def send_firmware(link: Link, info: BoardInfo, progress: Progress | None = None) -> Sent:
    """Bring the board's package to the firmware for this board, and when that changed any file, the board to run it.

    What is there already is not sent again, and the model stays. BoardError when it arrives otherwise than it was sent.
    """
    installing.check_not_newer(link, installing.protocol(link))
    firmware = load_firmware(info.architecture)
    sent, removed = installing.install(link, firmware, progress)
    link.restart()
    return Sent(sent, len(firmware.files) - sent, removed)


def wipe(link: Link) -> None:
    """Remove the keys, the version floor, the models and the package; what is not there is no failure."""
    link.run(_WIPE)
    link.restart()


def check_keys(board: dict[str, Any], info: BoardInfo, *, master: bytes, signer: RSAPublicKey) -> None:
    """TinysealError when the keys that a board has, by its `status`, are not these; a board without any is fine."""
    if not board["key_source"]:
        return
    mine, its = signer_fingerprint(signer), str(board["signer"])[:16]
    if its != mine:
        raise TinysealError(f"the board has signer {its}, --keys has {mine}", hint=_OTHER_KEYS)
    key = device_key(master, info.device_id, KeySource(board["key_source"]))
    if board["key_check"] not in (None, sealing.key_check(key).hex()):
        raise TinysealError("the board has a device key from another master key than --keys has", hint=_OTHER_KEYS)


def write_keys(
    link: Link,
    info: BoardInfo,
    *,
    master: bytes,
    signer: RSAPublicKey,
    source: KeySource | None = None,
    replace: bool = False,
) -> KeySource:
    """Put the device key and the signer on a board that has the firmware; the version floor and the models stay.

    With no `source` it is eFuse, where a key from `master` was burned and the board has none in NVS, else NVS; which
    one it was is returned. TinysealError when the board has other keys, unless they are to be replaced: models sealed
    with them will not open. Keys from another source are never replaced, for two identities would leave open which one
    counts; only from NVS a board can go on to eFuse.
    """
    board = link.call("status")
    there = KeySource(board["key_source"]) if board["key_source"] else None
    if source is None:
        burned = there is KeySource.EFUSE or (there is None and has_efuse_key(link, info, master))
        source = KeySource.EFUSE if burned else KeySource.NVS
    if there not in (None, source) and (there, source) != (KeySource.NVS, KeySource.EFUSE):
        name = there.name.lower()
        raise TinysealError(
            f"the board has keys from {name}, wanted {source.name.lower()}", hint=f"--key-source {name}"
        )
    if not replace:
        check_keys(board, info, master=master, signer=signer)
    if source is not KeySource.EFUSE:
        secret = provisioned_secret(master, info.device_id, source).hex()
    elif has_efuse_key(link, info, master):
        secret = ""
    else:
        raise TinysealError("the board has no key in eFuse, or none from this master key", hint="tinyseal burn --help")
    link.call("provision", int(source), secret, modulus(signer).hex())
    after = link.call("status")
    if after["key_source"] != source or not str(after["signer"]).startswith(signer_fingerprint(signer)):
        raise BoardError(f"{link.device}: the board did not keep its keys")
    return source


def has_efuse_key(link: Link, info: BoardInfo, master: bytes) -> bool:
    """Whether the key that the board's HMAC peripheral yields is the one from this master key."""
    wanted = sealing.key_check(device_key(master, info.device_id, KeySource.EFUSE)).hex()
    return bool(link.call("key_check", int(KeySource.EFUSE)) == wanted)


def use_efuse(link: Link) -> bool:
    """Let a provisioned board go from its key in NVS to that in eFuse; False for a board that has none in NVS."""
    if link.call("status")["key_source"] != KeySource.NVS:
        return False
    link.call("use_efuse")
    return True
