"""Descriptions of Protocol Buffers' messages out of a line a message, and the classes that the library makes of them.

Each file gets a pool of its own, so that whoever imports generated classes of the same names into one process gets no quarrel over them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


@dataclass(frozen=True, eq=False)
class MessageFile:
    """A file of messages."""

    name: str
    package: str
    fields: Mapping[str, str]
    """By message, one inside another with a dot between: ``name type number`` of each field. ``*``: repeated; ``{…}``: a map of strings."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """Messages of which one field at most is set, and what that choice is called."""
    service: str = ""
    methods: Sequence[str] = ()
    """Each takes ``<method>Request`` and gives ``<method>Response``, or is ``method takes gives``. ``*``: any number of these."""
    enums: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Their values from 0 on, by name, in the message in front of it."""

    def description(self) -> descriptor_pb2.FileDescriptorProto:
        """The file as a compiler of Protocol Buffers describes it."""
        made = descriptor_pb2.FileDescriptorProto(name=self.name, package=self.package, syntax="proto3")
        messages: dict[str, Any] = {}
        for name, fields in self.fields.items():
            outer, _, inner = name.rpartition(".")
            message = messages[outer].nested_type.add(name=inner) if outer else made.message_type.add(name=name)
            messages[name] = message
            if name in self.choices:
                message.oneof_decl.add(name=self.choices[name])
            for said in filter(None, fields.split(", ")):
                self._add(message, name, said)
        for name, values in self.enums.items():
            outer, _, inner = name.rpartition(".")
            enum = messages[outer].enum_type.add(name=inner)
            for number, value in enumerate(values):
                enum.value.add(name=value, number=number)
        if self.service:
            self._add_service(made)
        return made

    def classes(self) -> dict[str, Any]:
        """The class of each message that is in no other, by its name."""
        pool = descriptor_pool.DescriptorPool()
        pool.Add(self.description())
        names = [name for name in self.fields if "." not in name]
        found = {name: pool.FindMessageTypeByName(f"{self.package}.{name}") for name in names}
        return {name: message_factory.GetMessageClass(message) for name, message in found.items()}

    def _add_service(self, made: Any) -> None:
        service = made.service.add(name=self.service)
        for method in self.methods:
            name, asked, given = (
                method.split(" ") if " " in method else (method, f"{method}Request", f"{method}Response")
            )
            described = service.method.add(name=name, server_streaming=given.endswith("*") or None)
            described.input_type, described.output_type = (
                f".{self.package}.{each.removesuffix('*')}" for each in (asked, given)
            )

    def _add(self, message: Any, path: str, said: str) -> None:
        """Add the field that is *said* to *message*, whose place in the package is *path*."""
        name, kind, number = said.split(" ")
        made = message.field.add(name=name, number=int(number))
        made.label = made.LABEL_REPEATED if kind.endswith(("*", "}")) else made.LABEL_OPTIONAL
        if path in self.choices:
            made.oneof_index = 0
        if kind.startswith("{"):
            entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
            entry.options.map_entry = True
            self._add(entry, "", "key string 1")
            self._add(entry, "", f"value {kind.strip('{}')} 2")
            kind = f"{path}.{entry.name}"
        self._set_type(made, kind.removesuffix("*"))

    def _set_type(self, made: Any, kind: str) -> None:
        scalar = getattr(made, f"TYPE_{kind.upper()}", None)
        if scalar is not None:
            made.type = scalar
        else:
            made.type = made.TYPE_ENUM if kind in self.enums else made.TYPE_MESSAGE
            made.type_name = f".{self.package}.{kind}"
