"""``backtest ingest SOURCE``: one command for each online source, made from what it declares."""

from __future__ import annotations

import inspect
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from backtest.cli import context, options
from backtest.cli.errors import say
from backtest.cli.progress import progress
from backtest.cli.tables import Column, Form, form_of, show
from backtest.cli.words import NEW_YORK, count, instant
from db.errors import DataError, UsageError, did_you_mean

if TYPE_CHECKING:
    from db.sources.fetching.run import Outcome
    from db.sources.fetching.source import Ask, Source
    from db.store import Store

TALLY = (
    Column("kind"),
    Column("asked", kind="count"),
    Column("fresh", "had already", "count"),
    Column("empty", kind="count"),
    Column("added", kind="count"),
    Column("revised", kind="count"),
    Column("unchanged", kind="count"),
    Column("rejected", kind="count"),
)
_LISTED = 10

_Universe = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="A file with a symbol a line; # begins a remark."),
]
_Refresh = Annotated[
    bool, typer.Option("--refresh", help="Ask again, also for what the store has already.")
]


def add_commands(group: typer.Typer) -> None:
    """Give the group a command for every source there is."""
    from db.sources.fetching.registry import sources

    for source in sources().values():
        group.command(name=source.name, epilog=f"Example: {source.example}")(_command(source))


def _command(source: type[Source]) -> Callable[..., None]:
    """A function with the signature that Typer makes the command's options from."""

    def command(**given: Any) -> None:
        _run(source, given)

    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, kind, default in _parameters(source)
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    command.__doc__ = source.title
    return command


def _parameters(source: type[Source]) -> list[tuple[str, Any, Any]]:
    kinds = ",".join(kind.name for kind in source.kinds)
    chosen = ",".join(kind.name for kind in source.kinds if kind.default)
    what = "; ".join(f"{kind.name}: {kind.help}" for kind in source.kinds)
    found: list[tuple[str, Any, Any]] = [
        (
            "subjects",
            Annotated[list[str] | None, typer.Argument(metavar="SYMBOLS", show_default=False)],
            None,
        ),
        ("universe", _Universe, None),
    ]
    if len(source.kinds) > 1:
        option = typer.Option(metavar=kinds, help=what)
        found.append(("what", Annotated[str, option], chosen))
    if source.intervals:
        option = typer.Option(metavar="|".join(source.intervals), help="Length of the bars.")
        found.append(("interval", Annotated[str, option], source.intervals[0]))
        option = typer.Option("--prepost", help="Bars before and after regular hours as well.")
        found.append(("prepost", Annotated[bool, option], False))
    found += [("since", options.Since, None), ("until", options.Until, None)]
    for declared in source.options:
        # Empty is "not given": then the environment counts, and after it the default.
        usual = [f"${declared.env}"] if declared.env else []
        usual += [declared.default] if declared.default and not declared.flag else []
        text = declared.help + (f" Default: {' or '.join(usual)}" if usual else "")
        if declared.flag:
            option = typer.Option(f"--{declared.name}", help=text)
            found.append((declared.name, Annotated[bool, option], declared.default == "true"))
        else:
            metavar = "|".join(declared.choices) or declared.name.upper()
            option = typer.Option(
                f"--{declared.name}", metavar=metavar, help=text, show_default=False
            )
            found.append((declared.name, Annotated[str, option], ""))
    return [
        *found,
        ("refresh", _Refresh, False),
        ("as_json", options.Json, False),
        ("as_csv", options.Csv, False),
    ]


def _run(kind: type[Source], given: Mapping[str, Any]) -> None:
    from db.sources.fetching.registry import make
    from db.store import utcnow

    form = form_of(as_json=given["as_json"], as_csv=given["as_csv"])
    own = {option.name: _text(given[option.name]) for option in kind.options}
    source = make(kind, options=own, environment=os.environ, now=utcnow)
    asks = _asks(source, given, utcnow())
    with context.open_store() as store:
        outcome = bring(store, source, asks, refresh=given["refresh"])
    finish(outcome, form)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value or "")


