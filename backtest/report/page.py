"""The report as one HTML file that needs nothing else: no network, no other file, no server.

What comes from outside reaches the page as escaped text (Jinja's autoescape), as JSON in script
elements that no browser runs, and from there as text nodes.  The page's policy allows the
scripts written here, by their hashes, and no request to anywhere.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import math
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, cast

import jinja2
import numpy as np
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from backtest.report import figures
from backtest.report.cards import cards_of
from backtest.report.data import ReportData
from backtest.report.embed import (
    MOST_CHARTS,
    MOST_ROWS,
    chart_rule,
    charted_trades,
    json_text,
    listed_trades,
    packed_charts,
    trade_rows,
)
from backtest.report.text import DASH, clean, count, numbers, percent, prose
from db.errors import BacktestError, UsageError

if TYPE_CHECKING:
    from backtest.report.style import Figure, Spec

_TEMPLATE = "template"


def write_report(data: ReportData, path: Path | str, *, most_charts: int = MOST_CHARTS) -> Path:
    """Write the report of ``data`` to ``path`` and return where it is.

    The file appears whole or not at all, and replaces one that is there.  At most
    ``most_charts`` trades carry their own chart (`embed.charted_trades`), and fewer where they
    would make the file too large to open with ease.

    Raises UsageError for a path that is a folder, BacktestError for one that cannot be written.
    """
    target = Path(path).expanduser().resolve()
    if target.is_dir():
        raise UsageError(
            "a report is one file, and this is a folder",
            where=str(path),
            hint=f"name a file in it: {Path(path) / 'report.html'}",
        )
    if target.exists() and not target.is_file():
        raise UsageError("not a regular file", where=str(path), hint="name a .html file")
    _write_whole(target, render(data, most_charts=most_charts))
    return target


def _write_whole(target: Path, page: str) -> None:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise BacktestError(
            f"the report cannot be written: {error.strerror or error}",
            where=str(target),
            hint=_write_hint(target),
        ) from error
    finally:
        # Gone already when all went well; nothing more can be done when the folder is bad.
        with contextlib.suppress(OSError):
            temporary.unlink()


def _write_hint(target: Path) -> str:
    if not target.parent.exists():
        return f"make the folder first: mkdir -p {target.parent}"
    return "another folder with -o, or more room and rights in this one"


def render(data: ReportData, *, most_charts: int = MOST_CHARTS) -> str:
    """The whole page as text."""
    wanted = charted_trades(data.trades, most_charts, of=data.details)
    charts = packed_charts(data, wanted)
    listed = listed_trades(data, charts)
    drawn = {name: _placed(fig) for name, fig in _figures(data).items()}
    scripts = _scripts()
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, loader=jinja2.FunctionLoader(_source)
    )
    environment.filters |= {
        "clean": clean,
        "count": count,
        "prose": prose,
        "share": lambda x: percent(float(x), 1, signed=False),
    }
    return environment.get_template("page.html.j2").render(
        data=data,
        policy=_policy(scripts.values()),
        style=Markup(_source("page.css")),  # part of the program
        scripts=scripts,
        cards=cards_of(data.summary, data.interval_label),
        titles={name: title for name, (title, _) in drawn.items()},
        heights={name: int(spec["layout"]["height"]) for name, (_, spec) in drawn.items()},
        funnel=data.funnel.to_dict("records"),
        stats=[
            (row["label"], numbers(row["strategy"], row["benchmark"]))
            for row in data.stats.to_dict("records")
        ],
        benchmark_name=data.summary.benchmark or "benchmark",
        record_rows=[(k, _entries(v)) for k, v in data.record.items() if k != "command"],
        chart_rule=chart_rule(len(charts), len(data.trades)),
        row_rule=_row_rule(len(listed), len(data.trades)),
        figures_json=Markup(
            json_text({name: spec for name, (_, spec) in drawn.items()})
        ),  # json_text leaves no < in it
        trades_json=Markup(json_text(trade_rows(listed))),
        charts=charts,
    )


def _source(name: str) -> str:
    return (resources.files(__package__) / _TEMPLATE / name).read_text(encoding="utf-8")


def _scripts() -> dict[str, Markup]:
    texts = {
        "watch": _source("watch.js"),
        "plotly": get_plotlyjs(),
        "figures": _source("figures.js"),
        "trades": _source("trades.js"),
    }
    # A browser hashes the script as the parser hands it over: with plain line ends.
    return {
        name: Markup(text.replace("\r\n", "\n").replace("</script", "<\\/script"))
        for name, text in texts.items()
    }


def _policy(scripts: Iterable[str]) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _figures(data: ReportData) -> dict[str, Figure]:
    summary, interval = data.summary, data.interval_label
    drawn = {
        "funnel": figures.funnel_figure(data.funnel),
        "path": figures.average_path_figure(
            data.average_path, unit=data.path_unit, interval=interval
        ),
        "rates": figures.base_rate_figure(
            data.base_rates, outcome=data.base_rate_of, interval=interval
        ),
        "exits": figures.exit_reasons_figure(data.exit_reasons),
        "returns": figures.returns_figure(
            data.trades["return_net"], low=summary.mean_net_low, high=summary.mean_net_high
        ),
        "equity": figures.equity_figure(
            data.equity,
            benchmark=summary.benchmark or "benchmark",
            currency=data.currency,
            tz=data.tz,
        ),
    }
    if np.isfinite(data.other_seeds).any():
        drawn["seeds"] = figures.seeds_figure(data.other_seeds, own=summary.account_return)
    return drawn


def _placed(drawn: Figure) -> tuple[str, Spec]:
    """(title, figure without it): a heading of the page breaks its lines, plotly's does not."""
    spec = cast("Spec", _finite(drawn.to_plotly_json()))
    layout = spec["layout"]
    title = html.unescape(layout.pop("title", {}).get("text", ""))
    margin = layout.setdefault("margin", {})
    # The legend makes its own room; what is left above was the title's.
    layout["height"] -= max(0, margin.get("t", 44) - 44)
    margin["t"] = 28
    return title, spec


def _finite(value: object) -> object:
    """JSON knows no NaN: null, which plotly draws as a gap."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _entries(value: object, prefix: str = "") -> list[tuple[str, str]]:
    """A recorded value as (dotted name, text) lines; a plain value has no name."""
    if isinstance(value, Mapping):
        return [
            line
            for key, item in value.items()
            for line in _entries(item, f"{prefix}.{key}" if prefix else str(key))
        ]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [(prefix, ", ".join(str(item) for item in value) or DASH)]
    if isinstance(value, float):
        # Enough to repeat a run by hand, without the noise of the last binary digits.
        return [(prefix, f"{value:.10g}")]
    return [(prefix, DASH if value is None or value == "" else str(value))]


def _row_rule(listed: int, trades: int) -> str:
    if listed == trades:
        return ""
    return (
        f"The table lists {listed:,} of {trades:,} trades (at most {MOST_ROWS:,}): those with a "
        "chart, and the first of the others. All figures above count every trade."
    )
