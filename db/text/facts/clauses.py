"""A clause of a sentence: its pieces between marks, and what kind of statement it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["reported", "guidance", "expected", "void"]


@dataclass(slots=True)
class Piece:
    """A stretch of a clause between two marks: items ``begin`` to ``end``."""

    begin: int
    end: int
    bracket: bool = False
    joined: bool = False  # after "and"


@dataclass(slots=True)
class Clause:
    """A clause with its pieces; the first one carries its subject and verb."""

    pieces: list[Piece] = field(default_factory=list)
    mode: Mode = "reported"
    opener: str = ""  # the word that introduced it: "where", "whereas", "which"
    has_verb: bool = False
    hard: bool = False  # begins the sentence or follows a semicolon or colon
    old_outlook: bool = False
    past: bool = False  # tells of the year before: "Ein Jahr zuvor hatte ..."
    withdrawn: bool = False
    relative: bool = False

    @property
    def begin(self) -> int:
        return self.pieces[0].begin

    @property
    def end(self) -> int:
        return self.pieces[-1].end
