"""Types of these modules: columns of any Arrow type, masks and numbers of NumPy."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow.compute

BoolArray: TypeAlias = npt.NDArray[np.bool_]
IntArray: TypeAlias = npt.NDArray[np.int64]
FloatArray: TypeAlias = npt.NDArray[np.float64]

Cells: TypeAlias = Any
"""A `pyarrow.Array` of whatever type the file has; the stubs know arrays of one type each."""

pc: Any = pyarrow.compute
"""Arrow's functions, untyped for the same reason."""


def mask(flags: Cells) -> BoolArray:
    """Arrow booleans to NumPy, null as False."""
    filled: BoolArray = flags.fill_null(False).to_numpy(zero_copy_only=False)
    return filled
