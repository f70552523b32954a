"""Names, labels and annotations as Kubernetes' API server takes them, whatever kind of object has them.

The rules are those of ``k8s.io/apimachinery/pkg/api/validation``.
"""

import re
from reprlib import repr as shown

from argosy.engine.manifest.pod_model import ObjectMeta
from argosy.engine.nodes import is_resource_name
from argosy.engine.validation.refusals import Refusal

_WORD = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
LONGEST_WORD = 63
LONGEST_ANNOTATIONS = 256 * 1024
"""Bytes of all of them, keys and values."""
NAME = "use small letters, digits, '-' and '.', a letter or digit first and last"
WORD = "use letters, digits, '-', '_' and '.', a letter or digit first and last"


def check(metadata: ObjectMeta) -> None:
    """Raise Refusal where the API server would refuse an object with this *metadata*."""
    for field, name in (("name", metadata.name), ("namespace", metadata.namespace)):
        if name and not is_resource_name(name):
            raise Refusal(f"metadata.{field}", f"{shown(name)} is invalid: {NAME}")
    if metadata.generate_name and not is_resource_name(f"{metadata.generate_name}x"):
        raise Refusal("metadata.generateName", f"{shown(metadata.generate_name)} is invalid: {NAME}")
    for key, value in metadata.labels.items():
        _check_key(key, "metadata.labels")
        if value and not _is_word(value):
            raise Refusal(
                "metadata.labels", f"{shown(value)} of {key} is invalid: at most {LONGEST_WORD} characters; {WORD}"
            )
    for key in metadata.annotations:
        _check_key(key.lower(), "metadata.annotations")
    size = sum(len(text.encode()) for entry in metadata.annotations.items() for text in entry)
    if size > LONGEST_ANNOTATIONS:
        raise Refusal("metadata.annotations", f"have {size} bytes; at most {LONGEST_ANNOTATIONS} are allowed")


def _check_key(key: str, where: str) -> None:
    prefix, slash, word = key.rpartition("/")
    if (slash and not is_resource_name(prefix)) or not _is_word(word):
        raise Refusal(
            where,
            f"the key {shown(key)} is invalid: at most {LONGEST_WORD} characters, after a domain and '/' or not; {WORD}",
        )


def _is_word(text: str) -> bool:
    return len(text) <= LONGEST_WORD and _WORD.fullmatch(text) is not None
