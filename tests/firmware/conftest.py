import pytest
from opening import Identity


@pytest.fixture(scope="session")
def identity(tmp_path_factory):
    """Keys of one board and its maker."""
    return Identity(tmp_path_factory.mktemp("identity") / "keys")
