"""Cuts a text into sentences, in time linear in its length."""

from __future__ import annotations

import re
from collections.abc import Iterator

from db.text.facts.wordlists import listed

LONGEST_SENTENCE = 2_000
"""Longer pieces (tables run together, hostile text) are passed over."""

# Bounded repetitions only: a megabyte of full stops must not be tried from every place again.
_END = re.compile(r"[.!?\u2026]{1,4}[\"'\u201c\u201d\u2019\u00bb\u00ab)\]]{0,3}(?=\s)|\n")
_LAST_WORD = re.compile(r"[^\s(\"'„“]{1,24}$")
_NEXT_WORD = re.compile(r"[\s\"'„“”»«(\[]{0,8}([^\s]{1,24})")

_NEVER_END = frozenset(
    listed(
        "bzw z.b zb d.h u.a u.s.w usw. ca rd ggü vgl nr dr prof mr mrs ms st vs est approx "
        "adj no fig jan feb mar apr jun jul aug sep sept oct nov dec mär okt dez abs art evtl "
        "inkl exkl exp erw zzgl i.v.m o.g sog bspw geb tsd etwa z i u d o s prelim avg gov "
        "sen rep gen v mt resp i.h.v i.vj e.g i.e rev"
    )
)
_MAY_END = frozenset(
    listed(
        "inc corp co ltd plc llc mrd mio bio mill bn mn u.s u.k u.n e.v etc sa ag n.v s.a "
        "s.p.a p.m a.m bros cos jr sr l.p mln md"
    )
)
_STARTERS = frozenset(
    listed(
        "the a an in it its this that these for on at he she they we and but analysts shares "
        "revenue net sales earnings profit however meanwhile der die das ein eine im in am "
        "für er sie es wir und aber analysten auch damit dabei nach mit bei zum zur vor "
        "dagegen unter unterm zudem dieser diese den dem umsatz gewinn aktien trotz insgesamt "
        "adjusted diluted"
    )
)
_ORDINAL_NOUNS = frozenset(
    listed(
        "quartal quartals quartalen halbjahr halbjahres geschäftsjahr geschäftsjahres januar "
        "februar märz april mai juni juli august september oktober november dezember jan feb "
        "mär apr jun jul aug sep okt nov dez jahrhundert quartalsumsatz hj"
    )
)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """The begin and end of every sentence of ``text``, in characters."""
    begin = 0
    for found in _END.finditer(text):
        if found.group().startswith("\n"):
            if not _line_ends(text, begin, found.start()):
                continue
        elif not _ends(text, begin, found):
            continue
        yield from _trimmed(text, begin, found.end())
        begin = found.end()
    yield from _trimmed(text, begin, len(text))


def _trimmed(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The piece without blanks around it, if it is of a length that is read."""
    if end - begin > LONGEST_SENTENCE * 2:
        return
    piece = text[begin:end]
    left = len(piece) - len(piece.lstrip())
    right = len(piece.rstrip())
    if 0 < right - left <= LONGEST_SENTENCE:
        yield begin + left, begin + right


def _line_ends(text: str, begin: int, at: int) -> bool:
    """Whether a line break ends a sentence: a heading or paragraph, not a wrapped line."""
    after = text[at + 1 : at + 2]
    if after in ("", "\n", "\r") or text[at - 1 : at] in (".", "!", "?", ":", ";", "\r", "\n"):
        return True
    rest = text[at + 1 : at + 40].lstrip()
    starts = rest[:1]
    if starts in "-•*–·" or not rest:
        return True
    return (starts.isupper() or starts.isdigit()) and at - begin < 60


def _ends(text: str, begin: int, found: re.Match[str]) -> bool:
    """Whether a full stop ends the sentence that began at ``begin``."""
    if found.group()[0] != ".":
        return True
    following = _NEXT_WORD.match(text, found.end())
    if following is None:
        return True
    upcoming = following.group(1)
    next_word = upcoming.strip(".,;:!?)\"'“”").lower()
    before = _LAST_WORD.search(text, max(begin, found.start() - 24), found.start())
    word = before.group().lower() if before else ""
    if word.isdigit() and len(word) <= 2 and next_word in _ORDINAL_NOUNS:
        return False
    if word in _NEVER_END:
        return False
    if word in _MAY_END or (len(word) == 1 and word.isalpha()):
        return next_word in _STARTERS and upcoming[0].isupper()
    return not upcoming[0].islower()
