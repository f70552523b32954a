"""Each page of `argosy ui` and the report of a run, looked at by axe in Chromium: with ARGOSY_AXE, a folder in which somebody typed

npm install axe-core@4 playwright-core@1
"""

import argparse
import asyncio
import os
import shutil
from pathlib import Path

import pytest

from argosy.ui import local_pages

KIT = Path(__file__).parents[2] / "kit"
AXE, HOME = os.environ.get("ARGOSY_AXE", ""), os.environ.get("ARGOSY_AXE_HOME", "")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 240


@pytest.mark.skipif(not (AXE and HOME), reason="ARGOSY_AXE and ARGOSY_AXE_HOME name no folders")
@pytest.mark.skipif(CHROMIUM is None or shutil.which("node") is None, reason="no Chromium or no node is installed")
def test_axe_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a wide light screen and a narrow dark one; and no page is wider than its screen."""
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

    async def look() -> str:
        async with local_pages.answering(sources, 0) as address:
            run = f"runs/{found[0]}"
            pages = ["", "runs", run, f"{run}/log", f"{run}/report", "requests", "nothing", "time", "cost", "trace"]
            pages += [f"{run}/compare"] if len(found) > 1 else []
            requests = list(sources.forge().requests())
            for each in requests[:1]:
                model = each.subject.model
                pages += [f"requests/{each.number}", f"models/{model}", f"trace?what={model}/{each.subject.version}"]
                pages += [f"models/{model}/versions"] if len(sources.tracer().versions(model)) > 1 else []
            asked = await asyncio.create_subprocess_exec(
                "node",
                str(KIT / "axe.mjs"),
                str(CHROMIUM),
                *(address + page for page in pages),
                cwd=AXE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await asyncio.wait_for(asked.communicate(), PATIENCE)
            assert asked.returncode == 0, err.decode()
            return out.decode()

    assert asyncio.run(look()) == ""
