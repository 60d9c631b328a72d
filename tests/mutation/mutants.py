"""Small changes to a source file, each of which a good test must notice.

The places are found in the syntax tree and changed in the text, so that comments and docstrings
stay as they are and every mutant can be shown as one changed line.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.LtE: ("<=", "<", ">="),
    ast.Lt: ("<", "<=", ">="),
    ast.GtE: (">=", ">", "<="),
    ast.Gt: (">", ">=", "<="),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
_NAMES = {
    "max": "min",
    "min": "max",
    "maximum": "minimum",
    "minimum": "maximum",
    "any": "all",
    "all": "any",
    "isnan": "isinf",
    "high": "low",
    "low": "high",
    "open": "close",
    "close": "open",
    "start": "end",
    "end": "start",
    "opens": "closes",
    "closes": "opens",
    "first": "lead",
    "lead": "first",
    "PRE": "CLOSED",
    "POST": "CLOSED",
    "REGULAR": "POST",
    "CLOSED": "REGULAR",
}
"""Other names for names: the other end of a bar, the other side, the other phase."""


@dataclass(frozen=True)
class Mutant:
    """One changed place.  ``key`` does not move when lines are added elsewhere."""

    function: str
    line: int
    before: str
    after: str
    occurrence: int
    source: str

    @property
    def key(self) -> str:
        again = f" #{self.occurrence}" if self.occurrence > 1 else ""
        return f"{self.function}: {self.before} -> {self.after}{again}"


@dataclass(frozen=True)
class _Edit:
    function: str
    begin: int
    end: int
    text: str


def mutants(source: str) -> list[Mutant]:
    """Every mutant of a module's functions, in the order of the text."""
    found: list[Mutant] = []
    seen: dict[tuple[str, str, str], int] = {}
    for edit in sorted(_edits(source), key=lambda e: (e.begin, e.end, e.text)):
        changed = source[: edit.begin] + edit.text + source[edit.end :]
        line = source.count("\n", 0, edit.begin)
        before = source.splitlines()[line].strip()
        after = changed.splitlines()[line].strip()
        if before == after:  # the change lies on a later line of the expression
            continue
        again = seen[edit.function, before, after] = seen.get((edit.function, before, after), 0) + 1
        found.append(Mutant(edit.function, line + 1, before, after, again, changed))
    return found


class _Text:
    """Offsets into a source from the line and column (in UTF-8 bytes) of the syntax tree."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines = source.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def offset(self, line: int, column: int) -> int:
        text = self.lines[line - 1].encode()[:column].decode()
        return self.starts[line - 1] + len(text)

    def span(self, node: ast.AST) -> tuple[int, int]:
        begin = self.offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]
        return begin, self.offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def between(self, left: ast.AST, right: ast.AST, operator: str) -> tuple[int, int]:
        """Where the operator between two operands stands."""
        begin = self.source.index(operator, self.span(left)[1], self.span(right)[0])
        return begin, begin + len(operator)


def _edits(source: str) -> Iterator[_Edit]:
    text = _Text(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            for part in _body(node):
                for begin, end, new in _changes(part, text):
                    yield _Edit(node.name, begin, end, new)


def _body(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The function's nodes but its docstring, its annotations and functions within it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        yield node
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.AnnAssign):
            children.remove(node.annotation)
        waiting += children


def _changes(node: ast.AST, text: _Text) -> Iterator[tuple[int, int, str]]:
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            spelled, *others = _COMPARISONS.get(type(operator), ("",))
            for other in others:
                yield *text.between(left, right, spelled), other
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        spelled, other = _ARITHMETIC[type(node.op)]
        yield *text.between(node.left, node.right, spelled), other
    elif isinstance(node, ast.BoolOp):
        spelled, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield *text.between(left, right, spelled), other
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        begin, end = text.span(node)
        yield begin, end, text.source[slice(*text.span(node.operand))]
    elif isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
        spelled, other = _ARITHMETIC[type(node.op)]
        yield *text.between(node.target, node.value, spelled + "="), other + "="
    elif isinstance(node, ast.Break | ast.Continue):
        yield *text.span(node), "continue" if isinstance(node, ast.Break) else "break"
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield from _conditions(node, text)
    else:
        yield from _words(node, text)


def _conditions(
    node: ast.If | ast.IfExp | ast.While, text: _Text
) -> Iterator[tuple[int, int, str]]:
    begin, end = text.span(node.test)
    yield begin, end, "False"
    if not isinstance(node, ast.While):
        yield begin, end, "True"


def _words(node: ast.AST, text: _Text) -> Iterator[tuple[int, int, str]]:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield *text.span(node), str(not node.value)
        elif isinstance(node.value, int | float):
            yield *text.span(node), repr(node.value + 1)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        if node.id in _NAMES:
            yield *text.span(node), _NAMES[node.id]
        elif node.id in ("TOL", "TOLERANCE", "_TOL", "_TOLERANCE"):
            yield *text.span(node), "0.0"
    elif isinstance(node, ast.Attribute) and node.attr in _NAMES:
        _, end = text.span(node)
        yield end - len(node.attr), end, _NAMES[node.attr]
