"""``second.yaml``: the second version that an environment has beside the one it serves, as a shadow or for a share of the entities.

It lies beside ``version.yaml``, is in the same flat form, and is what the chart takes. It is a rule, reviewed by people: a promotion never
changes it, and a promotion of the version that it names ends what it says.
"""

import json
from typing import Literal

from pydantic import Field, ValidationError
from pydantic.alias_generators import to_camel

from argosy import errors
from argosy.domain import version_file
from argosy.domain.documents import Document
from argosy.domain.release import Address, Digest

HEAD = "# Written by `argosy env second`; docs/serving.md says what it does. Remove the file, or promote the version, to end it.\n"
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

    def yaml(self) -> str:
        """The text of ``second.yaml``."""
        values = self.model_dump(mode="json", by_alias=True)
        return f"{HEAD}{KEY}:\n" + "".join(f"  {key}: {json.dumps(value)}\n" for key, value in values.items())


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
            f"{where}: {field}: {first['msg']}; let `argosy env second` write it anew, or remove the file"
        ) from None
