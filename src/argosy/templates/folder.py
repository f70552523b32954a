"""The files of a model's folder that travel with its manifest, and the digest that tells whether a manifest is up to date.

Loads neither hera nor any ML library: ``argosy run`` asks it on every start.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.templates import project_files

MODEL = "argosy.dev/model"
SOURCES = "argosy.dev/sources"
FILE_DIGEST = "files.argosy.dev/"

ARTIFACTS = {"settings": "model.yaml", "definitions": "features.py", "expectations": "expectations.json"}
"""The files of a model of tables, by the name of the artifact that carries each."""
ANSWER_ARTIFACTS = {
    "settings": "model.yaml",
    "prompt": "prompt.md",
    "questions": "questions.jsonl",
    "labelled": "labelled.jsonl",
}
"""And those of a language model."""
PIPELINE = "pipeline.py"
MANIFEST = "pipeline.yaml"
SCHEDULE = "schedule.yaml"
WATCH = "watch.yaml"
RETRAINING = "retrain.yaml"
SCORING = "score.yaml"
LOCK = Path("images") / "images.lock"
"""Which image each family of steps runs in; of the project."""
# An object of the API server is at most 1.5 MB, annotations at most 256 KB; a manifest that people review is far smaller.
LIMIT = 256 * 1024


@dataclass(frozen=True)
class ModelFiles:
    """The files of a model's folder, read."""

    folder: Path
    texts: dict[str, str]
    """Artifact name to file content."""

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.folder / ARTIFACTS["settings"]

    @property
    def root(self) -> Path:
        """The project the folder belongs to: ``<root>/workflows/<model>``."""
        return self.folder.resolve().parents[1]

    def annotations(self, model: str) -> dict[str, str]:
        """The annotations that tie a manifest to the files it came from."""
        files = artifacts_of(self.folder)
        digests = {f"{FILE_DIGEST}{files[name]}": _digest(text.encode()) for name, text in self.texts.items()}
        return {MODEL: model, SOURCES: sources_digest(self.folder), **digests}


def artifacts_of(folder: Path) -> dict[str, str]:
    """The files that travel with the manifest of *folder*, by the task of its settings."""
    # A run of a manifest that is no model's pays for no document.
    from argosy.files import model_folder  # noqa: PLC0415

    return ANSWER_ARTIFACTS if model_folder.is_of_answers(folder / ARTIFACTS["settings"]) else ARTIFACTS


def read(folder: Path) -> ModelFiles:
    """Read the files of *folder*. Raises Misconfigured where one is missing or together they are too large."""
    texts: dict[str, str] = {}
    for name, file in artifacts_of(folder).items():
        try:
            texts[name] = (folder / file).read_text(encoding="utf-8")
        except OSError as error:
            raise errors.Misconfigured(
                f"{folder / file} cannot be read: {error.strerror}; a model's folder needs it"
            ) from error
    size = sum(len(text.encode()) for text in texts.values())
    if size > LIMIT:
        raise errors.Misconfigured(
            f"the files of {folder} are {size:,} bytes together; at most {LIMIT:,} can travel with a manifest. Move data out of them"
        )
    return ModelFiles(folder, texts)


def sources_digest(folder: Path) -> str:
    """The digest of everything *folder*'s manifest is compiled from: its files, what of the project those import or name, the templates,
    the specs of the steps."""
    package = Path(__file__).parents[1]
    ours = [*package.glob("templates/*.py"), package / "steps" / "spec.py", *package.glob("steps/*/spec.py")]
    lines = [f"{path.relative_to(package).as_posix()} {_digest(path.read_bytes())}" for path in sorted(ours)]
    for file in (PIPELINE, *artifacts_of(folder).values()):
        path = folder / file
        lines.append(f"{file} {_digest(path.read_bytes()) if path.exists() else 'absent'}")
    root = folder.resolve().parents[1]
    others = [path for path in sorted(taken_in(folder)) if path.is_file()]
    lines += [f"{path.relative_to(root).as_posix()} {_digest(path.read_bytes())}" for path in others]
    lock = root / LOCK
    lines.append(f"images.lock {_digest(lock.read_bytes()) if lock.exists() else 'absent'}")
    return _digest("\n".join(lines).encode())


def taken_in(folder: Path, is_there: Callable[[Path], bool] = Path.is_file) -> Mapping[Path, str]:
    """The files of the project outside *folder* that its manifest or its steps are made of, each with how; see ``project_files.of``."""
    programs = [
        file
        for file in (PIPELINE, ARTIFACTS["definitions"])
        if file == PIPELINE or file in artifacts_of(folder).values()
    ]
    return project_files.of(folder, programs, is_there)


def retraining_name(model: str) -> str:
    """The name under which the template that retrains *model* stands in a cluster."""
    return f"{workflow_name(model)}-retrain"


def scoring_name(model: str) -> str:
    """The name under which the template that scores tables with *model* stands in a cluster."""
    return f"{workflow_name(model)}-score"


def workflow_name(model: str) -> str:
    """The name under which *model*'s templates stand in a cluster."""
    return model.replace("_", "-")


def is_fresh(folder: Path, name: str = MANIFEST) -> bool:
    """True where the manifest *name* of *folder* says that it was compiled from what is there now."""
    manifest = folder / name
    if not manifest.exists():
        return False
    stated = re.search(rf"^    {re.escape(SOURCES)}: (\S+)$", manifest.read_text(encoding="utf-8"), re.MULTILINE)
    return stated is not None and stated[1] == sources_digest(folder)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
