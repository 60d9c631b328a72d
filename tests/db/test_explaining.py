"""Why an event's release interval is what it is, in one sentence a source."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from db.errors import UsageError
from tests.db.build import FETCHED, at
from tests.db.test_release_bounds import CLOSE, MIDNIGHT, NEXT, NEXT_OPEN, exact, say


def roles(store: Any) -> dict[str, str]:
    """What became of each source's word."""
    return {role.source: role.role for role in store.explain(1).roles}


def test_one_word_alone_is_chosen(store: Any) -> None:
    say(store, "calendar", CLOSE, NEXT)
    found = store.explain(1)
    assert (found.event_id, found.symbol, found.precision) == (1, "AMD", "session")
    assert (found.announced_from, found.announced_to) == (at(CLOSE), at(NEXT))
    assert found.session == "post"
    (role,) = found.roles
    assert (role.source, role.announced_from, role.announced_to) == (
        "calendar",
        at(CLOSE),
        at(NEXT),
    )
    assert role.role == ("chosen: a part of the day; the most precise, then the newest")


def test_a_filing_that_ends_the_evening_is_said_to(store: Any) -> None:
    say(store, "edgar", MIDNIGHT, "2020-01-29 21:05")
    say(store, "calendar", CLOSE, NEXT, day=1)
    assert roles(store)["calendar"].startswith("chosen")
    assert roles(store)["edgar"] == "bounds it: not later"
    assert store.explain(1).announced_to == at("2020-01-29 21:05")


def test_a_word_that_lies_inside_of_the_chosen_one_bounds_both_ends(store: Any) -> None:
    say(store, "wire", "2020-01-29 21:01", "2020-01-29 21:05")
    say(store, "calendar", CLOSE, NEXT, day=1)
    assert roles(store)["wire"] == "says the same"


def test_a_whole_day_agrees_less_precisely(store: Any) -> None:
    exact(store, "wire", "2020-01-29 21:05")
    say(store, "page", MIDNIGHT, NEXT, precision="date", session="", day=1)
    assert roles(store) == {
        "wire": "chosen: an instant; the most precise, then the newest",
        "page": "agrees, less precisely",
    }


def test_two_sources_of_one_instant_agree(store: Any) -> None:
    exact(store, "one", "2020-01-29 21:05")
    exact(store, "two", "2020-01-29 21:05", day=1)
    assert roles(store)["two"].startswith("chosen")
    assert roles(store)["one"] == "agrees"


def test_another_instant_contradicts_it(store: Any) -> None:
    exact(store, "one", "2020-01-29 21:05")
    exact(store, "two", "2020-01-29 21:06", day=1)
    assert roles(store)["one"] == "contradicts it, and is not used"


@pytest.mark.parametrize("newest", ["evening", "morning"])
def test_an_evening_and_the_next_morning_contradict_each_other(store: Any, newest: str) -> None:
    words = {"evening": (CLOSE, NEXT, "post"), "morning": (NEXT, NEXT_OPEN, "pre")}
    for name, (since, until, session) in words.items():
        say(store, name, since, until, session=session, day=int(name == newest))
    (other,) = words.keys() - {newest}
    assert roles(store)[newest].startswith("chosen")
    assert roles(store)[other] == "contradicts it, and is not used"


def test_of_each_source_the_newest_word_is_explained(store: Any) -> None:
    say(store, "page", "2020-01-28 05:00", MIDNIGHT, precision="date", session="")
    say(store, "page", MIDNIGHT, NEXT, precision="date", session="", day=2)
    say(store, "calendar", CLOSE, NEXT, day=1)
    assert len(store.explain(1).roles) == 2
    assert roles(store)["page"] == "bounds it: not later"


def test_a_chosen_word_is_shown_though_its_source_is_less_precise_by_now(store: Any) -> None:
    """The most precise word counts: then it must be seen."""
    exact(store, "wire", "2020-01-29 21:05")
    say(store, "wire", CLOSE, NEXT, day=1)
    found = store.explain(1)
    assert found.precision == "exact"
    (chosen,) = [role for role in found.roles if role.role.startswith("chosen")]
    assert (chosen.announced_from, chosen.precision) == (at("2020-01-29 21:05"), "exact")
    (later,) = [role for role in found.roles if role is not chosen]
    assert (later.precision, later.role) == ("session", "agrees, less precisely")


def test_exactly_one_word_is_chosen(store: Any) -> None:
    for day, source in enumerate(("one", "two", "three")):
        say(store, source, CLOSE, NEXT, day=day)
    chosen = [name for name, role in roles(store).items() if role.startswith("chosen")]
    assert chosen == ["three"]


@pytest.mark.parametrize("number", [0, 2, -1])
def test_an_event_that_is_not_there_is_wrong_use(store: Any, number: int) -> None:
    say(store, "calendar", CLOSE, NEXT)
    with pytest.raises(UsageError, match=f"no event {number}"):
        store.explain(number)


def test_words_are_in_the_order_in_which_they_were_known(store: Any) -> None:
    say(store, "late", CLOSE, NEXT, first_known_at=FETCHED + timedelta(days=9))
    say(store, "early", CLOSE, NEXT, first_known_at=at("2020-01-01 00:00"), day=1)
    assert [role.source for role in store.explain(1).roles] == ["early", "late"]
