"""The steps of one study, in the order of `Work.result`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.panel.build import Join, build_panel, schedule_known
from backtest.panel.events import events_of_kind
from backtest.runner import require_phases
from backtest.selection import chosen_events, session_labels
from backtest.settings import RunSettings
from backtest.strategy import EventFilter, Strategy
from backtest.studies.abnormal import Abnormal, abnormal_returns
from backtest.studies.bars import FOREVER, study_table, us
from backtest.studies.chosen import EVERYTHING, by_conditions, by_strategy
from backtest.studies.compare import balance, comparison, matched_groups, pair_up
from backtest.studies.content import Content
from backtest.studies.frames import Measured, coverage, events_frame, funnel_of, pair_frames
from backtest.studies.knowledge import Judge
from backtest.studies.nights import Headlines, QuietNights, Releases
from backtest.studies.options import Options
from backtest.studies.outcomes import outcome_ends
from backtest.studies.placebo import MEASURES, Drawn, Wanted, draw_nights, size_measure
from backtest.studies.rates import Target, conditions_frame, rates_frame
from backtest.studies.result import Study
from backtest.studies.shapes import shapes_of
from backtest.studies.splits import split_groups
from backtest.studies.tape import Nights, Tape
from db.errors import DataError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from db.store import Store

_NO_FRAME = pd.DataFrame()
_NO_NEWS = pd.DataFrame({"instrument_id": pd.Series(dtype="Int64")})


@dataclass(frozen=True, eq=False)
class Work:
    """A study of one strategy, or of conditions alone."""

    store: Store
    strategy: Strategy | None
    options: Options
    called: str
    """What the strategy was called by; empty without one."""
    on_step: Callable[[str], None]

    @property
    def side(self) -> int:
        return -1 if self.strategy is not None and self.strategy.side == "short" else 1

    @property
    def target(self) -> Target:
        return Target(self.options.gain, self.side, self.options.confidence)

    def result(self, now: datetime) -> Study:
        """Read, choose, measure, compare."""
        options = self.options
        self.on_step("reading events and bars")
        events, others = self._selection()
        table = study_table(self.store, events, options)
        join = build_panel(
            self.store,
            events,
            options.interval,
            source=table.source,
            hold=options.hold,
            strict=options.strict_as_of,
            table=table,
        )
        if self.strategy is not None:
            require_phases(self.strategy, join.panel)
        self._require_true_prices(table.adjusted)
        self.on_step("judging the conditions")
        tape = Tape(table)
        news = self.store.news() if self._needs_news else _NO_NEWS
        measured = self._measure(join, tape, news)
        groups, chosen = measured.groups(), measured.chosen
        notes: list[str] = []
        compared = matches = unmatched = balanced = _NO_FRAME
        if options.placebo:
            self.on_step("looking for placebo nights")
            asked = pd.concat([events, others], ignore_index=True)
            drawn = self._draw(measured, tape, news, asked)
            matches, unmatched = pair_frames(measured, drawn, size_measure(options.conditions))
            if len(drawn.event):
                pairs = pair_up(drawn, chosen)
                compared = comparison(pairs, self.target)
                balanced = self._balance(measured, drawn)
                groups += matched_groups(pairs)
            notes += coverage(matches, news)
        self.on_step("measuring abnormal returns")
        abnormal = self._abnormal(measured, notes)
        panel = measured.nights.panel
        splits = split_groups(options.by, measured.choice.chosen, chosen, panel, measured.content)
        return Study(
            record=self._record(measured, now),
            events=events_frame(measured),
            rates=rates_frame(groups, self.target),
            conditions=self._conditions(measured),
            funnel=funnel_of(join, others, measured.choice),
            splits=rates_frame(splits, self.target),
            placebo=compared,
            balance=balanced,
            matches=matches,
            unmatched=unmatched,
            abnormal=abnormal,
            notes=tuple(notes),
        )

    @property
    def _needs_news(self) -> bool:
        named = {one.name for one in self.options.conditions}
        return self.options.placebo or bool(named & {"news", "sentiment"})

    @property
    def _settings(self) -> RunSettings:
        o = self.options
        return RunSettings(
            interval=o.interval,
            since=o.since,
            until=o.until,
            symbols=o.symbols,
            source=o.source,
            strict_as_of=o.strict_as_of,
        )

    def _selection(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The events asked about, and those of another kind with their ``status``."""
        strategy = self.strategy or _Everything()
        selection = chosen_events(self.store, strategy, self._settings)
        return selection.events, selection.left_out

    def _require_true_prices(self, adjusted: str) -> None:
        named = [str(one) for one in self.options.conditions if one.name == "price"]
        if named and adjusted == "all":
            raise UsageError(
                f"{named[0]} needs prices as traded, and these bars are fully adjusted",
                where="--condition",
                hint="import raw prices (--adjusted none) with the corporate actions",
            )

    def _measure(self, join: Join, tape: Tape, news: pd.DataFrame) -> Measured:
        panel, options = join.panel, self.options
        if not len(panel):
            raise DataError(
                "no event can be measured",
                hint="backtest reactions --left-out says why",
            )
        nights = Nights(tape, panel)
        ends = outcome_ends(nights, options.hold)
        known = schedule_known(self.store, panel.events, panel.sessions, options.strict_as_of)
        labels = session_labels(panel.events)
        labels = np.where(labels == "", "date", labels)
        content = Content(panel, news)
        judge = Judge(
            nights,
            floor=np.maximum(known, panel.sessions.announced_from),
            over=ends.over,
            side=self.side,
            labels=labels,
            content=content,
        )
        judged = [judge.judge(one) for one in options.conditions]
        if self.strategy is None:
            choice = by_conditions(judge, judged)
        else:
            self.on_step("deciding and filling")
            choice = by_strategy(judge, judged, self.strategy, panel, known, self._settings)
        return Measured(nights, ends, choice, labels, content)

    def _every_release(self, asked: pd.DataFrame) -> pd.DataFrame:
        """All earnings events of the store, whichever of them were ``asked`` about."""
        o = self.options
        kind = "earnings" if self.strategy is None else self.strategy.events.kind
        if kind == "earnings" and o.symbols is None and o.since is None and o.until is None:
            return asked
        return events_of_kind(self.store, "earnings")

    def _draw(
        self, measured: Measured, tape: Tape, news: pd.DataFrame, asked: pd.DataFrame
    ) -> Drawn:
        options, nights = self.options, measured.nights
        panel = nights.panel
        rows = np.flatnonzero(measured.choice.chosen.mask)
        known = self.store.instruments()
        quiet = QuietNights(
            tape=tape,
            exchange_of=dict(zip(known["instrument_id"], known["exchange"], strict=True)),
            releases=Releases.of(self._every_release(asked)),
            headlines=Headlines.of(news),
            since=FOREVER[0] if options.since is None else us(options.since),
            until=FOREVER[1] if options.until is None else us(options.until),
            hold=options.hold,
        )
        shapes = shapes_of(panel.events, panel.sessions, daily=panel.interval.is_daily)
        wanted = Wanted(
            rows=rows,
            shapes=[shapes[i] for i in rows],
            delay=measured.choice.delay[rows],
            hold=options.hold,
            side=self.side,
        )
        return draw_nights(nights, wanted, quiet, options.conditions, options.calipers)

    def _balance(self, measured: Measured, drawn: Drawn) -> pd.DataFrame:
        rows = np.flatnonzero(measured.choice.chosen.mask)
        name = size_measure(self.options.conditions)
        size = getattr(measured.nights, name)[rows]
        return balance(drawn, size, measured.nights.volatility[rows], MEASURES[name])

    def _abnormal(self, measured: Measured, notes: list[str]) -> Abnormal | None:
        options, panel = self.options, measured.nights.panel
        if not options.event_study:
            return None
        events = panel.events[measured.choice.chosen.mask].reset_index(drop=True)
        if events.empty:
            notes.append("No event study: no event is chosen.")
            return None
        try:
            found = abnormal_returns(self.store, panel.table, events, options.abnormal)
        except MissingExtraError as error:
            notes.append(f"No event study: {error.what}; {error.hint}.")
            return None
        return found

    def _conditions(self, measured: Measured) -> pd.DataFrame:
        judged = measured.choice.judged
        everything = measured.choice.parts[0]
        whole = np.ones(len(everything.mask), dtype=np.bool_)
        base = measured.group(EVERYTHING, whole, everything.known.entry)
        rows = [(str(one.condition), one.holds, one.unknown) for one in judged]
        return conditions_frame(rows, base, self.target)

    def _record(self, measured: Measured, now: datetime) -> dict[str, Any]:
        options, table = self.options, measured.nights.table
        name = "" if self.strategy is None else type(self.strategy).__name__
        return {
            "title": f"Study of {measured.choice.words}",
            "command": options.command(self.called),
            "chosen": measured.choice.words,
            "group": measured.choice.chosen.name,
            "strategy": name,
            "params": {} if self.strategy is None else self.strategy.params,
            "conditions": [str(one) for one in options.conditions],
            "interval": options.interval.value,
            "source": table.source,
            "adjusted": table.adjusted,
            "versions": self.store.versions(),
            "gain": options.gain,
            "hold": options.hold,
            "side": self.side,
            "confidence": options.confidence,
            "calipers": vars(options.calipers),
            "strict_as_of": options.strict_as_of,
            "made_at": now,
        }


class _Everything(Strategy):
    """Stands for every earnings event."""

    events = EventFilter("earnings")
