"""Canaries as the cluster reports them, an environment repo, and what is opened there."""

from collections import Counter
from collections.abc import Mapping

import pytest

from argosy import errors
from argosy.adapters.memory_forge import MemoryForge
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.domain import environment_layout, merge_checks
from argosy.domain.promotion_requests import Request, State
from argosy.domain.rollouts import Measurement, Rollout
from argosy.promotion import canaries
from argosy.promotion.standing import Main
from argosy.steps.converge import run
from argosy.testing.forge_contract import TEMPLATE, digest, files_of, merge, open_requests, opened, proposal
from argosy.testing.registry_contract import candidate


class Seen:
    """The canaries of a cluster that is not there."""

    def __init__(self, *rollouts: Rollout) -> None:
        self.rollouts = list(rollouts)
        self.looks = 0

    def of(self, environment: str) -> list[Rollout]:
        """See the port."""
        self.looks += 1
        return [one for one in self.rollouts if one.environment == environment]


def aborted(name: str = "b", stable: str = "a", environment: str = "staging") -> Rollout:
    """The canary of the model that *name* stands for, given up over the one that *stable* does."""
    return Rollout(
        name="toy",
        namespace="argosy-staging",
        model="toy",
        environment=environment,
        phase="Degraded",
        failed=True,
        message='Metric "errors" assessed Failed',
        newest=digest(name),
        stable=digest(stable),
        measurements=[Measurement(metric="errors", phase="Failed", values=["[0.01]", "[0.4]"], message="0.4 | <b>")],
    )


@pytest.fixture
def forge() -> MemoryForge:
    """Main names b in staging, a before it; both came by requests."""
    made = MemoryForge(TEMPLATE)
    for name in ("a", "b"):
        merge(made, opened(made, proposal(name)).number)
    return made


def look(
    forge: MemoryForge, *rollouts: Rollout, environment: str = "staging", registry: MemoryRegistry | None = None
) -> list[str]:
    """One run of the step."""
    return run.run(
        environment=environment,
        rollouts=Seen(*rollouts),
        forge=forge,
        registry=registry or MemoryRegistry(),
        report=lambda _line: None,
    )


def test_an_abort_is_one_revert_request(forge: MemoryForge) -> None:
    """However often one looks; it puts back what main had, with the measurements in its text and the reason beside the model."""
    said = [look(forge, aborted()) for _ in range(3)]
    assert said[0] == said[2]
    assert open_requests(forge) == [3]
    request = forge.request(3)
    assert request.subject.reverts == digest("b")
    assert "| errors | Failed |" in request.body
    assert "&#124; &lt;b&gt;" in request.body
    note = environment_layout.rejected_path("toy", digest("b"))
    assert files_of(forge, 3)[note] == b'version 1 was aborted in staging: Metric "errors" assessed Failed\n'
    assert {path: content for path, content in files_of(forge, 3).items() if path != note} == proposal("a").files


def test_merged_it_is_done(forge: MemoryForge) -> None:
    """Main says what is live; a later look, before or after the sync, opens nothing more."""
    look(forge, aborted())
    merge(forge, 3)
    served = Main.now(forge).version("toy", "staging")
    assert served is not None
    assert served.model_digest == digest("a")
    assert "sync is under way" in look(forge, aborted())[0]
    assert open_requests(forge) == []


def test_a_person_keeps_it(forge: MemoryForge) -> None:
    """A revert that was closed stays closed."""
    look(forge, aborted())
    forge.close(3, by="ada", reason="the monitor was broken")
    assert "left alone" in look(forge, aborted())[0]
    assert open_requests(forge) == []


def test_what_was_taken_out_is_not_put_back(forge: MemoryForge) -> None:
    """The third model fails after the second was reverted: the first comes back, not the second."""
    look(forge, aborted())
    merge(forge, 3)
    merge(forge, opened(forge, proposal("c")).number)
    look(forge, aborted("c"))
    assert forge.requests()[-1].subject.model_digest == digest("a")


def test_nothing_to_go_back_to() -> None:
    """The first model of all fails: nobody can choose for us, so it is said, and the others are looked at all the same."""
    forge = MemoryForge(TEMPLATE)
    for model in ("other", "toy"):
        for name in ("a", "b")[: 2 if model == "toy" else 1]:
            merge(forge, opened(forge, proposal(name, model=model)).number)
    first = aborted("a").model_copy(update={"model": "other", "stable": None})
    with pytest.raises(errors.Rejected, match="other: version 1 was given up in staging"):
        look(forge, first, aborted())
    assert [request.subject.model for request in forge.requests() if request.state is State.OPEN] == ["toy"]


