"""From a `.tflite` and a contract to a signed release."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from .contract_toml import read_contract
from .files import MODEL_LIMIT, read_bounded
from .formats import MAX_NAME_LEN
from .model.compiler import compile_model
from .sealing import sign


def build(model: Path, contract: Path, *, version: int, name: str | None, signing_key: RSAPrivateKey) -> bytes:
    """The signed release of a model file, named after it unless told otherwise; TinysealError."""
    rules = read_contract(contract)
    body = compile_model(
        read_bounded(model, MODEL_LIMIT), model, rules, name=name or default_name(model), version=version
    )
    return sign(body, signing_key)


def default_name(model: Path) -> str:
    """The file's stem, as much of it as a release has room for."""
    return model.stem.encode(errors="ignore")[:MAX_NAME_LEN].decode(errors="ignore")
