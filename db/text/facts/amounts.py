"""Quantities in a sentence's items: currency, sign, number, scale, ranges, plus or minus."""

from __future__ import annotations

from dataclasses import replace

from db.text.facts import numerals, units
from db.text.facts.items import Amount, AmountKind, Item

_PERCENT = {"en": {"%", "percent", "pct"}, "de": {"%", "prozent", "v.h"}}
_POINTS: dict[str, set[tuple[str, ...]]] = {
    "en": {
        ("percentage", "point"),
        ("percentage", "points"),
        ("basis", "points"),
        ("bps",),
        ("bp",),
        ("pp",),
        ("ppts",),
        ("points",),
        ("basis", "point"),
        ("percentage", "pts"),
    },
    "de": {
        ("prozentpunkte",),
        ("prozentpunkten",),
        ("basispunkte",),
        ("basispunkten",),
        ("bp",),
        ("punkte",),
        ("prozentpunkt",),
        ("punkten",),
        ("pp",),
    },
}


class Quantities:
    """Reads the quantities of one sentence from left to right."""

    def __init__(self, items: list[Item], language: str) -> None:
        self._items = _unbracketed(items)
        self._language = language
        self._scales = numerals.SCALES[language]
        self._words = numerals.WORDS[language]
        self._fractions = numerals.FRACTIONS[language]
        self._currency_words = units.WORDS[language]
        self._hundredths = units.HUNDREDTHS[language]

    def read(self) -> list[Item]:
        """The items with every quantity made one item."""
        out: list[Item] = []
        at = 0
        while at < len(self._items):
            found = self._quantity(at, out[-1] if out else None)
            if found is None:
                out.append(self._items[at])
                at += 1
                continue
            amount, end = found
            first, last = self._items[at], self._items[end - 1]
            text = " ".join(item.text for item in self._items[at:end])
            out.append(
                Item(
                    "amount", text, text.lower(), first.begin, last.end, first.glued, amount=amount
                )
            )
            at = end
        return out

    def _low(self, at: int) -> str:
        return self._items[at].low if 0 <= at < len(self._items) else ""

    def _quantity(self, at: int, before: Item | None) -> tuple[Amount, int] | None:
        sign, begin = self._sign(at, before)
        unit, prefix_scale, begin = self._prefix(begin)
        if unit and not sign and self._low(begin) in ("-", "–"):
            sign, begin = -1, begin + 1
        closing = bool(unit) and self._low(begin) == "("
        begin += closing
        read = self._number(begin, before if not unit and begin == at else None, worded=not sign)
        if read is None:
            return None
        value, number_end, worded = read
        if worded and self._low(number_end - 1) in self._fractions and value < 1:
            return Amount(value, value, "percent", fraction=True), number_end
        found = self._suffix(value, number_end, unit, prefix_scale, worded)
        if found is None:
            return None
        amount, end = found
        if closing:
            if self._low(end) != ")":
                return None
            end += 1
            sign = -1
            scale = self._scales.get(self._low(end), 0.0)
            if scale and not amount.scale and amount.kind == "money":  # "$(22.8)M"
                amount.low, amount.high = (
                    numerals.scaled(amount.low, scale),
                    numerals.scaled(amount.high, scale),
                )
                amount.scale = scale
                end += 1
        amount.sign = sign
        if sign < 0 and amount.kind != "percent":
            amount.low, amount.high = -amount.low, -amount.high
        return amount, end

    def _number(
        self, at: int, before: Item | None, *, worded: bool
    ) -> tuple[float, int, bool] | None:
        """Value, end and whether it is written in words."""
        item = self._items[at] if at < len(self._items) else None
        if item is None:
            return None
        if item.kind == "number":
            if before is not None and _sticks(item, before):
                return None
            value = numerals.value_of(item.text, self._language)
            return None if value is None else (value, at + 1, False)
        read = self._worded(at) if item.kind == "word" and worded else None
        return None if read is None else (*read, True)

    def _sign(self, at: int, before: Item | None) -> tuple[int, int]:
        """A sign that belongs to the number after it: ``+7%``, ``-$0.09``, ``minus 27 Cent``."""
        low = self._low(at)
        following = self._items[at + 1] if at + 1 < len(self._items) else None
        if following is None:
            return 0, at
        if low in ("+", "-", "–") and following.glued:
            spaced = before is None or not self._items[at].glued or before.low in "(:/"
            if spaced and (following.kind == "number" or following.low in units.SIGNS):
                return (1 if low == "+" else -1), at + 1
        after_or = before is not None and before.low in ("or", "oder", "/")
        if low in ("minus", "plus") and following.kind == "number" and not after_or:
            return (1 if low == "plus" else -1), at + 1
        return 0, at

    def _prefix(self, at: int) -> tuple[str, float, int]:
        """A currency before the number: ``US$``, ``EUR``, ``T€``."""
        if at >= len(self._items):
            return "", 0.0, at
        item = self._items[at]
        following = self._items[at + 1] if at + 1 < len(self._items) else None
        dollar = following is not None and following.glued and following.low == "$"
        if dollar and item.low in units.DOLLARS:
            return units.DOLLARS[item.low], 0.0, at + 2
        if item.low in units.SIGNS:
            return units.SIGNS[item.low], 0.0, at + 1
        number = following is not None and following.kind == "number"
        if number and self._language == "en" and item.text == "Euro":
            return "EUR", 0.0, at + 1
        if number and item.text in units.CODES:
            return units.CODES[item.text], units.CODE_SCALES.get(item.text, 0.0), at + 1
        if item.text in units.CODES and following is not None and following.low in ("-", "(", "–"):
            return units.CODES[item.text], 0.0, at + 1
        return "", 0.0, at

    def _worded(self, at: int) -> tuple[float, int] | None:
        """A number in words, which must be followed by a scale, unit or percent."""
        if self._language == "en":
            return self._worded_english(at)
        first, second = self._low(at), self._low(at + 1)
        if second in self._fractions and (first in self._words or first == "die"):
            return self._words.get(first, 1.0) * self._fractions[second], at + 2
        if first in ("ein", "eine", "einer", "einem", "einen") and second in self._words:
            return self._words[second], at + 2  # "eine halbe", "ein zwanzig" never stands
        if first == "die" or first not in self._words:
            return None
        return self._words[first], at + 1

    def _worded_english(self, at: int) -> tuple[float, int] | None:
        first, second, third = (self._low(at + step) for step in range(3))
        if first == "half" and second == "a" and third in self._scales:
            return 0.5, at + 2
        if first in ("a", "one", *self._words) and second in self._fractions:
            if third in ("quarter", "of") and second in ("third", "quarter"):
                return None
            if second in ("half",) and first == "a" and third not in self._scales:
                return None
            return self._words.get(first, 1.0) * self._fractions[second], at + 2
        if first == "a" and second in self._scales and len(second) > 2:
            return 1.0, at + 1
        if first == "half" and self._low(at - 1) == "by":
            return 0.5, at + 1
        value = self._words.get(first)
        if value is None:
            return None
        end = at + 1
        if value >= 20 and 0 < self._words.get(second, 0) < 10:
            value, end = value + self._words[second], at + 2
        if [self._low(end + step) for step in range(3)] == ["and", "a", "half"]:
            return value + 0.5, end + 3
        return value, end

    def _suffix(
        self, value: float, at: int, unit: str, scale: float, worded: bool
    ) -> tuple[Amount, int] | None:
        """Scale, unit and what else follows the digits."""
        low = self._low(at)
        item = self._items[at] if at < len(self._items) else None
        if low in self._scales and item is not None and item.kind == "word":
            short = low in numerals.SHORT_SCALES
            if not short or item.glued or unit:
                scale = self._scales[low]
                at += 1
        percent = self._percent(at) if not unit else None
        if percent is not None:
            divisor = 10_000 if low.startswith("b") and percent[0] == "points" else 100
            share = float(f"{value / divisor:.12g}")
            return Amount(share, share, percent[0]), percent[1]
        small = ""
        if not unit:
            unit, small, unit_scale, at = self._currency_after(at, worded)
            scale = scale or unit_scale
        if worded and not scale and not unit and not self._range_of_words(at):
            return None
        number = numerals.scaled(value, scale or 1.0)
        if small:
            number = numerals.scaled(value, 0.01)
        kind: AmountKind = "money" if unit else "plain"
        amount = Amount(number, number, kind, unit, scale, small=bool(small))
        return amount, at

    def _range_of_words(self, at: int) -> bool:
        """``neun bis elf Prozent``: a number in words before another one."""
        following = self._items[at + 1] if at + 1 < len(self._items) else None
        if following is None or self._low(at) not in ("bis", "to", "und", "and", "auf"):
            return False
        return following.kind == "number" or following.low in self._words

    def _percent(self, at: int) -> tuple[AmountKind, int] | None:
        low, second = self._low(at), self._low(at + 1)
        for points in _POINTS[self._language]:
            if points == (low, second)[: len(points)]:
                return "points", at + len(points)
        if low in _PERCENT[self._language]:
            if second in ("punkte", "punkten", "points", "point"):
                return "points", at + 2
            return "percent", at + 1
        if (low, second) == ("per", "cent"):
            return "percent", at + 2
        return None

    def _currency_after(self, at: int, worded: bool) -> tuple[str, str, float, int]:
        """Currency written after the number; cents and pence are hundredths of one."""
        item = self._items[at] if at < len(self._items) else None
        if item is None:
            return "", "", 0.0, at
        if item.low in units.SIGNS:
            return units.SIGNS[item.low], "", 0.0, at + 1
        if item.low == "t" and self._low(at + 1) == "€":
            return "EUR", "", 1e3, at + 2
        if item.low in ("us", "u.s") and self._low(at + 1) in ("$", "cent", "cents"):
            small = "c" if self._low(at + 1) != "$" else ""
            return "USD", small, 0.0, at + 2
        for size in (3, 2, 1):
            words = tuple(self._low(at + step) for step in range(size))
            if words in self._currency_words:
                return self._currency_words[words], "", 0.0, at + size
        if item.text in units.CODES:
            scale = units.CODE_SCALES.get(item.text, 0.0)
            return units.CODES[item.text], "", scale, at + 1
        small = self._hundredths.get(item.low, "")
        if small and (len(item.low) > 1 or item.glued):
            return small, "c", 0.0, at + 1
        return "", "", 0.0, at


