"""A release's name and labels are its author's: printed, they must not act on the terminal."""

from pathlib import Path

import pytest
import tiny_release
from cryptography.hazmat.primitives.asymmetric import rsa
from tinyseal_host import sealing
from tinyseal_host.cli.terminal import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("zurück 你好", "zurück 你好"),
        ("", ""),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),  # CSI in one character, as C1 has it
        ("a\rb\nc\td\x7f\0", r"a\rb\nc\td\x7f\x00"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2028\u200b\ufeff", r"\u2028\u200b\ufeff"),
        ("\U000e0041", r"\U000e0041"),
        ("it's", "it's"),
    ],
)
def test_what_is_not_printable_is_written_out(text, shown):
    assert printable(text) == shown
    assert printable(text).isprintable()


def release(monkeypatch, name, labels):
    """A signed release whose author meant harm; every length is right."""
    section = bytes([2]) + b"".join(bytes([len(label)]) + label for label in labels)
    assert 12 < len(section) <= 16  # what `tiny_release` has room for
    monkeypatch.setattr(tiny_release, "NAME", name)
    monkeypatch.setattr(tiny_release, "LABELS_SECTION", section)
    return sealing.sign(tiny_release.body(), rsa.generate_private_key(65537, 3072))


def test_inspect_and_seal_and_open_print_no_escape(tinyseal, shared, here, monkeypatch):
    labels = (b"\x1b[2Ja", "\u202eb\n".encode())
    Path("m.tsm").write_bytes(release(monkeypatch, b"\x1b[31mred\r\n", labels))
    (here / "station").mkdir()
    (here / "station" / "master.key").write_bytes((shared / "keys" / "master.key").read_bytes())
    (here / "station" / "master.key").chmod(0o600)
    inspected = tinyseal("inspect m.tsm")
    sealed = tinyseal("seal m.tsm --device 01 --device 02 -o out --keys station")
    assert (inspected.status, sealed.status) == (0, 0)
    assert r"\x1b[31mred\r\n" in inspected.out
    assert r"\x1b[2Ja, \u202eb\n" in inspected.out
    assert r"\x1b[31mred\r\n, version 7" in sealed.out
    for found in (inspected, sealed):
        assert all(line.isprintable() for line in (found.out + found.err).split("\n"))
    assert tinyseal("inspect m.tsm --json").json["name"] == "\x1b[31mred\r\n"
