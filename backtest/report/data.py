"""What a report is made of: plain frames and texts, and nothing that reads a store.

Fractions are fractions (0.05 is five percent), money and prices are in the account's currency,
instants in frames are time-zone aware.  Every text may come from outside and is treated as
untrusted when it is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.errors import DataError

if TYPE_CHECKING:
    from datetime import datetime

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "funnel": ("reason", "events", "share", "detail"),
        "stats": ("label", "strategy", "benchmark"),
        "base_rates": (
            *("group", "events", "dates", "share", "low", "high"),
            *("low_independent", "high_independent"),
        ),
        "trades": (
            *("trade_id", "symbol", "fiscal_period", "side", "reference_date", "reference_close"),
            *("decided_at", "entry_at", "entry_phase", "entry_price", "exit_at", "exit_price"),
            *("reason", "return_gross", "return_net", "return_other", "ambiguous", "assumed"),
            *("unknown_volume", "shares", "pnl"),
        ),
        "equity": ("equity", "benchmark"),
        "average_path": ("group", "offset", "label", "mean", "low", "high", "n"),
        "exit_reasons": ("reason", "trades", "mean_return"),
        "bars": ("time", "open", "high", "low", "close", "volume", "phase"),
    }
)
"""The columns each frame must have; further ones are ignored unless a field's text names them."""


def empty_frame(name: str) -> pd.DataFrame:
    """A frame of `COLUMNS` without a row (``equity`` with a UTC index)."""
    index = pd.DatetimeIndex([], tz="UTC") if name == "equity" else None
    return pd.DataFrame(columns=list(COLUMNS[name]), index=index)


@dataclass(frozen=True)
class NewsItem:
    """A headline beside a trade; all of it untrusted text."""

    time: datetime
    """When it was known; time-zone aware."""
    title: str
    url: str = ""
    provider: str = ""


@dataclass(frozen=True, eq=False)
class TradeDetail:
    """What one trade's own chart shows; a NaN price or a ``None`` instant is left out.

    All prices are in one frame: as traded at the reference close, splits after it removed.
    """

    bars: pd.DataFrame
    """Columns of ``COLUMNS["bars"]``: `time` is the bar's start, time-zone aware, ascending;
    `phase` one of pre, regular, auction, post, closed.  An optional column `trail` is the
    trailing stop's level in force during each bar."""
    interval_minutes: float = 1440.0
    """Nominal length of a bar; 1440 and more are daily bars."""
    reference: float = math.nan
    """The reference close."""
    reference_at: datetime | None = None
    decided_at: datetime | None = None
    entry_at: datetime | None = None
    entry_price: float = math.nan
    exit_at: datetime | None = None
    exit_price: float = math.nan
    target: float = math.nan
    stop: float = math.nan
    limit: float = math.nan
    """The entry order's limit."""
    news: Sequence[NewsItem] = ()
    tz: str = "America/New_York"
    """Zone of the exchange: the chart's time axis."""

    def __post_init__(self) -> None:
        _require_columns("bars", self.bars)
        if len(self.bars) and not isinstance(self.bars["time"].dtype, pd.DatetimeTZDtype):
            raise DataError("the bars of a trade need time-zone aware starts", where="bars.time")


@dataclass(frozen=True)
class Summary:
    """The numbers at the top of the page; a NaN is shown as a dash."""

    events: int = 0
    trades: int = 0
    mean_net: float = math.nan
    """Mean return of a trade after costs."""
    mean_net_low: float = math.nan
    mean_net_high: float = math.nan
    account_return: float = math.nan
    benchmark_return: float = math.nan
    benchmark: str = ""
    """Name of what the account is held against; empty: there is no benchmark."""
    break_even_cost: float = math.nan
    """Extra cost a side at which the mean trade earns nothing."""
    belief: Sequence[str] = ()
    """How far to believe it: sentences, the weightiest first."""


@dataclass(frozen=True, eq=False)
class ReportData:
    """One run, ready to be drawn.  Frames have the columns of `COLUMNS`."""

    title: str
    subtitle: str = ""
    banner: str = ""
    """Shown loudly above everything, such as ``SIMULATED DATA``."""
    summary: Summary = field(default_factory=Summary)
    headline: Sequence[str] = ()
    """What it amounts to, in sentences."""
    tz: str = "America/New_York"
    currency: str = "USD"
    interval_label: str = "95 % interval, clustered by date"
    """What every interval on the page is, unless it says otherwise."""

    funnel: pd.DataFrame = field(default_factory=lambda: empty_frame("funnel"))
    """One row an ending, in the order in which events are lost, without a total; the row whose
    reason is ``trade`` or ``trades`` holds the events that were traded.  The counts must add up
    to ``summary.events``."""
    stats: pd.DataFrame = field(default_factory=lambda: empty_frame("stats"))
    """`label` carries the unit; numbers or texts beside it."""
    base_rates: pd.DataFrame = field(default_factory=lambda: empty_frame("base_rates"))
    base_rate_of: str = ""
    """The outcome that is counted, such as ``reaction close 10 % or more above the reference``."""
    trades: pd.DataFrame = field(default_factory=lambda: empty_frame("trades"))
    """`trade_id` unique whole numbers; instants as exchange-time texts with their offset."""
    equity: pd.DataFrame = field(default_factory=lambda: empty_frame("equity"))
    """Index: the closes, time-zone aware.  `benchmark` may be NaN throughout."""
    average_path: pd.DataFrame = field(default_factory=lambda: empty_frame("average_path"))
    """`offset` places a point on the axis, `label` names it there (empty: no tick)."""
    path_unit: str = "time from the reference close"
    exit_reasons: pd.DataFrame = field(default_factory=lambda: empty_frame("exit_reasons"))
    details: Mapping[int, TradeDetail] = field(default_factory=dict)
    """By trade id; only those of `embed.charted_trades` are needed."""
    other_seeds: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """The account's return under other seeds."""
    notes: Sequence[str] = ()
    record: Mapping[str, object] = field(default_factory=dict)
    """What would repeat the run; nested mappings and sequences are shown as such.  The entry
    ``command`` is shown as the command line that repeats it."""

    def __post_init__(self) -> None:
        for name in COLUMNS:
            if name != "bars":
                _require_columns(name, getattr(self, name))
        if not self.trades["trade_id"].is_unique:
            raise DataError("trade ids must be unique", where="trades.trade_id")
        counted = int(self.funnel["events"].sum()) if len(self.funnel) else 0
        if len(self.funnel) and counted != self.summary.events:
            raise DataError(
                f"the funnel holds {counted:,} events, the summary {self.summary.events:,}",
                where="funnel.events",
                hint="every event ends in exactly one row, and a total is not a row",
            )


def _require_columns(name: str, frame: pd.DataFrame) -> None:
    missing = [column for column in COLUMNS[name] if column not in frame.columns]
    if missing:
        raise DataError(
            f"the frame lacks {', '.join(missing)}",
            where=name,
            hint=f"it needs {', '.join(COLUMNS[name])}",
        )
