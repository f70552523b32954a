"""Pages as a real Chromium shows them, on a wide light screen and a narrow dark one: none wider than its screen, each as it looked before.

The pictures of before (``tests/golden/screens``) are a third as large, so that what they hold is the layout and not the edges of letters.
They are of one Chromium and one font; with others that comparison is skipped by their names. ``ARGOSY_REGENERATE=1`` draws them anew.
"""

import asyncio
import dataclasses
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

from argosy.argo import Phase
from argosy.domain.evidence import Table
from argosy.domain.release import Version
from argosy.domain.run_differences import RunDifference
from argosy.report import html
from argosy.ui import compared_versions, live_pages
from argosy.ui.compared_runs import ComparedRuns
from argosy.ui.compared_versions import KnownVersion
from kit import chromium, reported
from kit.asked_pages import ChangingRuns, node, run, shown, sources

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


def _wide_tables() -> list[Table]:
    """What is wide on a phone: many classes, and words where others have figures."""
    classes = [str(year) for year in range(1994, 2003)]
    counted = [[each, *("58" if each == other else "0" for other in classes)] for each in classes]
    words = [["worst push of 0.01 standard deviations", "91.13% of decisions turned", ""], ["as it is", "0.9293", ""]]
    return [
        Table(
            title="Confusion matrix",
            dimension="performance",
            header=["True class", *(f"decided {each}" for each in classes)],
            rows=counted,
        ),
        Table(title="Robustness", dimension="robustness", header=["Inputs", "r2", "Change"], rows=words),
    ]


def _texts() -> Mapping[str, str]:
    """The pages, whole, of records that are the same at any time."""
    full = reported.full()
    judged = reported.evidence(tables=_wide_tables(), curves=full.evidence.curves if full.evidence else [])
    refused = reported.evidence(
        verdict="reject",
        gates=[reported.gate("performance.auc", 0.71, ">= 0.8", passed=False)],
        explanation="One gate failed.",
    )
    failed = node("train", Phase.FAILED, message="main: Error (exit code 78)", finished=111.0)
    ended = run(
        "Failed", node("ingest", Phase.SUCCEEDED, finished=104.0), failed, finished=120.0, message="train failed"
    )
    settings = [RunDifference("settings", "search.trials", "6", "12"), RunDifference("settings", "seed", "7", "8")]
    both = ComparedRuns("toy", "r-0", "r-1", "Rejected", "Ready", [("settings", settings)], ["r-00"])
    one, other = reported.evidence(), reported.evidence(metrics={"performance.auc": 0.87})
    versions = compared_versions.of(
        KnownVersion(_version(6), one, "production", merged=True),
        KnownVersion(_version(7), other, "staging", merged=False),
        [7, 6],
    )
    return {
        "report": html.render(dataclasses.replace(full, evidence=judged)),
        "rejected-report": html.render(dataclasses.replace(full, evidence=refused)),
        "run": shown(sources(ChangingRuns(ended)), "/runs/r-1")[1],
        "runs": live_pages.runs([ended] * 12, 0, False, "of this machine"),
        "runs-compared": live_pages.compare(both),
        "versions-compared": live_pages.versions(versions),
        "nothing": live_pages.message("Nothing is here", "No page has this address."),
    }


def _version(number: int) -> Version:
    digest = "sha256:" + f"{number:x}" * 64
    return Version(
        model="churn",
        version=number,
        model_digest=digest,
        storage_uri="file:///s/",
        evidence_digest=digest,
        policy_digest=digest,
    )


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], Screenshot]:
    """Each page on each screen, by one browser."""
    place = tmp_path_factory.mktemp("pages")
    texts = _texts()
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
