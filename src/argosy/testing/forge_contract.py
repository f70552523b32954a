"""The contract suite of forges (the port ``forge``)."""

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import pytest

from argosy import errors
from argosy.domain import changes, diffs, environment_layout, promotion_requests, release
from argosy.domain.changes import ChangedFile, Kind
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef, Evidence
from argosy.domain.promotion_requests import Proposal, Request, State, Subject
from argosy.domain.provenance import Provenance
from argosy.domain.second_file import SecondFile
from argosy.ports.forge import Forge
from argosy.testing.manual_requests import Hand

TEMPLATE = {"README.md": b"the environment repo\n", "policies/toy.yaml": b"model: toy\n"}
"""The files of main at the start."""
CLEAN = Provenance(commit="0" * 40, tree="clean", manifest=sha256(b"manifest"), code=sha256(b"code"))
"""The provenance of the proposed models."""

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
    provenance: Provenance = CLEAN,
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
    judged = _evidence(subject, provenance).canonical_json().encode()
    beside = {"evidence.json": judged, **{file: text.encode() for file, text in evidence.items()}}
    proposed = version(name, model)
    if provenance != CLEAN:
        proposed = proposed.model_copy(update={"evidence_digest": sha256(judged)})
    return Proposal(
        subject=subject,
        title=promotion_requests.title(model, 1, environment),
        body=f"about {name}\n",
        files=promotion_requests.files(subject, proposed.yaml(), beside),
        author=author,
    )


def _evidence(subject: Subject, provenance: Provenance) -> Evidence:
    champion = ChampionRef(
        model=subject.model, model_digest=subject.champion_digest, policy_digest=subject.policy_digest
    )
    return Evidence(
        model=subject.model,
        task="binary",
        model_digest=subject.model_digest,
        snapshot_digest=digest("snapshot"),
        policy_digest=subject.policy_digest,
        champion=champion,
        provenance=provenance,
        rows_train=1,
        rows_holdout=1,
        metrics={},
        gates=[],
        verdict="promote",
        explanation="",
    )


def revert(name: str, *, to: str) -> Proposal:
    """A proposal to take out of staging the model that *name* stands for and to put back the one that *to* does."""
    before = proposal(to)
    note = environment_layout.rejected_path("toy", digest(name))
    return Proposal(
        subject=before.subject.model_copy(update={"reverts": digest(name)}),
        title="Revert toy",
        body=f"about {name}\n",
        files={**before.files, note: b"errors\n"},
    )


def retirement(name: str) -> Proposal:
    """A proposal to retire toy from staging, which serves the model that *name* stands for."""
    before = proposal(name)
    version, retired = (
        path("toy", "staging") for path in (environment_layout.version_path, environment_layout.retired_path)
    )
    return Proposal(
        subject=before.subject.model_copy(update={"retires": True, "champion_digest": None}),
        title="Retire toy",
        body=f"about {name}\n",
        files={retired: b"# over\n" + before.files[version]},
    )


def opened(forge: Forge, proposed: Proposal) -> Request:
    """The request for *proposed*, which must have one."""
    request = forge.propose(proposed)
    assert request is not None
    return request


def merge(forge: Forge, number: int, *, by: str = "ada", note: str = "") -> Request:
    """Merge the request as it is now into main as it is now, as a reviewer who asks no questions."""
    return forge.merge(number, head=forge.request(number).head, by=by, at=forge.head(), note=note)


def files_of(forge: Forge, number: int) -> Mapping[str, bytes]:
    """Path to content of what the request proposes in the place that it says."""
    request = forge.request(number)
    return forge.contents(promotion_requests.places(request.subject), request.head)


def open_requests(forge: Forge) -> list[int]:
    """The numbers of the requests that are open."""
    return [request.number for request in forge.requests() if request.state is State.OPEN]


def by_path(found: Sequence[ChangedFile]) -> dict[str, tuple[Kind, str]]:
    """Path to kind and mode."""
    return {one.path: (one.kind, one.mode) for one in found}


def renewal(name: str, signature: str) -> Proposal:
    """A proposal that what staging serves, the model that *name* stands for, has another *signature*."""
    before = signed(name, signature)
    return replace(before, subject=before.subject.model_copy(update={"renews": True, "champion_digest": None}))


