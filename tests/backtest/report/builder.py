"""Reports of invented trades, small enough to know every number in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from backtest.report.data import NewsItem, ReportData, Summary, TradeDetail

ZONE = "America/New_York"
REASONS = ("target", "stop", "hold", "hold_late", "data_ended")


def stamp(text: str) -> pd.Timestamp:
    """``2020-11-05 16:12`` on the exchange's clock."""
    return pd.Timestamp(text, tz=ZONE)


def bars(rows: Sequence[tuple[str, float, float, float, float, float, str]]) -> pd.DataFrame:
    """Bars from a table: start on the exchange's clock, OHLC, volume, phase."""
    frame = pd.DataFrame(rows, columns=["time", "open", "high", "low", "close", "volume", "phase"])
    times = pd.DatetimeIndex([stamp(text) for text in frame["time"]]).tz_convert("UTC")
    return frame.assign(time=times)


SIX_BARS = bars(
    [
        ("2020-11-05 15:59", 41.80, 41.90, 41.70, 41.82, 9000, "regular"),
        ("2020-11-05 16:00", 41.82, 41.82, 41.82, 41.82, 50000, "auction"),
        ("2020-11-05 16:10", 40.00, 40.20, 39.90, 39.95, 3000, "post"),
        ("2020-11-05 16:11", 39.95, 40.80, 39.95, 40.75, 2500, "post"),
        ("2020-11-05 16:12", 40.64, 40.90, 40.60, 40.88, 0, "post"),
        ("2020-11-06 09:30", 42.00, 44.95, 41.90, 44.80, 80000, "regular"),
    ]
)


def six_bar_detail(**changes: Any) -> TradeDetail:
    """A trade over `SIX_BARS`: decided at 16:12, filled at 40.64, out at its target 44.70."""
    detail = TradeDetail(
        bars=SIX_BARS,
        interval_minutes=1,
        reference=41.82,
        reference_at=stamp("2020-11-05 16:00"),
        decided_at=stamp("2020-11-05 16:12"),
        entry_at=stamp("2020-11-05 16:12"),
        entry_price=40.64,
        exit_at=stamp("2020-11-06 09:30"),
        exit_price=44.70,
        target=44.70,
        stop=38.20,
        news=[
            NewsItem(stamp("2020-11-05 16:03"), "Results are out", "https://example.com/a", "PR")
        ],
    )
    return replace(detail, **changes)


def minute_detail(seed: int = 0, sessions: int = 6, first: str = "2020-11-05") -> TradeDetail:
    """A random walk of minutes: a fall after the first close, then ``sessions`` days."""
    random = np.random.default_rng(seed)
    days = pd.bdate_range(first, periods=sessions)
    parts = []
    for i, day in enumerate(days):
        for phase, start, minutes, density in (
            ("pre", 240, 330, 0.15),
            ("regular", 570, 390, 1.0),
            ("auction", 960, 1, 1.0),
            ("post", 961, 239, 0.7 if i == 0 else 0.12),
        ):
            kept = np.flatnonzero(random.random(minutes) < density)
            at = day + pd.to_timedelta(start + kept, unit="min")
            parts.append(pd.DataFrame({"time": at, "phase": phase}))
    frame = pd.concat(parts, ignore_index=True)
    frame["time"] = pd.DatetimeIndex(frame["time"]).tz_localize(ZONE).tz_convert("UTC")
    steps = random.normal(0, 0.0006, len(frame))
    release = int(np.flatnonzero(frame["phase"] == "auction")[0]) + 4
    steps[release] = -0.055
    steps[release + 9 : release + 40] += 0.0008
    close = 41.82 * np.exp(np.cumsum(steps) - np.cumsum(steps)[release - 4])
    opening = np.concatenate([[close[0]], close[:-1]])
    noise = np.abs(random.normal(0, 0.0004, (2, len(frame)))) * close
    frame["open"], frame["close"] = opening.round(2), close.round(2)
    frame["high"] = (np.maximum(opening, close) + noise[0]).round(2)
    frame["low"] = (np.minimum(opening, close) - noise[1]).round(2)
    volume = random.lognormal(8, 1, len(frame)) * np.where(frame["phase"] == "regular", 4, 0.6)
    frame["volume"] = volume.round()
    entry = release + 12
    filled = float(frame["open"].iloc[entry])
    last = len(frame) - 200
    return TradeDetail(
        bars=frame,
        interval_minutes=1,
        reference=round(float(close[release - 4]), 2),
        reference_at=stamp(f"{days[0]:%Y-%m-%d} 16:00"),
        decided_at=frame["time"].iloc[entry - 1] + pd.Timedelta(minutes=1),
        entry_at=frame["time"].iloc[entry],
        entry_price=filled,
        exit_at=frame["time"].iloc[last],
        exit_price=float(frame["open"].iloc[last]),
        target=filled * 1.1,
        stop=filled * 0.94,
        limit=filled * 1.005,
        news=[
            NewsItem(
                stamp(f"{days[0]:%Y-%m-%d} 16:03"),
                "Uber reports third-quarter results; gross bookings down 10 %",
                "https://example.com/results?a=1&b=2",
                "Newswire",
            ),
            NewsItem(stamp(f"{days[1]:%Y-%m-%d} 02:10"), "What analysts say", "", "Blog"),
        ],
    )


