"""Bytes to text: the charset that was declared, if the bytes agree with it."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib

from db.errors import DataError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w:.-]{2,40})"
    rb"|<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w:.-]{2,40})",
    re.IGNORECASE,
)
# Python also knows "encodings" that are no charsets; only what pages are really written in.
_KNOWN = re.compile(
    r"utf-?(?:8|16|32)(?:-?[lb]e)?|ascii|cp125\d|iso8859-\d+|latin.?1|koi8-[ru]|mac-roman|"
    r"gb2312|gbk|gb18030|big5|shift_jis|cp932|euc_(?:jp|kr)|cp949"
)
_SNIFFED = 4096
_GZIP = b"\x1f\x8b"
_ZIPS = (b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_OTHERS = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"PAR1": "a Parquet file",
    b"{\\rtf": "an RTF document",
    b"\xd0\xcf\x11\xe0": "an Office document",
}


def unpacked(data: bytes, where: str, largest: int) -> bytes:
    """The bytes, out of gzip if they are in it, as long as they stay below ``largest``.

    DataError: an archive, damaged gzip data, more than ``largest`` bytes.
    """
    if data.startswith(_ZIPS):
        raise DataError("archives are not read", where=where, hint="unpack it first")
    if data.startswith(_GZIP):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
                data = stream.read(largest + 1)
        except (EOFError, zlib.error, OSError) as error:
            raise DataError(
                f"the gzip data is damaged or cut short ({error})", where=where
            ) from error
        if data.startswith((_GZIP, *_ZIPS)):
            raise DataError("an archive inside gzip is not read", where=where)
    if len(data) > largest:
        raise DataError(f"unpacked it holds more than {largest / (1 << 20):g} MB", where=where)
    return data


_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))
"""What texts hardly hold, and other files are full of."""


def decoded(data: bytes, stated: str = "", *, where: str = "") -> tuple[str, str, str]:
    """Text, the charset it was read in, and a note where the declared one did not fit.

    ``stated`` is the charset of the HTTP header; a byte order mark is stronger, a ``<meta>`` or
    XML declaration weaker.  Without any it is UTF-8, else Windows-1252, which holds Latin-1.
    DataError: bytes that are no text.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace").removeprefix("\ufeff"), name, ""
    for start, name in _OTHERS.items():
        if data.startswith(start):
            raise DataError(
                f"this is {name}, not a text", where=where, hint="save the article as HTML or text"
            )
    head = data[:_SNIFFED]
    if head.count(0) > len(head) // 100 or len(head.translate(None, _CONTROLS)) < 0.98 * len(head):
        raise DataError("this is binary data, not a text", where=where)
    declared = _DECLARED.search(head)
    inside = (declared[1] or declared[2]).decode("ascii", "replace") if declared else ""
    wanted = [codec for codec in map(_codec, (stated, inside)) if codec]
    # Latin-1 reads any bytes; bytes that are whole UTF-8 are hardly ever anything else.
    for codec in dict.fromkeys(("utf-8", *wanted)):
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        fits = not wanted or codec == wanted[0] or data.isascii()
        return text, codec, "" if fits else f"declared as {wanted[0]} and read as {codec}"
    text = data.decode("utf-8", "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    # Of Latin-1 read as UTF-8 hardly an accent survives.
    if sum(character > "\x7f" for character in text) >= 2 * broken:
        return text, "utf-8", f"{broken} characters could not be read as utf-8"
    codec = next((codec for codec in wanted if codec != "utf-8"), "cp1252")
    return data.decode(codec, "replace"), codec, f"this is no utf-8 and was read as {codec}"


def _codec(label: str) -> str:
    """Python's name for a charset; empty for an unknown one."""
    try:
        name = codecs.lookup(label.strip().strip("\"'")).name if label else ""
    except (LookupError, ValueError):
        return ""
    if not _KNOWN.fullmatch(name):
        return ""
    # Browsers read the bytes that Latin-1 leaves to control characters as Windows does.
    return "cp1252" if name in ("iso8859-1", "ascii") else name
