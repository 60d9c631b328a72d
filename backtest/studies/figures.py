"""A study's figures, and the one page that holds them."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from backtest.report.figures.rates import base_rate_figure
from backtest.report.style import Figure, empty_figure
from backtest.report.text import clean
from backtest.studies.rates import FIRST, OUTCOMES, REFERENCE
from backtest.studies.words import outcome_words
from db.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from backtest.studies.result import Study

_STYLE = (
    "body{font-family:system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1b1f24}code{word-break:break-all}li{margin:.3rem 0}"
)


def rates(study: Study, outcome: str = REFERENCE) -> Figure:
    """Dots and intervals, group by group."""
    if outcome not in OUTCOMES:
        hint = did_you_mean(str(outcome), OUTCOMES, kind="outcome")
        raise UsageError(f"no outcome {outcome!r}", hint=hint)
    rows = study.rates[study.rates["outcome"] == outcome]
    share = f"{study.record['confidence'] * 100:g} %"
    return base_rate_figure(
        rows,
        outcome=outcome_words(study.record, outcome),
        interval=f"{share} interval, clustered by date",
    )


def caar(study: Study) -> Figure:
    """The cumulative abnormal return; by phase the mean along the day."""
    from backtest.evidence.event_study import EventStudy
    from backtest.evidence.event_study.figure import path_figure

    found = study.event_study
    if found is None:
        return empty_figure("Event study", "; ".join(study.notes) or "no event study was made")
    if isinstance(found, EventStudy):
        return found.plot()
    return path_figure(found.path)


def page(study: Study) -> str:
    """One self-contained page: the sentences and every figure."""
    figures = [rates(study, REFERENCE), rates(study, FIRST), caar(study)]
    parts = [
        figure.to_html(full_html=False, include_plotlyjs=number == 0)
        for number, figure in enumerate(figures)
    ]
    title = html.escape(clean(study.record["title"]))
    says = "".join(f"<li>{html.escape(clean(text))}</li>" for text in study.sentences)
    command = html.escape(clean(study.record["command"]))
    head = f"<!doctype html><meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style>"
    return f"{head}<h1>{title}</h1><ul>{says}</ul><p><code>{command}</code></p>{''.join(parts)}\n"
