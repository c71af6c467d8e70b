"""AES and SHA-256 engines that lie, under `tinyseal.open()`: each lie ends in its code, and the next open works.

They stand in `sys.modules` before the package is imported, so whatever module asks for an engine gets the liar.
"""

import json
from collections.abc import Iterator

from opening import DEVICE_ID
from vm import run

from attack.heap_search import PIECE, SEARCH, inverted
from attack.tally import Tally
from attack.target import Target

_HEAP_KIB = 256
_LIES_A_START = 150

SCRIPT = """
import usys, ujson, uos, gc
from ubinascii import unhexlify
import ucryptolib as real_aes, uhashlib as real_sha

class Machine:
    @staticmethod
    def unique_id():
        return unhexlify("%s")

class Lie:
    # engine, kind, and the call or block from which on it holds; `count` is how many there were, `asked` what they were
    # asked: a block, or a message's first 32 bytes
    engine, kind, since, count, asked = "", "", 0, 0, []

def lie(data, answer):
    kind = Lie.kind
    if kind == "zeros":
        return bytes(len(answer))
    if kind == "ones":
        return b"\\xff" * len(answer)
    if kind == "identity":
        return (bytes(data) + bytes(len(answer)))[: len(answer)]
    if kind == "one bit":
        return bytes([answer[0] ^ 1]) + answer[1:]
    if kind == "known answer":
        return unhexlify("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    if kind == "empty":
        return b""
    if kind == "half":
        return answer[: len(answer) // 2]
    if kind == "longer":
        return answer + b"\\0"
    if kind == "OSError":
        raise OSError(5)
    if kind == "MemoryError":
        raise MemoryError("lie")
    raise ValueError(kind)

class Aes:
    def __init__(self, key, mode):
        self.real = real_aes.aes(key, mode)
    def encrypt(self, source, target=None):
        source = bytes(source)
        found = bytearray(self.real.encrypt(source))
        for at in range(0, len(source), 16):
            if Lie.engine == "aes":
                Lie.asked.append(source[at : at + 16])
                if Lie.count >= Lie.since:
                    found[at : at + 16] = lie(source[at : at + 16], bytes(found[at : at + 16]))
                Lie.count += 1
        if target is None:
            return found
        target[:] = found
        return target

class Sha:
    def __init__(self, data=b""):
        self.real, self.data = real_sha.sha256(data), bytes(data[:32])
    def update(self, data):
        self.real.update(data)
        self.data = (self.data + bytes(data[:32]))[:32]
    def digest(self):
        answer = self.real.digest()
        if Lie.engine == "sha":
            Lie.asked.append(self.data)
            if Lie.count >= Lie.since:
                answer = lie(self.data, answer)
            Lie.count += 1
        return answer

class Ucryptolib:
    aes = Aes
class Uhashlib:
    sha256 = Sha
%s
usys.modules["umachine"], usys.modules["ucryptolib"], usys.modules["uhashlib"] = Machine, Ucryptolib, Uhashlib

from tinyseal import errors, store
import tinyseal
store._FOLDER = uos.getcwd()

def outcome(engine, kind, since):
    Lie.engine, Lie.kind, Lie.since, Lie.count, Lie.asked = engine, kind, since, 0, []
    gc.collect()
    try:
        tinyseal.open("good.seal").close()
        return "OK"
    except errors.SealError as error:
        return errors.CODES[error.code]
    except Exception as error:
        return type(error).__name__
    finally:
        Lie.engine = ""

with open("lies") as file:
    for arguments in ujson.load(file):
        found = outcome(*arguments)
        asked = [text.hex() for text in Lie.asked]
        leaked = released()
        print(ujson.dumps([found, leaked, outcome("", "", 0), asked if found == "OK" else []]))
"""

_NEVER = 1 << 20  # a lie that does not come to be told, for counting
_H, _J0 = 2, 3  # blocks of GCM's own, after the known answers of the engine and of the device key
_ABC = b"abc".hex()
_DERIVATION = 4  # digests of HKDF, which come after the known answer: another key

AES_KINDS = ("zeros", "ones", "identity", "one bit", "OSError", "MemoryError")
SHA_KINDS = ("zeros", "ones", "identity", "one bit", "empty", "half", "longer", "OSError", "MemoryError")
_WRONG_LENGTH = ("empty", "half", "longer")


def attack(target: Target, *, every: int = 1) -> Iterator[Tally]:
    """Every lie, from every `every`-th block of AES and call of SHA-256 on; a Tally for each start of the VM."""
    (*_, blocks), (*_, calls) = _answers(target, [("aes", "zeros", _NEVER), ("sha", "zeros", _NEVER)])
    known = calls.index(_ABC)
    lies = {("aes", kind, n): aes_verdict(kind, n) for kind in AES_KINDS for n in places(len(blocks), 6, every)}
    lies |= {("sha", kind, n): sha_verdict(kind, n, known) for kind in SHA_KINDS for n in places(len(calls), 12, every)}
    # An engine that gives what the known answer test wants, to every question: no key comes out right.
    lies["sha", "known answer", 0] = ("AUTHENTICATION",)
    told = list(lies)
    for at in range(0, len(told), _LIES_A_START):
        yield _compare(target, {lie: lies[lie] for lie in told[at : at + _LIES_A_START]})


def places(count: int, first: int, every: int) -> list[int]:
    """All of the first ones, each of which has a part of its own to play, then one in so many, and the last."""
    return sorted({*range(min(first, count)), *range(first, count, every), count - 1})


def aes_verdict(kind: str, n: int) -> tuple[str, ...]:
    """The codes that an AES engine may end in that lies from its block n on."""
    if kind == "MemoryError":
        return ("MEMORY",)
    if kind in ("zeros", "OSError") or n == 0 or (kind == "identity" and n == _H):
        return ("ENGINE",)
    return ("AUTHENTICATION",) if n <= _J0 else ("SIGNATURE",)


def sha_verdict(kind: str, n: int, known: int) -> tuple[str, ...]:
    """The codes that a SHA-256 engine may end in that lies from its call n on; call `known` is the known answer's."""
    if kind == "MemoryError":
        return ("MEMORY",)
    if n <= known or kind == "OSError" or kind in _WRONG_LENGTH:
        return ("ENGINE",)
    return ("AUTHENTICATION",) if n <= known + _DERIVATION else ("SIGNATURE",)


def _answers(target: Target, lies: list[tuple[str, str, int]]) -> list[list]:
    files = {
        **target.files(),
        "good.seal": target.sealed,
        "inverted": inverted(target.marker),
        "lies": json.dumps(lies).encode(),
    }
    printed = run(SCRIPT % (DEVICE_ID.hex(), SEARCH), files=files, heap_kib=_HEAP_KIB, timeout=120)
    return [json.loads(line) for line in printed.splitlines()]


def _compare(target: Target, wanted: dict[tuple[str, str, int], tuple[str, ...]]) -> Tally:
    tally = Tally(tried=len(wanted))
    answers = _answers(target, list(wanted))
    for (lie, codes), (found, leaked, after, _) in zip(wanted.items(), answers, strict=True):
        name = "{} that gives {} from {} on".format(*lie)
        tally.accepted += found == "OK"
        tally.released += PIECE * leaked
        if found not in codes:
            tally.wrong.append(f"{name}: {found}, wanted {' or '.join(codes)}")
        if leaked:
            tally.wrong.append(f"{name}: {found} leaves {leaked} pieces of the plaintext on the heap")
        if after != "OK":
            tally.wrong.append(f"{name}: afterwards the board refuses the good file: {after}")
    return tally
