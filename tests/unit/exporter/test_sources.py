"""What the exporter reads of each source, by the series that it shows."""

import datetime
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.adapters.memory_admission_state import MemoryAdmissionState
from argosy.adapters.memory_forge import MemoryForge
from argosy.domain import bundle, environment_layout
from argosy.domain.pipeline_standing import PipelineStanding
from argosy.domain.release import OnlineStore, Version
from argosy.domain.retraining_admission import LedgerEntry, RetrainingLedger
from argosy.domain.rollouts import Rollout
from argosy.exporter import (
    canary_samples,
    environment_samples,
    look_samples,
    pipeline_samples,
    retraining_samples,
    samples,
    series,
)
from argosy.exporter.pipeline_samples import InstalledPipeline, PipelineRun, Pipelines
from argosy.exporter.samples import Reading, Sample
from argosy.ports.runs import Run
from argosy.testing.forge_contract import TEMPLATE, merge, opened, proposal
from kit.fake_workflows import FakeWorkflows
from kit.looked import DIGEST, NOON, MemoryStore, look, performance

NOW = NOON.timestamp()
VERSION = {"model": "churn", "environment": "production", "version": "3", "digest": DIGEST}
HOUR = 3600.0


def values(found: Iterable[Sample], one: series.Series, now: float = NOW) -> dict[tuple[str, ...], float]:
    """Those of the series *one*, by labels."""
    return {each.labels: each.at(now) for each in found if each.series is one}


def of_version(*more: str) -> tuple[str, ...]:
    """The labels of the version that is looked at, and *more*."""
    return (*VERSION.values(), *more)


class TestLooks:
    """The newest look at each model."""

    def test_drift(self) -> None:
        """One verdict of four, how far each column is, of the whole and of slices, and how old all this is."""
        found = look_samples.read(MemoryStore().keep(look())).samples
        assert values(found, series.DRIFT_VERDICT) == {
            of_version("drift"): 1,
            of_version("no drift"): 0,
            of_version("too few"): 0,
            of_version("no data"): 0,
        }
        assert values(found, series.DRIFT_DISTANCE) == {
            of_version("tenure", ""): 0.4,
            of_version("tenure", "contract=month"): 0.02,
        }
        assert values(found, series.LOOK_AGE, NOW + HOUR) == {of_version(): HOUR}
        assert values(found, series.LOOK_ROWS) == {of_version(): 900}
        assert values(found, series.DRIFT_MEAN) == {of_version(): 0.3}

    def test_performance(self) -> None:
        """Figures with their interval and gate; what is undefined has no series, and is neither below its gate nor above."""
        found = look_samples.read(MemoryStore().keep(look(performance=performance()))).samples
        assert values(found, series.PERFORMANCE) == {of_version("auc", ""): 0.7, of_version("log_loss", ""): 0.4}
        assert values(found, series.PERFORMANCE_GATE) == {
            of_version("auc", "at_least"): 0.8,
            of_version("log_loss", "at_most"): 0.6,
            of_version("f1", "at_least"): 0.5,
        }
        assert values(found, series.PERFORMANCE_BELOW) == {of_version("auc"): 1, of_version("log_loss"): 0}
        assert values(found, series.LABEL_COMPLETENESS) == {of_version(): 0.75}
        assert values(found, series.BUSINESS_PER_PREDICTION) == {of_version("revenue"): 2.0}

    def test_without_labels(self) -> None:
        """Nothing rather than zero."""
        found = look_samples.read(MemoryStore().keep(look())).samples
        assert not values(found, series.PERFORMANCE)
        assert not values(found, series.LABEL_COMPLETENESS)

    @pytest.mark.parametrize("content", [b"", b"{", b'{"model": "churn"}'], ids=["empty", "torn", "another"])
    def test_one_that_is_none(self, content: bytes) -> None:
        """It is told, by its key, and the others are read."""
        store = MemoryStore({"looks/other/staging/latest.json": content}).keep(look())
        found = look_samples.read(store)
        assert values(found.samples, series.LOOK_ROWS) == {of_version(): 900}
        (problem,) = found.problems
        assert problem.startswith("looks/other/staging/latest.json is no look: ")


