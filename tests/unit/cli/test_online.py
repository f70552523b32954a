"""The verb ``online`` over a shared store that is a dictionary, and a real environment repo."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from argosy import errors, wiring
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.cli import main
from argosy.domain import bundle, environment_layout, online, promotion_requests, release
from argosy.domain.documents import sha256
from argosy.files.git_repository import Person, Repository
from argosy.ports.features import Held, OnlineFeatures
from argosy.settings import Settings
from kit.toy import Toy, make_toy, proposal_of

ROOT = Path(__file__).parents[3]

OLD = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Shared:
    """A shared online store in memory."""

    content: dict[str, Held] = field(default_factory=dict)

    def hold(self, name: str, model: str = "toy", at: datetime = OLD) -> str:
        """Something with a digest made of *name*, which is returned."""
        digest = sha256(name.encode())
        self.content[digest] = Held(digest, model, 7, at, whole=True)
        return digest

    def load(self, folder: Path, digest: str, model: str) -> None:
        """See the port."""
        self.content[digest] = Held(digest, model, len(list(folder.iterdir())), datetime.now(UTC), whole=True)

    def open(self, digest: str) -> OnlineFeatures:
        """See the port."""
        raise AssertionError("the verb reads no features")

    def held(self) -> Sequence[Held]:
        """See the port."""
        return [self.content[digest] for digest in sorted(self.content)]

    def drop(self, digest: str) -> None:
        """See the port."""
        del self.content[digest]


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Shared:
    """What ARGOSY_ONLINE_STORE_URI leads to."""
    found = Shared()
    monkeypatch.setattr(wiring, "shared_online_store", lambda _settings: found)
    return found


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """A candidate."""
    return make_toy(tmp_path / "toy")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The environment repo: it knows the toy, and serves nothing."""
    policies = tmp_path / "project" / "gitops-env" / "policies"
    policies.mkdir(parents=True)
    text = (ROOT / "gitops-env" / "policies" / "churn.yaml").read_text(encoding="utf-8")
    (policies / "toy.yaml").write_text(text.replace("model: churn", "model: toy"), encoding="utf-8")
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(tmp_path / "project"))
    settings = Settings.from_environment()
    wiring.forge(settings)
    return Repository(Path(settings.forge_uri.removeprefix("local:")))


def version(uri: str, digest: str) -> str:
    """A ``version.yaml`` that names an online store."""
    of = {"model": "toy", "version": 1, "storage_uri": "file:///x", "model_digest": sha256(b"m")}
    judged = {"evidence_digest": sha256(b"e"), "policy_digest": sha256(b"p")}
    return release.Version(**of, **judged, online_store=release.OnlineStore(uri=uri, digest=digest)).yaml()


def serve(repository: Repository, text: str, environment: str = "production") -> None:
    """Let main say that *environment* serves *text*."""
    head = repository.resolve("refs/heads/main") or ""
    path = environment_layout.version_path("toy", environment)
    commit = repository.commit(head, {path: text.encode()}, "Serve\n", Person("jane"))
    assert repository.move("refs/heads/main", commit, head)


