"""What the exporter reads of each source, by the series that it shows."""

import datetime
import json
from collections.abc import Iterable
from typing import Any

import pytest

from argosy import errors
from argosy.adapters.memory_admission_state import MemoryAdmissionState
from argosy.adapters.memory_forge import MemoryForge
from argosy.adapters.memory_notifier import MemoryNotifier
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain import bundle, environment_layout, retraining_admission
from argosy.domain.evidence import ChampionRef, DataWindow, Evidence
from argosy.domain.looks import SliceLook
from argosy.domain.notices import Notice, Telling
from argosy.domain.performance_report import SlicePerformance
from argosy.domain.pipeline_standing import PipelineStanding
from argosy.domain.release import OnlineStore, Version
from argosy.domain.retraining_admission import Ask, LedgerEntry, RetrainingLedger
from argosy.domain.retraining_settings import Retraining
from argosy.domain.rollouts import Rollout
from argosy.exporter import (
    canary_samples,
    environment_samples,
    look_samples,
    notice_samples,
    pipeline_samples,
    retraining_samples,
    samples,
    series,
)
from argosy.exporter.pipeline_samples import InstalledPipeline, PipelineRun, Pipelines
from argosy.exporter.samples import Reading, Sample
from argosy.monitoring import notices
from argosy.ports.notifier import Delivery
from argosy.ports.runs import Run
from argosy.testing.forge_contract import TEMPLATE, merge, opened, proposal
from kit.fake_workflows import FakeWorkflows
from kit.looked import DIGEST, NOON, MemoryStore, finding, look, performance

NOW = NOON.timestamp()
VERSION = {"model": "churn", "environment": "production", "version": "3", "digest": DIGEST}
HOUR = 3600.0
MINUTE = datetime.timedelta(minutes=1)


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

    def test_a_wide_look_is_bounded(self) -> None:
        """What moved farthest has series, what drifted before all else: 50 models in two environments stay below 100,000."""
        wide = look()
        columns = [finding(f"c{number:03}", number / 1000, drifted=number == 0) for number in range(300)]
        report = wide.report.model_copy(update={"features": columns})
        slices = [SliceLook(column="area", value=str(number), report=report) for number in range(40)]
        low = performance()
        scored = [
            SlicePerformance(column="area", value=str(number), labelled=1, scores=low.scores) for number in range(40)
        ]
        measured = low.model_copy(update={"slices": scored})
        wide = wide.model_copy(update={"report": report, "slices": slices, "performance": measured})
        found = list(look_samples.of_look(wide))
        assert len(found) * 50 * 2 < 100_000
        shown = values(found, series.DRIFT_DISTANCE)
        assert len(shown) == 2 * look_samples.MOST_COLUMNS
        assert values(found, series.DRIFT_COLUMN)[of_version("c000", "")] == 1
        assert {of_version("c299", ""), of_version("c201", "")} <= set(shown)
        assert of_version("c100", "") not in shown

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


UNTIL = NOON + datetime.timedelta(days=30)
RELEASE = bundle.Release(model="toy", model_digest=DIGEST, counter=3, not_after=UNTIL)


class CountingForge(MemoryForge):
    """Counts the files that it is asked for."""

    asked = 0

    def read(self, path: str, at: str | None = None) -> bytes | None:
        """See the port."""
        self.asked += 1
        return super().read(path, at)


def serving(
    environment: str = "production", *, released: bytes | None = b"", evidence: Evidence | None = None, **changes: Any
) -> CountingForge:
    """Main names a version in *environment*, with its release beside it; *released*: another one, None for none."""
    named = {
        "model": "toy",
        "version": 3,
        "model_digest": DIGEST,
        "storage_uri": "s3://store/" + bundle.store_name("toy", DIGEST, _content(RELEASE)) + "/",
        "evidence_digest": DIGEST,
        "policy_digest": DIGEST,
    }
    files = {environment_layout.version_path("toy", environment): Version(**{**named, **changes}).yaml().encode()}
    if released is not None:
        path = f"{environment_layout.evidence_folder('toy', environment)}/{bundle.RELEASE}"
        files[path] = released or _content(RELEASE)
    if evidence is not None:
        files[environment_layout.evidence_path("toy", environment)] = evidence.model_dump_json().encode()
    return CountingForge({**TEMPLATE, **files})


