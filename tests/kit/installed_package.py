"""A package of others, laid where Python looks as an installer lays it."""

import tomllib
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples"


def install(place: Path, project: dict[str, Any], module: str, text: str) -> None:
    """Lay *project* into *place* as an installer does: its module, and what it says of itself."""
    about = place / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = [
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in named.items())
        for group, named in project["entry-points"].items()
    ]
    (about / "entry_points.txt").write_text("\n".join(points))
    (place / f"{module}.py").write_text(text, encoding="utf-8")


def install_example(name: str, place: Path) -> None:
    """Lay the package *name* of ``examples`` into *place*, as its own project file describes it."""
    folder, module = EXAMPLES / name, name.replace("-", "_")
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    install(place, project, module, (folder / f"{module}.py").read_text(encoding="utf-8"))