def _asks(source: Source, given: Mapping[str, Any], now: datetime) -> list[Ask]:
    from db.sources.fetching.source import ALL_PHASES, Ask

    kinds = _kinds(source, given.get("what"))
    interval = given.get("interval") or ""
    if interval and interval not in source.intervals:
        raise UsageError(
            f"{source.name} has no {interval} bars",
            hint=did_you_mean(interval, source.intervals, kind="interval"),
        )
    phases = ALL_PHASES if given.get("prepost") else ("regular",)
    if given.get("prepost") and interval == "1d":
        raise UsageError("--prepost with daily bars", hint="--interval 1m --prepost")
    since = instant(given["since"], option="--since") or now - source.history
    until = instant(given["until"], option="--until", end_of_day=True) or now
    if until <= since:
        raise UsageError(f"--until {until:%Y-%m-%d} is not after --since {since:%Y-%m-%d}")
    since, until = _whole_days(since, until)
    subjects = subjects_of(given["subjects"], given["universe"])
    return [
        Ask(
            kind,
            subject,
            since,
            until,
            interval=interval if kind == "prices" else "",
            phases=phases if kind == "prices" else (),
        )
        for subject in subjects
        for kind in kinds
    ]


def _whole_days(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """From the first to behind the last New York day that a range touches.

    A bar or a day that lies across a range's end would be in no request: neither in this one nor
    in one that goes on from there.
    """
    zone = ZoneInfo(NEW_YORK)
    first = since.astimezone(zone).date()
    last = (until - timedelta(microseconds=1)).astimezone(zone).date() + timedelta(days=1)
    begin, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last))
    return begin, end


def _kinds(source: Source, what: str | None) -> list[str]:
    known = [kind.name for kind in source.kinds]
    if what is None:
        return known
    wanted = [name.strip() for name in what.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"{source.name} brings no {name!r}", hint=did_you_mean(name, known, kind="kind")
            )
    if not wanted:
        raise UsageError("--what names nothing", hint=f"--what {','.join(known)}")
    return list(dict.fromkeys(wanted))


def subjects_of(given: list[str] | None, universe: str | None) -> list[str]:
    """Symbols from the command line and from a file, each once, in upper case."""
    names = [part for one in given or () for part in one.split(",")]
    if universe is not None:
        try:
            lines = Path(universe).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"the file cannot be read: {error}", where=universe) from error
        for number, line in enumerate(lines, start=1):
            name = line.partition("#")[0].strip().strip(",")
            if len(name.replace(",", " ").split()) > 1 or len(name) > 20:
                raise DataError(
                    f"not one symbol: {name[:40]!r}", where=f"{universe}, line {number}"
                )
            names.append(name)
    names = [name.strip().upper() for name in names if name.strip()]
    if not names:
        raise UsageError("no symbols", hint="name some, or give --universe FILE")
    return list(dict.fromkeys(names))


def bring(store: Store, source: Source, asks: list[Ask], *, refresh: bool = False) -> Outcome:
    """Bring what is missing, with a progress bar by subjects; Ctrl-C says how to go on."""
    from db.sources.fetching.registry import kept
    from db.sources.fetching.run import Bringing
    from db.text.annotate import Annotator

    last = {ask.subject: ask for ask in asks}
    source.setup.line.on_wait = lambda why, seconds: say(f"{why}: again in {seconds:.0f} s")
    with progress(source.name, len(last), unit="symbols") as advance:
        work = Bringing(
            store,
            source,
            source.setup.now,
            refresh=refresh,
            options=kept(source),
            prepare=Annotator(store).batch,
            progress=lambda ask: advance(ask is last[ask.subject]),
            say=say,
        )
        try:
            return work.run(asks)
        except KeyboardInterrupt:
            say(f"stopped; what came is stored. To go on: {_again()}")
            raise


def _again() -> str:
    return shlex.join(["backtest", *sys.argv[1:]])


def finish(outcome: Outcome, form: Form) -> None:
    """Print what came, and what did not; exit with 1 where something is missing."""
    import pandas as pd

    rows = [{"kind": kind, **vars(tally)} for kind, tally in outcome.kinds.items()]
    frame = pd.DataFrame(rows, columns=[column.name for column in TALLY])
    show(frame, TALLY, form=form, empty="nothing was asked for")
    if any(tally.rejected for tally in outcome.kinds.values()):
        say("rejected rows: backtest ingest rejects")
    for missed, verb in ((outcome.unknown, "not known"), (outcome.failed, "not had")):
        for subject, why in list(missed.items())[:_LISTED]:
            say(f"{subject} {verb}: {why}")
        if len(missed) > _LISTED:
            say(f"and {count(len(missed) - _LISTED, 'more symbol')} {verb}")
    if outcome.stopped is not None:
        say(f"stopped: {outcome.stopped.what}. What came is stored. To go on: {_again()}")
    elif outcome.failed:
        say(f"to ask again for what is missing: {_again()}")
    if not outcome.complete:
        raise typer.Exit(1)