def _content(release: bundle.Release) -> bytes:
    return release.model_dump_json().encode()


def released_until(forge: MemoryForge) -> tuple[dict[tuple[str, ...], float], list[str]]:
    """The days that are left by what is shown, and the problems."""
    found = environment_samples.Releases(forge)()
    left = values(found.samples, series.RELEASE_EXPIRES, NOW)
    assert values(found.samples, series.RELEASE)
    return {labels: seconds / 86400 for labels, seconds in left.items()}, list(found.problems)


SERVED = ("toy", "production", "3", DIGEST)


class TestReleases:
    """What main names."""

    def test_when_servers_refuse_it(self) -> None:
        """By the release beside its evidence; no bundle is fetched, and main is read once a commit."""
        forge = serving()
        read = environment_samples.Releases(forge)
        for _ in range(3):
            found = read()
            assert values(found.samples, series.RELEASE) == {SERVED: 1}
            assert values(found.samples, series.RELEASE_EXPIRES, NOW + 86400) == {SERVED: 29 * 86400}
        asked = forge.asked
        assert asked == 1  # the release; versions of all models are read at once
        read()
        assert forge.asked == asked
        forge.push({environment_layout.version_path("toy", "production"): None})
        assert not values(read().samples, series.RELEASE)

    @pytest.mark.parametrize(
        ("released", "why"),
        [
            pytest.param(None, "an earlier Argosy put none there", id="none"),
            pytest.param(b"{", "cannot be read", id="torn"),
            pytest.param(b" " * 70_000, "has 70000 bytes, and no release is that long", id="endless"),
            pytest.param(
                _content(RELEASE.model_copy(update={"counter": 4})),
                "the signed release says 4",
                id="of-another-version",
            ),
            pytest.param(
                _content(RELEASE.model_copy(update={"not_after": UNTIL + datetime.timedelta(days=900)})),
                "is not the release that lies at s3://store/",
                id="prolonged",
            ),
        ],
    )
    def test_a_release_that_is_not_the_one_that_is_served(self, released: bytes | None, why: str) -> None:
        """It is told, and its date is not shown: it is believed where number, digest and address of the version vouch for it."""
        left, (problem,) = released_until(serving(released=released))
        assert left == {}
        assert problem.startswith("when version 3 of toy expires is not known: main")
        assert why in problem

    def test_a_place_that_says_nothing_of_the_release(self) -> None:
        """Earlier Argosys named it by the model alone: then number and digest have to do."""
        left, problems = released_until(serving(storage_uri="s3://models/toy/"))
        assert (left, problems) == ({SERVED: 30}, [])

    def test_a_version_file_that_nobody_understands(self) -> None:
        """It is told; the other environment is read."""
        forge = serving("staging")
        forge.push({environment_layout.version_path("toy", "production"): b"model: [\n"})
        found = environment_samples.Releases(forge)()
        assert len(found.problems) == 1
        assert "production/version.yaml" in found.problems[0]
        assert len(values(found.samples, series.RELEASE)) == 1

    def test_a_forge_that_is_down(self) -> None:
        """What was read at that commit is not taken for what is there now: the source fails, and says so."""

        class Down(CountingForge):
            def head(self) -> str:
                raise errors.TryAgain("the forge does not answer")

        with pytest.raises(errors.TryAgain):
            environment_samples.Releases(Down({}))()

    def test_features_of_requests_by_id(self) -> None:
        """They are as old as the newest row of the online store: with a holdout by time that is no row of the training side."""
        store = OnlineStore(uri="s3://online/toy", digest=DIGEST)
        window = DataWindow(since=NOON - datetime.timedelta(days=90), until=NOON - datetime.timedelta(days=30), rows=1)
        told = toy_evidence(trained_on=window, online_until=NOON - datetime.timedelta(hours=1))
        assert features_age(serving(online_store=store, evidence=told)) == {SERVED: HOUR}

    def test_features_of_which_nothing_is_known(self) -> None:
        """A version without an online store answers with what it is sent; evidence of an earlier Argosy, or none, names no row."""
        store = OnlineStore(uri="s3://online/toy", digest=DIGEST)
        assert not features_age(serving(evidence=toy_evidence(online_until=NOON)))
        assert not features_age(serving(online_store=store, evidence=toy_evidence()))
        assert not features_age(serving(online_store=store))


