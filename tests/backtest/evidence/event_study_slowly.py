"""A second event study in plain Python: one event, one day, one pair at a time.

Written from the papers' formulas with lists and loops, so that it shares no code and no array
trick with the package.  Missing values are None.
"""

from __future__ import annotations

from math import sqrt
from statistics import mean, median, stdev

Series = list[float | None]


def known(values: Series) -> list[float]:
    return [v for v in values if v is not None]


def market_model(y: Series, x: Series) -> dict[str, float]:
    """Simple regression by its textbook sums."""
    pairs = [(a, b) for a, b in zip(y, x, strict=True) if a is not None and b is not None]
    n = len(pairs)
    mean_y, mean_x = mean(a for a, _ in pairs), mean(b for _, b in pairs)
    sxx = sum((b - mean_x) ** 2 for _, b in pairs)
    beta = sum((b - mean_x) * (a - mean_y) for a, b in pairs) / sxx
    alpha = mean_y - beta * mean_x
    sse = sum((a - alpha - beta * b) ** 2 for a, b in pairs)
    sigma = sqrt(sse / (n - 2))
    return {"alpha": alpha, "beta": beta, "sigma": sigma, "n": n, "mean": mean_x, "sxx": sxx}


class Event:
    """One event: market-model residuals, abnormal returns, and their forecast errors."""

    def __init__(
        self, stock: Series, market: Series, day0: int, estimation: range, window: range
    ) -> None:
        self.day0, self.market_returns = day0, [market[day0 + d] for d in window]
        self.calendar = [day0 + d for d in estimation]
        self.window = window
        y, x = [stock[t] for t in self.calendar], [market[t] for t in self.calendar]
        self.fit = fit = market_model(y, x)

        def abnormal(t: int) -> float | None:
            if stock[t] is None or market[t] is None:
                return None
            return stock[t] - fit["alpha"] - fit["beta"] * market[t]  # type: ignore[operator]

        self.past = [abnormal(t) for t in self.calendar]
        self.ar = [abnormal(day0 + d) for d in window]

    @property
    def sigma(self) -> float:
        return self.fit["sigma"]

    def error(self, offset: int) -> float:
        x = self.market_returns[offset - self.window.start]
        assert x is not None
        distance = (x - self.fit["mean"]) ** 2 / self.fit["sxx"]
        return self.sigma * sqrt(1 + 1 / self.fit["n"] + distance)

    def sar(self, offset: int) -> float | None:
        value = self.ar[offset - self.window.start]
        return None if value is None else value / self.error(offset)

    def days(self, days: range) -> Series:
        return [self.ar[d - self.window.start] for d in days]

    def car(self, days: range) -> float | None:
        values = self.days(days)
        return None if None in values else sum(known(values))

    def scar(self, days: range) -> float | None:
        car = self.car(days)
        if car is None:
            return None
        length, total = len(days), 0.0
        for s in days:
            for t in days:
                a = self.market_returns[s - self.window.start]
                b = self.market_returns[t - self.window.start]
                assert a is not None
                assert b is not None
                both = (a - self.fit["mean"]) * (b - self.fit["mean"]) / self.fit["sxx"]
                total += 1 / self.fit["n"] + both
        return car / (self.sigma * sqrt(length + total))


def t_ratio(values: list[float]) -> float:
    return mean(values) / (stdev(values) / sqrt(len(values)))


def patell(events: list[Event], days: range) -> float:
    total, variance = 0.0, 0.0
    for event in events:
        sars = [event.sar(d) for d in days]
        if None in sars:
            continue
        total += sum(known(sars))
        variance += len(days) * (event.fit["n"] - 2) / (event.fit["n"] - 4)
    return total / sqrt(variance)


def crude_dependence(events: list[Event], days: range) -> float:
    kept = [event for event in events if event.car(days) is not None]
    averages = []
    for day in range(len(kept[0].past)):
        values = known([event.past[day] for event in kept])
        if values:
            averages.append(mean(values))
    caar = mean(known([event.car(days) for event in kept]))
    return caar / (sqrt(len(days)) * stdev(averages))


def correlation(a: list[float], b: list[float]) -> float:
    mean_a, mean_b = mean(a), mean(b)
    top = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    return top / sqrt(sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b))


