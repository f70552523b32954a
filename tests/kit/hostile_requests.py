"""Requests that are right in parts or not at all, over HTTP and gRPC, drawn by chance: what a server's tests and its bench ask alike."""

import json
import random
import struct
from collections.abc import Callable
from typing import Any

from argosy.serving import grpc_messages
from kit.serving_kit import ROW, rows

V1, V2 = "/v1/models/leaving:predict", "/v2/models/leaving/infer"
WORDS: list[Any] = [
    None, True, False, 0, -1, 3, 1e300, 10**40, 0.5, "", "month", "3", "\u0000", "\ud83d\ude00", "x" * 2_000, [], {}, [[]], {"a": {"a": 1}}
]  # fmt: skip
DATATYPES = ["FP64", "FP32", "FP16", "INT8", "INT64", "UINT8", "BOOL", "BYTES", "FP99", 7]


def any_body(chance: random.Random) -> tuple[str, bytes, dict[str, str]]:
    """A request: address, body and headers, right in parts or not at all."""
    kind = chance.randrange(6)
    if kind == 0:
        return V1, json.dumps({"instances": rows(chance.randint(1, 30), chance.randrange(99))}).encode(), {}
    if kind == 1:
        return V1, json.dumps({"instances": [_row(chance) for _ in range(chance.randint(0, 5))]}).encode(), {}
    if kind == 2:
        return V2, json.dumps(_tensors(chance)).encode(), {}
    if kind == 3:
        return V2, *_binary(chance)
    if kind == 4:
        text = bytearray(json.dumps({"instances": [ROW, _row(chance)]}).encode())
        for _ in range(chance.randint(1, 4)):
            text[chance.randrange(len(text))] = chance.randrange(256)
        return chance.choice([V1, V2]), bytes(text), {}
    return (
        chance.choice([V1, V2, "/", "/v2/models/leaving/versions/1/infer"]),
        chance.randbytes(chance.randrange(300)),
        {},
    )


def _row(chance: random.Random) -> Any:
    row: dict[str, Any] = dict(ROW)
    for _ in range(chance.randint(0, 2)):
        row[chance.choice([*ROW, "customer_id", "other"])] = chance.choice(WORDS)
    return chance.choice([row, row, list(row.values()), chance.choice(WORDS)])


def _tensors(chance: random.Random) -> dict[str, Any]:
    count = chance.randint(0, 4)
    inputs = [
        {
            "name": chance.choice([name, name, name, chance.choice(WORDS)]),
            "shape": chance.choice(
                [[count], [count, 1], [count], [count, 4], [-1], [2**62, 2**62], chance.choice(WORDS)]
            ),
            "datatype": chance.choice(["BYTES" if name == "contract" else "FP64", chance.choice(DATATYPES)]),
            "data": chance.choice([[value] * count, [[value]] * count, [chance.choice(WORDS)] * count]),
            **chance.choice([{}, {}, {"parameters": {"binary_data_size": chance.choice(WORDS)}}, {"other": 1}]),
        }
        for name, value in ROW.items()
    ]
    return {
        "inputs": inputs,
        **chance.choice([{}, {"id": "a"}, {"outputs": [chance.choice(WORDS)]}, {"parameters": []}]),
    }


def _binary(chance: random.Random) -> tuple[bytes, dict[str, str]]:
    inputs, data = [], []
    for name, value in ROW.items():
        text = struct.pack("<I", 5) + b"month" if name == "contract" else struct.pack("<d", value)
        if chance.random() < 0.1:
            text = chance.choice([text[:-1], text + b"x", b"", b"\xff" * len(text)])
        data.append(text)
        size = chance.choice([len(text)] * 20 + [2**70, -1, "8", None])
        datatype = "BYTES" if name == "contract" else "FP64"
        inputs.append({"name": name, "shape": [1], "datatype": datatype, "parameters": {"binary_data_size": size}})
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": chance.random() < 0.5}}).encode()
    length = chance.choice([len(head)] * 8 + [0, len(head) - 1, 10**9, -1])
    return head + b"".join(data), {"Inference-Header-Content-Length": str(length)}


def worse_body(chance: random.Random) -> tuple[str, bytes, dict[str, str]]:
    """A request that is made to cost much, or to be read in two ways."""
    path = chance.choice([V1, V2, "/predict", "/explain", "/v1/models/leaving:explain"])
    return path, chance.choice(WORSE)(chance), {}


