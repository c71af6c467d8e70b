"""Holds what the board said to a bundle of files against what it must say."""

from tiny_release import LABELS, NAME

from attack.board import Answer, Bundle, open_all
from attack.heap_search import PIECE
from attack.tally import Tally
from attack.target import Target
from attack.twin import verdicts

# Refusals before the payload is read: the file may say what it likes, nothing is asked for by its numbers. 2.9 KiB were
# measured: path, header, the key store's values, the exception.
_EARLY = ("NO_MODEL", "FORMAT", "WRONG_BOARD", "ROLLBACK", "NO_KEY")
_EARLY_MAX = 8 << 10
# Afterwards, once for as many bytes as the file has, and beside that what every open takes: 8 KiB of tables, and
# garbage that is not collected here: HKDF's (10 KiB) and the integers of an RSA power (12 KiB).
_LATE_MAX = 48 << 10
_DETAIL_MAX = 100  # characters
_SAID = tuple(text.decode() for text in (*LABELS, NAME))


def judge(target: Target, named: dict[str, bytes], *, rightful: bool, search: bool = False) -> Tally:
    """Open every file and compare; `rightful` when the signer signed what they hold, so that they may open.

    `search` as in `open_all`.
    """
    bundle = open_all(target, list(named.values()), search=search)
    tally = Tally(tried=len(named), secrets=sum(bundle.secrets.values()), wrong=_left(bundle))
    for (name, data), answer in zip(named.items(), bundle.answers, strict=True):
        wanted = verdicts(data, target)
        opened = answer.code == "OK"
        if answer.code not in wanted:
            tally.wrong.append(f"{name}: {answer.code} {answer.detail}, wanted {' or '.join(sorted(wanted))}")
        tally.accepted += opened and not (rightful and "OK" in wanted)
        tally.released += PIECE * answer.released
        tally.wrong += [f"{name}: {fault}" for fault in _faults(answer, len(data))]
    return tally


def _faults(answer: Answer, length: int) -> list[str]:
    found = []
    if answer.released:
        found.append(f"{answer.code} leaves {answer.released} pieces of the plaintext on the heap")
    if answer.code in ("AUTHENTICATION", "SIGNATURE") and answer.detail:
        found.append(f"{answer.code} says why: {answer.detail}")
    if len(answer.detail) > _DETAIL_MAX or any(text in answer.detail for text in _SAID):
        found.append(f"{answer.code} says too much: {answer.detail}")
    most = _EARLY_MAX if answer.code in _EARLY else length + _LATE_MAX
    # An arena is the signer's to ask for: it has no relation to the file's length.
    if answer.asked > most and answer.code in (*_EARLY, "AUTHENTICATION", "SIGNATURE", "ENGINE"):
        found.append(f"{answer.code} asked for {answer.asked} bytes, wanted at most {most}")
    return found


def _left(bundle: Bundle) -> list[str]:
    files = [f"the board's file {name} is new or altered" for name in bundle.left]
    return files + [f"{count} pieces of {name} in the VM's memory" for name, count in bundle.secrets.items()]
