"""AES-GCM, HKDF, HMAC, SHA-256 and RSA by the board's engines: the standards' vectors, faulty engines, wiping."""

import pytest
from firmware.test_gcm import answer_and_compare, test_every_nist_case_of_our_nonce_and_tag_length
from firmware.test_gcm import test_views_are_opened_where_they_lie as test_gcm_of_views
from firmware.test_gcm import test_what_no_kernel_may_be_given_is_a_value_error as test_gcm_of_what_no_kernel_takes
from firmware.test_gcm_engine import (
    test_an_engine_of_zeros_opens_nothing,
    test_an_engine_that_changes_nothing_opens_nothing,
    test_another_key_s_known_answer_is_refused_before_the_tag,
)
from firmware.test_gcm_engine import test_check_engine_notices as test_check_of_aes_notices
from firmware.test_hkdf import test_check_engine_notices as test_check_of_sha256_notices
from firmware.test_hkdf import (
    test_hkdf_of_rfc_5869,
    test_hkdf_refuses_more_than_255_blocks,
    test_hmac_of_parts_is_that_of_the_whole,
    test_hmac_of_rfc_4231,
    test_hmac_of_rfc_4231_truncated,
    test_no_digest_of_the_derivation_is_left_in_memory,
    test_sha256_of_parts_is_that_of_the_whole,
)
from firmware.test_memory import (
    test_aligned,
    test_equal_sees_every_bit_and_the_length,
    test_wipe_clears_all_of_a_buffer_and_nothing_else,
    test_wipe_inside_says_whether_it_found_the_key,
)
from firmware.test_rsa_nist import (
    cases,
    test_another_salt_length_or_exponent_is_a_forgery,
    test_the_verdict_is_nists,
)

pytestmark = pytest.mark.usefixtures("kept")

_CHUNK_END = 4064  # of what the first chunk of keystream is for


def test_gcm_of_lengths_that_meet_the_ends_of_blocks_and_chunks():
    """Against pyca, and no bit of them may be changed."""
    answer_and_compare([(length, 64) for length in (*range(34), 47, 48, 49, *range(_CHUNK_END - 1, _CHUNK_END + 2))])