@dataclass
class Bundles:
    """A model store that holds releases until *until*; ``fetched`` are the addresses that it was asked for."""

    until: datetime.datetime = NOON + datetime.timedelta(days=30)
    fails: bool = False
    fetched: list[str] = field(default_factory=list)

    def put(self, folder: Path, name: str) -> str:
        """See the port."""
        raise NotImplementedError

    def get(self, uri: str, into: Path) -> None:
        """See the port."""
        self.fetched.append(uri)
        if self.fails:
            raise errors.TryAgain("the bucket does not answer")
        into.mkdir(parents=True)
        release = bundle.Release(model="toy", model_digest=DIGEST, counter=3, not_after=self.until)
        (into / bundle.RELEASE).write_text(release.model_dump_json(), encoding="utf-8")


def serving(environment: str = "production", **changes: Any) -> MemoryForge:
    """Main names a version in *environment*."""
    version = Version(
        model="toy",
        version=3,
        model_digest=DIGEST,
        storage_uri="s3://models/toy",
        evidence_digest=DIGEST,
        policy_digest=DIGEST,
        **changes,
    )
    path = environment_layout.version_path("toy", environment)
    return MemoryForge({**TEMPLATE, path: version.yaml().encode()})


class TestReleases:
    """What main names."""

    def test_when_servers_refuse_it(self) -> None:
        """By the release in the model store, which is fetched once: it never changes."""
        store = Bundles()
        read = environment_samples.Releases(serving(), store)
        labels = ("toy", "production", "3", DIGEST)
        for _ in range(3):
            found = read()
            assert values(found.samples, series.RELEASE) == {labels: 1}
            assert values(found.samples, series.RELEASE_EXPIRES, NOW + 86400) == {labels: 29 * 86400}
        assert store.fetched == ["s3://models/toy"]

    def test_a_store_that_is_down(self) -> None:
        """What main names is shown; what is not known is told, and asked for again."""
        store = Bundles(fails=True)
        read = environment_samples.Releases(serving(), store)
        found = read()
        assert values(found.samples, series.RELEASE)
        assert not values(found.samples, series.RELEASE_EXPIRES)
        assert found.problems == ["when version 3 of toy expires is not known: the bucket does not answer"]
        store.fails = False
        assert values(read().samples, series.RELEASE_EXPIRES)

    def test_a_version_file_that_nobody_understands(self) -> None:
        """It is told; the other environment is read."""
        forge = serving("staging")
        forge.push({environment_layout.version_path("toy", "production"): b"model: [\n"})
        found = environment_samples.Releases(forge, Bundles())()
        assert len(found.problems) == 1
        assert "production/version.yaml" in found.problems[0]
        assert len(values(found.samples, series.RELEASE)) == 1

    def test_features_of_requests_by_id(self) -> None:
        """A version without an online store answers with what it is sent: nothing of it gets old."""
        assert not values(environment_samples.Releases(serving(), Bundles())().samples, series.FEATURES_AGE)
        store = OnlineStore(uri="s3://online/toy", digest=DIGEST)
        # Without evidence, as here, nobody knows how new they are.
        assert not values(
            environment_samples.Releases(serving(online_store=store), Bundles())().samples, series.FEATURES_AGE
        )


class TestRequests:
    """Those that are open."""

    def test_how_long_they_wait(self) -> None:
        """Until somebody merges or closes them."""
        forge = MemoryForge(TEMPLATE)
        request = opened(forge, proposal("a"))
        since = datetime.datetime.fromisoformat(request.opened_at).timestamp()
        waiting = values(environment_samples.requests(forge).samples, series.REQUEST_OPEN, since + 60)
        assert waiting == {("toy", "staging", "1", "promotion"): 60}
        merge(forge, request.number)
        assert not environment_samples.requests(forge).samples


