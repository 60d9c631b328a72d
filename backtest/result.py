"""`Result`: what a backtest found, as frames, statistics, sentences and pictures."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.evidence.overfitting.verdict import Deflation
from backtest.funnel import TRADE
from backtest.trades import exit_reasons

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

FRAMES = (
    "events",
    "funnel",
    "trades",
    "signals",
    "stats",
    "equity",
    "base_rates",
    "average_path",
)
"""The frames that a stored run is made of."""


FEW_TRADES = 10
"""Below so many nothing is said of a Sharpe ratio: it is that of a handful of days."""


@dataclass(frozen=True, eq=False)
class Result:
    """One run.  Frames are tidy, instants UTC, returns fractions unless a label says percent."""

    record: dict[str, Any]
    """What would repeat the run: strategy, source hash, parameters, settings, versions, seed."""
    events: pd.DataFrame
    """Every event of the selection with its ``status``: ``trade`` or the reason why not."""
    funnel: pd.DataFrame
    """Events by status in the order in which they are lost; ``events`` sums to all of them."""
    trades: pd.DataFrame
    """One row a trade of the account."""
    signals: pd.DataFrame
    """One row a fill, those without a free slot included (``slot`` -1)."""
    summary: dict[str, float]
    """The trades in numbers; labels carry units."""
    stats: pd.DataFrame
    """The account's statistics beside the benchmark's: ``label, strategy, benchmark``."""
    equity: pd.DataFrame
    """``equity`` and ``benchmark`` at each regular close."""
    base_rates: pd.DataFrame
    average_path: pd.DataFrame
    other_seeds: np.ndarray
    """Total return of the account under other seeds; empty where the seed decided nothing."""
    reads: tuple[str, ...] = ()
    """Content columns that the strategy read."""
    orders: int = 0
    """Orders that were placed, filled or not."""
    luck: Deflation | None = None
    """The account's Sharpe ratio beside what as wide a search finds in noise."""
    look_ahead: dict[str, Any] = field(default_factory=dict)
    """What the quick look-ahead check found (``found``, ``sentence``, ...); empty without one."""
    portfolio: Any = field(default=None, repr=False)
    """The `vectorbt.Portfolio`; None for a run read back from the store."""

    @property
    def exit_reasons(self) -> pd.DataFrame:
        """Trades and mean net return by exit reason."""
        return exit_reasons(self.trades)

    @property
    def events_total(self) -> int:
        """Events of the selection; equal to the funnel's sum."""
        return len(self.events)

    @property
    def sentences(self) -> list[str]:
        """What it amounts to, in words: the result first, then how far to believe it."""
        told = [*_headline(self), *notes(self)]
        checked = [str(self.look_ahead["sentence"])] if self.look_ahead else []
        # A strategy that looks ahead has no result worth reading first.
        return [*checked, *told] if self.looks_ahead else [*told, *checked]

    @property
    def looks_ahead(self) -> bool:
        """Whether the quick check found that the strategy uses what it could not have known."""
        return bool(self.look_ahead.get("found"))

    def plot(self) -> Figure:
        """Equity beside the benchmark, and the drawdown."""
        from backtest.report.figures import equity_figure

        benchmark = self.record["settings"].get("benchmark") or "the same symbols, held"
        return equity_figure(self.equity, benchmark=str(benchmark))

    def __repr__(self) -> str:
        lines = [f"Result of {self.record['strategy']} ({self.record['command']})"]
        lines += [f"  {text}" for text in self.sentences]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Notebook view; every text that came from outside is escaped."""
        title = html.escape(str(self.record["strategy"]))
        says = "".join(f"<li>{html.escape(text)}</li>" for text in self.sentences)
        numbers = pd.Series(self.summary, name="trades").to_frame()
        tables = [
            self.funnel.to_html(index=False, float_format="{:.3f}".format, escape=True),
            numbers.to_html(float_format="{:,.2f}".format, escape=True),
            self.stats.to_html(index=False, float_format="{:,.2f}".format, escape=True),
        ]
        cells = "".join(f"<td style='vertical-align:top'>{table}</td>" for table in tables)
        return f"<h3>{title}</h3><ul>{says}</ul><table><tr>{cells}</tr></table>"


def counted(n: int, noun: str) -> str:
    """``1 trade``, ``2,000 trades``."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def _headline(result: Result) -> list[str]:
    s, n = result.summary, len(result.trades)
    total = result.events_total
    if not n:
        first = f"No trade: none of {total:,} events came through (see the funnel)."
        return [first]
    mean, low, high = (
        s["Mean net return [%]"],
        s["Mean net return, low 95 % by date [%]"],
        s["Mean net return, high 95 % by date [%]"],
    )
    text = (
        f"{counted(n, 'trade')} from {counted(total, 'event')} on "
        f"{counted(int(s['Evenings (reaction dates)']), 'evening')}: "
        f"{mean:+.2f} % a trade after costs"
    )
    if np.isfinite(low):
        verdict = "not told apart from zero" if low <= 0 <= high else "away from zero"
        text += f", 95 % interval {low:+.2f} to {high:+.2f} % ({verdict})"
    rows = result.stats.set_index("label")
    account = rows.loc["Total return [%]"]
    held = (
        f"; buy and hold {account['benchmark']:+.2f} %" if np.isfinite(account["benchmark"]) else ""
    )
    return [text + ".", f"The account made {account['strategy']:+.2f} %{held}."]


