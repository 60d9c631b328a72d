# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A first look at reactions
#
# From a store of events and prices to a strategy and its single trades. The store is the one that
# `backtest --store PATH research` binds; without one it is the demo's, whose extended-hours market
# is **simulated**: it shows how the tools work, and says nothing about any real market.

# %%
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

import backtest
from backtest import BoolArray, EventPanel, Exits, Strategy, earnings, first, param

if "BACKTEST_STORE" in os.environ:
    store = backtest.Store.open()
else:
    from backtest.demo.fill import fill_demo_store

    store = backtest.Store.open(Path(tempfile.mkdtemp()) / "store", create=True)
    print("\n".join(fill_demo_store(store).lines))

sources = store.bar_sources()
sources[["interval", "source", "adjusted", "instruments", "rows"]]

# %%
minute = sources[sources["interval"] == "1m"]
options = {"interval": "1m", "source": minute["source"].iloc[0]}
if "simulated" in options["source"]:
    print("SIMULATED prices from here on")

# %% [markdown]
# ## Reactions
#
# One row an event: moves are returns against the last regular close before the release. The funnel
# says where the events went that could not be measured.

# %%
reactions = backtest.reactions(store, **options)
reactions.funnel

# %%
evening = reactions.frame[reactions.frame["session"] == "post"]
columns = ["post_low", "post_last", "gap", "day_low", "day_high", "day_close", "ret_5"]
evening[columns].describe().loc[["count", "mean", "std", "min", "50%", "max"]].round(4)

# %% [markdown]
# How often does an evening's fall end in a gain by the next close? By the depth of the fall:

# %%
depths = [-1, -0.10, -0.05, -0.02, 1]
names = ["fell 10 % or more", "fell 5 to 10 %", "fell 2 to 5 %", "did not fall 2 %"]
depth = pd.cut(evening["post_low"], depths, labels=names)
rise = evening.assign(depth=depth).groupby("depth", observed=True)["day_close"]
rise.agg(
    events="size",
    mean="mean",
    share_up=lambda moves: (moves > 0).mean(),
    share_up_10=lambda moves: (moves >= 0.10).mean(),
).round(3)

# %% [markdown]
# ## The average path, by size of the evening's drop
#
# The band is a 95 % interval that takes companies which report on one evening as one draw.

# %%
from backtest.evidence.average_path import average_path
from backtest.report.figures import average_path_figure, trade_figure

panel = backtest.load_panel(store, **options)
low = dict(zip(evening["event_id"], evening["post_low"], strict=True))
fall = np.array([low.get(event, np.nan) for event in panel.events["event_id"]])
groups = {
    "fell 5 % or more": fall <= -0.05,
    "fell 2 to 5 %": (fall > -0.05) & (fall <= -0.02),
    "did not fall 2 %": fall > -0.02,
}
average_path_figure(average_path(panel, groups))


# %% [markdown]
# ## A strategy in a cell
#
# Column t of every array is known at the end of bar t. A decision fills on a later bar, in extended
# hours by a limit order that may miss.


# %%
@dataclass(frozen=True)
class EveningDip(Strategy):
    """Buy an evening's drop once the price turns up from its low."""

    events: ClassVar = earnings(session="post")
    phases: ClassVar = ("post", "pre")

    drop: float = param(0.05, ge=0, le=0.5, help="fall from the reference close that arms it")
    rebound: float = param(0.02, ge=0, le=0.5, help="rise from the running low that triggers it")
    exits: Exits = Exits(target=0.10, stop=0.06, hold=5)

    def entries(self, p: EventPanel) -> BoolArray:
        low = p.close.running_min()
        armed = low <= p.reference * (1 - self.drop)
        turned = p.close >= low * (1 + self.rebound)
        return first(armed & turned & (p.close <= p.reference))


result = backtest.run(EveningDip(), store, **options)
result

# %%
result.plot()

# %% [markdown]
# ## Does it look ahead?
#
# The check asks the strategy again without the future: nothing may change.

# %%
backtest.check(EveningDip(), store, **options)

# %% [markdown]
# ## Vary it
#
# Every setting is a trial in the store's ledger. The best of many looks good in noise, too: the
# table says how good, and which settings are still told from luck.

# %%
sweep = backtest.sweep(
    EveningDip(),
    store,
    {"drop": "0.03:0.08:0.01", "rebound": [0.01, 0.02, 0.04], "exits.hold": [0, 1, 5]},
    min_trades=10,
    **options,
)
sweep.best(top=5, min_trades=10).round(4)

# %%
sweep.luck.table.round(3)

# %%
sweep.heatmap("drop", "rebound", "mean")

# %% [markdown]
# ## How often does it happen at all?
#
# Base rates of the situation, whatever a strategy makes of it. Intervals take companies that report
# on one evening for one draw; Wilson's, as if they were independent, stand beside them.

# %%
study = backtest.study(
    store, conditions=["session=post", "drop>=0.05"], placebo=False, event_study=False, **options
)
study.rates.round(3)

# %% [markdown]
# ## Single trades
#
# The worst and the best, with their bars, levels and headlines.

# %%
shown = ["trade_id", "symbol", "decided_at", "entry_price", "exit_price", "reason", "return_net"]
ordered = result.trades.sort_values("return_net", kind="stable")
pd.concat([ordered.head(3), ordered.tail(3)])[shown]

# %%
from backtest.report.build import trade_detail

best = ordered.iloc[-1]
detail = trade_detail(result, store, int(best["trade_id"]))
trade_figure(detail, title=f"Trade {best['trade_id']}: {best['symbol']}")

# %% [markdown]
# What was published about that company, by the time from which it was known:

# %%
store.news(symbols=[best["symbol"]])[["published_at", "title", "provider"]]