def toy_evidence(**changes: Any) -> Evidence:
    """Of the version that main names."""
    return Evidence(
        model="toy",
        task="binary",
        model_digest=DIGEST,
        snapshot_digest=DIGEST,
        policy_digest=DIGEST,
        champion=ChampionRef(model="toy", policy_digest=DIGEST),
        rows_train=1,
        rows_holdout=1,
        metrics={},
        gates=[],
        verdict="promote",
        explanation="every gate holds",
        **changes,
    )


def features_age(forge: MemoryForge) -> dict[tuple[str, ...], float]:
    """As it is shown."""
    return values(environment_samples.Releases(forge)().samples, series.FEATURES_AGE)


class TestNotices:
    """Those that nobody is known to have."""

    def test_by_channel(self) -> None:
        """What was refused, or may have arrived; not what is being told at this moment, was taken, or is too old to be news."""
        store = MemoryObjects()
        answers = {"desk": Delivery("refused", "answered 404"), "pager": Delivery("unknown", "no answer")}
        keys = {"a": ("desk", "pager", "team"), "b": ("desk",)}
        for key, channels in keys.items():
            told = Notice(event="step failed", model="churn", owner="o", title="t", key=key, channels=channels)
            notices.announce(MemoryNotifier(failing=answers), store, told, now=lambda: NOON)
        waiting = Telling(notice=told, channel="late", at=NOON, outcome="waiting")
        store.put(waiting.failure_key, waiting.canonical_json().encode())
        expected = {("churn", "desk", "refused"): 2, ("churn", "pager", "unknown"): 1}
        assert self.shown(store, NOON) == expected
        assert self.shown(store, NOON + 10 * MINUTE) == {**expected, ("churn", "late", "waiting"): 1}
        assert self.shown(store, NOON + datetime.timedelta(days=3)) == {}

    def shown(self, store: MemoryObjects, now: datetime.datetime) -> dict[tuple[str, ...], float]:
        """At *now*."""
        return values(notice_samples.read(store, lambda: now).samples, series.NOTICES_NOT_TAKEN)

    def test_one_that_is_none(self) -> None:
        """It is told, by its key."""
        store = MemoryObjects()
        store.put("notices-not-taken/churn/desk/a.json", b"{")
        (problem,) = notice_samples.read(store, lambda: NOON).problems
        assert problem.startswith("notices-not-taken/churn/desk/a.json is no notice")


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
        assert values(found, series.RETRAINING_STOP) == {("churn",): 3}

    def test_when_it_stops(self) -> None:
        """After as many as the model's own settings say, which admission wrote into its ledger."""
        state = MemoryAdmissionState()
        ask = Ask(model="churn", kind="hand", window="w", holder="h")
        state.take_turn(
            "churn", lambda ledger: retraining_admission.decide(ledger, ask, Retraining(stop_after=7), [], NOON)
        )
        found = retraining_samples.read(state).samples
        assert values(found, series.RETRAINING_STOP) == {("churn",): 7}


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

    def test_those_of_several_teams(self) -> None:
        """Each has a namespace; what is seen is what all of them have, and what is wrong in one is said."""
        names = {"credit": "churn", "growth": "fares"}
        looks = []
        for model in names.values():
            metadata = {"name": model, "annotations": {"argosy.dev/model": model}}
            run = {**FAILED, "spec": {"workflowTemplateRef": {"name": model}}}
            there = [{"kind": "WorkflowTemplate", "metadata": metadata, "spec": {}}]
            looks.append(pipeline_samples.of_cluster(FakeWorkflows(present=there, known=[run]), lambda: NOW))
        broken = FakeWorkflows(present=installed("no schedule"))
        seen = pipeline_samples.together([*looks, pipeline_samples.of_cluster(broken, lambda: NOW)])()
        assert [one.name for one in seen.pipelines] == ["churn", "fares", "churn"]
        assert [one.pipeline for one in seen.runs] == ["churn", "fares"]
        assert len(seen.problems) == 1

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
                    Run("flight-delay-260301-080000-ab12", "Failed", "flight-delay", started=2.0, finished=3.0),
                    Run("flight-delay-260301-060000-ab12", "Succeeded", "flight-delay", started=0.0, finished=1.0),
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
