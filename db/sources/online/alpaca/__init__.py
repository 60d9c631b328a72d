"""Alpaca: minute bars with extended hours since 2016, splits and dividends, news with its ids."""

from db.sources.fetching.source import Source
from db.sources.online.alpaca.source import Alpaca

SOURCE: type[Source] = Alpaca
