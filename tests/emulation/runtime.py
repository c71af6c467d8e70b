"""The part of MicroPython that a compiled viper function sees: its objects in memory and the runtime's helpers.

Sources: `mp_fun_table` in py/nativeglue.h for the slots, `mp_obj_fun_bc_t` in py/objfun.h and `mp_module_context_t`
in py/bc.h for the objects. The function gets (function object, argument count, keyword count, argument words).
"""

import struct

from .errors import EmulationError, RuntimeCall
from .mpy import MpyFile

_SLOTS = (  # noqa: SIM905  (fifty words read better as a text)
    "None False True convert_obj_to_native convert_native_to_obj swap_globals load_name load_global load_build_class "
    "load_attr load_method load_super_method store_name store_global store_attr obj_subscr obj_is_true unary_op "
    "binary_op build_tuple build_list build_map build_set store_set list_append store_map make_function call_function "
    "call_method call_method_kw getiter iternext nlr_push nlr_pop raise import_name import_from import_all new_slice "
    "unpack_sequence unpack_ex delete_name delete_global make_closure arg_check setup_code_state floor_divide modulo "
    "yield_from setjmp"
).split()
_TO_NATIVE, _TO_OBJ = _SLOTS.index("convert_obj_to_native"), _SLOTS.index("convert_native_to_obj")
_FLOOR_DIVIDE, _MODULO = _SLOTS.index("floor_divide"), _SLOTS.index("modulo")
_SWAP_GLOBALS, _LOAD_GLOBAL = _SLOTS.index("swap_globals"), _SLOTS.index("load_global")

STUBS = 0x40000000
"""Where the helpers are: slot i at STUBS + 4 * i. The machines act when the code gets there."""
STUBS_END = STUBS + 4 * len(_SLOTS)

_NO_OBJECT = 0x0BAD0000  # stands for constants other than integers: nothing is mapped there


def runtime_image(mpy: MpyFile, base: int, arguments: list[int]) -> tuple[bytes, int]:
    """Memory at `base` for one call, and the address of the argument words in it; the function object is at `base`."""
    header_words = 12
    objects = base + 4 * header_words
    fun_table = objects + 4 * mpy.object_count
    qstrs = fun_table + 4 * len(_SLOTS)
    words_at = qstrs + 4 * (len(mpy.qstrs) // 2 + 1)
    context = base + 16
    header = [0, context, 0, 0, 0, 0, qstrs, objects]
    header += [0] * (header_words - len(header))
    constants = [mpy.ints.get(i, _NO_OBJECT + 16 * i) & 0xFFFFFFFF for i in range(mpy.object_count)]
    if mpy.fun_table_index is not None:
        constants[mpy.fun_table_index] = fun_table
    slots = [0, 0, 1] + [STUBS + 4 * i for i in range(3, len(_SLOTS))]
    image = struct.pack(f"<{len(header + constants + slots)}I", *header, *constants, *slots)
    image += struct.pack(f"<{len(mpy.qstrs)}H", *range(len(mpy.qstrs)))  # a name's number is its place in the file
    image = image.ljust(words_at - base, b"\0") + struct.pack(f"<{len(arguments)}I", *arguments)
    return image, words_at


def call_helper(mpy: MpyFile, address: int, first: int, second: int) -> int:
    """What the helper at `address` returns for two 32-bit words; RuntimeCall for those no leaf kernel needs.

    Objects and native values are the same here, so the converters change nothing. Division rounds down and modulo
    takes the divisor's sign, as `mp_small_int_floor_divide` and `mp_small_int_modulo` do.
    """
    slot = (address - STUBS) // 4
    if slot in (_TO_NATIVE, _TO_OBJ):
        return first
    if slot in (_FLOOR_DIVIDE, _MODULO):
        if second == 0:
            raise EmulationError("divides by zero")
        quotient, remainder = divmod(signed(first), signed(second))
        return (quotient if slot == _FLOOR_DIVIDE else remainder) & 0xFFFFFFFF
    if slot == _SWAP_GLOBALS:
        return 0  # "they are set already": the function then needs no exception handler
    if slot == _LOAD_GLOBAL:
        raise RuntimeCall(f"reads the global {mpy.qstrs[first]!r}")
    raise RuntimeCall(f"calls the runtime's {_SLOTS[slot]}")


def helper_address(name: str) -> int:
    """Where a helper is, by its name in `mp_fun_table`."""
    return STUBS + 4 * _SLOTS.index(name)


def signed(word: int) -> int:
    """A 32-bit word as two's complement."""
    return word - ((word & 0x80000000) << 1)
