"""Keys on the host: made, loaded strictly, and derived for a board exactly as FORMAT.md section 1 has it.

No key leaves this package in a message: errors name files, lengths and kinds, never contents.
"""

from .derived import (
    DEVICE_KEY_INFO,
    EFUSE_ROOT_INFO,
    FILE_SEED_INFO,
    device_key,
    master_fingerprint,
    modulus,
    provisioned_secret,
    signer_fingerprint,
)
from .device_ids import parse_device_id, read_device_list
from .key_files import (
    Ask,
    KeyKind,
    PassphraseError,
    find_signer,
    generate,
    load_master,
    load_signer,
    load_signing_key,
)
from .listing import KeyFile, list_keys

__all__ = [
    "DEVICE_KEY_INFO",
    "EFUSE_ROOT_INFO",
    "FILE_SEED_INFO",
    "Ask",
    "KeyFile",
    "KeyKind",
    "PassphraseError",
    "device_key",
    "find_signer",
    "generate",
    "list_keys",
    "load_master",
    "load_signer",
    "load_signing_key",
    "master_fingerprint",
    "modulus",
    "parse_device_id",
    "provisioned_secret",
    "read_device_list",
    "signer_fingerprint",
]
