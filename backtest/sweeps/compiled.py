"""Functions compiled to take addresses of arrays: half the code of Numba's own arrays.

Numba looks at every index of an array for being negative and unpacks each array into seven
values; a sweep's first call spends most of its time on compiling that.  Behind a plain address
there is neither.  What Numba would have looked at, `Compiled.bind` looks at instead: once for
many calls.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

import numba as nb
import numpy as np
import numpy.typing as npt

_ARRAYS: dict[str, tuple[Any, npt.DTypeLike]] = {
    "IntArray": (nb.int64, np.int64),
    "FloatArray": (nb.float64, np.float64),
    "ByteArray": (nb.int8, np.int8),
    "BoolArray": (nb.int8, np.bool_),
}


class Compiled:
    """A function of flat arrays and integers, compiled for this machine at its first use.

    Its annotations are its signature: the array types of `backtest.paths`, each of one axis, and
    ``int``, those last.  It returns an integer or nothing, raises nothing, runs beside other
    threads, and is cached beside its file.
    """

    def __init__(self, function: Callable[..., int | None]) -> None:
        self.function = function
        """The same in plain Python, for tests."""
        self.__doc__ = function.__doc__
        kinds = {name: str(kind) for name, kind in function.__annotations__.items()}
        self._returns = kinds.pop("return") != "None"
        self._kinds = kinds
        self._owner: Any = None
        """What the machine code lives as long as."""

    @cached_property
    def native(self) -> Callable[..., Any]:
        """The compiled function, of addresses and integers."""
        pointer: Any = nb.types.CPointer
        types = [
            pointer(_ARRAYS[kind][0]) if kind in _ARRAYS else nb.int64
            for kind in self._kinds.values()
        ]
        result = nb.int64 if self._returns else nb.void
        made: Any = nb.cfunc(result(*types), cache=True, error_model="numpy")(self.function)
        places = [
            ctypes.c_void_p if kind in _ARRAYS else ctypes.c_int64 for kind in self._kinds.values()
        ]
        # A function of this type lets other threads run while it does.
        prototype = ctypes.CFUNCTYPE(ctypes.c_int64 if self._returns else None, *places)
        native: Any = prototype(made.address)
        self._owner = made
        return cast(Callable[..., Any], native)

    def bind(self, *arguments: Any) -> Callable[..., Any]:
        """The function with its first arguments fixed; the rest, integers, are given to each call.

        Raises TypeError for an array of another type or layout than the function is compiled for.
        """
        given = [
            _address(name, kind, value) if kind in _ARRAYS else int(value)
            for (name, kind), value in zip(self._kinds.items(), arguments, strict=False)
        ]
        native = self.native

        def call(*rest: int, _kept_alive: tuple[Any, ...] = arguments) -> Any:
            return native(*given, *rest)

        return call


def _address(name: str, kind: str, array: Any) -> int:
    fits = isinstance(array, np.ndarray) and array.dtype == _ARRAYS[kind][1] and array.ndim == 1
    if not fits or not array.flags.c_contiguous:
        raise TypeError(f"{name} must be a contiguous {kind} of one axis")
    # Five times as quick as `array.ctypes.data`.
    address: int = array.__array_interface__["data"][0]
    return address
