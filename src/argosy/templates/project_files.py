"""The files of a project that a model's folder takes from outside itself: modules it imports, files it names.

Found by reading, never by running. What is imported from an installed package is that package's; what a
program puts together while it runs is not seen.
"""

import ast
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path


def of(model: Path, sources: Sequence[str], is_there: Callable[[Path], bool] = Path.is_file) -> Mapping[Path, str]:
    """Each file outside the folder *model* that its Python *sources* take in, by its absolute path, to how; only of its project.

    *is_there* tells whether a path is a file; whoever also asks about files that are gone says so there.
    """
    own, found = _real(model), dict[Path, str]()
    waiting = [(own / name, name) for name in sources if (own / name).is_file()]
    for link in _links(own):
        found[_real(link)] = f"{link.relative_to(own)} is a link to it"
    while waiting:
        source, through = waiting.pop()
        for path, how in _taken_in(source, own, is_there):
            if path.is_relative_to(own.parents[1]) and not path.is_relative_to(own) and path not in found:
                found[path] = f"{through} {how}"
                if path.suffix == ".py" and path.is_file():
                    waiting.append((path, f"{through} through {path.name}"))
    return found


def _links(own: Path) -> Iterator[Path]:
    return (path for path in sorted(own.rglob("*")) if path.is_symlink() and not _real(path).is_relative_to(own))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve raises at links in a circle


def _taken_in(source: Path, own: Path, is_there: Callable[[Path], bool]) -> Iterator[tuple[Path, str]]:
    """The files that *source* imports or names, each with the word for it; nothing of a file that is no Python."""
    try:
        tree = ast.parse(source.read_bytes())
    except (SyntaxError, ValueError):
        return  # whoever runs it says so
    root = own.parents[1]
    named = [_real(place / name) for name in _names(tree) for place in (source.parent, own, root)]
    yield from ((path, "names it") for path in named if is_there(path))
    # A program that puts a folder on its path names the folder.
    places = [root, source.parent, *(path for path in named if path.is_dir() and not own.is_relative_to(path))]
    for module, level in _imports(tree):
        for place in source.parents[level - 1 : level] if level else places:
            yield from ((path, "imports it") for path in _files_of(place, module) if is_there(path))


def _files_of(place: Path, module: str) -> Iterator[Path]:
    """The files that importing *module* from *place* runs: of each package on the way, and its own."""
    inner = place
    for part in module.split("."):
        yield inner / f"{part}.py"
        inner /= part
        yield inner / "__init__.py"


def _imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Each module that is imported, and how many dots it begins with; a name that is imported may be one too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((name.name, 0) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{name.name}" if node.module else name.name, node.level) for name in node.names)


def _names(tree: ast.AST) -> Iterator[str]:
    """Every text that may be a path: ``"a/b"``, ``x / "a" / "b"``, ``join("a", "b")``."""
    for node in ast.walk(tree):
        text = "/".join(_texts(node))
        # No file is called otherwise: a longer text, or one of several lines, is a documentation's or a query's.
        if text.isprintable() and 0 < len(text.encode()) < 256:
            yield text


def _texts(node: ast.AST) -> list[str]:
    """The parts of a path that *node* states."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return [*_texts(node.left), *_texts(node.right)]
    if isinstance(node, ast.Call):
        return [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return []