class TestCanaries:
    """How they stand."""

    @pytest.mark.parametrize(
        ("phase", "failed", "aborted", "under_way"),
        [
            pytest.param("Degraded", True, 1, 0, id="aborted"),
            pytest.param("Paused", False, 0, 1, id="tried"),
            pytest.param("Healthy", False, 0, 0, id="through"),
        ],
    )
    def test_phases(self, phase: str, failed: bool, aborted: int, under_way: int) -> None:
        """Given up, under way, or neither."""

        class Seen:
            def of(self, environment: str) -> list[Rollout]:
                return [
                    Rollout(
                        name="toy",
                        namespace="n",
                        model="toy",
                        environment=environment,
                        phase=phase,
                        failed=failed,
                        newest=DIGEST,
                    )
                ]

        found = canary_samples.read({"staging": Seen()}).samples
        assert values(found, series.CANARY_ABORTED) == {("toy", "staging", DIGEST): aborted}
        assert values(found, series.CANARY_UNDER_WAY) == {("toy", "staging", DIGEST): under_way}


class TestRetrainings:
    """The ledgers."""

    def test_counts(self) -> None:
        """Of what was let in and refused; a reason that never was has a zero, so that the first one is an increase."""
        state = MemoryAdmissionState()
        entry = LedgerEntry(
            id="churn-1", identity="i", kind="drift", environment="production", reference=DIGEST, holder="h", at=NOON,
            lease_until=NOON, outcome="failed", ended=NOON,
        )  # fmt: skip
        ledger = RetrainingLedger(model="churn", admissions=[entry], admitted=1, refused={"cooldown": 7})
        state.take_turn("churn", lambda _: (None, ledger))
        found = retraining_samples.read(state).samples
        assert values(found, series.RETRAININGS) == {("churn",): 1}
        refused = values(found, series.RETRAINING_REFUSALS)
        assert (refused[("churn", "cooldown")], refused[("churn", "budget")]) == (7, 0)
        assert values(found, series.RETRAINING_RUNNING) == {("churn",): 0}
        assert values(found, series.RETRAINING_FAILURES) == {("churn",): 1}


def workflow(name: str, phase: str, started: str, finished: str | None = None) -> dict[str, Any]:
    """A workflow of the template churn, as Argo keeps it."""
    return {
        "metadata": {"name": name, "creationTimestamp": started},
        "spec": {"workflowTemplateRef": {"name": "churn"}},
        "status": {"phase": phase, "startedAt": started, "finishedAt": finished},
    }


def installed(schedule: str = "0 6 * * *", **spec: Any) -> list[dict[str, Any]]:
    """The template churn and its schedule."""
    metadata = {"name": "churn", "annotations": {"argosy.dev/model": "churn"}}
    cron = {
        "schedules": [schedule],
        "timezone": "Etc/UTC",
        "workflowSpec": {"workflowTemplateRef": {"name": "churn"}},
        **spec,
    }
    return [
        {
            "kind": "CronWorkflow",
            "metadata": {**metadata, "creationTimestamp": "2026-02-01T00:00:00Z"},
            "spec": cron,
        },
        {"kind": "WorkflowTemplate", "metadata": metadata, "spec": {}},
        {"kind": "WorkflowTemplate", "metadata": {"name": "of-somebody-else"}, "spec": {}},
    ]


SUCCEEDED = workflow("churn-a", "Succeeded", "2026-03-01T06:00:05Z", "2026-03-01T06:30:00Z")
FAILED = workflow("churn-b", "Failed", "2026-03-01T07:00:00Z", "2026-03-01T07:10:00Z")
RUNNING = workflow("churn-c", "Running", "2026-03-01T08:00:00Z")
CHURN = ("churn", "churn")


def seconds(text: str) -> float:
    """Of a time in UTC."""
    return datetime.datetime.fromisoformat(text).timestamp()


def reading(workflows: FakeWorkflows, store: MemoryStore) -> Reading:
    """At noon."""
    return Pipelines(pipeline_samples.of_cluster(workflows, lambda: NOW), store)()


