"""The promises of a forge that has reviews, and that merges by itself what is left to it. For adapters of servers, beside the other one."""

import time
from collections.abc import Callable

import pytest

from argosy import errors
from argosy.domain.promotion_requests import Request, State
from argosy.ports.forge import Forge
from argosy.testing.forge_contract import Push, merge, opened, proposal
from argosy.testing.manual_requests import Hand
from argosy.testing.manual_reviews import Reviewers

PATIENCE_SECONDS = 30.0


class ReviewedForgeContract:
    """Inherit, and provide the fixtures ``forge`` (starting with TEMPLATE), ``push``, ``hand`` and ``reviewers``."""

    @pytest.fixture
    def request_of_owner(self, forge: Forge, push: Push, reviewers: Reviewers) -> Request:
        """An open request whose version somebody owns."""
        push({"CODEOWNERS": f"* @{reviewers.owner}\n".encode()})
        return opened(forge, proposal("a"))

    def test_no_rule_wants_a_review(self, forge: Forge, request_of_owner: Request) -> None:
        """So an approval says nothing: main lets the next commit in without one."""
        found = forge.approval(request_of_owner)
        assert found.state == "not asked"
        assert "protect main, or waive reviews" in found.said

    def test_an_owner_approves(self, forge: Forge, request_of_owner: Request, reviewers: Reviewers) -> None:
        """That is the review that is waited for."""
        reviewers.require(approvals=1)
        assert forge.approval(request_of_owner).state == "missing"
        reviewers.say(request_of_owner.number, by=reviewers.owner, yes=True)
        found = forge.approval(request_of_owner)
        assert (found.state, found.said) == ("given", f"approved by {reviewers.owner}")

    def test_somebody_else_approves(self, forge: Forge, request_of_owner: Request, reviewers: Reviewers) -> None:
        """Enough for a rule that counts, not for the owners; the request waits for one of them, by name."""
        reviewers.require(approvals=1)
        reviewers.say(request_of_owner.number, by=reviewers.stranger, yes=True)
        found = forge.approval(request_of_owner)
        assert found.state == "missing"
        assert reviewers.owner in found.said

    def test_another_commit_was_approved(
        self, forge: Forge, request_of_owner: Request, reviewers: Reviewers, hand: Hand
    ) -> None:
        """What is pushed afterwards nobody has seen."""
        reviewers.require(approvals=1)
        reviewers.say(request_of_owner.number, by=reviewers.owner, yes=True)
        hand.amend(request_of_owner.number, {"models/toy/staging/evidence/more.txt": b"more\n"})
        moved = _until(lambda: forge.request(1), lambda found: found.head != request_of_owner.head)
        assert forge.approval(moved).state == "missing"

    def test_a_no_is_a_no(self, forge: Forge, request_of_owner: Request, reviewers: Reviewers) -> None:
        """Whoever else approved; until they change their mind."""
        reviewers.require(approvals=1)
        reviewers.say(request_of_owner.number, by=reviewers.owner, yes=True)
        reviewers.say(request_of_owner.number, by=reviewers.stranger, yes=False)
        assert forge.approval(request_of_owner).state == "refused"
        reviewers.say(request_of_owner.number, by=reviewers.stranger, yes=True)
        assert forge.approval(request_of_owner).state == "given"

    def test_it_is_left_to_no_forge_that_checks_nothing(
        self, forge: Forge, request_of_owner: Request, reviewers: Reviewers
    ) -> None:
        """Where main wants an approval alone, another commit could be approved, and merged unchecked."""
        reviewers.require(approvals=1)
        why = forge.merge_later(request_of_owner, by="argosy")
        assert why is not None
        assert "requires none of the statuses argosy, checks" in why

    def test_the_forge_merges_once_its_rules_are_kept(
        self, forge: Forge, request_of_owner: Request, reviewers: Reviewers
    ) -> None:
        """Another check's word is waited for; then the very commit is on main, with who merged it, and asking twice was no error."""
        reviewers.require(approvals=1, statuses=("argosy",))
        with pytest.raises(errors.Rejected):
            merge(forge, request_of_owner.number)
        forge.report(request_of_owner, passed=False, text="not yet")
        for _ in range(2):
            assert forge.merge_later(request_of_owner, by="argosy", note="Auto-merge: by a rule\n") is None
        reviewers.say(request_of_owner.number, by=reviewers.owner, yes=True)
        forge.report(request_of_owner, passed=True, text="all checks passed")
        merged = _until(lambda: forge.request(1), lambda found: found.state is State.MERGED)
        assert merged.head == request_of_owner.head

    def test_it_is_taken_back(self, forge: Forge, request_of_owner: Request, reviewers: Reviewers) -> None:
        """And once more, where nothing was left to it: the rules are kept, and nothing is merged."""
        reviewers.require(approvals=1, statuses=("argosy",))
        forge.merge_no_later(request_of_owner)
        forge.report(request_of_owner, passed=False, text="not yet")
        assert forge.merge_later(request_of_owner, by="argosy") is None
        forge.merge_no_later(request_of_owner)
        reviewers.say(request_of_owner.number, by=reviewers.owner, yes=True)
        forge.report(request_of_owner, passed=True, text="all checks passed")
        time.sleep(self.settling_seconds)
        assert forge.request(1).state is State.OPEN

    settling_seconds = 0.0
    """How long a forge may take to merge what was left to it; nobody tells that it did not."""


def _until(look: Callable[[], Request], seen: Callable[[Request], bool]) -> Request:
    """The request as it is once *seen* holds: servers work by and by."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not seen(found := look()):
        assert time.monotonic() < end, f"not seen within {PATIENCE_SECONDS:.0f} s: {found}"
        time.sleep(0.05)
    return found
