"""Reads the text of a ``version.yaml``, in the one form in which ``release`` writes it.

Accepts that form and nothing else, so that no YAML subtlety (``010``, ``no``, an anchor) can mean another model than the reviewer saw.
Which ``version.yaml`` counts, main's, is not known here: ``argosy.promotion.standing`` reads that one, and an import contract keeps the
command line, the steps and the adapters from reading it past that module.
"""

import json
import re
from typing import Any

from pydantic import ValidationError

from argosy import errors
from argosy.domain.release import BY_DIGEST, Version

LINE = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z][A-Za-z0-9]*):(?: (?P<value>\S.*))?")


def parse(content: bytes, where: str) -> Version:
    """Read the *content* of the ``version.yaml`` that lies at *where*. Raises Misconfigured with the line."""
    try:
        return Version.model_validate(mapping(content, where))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        why = BY_DIGEST if field == "image" else first["msg"]
        raise errors.Misconfigured(f"{where}: {field}: {why}; revert the commit that changed it") from None


def mapping(content: bytes, where: str) -> dict[str, Any]:
    """The keys and values of *content*, which lies at *where*, in the flat form of a version file. Raises Misconfigured with the line."""
    return _mapping(_decoded(content, where), where)


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise errors.Misconfigured(f"{where}:{line}: is no UTF-8; revert the commit that changed it") from None


def _mapping(text: str, where: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    inner: dict[str, Any] | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        place = f"{where}:{number}"
        if not line.isprintable():
            # YAML's lines end in more ways than ours (a lone CR, NEL, U+2028, U+2029): a comment of ours could hold a key of theirs.
            raise errors.Misconfigured(f"{place}: holds a character that cannot be seen; found {line[:200]!r}")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        matched = LINE.fullmatch(line)
        target = (inner if matched["indent"] else values) if matched else None
        if not matched or target is None or matched["indent"] not in {"", "  "}:
            raise errors.Misconfigured(f"{place}: expected `key: value`, as Argosy writes it; found {line[:200]!r}")
        if matched["key"] in target:
            raise errors.Misconfigured(f"{place}: {matched['key']!r} is given twice")
        opened: dict[str, Any] = {}
        target[matched["key"]] = opened if matched["value"] is None else _scalar(matched["value"], place)
        if target is values:
            inner = opened if matched["value"] is None else None
    return values


def _scalar(text: str, where: str) -> str | int:
    # What begins otherwise may be nested as deep as a reader's stack.
    try:
        value = json.loads(text) if re.match(r'["0-9]', text) else None
    except ValueError:
        value = None
    # As Argosy would write it, since YAML readers know fewer escapes than JSON has (`\/`).
    if not isinstance(value, str | int) or json.dumps(value) != text:
        raise errors.Misconfigured(f"{where}: expected a quoted text or a whole number; found {text[:200]}")
    return value
