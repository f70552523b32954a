"""A reference in a docstring or comment of the source leads somewhere: a module, class or function that was renamed is renamed there too.

Held are Sphinx' roles (``:class:`argosy.ports.forge.Forge` ``) and dotted names between double backticks that begin with a name of ours
(``promotion.canaries``). A file's name and the names that Argo, settings and measurements have are none; what else only looks like one is
listed.
"""

import ast
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from argosy.domain import measurements, policy
from argosy.domain.model_settings import ModelSettings

ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod):`~?([\w.]+)`")
DOTTED = re.compile(r"(?<!`)``([a-z_]+(?:\.\w+)+)``(?!`)")
FILES = {"bin", "csv", "go", "json", "jsonl", "log", "md", "parquet", "py", "sqlite", "ubj", "yaml"}
"""Endings of files."""
OF_OTHERS = {
    "status.nodes": "a field of Argo's Workflow",
    "tasks.a.outputs.result": "a variable of Argo",
    "validate.Workflow": "a function of Argo",
}
WORDS_OF_MEASUREMENTS = frozenset(re.findall(r"\w+", Path(measurements.__file__).read_text(encoding="utf-8")))
Names = Mapping[str, frozenset[str]]
"""Module, as a dotted name, to the names in it."""


@cache
def _names(tree: Path) -> Names:
    found = {}
    for path in sorted(tree.rglob("*.py")):
        found[_module(path, tree)] = frozenset(_identifiers(ast.parse(path.read_text(encoding="utf-8"))))
    return found


def _module(path: Path, tree: Path) -> str:
    parts = path.relative_to(tree.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _identifiers(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                found.add(name)
            case ast.alias(name=name, asname=other):
                found.add((other or name).rpartition(".")[2])
            case _:
                pass
    return found


def leads_somewhere(reference: str, names: Names) -> bool:
    """True where *reference* is a module, by its whole name or the end of it, or a name in one, or in a class of one."""
    head, _, last = reference.rpartition(".")
    modules = _called(reference, names)
    if modules or not head:
        return bool(modules)
    outer, _, owner = head.rpartition(".")
    return any(last in names[module] for module in _called(head, names)) or any(
        {owner, last} <= names[module] for module in _called(outer, names)
    )


def _called(reference: str, names: Names) -> list[str]:
    return [module for module in names if reference and (module == reference or module.endswith(f".{reference}"))]


def dead(text: str, own: frozenset[str], names: Names) -> list[str]:
    """The references in *text*, a module with its *own* names, that lead nowhere."""
    ours = {part for module in names for part in module.split(".")}
    roles = [word for word in ROLE.findall(text) if word.split(".")[0] not in own and not leads_somewhere(word, names)]
    dotted = [
        word
        for word in DOTTED.findall(text)
        if word.split(".")[0] in ours
        and word.rpartition(".")[2] not in FILES
        and word not in OF_OTHERS
        and not _is_setting_or_measurement(word)
        and not leads_somewhere(word, names)
    ]
    return roles + dotted


def _is_setting_or_measurement(word: str) -> bool:
    first, _, second = word.partition(".")
    section = ModelSettings.model_fields.get(first)
    if section is not None and second in getattr(section.annotation, "model_fields", {}):
        return True
    return first in policy.DIMENSIONS and second in WORDS_OF_MEASUREMENTS


def test_each_reference_leads_somewhere(root: Path) -> None:
    """No docstring or comment sends its reader to a place that is not there."""
    tree = root / "src" / "argosy"
    names = _names(tree)
    found = [
        f"{path.relative_to(root)}: {word}"
        for path in sorted(tree.rglob("*.py"))
        for word in dead(path.read_text(encoding="utf-8"), names[_module(path, tree)], names)
    ]
    assert len(names) > 300
    assert found == []


def test_each_exception_is_still_there(root: Path) -> None:
    """A name on the list that nobody writes any more leaves it."""
    text = "".join(path.read_text(encoding="utf-8") for path in (root / "src" / "argosy").rglob("*.py"))
    assert [word for word in OF_OTHERS if f"``{word}``" not in text] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("see ``promotion.canaries``", [], id="module"),
        pytest.param("see ``domain.promotion_requests.decide``", [], id="function"),
        pytest.param("see :meth:`argosy.ports.forge.Forge.merge`", [], id="method"),
        pytest.param("see :class:`argosy.ports.forge.Smithy`", ["argosy.ports.forge.Smithy"], id="class-that-is-gone"),
        pytest.param("see ``promotion.gone``", ["promotion.gone"], id="module-that-is-gone"),
        pytest.param("see ``promotion_requests.canaries``", ["promotion_requests.canaries"], id="module-that-moved"),
        pytest.param("see ``serving.admission``", ["serving.admission"], id="no-setting"),
        pytest.param("see :func:`gone`", ["gone"], id="name-that-is-gone"),
        pytest.param("``model.yaml`` has ``serving.unknown_level``", [], id="file-and-setting"),
        pytest.param("``calibration.ece`` of the policy", [], id="measurement"),
    ],
)
def test_what_a_dead_reference_is(root: Path, text: str, expected: list[str]) -> None:
    """A name that leads nowhere is found; a file, a setting and a living name are not."""
    assert dead(text, frozenset(), _names(root / "src" / "argosy")) == expected
