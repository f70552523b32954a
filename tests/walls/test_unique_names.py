"""One name stands for one thing: a file name and the name of a public class are there once in a tree, so that a search finds the place.

``unique_names.toml`` lists the exceptions by their reasons, each with how many places have the name; 0 is any number. What is no exception
any more has to leave the list, so that it only gets shorter.
"""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

LIST = Path(__file__).with_name("unique_names.toml")
Places = Mapping[str, Sequence[str]]
"""Name to where it is given."""


def files_of(tree: Path) -> Places:
    """The file names of *tree*."""
    found = defaultdict(list)
    for path in sorted(tree.rglob("*.py")):
        found[path.name].append(path.relative_to(tree).as_posix())
    return found


def classes_of(tree: Path) -> Places:
    """The names of the public classes of *tree*."""
    found = defaultdict(list)
    for path in sorted(tree.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(f"{path.relative_to(tree).as_posix()}:{node.lineno}")
    return found


def problems(found: Places, allowed: Mapping[str, int], section: str) -> Iterator[str]:
    """What is wrong with the names *found*, or with the exceptions *allowed*, which are listed in *section*."""
    for name, places in sorted(found.items()):
        number = allowed.get(name, 1)
        if number and len(places) > number:
            yield (
                f"{name} is the name of {len(places)} places ({', '.join(places)}): call the new one what it is, "
                f"or say in {LIST.name}, {section}, why it may be called that"
            )
    for name, number in sorted(allowed.items()):
        there = len(found.get(name, ()))
        if number == 1 or there < (number or 2):
            yield f"{LIST.name}, {section}: {name} is the name of {there} now; {'write that' if there > 1 else 'remove the line'}"


@pytest.mark.parametrize("kind", ["files", "classes"])
@pytest.mark.parametrize("tree", ["src/argosy", "tests"])
def test_names_are_unique(root: Path, tree: str, kind: str) -> None:
    """No file and no public class has another's name, but for the exceptions, which are all still there."""
    found = {"files": files_of, "classes": classes_of}[kind](root / tree)
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))[tree][kind]
    allowed = {name: number for names in listed.values() for name, number in names.items()}
    assert len(allowed) == sum(map(len, listed.values())), "a name is there for two reasons"
    assert found
    assert not list(problems(found, allowed, f"{tree}, {kind}"))


@pytest.mark.parametrize(
    ("places", "number", "said"),
    [
        pytest.param(["a/x.py", "b/x.py"], None, "x.py is the name of 2 places (a/x.py, b/x.py): call", id="twice"),
        pytest.param(["a/x.py", "b/x.py", "c/x.py"], 2, "x.py is the name of 3 places", id="once-more-than-allowed"),
        pytest.param(["a/x.py"], 2, "x.py is the name of 1 now; remove the line", id="not-twice-any-more"),
        pytest.param(["a/x.py"], 0, "x.py is the name of 1 now; remove the line", id="no-convention-any-more"),
        pytest.param(["a/x.py", "b/x.py"], 3, "x.py is the name of 2 now; write that", id="less-often"),
    ],
)
def test_what_is_said(places: list[str], number: int | None, said: str) -> None:
    """A name too many is said with its places, an exception too many with what to do."""
    (found,) = problems({"x.py": places}, {} if number is None else {"x.py": number}, "files")
    assert said in found
