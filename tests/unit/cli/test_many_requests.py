"""Fifty models with a request each, at once: what it costs to list them, by what a server is asked."""

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from argosy import errors, wiring
from argosy.adapters.hosted_forge import github
from argosy.adapters.hosted_forge.promotion_pulls import HostedForge
from argosy.adapters.memory_objects import MemoryObjects
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.cli import loop_check, main
from argosy.domain.rollouts import Rollout
from argosy.promotion import canaries
from argosy.settings import Settings
from argosy.testing.forge_contract import TEMPLATE, digest, proposal
from kit import fleet as fleets
from kit import github_graphql
from kit.fake_github import FakeGithub

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
MODELS = 50
MOST_CALLS = 5


@pytest.fixture(scope="module")
def project(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of fifty models."""
    place = tmp_path_factory.mktemp("fleet") / "project"
    fleets.write(place, root, MODELS)
    return place


@pytest.fixture(scope="module")
def filled() -> Iterator[FakeGithub]:
    """A GitHub where each of the models is served and has a request open. No test here ends one."""
    fake = FakeGithub(TEMPLATE)
    forge = HostedForge(github.of_token("owner/name", "secret", api=fake.api, patience=0.0))
    names = [fleets.name_of(number) for number in range(MODELS)]
    fake.store.push(
        {path: content for name in names for path, content in proposal("b", model=name).files.items()},
    )
    for name in names:
        forge.propose(proposal("a", model=name))
    yield fake
    fake.stop()


@pytest.fixture
def server(filled: FakeGithub, project: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGithub:
    """That GitHub, asked by nobody yet, from the project of these models."""
    forge = HostedForge(github.of_token("owner/name", "secret", api=filled.api, patience=0.0))
    monkeypatch.setattr(wiring, "forge", lambda _settings: forge)
    monkeypatch.setattr(wiring, "objects", lambda _settings, _uri: MemoryObjects())
    monkeypatch.chdir(project)
    filled.seen.clear()
    return filled


def test_what_waits_is_one_list(server: FakeGithub, capsys: pytest.CaptureFixture[str]) -> None:
    """A page of a hundred is one call, whatever the number of models."""
    assert main.run(["pr", "list"]) == errors.DONE
    assert len(capsys.readouterr().out.splitlines()) == MODELS
    assert len(server.seen) <= MOST_CALLS, server.seen


def test_one_table_of_the_fleet(server: FakeGithub, capsys: pytest.CaptureFixture[str]) -> None:
    """What is served and what waits, of all, is asked of main and of the list: not model by model."""
    assert main.run(["fleet", "--json"]) == errors.DONE
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(row["staging"], row["production"]) for row in rows} == {("1", "-")}
    assert [row["requests"] for row in rows] == [f"#{number} staging" for number in range(1, MODELS + 1)]
    assert len(server.seen) <= MOST_CALLS, server.seen[:20]


def test_one_look_of_converge_at_fifty_canaries(server: FakeGithub) -> None:
    """Where all are healthy and nothing follows, main is asked once for all of them."""
    forge = HostedForge(github.of_token("owner/name", "secret", api=server.api, patience=0.0))
    model_digest = digest("b")
    seen = [
        Rollout(
            model=fleets.name_of(number),
            environment="staging",
            newest=model_digest,
            stable=model_digest,
            phase="Progressing",
            name=fleets.name_of(number),
            namespace="serving",
            failed=False,
        )
        for number in range(MODELS)
    ]
    settled = canaries.settle("staging", seen, forge=forge, registry=MemoryRegistry(NOW), report=lambda _: None)
    assert len(settled) == MODELS
    assert len(server.seen) <= MOST_CALLS, server.seen[:20]


def test_doctor_asks_main_once_for_all(server: FakeGithub, project: Path, tmp_path: Path) -> None:
    """What it says of fifty models is of one look at main."""
    here = Settings.from_environment({"ARGOSY_HOME": str(tmp_path / "home"), "ARGOSY_DATA_ROOT": str(project)})
    found = list(loop_check.results(here, None, served=True))
    assert len({result.name for result in found}) >= MODELS
    assert len(server.seen) <= MOST_CALLS, server.seen[:20]


def test_what_merges_by_itself_is_asked_environment_by_environment(
    server: FakeGithub, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no environment has rules, fifty open requests are one list and a file."""
    assert main.run(["pr", "auto-merge"]) == errors.DONE
    assert "no open request of an environment" in capsys.readouterr().out
    assert len(server.seen) <= MOST_CALLS, server.seen


def test_what_graphql_does_not_give_whole_is_asked_for_by_itself(server: FakeGithub) -> None:
    """Neither what is no text, nor a text that GitHub gives otherwise than it is."""
    odd = {f"odd/{number}": bytes([255, number]) for number in range(10)} | {
        "odd/text": "ä\r\n".encode(),
        "odd/empty": b"",
    }
    server.store.push(odd)
    forge = HostedForge(github.of_token("owner/name", "secret", api=server.api, patience=0.0))
    assert forge.contents(sorted(odd), forge.head()) == odd
    whole = server.store.blobs
    cut = next(sha for sha, content in whole.items() if content == "ä\r\n".encode())
    real = github_graphql._object
    with mock.patch.object(
        github_graphql,
        "_object",
        lambda store, oid: {**(real(store, oid) or {}), **({"text": "ä\n"} if oid == cut else {})},
    ):
        assert forge.contents(sorted(odd), forge.head()) == odd
