"""Reads the standards' test vectors that come in the package `cryptography_vectors`."""

from collections.abc import Iterator

import cryptography_vectors


def records(path: str, first: str) -> Iterator[dict[str, str]]:
    """The records of a vector file, each beginning with the field `first`.

    Every record has the `[name = value]` fields of its section too; lines that are a bare word have the value "".
    """
    with cryptography_vectors.open_vector_file(path, "r") as file:
        lines = [line.strip() for line in file]
    section: dict[str, str] = {}
    record: dict[str, str] = {}
    for line in lines:
        if not line or line.startswith("#"):
            continue
        name, _, value = (part.strip() for part in line.strip("[]").partition("="))
        if line.startswith("[") or name == first:
            if record:
                yield record
            record = {}
        if line.startswith("["):
            section[name] = value
        else:
            record = {**(record or section), name: value}
    if record:
        yield record