class TestPipelines:
    """The runs of pipelines."""

    def test_of_a_cluster(self) -> None:
        """The last success, whether the newest that is over failed, what runs, and when the schedule last had one start."""
        found = reading(FakeWorkflows(known=[RUNNING, FAILED, SUCCEEDED], present=installed()), MemoryStore()).samples
        assert values(found, series.PIPELINE_SUCCESS) == {CHURN: seconds("2026-03-01T06:30:00Z")}
        assert values(found, series.PIPELINE_START) == {CHURN: seconds("2026-03-01T08:00:00Z")}
        assert values(found, series.PIPELINE_FAILED) == {CHURN: 1}
        assert values(found, series.PIPELINE_RUNNING) == {CHURN: 1}
        assert values(found, series.PIPELINE_DUE) == {CHURN: seconds("2026-03-01T06:00:00Z")}

    def test_argo_forgets_and_we_do_not(self) -> None:
        """Argo removes what is over, and this process may start anew: the last success stays what it was."""
        store = MemoryStore()
        reading(FakeWorkflows(known=[SUCCEEDED], present=installed()), store)
        found = reading(FakeWorkflows(known=[], present=installed()), store).samples
        assert values(found, series.PIPELINE_SUCCESS) == {CHURN: seconds("2026-03-01T06:30:00Z")}
        assert values(found, series.PIPELINE_FAILED) == {CHURN: 0}

    def test_nothing_new_is_not_written(self) -> None:
        """Every minute a write would be one too many."""
        store = MemoryStore()
        workflows = FakeWorkflows(known=[SUCCEEDED], present=installed())
        reading(workflows, store)
        store.content[pipeline_samples.KEY] = store.content[pipeline_samples.KEY] + b" "
        reading(workflows, store)
        assert store.content[pipeline_samples.KEY].endswith(b" ")

    def test_what_was_kept_and_is_damaged(self) -> None:
        """It is told, and written anew."""
        store = MemoryStore({pipeline_samples.KEY: b"{"})
        found = reading(FakeWorkflows(known=[SUCCEEDED], present=installed()), store)
        assert found.problems[0].startswith(f"{pipeline_samples.KEY} is not what was kept")
        assert json.loads(store.content[pipeline_samples.KEY])["pipelines"]

    @pytest.mark.parametrize(
        "present",
        [
            pytest.param(installed(suspend=True), id="suspended"),
            pytest.param(installed("0 6 1 1 *"), id="installed-since"),
            pytest.param(installed("@every 1h"), id="by-its-own-starts"),
            pytest.param(installed()[1:], id="no-schedule"),
        ],
    )
    def test_nothing_was_due(self, present: list[dict[str, Any]]) -> None:
        """A pipeline that nobody scheduled, or not yet, misses nothing."""
        found = reading(FakeWorkflows(present=present), MemoryStore())
        assert not values(found.samples, series.PIPELINE_DUE)
        assert not found.problems

    def test_a_schedule_that_is_none(self) -> None:
        """It is told by its name."""
        found = reading(FakeWorkflows(present=installed("0 25 * * *")), MemoryStore())
        assert [problem[:22] for problem in found.problems] == ["the CronWorkflow churn"]

    def test_of_a_machine(self) -> None:
        """Runs are called by their pipeline and the moment they began."""

        class Known:
            def newest_first(self) -> list[Run]:
                return [
                    Run("flight-delay-260301-080000-ab12", "Failed", started=2.0, finished=3.0),
                    Run("flight-delay-260301-060000-ab12", "Succeeded", started=0.0, finished=1.0),
                ]

        look_at = pipeline_samples.of_machine(Known())  # type: ignore[arg-type]
        found = Pipelines(look_at, MemoryStore())().samples
        labels = ("flight_delay", "flight-delay")
        assert values(found, series.PIPELINE_SUCCESS) == {labels: 1.0}
        assert values(found, series.PIPELINE_FAILED) == {labels: 1}


def test_a_standing_never_goes_back() -> None:
    """What is known of a pipeline is the newest of all that was seen, in whatever order it was seen."""
    old = PipelineStanding(pipeline="p", model="p", started=1, succeeded=2, ended=2)
    new = PipelineStanding(pipeline="p", model="p", started=3, ended=4, failed=True)
    assert (
        new.after(old)
        == old.after(new)
        == PipelineStanding(pipeline="p", model="p", started=3, succeeded=2, ended=4, failed=True)
    )
    assert (
        pipeline_samples.standing(InstalledPipeline("p", "p"), [PipelineRun("p", "Pending", None, None)]).started
        is None
    )


def test_labels_are_those_of_the_series() -> None:
    """A label that is forgotten or too many is a mistake of ours, found where it is made."""
    with pytest.raises(
        ValueError, match="argosy_look_rows has the labels model, environment, version, digest; got model"
    ):
        samples.of(series.LOOK_ROWS, 1, model="churn")
