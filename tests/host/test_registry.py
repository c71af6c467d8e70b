"""`boards.toml`: what is remembered, that people can edit and merge it, and that nobody's writing is lost."""

import subprocess
import sys
import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tinyseal_host.board import registry
from tinyseal_host.board.registry import Entry
from tinyseal_host.cli import main
from tinyseal_host.errors import TinysealError

FIRST, SECOND = bytes.fromhex("24dcc3a1b2c4"), bytes.fromhex("010203")


def test_what_is_known_stays_until_something_else_is(tmp_path):
    registry.remember(tmp_path, [Entry(FIRST, board="VIRTUAL", chip="x64", version=3), Entry(SECOND)])
    registry.remember(tmp_path, [Entry(FIRST, version=4, model="motion")])
    text = (tmp_path / "boards.toml").read_text()
    assert tomllib.loads(text) == {
        "010203": {"name": ""},
        "24dcc3a1b2c4": {"name": "", "board": "VIRTUAL", "chip": "x64", "model": "motion", "version": 4},
    }
    assert text.startswith("# ")
    assert [path.name for path in tmp_path.iterdir()] == ["boards.toml"]


def test_what_a_board_has_lost_goes(tmp_path):
    registry.remember(tmp_path, [Entry(FIRST, chip="x64", key_source="nvs", model="motion", version=3, name="left")])
    registry.remember(tmp_path, [Entry(FIRST, key_source="file", lacks=registry.OURS)])
    assert registry.read(tmp_path) == {FIRST.hex(): {"name": "left", "chip": "x64", "key_source": "file"}}


def test_what_a_person_adds_stays(tmp_path):
    (tmp_path / "boards.toml").write_text(
        '["010203"]\nname = "bench"\nplace = "rack 3"\n"bought on" = 2024\n[24dcc3a1b2c4]\nspare = true\n'
    )
    registry.remember(tmp_path, [Entry(SECOND, chip="esp32c3")])
    assert registry.read(tmp_path) == {
        "010203": {"name": "bench", "place": "rack 3", "bought on": 2024, "chip": "esp32c3"},
        "24dcc3a1b2c4": {"spare": True},
    }


VALUES = st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False)
TABLES = st.dictionaries(st.text(), VALUES, max_size=4)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(table=TABLES)
def test_every_value_survives_tomllib(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("registry")
    text = registry._table("0102", table)
    assert tomllib.loads(text) == {"0102": table}
    (folder / "boards.toml").write_text(text, encoding="utf-8", newline="")
    assert registry.read(folder) == {"0102": table}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[0102", "boards.toml"),
        (b"[bench]\n", "'bench', wanted a table for each board's id"),
        (b'0102 = "x"\n', "'0102', wanted a table"),
        (b"[0102]\nplace = [1]\n", "place of 0102 is no text"),
        (b"\xff", "utf-8"),
    ],
)
def test_a_file_that_is_not_right_is_left_as_it_is(tmp_path, text, said):
    (tmp_path / "boards.toml").write_bytes(text)
    for attempt in (lambda: registry.read(tmp_path), lambda: registry.remember(tmp_path, [Entry(FIRST)])):
        with pytest.raises(TinysealError) as raised:
            attempt()
        assert said in raised.value.message
    assert (tmp_path / "boards.toml").read_bytes() == text


def test_processes_do_not_lose_each_other_s_boards(tmp_path):
    code = (
        "import sys; from pathlib import Path; from tinyseal_host.board.registry import Entry, remember\n"
        "for n in range(20): remember(Path(sys.argv[1]), [Entry(bytes([int(sys.argv[2]), n]))])"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, tmp_path, str(n)]) for n in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert len(registry.read(tmp_path)) == 60


def test_the_folder_is_the_master_key_s(tmp_path):
    office, station = tmp_path / "office", tmp_path / "station"
    station.mkdir()
    (station / "master.key").touch()
    assert registry.folder_of([office, station]) == station
    assert registry.folder_of([office]) == office


def test_the_command_shows_and_names(tmp_path, capsys):
    registry.remember(tmp_path, [Entry(FIRST, board="VIRTUAL", version=1234)])
    assert main(["boards", str(tmp_path), "--name", "24:dc:c3:a1:b2:c4", "bench"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["id", "name", "board"]
    assert row.split()[:3] == ["24dcc3a1b2c4", "bench", "VIRTUAL"]
    assert main(["boards", str(tmp_path), "--name", "ff", "x"]) == 2
    assert main(["boards"]) == 2
    assert main(["boards", str(tmp_path / "none")]) == 0
    assert "no board was provisioned" in capsys.readouterr().out
