"""The short form of `make attack` on files: a part of every kind of change, and random structures."""

import pytest
from attack import families, structures
from attack.board import open_all
from attack.edits import Flip
from attack.judging import judge
from attack.target import Target

FILES = 120  # of each family; the whole has 3,000 to 28,000
HEADER_BITS = 512  # the changes of a family that has flips begin with these; every third is made
STRUCTURES = 100


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    return Target(tmp_path_factory.mktemp("target") / "keys")


@pytest.mark.parametrize("index", range(5))
def test_no_change_of_a_file_is_accepted(target, index):
    """Changes spread over all there are; what is left in memory is looked for in all that the VM has."""
    family = families.families(target)[index]
    step = len(family.edits) // FILES | 1  # odd, so that all eight bits of a byte have their turn
    edits = family.edits[:HEADER_BITS:3] + family.edits[HEADER_BITS::step]
    tally = families.attack(target, family, edits, search=True)
    assert tally.wrong == []
    assert (tally.tried, tally.clean) == (len(edits), True)


def test_every_family_is_attacked_here(target):
    assert len(families.families(target)) == 5


def test_random_structures_meet_the_host_s_verdict(target):
    """They are no test of the parsers alone: some open, and some fail nothing but their self-test."""
    files = structures.draw_files(target, STRUCTURES, number=0)
    tally = judge(target, structures.named(files, 0), rightful=True)
    assert tally.wrong == []
    assert (tally.tried, tally.clean) == (STRUCTURES, True)
    assert {answer.code for answer in open_all(target, files).answers} >= {"OK", "SELF_TEST", "RELEASE", "FORMAT"}


def test_what_opens_is_counted_as_accepted(target):
    """The good file, judged as if no rightful signer had made it: so acceptance is not overlooked."""
    assert judge(target, {"good": target.sealed}, rightful=False).accepted == 1
    assert judge(target, {"good": target.sealed}, rightful=True).clean


def test_a_hostile_length_asks_for_no_memory(target):
    """Every bit of payload_len, 2^31 among them: refused before anything is asked for by it."""
    files = [Flip(8 * 28 + bit).apply(target.sealed) for bit in range(32)]
    answers = open_all(target, files).answers
    assert {answer.code for answer in answers} == {"FORMAT"}
    assert max(answer.asked for answer in answers) < 8192
