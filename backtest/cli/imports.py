"""One import after the other: progress while they run, what became of each afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import typer

from backtest.cli.errors import say
from backtest.cli.errors import show as show_error
from backtest.cli.progress import progress
from backtest.cli.tables import Column, Form, show
from backtest.cli.words import count
from db.batches import BarBatch, IngestReport, RecordBatch
from db.errors import DataError

if TYPE_CHECKING:
    from db.sources.fetching.run import Outcome
    from db.store import Store

    Batch = BarBatch | RecordBatch[Any]
    Reader = Callable[[str], Batch | Iterable[Batch]]

REPORT = (
    Column("batch_id", "batch"),
    Column("origin", "file", kind="file", wide=True),
    Column("added", kind="count"),
    Column("revised", kind="count"),
    Column("unchanged", kind="count"),
    Column("rejected", kind="count"),
    Column("note"),
)


class Importing:
    """Imports files into a store; one that cannot be read does not keep the others out.

    ``prepare`` is applied to every batch before it is stored, ``stored`` called after it.
    """

    def __init__(
        self,
        store: Store,
        files: Sequence[str],
        *,
        dry_run: bool,
        prepare: Callable[[Batch], Batch] | None = None,
        stored: Callable[[str, Batch], None] | None = None,
    ) -> None:
        self.prepare = prepare
        self.stored = stored
        self.store = store
        self.files = files
        self.dry_run = dry_run
        self.reports: list[IngestReport] = []
        self.unreadable: dict[str, str] = {}
        self._columns = ""

    def run(self, read: Reader) -> None:
        """Import every file; ``read`` gives the batches of one."""
        for file in self.files:
            try:
                for batch in _batches(read(file)):
                    self._say_columns(batch)
                    ready = self.prepare(batch) if self.prepare else batch
                    self.reports.append(self._ingest(file, ready))
                    if self.stored and not self.dry_run:
                        self.stored(file, ready)
            except DataError as error:
                show_error(error)
                self.unreadable[file] = error.what

    def _ingest(self, file: str, batch: Batch) -> IngestReport:
        expected = batch.rows_expected if isinstance(batch, BarBatch) else len(batch.records)
        with progress(PurePath(file).name, expected) as advance:
            return self.store.ingest(batch, progress=advance, dry_run=self.dry_run)

    def _say_columns(self, batch: Batch) -> None:
        """Which column is read as what, once for files of one form."""
        columns = batch.provenance.options.get("columns", "")
        if columns and columns != self._columns:
            say(f"{batch.provenance.origin}: columns {columns}")
        self._columns = columns

    def outcome(self, kind: str) -> Outcome:
        """What came, in the form in which online sources tell it."""
        from db.sources.fetching.run import Outcome

        outcome = Outcome()
        tally = outcome.of(kind)
        tally.asked = len(self.files)
        for report in self.reports:
            tally.take(report)
        for file, why in self.unreadable.items():
            outcome.failed[file] = why
        return outcome

    def finish(self, form: Form) -> None:
        """Print what became of each file; exit with 1 if one could not be used at all."""
        import pandas as pd

        rows = [
            {
                "batch_id": report.batch_id,
                "origin": report.origin,
                "added": report.added,
                "revised": report.revised,
                "unchanged": report.unchanged,
                "rejected": report.rejected,
                "note": _note(report, dry_run=self.dry_run),
            }
            for report in self.reports
        ]
        frame = pd.DataFrame(rows, columns=[column.name for column in REPORT])
        show(frame, REPORT, form=form, empty="nothing was imported")
        if len(self.reports) > 1:
            say(_sum(self.reports))
        if any(report.rejected for report in self.reports) and not self.dry_run:
            say("rejected rows: backtest ingest rejects")
        if self.unreadable or any(_is_useless(report) for report in self.reports):
            raise typer.Exit(1)


def _batches(read: Batch | Iterable[Batch]) -> Iterator[Batch]:
    if isinstance(read, BarBatch | RecordBatch):
        yield read
    else:
        yield from read


def _is_useless(report: IngestReport) -> bool:
    kept = report.added + report.revised + report.unchanged
    return report.rejected > 0 and kept == 0 and not report.already_imported


def _note(report: IngestReport, *, dry_run: bool) -> str:
    if report.already_imported:
        return "imported before"
    return "dry run" if dry_run else ""


def _sum(reports: Sequence[IngestReport]) -> str:
    parts = [
        f"{sum(getattr(report, name) for report in reports):,} {name}"
        for name in ("added", "revised", "unchanged", "rejected")
    ]
    return f"{count(len(reports), 'file')}: {', '.join(parts)}"
