"""Input files small enough to read: two stocks over four months, one of them with minute bars.

AMD reports on 2019-01-29 after the close at 20.00: the evening falls to 18.80, turns, the next
day opens at 18.60 and closes at 20.80.  UBER (here of 2019) reports a dull quarter.
"""

from __future__ import annotations

from pathlib import Path

from db.calendar import calendar

DAYS = [str(day) for day in calendar().dates if "2019-01-02" <= str(day) <= "2019-04-30"]
FILES = ("daily.csv", "minutes.csv", "events.csv", "actions.csv", "news.csv")

IMPORTS = (
    "init",
    "ingest prices daily.csv --interval 1d",
    "ingest prices minutes.csv --interval 1m --tz America/New_York --symbol AMD --source minutes",
    "ingest events events.csv",
    "ingest actions actions.csv",
    "ingest news news.csv",
)

EVENTS = """\
symbol,date,session,period,eps_est,eps
AMD,2019-01-29,post,2018Q4,0.09,0.08
UBER,2019-02-05,pre,2018Q4,0.50,0.51
NONE,2019-02-05,pre,2018Q4,1.00,1.10
"""
ACTIONS = """\
symbol,date,kind,value
UBER,2019-03-08,dividend,0.25
"""
NEWS = """\
published,symbol,title,url
2019-01-29T16:20:00-05:00,AMD,AMD guides below,https://example.com/1
2019-01-30T09:00:00-05:00,AMD,[bold]AMD[/bold] turns,https://example.com/2
"""
EVENING = [
    # clock, open, high, low, close
    ("15:58", 20.00, 20.02, 19.99, 20.00),
    ("15:59", 20.00, 20.01, 19.99, 20.00),
    ("16:20", 19.60, 19.60, 19.00, 19.00),
    ("16:21", 19.00, 19.00, 18.80, 18.80),
    ("16:22", 18.80, 19.30, 18.80, 19.25),
    ("16:23", 19.25, 19.40, 19.20, 19.30),
    ("16:24", 19.30, 19.40, 19.25, 19.35),
]
MORNING = [
    ("09:30", 18.60, 18.90, 18.50, 18.80),
    ("12:00", 19.50, 19.90, 19.40, 19.80),
    ("15:59", 20.70, 20.90, 20.60, 20.80),
]


def daily() -> str:
    """Daily bars of both: quiet but for AMD's reaction."""
    lines = ["ticker,date,open,high,low,close,volume"]
    for symbol, usual, later in (("AMD", 20.0, 20.8), ("UBER", 40.0, 40.0)):
        for day in DAYS:
            price = usual if day < "2019-01-30" else later
            bar = (price, price + 0.5, price - 0.5, price)
            if symbol == "AMD" and day == "2019-01-30":
                bar = (18.60, 20.90, 18.50, 20.80)
            lines.append(",".join([symbol, day, *(f"{x:.2f}" for x in bar), "1000000"]))
    return "\n".join(lines) + "\n"


def minutes() -> str:
    """One-minute bars of AMD around its report, New York time."""
    lines = ["time,open,high,low,close,volume"]
    for day, bars in (("2019-01-29", EVENING), ("2019-01-30", MORNING)):
        lines += [f"{day} {c},{o:.2f},{h:.2f},{lo:.2f},{x:.2f},50000" for c, o, h, lo, x in bars]
    quiet = [day for day in DAYS if "2019-01-30" < day < "2019-03-01"]
    lines += [f"{day} 15:59,20.80,20.80,20.80,20.80,50000" for day in quiet]
    return "\n".join(lines) + "\n"


def write(folder: Path) -> None:
    """Put the files into a folder."""
    for name, text in zip(FILES, (daily(), minutes(), EVENTS, ACTIONS, NEWS), strict=True):
        (folder / name).write_text(text)
