"""The pages of `argosy ui` over runs in memory, asked as a browser asks."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from argosy import errors
from argosy.argo import NodeType, Phase
from argosy.ports.runs import Line, Node, Run
from argosy.ui import local_pages
from argosy.ui.page_sources import PageSources

DIGEST = f"sha256:{'a' * 64}"
HOSTILE = "<script>alert(1)</script>"
Client = TestClient[web.Request, web.Application]


class ChangingRuns:
    """Runs of which one goes on at each look."""

    keeps_reports = True
    poll_seconds = 0.0

    def __init__(self, *looks: Run) -> None:
        self.looks = list(looks)
        self.lines = [Line(f"line {number}") for number in range(local_pages.MOST_LINES + 3)]

    def find(self, name: str) -> str:
        """The one that there is."""
        if name != self.looks[0].name:
            raise errors.UsageError(f"there is no run {name!r}")
        return name

    def get(self, _: str) -> Run:
        """As it stands; the next look is at what follows."""
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def newest_first(self, skipped: int = 0) -> Iterator[Run]:
        """It alone, a hundred times."""
        yield from [self.looks[0]] * max(0, 100 - skipped)

    def log(self, _name: str, _step: str | None, *, follow: bool) -> Iterator[Line]:
        """More than a page holds."""
        assert not follow
        return iter(self.lines)


def node(name: str, phase: Phase, parent: str | None = "r-1", kind: NodeType = NodeType.POD, **more: Any) -> Node:
    return Node(name=f"r-1.{name}", type=kind, phase=phase, started=101.0, display_name=name, parent=parent, **more)


def run(phase: str, *nodes: Node, **more: Any) -> Run:
    root = Node(name="r-1", type=NodeType.DAG, phase=Phase.RUNNING, started=100.0)
    return Run(
        name="r-1", phase=phase, started=100.0, root="r-1", nodes={each.name: each for each in (root, *nodes)}, **more
    )


def nobody() -> Any:
    raise errors.TryAgain("the forge does not answer")


def sources(runs: ChangingRuns, **more: Any) -> PageSources:
    return PageSources(
        **{
            "runs": runs,
            "where": "of this test",
            "forge": nobody,
            "desk": nobody,
            "looks": nobody,
            "report": lambda _: None,
            "tracer": nobody,
            "trace": lambda _: nobody(),
            "bill": nobody,
            "graph": lambda _: "",
            **more,
        }
    )


@asynccontextmanager
async def asked(found: PageSources) -> AsyncIterator[Client]:
    async with TestClient(TestServer(local_pages.application(found))) as client:
        yield client


def shown(found: PageSources, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers of the page at *path*."""

    async def one() -> tuple[int, str, dict[str, str]]:
        async with asked(found) as client, client.get(path, headers=headers) as answer:
            return answer.status, await answer.text(), dict(answer.headers)

    return asyncio.run(one())
