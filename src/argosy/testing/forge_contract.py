"""What every forge promises."""

import re
from collections.abc import Callable, Mapping
from typing import ClassVar

import pytest

from argosy import errors
from argosy.domain import promotion, release
from argosy.domain.documents import sha256
from argosy.domain.promotion import Proposal, Request, State, Subject
from argosy.ports.forge import Forge

TEMPLATE = {"README.md": b"the environment repo\n", "policies/toy.yaml": b"model: toy\n"}
"""What main of the forge under test starts with."""

Push = Callable[[Mapping[str, bytes | None]], None]
"""Commits changes to main behind the forge's back, as a person would."""


def digest(name: str) -> str:
    """A model digest for tests."""
    return sha256(name.encode())


def version(name: str, model: str = "toy") -> release.Version:
    """A version whose digest stands for *name*."""
    return release.Version(
        model=model,
        version=1,
        model_digest=digest(name),
        storage_uri=f"file:///store/{name}",
        evidence_digest=digest(f"evidence of {name}"),
        policy_digest=digest("policy"),
    )


def proposal(
    name: str,
    *,
    environment: str = "staging",
    model: str = "toy",
    champion: str | None = None,
    author: str = "argosy",
    **evidence: str,
) -> Proposal:
    """A proposal for the model that *name* stands for, compared with *champion*; *evidence* (file to text) beside it."""
    subject = Subject(
        model=model,
        environment=environment,
        model_digest=digest(name),
        version=1,
        champion_digest=digest(champion) if champion else None,
        policy_digest=digest("policy"),
    )
    beside = {
        "evidence.json": f"{name} {champion}".encode(),
        **{file: text.encode() for file, text in evidence.items()},
    }
    return Proposal(
        subject=subject,
        title=promotion.title(model, 1, environment),
        body=f"about {name}\n",
        files=promotion.files(subject, version(name, model).yaml(), beside),
        author=author,
    )


def revert(name: str, *, to: str) -> Proposal:
    """A proposal to take out of staging the model that *name* stands for and to put back the one that *to* does."""
    before = proposal(to)
    note = promotion.rejected_path("toy", digest(name))
    return Proposal(
        subject=before.subject.model_copy(update={"reverts": digest(name)}),
        title="Revert toy",
        body=f"about {name}\n",
        files={**before.files, note: b"errors\n"},
    )


def opened(forge: Forge, proposed: Proposal) -> Request:
    """The request for *proposed*, which must have one."""
    request = forge.propose(proposed)
    assert request is not None
    return request


def open_requests(forge: Forge) -> list[int]:
    """The numbers of the requests that are open."""
    return [request.number for request in forge.requests() if request.state is State.OPEN]


