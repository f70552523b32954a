"""Everything that KServe's own gRPC client does, done to the server at the address given; what came of it is printed as JSON, with the
messages of its package as it describes them.

Runs in an environment of its own, where Argosy is not installed. Not with Triton's client in one process: each brings messages of the same
names, and Protocol Buffers take one of them.
"""

import asyncio
import functools
import json
import sys
from collections.abc import Awaitable
from typing import Any

import grpc
import numpy as np
import tensors
from kserve import InferenceGRPCClient
from kserve.protocol.infer_type import InferInput, InferRequest

inputs_of = functools.partial(tensors.inputs, InferInput)
"""Equal rows, as this client sends them."""


def listed(array: Any) -> list[Any]:
    """*array* as JSON can hold it."""
    return [value.decode() if isinstance(value, bytes) else value for value in np.asarray(array).ravel().tolist()]


async def told(call: Awaitable[Any]) -> Any:
    """What *call* gives, or how it fails."""
    try:
        found = await call
    except grpc.aio.AioRpcError as error:
        return {"status": error.code().name, "error": error.details()}
    if not hasattr(found, "outputs"):
        return found
    outputs = {output.name: listed(output.as_numpy()) for output in found.outputs}
    return {"id": found.id, "model": found.model_name, "outputs": outputs}


async def session(address: str) -> dict[str, Any]:
    """All of it."""
    said: dict[str, Any] = {}
    async with InferenceGRPCClient(address) as client:
        said["live"] = await told(client.is_server_live())
        said["ready"] = await told(client.is_server_ready())
        said["model ready"] = await told(client.is_model_ready(tensors.MODEL))
        said["other model ready"] = await told(client.is_model_ready("other"))
        for form in ("typed", "raw"):
            given = functools.partial(inputs_of, binary=form == "raw")
            said[form] = await told(client.infer(InferRequest(tensors.MODEL, given(3), request_id="mine")))
            said[f"{form} wide"] = await told(client.infer(InferRequest(tensors.MODEL, given(3, wide=True))))
            for datatype, kind in tensors.NUMBERS.items():
                if form == "raw" or datatype != "FP16":
                    request = InferRequest(tensors.MODEL, given(1, tenure=(datatype, kind)))
                    said[f"{form} {datatype}"] = await told(client.infer(request))
            said[f"{form} explained"] = await told(
                client.infer(InferRequest(tensors.MODEL, given(1), parameters={"explain": True}))
            )
        said["missing"] = await told(client.infer(InferRequest(tensors.MODEL, inputs_of(1, binary=True)[1:])))
    return said


def described() -> dict[str, Any]:
    """The fields of each message, as KServe's generated classes have them: name, number, type, whether repeated."""
    from kserve.protocol.grpc import grpc_predict_v2_pb2

    found: dict[str, Any] = {}

    def add(message: Any) -> None:
        found[message.full_name] = [
            [
                field.name,
                field.number,
                field.type,
                field.is_repeated,
                field.message_type and field.message_type.full_name,
            ]
            for field in message.fields
        ]
        for inner in message.nested_types:
            add(inner)

    for message in grpc_predict_v2_pb2.DESCRIPTOR.message_types_by_name.values():
        add(message)
    return found


print(json.dumps(asyncio.run(session(sys.argv[1])) | {"described": described()}))
