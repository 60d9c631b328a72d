"""Symbols as files spell them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from db.errors import UsageError
from db.sources.files.arrow import Cells, IntArray
from db.sources.files.screen import Screen
from db.sources.files.texts import to_texts

LONGEST = 32
_SUFFIXES = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".gz"}


def clean_symbol(text: str) -> str | None:
    """A symbol without blanks around it; None for what cannot be one.

    All lower case becomes upper case (``amd``); mixed case is kept, since it tells share classes
    apart in some notations (``BACpL``).
    """
    symbol = text.strip().removeprefix("$")
    if not symbol or len(symbol) > LONGEST or not symbol.isprintable():
        return None
    return symbol.upper() if symbol == symbol.lower() else symbol


def checked_symbol(text: str) -> str:
    """The symbol of an option; UsageError for what cannot be one."""
    symbol = clean_symbol(text)
    if symbol is None:
        raise UsageError(f"{text!r} is no symbol", where="--symbol", hint="--symbol AMD")
    return symbol


def symbol_of_name(file: str) -> str:
    """``folder/BRK.B.csv.gz`` -> ``BRK.B``; UsageError where nothing is left."""
    path = Path(file)
    while path.suffix.lower() in _SUFFIXES:
        path = path.with_suffix("")
    symbol = clean_symbol(path.name)
    if symbol is None:
        raise UsageError("the file's name is no symbol", where=file, hint="--symbol AMD")
    return symbol


class SymbolColumn:
    """Symbols of one file, numbered in the order in which they first occur."""

    def __init__(self, symbol: str | None) -> None:
        self._fixed = symbol
        self._codes: dict[str, int] = {}

    def read(self, screen: Screen) -> tuple[IntArray, Cells]:
        """Codes, (rows,), and an Arrow array of symbols; refuses cells that are no symbol."""
        count = len(screen)
        if self._fixed is not None:
            return np.zeros(count, dtype=np.int64), pa.repeat(self._fixed, count)
        cells = screen.cells("symbol")
        if pa.types.is_nested(cells.type):
            cells = pa.array(to_texts(cells), pa.string())
        encoded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
        cleaned = [clean_symbol(text or "") for text in to_texts(encoded.dictionary)]
        codes = [self._codes.setdefault(s, len(self._codes)) if s else -1 for s in cleaned]
        index = encoded.indices.fill_null(len(cleaned)).to_numpy(zero_copy_only=False)
        found = np.array([*codes, -1], dtype=np.int64)[index]
        screen.refuse(found < 0, "symbol", symbol_fault)
        names = pa.array([*(symbol or "" for symbol in cleaned), ""], pa.string())
        return found, names.take(pa.array(index))


def symbol_fault(_: int, text: str) -> str:
    """Why a cell is no symbol, for its reject."""
    if not text.strip():
        return "the symbol is missing"
    if len(text) > LONGEST:
        return f"a symbol has at most {LONGEST} characters"
    return "a symbol has printable characters alone"
