"""RSASSA-PSS on the board: signatures of keys that are made for the run, and their forgeries."""

from firmware.test_rsa import (
    signer,
    test_another_message_or_another_key,
    test_encoded_messages_that_break_a_rule_of_9_1_2,
    test_every_byte_of_the_signature_counts,
    test_good_signatures,
    test_lengths,
    test_moduli_that_are_none,
    test_other_schemes_of_the_same_key,
    test_signatures_out_of_range,
)
