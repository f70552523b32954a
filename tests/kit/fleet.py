"""A project of many models: the folder and the gates of one, over and over under other names."""

import shutil
from pathlib import Path

OWNERS = ("retention", "growth", "risk", "operations", "claims")


def name_of(number: int) -> str:
    """The name of the model *number*, counted from 0."""
    return f"fleet_{number:02}"


def write(project: Path, root: Path, count: int, like: str = "churn") -> list[Path]:
    """Write *count* models like *like* of the checkout *root* into *project*, which gets its environment repo too; returns their folders.

    What was compiled does not come along. Each model has one of a few owners.
    """
    environment = project / "gitops-env"
    shutil.copytree(root / "gitops-env", environment, ignore=shutil.ignore_patterns("models", "policies"))
    return [_model(project, root, name_of(number), OWNERS[number % len(OWNERS)], like) for number in range(count)]


def _model(project: Path, root: Path, name: str, owner: str, like: str) -> Path:
    folder, environment = project / "workflows" / name, project / "gitops-env"
    folder.mkdir(parents=True)
    for file in ("expectations.json", "features.py", "pipeline.py", "model.yaml"):
        text = (root / "workflows" / like / file).read_text(encoding="utf-8")
        if file == "model.yaml":
            text = _replaced(text, f"model: {like}\n", f"model: {name}\n")
            text = _replaced(text, "owner: retention\n", f"owner: {owner}\n")
        (folder / file).write_text(text, encoding="utf-8")
    for place in (Path("policies", f"{like}.yaml"), Path("models", like, "values.yaml")):
        to = environment / str(place).replace(like, name)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(
            (root / "gitops-env" / place).read_text(encoding="utf-8").replace(f"model: {like}", f"model: {name}"),
            encoding="utf-8",
        )
    return folder


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"expected {old!r} once")
    return text.replace(old, new)
