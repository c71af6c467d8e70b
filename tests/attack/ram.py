"""What is left in a virtual board's RAM after models were opened, refused and interrupted there.

Each scenario is a piece of code for the board, and the last line that it must print; then the memory is searched.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from tinyseal_host import example, keys, sealing
from tinyseal_host.board import provisioning, transfer, updates
from tinyseal_host.board.transport import Link, connect
from tinyseal_host.contract_toml import read_contract
from tinyseal_host.formats import KeySource
from tinyseal_host.model.compiler import compile_model
from tinyseal_host.sim import VirtualBoard

from . import leftovers
from .tally import Tally

MODEL = Path(example.__file__).parent / "motion.tflite"
VERSION = 3

_HELPERS = """
import tinyseal
from tinyseal import ctr, gcm, kernels, kernels_dot, keys, model, release, rsa, sealed
def outcome(path=None):
    try:
        with tinyseal.open(path) as m:
            return "OK"
    except tinyseal.SealError as error:
        return tinyseal.CODES[error.code]
    except BaseException as error:
        return type(error).__name__
def failing(module, name, error, after=0):
    # Replace a function by one that raises at its call number `after`, and give what puts the real one back.
    real = getattr(module, name)
    calls = [0]
    def replacement(*arguments):
        calls[0] += 1
        if calls[0] > after:
            raise error
        return real(*arguments)
    setattr(module, name, replacement)
    return lambda: setattr(module, name, real)
def broken(module, name, error, after=0):
    back = failing(module, name, error, after)
    try:
        return outcome()
    finally:
        back()
"""


@dataclass(frozen=True)
class Scenario:
    """`code` runs on the board and prints `wanted` last."""

    name: str
    code: str
    wanted: str


REFUSED = [
    Scenario("the tag is wrong", "print(outcome('/altered.seal'))", "AUTHENTICATION"),
    Scenario("another signer, after decryption", "print(outcome('/stranger.seal'))", "SIGNATURE"),
    Scenario("no release inside, after decryption", "print(outcome('/broken.seal'))", "RELEASE"),
    Scenario("the self-test fails, after the network ran", "print(outcome('/untrue.seal'))", "SELF_TEST"),
]
_PLACES = [
    ("gcm.ghash", "update", 1),
    ("gcm.ctr", "xor_into", 0),
    ("gcm.ctr", "xor_into", 2),
    ("gcm.ctr", "advance", 1),
    ("gcm", "_tag", 0),
    ("release.rsa", "verify", 0),
    ("model", "Release", 0),
    ("model", "Net", 0),
    ("model", "Gate", 0),
    ("model.Net", "run", 0),
    ("kernels_dot", "units", 0),
    ("kernels_dot", "units", 3),
    ("kernels", "finish", 0),
    ("tinyseal.slots", "opened", 0),
]
INTERRUPTED = [
    Scenario(
        f"{error} in {module}.{name}, call {after + 1}",
        f"print(broken({module}, {name!r}, {error}('planted'), {after}))",
        "MEMORY" if error == "MemoryError" else error,
    )
    for module, name, after in _PLACES
    for error in ("ValueError", "MemoryError", "KeyboardInterrupt")
]


class Bench:
    """A provisioned virtual board under power, with good and bad files on it, and what to look for in its memory."""

    def __init__(self, folder: Path, source: KeySource = KeySource.NVS, native: bool = True) -> None:
        """Keys and files are made here, and put there in a life of the VM that is over before anything is searched."""
        keys.generate(folder / "keys")
        self.master = keys.load_master([folder / "keys"])
        private = keys.load_signing_key([folder / "keys"])
        self.folder, self.source, self.native = folder, source, native
        body = compile_model(
            MODEL.read_bytes(), MODEL, read_contract(MODEL.with_suffix(".toml")), name="m", version=VERSION
        )
        release = sealing.sign(body, private)
        untrue = bytearray(body)
        untrue[-1] ^= 1  # the example's output has four values: no padding behind them
        broken = bytearray(body)
        broken[52] ^= 1  # a reserved byte
        with VirtualBoard(folder / "board", native=native) as board, connect(board.port) as link:
            info = provisioning.describe(link)
            provisioning.send_firmware(link, info)
            provisioning.write_keys(link, info, master=self.master, signer=private.public_key(), source=source)

            def seal(data: bytes) -> bytes:
                return sealing.seal(data, info.device_id, source, self.master)

            self.sealed = seal(release)
            updates.push(link, self.sealed)
            altered = bytearray(self.sealed)
            altered[-1] ^= 1
            stranger = generate_private_key(65537, 3072)
            files = {
                "altered.seal": bytes(altered),
                "stranger.seal": seal(sealing.sign(body, stranger)),
                "untrue.seal": seal(sealing.sign(bytes(untrue), private)),
                "broken.seal": self._seal_any(sealing.sign(bytes(broken), private), info.device_id),
            }
            transfer.send(link, "", files)
        key = keys.device_key(self.master, info.device_id, source)
        self.secrets = leftovers.of_opening(self.sealed, key, release)
        if source is KeySource.FILE:
            seed = keys.provisioned_secret(self.master, info.device_id, source)
            self.secrets.named.update(leftovers.of_derivation(seed, info.device_id, key).named)

    def _seal_any(self, release: bytes, device_id: bytes) -> bytes:
        """`sealing.seal` for what is no release, by FORMAT.md."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        header = bytearray(self.sealed[:64])
        header[28:32] = len(release).to_bytes(4, "little")
        key = keys.device_key(self.master, device_id, self.source)
        return bytes(header) + AESGCM(key).encrypt(bytes(header[32:44]), release, bytes(header))

    @contextlib.contextmanager
    def power(self) -> Iterator[tuple[Link, Callable[[], dict[str, int]]]]:
        """The board in a new life: its link, and a search of its memory."""
        with VirtualBoard(self.folder / "board", native=self.native) as board, connect(board.port) as link:
            link.run(_HELPERS)
            yield link, lambda: leftovers.search(board.vm_pid, self.secrets)

    def run(self, link: Link, scenario: Scenario) -> str:
        """What the scenario printed last."""
        return link.run(scenario.code).strip().splitlines()[-1]


