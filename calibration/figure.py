"""The picture of power against the size of the edge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calibration.registry import LEVEL, POWER
from calibration.tally import Results, share_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CURVES = (
    ("#1f5fa8", 66, "left", "mean trade,\nafter-hours rule"),
    ("#c2571a", 36, "right", "mean trade,\ngap rule"),
    ("#2d7d46", 58, "left", "event study,\nday 0"),
    ("#7a4a9e", 68, "right", "base rate: drops\nagainst others"),
)
"""Colour of each curve of `POWER`, and its label: at what power, on which side, what it says."""
_TEXT = "#333333"
_HALF = 1.959964


def draw(results: Results, path: Path) -> None:
    """Write the picture to ``path`` (PNG): share of markets in which each test finds the edge."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shares = [float(one) for one in results.power]
    with mpl.rc_context({"font.size": 10, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(8, 4.8), dpi=150, layout="constrained")
        axes = figure.add_subplot()
        for (key, _), (colour, level, side, what) in zip(POWER, _CURVES, strict=True):
            counts = [tally.tests[key] for tally in results.power.values()]
            power = [one.above / one.defined for one in counts]
            reach = [
                _HALF * share_error(p, one.defined) for p, one in zip(power, counts, strict=True)
            ]
            x, y = [s * 100 for s in shares], [p * 100 for p in power]
            low = [max(0.0, (p - r) * 100) for p, r in zip(power, reach, strict=True)]
            high = [min(100.0, (p + r) * 100) for p, r in zip(power, reach, strict=True)]
            axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(x, y, color=colour, linewidth=1.8, marker="o", markersize=3.5)
            # Where the curve has that height; one that never gets there is named at its end.
            at = float(np.interp(level, np.maximum.accumulate(y), x))
            axes.annotate(
                what,
                (at, min(level, max(y))),
                xytext=(-16, 4) if side == "left" else (24, -10),
                textcoords="offset points",
                ha="right" if side == "left" else "left",
                va="center",
                color=colour,
            )
        axes.axhline(LEVEL * 50, color="#888888", linewidth=0.8, linestyle=":")
        axes.set_xlim(0, shares[-1] * 100)
        axes.set_ylim(0, 102)
        axes.set_xlabel("share of evening drops that reverse [%]", color=_TEXT)
        axes.set_ylabel("markets in which the edge is found [%]", color=_TEXT)
        axes.spines[["top", "right"]].set_visible(False)
        _edge_axis(axes, results)
        figure.savefig(path, metadata={"Software": None})


def _edge_axis(axes: Axes, results: Results) -> None:
    """The mean trade of the after-hours rule, above the share that makes it."""
    top = axes.secondary_xaxis("top")
    top.set_xticks([float(share) * 100 for share in results.power])
    edges = [tally.means["edge"].mean * 100 for tally in results.power.values()]
    top.set_xticklabels([f"{edge:.1f}" for edge in edges])
    top.set_xlabel("edge: mean trade of the after-hours rule, before costs [%]", color=_TEXT)
    top.spines["top"].set_visible(False)
