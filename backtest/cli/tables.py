"""Tables: fitted to the terminal for a person, whole as CSV or JSON for a program.

On screen a table shows chosen columns and its first rows; ``--csv`` and ``--json`` print every
column and row.  Instants are printed in the exchange's time with their offset, in all three.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from backtest.cli.errors import say
from backtest.cli.words import NEW_YORK, printable
from db.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "file", "count", "number", "figure", "percent", "time", "date"]
RIGHT = ("count", "number", "figure", "percent")
Form = Literal["table", "csv", "json"]
ROWS_SHOWN = 40
AMERICAN = {"", "XNYS", "XNAS", "ARCX", "BATS", "XASE", "NYSE", "NASDAQ"}


@dataclass(frozen=True)
class Column:
    """One column on screen.

    ``percent`` takes a fraction and shows it times 100; ``figure`` shows whole numbers as such
    and others with their digits.
    """

    name: str
    title: str = ""
    kind: Kind = "text"
    digits: int = 2
    wide: bool = False
    """The column that gives way where the terminal is narrow, ..."""
    wrap: bool = False
    """... by using several lines rather than being cut."""
    most: int = 0
    """Characters shown at the most; 0 shows all."""
    spare: bool = False
    """Left out, from the right, where the terminal is too narrow; --csv has every column."""

    @property
    def heading(self) -> str:
        title = self.title or self.name.replace("_", " ")
        return f"{title} %" if self.kind == "percent" else title


def form_of(*, as_json: bool, as_csv: bool) -> Form:
    """The form that was asked for; UsageError for both at once."""
    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other", hint="leave one of them out")
    return "json" if as_json else "csv" if as_csv else "table"


def show(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    form: Form = "table",
    title: str = "",
    empty: str = "nothing to show",
    limit: int = ROWS_SHOWN,
) -> None:
    """Print a frame to standard output; what was left out is said on standard error.

    ``limit`` holds on screen alone; 0 shows all rows.
    """
    if form == "json":
        sys.stdout.write(as_json(frame))
    elif form == "csv":
        exported(frame).to_csv(sys.stdout, index=False, lineterminator="\n")
    elif frame.empty:
        say(empty)
    else:
        shown = frame if limit <= 0 else frame.head(limit)
        _print_table(shown, columns, title)
        if len(shown) < len(frame):
            say(f"{len(frame) - len(shown):,} more rows; --limit 0 shows all, --csv exports them")


def as_json(frame: pd.DataFrame) -> str:
    """A JSON array with one object a line; missing values are null."""
    records = [
        json.dumps({str(k): plain(v) for k, v in record.items()}, ensure_ascii=False)
        for record in exported(frame).to_dict("records")
    ]
    return "[\n" + ",\n".join(records) + "\n]\n" if records else "[]\n"


def print_json(value: Any) -> None:
    """One JSON document to standard output."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n")


def plain(value: Any) -> Any:
    """The value in JSON's own types: no NaN, dates and instants as ISO 8601 text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, datetime | date):
        return None if value != value else value.isoformat()  # noqa: PLR0124 - NaT is not itself
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return plain(value.item())
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    import pandas as pd

    return None if value is pd.NA else str(value)


def exported(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with instants as ISO 8601 text in exchange time."""
    import pandas as pd

    out = frame.copy()
    for name in out.columns:
        if isinstance(out[name].dtype, pd.DatetimeTZDtype):
            out[name] = _local(out, str(name), lambda t: t.isoformat())
        elif pd.api.types.is_datetime64_dtype(out[name].dtype):
            out[name] = out[name].dt.strftime("%Y-%m-%d")
    return out


def _local(frame: pd.DataFrame, name: str, write: Callable[[Any], str]) -> list[str | None]:
    """Each instant in the time of its row's exchange, written; None where there is none."""
    texts: list[str | None] = [None] * len(frame)
    exchanges = frame["exchange"] if "exchange" in frame.columns else [""] * len(frame)
    rows_of: dict[str, list[int]] = {}
    for row, exchange in enumerate(exchanges):
        rows_of.setdefault(str(exchange), []).append(row)
    for exchange, rows in rows_of.items():
        moments = frame[name].iloc[rows].dt.tz_convert(time_zone(exchange))
        for row, moment, missing in zip(rows, moments, moments.isna(), strict=True):
            texts[row] = None if missing else write(moment)
    return texts


def time_zone(exchange: str) -> ZoneInfo:
    """The exchange's time zone; New York where none is named."""
    if exchange in AMERICAN:
        return ZoneInfo(NEW_YORK)
    from db.calendar import calendar

    return ZoneInfo(calendar(exchange).tz)


def _print_table(frame: pd.DataFrame, columns: Sequence[Column], title: str) -> None:
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    chosen = [column for column in columns if column.name in frame.columns]
    cells_of = {column.name: column_texts(frame, column) for column in chosen}
    width_of = {
        column.name: max(cell_len(text) for text in (column.heading, *cells_of[column.name]))
        for column in chosen
    }
    chosen = _fitting(chosen, width_of, console.width)
    texts = [cells_of[column.name] for column in chosen]
    widths = [width_of[column.name] for column in chosen]
    gap = 2 if sum(widths) + 2 * (len(chosen) - 1) <= console.width else 1
    fixed = sum(w for w, column in zip(widths, chosen, strict=True) if not column.wide)
    # Rich would narrow every column alike; here the wide one alone gives way.
    left = max(console.width - fixed - gap * (len(chosen) - 1), 12)
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, gap - 1, 0, 0),
    )
    for column, width in zip(chosen, widths, strict=True):
        table.add_column(
            column.heading,
            justify="right" if column.kind in RIGHT else "left",
            overflow="fold" if column.wrap else "ellipsis",
            no_wrap=not column.wrap,
            max_width=left if column.wide else None,
            # A number without its last digits is another number.
            min_width=None if column.wide else width,
        )
    for row in zip(*texts, strict=True):
        # Text, not markup: a headline in brackets is a headline.
        table.add_row(*(Text(cell) for cell in row))
    if title:
        console.print(Text(printable(title), style="bold"))
    console.print(table)


def _fitting(columns: list[Column], width_of: dict[str, int], room: int) -> list[Column]:
    """The columns without the spare ones that have to go."""
    over = sum(width_of[column.name] for column in columns) + len(columns) - 1 - room
    kept = []
    for column in reversed(columns):
        if over > 0 and column.spare:
            over -= width_of[column.name] + 1
        else:
            kept.append(column)
    return kept[::-1]


def column_texts(frame: pd.DataFrame, column: Column) -> list[str]:
    """The cells of one column as they stand on screen."""
    if column.kind == "time":
        written = _local(frame, column.name, lambda t: t.isoformat(" ", "minutes"))
        return [text or "" for text in written]
    return [cell(value, column) for value in frame[column.name]]


def cell(value: Any, column: Column) -> str:
    """One value as it stands on screen; nothing for a missing one."""
    value = plain(value)
    if value is None:
        return ""
    if column.kind in RIGHT:
        whole = column.kind == "count" or (column.kind == "figure" and value == int(value))
        shown = round(100 * value if column.kind == "percent" else value, column.digits)
        # Adding zero turns a negative zero into the usual one.
        return f"{shown + 0.0:,.{0 if whole else column.digits}f}"
    if column.kind == "date":
        return str(value)[:10]
    text = printable(str(value))
    if column.kind == "file":
        # A name tells the files of one import apart; --csv has the whole path.
        text = text.replace("\\", "/").rpartition("/")[2] or text
    return text if not column.most or len(text) <= column.most else text[: column.most - 1] + "…"
