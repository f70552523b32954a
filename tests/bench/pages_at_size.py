"""The pages of `argosy ui` over a state folder with ten thousand runs: from the server, in a browser, and how large they are.

    argosy run churn && python tests/bench/pages_at_size.py [--runs 10000] [--rounds 5]

The runs are the newest finished one of ARGOSY_HOME, written again under other names and moments: journal, manifest, report, surroundings.
Its name is in those files and has as many letters as the new ones, so each is of its own run. Runs between the newest and the oldest share
one journal by a hard link, or they would fill a disk; no page but the lists reads them. Nothing else of the state folder is copied twice.

Printed of each page: milliseconds of processor time (which a loaded machine does not lengthen) of the first answer, when nothing is kept
from before, and of the quickest later one, server and its asker together; of the quickest by the clock; from the click to the load event in
Chromium by the clock, where one is installed; and kilobytes.
"""

import argparse
import asyncio
import datetime
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from argosy.cli import ui  # noqa: E402 - after the path, as below
from argosy.engine.state import runs  # noqa: E402
from argosy.settings import Settings  # noqa: E402
from argosy.templates import folder  # noqa: E402
from argosy.ui import local_pages  # noqa: E402
from argosy.ui.page_sources import PageSources  # noqa: E402
from kit import chromium  # noqa: E402 - the path is this program's own

OWN = 200
"""Runs at either end that have a journal of their own: more than any page reads."""
FILES = ("manifest.json", "resources.json", "report.html", "surroundings.json", "peak-memory-bytes")
FIRST_MS, SERVER_MS, BROWSER_MS, PAGE_KB = 500.0, 100.0, 500.0, 200.0
"""What is aimed at."""
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


@dataclass
class PageTimes:
    """One page."""

    path: str
    kilobytes: float = 0.0
    processor: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)
    browser: list[float] = field(default_factory=list)

    def line(self) -> str:
        """In words, with a mark behind what is beyond its aim."""
        figures = [
            (f"first {self.processor[0]:.0f}", self.processor[0] > FIRST_MS),
            (f"then {min(self.processor[1:]):.0f} ms of processor time", min(self.processor[1:]) > SERVER_MS),
            (f"{min(self.clock):.0f} ms by the clock", False),
            (f"{self.kilobytes:.0f} kB", self.kilobytes > PAGE_KB),
        ]
        if self.browser:
            loaded = min(self.browser)
            figures.insert(3, (f"in the browser {loaded:.0f} ms", loaded > BROWSER_MS))
        return f"/{self.path:<58}" + ", ".join(text + " (!)" * beyond for text, beyond in figures)


def filled(home: Path, pattern: runs.RunFolder, target: Path, count: int) -> list[str]:
    """Write *count* runs like *pattern* below *target*, beside all else of *home*. Returns their names, the oldest first."""
    for each in home.iterdir():
        if each.name in ("objects", "cache"):
            (target / each.name).symlink_to(each)
        elif each.is_dir() and each.name != "runs":
            shutil.copytree(each, target / each.name)
        elif each.is_file():
            shutil.copy(each, target)
    names = list(_names(pattern.run, count))
    journal = (pattern.path / runs.JOURNAL).read_bytes()
    shared = target / "shared.sqlite"
    shared.write_bytes(journal)
    for place, name in enumerate(names):
        made = target / "runs" / name
        made.mkdir(parents=True)
        own = place < OWN or place >= count - OWN
        if own:
            (made / runs.JOURNAL).write_bytes(journal.replace(*_both(pattern.run, name)))
        else:
            os.link(shared, made / runs.JOURNAL)
        for file in FILES if own else FILES[:2]:  # after the journal, than which what a run used is no older
            if (pattern.path / file).is_file():
                (made / file).write_bytes((pattern.path / file).read_bytes().replace(*_both(pattern.run, name)))
    newest = target / "runs" / names[-1]
    shutil.copytree(pattern.path / "nodes", newest / "nodes")
    return names


def _both(one: str, other: str) -> tuple[bytes, bytes]:
    return one.encode(), other.encode()


def _names(name: str, count: int) -> Iterator[str]:
    """Names like *name*, an hour apart."""
    stem, last = runs.STAMP.sub("", name), datetime.datetime.now(datetime.UTC)
    for place in range(count):
        moment = last - datetime.timedelta(hours=count - place)
        yield f"{stem}{moment:%y%m%d-%H%M%S}-{place % 65536:04x}"


def pages(sources: PageSources, names: list[str], model: str) -> list[str]:
    """Paths of one page of each kind, and of the list's end. *model*: whose runs they are."""
    newest = names[-1]
    requests = [each for each in sources.forge().requests() if each.subject.model == model]
    found = ["", "runs", f"runs?before={len(names) - local_pages.PAGE}", f"runs/{newest}", f"runs/{newest}/log"]
    found += [
        f"runs/{newest}/report",
        f"runs/{newest}/compare",
        f"runs/{names[0]}",
        "requests",
        "time",
        "cost",
        "trace",
    ]
    found.append(f"models/{model}")
    for each in requests[:1]:
        found += [f"requests/{each.number}", f"trace?what={each.subject.model}/{each.subject.version}"]
    return found


async def measured(sources: PageSources, paths: list[str], rounds: int) -> list[PageTimes]:
    """Each of *paths*, asked *rounds* times."""
    found = [PageTimes(path) for path in paths]
    sources.load()  # as the server does by itself before a person has found a request to open
    async with local_pages.answering(sources, 0) as address:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout()) as session:
            for page in found:
                for _ in range(rounds):
                    begun, used = time.perf_counter(), time.process_time()
                    async with session.get(address + page.path) as answer:
                        body = await answer.read()
                        if answer.status != 200:
                            raise SystemExit(f"/{page.path} answered {answer.status}: {body[-300:].decode()}")
                    page.processor.append(1000 * (time.process_time() - used))
                    page.clock.append(1000 * (time.perf_counter() - begun))
                    page.kilobytes = len(body) / 1000
                print(page.line(), flush=True)
        if browser := chromium.program():
            async with chromium.tab(browser) as tab:
                await tab.screen(1280, "light")
                for _ in range(rounds):
                    for page in found:
                        await tab.open(address + page.path)
                        page.browser.append(await tab.value(LOADED))
    return found


def main() -> None:
    """Fill, ask, print; end 1 where a page is beyond what is aimed at."""
    parser = argparse.ArgumentParser()
    ui.add_arguments(parser)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5, help="2 at least")
    asked = parser.parse_args()
    home = Settings.from_environment().home
    pattern = next((each for each in runs.from_newest(home) if each.state()[0].get("finished")), None)
    if pattern is None:
        raise SystemExit(f"there is no finished run under {home}: run a model first, such as `argosy run churn`")
    model = pattern.manifest()["metadata"]["annotations"][folder.MODEL]
    with tempfile.TemporaryDirectory() as place:
        names = filled(home, pattern, Path(place), asked.runs)
        os.environ["ARGOSY_HOME"] = place
        sources = ui.sources(asked, Settings.from_environment())
        found = asyncio.run(measured(sources, pages(sources, names, model), asked.rounds))
    aims = f"{FIRST_MS:.0f} ms at first, {SERVER_MS:.0f} ms then, {BROWSER_MS:.0f} ms in the browser, {PAGE_KB:.0f} kB"
    print(f"{asked.runs:,} runs like {pattern.run}; (!): beyond {aims}")
    for page in found:
        print(page.line())
    raise SystemExit(any("(!)" in page.line() for page in found))


if __name__ == "__main__":
    main()
