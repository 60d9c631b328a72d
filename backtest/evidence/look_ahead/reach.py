"""Going through what a strategy's code can reach and change, one thing at a time.

From a class's own functions: the globals they name, class attributes, closures, default arguments,
attributes of functions and `functools` caches of the author's own modules; through functions and
classes of those modules to what they reach in turn.  Libraries, files and other processes are not
reached.
"""

from __future__ import annotations

import sys
import sysconfig
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, MutableSet
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from backtest.panel.panel import EventPanel
from backtest.strategy import Strategy

_LIBRARY = tuple(
    str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "purelib", "platlib")
)
_OURS = ("backtest", "db")
_MISSING = object()
_BY_TEXT = {"globals", "modules", "setattr"}


@dataclass(eq=False)
class Kept:
    """One thing that can change: its name, how to put it back, whether it is as it was."""

    name: str
    restore: Callable[[], None]
    changed: Callable[[], bool]
    cache: bool = False


class Walk:
    """Goes through what can be reached, each thing once."""

    def __init__(self, cls: type) -> None:
        self.kept: list[Kept] = []
        self._seen: set[int] = set()
        self._alive: list[object] = []
        self._package = cls.__module__.partition(".")[0]

    def is_own(self, module: str) -> bool:
        """Whether a module is the author's: no library, and no part of this program."""
        top = module.partition(".")[0]
        if top in _OURS or top == "builtins":
            return False
        if top == self._package:
            return True
        file = getattr(sys.modules.get(module), "__file__", None)
        if file is None:
            return module == "__main__"
        path = str(Path(file).resolve())
        return not path.startswith(_LIBRARY)

    def visit(self, value: Any, name: str) -> None:
        """Keep what can change in a value, and go on from it."""
        if value is None or isinstance(value, str | bytes | int | float | complex | CodeType):
            return
        if id(value) in self._seen:
            return
        self._seen.add(id(value))
        self._alive.append(value)
        if isinstance(value, type):
            if value is Strategy or self.is_own(value.__module__):
                self.namespace(value, value.__name__)
        elif isinstance(value, ModuleType):
            if self.is_own(value.__name__):
                self._globals(vars(value), list(vars(value)), value.__name__)
        elif not self._callable(value, name):
            self._data(value, name)

    # Functions and what they carry

    def _callable(self, value: Any, name: str) -> bool:
        if isinstance(value, staticmethod | classmethod | MethodType):
            self.visit(value.__func__, name)
            self.visit(getattr(value, "__self__", None), name)
        elif isinstance(value, property):
            for part in (value.fget, value.fset):
                self.visit(part, name)
        elif isinstance(value, cached_property):
            self.visit(value.func, name)
        elif isinstance(value, partial):
            for part in (value.func, *value.args, *value.keywords.values()):
                self.visit(part, name)
        elif hasattr(value, "cache_clear") and hasattr(value, "cache_info"):
            self._cache(value, name)
        elif isinstance(value, FunctionType):
            if self.is_own(value.__module__ or ""):
                self._function(value, name)
        else:
            return False
        return True

    def _cache(self, cached: Any, name: str) -> None:
        self.kept.append(
            Kept(
                f"the cache of {getattr(cached, '__name__', name)}()",
                cached.cache_clear,
                lambda: bool(cached.cache_info().currsize),
                cache=True,
            )
        )
        self.visit(getattr(cached, "__wrapped__", None), name)

    def _function(self, function: FunctionType, name: str) -> None:
        label = f"{function.__name__}()"
        self._globals(function.__globals__, _names(function.__code__), function.__module__)
        names = function.__code__.co_freevars
        for free, cell in zip(names, function.__closure__ or (), strict=True):
            self._cell(cell, f"{free} of {label}")
        self.visit(function.__defaults__, f"a default of {label}")
        self.visit(function.__kwdefaults__, f"a default of {label}")
        self._mapping(function.__dict__, f"an attribute of {label}")

    def _globals(self, space: dict[str, Any], names: list[str], module: str) -> None:
        """The names of a module that code mentions, those that it may yet set included."""
        shown = module.rpartition(".")[2]
        wanted = [name for name in names if not _special(name)]
        if _BY_TEXT & set(names):
            # Code that spells names can reach and make any of them.
            self._names_of(shown, lambda: space, space.__setitem__, space.__delitem__)
            wanted = [name for name in space if not _special(name)]
        for name in wanted:
            self._binding(
                partial(space.get, name, _MISSING),
                partial(space.__setitem__, name),
                partial(space.pop, name, None),
                f"{shown}.{name}" if not shown.startswith("_strategy_") else name,
            )
            if name in space:
                self.visit(space[name], name)

    def namespace(self, cls: type, name: str) -> None:
        """The attributes of a class."""
        self._names_of(name, lambda: vars(cls), partial(setattr, cls), partial(delattr, cls))
        own = cls is not EventPanel and cls is not Strategy
        for key, value in list(vars(cls).items()) if own else ():
            if not _special(key):
                self.visit(value, f"{name}.{key}")

    def _names_of(
        self,
        name: str,
        space: Callable[[], Mapping[str, Any]],
        put: Callable[[str, Any], None],
        drop: Callable[[str], None],
    ) -> None:
        """All names of a class or module: new ones go, changed ones are put back."""

        def now() -> dict[str, Any]:
            return {key: value for key, value in space().items() if not _special(key)}

        was = now()

        def restore() -> None:
            for key in now().keys() - was.keys():
                drop(key)
            for key, value in was.items():
                if space().get(key, _MISSING) is not value:
                    put(key, value)

        self.kept.append(Kept(name, restore, lambda: not _same_items(now(), was)))

    def _cell(self, cell: CellType, name: str) -> None:
        def get() -> Any:
            try:
                return cell.cell_contents
            except ValueError:
                return _MISSING

        def put(value: Any) -> None:
            cell.cell_contents = value

        self._binding(get, put, lambda: None, name)
        self.visit(get(), name)

    def _binding(
        self,
        get: Callable[[], Any],
        put: Callable[[Any], Any],
        drop: Callable[[], Any],
        name: str,
    ) -> None:
        was = get()

        def restore() -> None:
            if get() is not was:
                drop() if was is _MISSING else put(was)

        self.kept.append(Kept(name, restore, lambda: get() is not was))

    # Values

    def _data(self, value: Any, name: str) -> None:
        if isinstance(value, tuple | frozenset):
            for inner in value:
                self.visit(inner, name)
        elif isinstance(value, MutableMapping):
            self._mapping(value, name)
        elif isinstance(value, MutableSequence | MutableSet | deque):
            self._collection(value, name)
        elif isinstance(value, np.ndarray):
            self._array(value, name)
        elif type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "_mgr"):
            self._frame(value, name)
        elif not isinstance(value, _untouched()) and hasattr(value, "__dict__"):
            self._object(value, name)

    def _mapping(self, value: MutableMapping[Any, Any], name: str, *, deep: bool = True) -> None:
        was = dict(value)

        def restore() -> None:
            if not _same_items(value, was):
                value.clear()
                value.update(was)

        self.kept.append(Kept(name, restore, lambda: not _same_items(value, was)))
        for inner in was.values() if deep else ():
            self.visit(inner, name)

    def _collection(self, value: Any, name: str, *, deep: bool = True) -> None:
        was = list(value)

        def changed() -> bool:
            now = list(value)
            return len(now) != len(was) or any(a is not b for a, b in zip(now, was, strict=True))

        def restore() -> None:
            if changed():
                if isinstance(value, MutableSet):
                    value.clear()
                    for one in was:
                        value.add(one)
                elif isinstance(value, deque):
                    value.clear()
                    value.extend(was)
                else:
                    del value[:]
                    value.extend(was)

        self.kept.append(Kept(name, restore, changed))
        for inner in was if deep else ():
            self.visit(inner, name)

    def _array(self, value: np.ndarray, name: str) -> None:
        was = value.copy()

        def changed() -> bool:
            return value.tobytes() != was.tobytes()

        def restore() -> None:
            if value.flags.writeable and changed():
                value[...] = was

        self.kept.append(Kept(name, restore, changed))

    def _frame(self, value: Any, name: str) -> None:
        was = value.copy()

        def restore() -> None:
            if not value.equals(was):
                # There is no public way to put the contents of a frame back in place.
                value._mgr = was.copy()._mgr

        self.kept.append(Kept(name, restore, lambda: not value.equals(was)))

    def _object(self, value: Any, name: str) -> None:
        own = self.is_own(type(value).__module__)
        if not own and callable(value):
            return  # compiled functions and the like keep books that must not be touched
        self._mapping(vars(value), f"{name} ({type(value).__name__})", deep=own)
        if own:
            self.visit(type(value), type(value).__name__)
            return
        # A library's object leads to all of the library: its own containers, and no further.
        for inner in list(vars(value).values()):
            if isinstance(inner, np.ndarray):
                self._array(inner, name)
            elif isinstance(inner, dict):
                self._mapping(inner, name, deep=False)
            elif isinstance(inner, list | set):
                self._collection(inner, name, deep=False)


def _untouched() -> tuple[type, ...]:
    """What belongs to the store and the program: looked at by nobody's strategy to remember."""
    from db.access.door import Door

    return (Door, EventPanel, ModuleType)


def _names(code: CodeType) -> list[str]:
    """Global names (and attributes) that code mentions, that of its inner functions included."""
    found = dict.fromkeys(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= dict.fromkeys(_names(constant))
    return list(found)


def _special(name: str) -> bool:
    return (name.startswith("__") and name.endswith("__")) or name.startswith("_abc")


def _same_items(a: Any, b: Any) -> bool:
    """Whether two mappings hold the very same objects under the same keys."""
    return len(a) == len(b) and all(key in b and b[key] is value for key, value in a.items())
