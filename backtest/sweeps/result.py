"""`Sweep`: what every combination earned, as one frame, by month, and as heat maps."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.paths import FloatArray
from backtest.result import counted
from backtest.sweeps.luck import Luck, deflation_of, search_luck
from backtest.sweeps.ranking import FEW_TRADES, RANKS, ranked, require_column
from db.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from backtest.evidence.overfitting.verdict import Deflation
    from backtest.sweeps.walk_forward import WalkForward

MONTHS_A_YEAR = 12


@dataclass(frozen=True, eq=False)
class Sweep:
    """Every combination of a grid.  Returns are fractions, a trade's notional is one slot's cash.

    Each trade counts here, whether or not an account would have had a slot for it; `accounts`
    says what the best combinations made of one.
    """

    record: dict[str, Any]
    """What would repeat the sweep: strategy, source hash, grid, settings, versions, seed."""
    axes: tuple[str, ...]
    """The swept parameters: columns of `frame`, the last running fastest."""
    frame: pd.DataFrame
    """One row a combination: its parameters (NaN: no such exit), then

    ``trades``, ``missed`` (orders sent and not filled), ``ambiguous`` (stop and target in one
    bar, counted as stopped), ``data_ended``; of the net returns ``mean``, ``median``, ``std``,
    ``win_rate``, ``profit_factor`` and ``total``; ``mean_gross`` before costs; ``expectancy``,
    what a trade of one slot earns after costs in the account's currency; ``big_gains``, the share
    that gained 10 % or more before costs; ``sharpe``, of the monthly sums, a year of 12 months.
    NaN where undefined."""
    monthly: pd.DataFrame
    """Sum of the net returns by month of entry (months x combinations); months without a trade
    are 0, and no month in between is left out."""
    monthly_trades: pd.DataFrame
    """Number of trades by month of entry, of the same shape."""
    accounts: pd.DataFrame
    """The best combinations in the ordinary account, with slots and cash, beside what their
    trades earned one by one; empty where none was run."""
    evaluations: int
    """Times that the strategy's ``entries`` was asked."""
    walk_forward: WalkForward | None = field(default=None)

    def __len__(self) -> int:
        return len(self.frame)

    def best(
        self, rank: str = "sharpe", top: int = 20, *, min_trades: int = FEW_TRADES
    ) -> pd.DataFrame:
        """The ``top`` rows of `frame` by a column of `RANKS`, the highest first.

        Combinations with fewer than ``min_trades`` trades come after all others: with few trades
        chance goes far.  Equal ones keep the order of the grid.
        """
        return self.frame.iloc[ranked(self.frame, rank, min_trades)[: max(top, 0)]]

    def params(self, combination: int) -> dict[str, Any]:
        """All parameters of one row of `frame`, by name, as `backtest.run` takes them."""
        # Column by column: a row of a frame would turn whole numbers into floats.
        swept = {name: _as_parameter(self.frame[name].loc[combination]) for name in self.axes}
        return {**self.record["base"], **swept}

    def heatmap(
        self, x: str, y: str, value: str = "mean", *, at: Mapping[str, Any] | None = None
    ) -> Figure:
        """A column of `frame` over two axes: the median over all others, which ``at`` may fix.

        A good combination among bad neighbours is luck more often than a good region is, and the
        median over the other parameters does not flatter it.
        """
        from backtest.report.style import figure

        for name in (x, y, *(at or {})):
            if name not in self.axes:
                hint = did_you_mean(name, self.axes, kind="axis")
                raise UsageError(f"{name!r} is not an axis of this sweep", hint=hint)
        if x == y:
            raise UsageError("a heat map needs two different axes", hint=f"one of {self.axes}")
        require_column(self.frame, value)
        chosen = self.frame
        for name, wanted in (at or {}).items():
            values = chosen[name]
            chosen = chosen[values.isna() if wanted is None else values == wanted]
            if chosen.empty:
                raise UsageError(f"the sweep has no {name}={wanted!r}")
        table = chosen.groupby([y, x], sort=False, dropna=False)[value].median().unstack(x)
        fixed = ", ".join(f"{name} {value_text(wanted)}" for name, wanted in (at or {}).items())
        data = {
            "type": "heatmap",
            "z": table.to_numpy(np.float64).tolist(),
            "x": [value_text(one) for one in table.columns],
            "y": [value_text(one) for one in table.index],
            "colorscale": "RdBu",
            "zmid": 1.0 if value == "profit_factor" else 0.0,
            "hovertemplate": f"{x} %{{x}}<br>{y} %{{y}}<br>{value} %{{z:.4g}}<extra></extra>",
        }
        layout = {
            "title": {"text": f"{value}, {fixed or 'median over the other parameters'}"},
            "xaxis": {"title": {"text": x}, "type": "category"},
            "yaxis": {"title": {"text": y}, "type": "category"},
        }
        return figure([data], layout)

    @cached_property
    def deflation(self) -> Deflation | None:
        """The best combination's Sharpe ratio after this sweep and all before it in the store.

        None where no combination has enough trades.
        """
        return deflation_of(self)

    @cached_property
    def luck(self) -> Luck | None:
        """Every statistic of the search as a whole; takes seconds for ten thousand combinations.

        Tests that need the extra ``evidence`` are NaN without it, and ``missing`` says so.
        """
        return search_luck(self)

    @property
    def sentences(self) -> list[str]:
        """What it amounts to, in words."""
        few = int(self.record.get("min_trades", FEW_TRADES))
        traded = self.frame[self.frame["trades"] >= few]
        tried = (
            f"{counted(len(self), 'combination')}, "
            f"{self.evaluations:,} different entries; "
            f"{len(traded):,} have {few} trades or more."
        )
        found = [tried]
        if len(traded):
            gain = (traded["mean"] > 0).mean() * 100
            found.append(
                f"Of those, {gain:.0f} % earn something after costs; the median combination earns "
                f"{traded['mean'].median() * 100:+.2f} % a trade, the best {RANKS[1]} is "
                f"{traded['mean'].max() * 100:+.2f} %."
            )
        if self.deflation is not None:
            story = self.deflation.sentence()
            found.append(f"{story[0].upper()}{story[1:]}.")
        if self.walk_forward is not None:
            found += self.walk_forward.sentences
        return found

    def __repr__(self) -> str:
        lines = [f"Sweep of {self.record['strategy']} ({self.record['command']})"]
        return "\n".join(lines + [f"  {text}" for text in self.sentences])

    def _repr_html_(self) -> str:
        says = "".join(f"<li>{html.escape(text)}</li>" for text in self.sentences)
        title = html.escape(str(self.record["strategy"]))
        return f"<h3>{title}</h3><ul>{says}</ul>{self.best().to_html(escape=True)}"


def monthly_sharpe(monthly: FloatArray) -> FloatArray:
    """Sharpe ratio a year of each column of monthly sums (months x combinations).

    Trades of one month count together: those of one evening move together.  NaN where every
    month is the same, and for less than two months.
    """
    if len(monthly) < 2:
        return np.full(monthly.shape[1], np.nan)
    mean, deviation = monthly.mean(axis=0), monthly.std(axis=0, ddof=1)
    told = deviation > 1e-12 * np.maximum(np.abs(mean), 1e-300)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(told, mean / deviation * np.sqrt(MONTHS_A_YEAR), np.nan)


def _as_parameter(value: Any) -> Any:
    if isinstance(value, float) and np.isnan(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def value_text(value: Any) -> str:
    """A parameter's value as one would type it."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "none"
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def parameter_columns(names: Sequence[str], values: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """The swept parameters of all combinations; None among numbers is NaN."""
    made = {}
    for name, column in zip(names, values, strict=True):
        kinds = {type(one) for one in column}
        if kinds <= {float, type(None)}:
            made[name] = np.array([np.nan if one is None else one for one in column])
        else:
            made[name] = np.array(column, dtype=None if len(kinds) == 1 else object)
    return pd.DataFrame(made)
