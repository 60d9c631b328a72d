"""From a run to what its report shows: texts in exchange time, summaries, and charts of trades."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.funnel import TRADE
from backtest.panel.prices import PriceTable, price_table
from backtest.panel.sessions import event_sessions
from backtest.paths import IntArray
from backtest.report.data import NewsItem, ReportData, Summary, TradeDetail
from backtest.report.embed import charted_trades
from backtest.report.figures.candles import with_offset
from backtest.result import Result
from db.calendar import Phase
from db.errors import UsageError
from db.intervals import DAY, MINUTE, Interval

if TYPE_CHECKING:
    from db.store import Store

_BEFORE = {True: 20 * DAY, False: 60 * MINUTE}
_AFTER = {True: 10 * DAY, False: 60 * MINUTE}
"""What a trade's chart shows before the reference close and after the exit, daily or not."""
_NEWS_BEFORE = 2 * DAY


def report_data(result: Result, store: Store | None) -> ReportData:
    """Everything the page needs; with a store also the charts and headlines of single trades."""
    record, s = result.record, result.summary
    tz = str(record.get("exchange_tz", "America/New_York"))
    sentences = result.sentences
    stats = result.stats.set_index("label")["strategy"]
    held = result.stats.set_index("label")["benchmark"]
    simulated = "simulated" in str(record.get("source", ""))
    benchmark = record["settings"].get("benchmark")
    percent = 0.01
    return ReportData(
        title=str(record["strategy"]),
        subtitle=_subtitle(result, tz),
        banner="SIMULATED DATA: nothing here says anything about a real market"
        if simulated
        else "",
        summary=Summary(
            events=result.events_total,
            trades=len(result.trades),
            mean_net=s["Mean net return [%]"] * percent,
            mean_net_low=s["Mean net return, low 95 % by date [%]"] * percent,
            mean_net_high=s["Mean net return, high 95 % by date [%]"] * percent,
            account_return=float(stats.get("Total return [%]", np.nan)) * percent,
            benchmark_return=float(held.get("Total return [%]", np.nan)) * percent,
            benchmark=str(benchmark or "the same symbols, bought and held"),
            break_even_cost=s["Break-even cost, extra a side [bp]"] / 10_000,
            belief=sentences[2:],
        ),
        headline=sentences[:2],
        tz=tz,
        funnel=result.funnel.assign(detail=_left(result.funnel)),
        stats=result.stats,
        base_rates=result.base_rates.assign(
            group=result.base_rates["group"] + _short(result.base_rates["outcome"])
        ),
        base_rate_of="reaction session closes 10 % or more in our favour, against the reference "
        "close or the first price after the release",
        trades=_trade_texts(result.trades, tz),
        equity=result.equity,
        average_path=result.average_path,
        path_unit="sessions after the reaction session"
        if record["interval"] == Interval.D1.value
        else "evening, morning and day after the reference close",
        exit_reasons=result.exit_reasons,
        details={}
        if store is None
        else dict(_details(result, store, tz, charted_trades(result.trades))),
        other_seeds=result.other_seeds,
        notes=[],
        record={name: value for name, value in record.items() if name != "docstring"}
        | {"summary": s},
    )


def _left(funnel: pd.DataFrame) -> list[str]:
    """How many events are left after each reason."""
    pairs = zip(funnel["reason"].astype(str), funnel["left"].astype(int), strict=True)
    return [f"{left:,} left" if reason != TRADE else "" for reason, left in pairs]


def _subtitle(result: Result, tz: str) -> str:
    """What was tested: the idea, on which bars and events, from when to when."""
    record, events = result.record, result.events
    idea = str(record["docstring"]).strip().partition("\n")[0]
    days = pd.DatetimeIndex(events["announced_from"]).tz_convert(tz)
    span = f"{days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}" if len(days) else "no event"
    symbols = events["symbol"].nunique()
    return (
        f"{idea} {str(record['events']).capitalize()} of {symbols:,} symbols, {span}; "
        f"{record['interval']} bars of {record['source']}."
    )


def _short(outcomes: pd.Series) -> pd.Series:
    """What an outcome is held against, short enough for a chart's axis."""
    first = outcomes.str.contains("first price")
    return pd.Series(np.where(first, ", v. first price", ", v. reference"), outcomes.index)


def trade_detail(result: Result, store: Store, trade_id: int) -> TradeDetail:
    """Bars, levels and headlines of one trade, for `report.figures.trade_figure`.

    Raises UsageError for an id that is not among the result's trades.
    """
    if trade_id not in set(result.trades["trade_id"]):
        raise UsageError(
            f"there is no trade {trade_id}",
            hint=f"ids run from 1 to {len(result.trades)}: result.trades",
        )
    tz = str(result.record.get("exchange_tz", "America/New_York"))
    return dict(_details(result, store, tz, [trade_id]))[trade_id]


