"""Deque's axe-core, injected into a page over the DevTools protocol: what keeps people with a keyboard or a screen reader out.

The script is the one that the Python package axe-playwright-python carries; its driver, Playwright, is neither installed nor needed.
"""

import importlib.util
import json
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from kit import chromium

PACKAGE = "axe_playwright_python"
SCREENS = {"wide and light": (1280, "light"), "phone and dark": (390, "dark"), "wide and dark": (1280, "dark")}
OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OF_SCREENS = ("color-contrast", "scrollable-region-focusable")
"""Rules whose answer may be another on another screen; whatever else is right on one is right on all."""
RUN = """axe.run(document, {resultTypes: ["violations"], ...ONLY}).then(found => found.violations.map(each =>
  [each.id, each.nodes.length, each.nodes[0].target.join(" "), each.nodes[0].failureSummary.replaceAll("\\n", " ")]))"""
OPEN_ALL = "document.querySelectorAll('details').forEach(each => { each.open = true })"
"""What is folded away is on the page of whoever unfolds it."""


def script() -> str:
    """The JavaScript that defines ``axe``. Raises ModuleNotFoundError where the development dependencies are older than their lock."""
    found = importlib.util.find_spec(PACKAGE)  # its own module imports Playwright
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"no {PACKAGE} here: install requirements/all.txt anew (`make .venv/ready`)")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


async def looks(
    browser: str, pages: Mapping[str, str], screens: Collection[str] = tuple(SCREENS)
) -> AsyncIterator[str]:
    """A line for each thing that axe finds on *pages*, addresses by name, on each of *screens*; and for a page wider than its screen."""
    axe = script()
    async with chromium.tab(browser) as tab:
        for place, screen in enumerate(screens):
            await tab.screen(*SCREENS[screen])
            run = RUN.replace("ONLY", json.dumps({"runOnly": OF_SCREENS} if place else {}))
            for name, address in pages.items():
                await tab.open(address)
                await tab.value(OPEN_ALL)
                await tab.value(f"{axe}; 0")
                for line in _lines(await tab.value(run)):
                    yield f"{name}, {screen}: {line}"
                if (over := await tab.value(OVER)) > 0:
                    yield f"{name}, {screen}: {over} px wider than the screen"


def _lines(found: Iterable[Any]) -> Iterable[str]:
    return (f"{rule}, {count} times, first at {first}: {why}" for rule, count, first, why in found)
