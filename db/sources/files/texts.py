"""Cells as text: as a person would have read them in the file, and as they can be shown."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from db.sources.files.arrow import Cells, pc
from db.sources.files.numeric import shortest_decimals

SHOWN_CHARACTERS = 200


def shown(text: str) -> str:
    """A cell as it can be stored and printed: control characters escaped, cut when long."""
    return printable(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…")


def printable(text: str) -> str:
    """Text with whatever a terminal would obey, or a database refuse, written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def to_texts(cells: Cells) -> list[str | None]:
    """Cells of any type as the text that a person would have read in the file."""
    kind = cells.type
    if pa.types.is_dictionary(kind):
        cells = cells.dictionary_decode()
        kind = cells.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return list(cells.to_pylist())
    if pa.types.is_floating(kind):
        return _float_texts(cells)
    if pa.types.is_nested(kind):
        return [
            None if cell is None else json.dumps(cell, default=str) for cell in cells.to_pylist()
        ]
    try:
        return list(pc.cast(cells, pa.string()).to_pylist())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if pa.types.is_timestamp(kind):  # of a zone that does not exist
            cells = pc.cast(cells, pa.int64())
        return [None if cell is None else str(cell) for cell in cells.to_pylist()]


def _float_texts(cells: Cells) -> list[str | None]:
    if cells.type != pa.float64():
        values = cells.cast(pa.float32()).to_numpy(zero_copy_only=False)
        cells = pa.array(shortest_decimals(values), mask=np.asarray(cells.is_null()))
    return [None if cell is None else repr(cell).removesuffix(".0") for cell in cells.to_pylist()]
