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
        return Version.model_validate(_mapping(content.decode(errors="replace"), where))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        why = BY_DIGEST if field == "image" else first["msg"]
        raise errors.Misconfigured(f"{where}: {field}: {why}; revert the commit that changed it") from None


def _mapping(text: str, where: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    inner: dict[str, Any] = values
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        matched = LINE.fullmatch(line)
        if not matched or len(matched["indent"]) not in {0, 2}:
            raise errors.Misconfigured(f"{where}:{number}: expected `key: value`, as Argosy writes it; found {line!r}")
        target = inner if matched["indent"] else values
        if matched["key"] in target:
            raise errors.Misconfigured(f"{where}:{number}: {matched['key']!r} is given twice")
        if matched["value"] is None:
            inner = target[matched["key"]] = {}
        else:
            target[matched["key"]] = _scalar(matched["value"], f"{where}:{number}")
    return values


def _scalar(text: str, where: str) -> str | int:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise errors.Misconfigured(f"{where}: expected a quoted text or a whole number; found {text}")
    return value
