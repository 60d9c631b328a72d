"""The bytes of an input: a named file, a gzip of one, or standard input.

Everything that makes an input unusable as a whole is found here, before a row is read: it is
empty, it is not UTF-8, it is an archive, it calls itself Parquet and is not.  The same pass takes
the hash that identifies the batch.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import weakref
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Literal, cast

from db.errors import DataError, UsageError, did_you_mean
from db.sources.files.texts import printable

Format = Literal["csv", "parquet", "jsonl"]

BLOCK = 1 << 20
_SNIFFED = 4096
_GZIP, _PARQUET, _ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"
_WIDE_MARKS = {  # the longer mark first: UTF-32's begins with UTF-16's
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


@dataclass(frozen=True)
class Source:
    """An input that can be read from its beginning, any number of times.

    ``sha256`` is over the bytes after decompression, ``line_breaks`` is how many of them a text
    holds (0 for Parquet).
    """

    origin: str
    format: Format
    sha256: str
    line_breaks: int
    compressed: bool
    _path: Path | None
    _spool: IO[bytes] | None
    _identity: tuple[int, ...]

    def open(self) -> BinaryIO:
        """A new stream over the decompressed bytes; DataError when the file has changed since."""
        if self._spool is not None:
            self._spool.seek(0)
            raw: BinaryIO = os.fdopen(os.dup(self._spool.fileno()), "rb")
        else:
            raw = _open_path(cast(Path, self._path))
            if _identity(raw) != self._identity:
                raw.close()
                raise DataError(
                    "the file changed while it was being read",
                    where=self.origin,
                    hint="import it again once nothing writes to it",
                )
        return cast(BinaryIO, _OwningGzip(raw)) if self.compressed else raw


class _OwningGzip(gzip.GzipFile):
    """Closes the stream beneath it too, which GzipFile leaves open."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        super().__init__(fileobj=raw, mode="rb")

    def close(self) -> None:
        super().close()
        self._raw.close()


def open_source(file: str | Path, *, stdin: BinaryIO | None = None) -> Source:
    """Look at an input once: its format, its hash, and whether it can be read at all.

    ``-`` is standard input (``stdin`` stands in for it).  What cannot be read twice, a pipe for
    example, is copied to an unnamed temporary file first.  UsageError: no such file; DataError:
    empty, not UTF-8, an archive, not the format that its name says.
    """
    name, origin = str(file), printable(str(file))
    path: Path | None = None
    spool: IO[bytes] | None = None
    if name == "-":
        spool = _spooled(stdin if stdin is not None else sys.stdin.buffer)
    else:
        path = Path(file)
        with _open_path(path) as raw:
            if not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
                spool = _spooled(raw)
    if spool is not None:
        try:
            source = _inspected(cast(BinaryIO, spool), origin, path, spool)
        except BaseException:
            spool.close()
            raise
        weakref.finalize(source, spool.close)
        return source
    with _open_path(cast(Path, path)) as raw:
        return _inspected(raw, origin, path, None)


def refuse_missing(file: str | Path) -> None:
    """UsageError for a name that is no file; nothing is read, a pipe stays as it is."""
    path = Path(file)
    if str(file) != "-" and (path.is_dir() or not path.exists()):
        _open_path(path).close()


def _inspected(raw: BinaryIO, origin: str, path: Path | None, spool: IO[bytes] | None) -> Source:
    identity = _identity(raw)
    compressed = raw.read(2) == _GZIP
    raw.seek(0)
    stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="rb")) if compressed else raw
    try:
        format_ = _sniffed(stream.read(_SNIFFED), origin, path)
        stream.seek(0)
        if compressed and format_ == "parquet":
            raise DataError(
                "Parquet inside gzip is not read",
                where=origin,
                hint="gunzip it: Parquet is compressed",
            )
        sha256, line_breaks = _scanned(stream, origin, is_text=format_ != "parquet")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"the gzip data is damaged or cut short ({error})", where=origin, hint="fetch it again"
        ) from error
    return Source(origin, format_, sha256, line_breaks, compressed, path, spool, identity)


def _open_path(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        siblings: list[str] = []
        with suppress(OSError):
            siblings = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
        raise UsageError(
            "no such file", where=str(path), hint=did_you_mean(path.name, siblings, kind="file")
        ) from error
    except IsADirectoryError as error:
        raise UsageError(
            "this is a folder, not a file", where=str(path), hint=f"{path}/*.csv or */*.parquet"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise DataError(f"cannot be opened: {error}", where=repr(str(path))) from error


def _spooled(stream: BinaryIO) -> IO[bytes]:
    spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as its Source
    shutil.copyfileobj(stream, spool, BLOCK)
    spool.seek(0)
    return spool


def _identity(raw: BinaryIO) -> tuple[int, ...]:
    status = os.fstat(raw.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _sniffed(head: bytes, origin: str, path: Path | None) -> Format:
    suffixes = [s.lower() for s in path.suffixes if s.lower() != ".gz"] if path is not None else []
    named = _BY_SUFFIX.get(suffixes[-1]) if suffixes else None
    if not head.removeprefix(codecs.BOM_UTF8).strip():
        raise DataError("the file is empty", where=origin)
    if head.startswith(_PARQUET):
        return "parquet"
    if named == "parquet":
        raise DataError(
            "this is not a Parquet file (it does not begin with PAR1)",
            where=origin,
            hint="if it is text, name it .csv or .jsonl",
        )
    if head.startswith(_ZIP):
        raise DataError("zip archives are not read", where=origin, hint="unpack it first")
    for mark, encoding in _WIDE_MARKS.items():
        if head.startswith(mark):
            raise DataError(
                f"the text is {encoding} (byte offset 0), not UTF-8",
                where=origin,
                hint=f"iconv -f {encoding} -t UTF-8 IN > OUT",
            )
    first_line = head.split(b"\n", 1)[0]
    if b"\0" in first_line:
        raise DataError(
            f"NUL byte at byte offset {first_line.index(0)}: this is not UTF-8 text",
            where=origin,
            hint="if it is UTF-16 text: iconv -f UTF-16LE -t UTF-8 IN > OUT",
        )
    begin = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if begin == b"[" and named in {"jsonl", None}:
        raise DataError(
            "a JSON array is not read", where=origin, hint="one object a line: jq -c '.[]' IN > OUT"
        )
    return named or ("jsonl" if begin == b"{" else "csv")


def _scanned(stream: BinaryIO, origin: str, *, is_text: bool) -> tuple[str, int]:
    """SHA-256 and number of line breaks; DataError at the first byte that is not UTF-8."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = line_breaks = 0
    while block := stream.read(BLOCK):
        digest.update(block)
        if is_text:
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                _not_utf8(error, offset - pending, line_breaks, origin)
            line_breaks += block.count(b"\n")
        offset += len(block)
    if is_text:
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            _not_utf8(error, offset - pending, line_breaks, origin)
    return digest.hexdigest(), line_breaks


def _not_utf8(error: UnicodeDecodeError, base: int, line_breaks: int, origin: str) -> None:
    line = line_breaks + error.object.count(b"\n", 0, error.start) + 1
    byte = error.object[error.start]
    raise DataError(
        f"byte 0x{byte:02x} at byte offset {base + error.start} (line {line}) is not UTF-8",
        where=origin,
        hint="if it is a Western European text: iconv -f WINDOWS-1252 -t UTF-8 IN > OUT",
    ) from error