class ForgeContract:
    """Inherit, and provide the fixtures ``forge`` (starting with TEMPLATE) and ``push``."""

    account: ClassVar[str | None] = None
    """The account in whose name this forge merges, where it is not the reviewer who is named."""

    def test_main_can_be_read(self, forge: Forge, push: Push) -> None:
        """What main says now, and what it said at a commit."""
        before = forge.head()
        push({"README.md": b"changed\n"})
        assert forge.read("README.md") == b"changed\n"
        assert forge.read("README.md", before) == TEMPLATE["README.md"]
        assert forge.read("nothing/here") is None
        assert forge.head() != before

    def test_rights(self, forge: Forge) -> None:
        """Who may write may propose."""
        assert forge.may_propose()

    def test_a_proposal_opens_a_request(self, forge: Forge) -> None:
        """Everything a reviewer sees is there, and main is untouched."""
        before = forge.head()
        proposed = proposal("a", extra="more")
        request = opened(forge, proposed)
        assert (request.state, request.subject, request.title) == (State.OPEN, proposed.subject, proposed.title)
        assert request.branch == f"promote/toy/staging/{digest('a').removeprefix('sha256:')[:12]}"
        assert set(request.labels) == {"promotion", "model/toy", "environment/staging"}
        assert "about a" in forge.request(request.number).body
        assert forge.files(request.number) == proposed.files
        assert [one.number for one in forge.requests()] == [request.number]
        assert forge.head() == before

    def test_proposing_twice_gives_one_request(self, forge: Forge) -> None:
        """A step that was retried, also with evidence measured anew, finds the request it opened."""
        first = opened(forge, proposal("a"))
        assert opened(forge, proposal("a")).number == first.number
        assert opened(forge, proposal("a", extra="measured again")).number == first.number
        assert len(forge.requests()) == 1

    def test_a_newer_candidate_supersedes(self, forge: Forge) -> None:
        """One request is open per model and environment; the older says which took its place."""
        older, newer = opened(forge, proposal("a")), opened(forge, proposal("b"))
        closed = forge.request(older.number)
        assert (closed.state, closed.superseded_by) == (State.SUPERSEDED, newer.number)
        assert str(newer.number) in (closed.reason or "")
        assert open_requests(forge) == [newer.number]

    def test_other_models_and_environments_stay_open(self, forge: Forge) -> None:
        """Superseding ends at the model and its environment."""
        numbers = [
            opened(forge, proposed).number
            for proposed in (proposal("a"), proposal("b", environment="production"), proposal("c", model="other"))
        ]
        assert open_requests(forge) == numbers

    def test_another_champion_is_another_question(self, forge: Forge) -> None:
        """The same model compared with another champion gets a request and a branch of its own; a reviewed branch never changes."""
        first = opened(forge, proposal("a"))
        second = opened(forge, proposal("a", champion="c"))
        assert second.branch == f"{first.branch}-2"
        assert forge.files(first.number) == proposal("a").files
        assert open_requests(forge) == [second.number]

    def test_a_candidate_can_return(self, forge: Forge) -> None:
        """Superseded is not refused: the older model may be proposed again, on a new branch."""
        first = opened(forge, proposal("a"))
        opened(forge, proposal("b"))
        again = opened(forge, proposal("a"))
        assert again.branch == f"{first.branch}-2"
        assert open_requests(forge) == [again.number]
        forge.merge(again.number, by="ada", at=forge.head())
        assert forge.request(first.number).state is State.SUPERSEDED

    def test_a_merge_brings_the_files(self, forge: Forge, push: Push) -> None:
        """Main has the proposal's files, without what another left in their place, and all that others changed meanwhile."""
        stale = "models/toy/staging/evidence/stale.txt"
        push({stale: b"of an older model\n"})
        request = opened(forge, proposal("a"))
        push({"README.md": b"changed meanwhile\n"})
        merged = forge.merge(request.number, by="Ada Reviewer", at=forge.head(), note="Overruled-by: nobody\n")
        assert (merged.state, merged.ended_by) == (State.MERGED, self.account or "Ada Reviewer")
        assert all(forge.read(path) == content for path, content in proposal("a").files.items())
        assert forge.read(stale) is None
        assert forge.read("README.md") == b"changed meanwhile\n"

    def test_merging_twice_is_one(self, forge: Forge) -> None:
        """A merge whose answer was lost can be repeated."""
        request = opened(forge, proposal("a"))
        forge.merge(request.number, by="ada", at=forge.head())
        after = forge.head()
        assert forge.merge(request.number, by="ada", at=after).state is State.MERGED
        assert forge.head() == after

    def test_a_merge_needs_the_main_that_was_checked(self, forge: Forge, push: Push) -> None:
        """Where main moved between check and merge, nothing is merged."""
        request = opened(forge, proposal("a"))
        checked = forge.head()
        push({"policies/toy.yaml": b"model: toy\nstricter: true\n"})
        with pytest.raises(errors.TryAgain, match="moved"):
            forge.merge(request.number, by="ada", at=checked)
        assert forge.request(request.number).state is State.OPEN
        assert forge.read("models/toy/staging/version.yaml") is None

    def test_what_is_served_is_not_proposed(self, forge: Forge, push: Push) -> None:
        """Where main names the digest the answer is the merged request, or none where it came another way."""
        request = opened(forge, proposal("a"))
        forge.merge(request.number, by="ada", at=forge.head())
        again = opened(forge, proposal("a", champion="c"))
        assert (again.number, again.state) == (request.number, State.MERGED)
        push({"models/toy/production/version.yaml": version("b").yaml().encode()})
        assert forge.propose(proposal("b", environment="production")) is None
        assert len(forge.requests()) == 1

    def test_merged_and_reverted_is_not_served(self, forge: Forge, push: Push) -> None:
        """Merged counts as done only while main names the digest; after a revert the model gets a request on a new branch."""
        first = opened(forge, proposal("a"))
        forge.merge(first.number, by="ada", at=forge.head())
        push({"models/toy/staging/version.yaml": None})
        again = opened(forge, proposal("a"))
        assert (again.state, again.branch) == (State.OPEN, f"{first.branch}-2")
        forge.merge(again.number, by="ada", at=forge.head())
        push({"models/toy/staging/version.yaml": version("b").yaml().encode()})
        assert opened(forge, proposal("a")).branch == f"{first.branch}-3"

    def test_a_person_s_no_stands(self, forge: Forge) -> None:
        """What a person closed is not opened again by a retry; the message says who, why, and how to go on."""
        request = opened(forge, proposal("a"))
        closed = forge.close(request.number, by="ada", reason="not this quarter")
        assert (closed.state, closed.ended_by, closed.reason) == (State.CLOSED, "ada", "not this quarter")
        with pytest.raises(errors.Rejected, match=re.compile(r"closed by ada.*not this quarter.*reopen", re.DOTALL)):
            forge.propose(proposal("a"))
        assert forge.close(request.number, by="ben", reason="again").ended_by == "ada"
        assert opened(forge, proposal("b")).state is State.OPEN

    def test_reopening(self, forge: Forge) -> None:
        """A closed request can be taken up again; it supersedes the one that is open by then."""
        first = opened(forge, proposal("a"))
        forge.close(first.number, by="ada", reason="")
        second = opened(forge, proposal("b"))
        assert forge.reopen(first.number, by="ada").state is State.OPEN
        assert open_requests(forge) == [first.number]
        assert forge.request(second.number).superseded_by == first.number
        assert opened(forge, proposal("a")).number == first.number
        assert forge.reopen(first.number, by="ada").state is State.OPEN

    @pytest.mark.parametrize("ending", ["close", "supersede"])
    def test_what_is_closed_is_not_merged(self, forge: Forge, ending: str) -> None:
        """A merge of a closed request is refused, and main stays as it is."""
        request = opened(forge, proposal("a"))
        if ending == "close":
            forge.close(request.number, by="ada", reason="no")
        else:
            opened(forge, proposal("b"))
        before = forge.head()
        with pytest.raises(errors.Rejected, match="cannot be merged"):
            forge.merge(request.number, by="ada", at=before)
        assert forge.head() == before

    def test_what_is_merged_stays_merged(self, forge: Forge) -> None:
        """Closing or reopening after the fact is refused."""
        request = opened(forge, proposal("a"))
        forge.merge(request.number, by="ada", at=forge.head())
        with pytest.raises(errors.Rejected, match="is merged"):
            forge.close(request.number, by="ada", reason="too late")
        with pytest.raises(errors.Rejected, match="is merged"):
            forge.reopen(request.number, by="ada")

    def test_the_diff_is_against_main(self, forge: Forge) -> None:
        """Before the merge: what it would change. After: what it changed."""
        request = opened(forge, proposal("a"))
        before = forge.diff(request.number)
        assert f'+modelDigest: "{digest("a")}"' in before
        assert "+++ b/models/toy/staging/version.yaml" in before
        forge.merge(request.number, by="ada", at=forge.head())
        second = opened(forge, proposal("b"))
        assert f'-modelDigest: "{digest("a")}"' in forge.diff(second.number)
        assert f'+modelDigest: "{digest("a")}"' in forge.diff(request.number)

    def test_what_main_had(self, forge: Forge, push: Push) -> None:
        """The commits that changed a file, newest first, and the files of a place as they were."""
        places = promotion.served_paths("toy", "staging")
        for name in ("a", "b"):
            forge.merge(opened(forge, proposal(name)).number, by="ada", at=forge.head())
            push({"README.md": f"after {name}\n".encode()})
        newest, oldest = forge.history(places[0])
        assert forge.contents(places, newest) == proposal("b").files
        assert forge.contents(places, oldest) == proposal("a").files
        push({places[0]: None})
        assert len(forge.history(places[0])) == 3
        assert forge.history("nothing/here") == []

    def test_going_back(self, forge: Forge) -> None:
        """A revert is one request beside what else is open; merged, it puts back the files and says why."""
        for name in ("a", "b"):
            forge.merge(opened(forge, proposal(name)).number, by="ada", at=forge.head())
        candidate = opened(forge, proposal("c", champion="b"))
        back = revert("b", to="a")
        request = opened(forge, back)
        assert request.branch == f"revert/toy/staging/{digest('b').removeprefix('sha256:')[:12]}"
        assert set(request.labels) == {"revert", "model/toy", "environment/staging"}
        assert opened(forge, back).number == request.number
        assert open_requests(forge) == [candidate.number, request.number]
        assert forge.files(request.number) == back.files
        forge.merge(request.number, by="ada", at=forge.head())
        assert all(forge.read(path) == content for path, content in back.files.items())
        assert opened(forge, back).state is State.MERGED

    def test_unknown_numbers(self, forge: Forge) -> None:
        """A number that is no request is a mistake of the command line."""
        for ask in (forge.request, forge.files, forge.diff):
            with pytest.raises(errors.UsageError, match="no request 7"):
                ask(7)
