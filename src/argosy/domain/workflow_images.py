"""The image that the environment repo's workflows run beside the forge's token: which it is, and that it can be no other.

A digest is the same in every registry, so a company's mirror changes the name before it and nothing else.
"""

import re
from collections.abc import Iterator, Mapping

from argosy.domain import bare_installs
from argosy.domain.changes import Problem

BY_DIGEST = re.compile(r"[a-z0-9][\w.:/-]*@sha256:[0-9a-f]{64}")
_WORKFLOW = re.compile(r"\.(github|gitea|forgejo)/workflows/[^/]+\.ya?ml")
_IMAGE = re.compile(r"(?m)^(?P<before>[ ]+IMAGE:[ ]*)(?P<image>[^\s#]+)")
_NOBODY = f"@sha256:{'0' * 64}"


def pinned(files: Mapping[str, bytes], image: str) -> dict[str, bytes]:
    """Those of *files* (path to content) that run Argosy's image, with *image* in its place."""
    return {
        path: _IMAGE.sub(lambda found: found["before"] + image, text).encode()
        for path, text in _workflows(files)
        if _IMAGE.search(text)
    }


def unnamed(files: Mapping[str, bytes]) -> list[str]:
    """The workflows in which nobody put an image yet."""
    return [path for path, text in _workflows(files) if any(image.endswith(_NOBODY) for image in _images(text))]


def problems(files: Mapping[str, bytes]) -> Iterator[Problem]:
    """What could become other code beside the token: an image by tag, or our name on an index."""
    for path, text in _workflows(files):
        for image in _images(text):
            if not BY_DIGEST.fullmatch(image):
                yield Problem(
                    path, f"runs {image}, which is no digest; `argosy env pin-image IMAGE@sha256:…` names one"
                )
    for path, content in files.items():
        if not path.startswith("models/"):
            text = content.decode("utf-8", errors="replace")
            for line in [*bare_installs.commands(text), *bare_installs.requirements(path, text)]:
                yield Problem(
                    path, f"takes argosy from an index by its bare name ({line[:80]}): run the image by digest"
                )


def _workflows(files: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    for path, content in sorted(files.items()):
        text = content.decode("utf-8", errors="replace")
        if _WORKFLOW.fullmatch(path) and "argosy.cli.main" in text:
            yield path, text


def _images(text: str) -> list[str]:
    return [found["image"].strip("'\"") for found in _IMAGE.finditer(text)]
