"""Settling: the instrument ids that staging gave out, made final under the writer lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa

from db.delta.files import FILE_SCHEMA, BarFile, Folder
from db.delta.staging import Staged, in_key_order
from db.delta.writing import FileWriter, row_groups
from db.errors import StoreError
from db.instruments import SymbolBook


def settle(
    folder: Folder, staged: Staged, symbols: Iterable[str], then: SymbolBook, now: SymbolBook
) -> Staged:
    """Compare the book a batch was staged with to the book as it is ``now``, and add to that.

    Another import may have taken an id in between, or created the same symbol: then the files
    are written anew with the ids that hold.  StoreError where a symbol was renamed in between.
    """
    final: dict[int, int] = {}
    for symbol in sorted(symbols, key=lambda seen: then.created.get(seen, 0)):
        provisional = then.created.get(symbol)
        if provisional is None:
            if then.spans[symbol] != now.spans.get(symbol):
                raise _changed(symbol)
        elif symbol not in now.spans:
            final[provisional] = now.create(symbol)
        else:
            final[provisional] = _only(now, symbol)
    moved = {old: new for old, new in final.items() if old != new}
    if moved:
        files = tuple(_renumbered(folder, file, moved) for file in staged.files)
        pairs = zip(staged.files, files, strict=True)
        repeating = {new.path for old, new in pairs if old.path in staged.repeating}
        return Staged(files, staged.accepted, frozenset(repeating))
    return staged


def _renumbered(folder: Folder, file: BarFile, moved: Mapping[int, int]) -> BarFile:
    """The same bars under other instrument ids, in a file of its own."""
    rows = pa.concat_tables(row_groups(folder, file)).combine_chunks()
    ids, codes = np.unique(rows.column("instrument").to_numpy(), return_inverse=True)
    new = np.array([moved.get(int(one), int(one)) for one in ids], dtype=np.int64)[codes]
    rows = rows.set_column(0, FILE_SCHEMA.field("instrument"), pa.array(new))
    with FileWriter(folder, file.path.replace(".parquet", "-r.parquet"), file.source) as writer:
        writer.write(in_key_order(rows))
    folder.delete([file.path])
    return writer.finished() or file


def _only(book: SymbolBook, symbol: str) -> int:
    """The instrument of a symbol that another import created meanwhile, and nothing else did."""
    spans = book.spans[symbol]
    if len(spans) != 1 or not spans[0].is_open:
        raise _changed(symbol)
    return spans[0].instrument_id


def _changed(symbol: str) -> StoreError:
    return StoreError(
        f"what {symbol!r} names was changed while this was read", hint="run the import again"
    )
