"""SEC EDGAR: when a company's results were filed, and the press release it filed with them."""

from db.sources.fetching.source import Source
from db.sources.online.edgar.source import Edgar

SOURCE: type[Source] = Edgar
