"""Sends requests over gRPC at a steady rate and prints each second what came back, as load.py does over HTTP.

Runs beside the tests, whose client it needs.

A connection for each request, as there: a connection that is kept would see one pod.
"""

import asyncio
import collections
import json
import os
import signal
import time
from typing import Any

import grpc

from argosy.serving import grpc_messages

TIMEOUT_SECONDS = 20.0


async def ask(address: str, model: str, instances: list[dict[str, Any]], key: str) -> str:
    """The outcome of one request: ``200 <digest>``, or the status in gRPC's words."""
    inputs = []
    for name in instances[0]:
        values = [row[name] for row in instances]
        text = any(isinstance(value, str) for value in values)
        # What is null cannot be said with typed contents, but by NaN.
        contents = (
            {"bytes_contents": [value.encode() for value in values]}
            if text
            else {"fp64_contents": [float("nan") if value is None else float(value) for value in values]}
        )
        inputs.append(
            {"name": name, "datatype": "BYTES" if text else "FP64", "shape": [len(values)], "contents": contents}
        )
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        call = channel.unary_unary(
            f"/{grpc_messages.SERVICE}/ModelInfer",
            request_serializer=grpc_messages.CLASSES["ModelInferRequest"].SerializeToString,
            response_deserializer=grpc_messages.CLASSES["ModelInferResponse"].FromString,
        )(
            grpc_messages.CLASSES["ModelInferRequest"](model_name=model, inputs=inputs),
            timeout=TIMEOUT_SECONDS,
            metadata=[("authorization", f"Bearer {key}")] if key else [],
        )
        try:
            await call
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name} {error.details()}"[:120]
        trailer = dict(await call.trailing_metadata())
        return f"200 {trailer['argosy-model-digest']}"


async def main() -> None:
    """Read what to send from the environment; stop on SIGTERM."""
    with open(os.environ["BODIES"], "rb") as stream:  # noqa: PTH123 - before anything else runs
        bodies = json.load(stream)
    address, _, model = os.environ["URL"].partition("/")
    seen: collections.Counter[str] = collections.Counter()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def one(number: int) -> None:
        seen[await ask(address, model, bodies[number % len(bodies)]["instances"], os.environ.get("KEY", ""))] += 1

    began, sent, second, tasks = time.monotonic(), 0, 0, set()
    while not stop.is_set():
        task = asyncio.create_task(one(sent))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        sent += 1
        if time.monotonic() - began >= second + 1:
            second += 1
            print(json.dumps({"at": time.time(), "seen": dict(seen), "p95": None}), flush=True)
            seen.clear()
        await asyncio.sleep(max(0.0, began + sent / float(os.environ["RATE"]) - time.monotonic()))


if __name__ == "__main__":
    asyncio.run(main())
