"""The provenance of a run: the commit, whether the files are those of the commit, the manifest, and the code that its steps ran.

It is written down once, where a run is started or its manifest is installed, and travels with the workflow as the parameter
``provenance``; no step finds it out for itself. A commit cannot hold its own name, so a committed manifest leaves the parameter empty.
"""

import re
from collections.abc import Mapping

from pydantic import Field, ValidationError

from argosy import errors
from argosy.domain.documents import Document

UNKNOWN = "unknown"
CLEAN = "clean"
PARAMETER = "provenance"
VARIABLE = "ARGOSY_PROVENANCE"
"""The environment variable in which steps are told."""
PINNED = re.compile(r".+@sha256:[0-9a-f]{64}")


class Provenance(Document):
    """The provenance of a run; unknown where nobody wrote it down."""

    commit: str = Field(default=UNKNOWN, pattern=rf"^([0-9a-f]{{40}}|[0-9a-f]{{64}}|{UNKNOWN})$")
    tree: str = Field(default=UNKNOWN, pattern=rf"^({CLEAN}|{UNKNOWN}|sha256:[0-9a-f]{{64}})$")
    """``clean`` where the files are those of the commit, else the digest of the model's folder, which the commit does not hold."""
    manifest: str = UNKNOWN
    """Digest of the compiled manifest, ``provenance`` left empty."""
    images: Mapping[str, str] = {}
    """Step to the image that its container ran; empty where steps ran as processes."""
    code: str | None = None
    """Of steps that ran as processes: the digest of the code and the libraries installed."""

    @classmethod
    def from_text(cls, text: str) -> "Provenance":
        """From the workflow's parameter; empty text says nothing. Raises Misconfigured where it is something else."""
        if not text:
            return cls()
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise errors.Misconfigured(
                f"the parameter {PARAMETER} is none ({error.errors()[0]['msg']}); leave it to `argosy compile --stamp`, `submit` and `run`"
            ) from None

    def text(self) -> str:
        """As the workflow's parameter."""
        return self.canonical_json().rstrip("\n")

    @property
    def code_version(self) -> str:
        """The commit, marked where files differ from it."""
        return self.commit if self.tree in {CLEAN, UNKNOWN} else f"{self.commit}-dirty"

    def doubts(self) -> list[str]:
        """Why the run cannot be repeated from what is written down; empty where it can."""
        found = []
        if self.commit == UNKNOWN:
            found.append("the commit is unknown")
        if self.tree == UNKNOWN:
            found.append("nobody looked whether the files were those of the commit")
        elif self.tree != CLEAN:
            found.append(f"the files were not those of the commit (the model's folder is {self.tree})")
        found += [
            f"step {step} ran in {image}, which is no digest"
            for step, image in sorted(self.images.items())
            if not PINNED.fullmatch(image)
        ]
        if not self.images and self.code is None:
            found.append("the code that the steps ran is unknown")
        return found

    def tags(self) -> dict[str, str]:
        """As a registry keeps it."""
        steps = {f"image.{step}": image for step, image in self.images.items()}
        return {
            "git_commit": self.commit,
            "mlflow.source.git.commit": self.commit,
            "tree": self.tree,
            "manifest_digest": self.manifest,
            **({"code_digest": self.code} if self.code else {}),
            **steps,
        }

    def rows(self) -> list[list[str]]:
        """As people read it, name and value; images that are one image once."""
        steps: dict[str, list[str]] = {}
        for step, image in sorted(self.images.items()):
            steps.setdefault(image, []).append(step)
        return [
            ["commit", self.commit],
            [
                "files",
                {CLEAN: "those of the commit", UNKNOWN: UNKNOWN}.get(
                    self.tree, f"not those of the commit: {self.tree}"
                ),
            ],
            ["manifest", self.manifest],
            *(["image of " + ", ".join(names), image] for image, names in steps.items()),
            *([["code of the steps", self.code]] if self.code else []),
        ]
