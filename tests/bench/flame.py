"""Draws a flame graph, as SVG without a script, of where a model server's event loop spends its time.

    py-spy record --pid PID --threads --format raw --output STACKS --duration 15
    python tests/bench/flame.py STACKS TITLE > docs/serving-flame.svg

PID: of a server that is asked meanwhile. Frames of the same function are one, whatever their line. What runs the loop, and where it waits,
is left out. With ``--native`` libraries are shown, too; but py-spy 0.4.3 gave a counter a sixth of the time then, that takes a hundredth.
"""

import argparse
import html
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

WIDTH, HEIGHT, TOP, LEAST, LETTER = 1200.0, 18.0, 40.0, 1.0, 6.6
FRAME = re.compile(r"(?P<name>.+?) \((?P<place>[^()]*)\)")
LIBRARIES = ("libtrees", "libxgboost", "orjson", "_multiarray_umath", "parser.cpython", "_ctypes", "libffi")
KERNEL = ("write", "__write", "recv", "read", "__read")
COLOURS = {"argosy": "#e8a33d", "uvicorn": "#d9c67a", "native": "#c0605a", "other": "#d8d2c4"}


@dataclass
class Node:
    """A function, and those that it calls."""

    samples: int = 0
    calls: dict[str, "Node"] = field(default_factory=dict)

    def add(self, frames: list[str], samples: int) -> None:
        """*samples* were found in the last of *frames*."""
        self.samples += samples
        if frames:
            self.calls.setdefault(frames[0], Node()).add(frames[1:], samples)


def shown(frame: str) -> str | None:
    """The frame's name in the picture; None for one that is left out."""
    found = FRAME.fullmatch(frame)
    if found is None:
        return None
    name, place = found["name"], found["place"]
    if ".py" in place and place.startswith(("argosy/", "uvicorn/", "prometheus_client/", "uuid", "asyncio/")):
        module = re.sub(r"\.py(:\d+)?$", "", place).replace("/", ".")
        return f"{name} {module}"
    if name in KERNEL and place.startswith("libc"):
        return f"{name.strip('_')} kernel"
    library = next((each for each in LIBRARIES if each in place), None)
    return None if library is None else f"{library.removeprefix('lib').strip('_')} native"


def stacks(text: str) -> Node:
    """The event loop's samples in *text*, which py-spy wrote."""
    root = Node()
    for line in text.splitlines():
        whole, _, count = line.rpartition(" ")
        thread, *frames = whole.split(";")
        names = [name for name in map(shown, frames) if name is not None]
        begin = next((place for place, name in enumerate(names) if "data_received" in name or "_end" in name), None)
        if "MainThread" in thread:
            own = names[begin:] if begin is not None else [name for name in names[-1:] if name.endswith("kernel")]
            merged = [name for place, name in enumerate(own) if place == 0 or name != own[place - 1]]
            if merged:
                root.add(merged, int(count))
    return root


def drawn(root: Node, title: str) -> str:
    """*root* as SVG."""
    boxes: list[str] = []
    depth = _draw(root, 0.0, 0, root.samples, boxes)
    height = TOP + (depth + 1) * HEIGHT
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" font-family="monospace" font-size="11">',
            f'<rect width="{WIDTH:g}" height="{height:g}" fill="#fffdf8"/>',
            f'<text x="8" y="22" font-size="15">{html.escape(title)}</text>',
            *boxes,
            "</svg>",
            "",
        ]
    )


def _draw(node: Node, left: float, depth: int, whole: int, boxes: list[str]) -> int:
    deepest = depth
    for name, inner in sorted(node.calls.items(), key=lambda entry: entry[0]):
        width = WIDTH * inner.samples / whole
        if width >= LEAST:
            boxes.append(_box(name, left, depth, width, inner.samples / whole))
            deepest = max(deepest, _draw(inner, left, depth + 1, whole, boxes))
        left += width
    return deepest


def _box(name: str, left: float, depth: int, width: float, share: float) -> str:
    function, _, module = name.rpartition(" ")
    kind = "native" if module in {"native", "kernel"} else module.split(".")[0]
    text = html.escape(function[: int((width - 6) / LETTER)]) if width > 24 else ""
    top = TOP + depth * HEIGHT
    return (
        f'<g><title>{html.escape(name)}: {share:.1%}</title><rect x="{left:.1f}" y="{top:g}" width="{max(width - 0.5, 0.5):.1f}" '
        f'height="{HEIGHT - 1:g}" fill="{COLOURS.get(kind, COLOURS["other"])}"/>'
        f'<text x="{left + 3:.1f}" y="{top + 12:g}">{text}</text></g>'
    )


def main() -> None:
    """Read, draw, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stacks", type=Path)
    parser.add_argument("title")
    given = parser.parse_args()
    sys.stdout.write(drawn(stacks(given.stacks.read_text(encoding="utf-8")), given.title))


if __name__ == "__main__":
    main()
