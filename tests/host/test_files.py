"""Reading within limits and writing whole: what is on the disk after every kind of failure."""

import errno
import os
import stat

import pytest
from tinyseal_host import files
from tinyseal_host.errors import TinysealError, UsageError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permission bits and FIFOs are POSIX'")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    """Sets the umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def failing(number):
    """A function that fails as the operating system does, whatever it is called with."""

    def fail(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    return fail


def test_reads_up_to_the_limit(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    assert files.read_bounded(path, 5) == b"12345"
    with pytest.raises(TinysealError) as caught:
        files.read_bounded(path, 4)
    assert str(caught.value) == f"{path}: has 5 bytes, wanted at most 4"


def test_reads_an_empty_file(tmp_path):
    (tmp_path / "f").touch()
    assert files.read_bounded(tmp_path / "f", 0) == b""


@pytest.mark.parametrize("bits", [0o600, 0o640, 0o444])
def test_reads_the_permission_bits_with_the_bytes(tmp_path, bits):
    path = tmp_path / "f"
    path.write_bytes(b"x")
    path.chmod(bits)
    assert files.read_with_mode(path, 1) == (b"x", bits)


def test_names_a_missing_file(tmp_path):
    with pytest.raises(TinysealError) as caught:
        files.read_bounded(tmp_path / "f", 1)
    assert str(caught.value) == f"{tmp_path / 'f'}: no such file or directory"


def test_names_a_folder_where_a_file_is_wanted(tmp_path):
    with pytest.raises(TinysealError) as caught:
        files.read_bounded(tmp_path, 1)
    assert str(caught.value) == f"{tmp_path}: is a directory"


@pytest.mark.timeout(10)
def test_does_not_wait_for_a_fifo(tmp_path):
    os.mkfifo(tmp_path / "f")
    with pytest.raises(TinysealError) as caught:
        files.read_bounded(tmp_path / "f", 1)
    assert str(caught.value) == f"{tmp_path / 'f'}: is not a regular file"


def test_does_not_read_a_device():
    with pytest.raises(TinysealError, match=r"/dev/zero: is not a regular file"):
        files.read_bounded(files.Path("/dev/zero"), 1)


def test_writes_whole_with_the_umask_s_mode(tmp_path, umask):
    umask(0o027)
    files.write_whole(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"new"
    assert mode(tmp_path / "f") == 0o640
    assert os.listdir(tmp_path) == ["f"]


def test_write_whole_replaces_and_follows_a_link(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    files.write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "target").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link", "target"]


def write_secret(path, data):
    files.write_new(path, data, 0o600)


@pytest.mark.parametrize(
    ("write", "function", "there"),
    [
        *((files.write_whole, function, True) for function in ("open", "fsync", "replace")),
        *((write_secret, function, False) for function in ("open", "fsync", "chmod", "link")),
    ],
)
def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch, write, function, there):
    path = tmp_path / "f"
    if there:
        path.write_bytes(b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, function, failing(errno.ENOSPC))
        with pytest.raises(TinysealError) as caught:
            write(path, b"new")
    assert str(caught.value) == f"{path}: no space left on device"
    assert os.listdir(tmp_path) == (["f"] if there else [])
    assert not there or path.read_bytes() == b"old"


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_an_interrupt_leaves_what_was_there(tmp_path, monkeypatch, function):
    def interrupt(*args):
        raise KeyboardInterrupt

    path = tmp_path / "f"
    path.write_bytes(b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, function, interrupt)
        with pytest.raises(KeyboardInterrupt):
            files.write_whole(path, b"new")
    assert os.listdir(tmp_path) == ["f"]
    assert path.read_bytes() == b"old"


def test_the_longest_file_name_can_be_written(tmp_path):
    """255 bytes is the longest name of a Linux file system, of whatever characters."""
    for name in ("x" * 255, "\N{GRINNING FACE}" * 63):
        files.write_whole(tmp_path / name, b"data")
        assert (tmp_path / name).read_bytes() == b"data"


@pytest.mark.parametrize("bits", [0o600, 0o644])
def test_a_new_file_has_its_mode_from_the_first_byte(tmp_path, umask, monkeypatch, bits):
    umask(0o077)
    seen = []
    real_fsync = os.fsync

    def fsync(descriptor):
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    files.write_new(tmp_path / "f", b"secret", bits)
    assert mode(tmp_path / "f") == bits
    assert seen[0] & ~bits == 0
    assert os.listdir(tmp_path) == ["f"]


def test_a_wide_umask_does_not_open_a_secret(tmp_path, umask):
    umask(0)
    files.write_new(tmp_path / "f", b"secret", 0o600)
    assert mode(tmp_path / "f") == 0o600


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling link"])
def test_a_new_file_never_takes_a_name_that_is_taken(tmp_path, kind):
    path, other = tmp_path / "f", tmp_path / "other"
    if kind == "file":
        path.write_bytes(b"old")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(other)
        if kind == "link":
            other.write_bytes(b"old")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(TinysealError) as caught:
        files.write_new(path, b"new", 0o600)
    assert str(caught.value) == f"{path}: exists already, and is never overwritten"
    assert sorted(os.listdir(tmp_path)) == before
    for old in (path, other):
        assert not old.is_file() or old.read_bytes() == b"old"


def test_output_must_have_a_folder(tmp_path):
    path = tmp_path / "no such" / "f"
    with pytest.raises(TinysealError) as caught:
        files.check_output(path)
    assert str(caught.value) == f"{path}: its folder does not exist"
    assert caught.value.hint == f"mkdir -p '{path.parent}'"


def test_output_must_have_a_writable_folder(tmp_path, monkeypatch):
    """By access(2), which root passes always: so it is told what an ordinary user is told."""
    monkeypatch.setattr(os, "access", lambda path, bits: not bits & os.W_OK)
    with pytest.raises(TinysealError) as caught:
        files.check_output(tmp_path / "f")
    assert str(caught.value) == f"{tmp_path / 'f'}: its folder cannot be written"


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_output_must_be_a_file(tmp_path, kind):
    path = tmp_path / "f"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    endings = {"folder": "is a directory, wanted a file to write", "fifo": "is not a regular file, and is not replaced"}
    for attempt in (lambda: files.check_output(path), lambda: files.write_whole(path, b"new")):
        with pytest.raises(TinysealError) as caught:
            attempt()
        assert str(caught.value) == f"{path}: {endings[kind]}"
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("kind", ["the same", "symbolic link", "hard link"])
def test_output_must_not_be_an_input(tmp_path, kind):
    source, path = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"old")
    if kind == "the same":
        path = tmp_path / "." / "in"
    elif kind == "symbolic link":
        path.symlink_to(source)
    else:
        path.hardlink_to(source)
    with pytest.raises(UsageError) as caught:
        files.check_output(path, [tmp_path / "another", source])
    assert str(caught.value) == f"{path}: is the input, wanted another output"


def test_a_good_output_is_let_through_and_not_made(tmp_path):
    (tmp_path / "in").touch()
    files.check_output(tmp_path / "out", [tmp_path / "in"])
    assert os.listdir(tmp_path) == ["in"]