def signed(name: str, signature: str) -> Proposal:
    """A proposal for the model that *name* stands for, with *signature*."""
    before = proposal(name)
    beside = environment_layout.evidence_folder("toy", "staging")
    path = f"{beside}/{environment_layout.BUNDLE_SIGNATURE}"
    return replace(before, files={**before.files, path: signature.encode()})


def experiment(name: str, *, beside: str, percent: int = 20) -> Proposal:
    """A proposal that staging asks the model that *name* stands for, too, beside the one that *beside* stands for, as a shadow."""
    live = version(beside)
    second = SecondFile(
        role="shadow",
        percent=percent,
        version=2,
        model_digest=digest(name),
        storage_uri="file:///store/",
        signature="signed",
    )
    subject = Subject(
        model="toy",
        environment="staging",
        model_digest=second.model_digest,
        version=second.version,
        champion_digest=live.model_digest,
        policy_digest=live.policy_digest,
        tries="shadow",
        percent=percent,
    )
    path = environment_layout.second_path("toy", "staging")
    return Proposal(subject=subject, title="Try toy", body=f"about {name}\n", files={path: second.yaml().encode()})


def end_of_experiment(beside: str) -> Proposal:
    """A proposal that staging, which serves the model that *beside* stands for, tries nothing any more."""
    before = experiment("b", beside=beside).subject
    ended = {"tries": "nothing", "percent": None, "champion_digest": None, "version": 1, "model_digest": digest(beside)}
    return Proposal(subject=before.model_copy(update=ended), title="Try nothing", body="enough\n", files={})