def _trade_texts(trades: pd.DataFrame, tz: str) -> pd.DataFrame:
    """Instants as exchange time with offset, dates without a clock."""
    texts = trades.copy()
    for name in ("decided_at", "entry_at", "exit_at"):
        local = pd.DatetimeIndex(trades[name]).tz_convert(tz)
        texts[name] = [with_offset(stamp, tz) for stamp in local]
    for name in ("reference_date", "reaction_date"):
        texts[name] = pd.DatetimeIndex(trades[name]).strftime("%Y-%m-%d")
    return texts


def _details(
    result: Result, store: Store, tz: str, wanted: list[int]
) -> Iterator[tuple[int, TradeDetail]]:
    trades = result.trades.set_index("trade_id", drop=False)
    if not wanted:
        return
    chosen = trades.loc[wanted]
    # `events` holds more columns than the sessions need and is unique by event.
    events = result.events.set_index("event_id").loc[chosen["event_id"]].reset_index()
    sessions = event_sessions(events)
    interval = Interval.parse(result.record["interval"])
    headlines = store.news()
    by_instrument = chosen.assign(row=np.arange(len(chosen))).groupby("instrument_id")["row"]
    names = store.instruments()
    exchange_of = dict(zip(names["instrument_id"], names["exchange"], strict=True))
    actions = store.actions()
    ids = [int(i) for i in chosen["instrument_id"].unique()]
    # All instruments at once for daily bars, one by one for minutes: what fits in memory.
    for chunk in [ids] if interval.is_daily else [[i] for i in ids]:
        rows = np.concatenate([by_instrument.get_group(i).to_numpy() for i in chunk])
        since = sessions.reference_close[rows].min() - _BEFORE[interval.is_daily] - DAY
        until = _us(chosen["exit_at"].iloc[rows]).max() + _AFTER[interval.is_daily] + DAY
        bars = store.bars(
            interval,
            instruments=chunk,
            since_us=int(since),
            until_us=int(until),
            source=result.record["source"],
            version=result.record["store_versions"].get(f"bars_{interval.value}"),
        )
        table = price_table(bars, actions, exchange_of, None)
        for row in rows:
            trade = chosen.iloc[row]
            reference_at = int(sessions.reference_close[row])
            yield (
                int(trade["trade_id"]),
                _detail(result, trade, table, reference_at, headlines, tz),
            )


def _us(column: pd.Series) -> IntArray:
    return pd.DatetimeIndex(column).as_unit("us").tz_localize(None).to_numpy().astype(np.int64)


def _detail(
    result: Result,
    trade: pd.Series,
    table: PriceTable,
    reference_at: int,
    headlines: pd.DataFrame,
    tz: str,
) -> TradeDetail:
    daily = table.interval.is_daily
    exit_at = int(_us(pd.Series([trade["exit_at"]]))[0])
    rank = table.ranks(np.array([trade["instrument_id"]], dtype=np.int64))
    span = np.array([reference_at - _BEFORE[daily], exit_at + _AFTER[daily]])
    lo, hi = table.at_or_after(np.repeat(rank, 2), span)
    part = slice(int(lo), int(hi))
    scale = float(table.scale_at(rank, np.array([reference_at]))[0])
    starts = pd.DatetimeIndex(table.start[part].astype("datetime64[us]")).tz_localize("UTC")
    bars = pd.DataFrame(
        {
            "time": starts,
            **{n: getattr(table, n)[part] * scale for n in ("open", "high", "low", "close")},
            "volume": table.volume[part] / scale,
            "phase": [Phase(p).label for p in table.phase[part]],
        }
    )
    sign = 1 if trade["side"] == "long" else -1
    price, params = float(trade["entry_price"]), result.record["params"]

    def level(name: str, direction: int) -> float:
        value = params.get(f"exits.{name}")
        return float("nan") if value is None else price * (1 + direction * sign * float(value))

    return TradeDetail(
        bars=bars,
        interval_minutes=table.interval.microseconds / MINUTE,
        reference=float(trade["reference_close"]),
        reference_at=pd.Timestamp(reference_at, unit="us", tz="UTC"),
        decided_at=trade["decided_at"],
        entry_at=trade["entry_at"],
        entry_price=price,
        exit_at=trade["exit_at"],
        exit_price=float(trade["exit_price"]),
        target=level("target", 1),
        stop=level("stop", -1),
        limit=float(trade["limit_price"]),
        news=_news(headlines, trade, reference_at, exit_at),
        tz=tz,
    )


def _news(
    headlines: pd.DataFrame, trade: pd.Series, reference_at: int, exit_at: int, most: int = 20
) -> list[NewsItem]:
    mine = headlines[headlines["instrument_id"] == trade["instrument_id"]]
    since = pd.Timestamp(reference_at - _NEWS_BEFORE, unit="us", tz="UTC")
    until = pd.Timestamp(exit_at, unit="us", tz="UTC")
    near = mine[(mine["published_at"] >= since) & (mine["published_at"] <= until)].head(most)
    return [
        NewsItem(item.published_at, str(item.title), str(item.url or ""), str(item.provider or ""))
        for item in near.itertuples()
    ]
