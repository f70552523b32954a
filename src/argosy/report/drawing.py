"""Small SVG pictures by hand: texts, lines and a light ground of their own, so that they read the same on a light page and on a dark one.

By hand rather than with a plotting library: a few simple pictures do not justify its import, its font cache and its size in the image; and
equal data gives equal bytes. No script, no style sheet, nothing from outside.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 640
INK = "#1f2933"
PALE = "#9aa5b1"
BLUE = "#2563a8"
ORANGE = "#c05621"


@dataclass(frozen=True)
class Picture:
    """One picture, and what it shows in words."""

    svg: str
    said: str


def cut(name: str, longest: int) -> str:
    """*name* in *longest* characters at most."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def text(x: float, y: float, words: str, *, anchor: str = "start", weight: str = "normal", colour: str = INK) -> str:
    """*words* that begin, have their middle or end at *x*, on the line *y*."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}">{html.escape(words)}</text>'


def line(
    x: float, y: float, to_x: float, to_y: float, *, colour: str = INK, width: float = 1, dashed: bool = False
) -> str:
    """A straight line."""
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}" stroke-width="{width:g}"{dashes}/>'


def polyline(points: Sequence[tuple[float, float]], *, colour: str, width: float = 2, dashed: bool = False) -> str:
    """A line through *points*."""
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashes}/>'


def dot(x: float, y: float, *, colour: str) -> str:
    """A point that is seen."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'


def ring(x: float, y: float, *, colour: str) -> str:
    """A point that is not a dot."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#ffffff" stroke="{colour}" stroke-width="2"/>'


def picture(height: float, parts: Sequence[str], *, width: float = WIDTH, said: str = "") -> str:
    """The whole picture; *said*: what it shows, for whoever does not see it."""
    named = f' role="img" aria-label="{html.escape(said)}"' if said else ""
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'font-family="sans-serif" font-size="13"{named}><rect width="100%" height="100%" fill="#ffffff"/>'
    )
    return "\n".join([opening, *parts, "</svg>\n"])
