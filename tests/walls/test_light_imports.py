"""What is loaded on the way of a command: the libraries of machine learning, and what else takes its time, only where they are used."""

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import argosy

COMMAND = str(Path(sys.executable).with_name("argosy"))
DOCUMENTS = frozenset({"annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"})
OF_EVERY_PROCESS = frozenset({"_distutils_hack", "argosy"})
"""What an environment loads by itself, and Argosy."""
CORE = (
    "argo",
    "cli",
    "domain",
    "engine",
    "errors",
    "files",
    "ports",
    "promotion",
    "report",
    "scratch",
    "settings",
    "shared_folders",
    "telemetry",
    "templates",
    "wiring",
)
"""The parts of argosy that are there without any extra."""
WHERE_IT_IS = {"chardet"}
"""What a library of the core takes where something else brought it."""

STEPS = sorted(path.parent.name for path in Path(argosy.__path__[0]).glob("steps/*/spec.py"))
TARGETS: dict[str, tuple[str, ...]] = {"evaluate": ("evaluate", "serve")}
"""Images of several extras, as images/Containerfile has them."""
PROGRAMS = {
    (f"argosy.steps.{step}.run", f"argosy.steps.{step}.__main__"): TARGETS.get(family, (family,))
    for step in STEPS
    for family in [importlib.import_module(f"argosy.steps.{step}.spec").SPEC.family]
} | {
    ("argosy.exporter.__main__", "argosy.exporter.command"): ("monitor",),
    ("argosy.serving.launch", "argosy.adapters.otlp_spans"): ("serve", "telemetry"),
}
"""What a container starts, to the extras of its image."""

IMPORT_ALL = """
import importlib, pathlib, sys
root = pathlib.Path(importlib.import_module("argosy").__path__[0]).parent
for pattern in sys.argv[1:]:
    found = sorted((root / "argosy").glob(pattern))
    assert found, pattern
    for path in found:
        parts = path.relative_to(root).with_suffix("").parts
        if parts[-1] != "__main__":
            importlib.import_module(".".join(parts).removesuffix(".__init__"))
"""

WITHOUT = """
import importlib, json, sys
absent = set(json.loads(sys.argv[1]))

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}: it is not in the image", name=name)

sys.meta_path.insert(0, Absent())
for name in sys.argv[2:]:
    importlib.import_module(name)
"""

RUN = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: light}
spec:
  entrypoint: main
  templates:
  - name: main
    suspend: {duration: 0s}
"""


def loaded(*arguments: str) -> set[str]:
    """The modules that a Python with *arguments* loads."""
    done = subprocess.run([sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return set(re.findall(r"^import time:[ \d|]+\| +([\w.]+)$", done.stderr, re.MULTILINE))


def libraries(modules: set[str]) -> set[str]:
    """Those of *modules* that others wrote, each by its first name."""
    return ({name.split(".")[0] for name in modules} & metadata.packages_distributions().keys()) - OF_EVERY_PROCESS


def test_help_loads_nothing() -> None:
    """The list of verbs is there at once: no verb, no engine and no library is loaded for it."""
    modules = loaded(COMMAND, "--help")
    assert libraries(modules) == set()
    assert {name for name in modules if name.startswith("argosy.")} == {
        "argosy.cli",
        "argosy.cli.main",
        "argosy.errors",
        "argosy.network",
        "argosy.telemetry",
    }


def test_a_run_of_a_manifest_is_light(tmp_path: Path) -> None:
    """Whoever runs a manifest that is no model's pays for no document and no model."""
    manifest = tmp_path / "light.yaml"
    manifest.write_text(RUN)
    loaded(COMMAND, "run", "-f", str(manifest))  # the first run of all makes keys
    modules = loaded(COMMAND, "run", "-f", str(manifest))
    assert libraries(modules) <= {"platformdirs", "yaml"}
    assert "argosy.engine.runner" in modules


@pytest.mark.parametrize(
    ("patterns", "allowed"),
    [
        pytest.param(
            ["engine/expressions/**/*.py", "engine/processes/**/*.py"], set[str](), id="expressions-and-processes"
        ),
        pytest.param(["engine/**/*.py"], {"yaml"}, id="engine"),
        pytest.param(["steps/spec.py", "steps/*/spec.py"], set[str](), id="what-others-see-of-steps"),
        pytest.param(["domain/**/*.py", "ports/**/*.py"], DOCUMENTS, id="domain-and-ports"),
        pytest.param(["cli/**/*.py"], {"argcomplete", "platformdirs", "yaml", *DOCUMENTS}, id="every-verb"),
    ],
)
def test_libraries_of_a_part(patterns: list[str], allowed: set[str]) -> None:
    """A part loads these libraries and no other, however many of its modules are imported."""
    assert libraries(loaded("-c", IMPORT_ALL, *patterns)) <= allowed


def test_the_core_needs_no_extra() -> None:
    """What is there without an extra loads what is declared without one, and what that brings along."""
    patterns = [pattern for part in CORE for pattern in (f"{part}.py", f"{part}/**/*.py") if _is_there(pattern)]
    modules = loaded("-c", IMPORT_ALL, *patterns)
    distributions = {name for library in libraries(modules) for name in metadata.packages_distributions()[library]}
    assert {_normal(name) for name in distributions} - WHERE_IT_IS <= set(_brought_along("argosy"))


@pytest.mark.parametrize(("modules", "extras"), sorted(PROGRAMS.items()), ids=" ".join)
def test_an_image_has_what_its_programs_load(modules: tuple[str, ...], extras: tuple[str, ...]) -> None:
    """A program starts where nothing but its image's extras, and what they bring along, can be imported."""
    there = set(_in_image(extras))
    absent = [
        name
        for name, distributions in metadata.packages_distributions().items()
        if not there & {_normal(each) for each in distributions}
    ]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, json.dumps(sorted(set(absent) - OF_EVERY_PROCESS)), *modules],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def _in_image(extras: Sequence[str]) -> Iterator[str]:
    """The distributions that `images/install.sh` puts into an image of *extras*."""
    pending, seen = [Requirement(f"argosy[{','.join(extras)}]")], set[tuple[str, frozenset[str]]]()
    while pending:
        each = pending.pop()
        name, wanted = _normal(each.name), frozenset(each.extras)
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        yield name
        lines = [Requirement(line) for line in _requires(name)]
        pending += [line for line in lines if _applies(line, wanted)]


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""})


def _is_there(pattern: str) -> bool:
    return any(Path(argosy.__path__[0]).glob(pattern))


def _brought_along(name: str) -> Iterator[str]:
    """The distribution *name* and all that it requires without an extra."""
    pending, seen = [_normal(name)], set[str]()
    while pending:
        each = pending.pop()
        if each not in seen:
            seen.add(each)
            yield each
            pending += [_normal(re.split(r"[^\w.-]", line)[0]) for line in _requires(each) if "extra ==" not in line]


def _requires(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:  # of another platform, or another version of Python
        return []


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
