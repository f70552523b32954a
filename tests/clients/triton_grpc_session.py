"""Everything that Triton's gRPC client does and the open protocol has, done to the server at the address given; printed as JSON.

Runs in an environment of its own, where Argosy is not installed.
"""

import functools
import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tensors
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException


def listed(array: Any) -> list[Any]:
    """*array* as JSON can hold it."""
    return [value.decode() if isinstance(value, bytes) else value for value in np.asarray(array).ravel().tolist()]


def told(call: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """What *call* gives, or how it fails."""
    try:
        found = call(*arguments, **more)
    except InferenceServerException as error:
        return {"status": str(error.status()).removeprefix("StatusCode."), "error": error.message()}
    if not isinstance(found, triton.InferResult):
        return found
    response = found.get_response()
    outputs = {output.name: listed(found.as_numpy(output.name)) for output in response.outputs}
    return {"id": response.id, "model": response.model_name, "outputs": outputs}


def session(address: str, version: str) -> dict[str, Any]:
    """All of it."""
    client = triton.InferenceServerClient(address)
    given = functools.partial(tensors.inputs, triton.InferInput)
    said = {
        "live": told(client.is_server_live),
        "ready": told(client.is_server_ready),
        "model ready": told(client.is_model_ready, tensors.MODEL, version),
        "server metadata": told(client.get_server_metadata, as_json=True),
        "model metadata": told(client.get_model_metadata, tensors.MODEL, version, as_json=True),
        "other model metadata": told(client.get_model_metadata, "other"),
        "config": told(client.get_model_config, tensors.MODEL),
        "raw": told(client.infer, tensors.MODEL, given(3), request_id="mine"),
        "raw wide": told(client.infer, tensors.MODEL, given(3, wide=True)),
        "version": told(client.infer, tensors.MODEL, given(1), version),
        "other version": told(client.infer, tensors.MODEL, given(1), "5"),
        "missing": told(client.infer, tensors.MODEL, given(1)[1:]),
    }
    for datatype, kind in tensors.NUMBERS.items():
        said[f"raw {datatype}"] = told(client.infer, tensors.MODEL, given(1, tenure=(datatype, kind)))
    outputs = [triton.InferRequestedOutput("decision"), triton.InferRequestedOutput("reasons")]
    said["outputs"] = told(client.infer, tensors.MODEL, given(1), outputs=outputs)
    hints = {"priority": 1, "timeout": 10**6, "sequence_id": 7, "parameters": {"trace": "on", "depth": 3}}
    said["hints"] = told(client.infer, tensors.MODEL, given(1), **hints)
    said["compressed"] = told(client.infer, tensors.MODEL, given(1), compression_algorithm="gzip")
    client.close()
    return said


print(json.dumps(session(*sys.argv[1:])))