def test_the_registry_knows(forge: MemoryForge, tmp_path: object) -> None:
    """The version is marked as taken out."""
    registry = MemoryRegistry()
    for name in ("a", "b"):
        registry.record(candidate(name, tmp_path))
    look(forge, aborted(), registry=registry)
    assert registry.aliases["toy", "rejected"] == 2


def test_the_alias_follows_main(tmp_path: object) -> None:
    """After a rollback in git, which no request of ours made, the registry's champion is what main names."""
    forge, registry = MemoryForge(TEMPLATE), MemoryRegistry()
    for name in ("a", "b", "a"):
        registry.record(candidate(name, tmp_path))
        merge(forge, opened(forge, proposal(name, environment="production")).number)
        registry.crown("toy", digest("b"))
    healthy = aborted("a", "a", "production").model_copy(update={"phase": "Healthy", "failed": False})
    look(forge, healthy, environment="production", registry=registry)
    assert registry.aliases["toy", "champion"] == 1


def test_healthy_staging_opens_production(forge: MemoryForge) -> None:
    """Once, with staging's files; production's own health opens nothing."""
    healthy = aborted().model_copy(update={"phase": "Healthy", "failed": False, "stable": digest("b")})
    for _ in range(2):
        look(forge, healthy)
    assert open_requests(forge) == [3]
    assert forge.request(3).subject.environment == "production"
    assert merge_checks.short(digest("b")) in forge.request(3).branch
    merge(forge, 3)
    look(forge, healthy.model_copy(update={"environment": "production"}), environment="production")
    assert open_requests(forge) == []


def test_what_was_put_back_is_not_proposed(forge: MemoryForge) -> None:
    """After a revert staging is healthy with the old model, which production has had its request for."""
    look(forge, aborted())
    merge(forge, 3)
    healthy = aborted("a").model_copy(update={"phase": "Healthy", "failed": False})
    assert "nothing is left to propose" in look(forge, healthy)[0]


def test_an_unknown_environment(forge: MemoryForge) -> None:
    """A mistyped name is no empty answer."""
    with pytest.raises(errors.Misconfigured, match="no environment 'stagin'"):
        look(forge, environment="stagin")


class AskedForge(MemoryForge):
    """Counts what it is asked."""

    def __init__(self, template: Mapping[str, bytes]) -> None:
        super().__init__(template)
        self.asked = Counter[str]()

    def head(self) -> str:
        """Counted."""
        self.asked["head"] += 1
        return super().head()

    def requests(self) -> list[Request]:
        """Counted."""
        self.asked["requests"] += 1
        return super().requests()


@pytest.mark.parametrize("environment", environment_layout.ENVIRONMENTS)
def test_a_fleet_at_rest(environment: str) -> None:
    """Fifty healthy models that production has: the cluster is looked at once, main is taken once, and no request is looked for."""
    models = [f"toy{number}" for number in range(50)]
    files = {
        path: content
        for model in models
        for each in environment_layout.ENVIRONMENTS
        for path, content in proposal("a", model=model, environment=each).files.items()
    }
    forge, told = AskedForge({**TEMPLATE, **files}), list[str]()
    healthy = aborted("a", "a", environment).model_copy(update={"phase": "Healthy", "failed": False})
    seen = Seen(*(healthy.model_copy(update={"name": model, "model": model}) for model in models))
    forge.asked.clear()
    run.run(environment=environment, rollouts=seen, forge=forge, registry=MemoryRegistry(), report=told.append)
    assert len(told) == 50
    assert seen.looks == 1
    assert forge.asked["requests"] == 0
    assert forge.asked["head"] <= 2  # the aliases of production follow what main names at the end


def test_main_moves_while_others_are_looked_after(forge: MemoryForge) -> None:
    """What is done about a model is of main as it is by then: one that somebody put back meanwhile needs no revert."""
    before = Main.now(forge)
    merge(forge, opened(forge, proposal("a")).number)
    registry = MemoryRegistry()
    settled = canaries._settled(aborted(), before, registry)
    assert (settled.conclusion.action, settled.request) == ("nothing", None)
    assert open_requests(forge) == []
