"""Ranges: two amounts, or an amount and its spread, made one."""

from __future__ import annotations

from dataclasses import replace

from db.text.facts import numerals
from db.text.facts.items import Amount, Item


def join_ranges(items: list[Item]) -> list[Item]:
    """Makes one amount of ``A to B``, ``A-B``, ``between A and B`` and ``A plus or minus B``."""
    out: list[Item] = []
    at = 0
    while at < len(items):
        item = items[at]
        while item.amount is not None:
            joined = _plus_minus(items, at) or _range(items, at, out)
            if joined is None:
                break
            amount, end = joined
            last = items[end - 1]
            item = replace(item, amount=amount, end=last.end)
            at = end - 1
            items[at] = item
        out.append(item)
        at += 1
    return out


_GIVE_OR_TAKE = {
    "plus or minus",
    "plus oder minus",
    "+ / -",
    "+ / –",
    "give or take",
    "plus / minus",
}


def _plus_minus(items: list[Item], at: int) -> tuple[Amount, int] | None:
    """``$65 billion, plus or minus 2%`` and ``$12.5 billion ± $300 million``."""
    base = items[at].amount
    end = at + 1
    while end < min(len(items), at + 3) and items[end].low in (
        "an",
        "in aussicht",
        "in",
        "aussicht",
    ):
        end += 1
    opened = end < len(items) and items[end].low in (",", "(")
    bracket = opened and items[end].low == "("
    end += opened
    lows = [item.low for item in items[end : end + 3]]
    if lows[:1] == ["±"]:
        end += 1
    elif " ".join(lows) in _GIVE_OR_TAKE:
        end += 3
    else:
        return None
    spread = items[end].amount if end < len(items) else None
    if base is None or spread is None or base.low != base.high:
        return None
    end += 1
    if bracket:
        if end >= len(items) or items[end].low != ")":
            return None
        end += 1
    if spread.kind == "percent" and base.kind != "percent":
        width = abs(base.low) * spread.low
    elif spread.kind in (base.kind, "plain", "points"):
        shared = base.scale if spread.kind == "plain" and not spread.scale else 0.0
        width = numerals.scaled(spread.low, shared or 1.0)
    else:
        return None
    low, high = (numerals.scaled(base.low + step, 1.0) for step in (-width, width))
    return replace(base, low=low, high=high), end


def _range(items: list[Item], at: int, out: list[Item]) -> tuple[Amount, int] | None:
    """Two amounts parted by a dash, ``to``, ``bis``, or ``and`` after ``between``."""
    first = items[at].amount
    if first is None or at + 2 >= len(items) or first.low != first.high or first.fraction:
        return None
    link = items[at + 1].low
    end = at + 2
    while end < len(items) and items[end].tags & {"ABOUT", "OVER", "UNDER"} and end < at + 4:
        end += 1
    second = items[end].amount if end < len(items) else None
    if second is None or second.low != second.high or second.fraction:
        return None
    before = out[-1] if out else None
    if (
        link in ("and", "und", "to")
        and before is not None
        and before.low in ("between", "zwischen")
    ):
        pass
    elif link == "to":
        if before is not None and _changes_from(before, out, first):
            return None
    elif link not in ("bis", "-", "–"):
        return None
    joined = _share(first, second)
    return (joined, end + 1) if joined else None


def _changes_from(before: Item, out: list[Item], first: Amount) -> bool:
    """``from 48 to 60`` and ``fell $300 million to $3 billion`` are no ranges."""
    if before.low == "from":
        ranged = {"range", "ranging", "ranges", "anywhere"}
        return not any(item.low in ranged for item in out[-4:])
    return (
        first.kind != "percent"
        and bool(before.tags & {"VERB", "BY"})
        and bool(before.tags & {"UP", "DOWN", "BY"})
    )


def _share(first: Amount, second: Amount) -> Amount | None:
    """One range with the unit and scale that only one of its ends may carry."""
    kinds = {first.kind, second.kind}
    if kinds in ({"plain", "percent"}, {"plain", "points"}):
        if first.kind != "plain" or first.scale:
            return None
        first = replace(first, low=first.low / 100, high=first.high / 100, kind=second.kind)
    elif len(kinds) > 1 and kinds != {"plain", "money"}:
        return None
    if first.unit and second.unit and first.unit != second.unit:
        return None
    scale = first.scale or second.scale
    small = first.small or second.small
    low, high = first.low, second.high
    if second.scale and not first.scale:
        low = numerals.scaled(low, second.scale)
    elif first.scale and not second.scale:
        high = numerals.scaled(high, first.scale)
    elif second.small and not first.small and not first.unit:
        low = numerals.scaled(low, 0.01)
    if first.sign < 0 and second.sign == 0 and high > 0 and abs(low) > high:
        high = -high
    if low > high >= 0:
        return None
    low, high = min(low, high), max(low, high)
    low = float(f"{low:.12g}")
    kind = second.kind if second.kind != "plain" else first.kind
    unit = first.unit or second.unit
    return Amount(
        low,
        high,
        kind,
        unit,
        scale,
        first.per_share or second.per_share,
        first.qualifier,
        sign=first.sign,
        small=small,
    )
