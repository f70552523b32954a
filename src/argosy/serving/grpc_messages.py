"""The messages of the Open Inference Protocol over gRPC, described field by field, and the classes that Protocol Buffers makes of them.

The package ``kserve`` brings generated classes. It cannot be installed beside Feast (they pin psutil apart) nor beside Protocol Buffers 7,
and importing one class of it loads 1,450 modules, pandas and the Kubernetes client among them: 2 s and 118 MiB in each pod. The tests hold
what is here to its classes and to the published description. The descriptions lie in a pool of their own, so that whoever imports those
classes into one process with these gets no quarrel over names.
"""

from collections.abc import Iterator
from itertools import islice

from google.protobuf.message import DecodeError

from argosy.serving.message_files import MessageFile

PACKAGE = "inference"
SERVICE = f"{PACKAGE}.GRPCInferenceService"
METHODS = ("ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer")

_PARAMETERS = "{InferParameter}"
_TENSOR = "name string 1, datatype string 2, shape int64* 3"
_CONTENTS = f"{_TENSOR}, parameters {_PARAMETERS} 4, contents InferTensorContents 5"
_FIELDS = {
    "ServerLiveRequest": "",
    "ServerLiveResponse": "live bool 1",
    "ServerReadyRequest": "",
    "ServerReadyResponse": "ready bool 1",
    "ModelReadyRequest": "name string 1, version string 2",
    "ModelReadyResponse": "ready bool 1",
    "ServerMetadataRequest": "",
    "ServerMetadataResponse": "name string 1, version string 2, extensions string* 3",
    "ModelMetadataRequest": "name string 1, version string 2",
    "ModelMetadataResponse": "name string 1, versions string* 2, platform string 3, inputs ModelMetadataResponse.TensorMetadata* 4, "
    "outputs ModelMetadataResponse.TensorMetadata* 5, properties {string} 6",
    "ModelMetadataResponse.TensorMetadata": _TENSOR,
    "ModelInferRequest": f"model_name string 1, model_version string 2, id string 3, parameters {_PARAMETERS} 4, "
    "inputs ModelInferRequest.InferInputTensor* 5, outputs ModelInferRequest.InferRequestedOutputTensor* 6, raw_input_contents bytes* 7",
    "ModelInferRequest.InferInputTensor": _CONTENTS,
    "ModelInferRequest.InferRequestedOutputTensor": f"name string 1, parameters {_PARAMETERS} 2",
    "ModelInferResponse": f"model_name string 1, model_version string 2, id string 3, parameters {_PARAMETERS} 4, "
    "outputs ModelInferResponse.InferOutputTensor* 5, raw_output_contents bytes* 6",
    "ModelInferResponse.InferOutputTensor": _CONTENTS,
    "InferParameter": "bool_param bool 1, int64_param int64 2, string_param string 3, double_param double 4, uint64_param uint64 5",
    "InferTensorContents": "bool_contents bool* 1, int_contents int32* 2, int64_contents int64* 3, uint_contents uint32* 4, "
    "uint64_contents uint64* 5, fp32_contents float* 6, fp64_contents double* 7, bytes_contents bytes* 8",
}
"""As :class:`~argosy.serving.message_files.MessageFile` takes it."""
FILE = MessageFile(
    "open_inference_grpc.proto",
    PACKAGE,
    _FIELDS,
    {"InferParameter": "parameter_choice"},
    SERVICE.removeprefix(f"{PACKAGE}."),
    METHODS,
)
CLASSES = FILE.classes()
"""The class of each message, by its name."""


def fields(body: bytes, most: int) -> int:
    """The number of fields at the top of the message *body*, none of which is parsed; counting ends beyond *most*.

    Raises DecodeError where it is no message.
    """
    return sum(1 for _ in islice(_walked(body), most + 1))


def first_text(body: bytes, number: int) -> str:
    """The text of field *number*, the first there is of it at the top of the message *body*; empty where there is none.

    Raises DecodeError where it is no message, or no text.
    """
    wanted = number << 3 | 2
    return next((_utf8(body[begin:end]) for tag, begin, end in _walked(body) if tag == wanted), "")


def alone(body: bytes, number: int) -> int | None:
    """Where the content of field *number* begins, if the message *body* is that one field of bytes or packed numbers; None where it is not.

    Raises DecodeError where it is no message.
    """
    if not body or body[0] != number << 3 | 2:
        return None
    size, begin = _varint(body, 1)
    return begin if begin + size == len(body) else None


def _walked(body: bytes) -> Iterator[tuple[int, int, int]]:
    """Of each field at the top of the message *body*: its tag, and where its content begins and ends. Raises DecodeError."""
    position = 0
    while position < len(body):
        tag, position = _varint(body, position)
        kind = tag & 7
        if kind not in _SIZES:
            raise DecodeError("a group, or no message")
        size = _SIZES[kind]
        if size is None:
            size, position = _varint(body, position)
        begin, position = position, position + size if kind else _varint(body, position)[1]
        yield tag, begin, position


def _utf8(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise DecodeError("a text that is not UTF-8") from None


_SIZES: dict[int, int | None] = {0: 0, 1: 8, 2: None, 5: 4}
"""Bytes of a field by its wire type; None: said in front of them. Of type 0 they end by themselves."""


def _varint(body: bytes, position: int) -> tuple[int, int]:
    """The number at *position*, and where it ends."""
    value = 0
    for place, byte in enumerate(body[position : position + 10]):
        value |= (byte & 127) << (7 * place)
        if byte < 128:
            return value, position + place + 1
    raise DecodeError("a number without an end")
