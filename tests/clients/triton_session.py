"""Everything that Triton's HTTP client does and the open protocol has, done to the server at the address given; printed as JSON.

Runs in an environment of its own, where Argosy is not installed.
"""

import functools
import json
import sys
from collections.abc import Callable
from typing import Any

import tensors
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

inputs = functools.partial(tensors.inputs, triton.InferInput)
"""Equal rows, as this client sends them."""


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
        "model ready": told(client.is_model_ready, tensors.MODEL),
        "version ready": told(client.is_model_ready, tensors.MODEL, version),
        "other version ready": told(client.is_model_ready, tensors.MODEL, "5"),
        "server metadata": told(client.get_server_metadata),
        "model metadata": told(client.get_model_metadata, tensors.MODEL),
        "version metadata": told(client.get_model_metadata, tensors.MODEL, version),
        "other version metadata": told(client.get_model_metadata, tensors.MODEL, "5"),
        "other model metadata": told(client.get_model_metadata, "other"),
        "config": told(client.get_model_config, tensors.MODEL),
        "repository": told(client.get_model_repository_index),
    }
    for form in ("json", "binary"):
        binary = form == "binary"
        said[form] = told(client.infer, tensors.MODEL, inputs(3, binary=binary), request_id="mine")
        said[f"{form} wide"] = told(client.infer, tensors.MODEL, inputs(3, binary=binary, wide=True))
        said[f"{form} version"] = told(client.infer, tensors.MODEL, inputs(1, binary=binary), version)
        said[f"{form} other version"] = told(client.infer, tensors.MODEL, inputs(1, binary=binary), "5")
        for datatype, kind in tensors.NUMBERS.items():
            if binary or datatype != "FP16":
                given = inputs(1, binary=binary, tenure=(datatype, kind))
                said[f"{form} {datatype}"] = told(client.infer, tensors.MODEL, given)
        outputs = [triton.InferRequestedOutput("decision", binary_data=binary)]
        said[f"{form} output"] = told(client.infer, tensors.MODEL, inputs(1, binary=True), outputs=outputs)
        both = [*outputs, triton.InferRequestedOutput("prediction", binary_data=not binary)]
        said[f"{form} outputs"] = told(client.infer, tensors.MODEL, inputs(2, binary=True), outputs=both)
    hints = {"priority": 1, "timeout": 10**6, "sequence_id": 7, "parameters": {"trace": "on", "depth": 3}}
    said["hints"] = told(client.infer, tensors.MODEL, inputs(1, binary=True), **hints)
    said["asynchronous"] = told(client.async_infer(tensors.MODEL, inputs(3, binary=True)).get_result)
    said["classification"] = told(
        client.infer,
        tensors.MODEL,
        inputs(1, binary=True),
        outputs=[triton.InferRequestedOutput("decision", class_count=2)],
    )
    said["compressed"] = told(client.infer, tensors.MODEL, inputs(1, binary=True), request_compression_algorithm="gzip")
    said["compressed answer"] = told(
        client.infer, tensors.MODEL, inputs(1, binary=True), response_compression_algorithm="gzip"
    )
    said["missing"] = told(client.infer, tensors.MODEL, inputs(1, binary=True)[1:])
    client.close()
    return said


print(json.dumps(session(sys.argv[1].removeprefix("http://"), sys.argv[2])))
