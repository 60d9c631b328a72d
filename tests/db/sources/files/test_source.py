"""An input that cannot be used is named as such before a row of it is read."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path

import pytest

from db.errors import DataError, UsageError
from db.sources.files.source import open_source
from tests.db.sources.files.tables import stdin


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_name_and_content_tell_the_format(tmp_path: Path) -> None:
    cases = {
        "a.csv": (b"a,b\n1,2\n", "csv"),
        "a.jsonl": (b'{"a": 1}\n', "jsonl"),
        "no_suffix": (b"a,b\n1,2\n", "csv"),
        "no_suffix_either": (b'\n {"a": 1}\n', "jsonl"),
        "a.unknown": (b"PAR1 and more", "parquet"),
    }
    for name, (data, expected) in cases.items():
        assert open_source(written(tmp_path, name, data)).format == expected, name


def test_standard_input_is_sniffed_and_can_be_read_twice() -> None:
    source = open_source("-", stdin=stdin('{"a": 1}\n'))
    assert (source.format, source.origin) == ("jsonl", "-")
    for _ in range(2):
        with source.open() as stream:
            assert stream.read() == b'{"a": 1}\n'


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"a,b\n1,2\n",))
    writer.start()
    source = open_source(pipe)
    writer.join()
    with source.open() as stream:
        assert stream.read() == b"a,b\n1,2\n"


def test_gzip_is_read_and_is_the_same_batch_as_the_plain_file(tmp_path: Path) -> None:
    plain = open_source(written(tmp_path, "a.csv", b"a,b\n1,2\n"))
    packed = open_source(written(tmp_path, "a.csv.gz", gzip.compress(b"a,b\n1,2\n")))
    assert packed.format == "csv"
    assert packed.sha256 == plain.sha256
    with packed.open() as stream:
        assert stream.read() == b"a,b\n1,2\n"


def test_gzip_cut_short_is_an_error(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n" + os.urandom(5000).hex().encode())
    with pytest.raises(DataError, match=r"cut short"):
        open_source(written(tmp_path, "a.csv.gz", packed[:-3000]))


@pytest.mark.parametrize("data", [b"", b"\n\n  \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_empty_file(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DataError, match="is empty"):
        open_source(written(tmp_path, "a.csv", data))


@pytest.mark.parametrize("name", ["a.parquet", "a.pq"])
def test_text_called_parquet(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="not a Parquet file") as error:
        open_source(written(tmp_path, name, b"a,b\n1,2\n"))
    assert ".csv" in error.value.hint


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a,b\nx,ü\n".encode("cp1252"), r"byte 0xfc at byte offset 6 \(line 2\) is not UTF-8"),
        (b"a,b\nx,\xc3", r"byte 0xc3 at byte offset 6 \(line 2\)"),
        ("a,b\n1,2\n".encode("utf-16"), r"UTF-16 \(byte offset 0\)"),
        ("a,b\n1,2\n".encode("utf-32"), r"UTF-32 \(byte offset 0\)"),
        ("a,b\n1,2\n".encode("utf-16-le"), r"NUL byte at byte offset 1"),
        (b"PK\x03\x04rest", "zip archives are not read"),
        (b'[{"a": 1}]', "a JSON array is not read"),
        (gzip.compress(b"PAR1PAR1", mtime=0), "Parquet inside gzip"),
    ],
)
def test_what_is_not_read_is_named(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        open_source("-", stdin=stdin(data))
    assert error.value.hint


def test_offset_of_a_wrong_byte_beyond_the_first_block() -> None:
    # The block border at 1 MB cuts the two bytes of this ü in half: that is no error.
    text = b"a,b\n" + b"x" * ((1 << 20) - 5) + "ü".encode()
    wrong_at = len(text) + 7
    with pytest.raises(DataError, match=rf"byte offset {wrong_at} \(line 3\)"):
        open_source("-", stdin=stdin(text + b"\n,,,,,,\xff\n"))


def test_bom_and_two_byte_letters_are_fine() -> None:
    assert open_source("-", stdin=stdin(b"\xef\xbb\xbfa,b\n1,\xc3\xbc\n")).format == "csv"


def test_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    written(tmp_path, "prices.csv", b"a\n1\n")
    with pytest.raises(UsageError, match="no such file") as error:
        open_source(tmp_path / "price.csv")
    assert "prices.csv" in error.value.hint


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a folder"):
        open_source(tmp_path)


def test_a_file_that_grows_between_two_readings_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", b"a,b\n1,2\n")
    source = open_source(path)
    with path.open("ab") as stream:
        stream.write(b"3,4\n")
    with pytest.raises(DataError, match="changed while"):
        source.open()