def r_bar(events: list[Event], *, least: int = 3, sharing: bool = False) -> tuple[float, int]:
    total, pairs, n = 0.0, 0, len(events)
    for i in range(n):
        for j in range(i + 1, n):
            first, second = events[i], events[j]
            if sharing and abs(first.day0 - second.day0) >= len(first.window):
                continue
            mine = dict(zip(first.calendar, first.past, strict=True))
            theirs = dict(zip(second.calendar, second.past, strict=True))
            days = [t for t in mine if mine[t] is not None and theirs.get(t) is not None]
            if len(days) >= least:
                a, b = [mine[t] for t in days], [theirs[t] for t in days]
                total += correlation(known(a), known(b))
                pairs += 1
    return total / (n * (n - 1) / 2), pairs


def mid_ranks(values: Series) -> Series:
    out: Series = []
    for v in values:
        if v is None:
            out.append(None)
            continue
        below = sum(1 for w in values if w is not None and w < v)
        equal = sum(1 for w in values if w is not None and w == v)
        out.append(below + (equal + 1) / 2)
    return out


def _by_day(rows: list[Series], days: list[int], *, root: bool) -> float:
    """Sum over the tested columns / (sqrt(L) times the root mean square over all columns)."""
    per_day: list[float | None] = []
    for column in zip(*rows, strict=True):
        values = known(list(column))
        if not values:
            per_day.append(None)
        else:
            per_day.append(sum(values) / (sqrt(len(values)) if root else len(values)))
    there = known(per_day)
    spread = sqrt(sum(v * v for v in there) / len(there))
    return sum(known([per_day[d] for d in days])) / (sqrt(len(days)) * spread)


def _columns(event: Event, days: range) -> list[int]:
    return [len(event.past) + d - event.window.start for d in days]


def corrado(events: list[Event], days: range) -> float:
    rows: list[Series] = []
    for event in events:
        ranks = mid_ranks(event.past + event.ar)
        expected = (len(known(ranks)) + 1) / 2
        rows.append([None if r is None else r - expected for r in ranks])
    return _by_day(rows, _columns(events[0], days), root=False)


def corrado_zivney(events: list[Event], days: range) -> float:
    rows: list[Series] = []
    for event in events:
        ranks = mid_ranks(event.past + event.ar)
        count = len(known(ranks))
        rows.append([None if r is None else r / (1 + count) - 0.5 for r in ranks])
    return _by_day(rows, _columns(events[0], days), root=True)


def corrado_zivney_sign(events: list[Event], days: range) -> float:
    rows: list[Series] = []
    for event in events:
        both = event.past + event.ar
        middle = median(known(both))
        rows.append([None if v is None else float((v > middle) - (v < middle)) for v in both])
    return _by_day(rows, _columns(events[0], days), root=True)


def grank(events: list[Event], days: range) -> tuple[float, float, int]:
    """(GRANK-T, GRANK-Z, degrees of freedom)."""
    kept = [event for event in events if event.scar(days) is not None]
    scars = known([event.scar(days) for event in kept])
    n, spread = len(kept), stdev(scars)
    rows: list[Series] = []
    for event, scar in zip(kept, scars, strict=True):
        values: Series = [None if v is None else v / event.sigma for v in event.past]
        ranks = mid_ranks([*values, scar / spread])
        count = len(known(ranks))
        rows.append([None if r is None else r / (count + 1) - 0.5 for r in ranks])
    total, t = 0.0, 0
    for column in zip(*rows, strict=True):
        values_there = known(list(column))
        if values_there:
            t += 1
            total += len(values_there) / n * mean(values_there) ** 2
    u0 = mean(known([row[-1] for row in rows]))
    z = u0 / sqrt(total / t)
    variance = sum((len(known(r)) - 1) / (12 * (len(known(r)) + 1)) for r in rows) / n**2
    return z * sqrt((t - 2) / (t - 1 - z * z)), u0 / sqrt(variance), t - 2


def generalised_sign(events: list[Event], days: range) -> float:
    kept = [event for event in events if event.car(days) is not None]
    shares = [mean(1.0 if v > 0 else 0.0 for v in known(event.past)) for event in kept]
    p, n = mean(shares), len(kept)
    positive = sum(1 for event in kept if event.car(days) > 0)  # type: ignore[operator]
    return (positive - n * p) / sqrt(n * p * (1 - p))


def skewness_adjusted(x: list[float], form: str) -> float:
    n, s = len(x), mean(x) / stdev(x)
    third = sum((v - mean(x)) ** 3 for v in x) / stdev(x) ** 3
    if form == "johnson":
        g = third / n
        return sqrt(n) * (s + g * s**2 / 3 + g / (6 * n))
    g = n * third / ((n - 1) * (n - 2))
    return sqrt(n) * (s + g * s**2 / 3 + g**2 * s**3 / 27 + g / (6 * n))
