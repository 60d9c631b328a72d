"""What a strategy looked at: its parameters, recorded while it decides.

Two settings that agree in every parameter that a decision looked at come to the same decision,
whatever the others are.  That holds for branches too: a parameter behind an ``if`` that was not
entered was not looked at, and the value that the ``if`` looked at is on record.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from backtest.execution import Exits
from backtest.strategy import Strategy

T = TypeVar("T")


def watched(strategy: Strategy) -> tuple[Strategy, dict[str, Any]]:
    """A copy that behaves alike, and a record ``{name: value}`` that grows as it is read.

    Fields of `Exits` are recorded by themselves, as ``exits.target``.  Whatever takes all fields
    at once (a hash, a comparison, ``vars``) is recorded as reading them all.
    """
    seen: dict[str, Any] = {}
    values = dict(vars(strategy))
    for spec in dataclasses.fields(strategy):
        value = values.get(spec.name)
        if isinstance(value, Exits):
            values[spec.name] = _watch(value, dict(vars(value)), seen, f"{spec.name}.")
    return _watch(strategy, values, seen, ""), seen


def _watch(original: T, values: dict[str, Any], seen: dict[str, Any], prefix: str) -> T:
    """An object of a subclass whose attribute reads are recorded."""
    cls: Any = type(original)
    fields = {spec.name for spec in dataclasses.fields(cls)}

    def note(self: Any, name: str) -> None:
        value = cls.__getattribute__(self, name)
        if not isinstance(value, Exits):
            seen.setdefault(prefix + name, value)

    def get(self: Any, name: str) -> Any:
        if name in fields:
            note(self, name)
        elif name == "__dict__":
            for one in fields:
                note(self, one)
                nested = cls.__getattribute__(self, one)
                if isinstance(nested, Exits):
                    _ = nested.__dict__
        elif name == "__class__":
            # A dataclass compares classes by identity: the copy must be equal to its original.
            return cls
        return cls.__getattribute__(self, name)

    def reduce(self: Any, protocol: Any) -> Any:
        # Copying and pickling take everything at once, past every attribute: they get a plain one.
        _ = self.__dict__
        plain = object.__new__(cls)
        for name, value in originals.items():
            object.__setattr__(plain, name, value)
        return object.__reduce_ex__(plain, protocol)

    originals = dict(vars(original))
    body = {
        "__getattribute__": get,
        "__reduce_ex__": reduce,
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": cls.__doc__,
    }
    copy: T = object.__new__(type(cls.__name__, (cls,), body))
    for name, value in values.items():
        object.__setattr__(copy, name, value)
    return copy