def _unbracketed(items: list[Item]) -> list[Item]:
    """``1,07 (Vorjahr: 0,98) Milliarden Euro``: the unit behind the bracket is the number's too."""
    out: list[Item] = []
    for at, item in enumerate(items):
        out.append(item)
        if item.kind != "number" or at + 3 >= len(items) or items[at + 1].low != "(":
            continue
        close = next(
            (place for place in range(at + 2, min(at + 9, len(items))) if items[place].low == ")"),
            None,
        )
        if close is None or not any(one.kind == "number" for one in items[at + 2 : close]):
            continue
        unit = items[close + 1 : close + 3]
        if unit and unit[0].low in _SHARED_UNITS:
            known = [one for one in unit if one.low in _SHARED_UNITS]
            out.extend(replace(one, begin=item.end, end=item.end, glued=False) for one in known)
    return out


_SHARED_UNITS = {
    "milliarden",
    "millionen",
    "mrd",
    "mio",
    "billion",
    "million",
    "prozent",
    "percent",
    "%",
    "euro",
    "dollar",
    "franken",
    "dollars",
    "euros",
    "cent",
    "cents",
}


def _sticks(item: Item, before: Item) -> bool:
    """A number that is part of a name or mark: ``A350``, ``F-150``, ``Revenue1``."""
    return item.glued and before.kind == "word"
