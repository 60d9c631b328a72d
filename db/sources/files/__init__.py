"""CSV, Parquet and JSON-lines files: one function for each kind of data.

`prices` yields a batch a file, streamed; `events`, `actions` and `news` return one batch.
"""

from db.sources.files.action_rows import actions
from db.sources.files.columns import parse_mapping
from db.sources.files.event_rows import events
from db.sources.files.news_rows import news
from db.sources.files.price_rows import prices

__all__ = ["actions", "events", "news", "parse_mapping", "prices"]
