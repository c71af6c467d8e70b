"""What a person is told: exit statuses, codes that this version does not know, and text that stays on its line."""

import pytest
from tinyseal_host.errors import BoardError, Refusal, RefusedError, TinysealError, UsageError, quoted


@pytest.mark.parametrize(
    ("error", "status"),
    [(TinysealError("m"), 1), (UsageError("m"), 2), (RefusedError(2, "m"), 3), (BoardError("m"), 4)],
)
def test_each_class_has_the_exit_status_of_the_manual(error, status):
    assert isinstance(error, TinysealError)
    assert error.exit_status == status


def test_message_and_hint_are_kept_apart():
    error = TinysealError("got this", hint="do that")
    assert (str(error), error.message, error.hint) == ("got this", "got this", "do that")
    assert TinysealError("got this").hint is None


@pytest.mark.parametrize(("code", "name"), [(7, "AUTHENTICATION"), (12, "CLOSED"), (0, "CODE 0"), (14, "CODE 14")])
def test_a_refusal_names_its_code_also_when_it_is_unknown(code, name):
    error = RefusedError(code, "m")
    assert (error.code, error.name) == (code, name)
    assert type(error.code) is int


def test_a_refusal_takes_the_enumeration_too():
    assert RefusedError(Refusal.ROLLBACK, "m").code == 4


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", '"plain"'),
        ("", '""'),
        ("zwölf", '"zwölf"'),
        ("two\nlines", "'two\\nlines'"),
        ("\x1b[31mred", "'\\x1b[31mred'"),
        ("\udcff", "'\\udcff'"),
        ("\u202eright to left", "'\\u202eright to left'"),
        ("x" * 58, '"' + "x" * 58 + '"'),
        ("x" * 59, '"' + "x" * 56 + "..."),
    ],
)
def test_quoted_text_is_one_short_printable_line(text, shown):
    assert quoted(text) == shown
