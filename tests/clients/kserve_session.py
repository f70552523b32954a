"""Everything that KServe's own REST client does, done to the server at the address given; what came of it is printed as JSON.

Runs in an environment of its own, where Argosy is not installed.
"""

import asyncio
import functools
import json
import sys
from collections.abc import Awaitable
from typing import Any

import httpx
import numpy as np
import tensors
from kserve import InferenceRESTClient, RESTConfig
from kserve.protocol.infer_type import InferInput, InferRequest, RequestedOutput

inputs = functools.partial(tensors.inputs, InferInput)
"""Equal rows, as this client sends them."""


async def told(call: Awaitable[Any]) -> Any:
    """What *call* gives, or how it fails."""
    try:
        found = await call
    except httpx.HTTPStatusError as error:
        return {"status": error.response.status_code, "error": str(error)}
    if not hasattr(found, "outputs"):
        return found
    outputs = {output.name: np.asarray(output.as_numpy()).ravel().tolist() for output in found.outputs}
    return {"id": found.id, "model": found.model_name, "outputs": outputs}


async def session(url: str, version: str) -> dict[str, Any]:
    """All of it."""
    said: dict[str, Any] = {}
    for protocol in ("v1", "v2"):
        async with InferenceRESTClient(RESTConfig(protocol=protocol)) as client:
            said[f"{protocol} live"] = await told(client.is_server_live(url))
            said[f"{protocol} model ready"] = await told(client.is_model_ready(url, tensors.MODEL))
            said[f"{protocol} other model ready"] = await told(client.is_model_ready(url, "other"))
    async with InferenceRESTClient(RESTConfig(protocol="v1")) as client:
        said["v1 infer"] = await told(client.infer(url, {"instances": [tensors.ROW]}, model_name=tensors.MODEL))
        said["v1 explain"] = await told(client.explain(url, tensors.MODEL, {"instances": [tensors.ROW]}))
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        said["v2 ready"] = await told(client.is_server_ready(url))

        def infer(given: list[InferInput], **more: Any) -> Awaitable[Any]:
            request = InferRequest(model_name=tensors.MODEL, infer_inputs=given, request_id="mine", **more)
            return told(client.infer(url, request, model_name=tensors.MODEL))

        for form in ("json", "binary"):
            binary = form == "binary"
            said[f"v2 {form}"] = await infer(inputs(3, binary=binary))
            said[f"v2 {form} wide"] = await infer(inputs(3, binary=binary, wide=True))
            for datatype, kind in tensors.NUMBERS.items():
                if binary or datatype != "FP16":  # the client itself sends FP16 in binary only
                    said[f"v2 {form} {datatype}"] = await infer(inputs(1, binary=binary, tenure=(datatype, kind)))
            outputs = [RequestedOutput("decision", {"binary_data": binary})]
            said[f"v2 {form} output"] = await infer(inputs(1, binary=True), request_outputs=outputs)
            said[f"v2 {form} outputs"] = await infer(inputs(2, binary=True), parameters={"binary_data_output": binary})
        said["v2 missing"] = await infer(inputs(1, binary=True)[1:])
        said["v2 other output"] = await infer(inputs(1, binary=True), request_outputs=[RequestedOutput("x")])
        # The client has no argument for a version; this is what it makes of one in the name.
        said["v2 version"] = await told(
            client.infer(
                url,
                InferRequest(tensors.MODEL, inputs(1, binary=True)),
                model_name=f"{tensors.MODEL}/versions/{version}",
            )
        )
    return said


print(json.dumps(asyncio.run(session(sys.argv[1], sys.argv[2]))))
