"""Cells to double precision: strict, and without inventing digits."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from db.sources.files.arrow import BoolArray, Cells, FloatArray, mask, pc

MISSING = ("", "-", "--", "na", "n/a", "nan", "null", "none")
"""Spellings of "no value", compared in lower case."""

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


@dataclass(frozen=True)
class Numbers:
    """One column: ``values`` is NaN where there is no number, (rows,) all three."""

    values: FloatArray
    missing: BoolArray
    bad: BoolArray


def to_numbers(cells: Cells) -> Numbers:
    """Read a column of any type; ``bad`` marks cells that say something which is no number.

    Text must be a plain decimal (``59.9``, ``1e-3``): a comma, a currency sign or a unit is bad.
    Infinity passes as a value and is left to the caller's checks.
    """
    kind = cells.type
    if pa.types.is_dictionary(kind):
        cells = cells.dictionary_decode()
        kind = cells.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(cells)
    count = len(cells)
    if pa.types.is_floating(kind) and kind != pa.float64():
        narrow = cells.cast(pa.float32()).to_numpy(zero_copy_only=False)
        return _complete(shortest_decimals(narrow), np.zeros(count, dtype=np.bool_))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return _complete(values, np.zeros(count, dtype=np.bool_))
    if pa.types.is_null(kind):
        return _complete(np.full(count, np.nan), np.zeros(count, dtype=np.bool_))
    return _complete(np.full(count, np.nan), np.asarray(cells.is_valid()))


def _from_text(cells: Cells) -> Numbers:
    bad = np.zeros(len(cells), dtype=np.bool_)
    try:  # the whole column at once, which is the common case
        parsed = pc.cast(cells, pa.float64())
    except pa.ArrowInvalid:
        trimmed = pc.utf8_trim_whitespace(cells)
        is_number = pc.match_substring_regex(trimmed, _NUMBER)
        is_word = pc.is_in(pc.utf8_lower(trimmed), value_set=pa.array([*MISSING], cells.type))
        is_infinite = pc.match_substring_regex(trimmed, r"^[+-]?(?i:inf|infinity)$")
        readable = pc.or_(is_number, is_infinite)
        nothing = pc.or_(is_word, pc.is_null(cells))
        parsed = pc.cast(pc.if_else(readable, trimmed, None), pa.float64())
        bad = mask(pc.invert(pc.or_kleene(readable, nothing)))
    return _complete(parsed.to_numpy(zero_copy_only=False), bad)


def _complete(values: FloatArray, bad: BoolArray) -> Numbers:
    return Numbers(values, np.isnan(values) & ~bad, bad)


def number_fault(text: str) -> str:
    """Why a cell is not a number, with what to write instead where that can be told."""
    cell = text.strip()
    if "\n" in cell:
        return "not a number: the cell runs over several lines (a quote that is never closed?)"
    bare = cell.lstrip("+-")
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d*)?", bare):
        return "a comma in a number is not read (thousands separator?): write it without"
    if re.fullmatch(r"\d*,\d+|\d{1,3}([. \u2019']\d{3})+(,\d+)?", bare):
        return "foreign decimal mark or thousands separator: write a decimal point, no separators"
    if re.search(r"[$€£¥%]", cell):
        return "a sign beside the number is not read: write the number alone"
    if re.fullmatch(r"\(\s*\$?[\d.,]+\s*\)", cell):
        return "a number in brackets is not read: write a minus sign"
    if re.fullmatch(r"[\d.,]+\s*([kmbKMB]|[Mm]n|[Bb]n)", bare):
        return "a unit behind the number is not read: write the number out"
    return "not a number"


def _digits_below_spacing() -> FloatArray:
    """For each float32 exponent (8 bits), 10**k for the largest k whose step 10**-k is wider than
    the distance between neighbouring floats: within that step at most one decimal can be meant.
    """
    spacing = 2.0 ** (np.maximum(np.arange(256), 1) - 127.0 - 23.0)
    decimals = np.clip(np.ceil(-np.log10(spacing)) - 1, 0, 22)
    return np.asarray(10.0**decimals)


_SCALES = _digits_below_spacing()


def shortest_decimals(values: npt.NDArray[np.float32]) -> FloatArray:
    """Single precision to the double that prints like it: float32(29.516) -> 29.516.

    A plain cast gives 29.516000747680664, digits that nobody quoted.  Each value is rounded to
    as many decimals as its magnitude can tell apart; if that is not the same float32 (about one
    in a thousand real prices), the shortest decimal that is comes from its printed form.  So
    ``result.astype(float32) == values`` always holds; NaN and infinities pass through.
    """
    values = np.ascontiguousarray(values, dtype=np.float32)
    scales = _SCALES[(values.view(np.uint32) >> np.uint32(23)) & np.uint32(255)]
    with np.errstate(invalid="ignore", over="ignore"):
        rounded = np.asarray(np.rint(values * scales) / scales, dtype=np.float64)
        longer = rounded.astype(np.float32) != values
    if longer.any():
        printed = pc.cast(pa.array(values[longer]), pa.string())
        rounded[longer] = pc.cast(printed, pa.float64()).to_numpy(zero_copy_only=False)
    return rounded
