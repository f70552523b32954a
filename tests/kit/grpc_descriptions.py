"""What the messages of the Open Inference Protocol are, as Argosy describes them, field by field."""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from argosy.serving import grpc_messages

Field = list[Any]
"""Name, type, whether repeated, and the message that it holds."""
SCALARS = {
    name: getattr(FieldDescriptor, f"TYPE_{name.upper()}")
    for name in ("bool", "bytes", "double", "float", "int32", "int64", "string", "uint32", "uint64")
}
"""The number of each type that a file of the protocol may name."""


def described() -> dict[str, dict[int, Field]]:
    """By full name of the message and number of the field."""
    found: dict[str, dict[int, Field]] = {}
    for kind in grpc_messages.CLASSES.values():
        _add(kind.DESCRIPTOR, found)
    return found


def _add(message: Any, found: dict[str, dict[int, Field]]) -> None:
    found[message.full_name] = {
        field.number: [field.name, field.type, field.is_repeated, field.message_type and field.message_type.full_name]
        for field in message.fields
    }
    for inner in message.nested_types:
        _add(inner, found)