def interrupt_while_opening(link: Link, delay_s: float) -> str:
    """A real Ctrl-C after `delay_s` into a loop that opens and closes; how the loop ended."""
    transport = link._transport
    transport.exec_raw_no_follow("while True:\n    with tinyseal.open():\n        pass\n")
    time.sleep(delay_s)
    transport.serial.write(b"\x03")
    _, error = transport.follow(10)
    return error.decode().strip().splitlines()[-1]


def attack(folder: Path, source: KeySource) -> Tally:
    """Every scenario and real interrupts at many moments, each followed by a search, all in one life of the VM."""
    bench = Bench(folder, source)
    allowed = {"seed"} if source is KeySource.FILE else set()  # it lies in a file, so in the filesystem's caches
    tally = Tally()

    def look(name: str) -> None:
        found = {what: count for what, count in search().items() if what not in allowed}
        tally.tried += 1
        tally.secrets += sum(found.values())
        if found:
            tally.wrong.append(f"{name}: left in RAM: {', '.join(found)}")

    with bench.power() as (link, search):
        for scenario in REFUSED + INTERRUPTED:
            said = bench.run(link, scenario)
            if said != scenario.wanted:
                tally.wrong.append(f"{scenario.name}: {said}, wanted {scenario.wanted}")
            look(scenario.name)
        for delay_ms in range(40):
            interrupt_while_opening(link, delay_ms / 1000)
            look(f"an interrupt after {delay_ms} ms")
        if bench.run(link, Scenario("good", "print(outcome())", "OK")) != "OK":
            tally.wrong.append("afterwards the good file does not open")
        look("a model that was closed")
    return tally
