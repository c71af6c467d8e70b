"""Contracts in TOML, written for a test with some keys changed."""

import pytest
from tinyseal_host.contract_toml import read_contract
from tinyseal_host.errors import TinysealError

GOOD = {"type": '"float32"', "length": "600", "range": "[-20.0, 20]", "zero_ratio": "0.3", "labels": '["on", "off"]'}
RANGE_WANTED = "two finite float32 numbers, the lower one first"


def fault(path):
    """The message that reading `path` ends with, without the path; always one line."""
    with pytest.raises(TinysealError) as caught:
        read_contract(path)
    assert type(caught.value) is TinysealError
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")
