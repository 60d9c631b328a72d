"""However bars arrive, the store holds what the last statement on each key said."""

from __future__ import annotations

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from db.delta.ingest import BarIngest
from db.store import Store
from tests.db.build import bars
from tests.db.conftest import NOW

DAYS = [f"2020-01-{day:02}" for day in range(2, 8)]
rows = st.tuples(st.sampled_from("ABC"), st.sampled_from(DAYS), st.sampled_from([10.0, 11.0]))
files = st.lists(rows, max_size=12)


def content(store: Store, **asked) -> dict[tuple[str, str], float]:
    names = store.instruments().set_index("instrument_id")["symbol"]
    found = store.bars("1d", **asked)
    days = np.datetime_as_string(found.start.astype("datetime64[us]"), unit="D")
    keys = [(names[who], str(day)) for who, day in zip(found.instrument, days, strict=True)]
    assert len(set(keys)) == len(keys), "a key is held twice"
    assert (np.diff(found.instrument) >= 0).all()
    assert keys == sorted(keys, key=lambda key: (list(names).index(key[0]), key[1]))
    return dict(zip(keys, found.close.tolist(), strict=True))


@settings(max_examples=30)
@example(  # the third says what the second, refused one said
    batches=[[("B", DAYS[1], 11.0), ("B", DAYS[1], 10.0), ("B", DAYS[1], 10.0)]], file_rows=2
)
@given(batches=st.lists(files, min_size=1, max_size=5), file_rows=st.sampled_from([2, 3, 100]))
def test_the_store_agrees_with_a_dictionary(empty_folder: Path, batches, file_rows):
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "store"
        shutil.copytree(empty_folder, folder)
        with Store.open(folder, now=lambda: NOW) as store:
            _compare_with_dictionary(store, batches, file_rows)


def _compare_with_dictionary(store: Store, batches, file_rows: int) -> None:
    ingest = BarIngest(store._database, store._table, store._now, file_rows=file_rows)
    held: dict[tuple[str, str], float] = {}
    versions = {}
    for number, file in enumerate(batches):
        report = ingest.run(bars(f"{number}.csv", file, chunk_rows=5), progress=None, dry_run=False)
        said: dict[tuple[str, str], float] = {}
        repeated = refused = 0
        for symbol, day, close in file:  # the first statement of a file counts
            if (symbol, day) not in said:
                said[symbol, day] = close
            elif said[symbol, day] == close:
                repeated += 1
            else:
                refused += 1
        known = [key for key in said if key in held]
        revised = sum(held[key] != said[key] for key in known)
        assert report.rejected == refused
        assert report.revised == revised
        assert report.unchanged == repeated + len(known) - revised
        assert report.added == len(said) - len(known)
        held.update(said)
        assert content(store) == held
        versions[store.bars("1d").version] = dict(held)
    for version, expected in versions.items():
        if version >= 0:
            assert content(store, version=version) == expected
    store.compact()
    assert content(store) == held
    store.clean()
    assert content(store) == held


consistent = st.dictionaries(
    st.tuples(st.sampled_from("ABC"), st.sampled_from(DAYS)),
    st.floats(1, 100, allow_nan=False),
    min_size=1,
    max_size=15,
)


@settings(max_examples=20)
@given(data=st.data(), expected=consistent)
def test_neither_the_split_into_files_nor_their_order_matters(
    empty_folder: Path, data: st.DataObject, expected
):
    keyed = [(symbol, day, close) for (symbol, day), close in expected.items()]
    shuffled = data.draw(st.permutations(keyed))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(keyed)), max_size=3)))
    edges = [0, *cuts, len(keyed)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "store"
        shutil.copytree(empty_folder, folder)
        with Store.open(folder, now=lambda: NOW) as store:
            for number, (low, high) in enumerate(pairwise(edges)):
                store.ingest(bars(f"{number}.csv", shuffled[low:high]))
            assert content(store) == expected