class ForgeContract:
    """Inherit, and provide the fixtures ``forge`` (starting with TEMPLATE), ``push`` and ``hand``."""

    account: ClassVar[str | None] = None
    """The account in whose name this forge merges, where it is not the reviewer who is named."""

    def test_main_can_be_read(self, forge: Forge, push: Push) -> None:
        """Main is read as it is now, and as it was at a commit."""
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
        assert files_of(forge, request.number) == proposed.files
        assert [one.number for one in forge.requests()] == [request.number]
        assert forge.head() == before

    def test_a_text_with_pictures_comes_back_as_given(self, forge: Forge) -> None:
        """Where a page finds a picture is the forge's business, and no difference from what was signed."""
        given = replace(proposal("a"), body="# about a\n\n![how far](gates.svg)\n\n![how well](calibration.svg)\n")
        for _ in range(2):
            opened(forge, given)
            assert forge.request(1).body.strip() == given.body.strip()
        forge.close(1, by="ada", reason="no")
        forge.reopen(1, by="ada")
        assert forge.request(1).body.strip() == given.body.strip()

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
        assert files_of(forge, first.number) == proposal("a").files
        assert open_requests(forge) == [second.number]

    @pytest.mark.parametrize("state", [State.OPEN, State.MERGED])
    def test_a_model_of_a_commit_is_proposed_anew(self, forge: Forge, state: State) -> None:
        """Evidence that leaves in doubt where a model comes from is in nobody's way once the same model is made from a commit."""
        doubted = opened(forge, proposal("a", provenance=Provenance()))
        if state is State.MERGED:
            merge(forge, doubted.number)
        clean = opened(forge, proposal("a"))
        assert clean.branch == f"{doubted.branch}-2"
        assert files_of(forge, clean.number) == proposal("a").files
        assert opened(forge, proposal("a")).number == clean.number
        assert open_requests(forge) == [clean.number]
        merge(forge, clean.number)
        assert opened(forge, proposal("a", provenance=Provenance())).number == clean.number

    def test_a_candidate_can_return(self, forge: Forge) -> None:
        """Superseded is not refused: the older model may be proposed again, on a new branch."""
        first = opened(forge, proposal("a"))
        opened(forge, proposal("b"))
        again = opened(forge, proposal("a"))
        assert again.branch == f"{first.branch}-2"
        assert open_requests(forge) == [again.number]
        merge(forge, again.number)
        assert forge.request(first.number).state is State.SUPERSEDED

    def test_a_merge_brings_the_files(self, forge: Forge, push: Push) -> None:
        """Main has the proposal's files, without what another left in their place, and all that others changed meanwhile."""
        stale = "models/toy/staging/evidence/stale.txt"
        push({stale: b"of an older model\n"})
        request = opened(forge, proposal("a"))
        push({"README.md": b"changed meanwhile\n"})
        merged = merge(forge, request.number, by="Ada Reviewer", note="Overruled-by: nobody\n")
        assert (merged.state, merged.ended_by) == (State.MERGED, self.account or "Ada Reviewer")
        assert all(forge.read(path) == content for path, content in proposal("a").files.items())
        assert forge.read(stale) is None
        assert forge.read("README.md") == b"changed meanwhile\n"

    def test_merging_twice_is_one(self, forge: Forge) -> None:
        """A merge whose answer was lost can be repeated."""
        request = opened(forge, proposal("a"))
        merge(forge, request.number)
        after = forge.head()
        assert forge.merge(request.number, head=request.head, by="ada", at=after).state is State.MERGED
        assert forge.head() == after

    def test_a_merge_needs_the_main_that_was_checked(self, forge: Forge, push: Push) -> None:
        """Nothing is merged where main moved between check and merge."""
        request = opened(forge, proposal("a"))
        checked = forge.head()
        push({"policies/toy.yaml": b"model: toy\nstricter: true\n"})
        with pytest.raises(errors.TryAgain, match="moved"):
            forge.merge(request.number, head=request.head, by="ada", at=checked)
        assert forge.request(request.number).state is State.OPEN
        assert forge.read("models/toy/staging/version.yaml") is None

    def test_what_is_served_is_not_proposed(self, forge: Forge, push: Push) -> None:
        """A proposal of a digest that main names is answered with the merged request, or none where it came another way."""
        request = opened(forge, proposal("a"))
        merge(forge, request.number)
        again = opened(forge, proposal("a"))
        assert (again.number, again.state) == (request.number, State.MERGED)
        push({"models/toy/production/version.yaml": version("b").yaml().encode()})
        assert forge.propose(proposal("b", environment="production")) is None
        assert len(forge.requests()) == 1

    def test_what_is_served_can_be_judged_anew(self, forge: Forge) -> None:
        """Staging's model, compared with another champion, brings that evidence in a request of its own; production's is done."""
        first = opened(forge, proposal("a"))
        merge(forge, first.number)
        renewed = opened(forge, proposal("a", champion="c"))
        assert (renewed.state, renewed.branch) == (State.OPEN, f"{first.branch}-2")
        assert opened(forge, proposal("a", champion="c")).number == renewed.number
        merge(forge, renewed.number)
        assert opened(forge, proposal("a", champion="c")).state is State.MERGED
        live = opened(forge, proposal("a", environment="production"))
        merge(forge, live.number)
        again = opened(forge, proposal("a", environment="production", champion="c"))
        assert (again.number, again.state) == (live.number, State.MERGED)

    def test_merged_and_reverted_is_not_served(self, forge: Forge, push: Push) -> None:
        """Merged counts as done only while main names the digest; after a revert the model gets a request on a new branch."""
        first = opened(forge, proposal("a"))
        merge(forge, first.number)
        push({"models/toy/staging/version.yaml": None})
        again = opened(forge, proposal("a"))
        assert (again.state, again.branch) == (State.OPEN, f"{first.branch}-2")
        merge(forge, again.number)
        push({"models/toy/staging/version.yaml": version("b").yaml().encode()})
        assert opened(forge, proposal("a")).branch == f"{first.branch}-3"

    def test_a_person_s_no_stands(self, forge: Forge) -> None:
        """A request that a person closed is not opened again by a retry; the message says who, why, and how to go on."""
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
            forge.merge(request.number, head=request.head, by="ada", at=before)
        assert forge.head() == before

    def test_what_is_merged_stays_merged(self, forge: Forge) -> None:
        """Closing or reopening after the fact is refused."""
        request = opened(forge, proposal("a"))
        merge(forge, request.number)
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
        merge(forge, request.number)
        second = opened(forge, proposal("b"))
        assert f'-modelDigest: "{digest("a")}"' in forge.diff(second.number)
        assert f'+modelDigest: "{digest("a")}"' in forge.diff(request.number)

    def test_the_diff_hides_nothing(self, forge: Forge, hand: Hand) -> None:
        """The diff shows all that a request by hand changes, beyond what its text says."""
        proposed = proposal("a")
        number = hand.open(proposed.subject, {**proposed.files, "CODEOWNERS": b"* @mallory\n"})
        diff = forge.diff(number)
        assert "CODEOWNERS" in diff
        assert "+* @mallory" in diff

    def test_the_diff_says_what_is_no_plain_file(self, forge: Forge, hand: Hand) -> None:
        """A link, or a program, whose content alone would look like a harmless text."""
        proposed = proposal("a")
        path = "models/toy/staging/evidence/notes.md"
        number = hand.open(proposed.subject, {**proposed.files, path: b"evidence.md"}, {path: "120000"})
        (said,) = [one for one in diffs.files(forge.diff(number)) if one.path == path]
        assert "new file mode 120000" in said.text
        others = [one for one in diffs.files(forge.diff(number)) if one.path != path]
        assert others
        assert not [one.path for one in others if "120000" in one.text]

    def test_a_name_makes_no_diff(self, forge: Forge, hand: Hand) -> None:
        """A path with line breaks in it does not read as a harmless change of another file."""
        proposed = proposal("a")
        path = "models/toy/x\ndiff --git a/models/toy/staging/version.yaml b/models/toy/staging/version.yaml\n+harmless"
        number = hand.open(proposed.subject, {**proposed.files, path: b"bad\n"})
        lines = forge.diff(number).splitlines()
        assert "+bad" in lines
        assert "+harmless" not in lines
        assert len([line for line in lines if line.startswith("diff --git")]) == len(proposed.files) + 1

    def test_what_main_had(self, forge: Forge, push: Push) -> None:
        """The commits that changed a file, newest first, and the files of a place as they were."""
        places = environment_layout.served_paths("toy", "staging")
        for name in ("a", "b"):
            merge(forge, opened(forge, proposal(name)).number)
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
            merge(forge, opened(forge, proposal(name)).number)
        candidate = opened(forge, proposal("c", champion="b"))
        back = revert("b", to="a")
        request = opened(forge, back)
        assert request.branch == f"revert/toy/staging/{digest('b').removeprefix('sha256:')[:12]}"
        assert set(request.labels) == {"revert", "model/toy", "environment/staging"}
        assert opened(forge, back).number == request.number
        assert open_requests(forge) == [candidate.number, request.number]
        assert files_of(forge, request.number) == back.files
        merge(forge, request.number)
        assert all(forge.read(path) == content for path, content in back.files.items())
        assert opened(forge, back).state is State.MERGED

    def test_retiring(self, forge: Forge) -> None:
        """One request beside what else is open; merged, the version is gone, its evidence stays, and asking again finds that."""
        merge(forge, opened(forge, proposal("a")).number)
        candidate = opened(forge, proposal("b"))
        over = retirement("a")
        request = opened(forge, over)
        assert request.branch == f"retire/toy/staging/{digest('a').removeprefix('sha256:')[:12]}"
        assert set(request.labels) == {"retirement", "model/toy", "environment/staging"}
        assert opened(forge, over).number == request.number
        assert open_requests(forge) == [candidate.number, request.number]
        assert files_of(forge, request.number) == over.files
        assert "-" in forge.diff(request.number)
        merge(forge, request.number)
        version, evidence = environment_layout.served_paths("toy", "staging")
        assert forge.read(version) is None
        assert forge.contents([evidence], forge.head())
        assert opened(forge, over).state is State.MERGED

    def test_signing_anew(self, forge: Forge) -> None:
        """What is served already is asked for again, as its signature is another; as often as keys change, and beside what else is open."""
        merge(forge, opened(forge, signed("a", "first")).number)
        candidate = opened(forge, proposal("b"))
        second = renewal("a", "second")
        request = opened(forge, second)
        assert request.branch == f"sign/toy/staging/{digest('a').removeprefix('sha256:')[:12]}"
        assert set(request.labels) == {"renewal", "model/toy", "environment/staging"}
        assert opened(forge, second).number == request.number
        assert open_requests(forge) == [candidate.number, request.number]
        main = forge.head()
        assert [one.path.rpartition("/")[2] for one in forge.changes(request, main)] == ["bundle.sig"]
        merge(forge, request.number)
        assert all(forge.read(path) == content for path, content in second.files.items())
        third = opened(forge, renewal("a", "third"))
        assert (third.branch, third.state) == (f"{request.branch}-2", State.OPEN)

    def test_trying_a_second_version(self, forge: Forge, hand: Hand) -> None:
        """One request beside what else is open, for one file; another share is another question; its end is one, and then asked no more."""
        merge(forge, opened(forge, proposal("a")).number)
        candidate = opened(forge, proposal("c"))
        tried = experiment("b", beside="a")
        hand.open(tried.subject, dict(experiment("other", beside="a").files))  # in nobody's way
        request = opened(forge, tried)
        assert request.branch == f"try/toy/staging/shadow-20-{digest('b').removeprefix('sha256:')[:12]}"
        assert set(request.labels) == {"experiment", "model/toy", "environment/staging"}
        assert opened(forge, tried).number == request.number
        assert open_requests(forge) == [candidate.number, request.number]
        more = opened(forge, experiment("b", beside="a", percent=50))
        assert open_requests(forge) == [candidate.number, more.number]
        main = forge.head()
        path = environment_layout.second_path("toy", "staging")
        assert by_path(forge.changes(more, main)) == {path: (Kind.ADDED, changes.PLAIN_FILE)}
        merge(forge, more.number)
        assert forge.read(path) == experiment("b", beside="a", percent=50).files[path]
        assert forge.contents(environment_layout.served_paths("toy", "staging"), forge.head()) == proposal("a").files
        assert opened(forge, experiment("b", beside="a", percent=50)).number == more.number
        over = opened(forge, end_of_experiment("a"))
        assert opened(forge, end_of_experiment("a")).number == over.number
        assert "-" in forge.diff(over.number)
        merge(forge, over.number)
        assert forge.read(path) is None
        assert opened(forge, end_of_experiment("a")).state is State.MERGED
        again = opened(forge, tried)
        assert (again.state, again.branch) == (State.OPEN, f"{request.branch}-2")
        assert candidate.number in open_requests(forge)

    def test_coming_back_from_retirement(self, forge: Forge) -> None:
        """A version that is promoted takes the note away; it may be retired again, by another request. What is tried
        beside it goes with it."""
        for proposed in (proposal("a"), experiment("b", beside="a"), retirement("a"), proposal("b"), retirement("b")):
            merge(forge, opened(forge, proposed).number)
            retired, second = (
                forge.read(path("toy", "staging"))
                for path in (environment_layout.retired_path, environment_layout.second_path)
            )
            assert (retired is not None) is bool(proposed.subject.retires)
            assert (second is not None) is bool(proposed.subject.tries)

    def test_unknown_numbers(self, forge: Forge) -> None:
        """A number that is no request is a mistake of the command line."""
        for ask in (forge.request, forge.diff):
            with pytest.raises(errors.UsageError, match="no request 7"):
                ask(7)

    def test_what_a_request_changes(self, forge: Forge, push: Push) -> None:
        """Every file against where the request left main: not what main changed since, and the same once it is merged."""
        stale = "models/toy/staging/evidence/stale.txt"
        push({stale: b"of an older model\n"})
        request = opened(forge, proposal("a"))
        push({"README.md": b"changed meanwhile\n"})
        plain = changes.PLAIN_FILE
        wanted = dict.fromkeys(proposal("a").files, (Kind.ADDED, plain)) | {stale: (Kind.REMOVED, plain)}
        assert by_path(forge.changes(request, forge.head())) == wanted
        merged = merge(forge, request.number)
        push({"README.md": b"changed afterwards\n"})
        assert by_path(forge.changes(merged, forge.head())) == wanted

    def test_a_file_that_moved_is_two(self, forge: Forge, hand: Hand) -> None:
        """A renamed file is told as one removed and one added: out of the folder, into it, or under another name."""
        moved = {"README.md": None, "models/toy/staging/evidence/README.md": TEMPLATE["README.md"]}
        request = forge.request(hand.open(proposal("a").subject, moved))
        assert by_path(forge.changes(request, forge.head())) == {
            "README.md": (Kind.REMOVED, changes.PLAIN_FILE),
            "models/toy/staging/evidence/README.md": (Kind.ADDED, changes.PLAIN_FILE),
        }

    @pytest.mark.parametrize("mode", changes.KINDS_OF_MODE, ids=list(changes.KINDS_OF_MODE.values()))
    def test_what_is_no_plain_file_is_said(self, forge: Forge, hand: Hand, mode: str) -> None:
        """A link, a submodule, a file that may be executed: a list of names and lines shows none of it."""
        path = "models/toy/staging/evidence/odd"
        content = b"1" * 40 if mode == "160000" else b"../../../../README.md"
        request = forge.request(hand.open(proposal("a").subject, {path: content}, {path: mode}))
        assert by_path(forge.changes(request, forge.head())) == {path: (Kind.ADDED, mode)}

    def test_the_list_of_changes_is_whole(self, forge: Forge, hand: Hand) -> None:
        """Forges end such lists at 300 files, or at 30 a page; what a large request hides behind them is seen."""
        many = {f"models/toy/staging/evidence/{number:04}.txt": b"filling\n" for number in range(320)}
        request = forge.request(
            hand.open(proposal("a").subject, {**many, "policies/toy.yaml": b"model: toy\nlax: 1\n"})
        )
        assert by_path(forge.changes(request, forge.head()))["policies/toy.yaml"] == (Kind.CHANGED, changes.PLAIN_FILE)

    def test_all_commits_of_a_request_count(self, forge: Forge, hand: Hand) -> None:
        """A file of the first of several commits counts, though the last does not touch it."""
        number = hand.open(proposal("a").subject, {"CODEOWNERS": b"* @mallory\n"})
        hand.amend(number, dict(proposal("a").files))
        found = by_path(forge.changes(forge.request(number), forge.head()))
        assert found.keys() == {"CODEOWNERS", *proposal("a").files}

    def test_a_request_that_lies_about_itself_is_not_taken_for_ours(self, forge: Forge, hand: Hand) -> None:
        """Whoever copies a request's text onto another commit does not keep the real one from being opened."""
        forged = hand.open(proposal("a").subject, dict(proposal("b").files))
        request = opened(forge, proposal("a"))
        assert request.number != forged
        assert files_of(forge, request.number) == proposal("a").files
        assert open_requests(forge) == [request.number]

    def test_the_commit_that_was_checked_is_merged_or_none(self, forge: Forge, hand: Hand) -> None:
        """A commit that is pushed between check and merge is not merged, whatever it holds."""
        checked, main = opened(forge, proposal("a")), forge.head()
        hand.amend(checked.number, {"models/toy/staging/version.yaml": version("b").yaml().encode()})
        with pytest.raises(errors.TryAgain, match="moved since it was checked"):
            forge.merge(checked.number, head=checked.head, by="ada", at=main)
        assert forge.head() == main
        assert forge.request(checked.number).state is State.OPEN

    def test_merged_at_another_commit(self, forge: Forge, hand: Hand) -> None:
        """Who asks for a commit to be merged is not told that it is where another one was."""
        checked = opened(forge, proposal("a"))
        hand.amend(checked.number, {"models/toy/staging/evidence/more.txt": b"more\n"})
        merge(forge, checked.number)
        with pytest.raises(errors.Rejected, match=r"is merged at commit .*, not at"):
            forge.merge(checked.number, head=checked.head, by="ada", at=forge.head())

    def test_a_text_that_changes_between_check_and_merge(self, forge: Forge, push: Push, hand: Hand) -> None:
        """A merge brings what the commit changes, or nothing: never what the commit happens to have in the place that a text names."""
        path = "models/other/staging/version.yaml"
        push({path: version("old", "other").yaml().encode()})
        request = opened(forge, proposal("a"))
        push({path: (newer := version("new", "other").yaml().encode())})
        hand.relabel(request.number, proposal("old", model="other").subject)
        with contextlib.suppress(errors.Rejected):
            forge.merge(request.number, head=request.head, by="ada", at=forge.head())
        assert forge.read(path) == newer
        merged = forge.request(request.number).state is State.MERGED
        assert (forge.read("models/toy/staging/version.yaml") is not None) == merged

    def test_nobody_reviewed_it(self, forge: Forge) -> None:
        """So it is not approved, whether or not this forge has reviews; and nothing is taken back of what nobody left to it."""
        request = opened(forge, proposal("a"))
        assert forge.approval(request).state in {"missing", "not asked"}
        forge.merge_no_later(request)
        assert forge.request(request.number).state is State.OPEN

    def test_a_merge_mixes_nothing(self, forge: Forge, push: Push) -> None:
        """A file whose other lines main changed meanwhile is merged as it was checked, or nothing is merged."""
        path = "models/toy/staging/version.yaml"
        served = proposal("a").files[path]
        push({path: served})
        request = opened(forge, proposal("b", champion="a"))
        elsewhere = served.replace(b"version: 1", b"version: 7")
        push({path: elsewhere})
        with contextlib.suppress(errors.Rejected):
            merge(forge, request.number)
        merged = forge.request(request.number).state is State.MERGED
        assert forge.read(path) == (proposal("b").files[path] if merged else elsewhere)
