"""Everything that, with the strategy and the store's versions, repeats a run."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from backtest.execution import Costs, FillRules
from db.errors import UsageError
from db.intervals import Interval

_NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class AccountSettings:
    """The account that the orders share.

    Raises UsageError for less than 1 of ``cash``, or ``slots`` outside 1 to 10,000.
    """

    cash: float = 100_000.0
    """Starting cash, in the currency of the prices."""
    slots: int = 20
    """Positions and working orders at one time."""
    seed: int = 0
    """Decides among equally ranked candidates of one instant."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.cash) and self.cash >= 1):
            raise UsageError(f"cash must be at least 1, not {self.cash!r}")
        if isinstance(self.slots, bool) or self.slots != int(self.slots):
            raise UsageError(f"slots must be a whole number, not {self.slots!r}")
        if not 1 <= self.slots <= 10_000:
            raise UsageError(f"slots must lie between 1 and 10,000, not {self.slots!r}")
        if isinstance(self.seed, bool) or self.seed != int(self.seed):
            raise UsageError(f"seed must be a whole number, not {self.seed!r}")


@dataclass(frozen=True)
class RunSettings:
    """Settings of one run; every default is the one that DESIGN states.

    Raises UsageError for values that contradict each other.
    """

    interval: Interval
    since: datetime | None = None
    until: datetime | None = None
    """Events whose interval starts in [since, until)."""
    symbols: tuple[str, ...] | None = None
    source: str | None = None
    """Source of the bars; None: the only one of the interval."""
    account: AccountSettings = field(default_factory=AccountSettings)
    costs: Costs = field(default_factory=Costs)
    limit_offset: float = FillRules.limit_offset
    limit_life: float = FillRules.limit_life
    participation: float = FillRules.participation
    min_price: float | None = None
    """Least reference close, as traded."""
    min_dollar_volume: float | None = None
    """Least mean dollar volume of the 20 sessions up to the reference close."""
    strict_as_of: bool = False
    resolve: Interval | None = None
    benchmark: str | None = None
    """Symbol of the benchmark; None: the same symbols, bought and held."""

    def __post_init__(self) -> None:
        if self.resolve is not None and self.resolve.microseconds >= self.interval.microseconds:
            raise UsageError(
                f"--resolve {self.resolve.value} is not finer than the {self.interval.value} bars",
                hint="resolve with shorter bars, such as --interval 1d --resolve 1m",
            )
        if self.since and self.until and self.since >= self.until:
            first, last = (one.astimezone(_NEW_YORK) for one in (self.since, self.until))
            raise UsageError(f"since {first:%Y-%m-%d} is not before until {last:%Y-%m-%d}")
        for name in ("min_price", "min_dollar_volume"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise UsageError(f"{name} must not be negative, not {value!r}")

    @property
    def rules(self) -> FillRules:
        """Fill rules, for the notional of one slot."""
        return FillRules(
            notional=self.account.cash / self.account.slots,
            limit_offset=self.limit_offset,
            limit_life=self.limit_life,
            participation=self.participation,
        )

    @property
    def needs_true_prices(self) -> list[str]:
        """Names of the settings that fully adjusted prices cannot serve."""
        names = ("min_price", "min_dollar_volume")
        return [name for name in names if getattr(self, name) is not None]

    def to_record(self) -> dict[str, Any]:
        """The settings as plain values, nested names with dots."""
        flat: dict[str, Any] = {}
        for spec in dataclasses.fields(self):
            value = getattr(self, spec.name)
            if dataclasses.is_dataclass(value):
                for inner in dataclasses.fields(value):
                    flat[f"{spec.name}.{inner.name}"] = getattr(value, inner.name)
            elif isinstance(value, Interval):
                flat[spec.name] = value.value
            elif isinstance(value, datetime):
                flat[spec.name] = value.isoformat()
            elif isinstance(value, tuple):
                flat[spec.name] = list(value)
            else:
                flat[spec.name] = value
        return flat
