"""Does the store's data fit together?  Findings, each with the symbol, the date and the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from backtest.data_check.agreement import agreement_findings, guidance_findings
from backtest.data_check.answers import answer_findings
from backtest.data_check.measuring import event_findings
from backtest.data_check.prices import price_findings

if TYPE_CHECKING:
    from db.store import Store

COLUMNS = ["check", "symbol", "date", "finding"]


def check(store: Store, *, symbols: list[str] | None = None) -> pd.DataFrame:
    """Everything that looks wrong, one row a finding: ``check, symbol, date, finding``.

    * ``split``: prices as traded jump like a split that no corporate action explains, or an
      action says a split at which they do not jump;
    * ``close``: a daily close that lies outside the closing auction's range and off the last
      regular minute's close;
    * ``gap``: sessions without bars inside an instrument's history;
    * ``asked``: days and phases that an online source was asked for and had nothing of;
    * ``sources``: sources that disagree on a release: its time, its period, its figures;
    * ``guidance``: sources that give different outlooks for one metric and period;
    * ``events``: events that no bars can measure, by reason.
    """
    findings = [
        *price_findings(store, symbols),
        *answer_findings(store, symbols),
        *agreement_findings(store, symbols),
        *guidance_findings(store, symbols),
        *event_findings(store, symbols),
    ]
    return pd.DataFrame(findings, columns=COLUMNS)


__all__ = ["COLUMNS", "check"]
