"""What a merge leads to, as values: the next request, or what it waits for, and whether the registry follows."""

import pytest

from argosy import errors
from argosy.adapters.memory_forge import MemoryForge
from argosy.domain.promotion_requests import State
from argosy.promotion import following
from argosy.testing.forge_contract import TEMPLATE, merge, opened, proposal, revert


@pytest.fixture
def forge() -> MemoryForge:
    """A forge whose main serves nothing."""
    return MemoryForge(TEMPLATE)


def test_on_a_merge(forge: MemoryForge) -> None:
    """Staging's merge opens production's request, and finds it again; production's is the last, and moves the alias."""
    opened(forge, proposal("a"))
    merged = merge(forge, 1)
    for _ in range(2):
        followed = following.follow(forge, merged, on_merge=True)
        assert followed.next is not None
        assert (followed.next.number, followed.next.subject.environment) == (2, "production")
        assert (followed.waits_for, followed.changes_champion) == (None, False)
    last = following.follow(forge, merge(forge, 2), on_merge=True)
    assert (last.next, last.waits_for, last.changes_champion) == (None, None, True)
    assert [request.state for request in forge.requests()] == [State.MERGED, State.MERGED]


def test_on_health(forge: MemoryForge) -> None:
    """Where health opens the next request, a merge says what is waited for; after the last environment, and a revert, nothing is."""
    opened(forge, proposal("a"))
    assert following.follow(forge, merge(forge, 1), on_merge=False).waits_for == "staging"
    opened(forge, proposal("b"))
    merge(forge, 2)
    opened(forge, revert("b", to="a"))
    assert following.follow(forge, merge(forge, 3), on_merge=False).waits_for is None
    assert len(forge.requests()) == 3


def test_what_is_not_merged_leads_to_nothing(forge: MemoryForge) -> None:
    """Its state is said."""
    request = opened(forge, proposal("a"))
    with pytest.raises(errors.Rejected, match="request 1 is open, not merged"):
        following.follow(forge, request, on_merge=True)
    assert len(forge.requests()) == 1
