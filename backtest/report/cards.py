"""The top of the page: what the run found, in one look."""

from __future__ import annotations

import math

from backtest.report.data import Summary
from backtest.report.text import basis_points, count, percent


def cards_of(summary: Summary, interval: str) -> list[dict[str, object]]:
    """Label, value and detail of each card; for the mean also where its interval lies.

    `interval` says what kind of interval the summary's bounds are.
    """
    s = summary
    share = percent(s.trades / s.events, 1, signed=False) if s.events else ""
    mean: dict[str, object] = {
        "label": "Mean net return a trade",
        "value": percent(s.mean_net),
        "detail": _interval_detail(s, interval),
        "scale": _scale(s),
    }
    account = {
        "label": "Account, whole period",
        "value": percent(s.account_return, 1),
        "detail": f"{s.benchmark}: {percent(s.benchmark_return, 1)}"
        if s.benchmark
        else "held against no benchmark",
    }
    cost = {
        "label": "Break-even cost",
        "value": basis_points(s.break_even_cost),
        "detail": "the mean trade does not earn the costs assumed"
        if s.break_even_cost < 0
        else "a side, on top of the costs assumed, at which the mean trade earns nothing",
    }
    events = {
        "label": "Events → trades",
        "value": f"{count(s.events)} → {count(s.trades)}",
        "detail": f"{share} of the events were traded" if share else "no event was found",
    }
    return [{"scale": None, **card} for card in (events, mean, account, cost)]


def _interval_detail(s: Summary, interval: str) -> str:
    if not (math.isfinite(s.mean_net_low) and math.isfinite(s.mean_net_high)):
        return "too few trades for an interval" if s.trades else "no trades"
    low, high = percent(s.mean_net_low), percent(s.mean_net_high)
    verdict = (
        "above zero"
        if s.mean_net_low > 0
        else "below zero"
        if s.mean_net_high < 0
        else "holds zero: it may be luck"
    )
    return f"{low} to {high} ({interval}); {verdict}"


def _scale(s: Summary) -> dict[str, object] | None:
    values = {"low": s.mean_net_low, "mean": s.mean_net, "high": s.mean_net_high, "zero": 0.0}
    if not all(math.isfinite(v) for v in values.values()):
        return None
    first, last = min(values.values()), max(values.values())
    width = (last - first) or 1.0
    places: dict[str, object] = {
        name: f"{8 + 184 * (value - first) / width:.1f}" for name, value in values.items()
    }
    return {**places, "text": f"{percent(s.mean_net)} on a scale with zero"}
