"""The base of every document that steps hand to each other.

A document is frozen, refuses unknown fields, and has one canonical JSON form, because its digest is part of cache keys, signatures and
evidence. What a document means is its own module's business.
"""

import hashlib
import json
import re
import typing
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from argosy import errors


class Document(BaseModel):
    """A frozen value object with a canonical JSON form."""

    # What is made of a class for its first instance takes milliseconds, and a command uses few of those that it loads.
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)

    def canonical_json(self) -> str:
        """The one JSON text of this document: keys sorted, no blanks, a newline at the end."""
        return canonical_json(self.model_dump(mode="json", by_alias=True, exclude_none=True))

    def content_digest(self) -> str:
        """SHA-256 of the canonical JSON, as ``sha256:<hex>``."""
        return sha256(self.canonical_json().encode())

    def write(self, path: Path) -> None:
        """Write the canonical JSON to *path*, creating its folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.canonical_json(), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a document written by :meth:`write`. Raises Misconfigured where there is none, or something else."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise errors.Misconfigured(f"{path} does not exist; the step that writes it has not run") from None
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise errors.Misconfigured(
                f"{path} is no {cls.__name__} of this version: {field}: {first['msg']}; run the step that writes it again"
            ) from None


def of_form(kind: Any, given: Any, known: str, said: str) -> Any:
    """*given*, which is to be validated as *kind*, as far as a reader of the form *known* (``1.2``) understands it.

    What a newer release of the same first number says besides is left out. Raises ValueError, which begins as *said*, at another first
    number: there what is said means something else.
    """
    form = given.get("form") if isinstance(given, dict) else None
    if not isinstance(form, str) or re.fullmatch(r"[0-9]+\.[0-9]+", form) is None:
        return given
    (major, minor), (own, ours) = (tuple(map(int, text.split("."))) for text in (form, known))
    if major != own:
        raise ValueError(f"{said} of form {form}, and this Argosy reads {own}.x: take the release that wrote it")
    return known_parts(kind, given) if minor > ours else given


def known_parts(kind: Any, given: Any) -> Any:
    """*given*, JSON of a *kind* that a newer release may have added to, without the fields that this one does not know, at any depth."""
    if isinstance(given, list):
        (inner,) = typing.get_args(kind)[:1] or (Any,)
        return [known_parts(inner, each) for each in given]
    if not isinstance(given, dict):
        return given
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {each.alias or name: each.annotation for name, each in kind.model_fields.items()}
        return {name: known_parts(fields[name], value) for name, value in given.items() if name in fields}
    # ``X | None`` is read as X: no document here has a choice of several.
    chosen = next((each for each in typing.get_args(kind) if _holds_documents(each)), None)
    return given if chosen is None else known_parts(chosen, given)


def _holds_documents(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def canonical_json(value: Any) -> str:
    """*value* as JSON with sorted keys and no blanks; NaN is refused, as JSON has none."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n"


def sha256(content: bytes) -> str:
    """The digest of *content*, as ``sha256:<hex>``."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
