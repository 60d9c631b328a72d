"""How a strategy is written: a frozen dataclass with one pure method.

    @dataclass(frozen=True)
    class GapReversal(Strategy):
        events: ClassVar = earnings()
        drop: float = param(0.05, ge=0, le=0.5, help="fall of the open that is bought")
        exits: Exits = Exits(target=0.10, hold=0)

        def entries(self, p: EventPanel) -> Entries:
            return limit_on_open(p.reference * (1 - self.drop))

Its fields are the command line's ``-p`` options, the sweep's axes, its repr and its hash.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, TypeVar

import numpy as np

from backtest.execution import Exits
from backtest.paths import BoolArray, FloatArray
from db.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from backtest.panel.panel import EventPanel

PhaseName = Literal["pre", "regular", "post"]
_PHASES: tuple[PhaseName, ...] = ("pre", "regular", "post")


@dataclass(frozen=True)
class EventFilter:
    """Which events start a window: their kind and, for earnings, in which session they fall."""

    kind: Literal["earnings", "news"]
    sessions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} ({', '.join(self.sessions)})" if self.sessions else self.kind


def earnings(session: str | tuple[str, ...] = ()) -> EventFilter:
    """Earnings releases; ``session`` keeps those of ``pre``, ``regular`` or ``post`` alone."""
    return EventFilter("earnings", _session_names(session))


def news(session: str | tuple[str, ...] = ()) -> EventFilter:
    """News items that name an instrument; ``session`` as in `earnings`."""
    return EventFilter("news", _session_names(session))


def _session_names(session: str | tuple[str, ...]) -> tuple[str, ...]:
    names = (session,) if isinstance(session, str) else tuple(session)
    for name in names:
        if name not in (*_PHASES, "closed"):
            hint = did_you_mean(name, _PHASES, kind="session")
            raise UsageError(f"unknown session {name!r}", hint=hint)
    return names


@dataclass(frozen=True, eq=False)
class LimitOnOpen:
    """Limit-on-open orders for the reaction session, placed before it opens."""

    price: FloatArray
    """One limit an event (N or N x 1); NaN places no order."""


@dataclass(frozen=True, eq=False)
class OnOpen:
    """Decisions made at the opening price of a bar, filled on a later one."""

    mask: BoolArray


Entries: TypeAlias = "BoolArray | LimitOnOpen | OnOpen"


def limit_on_open(price: FloatArray) -> LimitOnOpen:
    """Buy (or sell short) at the reaction session's open if it is at ``price`` or better.

    This is what "buy a gap of -5 % or worse" means: the order stands before the open, so the
    opening print decides it without anybody having seen it.
    """
    return LimitOnOpen(np.asarray(price, dtype=np.float64))


def on_open(mask: BoolArray) -> OnOpen:
    """Decide at the open of the marked bars, having read it; filled on the bar after.

    With daily bars that would be the next day, so it is refused unless the strategy sets
    ``same_print``, which fills at the very open that was read and marks the trade.
    """
    return OnOpen(np.asarray(mask, dtype=np.bool_))


def param(
    default: Any,
    *,
    ge: float | None = None,
    le: float | None = None,
    choices: tuple[str, ...] = (),
    help: str = "",  # noqa: A002 - the word the command line's own parsers use
) -> Any:
    """A strategy's parameter: default, closed bounds or choices, and a line of help."""
    return field(
        default=default, metadata={"ge": ge, "le": le, "choices": tuple(choices), "help": help}
    )


Self = TypeVar("Self", bound="Strategy")


