import pytest
from toml_contracts import GOOD


@pytest.fixture
def toml(tmp_path):
    """Writes a contract in which some keys have other values, or None for none, and returns its path."""

    def write(**changes):
        lines = [f"{key} = {value}" for key, value in (GOOD | changes).items() if value is not None]
        path = tmp_path / "c.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write
