"""Any sequence of what pipelines and people do: the local forge does what the simplest forge does, and the promises hold after each."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from argosy import errors
from argosy.adapters.local_forge.forge import MAIN, LocalForge
from argosy.adapters.memory_forge import MemoryForge
from argosy.domain import environment_layout
from argosy.domain.promotion_requests import State
from argosy.files.git_repository import Person, Repository
from argosy.ports.forge import Forge
from argosy.testing.forge_contract import TEMPLATE, merge, proposal, version

NAMES, NUMBERS = st.sampled_from("abc"), st.integers(1, 6)
ENVIRONMENTS = st.sampled_from(environment_layout.ENVIRONMENTS)
SERVED = {
    environment: environment_layout.version_path("toy", environment) for environment in environment_layout.ENVIRONMENTS
}


class Forges(RuleBasedStateMachine):
    """Everything is done to both."""

    @initialize()
    def start(self) -> None:
        """Both start from the same main."""
        self.folder = Path(tempfile.mkdtemp(prefix="argosy-states-"))
        self.memory = MemoryForge(TEMPLATE)
        self.local = LocalForge(self.folder / "environment.git", TEMPLATE)
        self.repository = Repository(self.folder / "environment.git")
        self.repository.git("config", "core.fsync", "none")  # nothing here is about losing power
        self.merged: set[int] = set()

    def teardown(self) -> None:
        """Leave nothing."""
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    def both(self, act: Callable[[Forge], Any]) -> None:
        """Do it to both; the answers must be the same."""
        assert _answer(self.local, act) == _answer(self.memory, act)

    @rule(name=NAMES, environment=ENVIRONMENTS, champion=st.none() | NAMES)
    def propose(self, name: str, environment: str, champion: str | None) -> None:
        """A pipeline ends."""
        self.both(lambda forge: forge.propose(proposal(name, environment=environment, champion=champion)))

    @rule(number=NUMBERS)
    def merge(self, number: int) -> None:
        """A reviewer says yes."""
        self.both(lambda forge: merge(forge, number))

    @rule(number=NUMBERS)
    def close(self, number: int) -> None:
        """A reviewer says no."""
        self.both(lambda forge: forge.close(number, by="ada", reason="no"))

    @rule(number=NUMBERS)
    def reopen(self, number: int) -> None:
        """A reviewer thinks again."""
        self.both(lambda forge: forge.reopen(number, by="ada"))

    @rule(environment=ENVIRONMENTS, name=st.none() | NAMES)
    def push(self, environment: str, name: str | None) -> None:
        """A person changes what main serves, or reverts it."""
        changes = {SERVED[environment]: version(name).yaml().encode() if name else None}
        self.memory.push(changes)
        _push(self.repository, changes)

    @invariant()
    def promises_hold(self) -> None:
        """One open request a place; no branch twice; merged stays merged; both mains serve the same."""
        requests = self.local.requests()
        places = [(one.subject.model, one.subject.environment) for one in requests if one.state is State.OPEN]
        assert len(places) == len(set(places))
        assert len({one.branch for one in requests}) == len(requests)
        now = {one.number for one in requests if one.state is State.MERGED}
        assert self.merged <= now
        self.merged = now
        for path in SERVED.values():
            assert self.local.read(path) == self.memory.read(path)


def _answer(forge: Forge, act: Callable[[Forge], Any]) -> Any:
    try:
        request = act(forge)
    except errors.ArgosyError as error:
        return type(error)
    return request and request.model_dump(
        include={"number", "subject", "branch", "state", "reason", "ended_by", "superseded_by", "labels"}
    )


def _push(repository: Repository, changes: Mapping[str, bytes | None]) -> None:
    main = repository.resolve(MAIN)
    assert main
    assert repository.move(MAIN, repository.commit(main, changes, "By hand\n", Person("Some Body")), main)


TestForges = Forges.TestCase
TestForges.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