def daily_detail(seed: int = 0, count: int = 30) -> TradeDetail:
    """Daily bars from October 2012; in at the eighth open, out at the twentieth close."""
    random = np.random.default_rng(seed)
    days = pd.bdate_range("2012-10-01", periods=count)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.015, count)))
    close[7:] *= 0.92
    opening = close * (1 + random.normal(0, 0.004, count))
    frame = pd.DataFrame(
        {
            "time": (days + pd.Timedelta(hours=9.5)).tz_localize(ZONE).tz_convert("UTC"),
            "open": opening.round(2),
            "high": (np.maximum(opening, close) * 1.006).round(2),
            "low": (np.minimum(opening, close) * 0.994).round(2),
            "close": close.round(2),
            "volume": random.lognormal(15, 0.3, count).round(),
            "phase": "regular",
        }
    )
    return TradeDetail(
        bars=frame,
        reference=float(frame["close"].iloc[6]),
        reference_at=stamp(f"{days[6]:%Y-%m-%d} 16:00"),
        entry_at=frame["time"].iloc[7],
        entry_price=float(frame["open"].iloc[7]),
        exit_at=stamp(f"{days[19]:%Y-%m-%d} 16:00"),
        exit_price=float(frame["close"].iloc[19]),
        target=float(frame["open"].iloc[7]) * 1.1,
        stop=float(frame["open"].iloc[7]) * 0.94,
    )


def trades_frame(count: int, seed: int = 0) -> pd.DataFrame:
    """``count`` trades with ids from 1; every fourth is marked in some way."""
    random = np.random.default_rng(seed)
    n = np.arange(count)
    net = random.normal(0.006, 0.055, count).round(5)
    entry = (40 + n % 37 * 3.1).round(2)
    days = pd.bdate_range("2019-01-29", periods=max(count, 1))[:count]
    symbols = np.array(["AMD", "UBER", "TSLA", "SHOP", "NVDA", "AAPL", "AMZN"])[n % 7]
    return pd.DataFrame(
        {
            "trade_id": n + 1,
            "symbol": symbols,
            "fiscal_period": [f"{2019 + i // 4 % 8}Q{i % 4 + 1}" for i in n],
            "side": np.where(n % 9 == 8, "short", "long"),
            "reference_date": days.strftime("%Y-%m-%d"),
            "reference_close": (entry * 1.03).round(2),
            "decided_at": days.strftime("%Y-%m-%d") + " 16:12 -05:00",
            "entry_at": days.strftime("%Y-%m-%d") + " 16:12 -05:00",
            "entry_phase": np.where(n % 3 == 0, "post", "regular"),
            "entry_price": entry,
            "exit_at": (days + pd.Timedelta(days=6)).strftime("%Y-%m-%d") + " 16:00 -05:00",
            "exit_price": (entry * (1 + net)).round(2),
            "reason": np.array(REASONS)[n % 5],
            "return_gross": net + 0.0024,
            "return_net": net,
            "return_other": np.where(n % 8 == 3, net - 0.02, np.nan),
            "ambiguous": n % 8 == 3,
            "assumed": n % 8 == 5,
            "unknown_volume": n % 16 == 7,
            "shares": (5000 / entry).round(4),
            "pnl": (5000 * net).round(2),
        }
    )


