"""Each failure has a code, and each code a page: nothing is raised that has none, and no page is of nothing."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import argosy
from argosy import errors
from argosy.report import error_kinds

ROOT = Path(__file__).parents[2]
PACKAGE = Path(argosy.__path__[0])
NAMES = {known.__name__ for known in error_kinds.CLASSES}


@functools.cache
def nodes() -> tuple[tuple[Path, tuple[ast.Call | ast.ClassDef, ...]], ...]:
    """The calls and the classes of each file of the package, which is read once for all tests."""
    return tuple(
        (
            path,
            tuple(node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call | ast.ClassDef)),
        )
        for path in sorted(PACKAGE.rglob("*.py"))
    )


def raised() -> Iterator[tuple[str, str]]:
    """The class of each failure that is made, and the package or module at the top that makes it."""
    for path, of_file in nodes():
        first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in of_file:
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in NAMES:
                    yield name, first


def test_whatever_raises_has_a_page() -> None:
    """Who adds a package that refuses something says what it is about."""
    known = {module for area in error_kinds.AREAS.values() for module in area.modules}
    made = {first for _, first in raised()} - {"errors"}  # it makes some for others, who raise them
    assert made <= known
    assert all((PACKAGE / module).exists() or (PACKAGE / f"{module}.py").exists() for module in known)


def test_no_page_is_of_nothing() -> None:
    """Each kind is raised somewhere, and each area raises something."""
    found = list(raised())
    kinds = {error_kinds.CLASSES[getattr(errors, name)] for name, _ in found}
    assert kinds == set(error_kinds.KINDS)
    made = {first for _, first in found}
    assert [name for name, area in error_kinds.AREAS.items() if not made & set(area.modules)] == []


def test_a_failure_of_its_own_is_of_a_kind() -> None:
    """Outside `errors` no class is of the common one: its code would have no page."""
    outside = [of_file for path, of_file in nodes() if path != PACKAGE / "errors.py"]
    classes = [node for of_file in outside for node in of_file if isinstance(node, ast.ClassDef)]
    bases = {each.name: {ast.unparse(base).rpartition(".")[2] for base in each.bases} for each in classes}
    assert [name for name, of in bases.items() if "ArgosyError" in of] == []


def test_each_class_of_errors_has_a_kind() -> None:
    """With its own exit code."""
    classes = {
        each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.ArgosyError)
    } - {errors.ArgosyError}
    assert classes == set(error_kinds.CLASSES)
    for known, code in error_kinds.CLASSES.items():
        assert error_kinds.KINDS[code].exit_code == known.exit_code
        assert error_kinds.kind_of(known("no")) == code


def test_the_page_is_what_the_code_says() -> None:
    """`make fmt` writes it."""
    assert (ROOT / "docs/errors.md").read_text(encoding="utf-8") == error_kinds.reference()
