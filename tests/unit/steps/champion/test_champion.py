"""Which model is in production and by which policy a candidate is judged, as main of a real environment repo says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy import wiring
from argosy.domain import environment_layout, promotion_requests
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef
from argosy.files.git_repository import Person, Repository
from argosy.settings import Settings
from argosy.testing.forge_contract import files_of, merge
from kit.toy import POLICY, proposal_of

VERSION = environment_layout.version_path("toy", environment_layout.PRODUCTION)


@pytest.fixture
def settings(toy: Any) -> dict[str, Path]:
    """The one input: the model's settings."""
    return {"settings": toy.folder / "settings"}


def push(here: Settings, files: dict[str, bytes | None]) -> None:
    """A commit on main, as somebody with a clone makes it."""
    repository = Repository(here.home / "forge" / "environment.git")
    main = repository.resolve("refs/heads/main")
    assert main
    assert repository.move("refs/heads/main", repository.commit(main, files, "By hand\n", Person("ada")), main)


def to_production(here: Settings, toy: Any) -> None:
    """Propose *toy* and merge it, environment by environment."""
    forge = wiring.forge(here)
    request = forge.propose(proposal_of(toy))
    while request:
        merge(forge, request.number)
        following = promotion_requests.next_proposal(forge.request(request.number), files_of(forge, request.number))
        request = forge.propose(following) if following else None


def test_before_the_first_release(run_step: Callable[..., Any], settings: dict[str, Path]) -> None:
    """The digest is `none`; the policy comes out byte for byte, and a second attempt writes the same bytes."""
    first, second = (run_step("champion", settings) for _ in range(2))
    assert (first.code, first.said, first.result("champion-digest")) == (0, "", "none")
    assert (first.out("champion") / "policy.yaml").read_bytes() == POLICY
    assert ChampionRef.read(first.out("champion") / "champion.json") == ChampionRef(
        model="toy", policy_digest=sha256(POLICY)
    )
    for name in ("champion.json", "policy.yaml"):
        assert (first.out("champion") / name).read_bytes() == (second.out("champion") / name).read_bytes()


def test_what_production_serves(
    run_step: Callable[..., Any], settings: dict[str, Path], here: Settings, toy: Any
) -> None:
    """Digest, number and place, as main's version file names them; staging alone is not production."""
    forge = wiring.forge(here)
    merge(forge, 1) if forge.propose(proposal_of(toy)) else None
    assert run_step("champion", settings).result("champion-digest") == "none"
    to_production(here, toy)
    ran = run_step("champion", settings)
    found = ChampionRef.read(ran.out("champion") / "champion.json")
    assert ran.result("champion-digest") == found.model_digest == toy.digest
    assert (found.version, found.storage_uri) == (1, "file:///store/x")


def test_after_a_revert(run_step: Callable[..., Any], settings: dict[str, Path], here: Settings, toy: Any) -> None:
    """Git says who is champion: a revert takes the crown back."""
    to_production(here, toy)
    push(here, {VERSION: None})
    assert run_step("champion", settings).result("champion-digest") == "none"


def test_a_model_without_a_policy(run_step: Callable[..., Any], settings: dict[str, Path], here: Settings) -> None:
    """Without gates nothing can be judged: 78, and the file that is missing."""
    run_step("champion", settings)
    push(here, {"policies/toy.yaml": None})
    ran = run_step("champion", settings)
    assert ran.code == 78
    assert "the environment repo has no policies/toy.yaml on main; its reviewers write one first" in ran.said
    assert not ran.out("champion").exists() or not list(ran.out("champion").iterdir())


def test_a_version_file_that_was_edited_by_hand(
    run_step: Callable[..., Any], settings: dict[str, Path], here: Settings
) -> None:
    """The line is named, and nothing is guessed from it."""
    run_step("champion", settings)
    push(here, {VERSION: b"model: toy\n"})
    ran = run_step("champion", settings)
    assert ran.code == 78
    assert f"main:{VERSION}:1: expected a quoted text or a whole number; found toy" in ran.said


def test_without_its_input(run_step: Callable[..., Any]) -> None:
    """The input and the place where it should lie."""
    ran = run_step("champion", {})
    assert ran.code == 78
    assert "step champion has no input 'settings': nothing at " in ran.said