def notes(result: Result) -> list[str]:
    """Sentences on how far to believe the result; each only where it applies."""
    s, found = result.summary, []
    n = len(result.trades)
    if n:
        extra = s["Break-even cost, extra a side [bp]"]
        found.append(
            f"The mean trade would earn nothing at {extra:.1f} bp more cost a side."
            if extra > 0
            else "The mean trade does not earn its costs."
        )
        found += _luck(result)
    if s["Ambiguous trades"]:
        other = s["Mean net return, target first in those [%]"]
        found.append(
            f"{s['Ambiguous trades']:,.0f} trades touched stop and target in one bar and count "
            f"as stopped; with the target first the mean would be {other:+.2f} %."
        )
    missed = result.funnel["reason"].str.startswith("missed fill")
    if missed.any():
        lost = int(result.funnel.loc[missed, "events"].sum())
        found.append(f"{lost:,} orders were sent and not filled.")
    no_slot = result.funnel["reason"].isin(["no slot", "already held", "no cash"])
    if no_slot.any():
        lost = int(result.funnel.loc[no_slot, "events"].sum())
        mean = result.signals["return_net"].mean() * 100
        found.append(
            f"{lost:,} fills had no place in the account; all {len(result.signals):,} fills "
            f"together earn {mean:+.2f} % on average."
        )
    if len(result.other_seeds):
        low, high = np.min(result.other_seeds) * 100, np.max(result.other_seeds) * 100
        found.append(
            "Which candidates got a slot was drawn by lot: "
            f"{len(result.other_seeds)} other seeds give the account {low:+.2f} to {high:+.2f} %."
        )
    if s["Trades on assumed knowledge"]:
        found.append(
            f"{s['Trades on assumed knowledge']:,.0f} trades rest on back-filled events whose "
            "time of knowledge is assumed; --strict-as-of assumes nothing."
        )
    if s["Trades on estimates not point in time"]:
        found.append(
            f"{s['Trades on estimates not point in time']:,.0f} of {n:,.0f} trades used an "
            "estimate that is not point in time: it was fetched after the release."
        )
    if s["Data ended while held"]:
        found.append(
            f"{s['Data ended while held']:,.0f} trades ended with their data; at -30 % each the "
            f"mean would be {s['Mean net return, those at -30 % [%]']:+.2f} %."
        )
    if s["Fills in bars of unknown volume"]:
        found.append(
            f"{s['Fills in bars of unknown volume']:,.0f} fills lie in extended-hours bars of "
            "unknown volume and were not capped."
        )
    if s["Fills at the print that was read"]:
        found.append(
            f"{s['Fills at the print that was read']:,.0f} trades fill at the very print that "
            "decided them (same_print): nobody could have had them all."
        )
    if "simulated" in str(result.record.get("source", "")):
        found.insert(0, "SIMULATED prices: they show how the program works, nothing of a market.")
    return found


def _luck(result: Result) -> list[str]:
    """What is left of the Sharpe ratio once all that was tried is counted."""
    if result.luck is None:
        return []
    if len(result.trades) < FEW_TRADES:
        return [f"{counted(len(result.trades), 'trade')}: too few to say how much of it is luck."]
    told = [result.luck.of_one(str(result.record["strategy"])), result.luck.patience()]
    return [f"{text[0].upper()}{text[1:]}." for text in told if text]


__all__ = ["FRAMES", "TRADE", "Result", "notes"]
