"""A language model, watched: a window of what people asked and were answered, held against the one before or the evaluation set."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import pytest

from argosy.adapters.file_artifacts import FileArtifacts
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain import bundle, watch_reference
from argosy.domain.answers import answer_bundle
from argosy.domain.answers.answer_settings import AnswerMonitor
from argosy.domain.answers.judged import GivenAnswer
from argosy.domain.looks import Look
from argosy.domain.release import Version
from argosy.ml.answers import answer_counts, logged_answers
from argosy.monitoring import served, watching
from argosy.monitoring.watching import Watched
from kit import answers_kit
from kit.memory_history import BEGIN, OURS, MemoryHistory, rows

DAY, HOUR = datetime.timedelta(days=1), datetime.timedelta(hours=1)
DAILY = AnswerMonitor(window="24h")
ENGLISH = "What helps against backup trouble?"
GERMAN = "Was hilft mir gegen Probleme mit der Sicherung?"


def given(
    *, refused: bool = False, seconds: float = 0.02, section: str = "help.md#backup", tokens: int = 40
) -> GivenAnswer:
    """An answer."""
    return GivenAnswer(
        text="I do not know." if refused else "The remedy is command number one.",
        sections=[] if refused else [section],
        passages=[],
        refused=refused,
        input_tokens=tokens,
        output_tokens=0,
        seconds=seconds,
        score=0.0 if refused else 3.0,
        cover=0.0 if refused else 0.8,
    )


def asked(
    history: MemoryHistory, digest: str, begin: datetime.datetime, question: str, answers: Sequence[GivenAnswer]
) -> None:
    """Log *answers* to *question*, as a server does, in the day from *begin* on."""
    for hour in range(24):
        measures = [logged_answers.measures(question, each) for each in answers]
        columns = {name: [row[name] for row in measures] for name in measures[0]}
        times = [begin + hour * HOUR + place * HOUR / len(answers) for place in range(len(answers))]
        table = rows(times, columns, [float(each.refused) for each in answers])
        history.ship(begin + hour * HOUR, table, digest=digest)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Version, FileArtifacts]:
    """A released bundle in a store."""
    place = tmp_path_factory.mktemp("answers")
    folder = answers_kit.write_bundle(place, answers_kit.settings())
    store = FileArtifacts(f"file://{place}/store")
    digest = bundle.digest(folder)
    uri = store.put(folder, bundle.store_name("toy", digest, b"{}"))
    version = Version(
        model="toy", version=1, model_digest=digest, storage_uri=uri, evidence_digest=OURS, policy_digest=OURS
    )
    return version, store


def watched(
    made: tuple[Version, FileArtifacts], monitor: AnswerMonitor | None = DAILY, objects: MemoryObjects | None = None
) -> Watched:
    """The version of the bundle, as who watches finds it."""
    return served.of_version(made[0], "production", monitor, artifacts=made[1], objects=objects or MemoryObjects())


def looked(subject: Watched, history: MemoryHistory) -> Look:
    """The look at the second day."""
    until = BEGIN + 2 * DAY
    return watching.judge(
        subject, history=history, objects=MemoryObjects(), since=until - DAY, until=until, now=until
    ).look


MIXED = [given(), given(section="help.md#drift"), given(refused=True), *[given()] * 7]


@pytest.mark.parametrize(
    ("question", "answers", "moved"),
    [
        pytest.param(ENGLISH, MIXED, set(), id="as-before"),
        pytest.param(GERMAN, MIXED, {"language"}, id="another-language"),
        pytest.param(ENGLISH, [given(section="help.md#drift")] * 8 + MIXED[:2], {"section"}, id="another-topic"),
        pytest.param(ENGLISH, [given(refused=True)] * 5 + MIXED[:5], {"refused", "cover"}, id="more-refused"),
        pytest.param(ENGLISH, [given(seconds=2.0) for _ in MIXED], {"milliseconds"}, id="slower"),
        pytest.param(ENGLISH, [given(tokens=4000) for _ in MIXED], {"tokens"}, id="dearer"),
    ],
)
def test_a_day_against_the_day_before(
    made: tuple[Version, FileArtifacts], question: str, answers: list[GivenAnswer], moved: set[str]
) -> None:
    """What people ask, what is found, what is refused, what it costs and how long it takes; each drifts by itself."""
    history = MemoryHistory()
    asked(history, made[0].model_digest, BEGIN, ENGLISH, MIXED)
    asked(history, made[0].model_digest, BEGIN + DAY, question, answers)
    found = looked(watched(made), history)
    assert (found.verdict, found.reference) == ("drift" if moved else "no drift", "previous window")
    assert moved <= {finding.difference.column for _, finding in found.drifted}
    if "refused" in moved:
        assert "the mean share refused is 0.6, it was 0.1" in found.explanation


def test_a_part_of_the_questions_is_looked_at_by_itself(made: tuple[Version, FileArtifacts]) -> None:
    """In one language people are refused; in the whole it is hardly seen."""
    history, digest = MemoryHistory(), made[0].model_digest
    for day, german in ((BEGIN, [given()] * 10), (BEGIN + DAY, [given(refused=True)] * 10)):
        asked(history, digest, day, ENGLISH, [given()] * 100)
        asked(history, digest, day, GERMAN, german)
    found = looked(watched(made, AnswerMonitor(window="24h", slices=["language"])), history)
    assert {(each.column, each.value): each.report.verdict for each in found.slices} == {
        ("language", "english"): "no drift",
        ("language", "german"): "drift",
    }


def test_the_judged_sample_has_a_verdict_of_its_own(made: tuple[Version, FileArtifacts]) -> None:
    """Its log is another one, held against its day before; that it moved is drift of the model."""
    history, digest = MemoryHistory(), made[0].model_digest
    for day, faithful in ((BEGIN, 0.97), (BEGIN + DAY, 0.42)):
        asked(history, digest, day, ENGLISH, MIXED)
        for hour in range(24):
            columns = {"faithfulness": [faithful] * 10, "relevancy": [0.7] * 10, "toxicity": [0.0] * 10}
            table = rows([day + hour * HOUR] * 10, columns, [float(faithful > 0.5)] * 10)
            history.ship(day + hour * HOUR, table, digest=digest, environment="production.judged")
    found = looked(watched(made), history)
    (judged,) = found.slices
    assert (found.verdict, found.rows, judged.column, judged.value) == ("drift", 240, "answer", "judged")
    assert {finding.difference.column for finding in judged.report.findings if finding.drifted} >= {"faithfulness"}
    assert "where answer is judged" in found.explanation


def test_the_evaluation_set_as_reference(made: tuple[Version, FileArtifacts]) -> None:
    """Where a team draws it of what people ask. Its times are another machine's and not compared, which is not called not logged."""
    version, store = made
    with_counts = MemoryObjects()
    passages = answer_bundle.passages(Path(version.storage_uri.removeprefix("file://")) / answer_bundle.PASSAGES)
    counted = answer_counts.reference("toy", version.model_digest, passages, [ENGLISH] * 120, [*MIXED] * 12)
    key = watch_reference.reference_key("toy", version.model_digest)
    with_counts.put(key, counted.canonical_json().encode())
    history = MemoryHistory()
    asked(history, version.model_digest, BEGIN + DAY, ENGLISH, [given(seconds=9.0), *MIXED[1:]])
    monitor = AnswerMonitor(window="24h", baseline="holdout")
    found = looked(watched((version, store), monitor, with_counts), history)
    assert (found.verdict, found.reference, found.report.rows_before) == ("no drift", "holdout", 120)
    assert "the evaluation set" in found.explanation
    assert found.report.not_logged == []
    # One that another Argosy counted, in other bins, is none.
    with_counts.put(key, counted.model_copy(update={"layout": OURS}).canonical_json().encode())
    assert looked(watched((version, store), monitor, with_counts), history).verdict == "too few"


def test_a_model_whose_settings_say_nothing_is_watched_as_its_kind_is(made: tuple[Version, FileArtifacts]) -> None:
    """A week against the week before; the fewest rows may be asked otherwise, of the sample too."""
    subject = watched(made, None).with_minimum(20)
    assert subject.monitor == AnswerMonitor(minimum_rows=20)
    assert subject.judged is not None
    assert subject.judged.monitor.minimum_rows == 20
