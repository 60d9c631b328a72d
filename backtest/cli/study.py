"""``backtest study``: base rates, placebo nights and abnormal returns of a choice of events."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backtest.cli import context, options
from backtest.cli.errors import say
from backtest.cli.steps import steps
from backtest.cli.tables import form_of, print_json, show
from backtest.cli.words import instant, pairs_of, symbols_of
from db.errors import UsageError

EXAMPLE = 'backtest study --condition "drop>=0.05" --interval 1d'


def study(
    strategy: Annotated[
        str | None,
        typer.Argument(help="Its events, setups and fills (backtest strategies), or none."),
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            "--condition",
            "-c",
            metavar="TEST",
            help='Such as "drop>=0.05"; may be repeated, and all must hold.',
        ),
    ] = None,
    param: options.Parameters = None,
    interval: options.IntervalName = None,
    since: options.Since = None,
    until: options.Until = None,
    symbols: options.Symbols = None,
    source: options.Source = None,
    gain: Annotated[float, typer.Option(help="The gain that counts, a fraction.")] = 0.10,
    hold: Annotated[
        int, typer.Option(help="Sessions after the reaction session at whose close it counts.")
    ] = 0,
    by: Annotated[
        str | None,
        typer.Option(metavar="SPLIT", help="Also by year, quarter, session or surprise."),
    ] = None,
    placebo: Annotated[
        bool, typer.Option("--placebo/--no-placebo", help="Compare with nights without news.")
    ] = True,
    nights: Annotated[int, typer.Option(min=1, help="Placebo nights an event, at the most.")] = 5,
    size_caliper: Annotated[
        float, typer.Option(help="How far a night's move may be off, as a part of the event's.")
    ] = 0.25,
    volatility_caliper: Annotated[
        float, typer.Option(help="How far the log of its volatility may be off.")
    ] = 0.25,
    event_study: Annotated[
        bool,
        typer.Option("--event-study/--no-event-study", help="Measure abnormal returns."),
    ] = True,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="market, market-adjusted, mean-adjusted or factors."),
    ] = None,
    market: Annotated[
        str | None,
        typer.Option(
            metavar="SYMBOL|equal", help="The market; equal is the mean of all companies."
        ),
    ] = None,
    factors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Factor returns, CSV or Parquet.")
    ] = None,
    factor_unit: Annotated[
        str,
        typer.Option(metavar="UNIT", help="percent (as the French library has them) or fraction."),
    ] = "percent",
    estimation: Annotated[
        str, typer.Option(metavar="FROM:TO", help="Sessions that the model is estimated from.")
    ] = "-130:-11",
    window: Annotated[
        str | None,
        typer.Option(metavar="FROM:TO", help="Sessions studied. [default: -5:20; by phase 0:0]"),
    ] = None,
    windows: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Windows tested. [default: 0:0,1:5; by phase 0:0]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the event study's bootstraps.")] = 0,
    strict_as_of: options.StrictAsOf = False,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write rates and abnormal returns as one HTML page."),
    ] = None,
    all_tests: Annotated[
        bool,
        typer.Option("--all-tests", help="Print the tests, too, that same evenings mislead."),
    ] = False,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """How often events end in a gain, beside nights without news, and abnormal returns.

    A condition is NAME OPERATOR VALUE.  Names: drop, low, gap (fractions of the reference close),
    session, surprise, guidance.METRIC, news, sentiment, volatility, price; operators: >= > <= < =
    !=.  What was not known before the outcome counts as unknown, and an outcome cannot be chosen
    by.  --csv prints the rates, --json everything.
    """
    form = form_of(as_json=as_json, as_csv=as_csv)
    params = pairs_of(param, option="-p")
    spans = _window(estimation, "--estimation"), _optional(window, "--window")
    tested = None if windows is None else [_window(w, "--windows") for w in windows.split(",")]
    with context.open_store() as store, steps() as on_step:
        from backtest.studies.engine import study as backtest_study

        found = backtest_study(
            store,
            strategy,
            conditions=condition or (),
            params=params,
            interval=interval,
            since=instant(since, option="--since"),
            until=instant(until, option="--until", end_of_day=True),
            symbols=symbols_of(symbols),
            source=source,
            gain=gain,
            hold=hold,
            by=by,
            strict_as_of=strict_as_of,
            placebo=placebo,
            nights=nights,
            size_caliper=size_caliper,
            volatility_caliper=volatility_caliper,
            event_study=event_study,
            model=model,
            market=market,
            factors=factors,
            factor_unit=factor_unit,
            estimation=spans[0],
            window=spans[1],
            windows=tested,
            seed=seed,
            on_step=on_step,
        )
    if figure is not None:
        from backtest.studies.figures import page

        figure.write_text(page(found), encoding="utf-8")
        say(f"figures in {figure}")
    from backtest.cli.study_tables import as_record, print_study

    if form == "json":
        print_json(as_record(found))
    elif form == "csv":
        show(found.rates, (), form="csv")
    else:
        print_study(found, all_tests=all_tests)


def _optional(text: str | None, option: str) -> tuple[int, int] | None:
    return None if text is None else _window(text, option)


def _window(text: str, option: str) -> tuple[int, int]:
    """``-5:20`` -> ``(-5, 20)``; one number is that session alone."""
    first, colon, last = text.strip().partition(":")
    try:
        return int(first), int(last if colon else first)
    except ValueError:
        raise UsageError(
            f"{option} takes FROM:TO in sessions from day 0, not {text!r}",
            hint=f"{option} {'-130:-11' if option == '--estimation' else '0:5'}",
        ) from None
