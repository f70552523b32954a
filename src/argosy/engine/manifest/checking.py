"""Checks a document field by field against ``schema``, before anything of it is run."""

import difflib
import re
import reprlib
from dataclasses import dataclass, field
from typing import Any

from argosy import errors
from argosy.engine import quantities
from argosy.engine.manifest import patches, schema
from argosy.engine.manifest.loading import ManifestDocument

_SCALARS: dict[str, tuple[type, ...]] = {
    schema.STRING: (str,),
    schema.TEXT: (str, int, float, bool),
    schema.INTEGER: (int,),
    schema.INTEGER_OR_TEXT: (int, str),
    schema.BOOLEAN: (bool,),
    schema.NUMBER: (int, float),
    schema.QUANTITY: (int, float, str),
}


LARGEST = 2**31
"""The bound of a number that could be text as well."""


@dataclass
class Findings:
    """The findings of a check. *ignored*: fields that change nothing on one machine, without the positions in lists.

    *refused*: fields that this engine does not run, by path: what nothing calls may have them.
    """

    ignored: dict[str, None] = field(default_factory=dict)
    refused: dict[str, errors.Misconfigured] = field(default_factory=dict)


def look(document: ManifestDocument) -> Findings:
    """Check every field of *document*. Raises Misconfigured at the first that Argo does not know or that is not of its type."""
    findings = Findings()
    _check_object(document.written or document.body, document.kind, "", document, findings)
    return findings


def check(document: ManifestDocument) -> Findings:
    """As :func:`look`, and raises Misconfigured at a field that this engine does not run, too."""
    findings = look(document)
    for refusal in findings.refused.values():
        raise refusal
    return findings


def _check_object(value: object, type_name: str, where: str, document: ManifestDocument, findings: Findings) -> None:
    if not isinstance(value, dict):
        raise _problem(document, where, f"expected an object, found {_kind(value)}")
    known = schema.TYPES[type_name]
    for name, entry in value.items():
        path = f"{where}.{name}" if where else name
        if entry is None and name in {*known.runs, *known.ignored, *known.refused}:
            continue
        if name in known.runs:
            _check_value(entry, known.runs[name], path, document, findings)
            _check_length(entry, name, known, path, document)
        elif name in known.ignored:
            _check_value(entry, known.ignored_type(name), path, document, Findings())
            findings.ignored[re.sub(r"\[\d+\]", "[]", path)] = None
        elif name in known.refused:
            findings.refused[path] = _refusal(name, known, path, document)
        else:
            raise _unknown(name, known, path, document)
    # What is not run here may be there in place of what is required.
    for name in known.required if not any(value.get(name) is not None for name in known.refused) else ():
        if value.get(name) is None:
            raise _problem(document, f"{where}.{name}" if where else name, "is required")


def _check_value(value: object, type_name: str, where: str, document: ManifestDocument, findings: Findings) -> None:
    if type_name == schema.FREE:
        return
    if type_name == schema.POD_PATCH:
        _check_patch(value, where, document, findings)
        return
    if type_name.startswith("["):
        _check_list(value, type_name[1:-1], where, document, findings)
    elif type_name.startswith("{"):
        _check_map(value, type_name[1:-1], where, document, findings)
    elif type_name in _SCALARS:
        _check_scalar(value, type_name, where, document)
    else:
        _check_object(value, type_name, where, document, findings)


def _check_patch(value: Any, where: str, document: ManifestDocument, findings: Findings) -> None:
    """A patch of pods may touch what one machine has no use for. What it may not is anything that would run differently."""
    _check_scalar(value, schema.STRING, where, document)
    findings.ignored[re.sub(r"\[\d+\]", "[]", where)] = None
    if not patches.is_late(value) and (lack := patches.lack_of(value)):
        findings.refused[where] = _problem(document, where, lack)


def _check_list(value: object, type_name: str, where: str, document: ManifestDocument, findings: Findings) -> None:
    if not isinstance(value, list):
        raise _problem(document, where, f"expected a list, found {_kind(value)}")
    for position, entry in enumerate(value):
        _check_value(entry, type_name, f"{where}[{position}]", document, findings)
    if key := schema.TYPES[type_name].key if type_name in schema.TYPES else "":
        _check_keys([entry[key] for entry in value], key, where, document)


def _check_keys(found: list[Any], key: str, where: str, document: ManifestDocument) -> None:
    twice = next((position for position, name in enumerate(found) if name in found[:position]), None)
    if twice is not None:
        raise _problem(document, f"{where}[{twice}].{key}", f"{found[twice]!r} is there twice")


def _check_map(value: object, type_name: str, where: str, document: ManifestDocument, findings: Findings) -> None:
    if not isinstance(value, dict):
        raise _problem(document, where, f"expected an object, found {_kind(value)}")
    for name, entry in value.items():
        if entry is not None:
            _check_value(entry, type_name, f"{where}[{name!r}]", document, findings)


def _check_scalar(value: object, type_name: str, where: str, document: ManifestDocument) -> None:
    allowed = _SCALARS[type_name]
    if type_name == schema.TEXT and value in ([], {}):
        return  # Argo reads an empty text, and of one that is not empty too, which nobody means
    fits = isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))
    if not fits:
        hint = "; YAML 1.1 reads yes, no, on and off as booleans: quote it" if isinstance(value, bool) else ""
        hint = hint or ("; quote it" if type_name == schema.STRING and isinstance(value, int | float) else "")
        raise _problem(document, where, f"expected {type_name}, found {_kind(value)} ({reprlib.repr(value)}){hint}")
    if type_name == schema.QUANTITY and isinstance(value, str):
        _check_quantity(value, where, document)
    if type_name == schema.INTEGER_OR_TEXT and isinstance(value, int) and not -LARGEST <= value < LARGEST:
        raise _problem(document, where, f"{reprlib.repr(value)} is out of range; a cluster takes a number of 32 bits")


def _check_quantity(value: str, where: str, document: ManifestDocument) -> None:
    try:
        quantities.amount(value)
    except ValueError as error:
        hint = "; Argo puts no value in its place here: say it in podSpecPatch" if "{{" in value else ""
        raise _problem(document, where, f"{error}{hint}") from None


def _check_length(value: Any, name: str, known: schema.Type, where: str, document: ManifestDocument) -> None:
    if name in known.at_most and len(value) > known.at_most[name]:
        raise _problem(document, where, f"has {len(value)} entries; a cluster takes at most {known.at_most[name]}")


def _refusal(name: str, known: schema.Type, where: str, document: ManifestDocument) -> errors.Misconfigured:
    advice = known.refused[name]
    return _problem(document, where, "not supported by argosy run" + (f"; {advice}" if advice else ""))


def _unknown(name: str, known: schema.Type, where: str, document: ManifestDocument) -> errors.Misconfigured:
    near = difflib.get_close_matches(name, [*known.runs, *known.ignored, *known.refused], n=1)
    return _problem(document, where, "unknown field" + (f"; did you mean {near[0]!r}?" if near else ""))


def _problem(document: ManifestDocument, where: str, what: str) -> errors.Misconfigured:
    return errors.Misconfigured(f"{document.path}: {where}: {what}")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)
