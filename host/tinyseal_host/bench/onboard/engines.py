"""On the board: AES, SHA-256, GHASH, counters, RSA, opening sealed data, each with a digest of its answer."""

import ucryptolib
import uhashlib
from tinyseal import ctr, gcm, ghash, memory, rsa

_KEY = bytes(range(32))
_BUFFER = 4096
_PAGE = bytearray(_BUFFER)


def engines():
    """{name: [best, worst, digest]}; all data are zeros, the key is 00 01 .. 1f, H is AES of a block of zeros."""
    found = {"call": best(lambda: None) + [""]}
    aes = ucryptolib.aes(_KEY, 1)
    for name, n in (("aes_block", 16), ("aes_buffer", _BUFFER)):
        data = memoryview(_PAGE)[:n]
        into = bytearray(n)
        found[name] = best(lambda: aes.encrypt(data, into)) + [digest(into)]
    for name, n in (("sha256_block", 64), ("sha256_buffer", _BUFFER)):
        data = memoryview(_PAGE)[:n]
        found[name] = best(lambda: uhashlib.sha256(data).digest()) + [digest(data)]
    table = bytearray(ghash.TABLE)
    subkey = aes.encrypt(bytes(16))
    found["ghash_table"] = best(lambda: ghash.build_into(table, subkey)) + [""]
    state = bytearray(16)
    found["ghash_buffer"] = best(lambda: ghash.update(_PAGE, 0, table, state, _BUFFER)) + [""]
    memory.wipe(state)
    page = bytearray(b"\x01" * _BUFFER)
    ghash.update(page, 0, table, state, _BUFFER)
    ghash.update(bytearray((8 * _BUFFER).to_bytes(8, "big") + bytes(8)), 0, table, state, 16)  # as GCM ends
    found["ghash_buffer"][2] = found["ghash_table"][2] = digest(state)
    chunks = bytearray(_BUFFER)
    ctr.start(chunks, bytes(12), 256)
    found["ctr_counters"] = best(lambda: ctr.advance(chunks, 0, 1, 256)) + [digest(chunks)]
    found["ctr_xor"] = best(lambda: ctr.xor_into(chunks, page, _BUFFER)) + [""]
    memory.wipe(chunks)
    ctr.xor_into(chunks, page, _BUFFER)
    found["ctr_xor"][2] = digest(chunks)
    found["wipe"] = best(lambda: memory.wipe(page)) + [digest(page)]
    return found


def opening(n, tag):
    """[best, worst, digest] of n bytes of ciphertext, all zeros, or None without the memory for it."""
    gc.collect()
    try:
        data = bytearray(n)
        work = gcm.Work()
    except MemoryError:
        return None
    rounds = []
    for _ in range(_ROUNDS):
        memory.wipe(data)
        start = ticks_us()
        gcm.open_in_place(_KEY, bytes(12), bytes(48), data, tag, None, work)
        rounds.append(ticks_diff(ticks_us(), start))
    return [min(rounds), max(rounds), digest(data)]


def signature(modulus, hashed, signed):
    """[best, worst, "True" when the signature is right]."""
    return best(lambda: rsa.verify(modulus, hashed, signed)) + [str(bool(rsa.verify(modulus, hashed, signed)))]
