"""Reading hostile input within bounds: what looks out of the ordinary is read elsewhere.

An ordinary page is read in a few milliseconds, in this process.  A large or oddly built one (a
hundred thousand attributes cost minutes) is read in a process of its own, which is stopped when
it takes too long or too much memory.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from db import errors
from db.errors import BacktestError, DataError, MissingExtraError

SECONDS = 20
MEMORY = 1 << 30
_ORDINARY = 512 << 10
_ORDINARY_TAGS = 20_000
_ORDINARY_STRETCH = 60_000

_BREAKDOWNS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RecursionError,
    TypeError, ValueError,
)  # fmt: skip
"""How libraries end on input that nobody has thought of."""

Reading = Callable[[bytes, dict[str, str]], Any]


def read(name: str, data: bytes, options: dict[str, str], *, seconds: float = SECONDS) -> Any:
    """What the function ``name`` (``package.module:function``) makes of the data: JSON's types.

    DataError where it takes more than ``seconds`` or 1 GB, or breaks down; its own errors pass.
    """
    if is_ordinary(data):
        try:
            return _named(name)(data, options)
        except _BREAKDOWNS as error:
            raise _too_much(f"fails ({type(error).__name__})", options) from error
    try:
        done = subprocess.run(
            [sys.executable, "-m", "db.text.limited", name, json.dumps(options), str(seconds)],
            input=data,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            timeout=seconds,
            check=False,
        )
        answer = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise _too_much(f"takes longer than {seconds:g} seconds", options) from None
    except ValueError:
        raise _too_much("takes too much time or memory", options) from None
    if "error" in answer:
        raise _error(answer)
    return answer["value"]


def is_ordinary(data: bytes) -> bool:
    """Whether the worst that could be in it is still read in seconds."""
    if len(data) > _ORDINARY or data.count(b"<") > _ORDINARY_TAGS:
        return False
    return max(map(len, data.split(b"<"))) <= _ORDINARY_STRETCH


def _too_much(what: str, options: dict[str, str]) -> DataError:
    return DataError(
        f"reading it {what}, so it was left out",
        where=options.get("where", ""),
        hint="save the article's text alone and import that",
    )


def _named(name: str) -> Reading:
    module, _, function = name.partition(":")
    reading: Reading = getattr(importlib.import_module(module), function)
    return reading


def _error(answer: dict[str, str]) -> BacktestError:
    if answer["error"] == MissingExtraError.__name__:
        missing = DataError(answer["what"], hint=answer["hint"])
        missing.exit_status = MissingExtraError.exit_status
        return missing
    kind = getattr(errors, answer["error"], DataError)
    error: BacktestError = kind(answer["what"], where=answer["where"], hint=answer["hint"])
    return error


def main() -> None:
    """The other process: data on standard input, the answer on standard output."""
    name, said, seconds = sys.argv[1:]
    _bound(float(seconds))
    options: dict[str, str] = json.loads(said)
    try:
        answer = {"value": _named(name)(sys.stdin.buffer.read(), options)}
    except BacktestError as error:
        answer = _told(error)
    except _BREAKDOWNS as error:
        answer = _told(_too_much(f"fails ({type(error).__name__})", options))
    sys.stdout.write(json.dumps(answer))


def _told(error: BacktestError) -> dict[str, str]:
    return {
        "error": type(error).__name__,
        "what": error.what,
        "where": error.where,
        "hint": error.hint,
    }


def _bound(seconds: float) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the time-out holds there as well
        return
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
