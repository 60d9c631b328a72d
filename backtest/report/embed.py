"""Data inside the page: safe as text of a script element, and small.

Which trades carry a chart is decided here, by a rule that the page states.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from backtest.report.data import COLUMNS, ReportData, TradeDetail
from backtest.report.figures import trade_spec
from backtest.report.figures.candles import with_offset
from backtest.report.text import clean, safe_url

if TYPE_CHECKING:
    import pandas as pd

MOST_CHARTS = 200
MOST_ROWS = 20_000
CHART_BYTES = 6_000_000
"""What all trade charts together may add to the page."""


def charted_trades(
    trades: pd.DataFrame, most: int = MOST_CHARTS, *, of: Iterable[int] | None = None
) -> list[int]:
    """Ids of the trades whose charts the page holds, the most telling first.

    All of them where there are at most ``most``; else a third each of the largest losses, the
    largest gains (after costs) and a draw from the rest that is the same every time, so that
    what is looked at is not only the extremes.  ``of`` limits it to those ids.
    """
    known = trades if of is None else trades[trades["trade_id"].isin(list(of))]
    ids = known["trade_id"].astype("int64").to_numpy()
    order = np.argsort(np.nan_to_num(known["return_net"].to_numpy(dtype=float)), kind="stable")
    third = most // 3
    if len(ids) <= most:
        worst, best, rest = order[: len(order) // 2], order[len(order) // 2 :][::-1], order[:0]
    else:
        worst, best = order[:third], order[::-1][:third]
        middle = order[third : len(order) - third]
        draw = np.random.default_rng(0).permutation(len(middle))
        rest = middle[draw[: most - 2 * third]]
    # In turn, so that a page that runs out of room still holds some of each.
    picked: list[int] = []
    for i in range(max(len(worst), len(best), len(rest), 0)):
        picked += [int(ids[part[i]]) for part in (worst, best, rest) if i < len(part)]
    return picked


def chart_rule(charted: int, trades: int) -> str:
    """Says on the page which trades can be opened to a chart."""
    if charted == trades:
        return ""
    if charted == 0:
        return "The trades of this report carry no charts: their bars were not at hand."
    return (
        f"{charted:,} of {trades:,} trades carry a chart: the largest losses, the largest gains "
        "and a random draw from the rest, in turn, as far as this file has room."
    )


def listed_trades(data: ReportData, charted: Iterable[int]) -> pd.DataFrame:
    """The rows of the trade table: all, or of very many those with a chart and the first ones."""
    trades = data.trades
    if len(trades) <= MOST_ROWS:
        return trades
    wanted = trades["trade_id"].isin(list(charted)).to_numpy(copy=True)
    room = MOST_ROWS - int(wanted.sum())
    wanted[np.flatnonzero(~wanted)[:room]] = True
    return trades[wanted]


def trade_rows(trades: pd.DataFrame) -> dict[str, list[object]]:
    """The trade table by column, ready for JSON: texts cleaned, NaN and NaT are null."""
    return {name: [_plain(v) for v in trades[name].tolist()] for name in COLUMNS["trades"]}


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return round(value, 8) if math.isfinite(value) else None
    return clean(value) or None


def packed_charts(data: ReportData, wanted: Iterable[int]) -> dict[int, str]:
    """Charts of the wanted trades in that order until `CHART_BYTES` are used up."""
    packed: dict[int, str] = {}
    room = CHART_BYTES
    for trade_id in wanted:
        detail = data.details.get(trade_id)
        if detail is None:
            continue
        text = pack(_chart(detail))
        room -= len(text)
        if room < 0:
            break
        packed[trade_id] = text
    return packed


def _chart(detail: TradeDetail) -> Mapping[str, object]:
    news = [
        {
            "time": with_offset(item.time, detail.tz),
            "title": clean(item.title),
            "url": safe_url(item.url),
            "provider": clean(item.provider),
        }
        for item in sorted(detail.news, key=lambda item: item.time)
    ]
    return {"figure": trade_spec(detail), "news": news}


def pack(value: object) -> str:
    """JSON, deflated (zlib's format), in base64: letters, digits, ``+/=`` alone."""
    return base64.b64encode(zlib.compress(json_text(value).encode())).decode("ascii")


def json_text(value: object) -> str:
    """JSON that no text in it can end or turn into markup inside a script element.

    ASCII alone, so U+2028 and broken surrogates are escapes too; NaN is refused.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
