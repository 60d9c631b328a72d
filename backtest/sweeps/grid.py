"""The settings of a sweep: lists of values for some parameters, and all their combinations."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from backtest.execution import Exits
from backtest.paths import IntArray
from backtest.strategy import Strategy
from db.errors import UsageError, did_you_mean

LONGEST_AXIS = 10_000
STATISTIC_BYTES, MONTH_BYTES = 400, 32
"""Of one combination: its sums and its table's row; and of each of its months."""
SHARD_BYTES, SHARD_MONTH_BYTES = 500, 50
"""Of one cell that a thread is adding to, while it does; and of each of its months."""


@dataclass(frozen=True)
class Axis:
    """One parameter with the values that it takes, in the order in which they were given."""

    name: str
    values: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, eq=False)
class Grid:
    """All combinations of the axes' values, the last axis running fastest."""

    strategy: Strategy
    """With every parameter that is not an axis as it shall be."""
    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        return math.prod(self.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis."""
        return tuple(len(axis) for axis in self.axes)

    def places(self, axis: int) -> IntArray:
        """For each combination the place of its value on an axis."""
        after = math.prod(self.shape[axis + 1 :])
        before = math.prod(self.shape[:axis])
        return np.tile(np.repeat(np.arange(self.shape[axis]), after), before)

    def params(self, combination: int) -> dict[str, Any]:
        """The axes' values of one combination, by name."""
        places = np.unravel_index(combination, self.shape) if self.axes else ()
        return {
            axis.name: axis.values[int(place)]
            for axis, place in zip(self.axes, places, strict=True)
        }

    def setting(self, combination: int) -> Strategy:
        """The strategy of one combination."""
        return self.strategy.with_params(self.params(combination))

    @cached_property
    def separable(self) -> bool:
        """Whether every field is what the grid says, whatever the others are.

        A strategy with a ``__post_init__`` of its own may refuse combinations, or set its exits
        by other fields: then each combination is made once and looked at.
        """
        cls = type(self.strategy)
        return (
            cls.__post_init__ is Strategy.__post_init__ and cls.with_params is Strategy.with_params
        )

    def exits(self) -> list[Exits] | None:
        """The exits of each combination; None where they are the axes' and nothing else.

        Raises UsageError for a combination that the strategy refuses.
        """
        if self.separable:
            return None
        found = []
        for combination in range(len(self)):
            try:
                found.append(self.setting(combination).exits)
            except UsageError as error:
                named = ", ".join(f"{k}={v}" for k, v in self.params(combination).items())
                raise UsageError(
                    f"the grid holds a combination that cannot be: {error.what}",
                    where=named,
                    hint=error.hint or "leave it out of the lists",
                ) from None
        return found

    def bytes_needed(self, months: int, *, sums: int = 0, shards: int = 0) -> int:
        """Memory of the matrices: of the combinations or, if they are more, the ``sums`` that they
        are taken from, and of the ``shards``, the cells that the threads work on at one time.
        """
        kept = max(len(self), sums) * (STATISTIC_BYTES + months * MONTH_BYTES)
        return kept + shards * (SHARD_BYTES + months * SHARD_MONTH_BYTES)

    def require_memory(
        self, months: int, *, sums: int = 0, shards: int = 0, limit: int | None = None
    ) -> None:
        """UsageError where the matrices would not fit, with the numbers."""
        limit = memory_limit() if limit is None else limit
        needed = self.bytes_needed(months, sums=sums, shards=shards)
        if needed > limit:
            sizes = " x ".join(f"{len(axis)} {axis.name}" for axis in self.axes)
            over = f" over {months} months" if months else ""
            raise UsageError(
                f"{sizes} = {len(self):,} combinations{over} need "
                f"{needed / 1e9:,.1f} GB, and {limit / 1e9:,.1f} GB are allowed",
                hint="a coarser step, or one parameter at a time",
            )


def memory_limit() -> int:
    """Half of what the machine, or the container, has (bytes)."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    capped = Path("/sys/fs/cgroup/memory.max")
    if capped.is_file() and (text := capped.read_text().strip()).isdigit():
        total = min(total, int(text))
    return total // 2


def parse_grid(strategy: Strategy, spec: Mapping[str, Any]) -> Grid:
    """A grid from ``{"drop": "0.02:0.12:0.01", "exits.hold": [1, 2, 5], "rebound": 0.02}``.

    Text is a list by commas, each part a value or ``from:to:step`` with both ends included.  One
    value sets the parameter; two or more make an axis.

    Raises UsageError for a name that the strategy does not have, a value out of its bounds, and
    a list that is empty or names a value twice.
    """
    fixed: dict[str, Any] = {}
    axes = []
    for name, given in spec.items():
        _require_parameter(strategy, name)
        kind = _kind_of(strategy, name)
        raw = list(_spelled_out(name, given, kind))
        values = tuple(_value(strategy, name, one, kind) for one in raw)
        if not values:
            raise UsageError(f"{name} has no value", hint=f"-p {name}=0.02:0.10:0.02")
        _refuse_repeats(name, values)
        if len(values) == 1:
            fixed[name] = values[0]
        else:
            axes.append(Axis(name, values))
    grid = Grid(strategy.with_params(fixed), tuple(axes))
    grid.require_memory(months=0)
    return grid


def _require_parameter(strategy: Strategy, name: str) -> None:
    known = strategy.params
    if name not in known:
        raise UsageError(
            f"{type(strategy).__name__} has no parameter {name!r}",
            hint=did_you_mean(name, known, kind="parameter"),
        )


def _kind_of(strategy: Strategy, name: str) -> str:
    """The annotation of a field, as text."""
    owner: Any = strategy
    if name.startswith("exits."):
        owner, name = strategy.exits, name.removeprefix("exits.")
    spec = next(one for one in dataclasses.fields(owner) if one.name == name)
    return spec.type if isinstance(spec.type, str) else getattr(spec.type, "__name__", "")


def _spelled_out(name: str, given: Any, kind: str) -> Iterable[Any]:
    if isinstance(given, str):
        numeric = "float" in kind or "int" in kind
        for part in given.split(","):
            if numeric and ":" in part:
                yield from _range(name, part)
            else:
                yield part.strip()
    elif isinstance(given, Iterable):
        yield from given
    else:
        yield given


def _range(name: str, text: str) -> list[str]:
    """``0.02:0.12:0.05`` -> ``["0.02", "0.07", "0.12"]``, in decimals, so that no end is missed."""
    wrong = UsageError(f"{name} takes from:to:step, not {text!r}", hint=f"-p {name}=0.02:0.12:0.02")
    try:
        parts = [Decimal(part.strip()) for part in text.split(":")]
    except InvalidOperation:
        raise wrong from None
    if len(parts) != 3 or not all(part.is_finite() for part in parts):
        raise wrong
    low, high, step = parts
    if step <= 0 or high < low:
        raise UsageError(
            f"{name}={text} goes nowhere",
            hint="from the smaller to the larger value, with a step above 0",
        )
    count = int((high - low) / step) + 1
    if count > LONGEST_AXIS:
        raise UsageError(
            f"{name}={text} has {count:,} values, and {LONGEST_AXIS:,} are allowed",
            hint="a larger step",
        )
    return [format(low + step * k, "f") for k in range(count)]


def _value(strategy: Strategy, name: str, given: Any, kind: str) -> Any:
    """A value as the field holds it, checked against its bounds."""
    if isinstance(given, np.generic):
        given = given.item()
    if "int" in kind and "float" not in kind and isinstance(given, float) and given == int(given):
        given = int(given)
    if isinstance(given, str) and "int" in kind and "float" not in kind:
        given = given.removesuffix(".0")
    try:
        return strategy.with_params({name: given}).params[name]
    except UsageError as error:
        raise UsageError(error.what, where=f"-p {name}", hint=error.hint) from None


def _refuse_repeats(name: str, values: Sequence[Any]) -> None:
    seen = set()
    for value in values:
        # True is not 1 on an axis of switches and numbers.
        key = isinstance(value, bool), value
        if key in seen:
            raise UsageError(f"{name} has the value {value!r} twice")
        seen.add(key)
