"""The images that an installation runs: found in manifests, and what they are called in a mirror."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_KEY = re.compile(r"(^|[a-z])[iI]mage$")
"""Of a field: ``image``, and what controllers' settings call ``natsImage`` and the like."""
_OPTION = re.compile(r"^--[a-z-]*image$")
_INSIDE = re.compile(r"""(?:^|["'\s{])(?:[a-z][A-Za-z]*I|i)mage["']?\s*:\s*["']?([a-z0-9][^\s"',}]+)""", re.MULTILINE)
_IMAGE = re.compile(r"^[a-z0-9][a-z0-9._-]*(:[0-9]+)?(/[a-z0-9._-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$")
PINNED = re.compile(r"@sha256:[0-9a-f]{64}$")


@dataclass(frozen=True)
class NeededImage:
    """One image, and what it is there for."""

    image: str
    why: str

    @property
    def pinned(self) -> bool:
        """Whether it is named by its digest."""
        return PINNED.search(self.image) is not None


INJECTED = (
    NeededImage("quay.io/argoproj/argoexec:v4.1.2", "Argo's own container in each pod of a run (Argo Workflows)"),
    NeededImage("docker.io/kserve/storage-initializer:v0.20.0", "fetches a model before its server starts (KServe)"),
)
"""What controllers put into pods and no manifest of ours names, in the versions that were tried."""


def in_manifests(manifests: Iterable[Any], why: str) -> Iterator[NeededImage]:
    """The images that *manifests* name: in containers, options of programs, and settings that are a text."""
    for manifest in manifests:
        for image in _named(manifest):
            if _IMAGE.match(image):
                yield NeededImage(image, why)


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, str) and _KEY.search(str(key)):
                yield inner
            else:
                yield from _named(inner)
    elif isinstance(value, list):
        yield from _of_options(value)
        for inner in value:
            yield from _named(inner)
    elif isinstance(value, str) and "mage" in value:
        # In prose a word follows, and no name with a tag or a path.
        yield from (found for found in _INSIDE.findall(value) if "/" in found or ":" in found)


def _of_options(words: list[Any]) -> Iterator[str]:
    """Of ``--executor-image NAME`` and ``--executor-image=NAME``."""
    for place, word in enumerate(words):
        option, separator, value = str(word).partition("=")
        if _OPTION.match(option):
            following = words[place + 1] if place + 1 < len(words) else ""
            yield value if separator else str(following)


def whole(image: str) -> str:
    """*image* with the registry that a node adds where none is named."""
    host, slash, rest = image.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        return image if host != "docker.io" or "/" in rest else f"docker.io/library/{rest}"
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def mirrored(image: str, registry: str) -> str:
    """What *image* is called in the mirror *registry*: the same path and digest behind another host."""
    return f"{registry}/{whole(image).partition('/')[2]}"


def together(found: Iterable[NeededImage], injected: Iterable[NeededImage]) -> list[NeededImage]:
    """*found* by name, each once with all that it is there for; and those of *injected* that no manifest names in another version."""
    reasons: dict[str, dict[str, None]] = {}
    for one in found:
        reasons.setdefault(whole(one.image), {})[one.why] = None
    known = {_repository(image) for image in reasons}
    for one in injected:
        if _repository(whole(one.image)) not in known:
            reasons.setdefault(whole(one.image), {})[one.why] = None
    return [NeededImage(image, "; ".join(why)) for image, why in sorted(reasons.items())]


def _repository(image: str) -> str:
    """The last two parts of *image*'s path, which a mirror keeps."""
    path, _, _ = image.partition("@")
    name, colon, tag = path.rpartition(":")
    return "/".join((name if colon and "/" not in tag else path).split("/")[-2:])