def test_what_was_lost_is_loaded_from_the_model_store(
    shared: Shared, repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The files that main names, under the digest that main names; other files in their place are refused."""
    folder = tmp_path / "online"
    folder.mkdir()
    (folder / "online.db").write_text("rows", encoding="utf-8")
    digest = bundle.digest(folder)
    uri = FileArtifacts(Settings.from_environment().store_uri).put(folder, "online/toy/x")
    serve(repository, version(uri, digest))
    assert main.run(["online", "load", "toy"]) == 0
    assert (list(shared.content), shared.content[digest].model) == ([digest], "toy")
    assert f"loaded: toy version 1 ({digest[:19]})" in capsys.readouterr().out
    serve(repository, version(uri, sha256(b"other")))
    assert main.run(["online", "load", "toy"]) == 10
    assert f"is {digest}, but {sha256(b'other')} is approved" in capsys.readouterr().err
    assert list(shared.content) == [digest]


def test_only_what_nobody_needs_is_dropped(
    shared: Shared, repository: Repository, toy: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kept: what is served, what a revert would serve, what a request asks for, what is a day old at most, and other people's."""
    ages = [shared.hold(f"production {number}") for number in range(online.REVERTS + 1)]
    for digest in ages:
        serve(repository, version("file:///x", digest))
    staging, asked_for = shared.hold("staging"), shared.hold("request")
    serve(repository, version("file:///x", staging), "staging")
    proposal = proposal_of(toy)
    path = environment_layout.version_path("toy", environment_layout.STAGING)
    proposal = replace_file(proposal, path, version("file:///x", asked_for))
    assert wiring.forge(Settings.from_environment()).propose(proposal)
    fresh = shared.hold("fresh", at=datetime.now(UTC) - online.GRACE + timedelta(hours=1))
    foreign = shared.hold("foreign", model="another")
    shared.hold("left over")
    kept = {*ages[1:], staging, asked_for, fresh, foreign}
    assert main.run(["online", "prune", "--dry-run"]) == 0
    assert capsys.readouterr().out.count("would drop: toy") == 2
    assert set(shared.content) > kept
    assert main.run(["online", "prune"]) == 0
    assert set(shared.content) == kept
    capsys.readouterr()
    assert main.run(["online", "list", "--json"]) == 0
    named = {one["digest"]: one["named_by"] for one in map(json.loads, capsys.readouterr().out.splitlines())}
    assert named[ages[-1]] == ["production"]
    assert named[ages[-2]] == ["production before"]
    assert named[staging] == ["staging"]
    assert named[asked_for] == ["request 1"]
    assert named[fresh] == named[foreign] == []
    assert main.run(["online", "prune"]) == 0
    assert capsys.readouterr().out == f"nothing to drop, {len(kept)} kept\n"


def replace_file(proposal: promotion_requests.Proposal, path: str, text: str) -> promotion_requests.Proposal:
    """*proposal* with another content of one file."""
    changed: Any = {**proposal.files, path: text.encode()}
    return replace(proposal, files=changed)


def test_people_see_who_names_what(shared: Shared, repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each."""
    assert main.run(["online", "list"]) == 0
    assert capsys.readouterr().out == "nothing is loaded\n"
    serve(repository, version("file:///x", shared.hold("served")))
    shared.content["half"] = Held("half", "toy", 0, OLD, whole=False)
    assert main.run(["online", "list"]) == 0
    half, served = sorted(capsys.readouterr().out.splitlines())
    assert re.fullmatch(r"half +toy +incomplete +2026-01-01 00:00 +nobody", half)
    assert re.fullmatch(r"sha256:\w{12} +toy +7 entities +2026-01-01 00:00 +production", served)


def test_without_a_shared_store_there_is_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """The setting is named."""
    assert main.run(["online", "list"]) == 2
    assert "ARGOSY_ONLINE_STORE_URI is not set" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["list", "prune"])
def test_a_request_that_cannot_be_read_is_named(
    verb: str, shared: Shared, repository: Repository, toy: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is dropped, and whoever looks is told which request it is, where, and how to go on."""
    proposal = proposal_of(toy)
    path = environment_layout.version_path("toy", environment_layout.STAGING)
    assert wiring.forge(Settings.from_environment()).propose(replace_file(proposal, path, "version: one\n"))
    left = shared.hold("left over")
    assert main.run(["online", verb]) == errors.Misconfigured.exit_code
    said = capsys.readouterr().err
    assert said.startswith(
        "error: request 1 is open, and which online features it asks for cannot be read: promote/toy/staging/"
    )
    assert f"{path}:1: expected a quoted text or a whole number; found one" in said
    assert "or close the request: `argosy pr close 1 --reason TEXT`\n" in said
    assert left in shared.content
    assert main.run(["pr", "close", "1", "--reason", "unreadable"]) == 0
    assert main.run(["online", verb]) == 0
