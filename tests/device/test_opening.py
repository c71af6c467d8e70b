"""`tinyseal.open()` on the board, of files beside the tests: every refusal by its code, and by the host's twin's."""

import tiny_release
from firmware.test_open import (
    VERSION,
    seal_anything,
    signed,
    test_a_board_without_its_keys,
    test_a_slot_that_does_not_open_gives_way_to_the_other,
    test_closed_model_refuses_frames_and_opening_again_works,
    test_frames_are_counted_by_status,
    test_good_file_opens,
    test_memory_that_ends_beside_the_crypto_is_an_answer_too,
    test_no_model,
    test_refusals_before_the_signature,
    test_self_test_decides,
    test_the_floor_rises_with_the_model_that_opened,
    with_a_bit_changed,
)
from firmware.test_open_structures import test_a_ring_is_of_channels_in_eights, test_a_short_table_is_of_one_block
from opening import same_verdicts


def test_every_part_of_a_sealed_file_counts(identity):
    """One bit of each field of the header, of ciphertext at both ends and in the middle, and of the tag."""
    sealed = seal_anything(signed(tiny_release.body(VERSION), identity), identity)
    places = [0, 4, 5, 6, 7, 8, 12, 16, 23, 24, 28, 32, 43, 44, 48, 63, 64, len(sealed) // 2, len(sealed) - 17]
    places += [len(sealed) - 16, len(sealed) - 1]
    files = {f"byte{at}": with_a_bit_changed(sealed, at) for at in places}
    assert "OK" not in same_verdicts(files, identity).values()
