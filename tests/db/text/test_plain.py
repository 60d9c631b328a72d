"""Text as it is kept: readable, bounded, and without what only a machine obeys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.text.charsets import decoded
from db.text.plain import bounded_text, clean_line, clean_text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a \t\xa0 b", "a b"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("Mil\u00adliarden", "Milliarden"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("hidden\U000e0041\U000e0042", "hidden"),
        ("half \ud800", "half \ufffd"),
        ("\u05e2\u200f!", "\u05e2\u200f!"),
    ],
)
def test_text_is_cleaned(text, kept):
    assert clean_text(text) == kept


@given(st.text(alphabet=st.characters()))
def test_whatever_is_cleaned_can_be_stored_and_stays_clean(text):
    cleaned = clean_text(text)
    cleaned.encode("utf-8")
    assert "\x00" not in cleaned
    assert clean_text(cleaned) == cleaned
    assert "\n" not in clean_line(text)


def test_lines_and_texts_are_cut_and_texts_say_so():
    assert clean_line("word " * 1000, 20) == "word word word word…"
    assert bounded_text("short") == ("short", "")
    text, note = bounded_text("word " * 1000, 100)
    assert len(text) <= 100
    assert "100 of 5,000" in note


@given(st.binary(max_size=300))
def test_any_bytes_become_text_or_are_refused(data):
    from db.errors import DataError

    try:
        text, _, _ = decoded(data)
    except DataError:
        return
    assert isinstance(text, str)
