import pytest
import vm
from opening import Identity


@pytest.fixture(params=["x64", "bytecode"], ids=["native", "plain"])
def firmware(request, monkeypatch):
    """The package with native kernels, and that of boards without the native emitter."""
    monkeypatch.setattr(vm, "FIRMWARE", request.param)
    return request.param


@pytest.fixture(scope="session")
def identity(tmp_path_factory):
    """Keys of one board and its maker."""
    return Identity(tmp_path_factory.mktemp("identity") / "keys")
