"""``second.yaml``: the second version that an environment has beside the one it serves, as a shadow or for a share of the entities.

It lies beside ``version.yaml``, is in the same flat form, and is what the chart takes. It is a rule, reviewed by people: a promotion never
changes it, and a promotion of the version that it names ends what it says. Also here: which versions may be a second one at all.
"""

import datetime
import json
from typing import Literal

from pydantic import Field, ValidationError
from pydantic.alias_generators import to_camel

from argosy import errors
from argosy.domain import version_file
from argosy.domain.bundle import Signature
from argosy.domain.documents import Document
from argosy.domain.release import Address, Digest

HEAD = "# Written by `argosy shadow`; docs/serving.md says what it does. `argosy shadow MODEL --stop` ends it.\n"
KEY = "second"


class SecondFile(Document):
    """What ``second.yaml`` says."""

    model_config = {**Document.model_config, "alias_generator": to_camel}

    role: Literal["shadow", "candidate"]
    percent: int = Field(ge=1, le=100, strict=True)
    """Of the requests that a shadow is asked, or of the entities that a candidate answers."""
    version: int = Field(ge=1, strict=True)
    model_digest: Digest
    storage_uri: Address
    signature: str
    """The signature of its bundle, as it lies beside its evidence."""
    until: datetime.date | None = None
    """The last day on which anybody wants to know; None where nobody said. Nothing stops by itself: people are told."""

    def yaml(self) -> str:
        """The text of ``second.yaml``."""
        values = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return f"{HEAD}{KEY}:\n" + "".join(f"  {key}: {json.dumps(value)}\n" for key, value in values.items())

    def said(self) -> str:
        """What it does, in words: ``version 7 is asked 20 % of the requests, until 2026-12-24``."""
        what = "is asked" if self.role == "shadow" else "answers"
        of_all = "requests" if self.role == "shadow" else "entities"
        until = f", until {self.until}" if self.until else ""
        return f"version {self.version} {what} {self.percent} % of the {of_all}{until}"

    def is_over(self, today: datetime.date) -> bool:
        """True where its last day was before *today*."""
        return self.until is not None and self.until < today


def parse(content: bytes, where: str) -> SecondFile:
    """Read the *content* of the ``second.yaml`` that lies at *where*. Raises Misconfigured with the line."""
    values = version_file.mapping(content, where)
    try:
        if values.keys() != {KEY}:
            raise errors.Misconfigured(
                f"{where}: expected {KEY!r} and nothing else; found {', '.join(values) or 'nothing'}"
            )
        return SecondFile.model_validate(values[KEY])
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise errors.Misconfigured(
            f"{where}: {field}: {first['msg']}; let `argosy shadow` write it anew, or remove the file"
        ) from None


def difference(first: Signature, second: Signature) -> str:
    """Why requests to the model *first* cannot ask *second*, or their answers say different things; empty where they can."""
    if first.model != second.model:
        return f"it is the model {second.model!r}"
    if first.task != second.task:
        return f"it is a {second.task} model, and the first {first.task}"
    if first.classes != second.classes:
        return f"its classes are {', '.join(second.classes)}, the first's {', '.join(first.classes)}"
    known = {column.name: column.type for column in first.features}
    for column in second.features:
        if column.name not in known:
            return f"it needs the feature {column.name!r}, which the first does not"
        if column.type != known[column.name]:
            return f"its feature {column.name!r} is a {column.type}, the first's a {known[column.name]}"
    if sorted(first.join_keys) != sorted(second.join_keys):
        return f"its join keys are {', '.join(second.join_keys)}, the first's {', '.join(first.join_keys)}"
    return ""
