"""``version.yaml``: the one small file that says which model an environment serves.

It is YAML that tools and charts read, in one fixed, flat form: Argosy writes it, people revert it. Reading it is ``version_file``'s.
"""

import json
from typing import Annotated, Any

from pydantic import Field, ValidationError
from pydantic.alias_generators import to_camel

from argosy import errors
from argosy.domain import source_settings
from argosy.domain.documents import Document

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Address = Annotated[str, Field(pattern=r"^[\x21-\x7e]+$", max_length=2000)]
"""Printable ASCII, as URIs are: what JSON and every YAML reader take for the same text."""
Image = Annotated[
    str,
    Field(
        pattern=r"^([a-zA-Z0-9.-]+(:[0-9]{1,5})?/)?[a-z0-9._-]+(/[a-z0-9._-]+)*@sha256:[0-9a-f]{64}$", max_length=500
    ),
]
"""By digest, and by no tag: what a tag names changes after the review."""
BY_DIGEST = (
    "an image is named by its digest alone, <name>@sha256:<64 hex digits>: what a tag names changes after the review"
)


ONLINE = "online/"
"""Of the model store: what a version's online features lie below, by model."""


class OnlineStore(Document):
    """The address of an online store's files, and their digest."""

    uri: Address
    digest: Digest

    @classmethod
    def from_text(cls, text: str) -> "OnlineStore":
        """From ``<uri>@<digest>``, the form in which steps hand it on. Raises Misconfigured where *text* is none."""
        uri, _, digest = text.rpartition("@")
        try:
            return cls(uri=uri, digest=digest)
        except ValidationError:
            raise errors.Misconfigured(
                f"expected an online store as <uri>@sha256:<64 hex digits>, got {text!r}"
            ) from None

    def text(self) -> str:
        """As ``<uri>@<digest>``."""
        return f"{self.uri}@{self.digest}"


class Version(Document):
    """The version that an environment serves. Digests are ``sha256:<hex>``."""

    model_config = {**Document.model_config, "alias_generator": to_camel}

    model: source_settings.Name
    version: int = Field(ge=1, strict=True)
    """Number in the registry, also the counter of ``release.json``."""
    model_digest: Digest
    storage_uri: Address
    online_store: OnlineStore | None = None
    image: Image | None = None
    """Serving image by digest; absent where the environment's own is used."""
    evidence_digest: Digest
    policy_digest: Digest

    def yaml(self) -> str:
        """The text of ``version.yaml``."""
        return "".join(_lines(self.model_dump(mode="json", by_alias=True, exclude_none=True), ""))


def _lines(values: dict[str, Any], indent: str) -> list[str]:
    lines = []
    for key, value in values.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:\n", *_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {json.dumps(value)}\n")
    return lines
