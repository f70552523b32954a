"""What is asked of the server, whoever the client: rows as tensors of the published protocol, of every datatype."""

from collections.abc import Callable
from typing import Any

import numpy as np

MODEL = "leaving"
ROW = {"tenure": 3.0, "charges": 70.5, "contract": "month", "birth_year": 1980.0}
NUMBERS = {
    "BOOL": np.bool_,
    **{
        f"{sign}INT{bits}": np.dtype(f"{kind}{bits // 8}")
        for sign, kind in (("", "i"), ("U", "u"))
        for bits in (8, 16, 32, 64)
    },
    **{f"FP{bits}": np.dtype(f"f{bits // 8}") for bits in (16, 32, 64)},
}


def inputs(
    tensor_of: Callable[[str, list[int], str], Any],
    rows: int,
    *,
    binary: bool | None = None,
    tenure: tuple[str, Any] = ("FP64", np.float64),
    wide: bool = False,
) -> list[Any]:
    """*rows* equal rows, a tensor a column; *tensor_of* makes one of its name, shape and datatype.

    *binary*: None for a client that leaves no choice.
    """
    form = {} if binary is None else {"binary_data": binary}
    made = []
    for name, value in ROW.items():
        datatype, kind = ("BYTES", np.object_) if name == "contract" else ("FP64", np.float64)
        if name == "tenure":
            datatype, kind = tenure
        array = np.array([value] * rows, dtype=kind).reshape([rows, 1] if wide else [rows])
        tensor = tensor_of(name, list(array.shape), datatype)
        tensor.set_data_from_numpy(array, **form)
        made.append(tensor)
    return made
