"""Pages as a real Chromium shows them, on a wide light screen and a narrow dark one: none wider than its screen, each as it looked before.

The pictures of before (``tests/golden/screens``) are a third as large, so that what they hold is the layout and not the edges of letters.
They are of one Chromium and one font; with others that comparison is skipped by their names. ``ARGOSY_REGENERATE=1`` draws them anew.
"""

import asyncio
import functools
import io
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from PIL import Image, ImageChops

from kit import chromium, page_texts

KEPT = Path(__file__).parents[2] / "golden" / "screens"
MADE_WITH = KEPT / "made-with.txt"
SCREENS = {"wide": (1280, "light"), "narrow": (390, "dark")}
PAGES = ("report", "rejected-report", "run", "runs", "runs-compared", "versions-compared", "nothing")
SMALLER = 3
"""Points of a page to one of its kept picture, either way."""
COLOURS = 64
SEEN = 64
"""By how much of 255 a point is another one: less is the edge of a letter."""
MOST_OTHERS = 0.002
"""The share of points that may be others."""
OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BROWSER = chromium.program()
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium on PATH, and CHROMIUM names none")


@dataclass(frozen=True)
class Screenshot:
    """One page on one screen."""

    picture: Image.Image
    over: int
    """Points by which the page is wider than the screen."""


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], Screenshot]:
    """Each page on each screen, by one browser."""
    place = tmp_path_factory.mktemp("pages")
    texts = page_texts.of_runs()
    assert tuple(texts) == PAGES
    for name, text in texts.items():
        (place / f"{name}.html").write_text(text, encoding="utf-8")

    async def look() -> dict[tuple[str, str], Screenshot]:
        found = {}
        async with chromium.tab(cast("str", BROWSER)) as tab:
            for screen, (width, scheme) in SCREENS.items():
                await tab.screen(width, scheme)
                for name in texts:
                    await tab.open((place / f"{name}.html").as_uri())
                    over = await tab.value(OVER)
                    found[name, screen] = Screenshot(_small(await tab.picture()), over)
        return found

    return asyncio.run(look())


def _small(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as whole:
        size = (whole.width // SMALLER, whole.height // SMALLER)
        return whole.convert("RGB").resize(size, Image.Resampling.BOX)


@functools.cache
def made_with() -> str:
    """The browser and the fonts that a page is drawn with here."""
    said = subprocess.run([cast("str", BROWSER), "--version"], capture_output=True, text=True, check=True).stdout
    version = next((word for word in said.split() if word[0].isdigit()), "unknown").partition(".")[0]
    fonts = [_font(name) for name in ("system-ui", "monospace")]
    return f"Chromium {version} with {' and '.join(fonts)}"


def _font(name: str) -> str:
    if shutil.which("fc-match") is None:
        return "unknown fonts"
    found = subprocess.run(["fc-match", "--format=%{family[0]}", name], capture_output=True, text=True, check=True)
    return found.stdout


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_wider_than_its_screen(
    page: str, screen: str, screenshots: Mapping[tuple[str, str], Screenshot]
) -> None:
    """What is wider scrolls within itself."""
    assert screenshots[page, screen].over <= 0


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_looks_as_it_did(
    page: str, screen: str, screenshots: Mapping[tuple[str, str], Screenshot], tmp_path: Path
) -> None:
    """Its height and its picture, but for the edges of letters."""
    kept, now, here = KEPT / f"{page}-{screen}.png", screenshots[page, screen].picture, made_with()
    if os.environ.get("ARGOSY_REGENERATE"):
        KEPT.mkdir(exist_ok=True)
        now.quantize(COLOURS, dither=Image.Dither.NONE).save(kept, optimize=True)
        MADE_WITH.write_text(here + "\n", encoding="utf-8")
        return
    before = MADE_WITH.read_text(encoding="utf-8").strip()
    if here != before:
        pytest.skip(f"the kept pictures are of {before}, this machine has {here}; ARGOSY_REGENERATE=1 draws them anew")
    with Image.open(kept) as opened:
        then = opened.convert("RGB")
    now.save(tmp_path / "now.png")
    assert now.size == then.size, f"{kept.name} was {then.size}, {tmp_path / 'now.png'} is {now.size}"
    share = others(then, now)
    assert share <= MOST_OTHERS, f"{share:.2%} of {kept.name} are other than in {tmp_path / 'now.png'}"


def others(one: Image.Image, other: Image.Image) -> float:
    """The share of points of two pictures of one size that anybody would see as another."""
    red, green, blue = ImageChops.difference(one, other).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return sum(most.histogram()[SEEN:]) / (one.width * one.height)


def test_what_moved_is_seen() -> None:
    """A comparison that cannot fail compares nothing: a line of words less is seen, the edge of a letter is not."""
    page = Image.new("RGB", (400, 300), "white")
    less = page.copy()
    less.paste((23, 33, 43), (20, 40, 140, 46))
    assert others(page, less) > MOST_OTHERS
    edge = page.copy()
    edge.paste((220, 220, 220), (20, 40, 140, 46))
    assert others(page, edge) == 0.0