def _nested(chance: random.Random) -> bytes:
    depth = chance.choice([20, 200, 2_000, 20_000])
    opened, closed = chance.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'{"instances":[', b"]}")])
    return opened * depth + b"1" + closed * chance.choice([depth, 0, depth - 1])


def _numbers(chance: random.Random) -> bytes:
    number = chance.choice(
        ["9" * 5_000, "1e999999", "-1e-999999", "NaN", "Infinity", "-0", "0x1", "01", "1" + "0" * 400, "1.", "+1"]
    )
    return json.dumps({"instances": [{**ROW, "tenure": "@"}]}).replace('"@"', number).encode()


def _twice(chance: random.Random) -> bytes:
    name = chance.choice([*ROW, "instances"])
    text = json.dumps({"instances": [ROW]})
    return text.replace(f'"{name}":', f'"{name}": 1, "{name}":').encode()


def _texts(chance: random.Random) -> bytes:
    text = chance.choice(["\\ud800", "\\u0000", "\\", "\x00", "\x7f", "month" * 5_000, "\u202e", "\\/"])
    return json.dumps({"instances": [{**ROW, "contract": "@"}]}).replace("@", text).encode("utf-8", "surrogatepass")


def _wide(chance: random.Random) -> bytes:
    count = chance.choice([100, 1_000, 10_000])
    return json.dumps({"instances": [{f"x{place}": None for place in range(count)}]}).encode()


def _marked(chance: random.Random) -> bytes:
    """Right, but for a mark of another encoding in front, or something behind."""
    text = json.dumps({"instances": [ROW]})
    return chance.choice(
        [
            b"\xef\xbb\xbf" + text.encode(),
            text.encode("utf-16"),
            text.encode() + b"\x00",
            text.encode() * 2,
            b" " * 3_000,
        ]
    )


WORSE: list[Callable[[random.Random], bytes]] = [_nested, _numbers, _twice, _texts, _wide, _marked]


def any_message(chance: random.Random) -> bytes:
    """A message of the method ModelInfer, or what shall pass for one."""
    if chance.random() < 0.2:
        rubbish = [chance.randbytes(chance.randrange(300)), b"\x2a\x00" * chance.randrange(20_000), b"\x0b" * 5_000]
        return chance.choice(rubbish)
    message = grpc_messages.CLASSES["ModelInferRequest"](model_name=chance.choice(["leaving"] * 9 + ["", "x" * 5_000]))
    for name, value in ROW.items():
        _add(message, name, value, chance)
    if chance.random() < 0.2:
        sizes = [chance.choice([0, 7, 8, 9, 64]) for _ in range(chance.choice([1, 3, 4, 5]))]
        message.raw_input_contents.extend(map(chance.randbytes, sizes))
    sent = bytearray(message.SerializeToString())
    for _ in range(chance.choice([0, 0, 0, 0, 1, 4])):
        sent[chance.randrange(len(sent))] = chance.randrange(256)
    return bytes(sent)


def _add(message: Any, name: str, value: Any, chance: random.Random) -> None:
    """A tensor of *name*, one of three with something wrong."""
    text = isinstance(value, str)
    tensor = message.inputs.add(name=name, datatype="BYTES" if text else "FP64", shape=[1])
    wrong = chance.randrange(15)
    if wrong == 0:
        tensor.shape[:] = chance.choice([[], [-1], [0], [2**62, 2**62], [1, 1], [1] * 50, [10**6]])
    elif wrong == 1:
        tensor.datatype = str(chance.choice(DATATYPES))
    elif wrong == 2:
        parameter = chance.choice(["", "binary_data_size", "shared_memory_region"])
        tensor.parameters[parameter].int64_param = -1
    elif wrong == 3:
        tensor.contents.bytes_contents.extend(chance.choice([[b"\xff\xfe"], [b""], [b"x" * 9_000], [b"", b""]]))
        return
    elif wrong == 4:
        tensor.contents.fp64_contents.extend(chance.choice([[], [1e300], [1.0] * 900]))
        return
    if text:
        tensor.contents.bytes_contents.append(value.encode())
    else:
        tensor.contents.fp64_contents.append(value)
