"""What a trade costs and under which rules an order fills: settings, and nothing that computes.

Every fraction is of a price or a notional (0.0005 is five basis points); times are minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from db.errors import UsageError


def _within(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise UsageError(
            f"{name} must lie between {low:g} and {high:g}, not {value!r}",
            hint=f"fractions, not percent: {name}=0.05 is 5 %",
        )


@dataclass(frozen=True)
class Costs:
    """Costs of one side of a trade.

    A target pays the commission alone, and so does a limit-on-open order; every other fill pays
    half-spread and slippage as well, but for a limit entry in extended hours, whose limit
    already bounds its price: it pays commission and half-spread.
    """

    commission: float = 0.0001
    half_spread: float = 0.0005
    slippage: float = 0.0002
    extended_spread_factor: float = 4.0
    borrow_rate: float = 0.01
    """Yearly fee on the notional of a short position, by calendar days."""

    def __post_init__(self) -> None:
        _within("commission", self.commission, 0, 0.5)
        _within("half_spread", self.half_spread, 0, 0.2)
        _within("slippage", self.slippage, 0, 0.5)
        _within("extended_spread_factor", self.extended_spread_factor, 0, 100)
        _within("borrow_rate", self.borrow_rate, 0, 10)
        _within("half_spread * extended_spread_factor", self.extended_half_spread, 0, 0.5)

    @property
    def extended_half_spread(self) -> float:
        """Half-spread before the open and after the close."""
        return self.half_spread * self.extended_spread_factor


@dataclass(frozen=True)
class Exits:
    """The bracket that a position lives in; every level is a fraction of the fill price.

    ``hold`` counts exchange sessions after the reaction session: 0 leaves at its close.
    """

    target: float | None = None
    stop: float | None = None
    trail: float | None = None
    hold: int = 5
    stops_in_extended_hours: bool = False

    def __post_init__(self) -> None:
        _within("exits.target", self.target, 1e-6, 100)
        _within("exits.stop", self.stop, 1e-6, 1)
        _within("exits.trail", self.trail, 1e-6, 1)
        if isinstance(self.hold, bool) or int(self.hold) != self.hold or not 0 <= self.hold <= 2520:
            raise UsageError(
                f"exits.hold must be a whole number of sessions from 0 to 2520, not {self.hold!r}"
            )


@dataclass(frozen=True)
class FillRules:
    """How an order becomes a fill."""

    notional: float = 5_000.0
    """Cash a trade is decided for: starting cash divided by the slots."""
    limit_offset: float = 0.005
    """Extended hours: the limit is the decision's close, moved against us by this."""
    limit_life: float = 5.0
    """Extended hours: clock minutes for which the limit order lives."""
    participation: float = 0.10
    """Extended hours: largest share of one bar's volume."""

    def __post_init__(self) -> None:
        _within("limit_offset", self.limit_offset, 0, 0.5)
        _within("limit_life", self.limit_life, 0.01, 24 * 60)
        _within("participation", self.participation, 1e-9, 1)


class OrderKind(IntEnum):
    """What an event's decision became."""

    NONE = 0
    MARKET = 1
    """Regular hours: the open of the first regular bar from `decided_at` until `expires_at`."""
    LIMIT = 2
    """Extended hours: the first bar that reaches the limit from `decided_at` to `expires_at`."""
    LIMIT_ON_OPEN = 3
    """Placed before the reaction session's open with a price of its own."""
    SAME_PRINT = 4
    """Decided at a bar's open and filled at that very print (``same_print``, marked)."""


class Fill(IntEnum):
    """What became of an order."""

    NO_ORDER = 0
    FILLED = 1
    NO_BAR = 2
    """No bar traded while the order lived."""
    PRICE = 3
    """Bars traded, none at the limit."""
    VOLUME = 4
    """The limit was reached, only in bars too thin for the order."""
    SHORT_RESTRICTED = 5
    """A short sale after a fall of 10 % that day."""
    AFTER_HOLD = 6
    """The first bar that could fill lies after the session in which the hold ends."""


class ExitReason(IntEnum):
    """What closed a position."""

    NONE = 0
    TARGET = 1
    STOP = 2
    TRAIL = 3
    HOLD = 4
    HOLD_LATE = 5
    """No regular bar in the session in which the hold ends: the next regular bar's open."""
    DATA_ENDED = 6
    """Delisted or out of data while held: the last price."""

    @property
    def label(self) -> str:
        return self.name.lower()
