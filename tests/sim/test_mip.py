"""The package by mip: the folders that `make mip` writes, from the disk and from a server on this machine."""

import functools
import hashlib
import http.server
import json
import threading

import pytest
from firmware_sources import firmware_module
from vm import payload

mip = firmware_module("mip")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """As `make mip` writes them."""
    return mip.write(tmp_path_factory.mktemp("mip") / "mip", payload() / "firmware")[0].parent


@pytest.fixture
def server(folders):
    """The address of a server of these folders, on loopback."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folders)) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()


def installed(mpremote):
    """sha256 of what lies in the board's /lib/tinyseal, by name."""
    script = (
        "import os, hashlib, binascii\n"
        "for n in os.listdir('/lib/tinyseal'):\n"
        "    print(n, binascii.hexlify(hashlib.sha256(open('/lib/tinyseal/' + n, 'rb').read()).digest()).decode())"
    )
    return dict(line.split() for line in mpremote("exec", script).splitlines())


def built(folders, architecture="x64"):
    """The same of what was built."""
    paths = (folders / architecture / "tinyseal").iterdir()
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_from_a_package_json_on_the_disk(mpremote, folders):
    mpremote("mip", "install", str(folders / "x64" / "package.json"))
    assert installed(mpremote) == built(folders)
    assert mpremote("exec", "import tinyseal; print(tinyseal.OK)") == "0\n"


def test_from_a_package_json_on_a_server(mpremote, folders, server):
    mpremote("mip", "install", f"{server}/x64/package.json")
    assert installed(mpremote) == built(folders)


@pytest.mark.parametrize("name", ["tinyseal", f"tinyseal@{mip.version()}"])
def test_by_name_from_an_index(mpremote, folders, server, name):
    mpremote("mip", "install", "--index", f"{server}/x64", name)
    assert installed(mpremote) == built(folders)


def test_what_is_there_already_is_not_sent_again(mpremote, server):
    mpremote("mip", "install", "--index", f"{server}/x64", "tinyseal")
    mpremote("fs", "rm", ":/lib/tinyseal/rsa.mpy")
    again = mpremote("mip", "install", "--index", f"{server}/x64", "tinyseal").splitlines()
    assert [line for line in again if line.startswith("Installing: ")] == ["Installing: /lib/tinyseal/rsa.mpy"]


def test_another_architecture_installs_and_does_not_run(mpremote, folders):
    mpremote("mip", "install", str(folders / "rv32imc" / "package.json"))
    assert installed(mpremote) == built(folders, "rv32imc")
    assert "incompatible .mpy" in mpremote("exec", "import tinyseal.ghash", status=1)


def test_a_version_that_is_not_there(mpremote, server):
    mpremote("mip", "install", "--index", f"{server}/x64", "tinyseal@9.9.9", status=1)


def test_every_architecture_has_a_folder(folders):
    names = {path.name for path in folders.iterdir()}
    assert names == set(firmware_module("package_sources").ARCHITECTURES)
    for name in names:
        package = json.loads((folders / name / "package.json").read_text())
        assert {target for target, _ in package["urls"]} == {f"tinyseal/{file}" for file in built(folders, name)}


def test_a_file_of_another_mpy_version_is_refused(tmp_path):
    (tmp_path / "in" / "x64" / "tinyseal").mkdir(parents=True)
    (tmp_path / "in" / "x64" / "tinyseal" / "old.mpy").write_bytes(b"M\x05\x00\x1f")
    with pytest.raises(ValueError, match=r"tinyseal/old\.mpy is of \.mpy version 5, wanted 6"):
        mip.write(tmp_path / "out", tmp_path / "in")
