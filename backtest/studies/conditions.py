"""What events can be chosen by: a name, an operator and a value, such as ``drop>=0.05``.

Everything that can be named is known before the outcome, or counted as unknown; an outcome itself
cannot be named.  Equal counts, with the relative tolerance of all levels here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from backtest.paths import BoolArray, FloatArray
from db.errors import UsageError, did_you_mean

TOLERANCE = 1e-9
"""Relative; of the price where a number is a ratio of two prices."""

NAMES = {
    "drop": "deepest close of the evening and morning below the reference close, a fraction; "
    "with daily bars the open's fall",
    "low": "the same by single prints",
    "gap": "reaction open against the reference close, a fraction",
    "session": "pre, regular, post, closed (no session that day) or date (the day alone is known)",
    "surprise": "EPS (actual - estimate) / |estimate|, a fraction, once known",
    "guidance.METRIC": "guidance midpoint against consensus, a fraction, once known "
    "(guidance.revenue)",
    "news": "news items of the company since the reference close",
    "sentiment": "mean sentiment of those items",
    "volatility": "standard deviation of the 20 daily log returns up to the reference close",
    "price": "reference close as traded",
}
OPERATORS = (">=", "<=", "!=", ">", "<", "=")
SESSIONS = ("pre", "regular", "post", "closed", "date")
PRICE_NAMES = ("drop", "low", "gap")
MARKET_NAMES = (*PRICE_NAMES, "volatility", "price")
"""Conditions on prices alone: a night without a release can fulfil them."""
CONTENT_NAMES = ("surprise", "guidance", "news", "sentiment")
_OUTCOME = re.compile(
    r"(day_(close|low|high)|ret(urn)?(_\w+)?|mae_?\d*|mfe_?\d*|outcome|gain|c?aar)"
)
_FORM = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(>=|<=|!=|==|=|>|<)\s*(\S.*?)\s*")
_EXAMPLE = 'such as "drop>=0.05", session=post or "surprise<-0.1"'


@dataclass(frozen=True)
class Condition:
    """One condition, as `parse_condition` reads it."""

    name: str
    """Of `NAMES`, without the metric: ``guidance``."""
    operator: str
    value: float | str
    metric: str = ""

    def __str__(self) -> str:
        name = f"{self.name}.{self.metric}" if self.metric else self.name
        value = self.value if isinstance(self.value, str) else f"{self.value:g}"
        return f"{name}{self.operator}{value}"

    @property
    def at_most(self) -> bool:
        """Whether a limit order to buy at the open says the same as the condition."""
        above, below = self.operator in (">=", ">"), self.operator in ("<=", "<")
        return below if self.name == "gap" else above and self.name in PRICE_NAMES

    @property
    def at_least(self) -> bool:
        """Whether a limit order to sell at the open says the same as the condition."""
        above, below = self.operator in (">=", ">"), self.operator in ("<=", "<")
        return above if self.name == "gap" else below and self.name in PRICE_NAMES

    def holds(self, values: FloatArray) -> BoolArray:
        """Where numbers fulfil it (any shape); NaN does not."""
        bound = float(self.value)
        slack = TOLERANCE * (1.0 if self.name in PRICE_NAMES else abs(bound))
        if self.operator == ">=":
            return np.asarray(values >= bound - slack)
        if self.operator == "<=":
            return np.asarray(values <= bound + slack)
        if self.operator == ">":
            return np.asarray(values > bound + slack)
        if self.operator == "<":
            return np.asarray(values < bound - slack)
        equal = np.abs(values - bound) <= slack
        return np.asarray(equal if self.operator == "=" else ~equal & ~np.isnan(values))


def parse_condition(text: str | Condition) -> Condition:
    """Read ``NAME OPERATOR VALUE``, with or without blanks.

    Raises UsageError for a name or operator that does not exist, a value that is no number (or no
    session), percent where fractions are meant, and for an outcome.
    """
    if isinstance(text, Condition):
        return text
    found = _FORM.fullmatch(text)
    if found is None:
        raise UsageError(
            f"a condition is NAME OPERATOR VALUE, not {text!r}",
            where="--condition",
            hint=f"{_EXAMPLE}; operators: {' '.join(OPERATORS)}; names: {', '.join(NAMES)}",
        )
    name, operator, value = found[1].lower(), found[2].replace("==", "="), found[3]
    if _OUTCOME.fullmatch(name):
        raise UsageError(
            f"{name} is an outcome: choosing events by it is looking ahead",
            where="--condition",
            hint="--gain and --hold say which outcome is counted; choose by what was known before: "
            + ", ".join(NAMES),
        )
    name, _, metric = name.partition(".")
    known = {one.partition(".")[0] for one in NAMES}
    if name not in known or (metric and name != "guidance"):
        near = did_you_mean(found[1].lower(), known, kind="condition")
        near = "" if near.startswith("known") else f"{near} "
        raise UsageError(
            f"no condition {found[1]!r}",
            where="--condition",
            hint=f"{near}names: {', '.join(NAMES)}",
        )
    if name == "guidance" and not metric:
        raise UsageError(
            "guidance of what?", where="--condition", hint='a metric, such as "guidance.revenue>0"'
        )
    if name == "session":
        return Condition(name, operator, _session(operator, value))
    return Condition(name, operator, _number(name, value), metric)


def _session(operator: str, value: str) -> str:
    if operator not in ("=", "!="):
        raise UsageError(
            f"a session is equal or not, never {operator}",
            where="--condition",
            hint="session=post or session!=pre",
        )
    if value.lower() not in SESSIONS:
        hint = did_you_mean(value.lower(), SESSIONS, kind="session")
        raise UsageError(f"no session {value!r}", where="--condition", hint=hint)
    return value.lower()


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
        if not np.isfinite(value):
            raise ValueError
    except ValueError:
        raise UsageError(
            f"{name} is compared with a number, not {text!r}", where="--condition", hint=_EXAMPLE
        ) from None
    if name in (*PRICE_NAMES, "volatility") and abs(value) >= 1:
        raise UsageError(
            f"{name} is a fraction, and {text} is {value * 100:g} %",
            where="--condition",
            hint="0.05 is 5 %",
        )
    return value
