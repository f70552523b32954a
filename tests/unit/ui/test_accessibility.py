"""Every kind of page, looked at by axe in Chromium: nothing keeps anybody with a keyboard or a screen reader out.

Pages of records are looked at always. What only real runs, or Sphinx, would write is looked at where one is named: ARGOSY_AXE_HOME, a state
folder with runs, and ARGOSY_AXE_SITE, the folder that `make docs` writes.
"""

import argparse
import asyncio
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import cast

import pytest

from argosy.ui import local_pages
from kit import axe, chromium, page_texts

BROWSER = chromium.program()
HOME, SITE = (os.environ.get(name, "") for name in ("ARGOSY_AXE_HOME", "ARGOSY_AXE_SITE"))
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium on PATH, and CHROMIUM names none")


async def _found(pages: Mapping[str, str], screens: Collection[str] = tuple(axe.SCREENS)) -> list[str]:
    return [line async for line in axe.looks(cast("str", BROWSER), pages, screens)]


def test_axe_finds_nothing_on_any_kind_of_page(root: Path, tmp_path: Path) -> None:
    """On a wide light screen and a narrow dark one; none is wider than its screen, and what is folded is unfolded."""
    pages = {}
    for name, text in page_texts.every(root).items():
        path = tmp_path / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        pages[name] = path.as_uri()
    wrong = tmp_path / "wrong.html"
    wrong.write_text("<!doctype html><html lang=en><title>x</title><main><h1>x</h1><img src=x.png></main>")
    found = asyncio.run(_found({**pages, "wrong": wrong.as_uri()}, ("wide and light", "phone and dark")))
    seen = [line for line in found if line.startswith("wrong,")]  # a look that cannot fail finds nothing
    assert [line.split(":")[1] for line in seen] == [" image-alt, 1 times, first at img"] * len(seen) != []
    assert [line for line in found if line not in seen] == []


@pytest.mark.skipif(not HOME, reason="ARGOSY_AXE_HOME names no state folder")
@pytest.mark.timeout(900)
def test_axe_finds_nothing_on_the_pages_of_a_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its newest run, its requests and its models show."""
    from argosy.cli import ui
    from argosy.engine.state import runs
    from argosy.settings import Settings

    monkeypatch.setenv("ARGOSY_HOME", HOME)
    here = Settings.from_environment()
    found = [each.run for each in runs.newest_first(here.home)]
    if not found:
        pytest.fail(f"there is no run under {here.home}: run a model first, such as `argosy run churn`")
    parser = argparse.ArgumentParser()
    ui.add_arguments(parser)
    sources = ui.sources(parser.parse_args([]), here)

    async def look() -> list[str]:
        async with local_pages.answering(sources, 0) as address:
            run = f"runs/{found[0]}"
            pages = ["", "runs", run, f"{run}/log", f"{run}/report", "requests", "nothing", "time", "cost", "trace"]
            for each in {one.subject.model: one for one in sources.forge().requests()}.values():
                model = each.subject.model
                pages += [f"requests/{each.number}", f"models/{model}", f"trace?what={model}/{each.subject.version}"]
                pages += [f"models/{model}/versions"] if len(sources.tracer().versions(model)) > 1 else []
            pages += [f"runs/{each}/report" for each in found[1:] if sources.report(each)]
            return await _found({f"/{page}": address + page for page in pages})

    assert asyncio.run(look()) == []


@pytest.mark.skipif(not SITE, reason="ARGOSY_AXE_SITE names no folder of the documentation")
@pytest.mark.timeout(3600)  # tables of a thousand rows
def test_axe_finds_nothing_in_the_documentation() -> None:
    """On each page of the site, as its theme shows it."""
    pages = {each.name: each.absolute().as_uri() for each in sorted(Path(SITE).glob("*.html"))}
    assert pages
    assert asyncio.run(_found(pages, ("wide and light", "phone and dark"))) == []
