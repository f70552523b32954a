"""Everything that Triton's HTTP client does and the open protocol has, done to the server at the address given; printed as JSON.

Runs in an environment of its own, where Argosy is not installed.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

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


def inputs(rows: int, *, binary: bool, tenure: tuple[str, Any] = ("FP64", np.float64), wide: bool = False) -> list[Any]:
    """*rows* equal rows, a tensor a column."""
    made = []
    for name, value in ROW.items():
        datatype, kind = ("BYTES", np.object_) if name == "contract" else ("FP64", np.float64)
        if name == "tenure":
            datatype, kind = tenure
        array = np.array([value] * rows, dtype=kind).reshape([rows, 1] if wide else [rows])
        tensor = triton.InferInput(name, list(array.shape), datatype)
        tensor.set_data_from_numpy(array, binary_data=binary)
        made.append(tensor)
    return made


def plain(found: Any) -> Any:
    """*found* as JSON can hold it."""
    if not isinstance(found, triton.InferResult):
        return found
    response = found.get_response()
    outputs = {output["name"]: found.as_numpy(output["name"]).ravel().tolist() for output in response["outputs"]}
    as_text = {
        name: [value.decode() if isinstance(value, bytes) else value for value in values]
        for name, values in outputs.items()
    }
    return {"id": response.get("id"), "model": response["model_name"], "outputs": as_text}


def told(call: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """What *call* gives, or how it fails."""
    try:
        return plain(call(*arguments, **more))
    except InferenceServerException as error:
        return {"status": int(error.status() or 0), "error": error.message()}


def session(address: str, version: str) -> dict[str, Any]:
    """All of it."""
    client = triton.InferenceServerClient(address, concurrency=2)
    said = {
        "live": told(client.is_server_live),
        "ready": told(client.is_server_ready),
        "model ready": told(client.is_model_ready, MODEL),
        "version ready": told(client.is_model_ready, MODEL, version),
        "other version ready": told(client.is_model_ready, MODEL, "5"),
        "server metadata": told(client.get_server_metadata),
        "model metadata": told(client.get_model_metadata, MODEL),
        "version metadata": told(client.get_model_metadata, MODEL, version),
        "other version metadata": told(client.get_model_metadata, MODEL, "5"),
        "other model metadata": told(client.get_model_metadata, "other"),
        "config": told(client.get_model_config, MODEL),
        "repository": told(client.get_model_repository_index),
    }
    for form in ("json", "binary"):
        binary = form == "binary"
        said[form] = told(client.infer, MODEL, inputs(3, binary=binary), request_id="mine")
        said[f"{form} wide"] = told(client.infer, MODEL, inputs(3, binary=binary, wide=True))
        said[f"{form} version"] = told(client.infer, MODEL, inputs(1, binary=binary), version)
        said[f"{form} other version"] = told(client.infer, MODEL, inputs(1, binary=binary), "5")
        for datatype, kind in NUMBERS.items():
            if binary or datatype != "FP16":
                given = inputs(1, binary=binary, tenure=(datatype, kind))
                said[f"{form} {datatype}"] = told(client.infer, MODEL, given)
        outputs = [triton.InferRequestedOutput("decision", binary_data=binary)]
        said[f"{form} output"] = told(client.infer, MODEL, inputs(1, binary=True), outputs=outputs)
        both = [*outputs, triton.InferRequestedOutput("prediction", binary_data=not binary)]
        said[f"{form} outputs"] = told(client.infer, MODEL, inputs(2, binary=True), outputs=both)
    hints = {"priority": 1, "timeout": 10**6, "sequence_id": 7, "parameters": {"trace": "on", "depth": 3}}
    said["hints"] = told(client.infer, MODEL, inputs(1, binary=True), **hints)
    said["asynchronous"] = told(client.async_infer(MODEL, inputs(3, binary=True)).get_result)
    said["classification"] = told(
        client.infer, MODEL, inputs(1, binary=True), outputs=[triton.InferRequestedOutput("decision", class_count=2)]
    )
    said["compressed"] = told(client.infer, MODEL, inputs(1, binary=True), request_compression_algorithm="gzip")
    said["compressed answer"] = told(client.infer, MODEL, inputs(1, binary=True), response_compression_algorithm="gzip")
    said["missing"] = told(client.infer, MODEL, inputs(1, binary=True)[1:])
    client.close()
    return said


print(json.dumps(session(sys.argv[1].removeprefix("http://"), sys.argv[2])))
