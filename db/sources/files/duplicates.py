"""Which bars of a file were there before, however large the file is and in whatever order."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import IO

import numpy as np
import numpy.typing as npt

from db.sources.files.arrow import BoolArray, FloatArray, IntArray

_ENTRY = np.dtype([("key", np.int64), ("print", np.uint64)])
_SLOT_BITS = 32
_MULTIPLIERS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64
)


@dataclass(frozen=True)
class _Segment:
    """One earlier chunk: where its sorted entries lie in the file, and what they span."""

    offset: int
    count: int
    first_symbol: int
    last_symbol: int
    first_slot: int
    last_slot: int


class SeenBars:
    """Keys of all bars accepted so far and a 64-bit print of their values.

    They are kept in an unnamed temporary file, 16 bytes a bar, so that memory does not grow with
    the input.  Only earlier chunks that span the same symbols and the same times are read back:
    none at all for a file that is sorted by symbol or by time.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._segments: list[_Segment] = []

    def close(self) -> None:
        self._file.close()

    def find(
        self, symbols: IntArray, slots: IntArray, values: tuple[FloatArray, ...]
    ) -> tuple[BoolArray, BoolArray]:
        """Look up and remember bars; returns masks (repeated, differing), (rows,) each.

        ``symbols`` and ``slots`` (minute or session number, below 2**32) identify a bar.  The
        first bar of a key passes; later ones are ``repeated``, and ``differing`` too if their
        values are not the first one's.
        """
        keys = (symbols << _SLOT_BITS) | slots
        prints = _prints(values)
        order = np.arange(len(keys))
        if len(keys) > 1 and not bool((keys[1:] > keys[:-1]).all()):
            order = np.argsort(keys, kind="stable")
        entries = np.empty(len(keys), dtype=_ENTRY)
        entries["key"], entries["print"] = keys[order], prints[order]
        repeated, differing = _within(entries)
        for segment in self._segments:
            if len(keys) and _may_meet(segment, symbols, slots):
                self._compare(segment, entries, repeated, differing)
        self._remember(entries[~repeated])
        unsorted = np.empty_like(order)
        unsorted[order] = np.arange(len(order))
        return repeated[unsorted], differing[unsorted]

    def _compare(
        self,
        segment: _Segment,
        entries: npt.NDArray[np.void],
        repeated: BoolArray,
        differing: BoolArray,
    ) -> None:
        self._file.seek(segment.offset)
        earlier = np.frombuffer(self._file.read(segment.count * _ENTRY.itemsize), dtype=_ENTRY)
        place = np.searchsorted(earlier["key"], entries["key"])
        found = earlier[np.minimum(place, segment.count - 1)]
        same_key = found["key"] == entries["key"]
        repeated |= same_key
        # Of several earlier equals the very first decides, and it lies in a segment.
        differing[same_key] = found["print"][same_key] != entries["print"][same_key]

    def _remember(self, entries: npt.NDArray[np.void]) -> None:
        if not len(entries):
            return
        symbols, slots = entries["key"] >> _SLOT_BITS, entries["key"] & ((1 << _SLOT_BITS) - 1)
        offset = self._file.seek(0, 2)
        self._file.write(entries.tobytes())
        self._segments.append(
            _Segment(
                offset,
                len(entries),
                int(symbols[0]),
                int(symbols[-1]),
                int(slots.min()),
                int(slots.max()),
            )
        )


def _within(entries: npt.NDArray[np.void]) -> tuple[BoolArray, BoolArray]:
    """Repetitions among sorted entries, each against the first of its key."""
    keys = entries["key"]
    repeated = np.zeros(len(keys), dtype=np.bool_)
    if len(keys) == 0:
        return repeated, repeated.copy()
    repeated[1:] = keys[1:] == keys[:-1]
    first = np.maximum.accumulate(np.where(repeated, 0, np.arange(len(keys))))
    return repeated, np.asarray(entries["print"] != entries["print"][first])


def _may_meet(segment: _Segment, symbols: IntArray, slots: IntArray) -> bool:
    return bool(
        segment.first_symbol <= symbols.max()
        and segment.last_symbol >= symbols.min()
        and segment.first_slot <= slots.max()
        and segment.last_slot >= slots.min()
    )


def _prints(values: tuple[FloatArray, ...]) -> npt.NDArray[np.uint64]:
    """A hash of each row's values; two rows that differ share one by a chance of 2**-64."""
    total = np.zeros(len(values[0]), dtype=np.uint64)
    for number, column in enumerate(values):
        bits = np.where(np.isnan(column), np.nan, column + 0.0).view(np.uint64)
        bits = (bits ^ (bits >> np.uint64(32))) * _MULTIPLIERS[number % 4]
        total = (total ^ bits ^ (bits >> np.uint64(29))) * _MULTIPLIERS[(number + 1) % 4]
    return total
