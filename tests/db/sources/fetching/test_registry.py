"""Sources are found by their files, and made of what they declare."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.errors import UsageError
from db.sources import online
from db.sources.fetching.line import Line
from db.sources.fetching.registry import kept, make, sources
from db.sources.fetching.source import Key, Option, Source
from tests.db.sources.fetching.scripted import Scripted

NOW = datetime(2024, 1, 2, tzinfo=UTC)


class Locked(Scripted):
    """A source that needs a key and an identity."""

    name = "locked"
    options = (
        *Scripted.options,
        Option("identity", "who asks", env="WHO_ASKS", required=True, kept=False),
    )
    keys = (Key("secret", ("FIRST_KEY", "SECOND_KEY"), "from the dashboard"),)


def made(
    kind: type[Source] = Scripted,
    options: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Source:
    return make(kind, options=options or {}, environment=environment or {}, now=lambda: NOW)


def test_every_source_declares_what_its_command_is_made_from() -> None:
    found = sources()
    assert found
    assert list(found) == sorted(found)
    for name, source in found.items():
        assert source.name == name
        assert source.title.endswith(".")
        assert source.example.startswith(f"backtest ingest {name}")
        assert source.kinds
        assert any(kind.default for kind in source.kinds)
        kinds = {kind.name for kind in source.kinds}
        assert ("prices" in kinds) == bool(source.intervals)
        for option in source.options:
            assert option.help
            assert not option.choices or option.default in option.choices or option.required
            assert not (option.flag and option.choices)
        for key in source.keys:
            assert key.env, "a key comes from the environment alone"
        assert not {key.name for key in source.keys} & {option.name for option in source.options}
        assert source.pace > 0


def test_a_new_file_is_a_new_source(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(__file__).parent / "plugged"
    assert "scripted" not in sources()
    monkeypatch.setattr(online, "__path__", [*online.__path__, str(folder)])
    assert sources()["scripted"] is Scripted


def test_options_are_those_given_else_of_the_environment_else_the_usual_ones() -> None:
    environment = {"SCRIPTED_URL": "http://mine"}
    assert made().setup.options == {"flavour": "plain", "url": "http://usual", "deep": ""}
    assert made(environment=environment).setup.options["url"] == "http://mine"
    given = made(options={"url": "http://given"}, environment=environment)
    assert given.setup.options["url"] == "http://given"
    blank = made(options={"url": ""}, environment=environment)
    assert blank.setup.options["url"] == "http://mine"


def test_an_unknown_choice_is_refused_with_a_hint() -> None:
    with pytest.raises(UsageError, match="flavour od is none of plain, odd") as caught:
        made(options={"flavour": "od"})
    assert "'odd'" in caught.value.hint


def test_what_is_required_is_asked_for_with_its_reason() -> None:
    with pytest.raises(UsageError, match="locked needs --identity: who asks") as caught:
        made(Locked, environment={"FIRST_KEY": "k"})
    assert "WHO_ASKS" in caught.value.hint


def test_a_missing_key_is_asked_for_by_the_names_of_its_variables() -> None:
    with pytest.raises(UsageError, match="from the dashboard") as caught:
        made(Locked, options={"identity": "me"}, environment={"FIRST_KEY": ""})
    assert "FIRST_KEY or SECOND_KEY" in caught.value.hint


def test_a_key_comes_from_the_first_variable_that_is_set_and_is_never_shown() -> None:
    environment = {"SECOND_KEY": "hunter2", "WHO_ASKS": "me"}
    source = made(Locked, environment=environment)
    assert source.setup.keys == {"secret": "hunter2"}
    assert "hunter2" not in repr(source.setup)
    both = made(Locked, environment={**environment, "FIRST_KEY": "hunter1"})
    assert both.setup.keys == {"secret": "hunter1"}


def test_what_an_update_repeats_holds_no_key_and_nothing_of_this_machine() -> None:
    environment = {"SECOND_KEY": "hunter2", "WHO_ASKS": "me", "SCRIPTED_URL": "http://mine"}
    source = made(Locked, options={"flavour": "odd", "deep": "true"}, environment=environment)
    assert kept(source) == {"flavour": "odd", "deep": "true"}


def test_a_source_asks_at_its_own_pace_unless_given_a_line() -> None:
    assert made().setup.line.pace == Scripted.pace
    line = Line(pace=7.0)
    source = make(Scripted, options={}, environment={}, now=lambda: NOW, line=line)
    assert source.setup.line is line
    assert source.setup.now() == NOW