def funnel_frame(total: int, trades: int) -> pd.DataFrame:
    """Endings that add up to ``total``, of which ``trades`` were traded."""
    lost = total - trades
    parts = {
        "no instrument": (lost // 20, "the symbol was not listed on that date"),
        "no bars in phase": (lost // 6, "no bar traded in the phases that may be entered"),
        "missed fill": (lost // 12, "the limit was not reached while the order lived"),
        "no slot": (lost // 30, "all slots were taken"),
    }
    rest = lost - sum(n for n, _ in parts.values())
    rows = [("not triggered", rest, "the rule did not ask for an entry")]
    rows = [*((k, n, text) for k, (n, text) in parts.items()), *rows]
    rows.insert(1, rows.pop())
    rows.append(("trade", trades, "entered and closed"))
    frame = pd.DataFrame(rows, columns=["reason", "events", "detail"])
    return frame.assign(share=frame["events"] / max(total, 1))


def path_frame(seed: int = 0) -> pd.DataFrame:
    """Two groups' mean paths over an evening and the day after, in minutes."""
    parts = []
    for group, depth, n in (("fall of 5 % or more", -0.06, 41), ("fall of 3 to 5 %", -0.036, 88)):
        offset = np.arange(0, 600, 5)
        mean = depth * (1 - np.exp(-offset / 12)) + 0.00004 * offset
        width = 0.004 + 0.00003 * offset
        label = [f"16:{m:02d}" if m < 60 else f"{16 + m // 60}:{m % 60:02d}" for m in offset]
        counts = np.maximum(n - offset // 40, 3)
        parts.append(
            pd.DataFrame(
                {
                    "group": group,
                    "offset": offset,
                    "mean": mean,
                    "low": mean - width,
                    "high": mean + width,
                    "n": counts,
                    "label": [t if o % 60 == 0 else "" for t, o in zip(label, offset, strict=True)],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def equity_frame(sessions: int = 500, *, growth: float = 0.0004, seed: int = 0) -> pd.DataFrame:
    """Random walks of 100,000 at each close."""
    random = np.random.default_rng(seed)
    days = pd.bdate_range("2019-01-02", periods=sessions)
    index = (days + pd.Timedelta(hours=16)).tz_localize(ZONE).tz_convert("UTC")
    steps = random.normal(growth, [0.006, 0.011], (sessions, 2))
    values = 100_000 * np.exp(np.cumsum(steps, axis=0))
    return pd.DataFrame(values, index=index, columns=["equity", "benchmark"])


HOSTILE = (
    '</script><script>window.pwned=1</script>"><img src=x onerror="window.pwned=1">'
    "'{{7*7}}<b>bold</b>&lt;i&gt; \u2028 \u202egnp.exe \x00 javascript:window.pwned=1"
)
"""What a headline may be made of by somebody who means harm."""


def hostile_data(text: str = HOSTILE) -> ReportData:
    """A report in which every text that may come from outside is this one."""
    data = report_data(4)
    news = [
        NewsItem(stamp("2020-11-05 16:03"), text, "javascript:window.pwned=1", text),
        NewsItem(stamp("2020-11-05 16:04"), text, f"https://example.com/{text}", text),
        NewsItem(stamp("2020-11-05 16:05"), text, "https://example.com/?a=1&b=%22", text),
    ]
    texts = ("symbol", "fiscal_period", "side", "entry_phase", "reason", "entry_at", "exit_at")
    return replace(
        data,
        title=text,
        subtitle=text,
        banner=text,
        headline=[text],
        notes=[text],
        currency=text,
        interval_label=text,
        base_rate_of=text,
        path_unit=text,
        summary=replace(data.summary, benchmark=text, belief=[text]),
        funnel=data.funnel.assign(reason=text, detail=text),
        stats=data.stats.assign(label=text, strategy=text),
        base_rates=data.base_rates.assign(group=text),
        average_path=data.average_path.assign(group=text, label=text),
        exit_reasons=data.exit_reasons.assign(reason=text),
        trades=data.trades.assign(**dict.fromkeys(texts, text)),
        details={1: six_bar_detail(news=news), 2: six_bar_detail(bars=SIX_BARS.assign(phase=text))},
        record={"command": text, text: text, "parameters": {text: [text, {text: text}]}},
    )


def report_data(trades: int = 12, events: int = 55, **changes: Any) -> ReportData:
    """A whole report; the first trades carry charts of minutes, the third one of days."""
    frame = trades_frame(trades)
    net = frame["return_net"]
    details = {i: minute_detail(i) for i in range(1, min(trades, 6) + 1)}
    if 3 in details:
        details[3] = daily_detail(3)
    exits = frame.groupby("reason", as_index=False).agg(
        trades=("return_net", "size"), mean_return=("return_net", "mean")
    )
    error = 2 * net.std() / max(trades, 1) ** 0.5
    summary = Summary(
        events=events,
        trades=trades,
        mean_net=float(net.mean()),
        mean_net_low=float(net.mean() - error),
        mean_net_high=float(net.mean() + error),
        account_return=0.123,
        benchmark_return=0.301,
        benchmark="SPY, bought and held",
        break_even_cost=0.0021,
        belief=(
            "The interval of the mean holds zero.",
            "12 trades on 11 dates: a single evening moves the mean by up to 0.9 points.",
            "3 trials of this hypothesis have been counted.",
        ),
    )
    data = ReportData(
        title="After-hours reversal",
        subtitle="7 symbols, 1-minute bars, 2019-01-02 to 2020-12-31, earnings after the close",
        banner="SIMULATED DATA",
        summary=summary,
        headline=(
            "Buying an after-hours fall of 5 % once it turned up by 2 % returned +0.60 % a trade.",
            "The same symbols held throughout returned 30.1 %, the account 12.3 %.",
        ),
        funnel=funnel_frame(events, trades),
        stats=pd.DataFrame(
            [
                ("Return [%]", 12.3, 30.1),
                ("Sharpe ratio (252 days)", 0.71, 1.12),
                ("Largest drawdown [%]", -8.4, -21.0),
                ("Longest drawdown [sessions]", 113, 98),
                ("Exposure [% of sessions]", 21.5, 100.0),
                ("Fees paid [USD]", 1234.5, np.nan),
            ],
            columns=["label", "strategy", "benchmark"],
        ),
        base_rates=pd.DataFrame(
            [
                ("all measurable events", 52, 45, 0.096, 0.03, 0.17, 0.042, 0.206),
                ("fell 5 % or more in the evening", 14, 13, 0.214, 0.05, 0.44, 0.076, 0.476),
            ],
            columns=[
                *("group", "events", "dates", "share", "low", "high"),
                *("low_independent", "high_independent"),
            ],
        ),
        base_rate_of="close 10 % or more above the first price that could be bought",
        trades=frame,
        equity=equity_frame(),
        average_path=path_frame(),
        path_unit="exchange time on the evening of the release (New York)",
        exit_reasons=exits,
        details=details,
        other_seeds=np.random.default_rng(1).normal(0.12, 0.02, 40),
        notes=(
            "1 trade is ambiguous: the stop was taken; else the mean were 0.2 points higher.",
            "2 trades assumed that actual figures were known at the end of the release interval.",
        ),
        record={
            "run": 7,
            "command": "backtest run after_hours_reversal --interval 1m -p drop=0.05 --seed 1",
            "strategy": "strategies.after_hours_reversal:AfterHoursReversal",
            "docstring": "Buy an after-hours earnings drop once the price turns up.\n\n  Earns if "
            "evening sellers overreact.",
            "source hash": "sha256:9f2c…",
            "parameters": {"drop": 0.05, "rebound": 0.02, "exits": {"target": 0.1, "stop": 0.06}},
            "data versions": {"bars_1m": 3, "sql": 11},
            "seed": 1,
            "program": "aftershock 0.1.0",
        },
    )
    return replace(data, **changes)
