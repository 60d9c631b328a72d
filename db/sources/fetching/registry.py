"""The online sources there are: every module of `db.sources.online` names its ``SOURCE``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from datetime import datetime

from db.errors import UsageError, did_you_mean
from db.sources import online
from db.sources.fetching.line import Line
from db.sources.fetching.source import Setup, Source


def sources() -> dict[str, type[Source]]:
    """All sources by name, in order of their names."""
    found: dict[str, type[Source]] = {}
    for module in pkgutil.iter_modules(online.__path__, f"{online.__name__}."):
        source: type[Source] = importlib.import_module(module.name).SOURCE
        found[source.name] = source
    return dict(sorted(found.items()))


def make(
    kind: type[Source],
    *,
    options: Mapping[str, str],
    environment: Mapping[str, str],
    now: Callable[[], datetime],
    line: Line | None = None,
) -> Source:
    """A source ready to be asked, with its options checked and its keys read.

    ``options`` are those given; the rest come from the environment or are the defaults.
    UsageError: an unknown value, a required option or a key that is not set.
    """
    return kind(
        Setup(
            line=line or Line(pace=kind.pace),
            now=now,
            options=_options(kind, options, environment),
            keys=_keys(kind, environment),
        )
    )


def kept(source: Source) -> dict[str, str]:
    """The options that say what comes, as an update repeats them; never a key."""
    return {
        option.name: source.setup.options[option.name] for option in source.options if option.kept
    }


def _options(
    kind: type[Source], given: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, str]:
    values: dict[str, str] = {}
    for option in kind.options:
        value = given.get(option.name) or environment.get(option.env, "") or option.default
        if option.choices and value not in option.choices:
            raise UsageError(
                f"--{option.name} {value} is none of {', '.join(option.choices)}",
                hint=did_you_mean(value, option.choices, kind=option.name),
            )
        if option.required and not value:
            where = f" or set {option.env}" if option.env else ""
            raise UsageError(
                f"{kind.name} needs --{option.name}: {option.help}",
                hint=f"give --{option.name} ...{where}",
            )
        values[option.name] = value
    return values


def _keys(kind: type[Source], environment: Mapping[str, str]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for key in kind.keys:
        found = next((environment[name] for name in key.env if environment.get(name)), None)
        if found is None:
            raise UsageError(
                f"{kind.name} needs a key, {key.help}",
                hint=f"set {' or '.join(key.env)} in the environment; it is never stored",
            )
        keys[key.name] = found
    return keys
