"""Strategies by name: the folder ``./strategies`` first, then the built-in ones, then plug-ins.

A name is the snake-case name of the class.  The same name for two different classes is an error,
never a silent choice; a local file that is a byte-for-byte copy of a built-in one is the same.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import re
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import CodeType, FunctionType

from backtest.strategy import Strategy
from db.errors import UsageError, did_you_mean

ENTRY_POINTS = "aftershock.strategies"
BUILT_IN = Path(__file__).resolve().parent.parent / "strategies"


@dataclass(frozen=True)
class Found:
    """A strategy class and where it came from."""

    name: str
    cls: type[Strategy]
    origin: str
    source_hash: str

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return str(inspect.getdoc(self.cls)).partition("\n")[0]


def snake_case(name: str) -> str:
    """``AfterHoursReversal`` -> ``after_hours_reversal``."""
    return re.sub(r"(?<!^)(?=[A-Z][a-z])|(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def list_strategies(folder: Path | None = None) -> list[Found]:
    """Every strategy that can be named, sorted.

    ``folder`` is the local one (default ``./strategies``).  Raises UsageError for a clash.
    """
    local = Path("strategies") if folder is None else folder
    found: dict[str, Found] = {}
    for candidate in (*_in_folder(local), *_in_folder(BUILT_IN), *_plug_ins()):
        known = found.setdefault(candidate.name, candidate)
        if known.source_hash != candidate.source_hash:
            raise UsageError(
                f"two strategies are called {candidate.name!r}",
                where=f"{known.origin} and {candidate.origin}",
                hint="rename one of the classes, or run it by path: FILE.py:Class",
            )
    return [found[name] for name in sorted(found)]


def find_strategy(name: str | Strategy | type[Strategy], folder: Path | None = None) -> Strategy:
    """A strategy by name, by ``path.py:Class``, by class, or the object itself.

    Raises UsageError naming the nearest known one.
    """
    if isinstance(name, Strategy):
        return name
    if isinstance(name, type):
        return _instance(name, name.__name__)
    if ":" in name or name.endswith(".py"):
        return _by_path(name)
    known = {found.name: found for found in list_strategies(folder)}
    wanted = snake_case(name.replace("-", "_"))
    if wanted not in known:
        hint = did_you_mean(wanted, known, kind="strategy")
        raise UsageError(f"unknown strategy {name!r}", hint=hint.replace("strategys", "strategies"))
    return _instance(known[wanted].cls, known[wanted].origin)


def spoken_name(cls: type[Strategy]) -> str:
    """What names a strategy on the command line: its name, or where that finds none FILE.py:Class.

    A class written in a notebook has its name alone.
    """
    try:
        file = Path(inspect.getsourcefile(cls) or "")
    except (OSError, TypeError):
        return snake_case(cls.__name__)
    homes = (BUILT_IN, Path("strategies").resolve())
    if not file.is_file() or file.resolve().parent in homes:
        return snake_case(cls.__name__)
    return f"{file}:{cls.__name__}"


def source_hash(cls: type[Strategy]) -> str:
    """SHA-256 of the file a strategy is written in; of its own text where there is no file."""
    try:
        file = inspect.getsourcefile(cls)
        if file and Path(file).is_file():
            return hashlib.sha256(Path(file).read_bytes()).hexdigest()
        return hashlib.sha256(inspect.getsource(cls).encode()).hexdigest()
    except (OSError, TypeError):
        # Written in a notebook or at a prompt whose text is gone: the code objects remain.
        methods = {
            name: _code_text(value.__code__)
            for name, value in sorted(vars(cls).items())
            if isinstance(value, FunctionType) and not name.startswith("__")
        }
        return hashlib.sha256(repr((cls.__qualname__, methods)).encode()).hexdigest()


def _code_text(code: CodeType) -> str:
    """Code as text that is the same in every process: no addresses, no order of a set."""
    constants = [
        _code_text(value)
        if isinstance(value, CodeType)
        else repr(sorted(map(repr, value)) if isinstance(value, frozenset) else value)
        for value in code.co_consts
    ]
    return repr((code.co_name, code.co_code, code.co_names, constants))


def _instance(cls: type, where: str) -> Strategy:
    # A subclass is a dataclass by inheritance; without the decorator its own fields are none.
    decorated = "__dataclass_params__" in vars(cls) or not inspect.get_annotations(cls)
    if not (issubclass(cls, Strategy) and decorated):
        raise UsageError(
            f"{cls.__name__} is not a strategy",
            where=where,
            hint="write @dataclass(frozen=True) above class Name(Strategy)",
        )
    return cls()


def _by_path(text: str) -> Strategy:
    path, _, class_name = text.partition(":")
    file = Path(path)
    if not file.is_file():
        raise UsageError("no such strategy file", where=path, hint="FILE.py:Class")
    classes = {found.cls.__name__: found.cls for found in _in_file(file)}
    if not class_name and len(classes) == 1:
        return _instance(next(iter(classes.values())), path)
    if class_name not in classes:
        raise UsageError(
            f"no strategy class {class_name!r} in the file" if class_name else "which class?",
            where=path,
            hint=did_you_mean(class_name, classes, kind="class"),
        )
    return _instance(classes[class_name], path)


def _in_folder(folder: Path) -> list[Found]:
    if not folder.is_dir():
        return []
    files = sorted(f for f in folder.glob("*.py") if not f.name.startswith("_"))
    return [found for file in files for found in _in_file(file)]


def _in_file(file: Path) -> list[Found]:
    text = file.read_bytes()
    digest = hashlib.sha256(text).hexdigest()
    module_name = f"_strategy_{file.stem}_{digest[:12]}"
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(module_name, file)
        if spec is None or spec.loader is None:
            raise UsageError("the file cannot be read as Python", where=str(file))
        module = importlib.util.module_from_spec(spec)
        # Dataclasses look their module up while they are made.
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[module_name]
            raise UsageError(
                f"the strategy file does not run: {type(error).__name__}: {error}",
                where=str(file),
            ) from error
    module = sys.modules[module_name]
    return [
        Found(snake_case(cls.__name__), cls, str(file), digest)
        for cls in vars(module).values()
        if isinstance(cls, type)
        and issubclass(cls, Strategy)
        and cls.__module__ == module_name
        and not cls.__name__.startswith("_")
    ]


def _plug_ins() -> list[Found]:
    found = []
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            cls = entry.load()
        except Exception as error:
            raise UsageError(
                f"the plug-in {entry.name!r} does not load: {type(error).__name__}: {error}",
                where=entry.value,
                hint="mend or uninstall the package that brings it",
            ) from error
        found.append(
            Found(snake_case(cls.__name__), cls, f"plug-in {entry.value}", source_hash(cls))
        )
    return found