@dataclass(frozen=True)
class Strategy:
    """Base of every strategy; see the module's docstring for one in full.

    Class attributes say what it needs, fields what can be varied.  ``entries`` sees arrays in
    which column t is known at the end of bar t and returns one of

    * events x bars of bool: decided at the end of each True bar (the first one counts), filled
      on a later bar by the rules of that bar's phase;
    * `limit_on_open`: orders placed before the reaction session's open;
    * `on_open`: decisions that read an opening price.
    """

    events: ClassVar[EventFilter] = EventFilter("earnings")
    phases: ClassVar[tuple[PhaseName, ...]] = ("regular",)
    side: ClassVar[Literal["long", "short"]] = "long"
    same_print: ClassVar[bool] = False
    interval: ClassVar[str] = ""
    """The interval it is usually run on; empty: the store's only one, or daily."""

    exits: Exits = field(default=Exits(), kw_only=True)

    def __post_init__(self) -> None:
        _check_attributes(type(self))
        for spec in dataclasses.fields(self):
            _check_bounds(spec, getattr(self, spec.name))

    def entries(self, p: EventPanel) -> Entries:
        """Decide; pure: the same panel gives the same answer."""
        raise UsageError(
            f"{type(self).__name__} does not say when it enters",
            hint="define entries(self, p), which returns events x bars of bool",
        )

    def rank(self, p: EventPanel) -> FloatArray | None:
        """Which of several candidates at one instant goes first: higher is better.

        Events x bars, read at the deciding bar; None leaves it to a seeded, neutral order.
        """
        return None

    def setup(self, p: EventPanel) -> BoolArray | None:
        """Events that show the situation the idea is about (N), triggered or not.

        They get a base rate of their own beside that of all events.
        """
        return None

    def why_not(self, p: EventPanel) -> Mapping[str, BoolArray]:
        """Reasons (N each) that say more than "not triggered"; the first that holds counts."""
        return {}

    @property
    def params(self) -> dict[str, Any]:
        """Every parameter with its value, nested ones as ``exits.target``."""
        found: dict[str, Any] = {}
        for spec in dataclasses.fields(self):
            value = getattr(self, spec.name)
            if isinstance(value, Exits):
                for inner in dataclasses.fields(value):
                    found[f"{spec.name}.{inner.name}"] = getattr(value, inner.name)
            else:
                found[spec.name] = value
        return found

    def with_params(self: Self, values: Mapping[str, Any]) -> Self:
        """A copy with some parameters changed; text is read as the field's type.

        Raises UsageError for an unknown name (with the nearest one) or a value out of bounds.
        """
        known = self.params
        changes: dict[str, Any] = {}
        exits: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                raise UsageError(
                    f"{type(self).__name__} has no parameter {name!r}",
                    hint=did_you_mean(name, known, kind="parameter"),
                )
            if name.startswith("exits."):
                inner = name.removeprefix("exits.")
                spec = next(f for f in dataclasses.fields(Exits) if f.name == inner)
                exits[inner] = _read(name, value, str(spec.type))
            else:
                spec = next(f for f in dataclasses.fields(self) if f.name == name)
                changes[name] = _read(name, value, str(spec.type))
        if exits:
            changes["exits"] = dataclasses.replace(self.exits, **exits)
        return dataclasses.replace(self, **changes)


def parameter_help(strategy: Strategy) -> list[dict[str, Any]]:
    """Name, value, bounds and help of each parameter, for ``backtest strategies NAME``."""
    rows = []
    by_name = {spec.name: spec for spec in dataclasses.fields(strategy)}
    for name, value in strategy.params.items():
        meta = by_name[name].metadata if name in by_name else {}
        text = meta.get("help", "") or _EXIT_HELP.get(name.removeprefix("exits."), "")
        rows.append(
            {
                "name": name,
                "default": value,
                "ge": meta.get("ge"),
                "le": meta.get("le"),
                "choices": meta.get("choices", ()),
                "help": text,
            }
        )
    return rows


_EXIT_HELP = {
    "target": "limit order this far above the fill (none: no target)",
    "stop": "stop this far below the fill (none: no stop)",
    "trail": "stop this far below the best price since the fill",
    "hold": "sessions after the reaction session; 0 leaves at its close",
    "stops_in_extended_hours": "stops are live before the open and after the close too",
}


def _check_attributes(cls: type[Strategy]) -> None:
    """A slip in a class attribute must not turn into other trades: "Long" is not short."""
    if cls.side not in ("long", "short"):
        raise UsageError(
            f"{cls.__name__}.side is {cls.side!r}", hint='side: ClassVar = "long" or "short"'
        )
    if not isinstance(cls.events, EventFilter):
        raise UsageError(
            f"{cls.__name__}.events is {cls.events!r}",
            hint='events: ClassVar = earnings(), earnings(session="post") or news()',
        )
    phases: object = cls.phases
    if not isinstance(phases, tuple) or not phases or any(name not in _PHASES for name in phases):
        raise UsageError(
            f"{cls.__name__}.phases is {phases!r}",
            hint='a tuple of "pre", "regular" and "post", such as phases: ClassVar = ("post",)',
        )


def _check_bounds(spec: dataclasses.Field[Any], value: Any) -> None:
    low, high = spec.metadata.get("ge"), spec.metadata.get("le")
    choices = spec.metadata.get("choices", ())
    if choices and value not in choices:
        hint = did_you_mean(str(value), choices, kind="choice")
        raise UsageError(f"{spec.name} cannot be {value!r}", hint=hint)
    if low is None and high is None:
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    below = number and low is not None and not value >= low
    above = number and high is not None and not value <= high
    if not number or below or above:
        span = f"from {low if low is not None else 'any'} to {high if high is not None else 'any'}"
        raise UsageError(
            f"{spec.name} must be a number {span}, not {value!r}",
            hint=f"fractions, not percent: {spec.name}=0.05 is 5 %",
        )


_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _read(name: str, value: Any, annotation: str) -> Any:
    """Read a value from the command line as the type that the field declares."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if "None" in annotation and text.lower() in ("none", ""):
        return None
    try:
        if "bool" in annotation:
            return _WORDS[text.lower()]
        if "int" in annotation and "float" not in annotation:
            return int(text)
        if "float" in annotation:
            number = float(text)
            if not np.isfinite(number):
                raise ValueError
            return number
    except (KeyError, ValueError):
        kind = annotation.replace(" | None", " or none")
        raise UsageError(
            f"{name} takes a {kind}, not {value!r}", hint=f"for example -p {name}=..."
        ) from None
    return text
