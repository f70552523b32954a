"""A language model of four sections: collected, assembled, evaluated, with the champion beside it and people's labels."""

import dataclasses
import datetime
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.adapters.memory_objects import MemoryObjects
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.adapters.word_judge import WordJudge
from argosy.domain import bundle as bundles
from argosy.domain import circumstances, gates, watch_reference
from argosy.domain.answers import answer_bundle, evaluation_items
from argosy.domain.answers.answer_settings import AnswerSettings
from argosy.domain.circumstances import Circumstances
from argosy.domain.evidence import REVIEW, ChampionRef, Evidence
from argosy.domain.policy import ANSWER_DIMENSIONS, Policy
from argosy.domain.provenance import Provenance
from argosy.domain.step_times import StepTime
from argosy.domain.watch_reference import WatchReference
from argosy.ml.answers.assistant import Assistant
from argosy.steps import run_notes
from argosy.steps.assemble import run as assemble
from argosy.steps.collect import run as collect
from argosy.steps.evaluate_answers import run as evaluate
from argosy.steps.register_answers import run as register

TOPICS = ("latency", "backup", "rollback", "canary", "drift", "schedule", "policy", "digest")
PAGE = "# Help\n\n" + "\n".join(
    f"## {topic}\n\nThe remedy for {topic} trouble is command number {number}.\n" for number, topic in enumerate(TOPICS)
)
PROMPT = "{{refusal}}\n{{passages}}\n{{question}}\n"
DIGEST = f"sha256:{'0' * 64}"
LIMITS = [
    {"metric": "performance.accepted", "at_least": 0.5, "why": "w"},
    {"metric": "judge.kappa_low", "at_least": 0.4, "why": "w"},
]


def settings(**changes: object) -> AnswerSettings:
    return AnswerSettings.model_validate(
        {
            "model": "help",
            "task": "answers",
            "description": "d",
            "owner": "o",
            "seed": 7,
            "documents": ["help.md"],
            "answerer": {"kind": "extractive", "sentences": 1, "least_cover": 0.3},
            "refusal": "I do not know.",
            "judge": {"kind": "lexical"},
            "retrieval": {"passages": 1},
            **changes,
        }
    )


def policy(limits: Sequence[object] = LIMITS, **comparison: object) -> Policy:
    named = {str(each["metric"]).partition(".")[0] for each in limits}  # type: ignore[index]
    waivers = [{"dimension": each, "owner": "o", "reason": "r"} for each in ANSWER_DIMENSIONS if each not in named]
    compared = {"metric": "accepted", "margin": 0.05, "minimum_rows": 5, "resamples": 200, **comparison}
    return Policy.model_validate(
        {
            "model": "help",
            "judges": "answers",
            "owners": ["o"],
            "limits": limits,
            "waivers": waivers,
            "comparison": compared,
        }
    )


@dataclasses.dataclass(frozen=True)
class AnswersWorld:
    """A folder with all that the three steps take and give."""

    path: Path

    def write(self, *, flipped: int = 0) -> None:
        """The page, nine questions, and a label for each answer to eight of them; *flipped*: how many of those are wrong."""
        self.path.mkdir(exist_ok=True)
        (self.path / "help.md").write_text(PAGE, encoding="utf-8")
        asked = [
            {
                "id": topic,
                "question": f"What helps against {topic} trouble?",
                "reference": f"Command number {number}.",
                "sections": [f"help.md#{topic}"],
            }
            for number, topic in enumerate(TOPICS)
        ]
        labels = [
            {
                "id": topic,
                "answer": f"The remedy for {topic} trouble is command number {number}."
                if right
                else "Ask your neighbour about lunch.",
                "sections": [f"help.md#{topic}"],
                "acceptable": right if number >= flipped else not right,
                "by": "tests",
            }
            for number, topic in enumerate(TOPICS)
            for right in (True, False)
        ]
        asked.append({"id": "rain", "question": "Will it rain in Berlin tomorrow?"})
        for name, found in (("questions.jsonl", asked), ("labelled.jsonl", labels)):
            (self.path / name).write_text("".join(f"{json.dumps(each)}\n" for each in found), encoding="utf-8")

    def collect(self, of: AnswerSettings) -> Path:
        snapshot = self.path / "snapshot"
        collect.run(
            settings=of,
            location=self.path,
            origin="data/help",
            given=collect.Items(self.path / "questions.jsonl", self.path / "labelled.jsonl"),
            code_version="c",
            now=lambda: "2026-01-01T00:00:00+00:00",
            report=lambda line: (self.path / "said").write_text(line, encoding="utf-8") and None,
            outputs=collect.CollectOutputs(snapshot, self.path / "lineage.json"),
        )
        return snapshot

    def bundle(self, of: AnswerSettings, name: str = "bundle") -> Path:
        digest = assemble.run(settings=of, prompt=PROMPT, snapshot=self.collect(of), out=self.path / name)
        assert digest == bundles.digest(self.path / name)  # what the run says of itself
        return self.path / name

    def evaluate(self, of: AnswerSettings, rules: Policy, champion: ChampionRef | None = None) -> Evidence:
        (self.path / "champion").mkdir(exist_ok=True)
        (champion or ChampionRef(model="help", policy_digest=DIGEST)).write(self.path / "champion" / "champion.json")
        evaluate.run(
            settings=of,
            policy=rules,
            inputs=evaluate.Inputs(self.path / "champion", self.path / "snapshot", self.path / "bundle"),
            artifacts=FileArtifacts(f"file://{self.path}/store"),
            completions=lambda _answerer: None,
            judge=WordJudge(of.judge),  # type: ignore[arg-type]
            provenance=Provenance(),
            today=datetime.date(2026, 1, 1),
            machine="a machine",
            outputs=evaluate.EvaluatedFolders(
                self.path / "evidence", self.path / "judged.jsonl", self.path / "reference.json"
            ),
        )
        return Evidence.read(self.path / "evidence" / "evidence.json")


@pytest.fixture
def world(tmp_path: Path) -> AnswersWorld:
    made = AnswersWorld(tmp_path / "world")
    made.write()
    return made


def test_a_first_model_is_promoted(world: AnswersWorld) -> None:
    """Every answer is right and one question is refused, people and judge agree: promote; the bundle has the same digest again."""
    first = bundles.digest(world.bundle(settings()))
    evidence = world.evaluate(settings(), policy())
    assert evidence.verdict == "promote", evidence.explanation
    assert evidence.metrics["performance.accepted"] == 1.0
    assert evidence.metrics["performance.refused_rightly"] == 1.0
    assert evidence.metrics["retrieval.mrr"] == 1.0
    assert evidence.metrics["judge.kappa"] == 1.0
    assert (evidence.rows_train, evidence.rows_holdout) == (8, 9)
    assert bundles.digest(world.bundle(settings(), "again")) == first == evidence.model_digest
    assert "golden questions" in next(gate.reason for gate in evidence.gates if gate.gate == gates.PARITY)
    assert "passages to answer from" in (world.path / "evidence" / "evidence.md").read_text(encoding="utf-8")


def test_a_judge_who_does_not_agree_with_people_promotes_nothing(world: AnswersWorld) -> None:
    """The same answers, and labels that say otherwise of half of them: the judge's gate fails, with what would pass."""
    world.write(flipped=4)
    world.bundle(settings())
    evidence = world.evaluate(settings(), policy())
    assert evidence.verdict == "reject"
    (failed,) = evidence.failed
    assert failed.gate == "judge.kappa_low"
    assert failed.would_pass == "judge.kappa_low of 0.4 or more"


def test_without_labels_nothing_is_promoted(world: AnswersWorld) -> None:
    """What a judge is worth that nobody measured is not known: undefined never passes."""
    (world.path / "labelled.jsonl").write_text("", encoding="utf-8")
    world.bundle(settings())
    assert world.evaluate(settings(), policy()).verdict == "reject"


def beside(world: AnswersWorld, champion: AnswerSettings, candidate: AnswerSettings) -> Evidence:
    """The evidence of *candidate* with *champion* in production."""
    place = world.bundle(champion, "champion-bundle")
    uri = FileArtifacts(f"file://{world.path}/store").put(place, "models/help/champion")
    world.bundle(candidate)
    ref = ChampionRef(
        model="help", model_digest=bundles.digest(place), version=1, storage_uri=uri, policy_digest=DIGEST
    )
    return world.evaluate(candidate, policy(beside=["relevancy"]), ref)


def shy() -> AnswerSettings:
    """One that refuses whatever it is asked."""
    return settings(answerer={"kind": "extractive", "least_cover": 1.0}, retrieval={"passages": 1, "headings": 0})


def test_a_better_model_is_promoted_over_the_champion(world: AnswersWorld) -> None:
    """Both answer the same questions; the interval of the difference is above zero."""
    evidence = beside(world, shy(), settings())
    assert evidence.verdict == "promote", evidence.explanation
    assert evidence.comparison is not None
    assert evidence.comparison.outcome == "better"
    assert evidence.comparison.rows == 9
    assert any(table.title == "Other scores against the champion" for table in evidence.tables)


def test_a_worse_model_is_rejected_and_its_answers_are_to_be_reviewed(world: AnswersWorld) -> None:
    """What changes for a user comes first, with both answers side by side; a person has labelled none of it."""
    evidence = beside(world, settings(), shy())
    assert evidence.verdict == "reject"
    assert evidence.comparison is not None
    assert evidence.comparison.outcome == "inferior"
    first, *_ = [
        json.loads(line) for line in (world.path / "evidence" / "review.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert first["asked_because"] == "the judge takes the champion's answer and not this one"
    assert first["candidate"] == "I do not know."
    assert first["champion"].startswith("The remedy for")
    assert first["acceptable"] is None
    (told,) = (table for table in evidence.tables if table.title == REVIEW)
    assert "argosy label" in told.title
    assert told.header == ["Question", "Candidate", "Champion", "Asked because"]


def test_without_a_champion_its_answers_have_no_column(world: AnswersWorld) -> None:
    """Of a first model nothing stands beside."""
    world.bundle(shy())
    evidence = world.evaluate(shy(), policy())
    (told,) = (table for table in evidence.tables if table.title == REVIEW)
    assert told.header == ["Question", "Candidate", "Asked because"]
    assert {len(row) for row in told.rows} == {3}


def test_a_question_about_a_section_that_is_gone_stops_the_run(world: AnswersWorld) -> None:
    """Nothing could be found right for it; the line is named, with what was probably meant."""
    (world.path / "help.md").write_text(PAGE.replace("## drift", "## drifts"), encoding="utf-8")
    with pytest.raises(
        errors.Misconfigured,
        match=r"questions.jsonl:5: drift is answered by 'help.md#drift', .* did you mean 'help.md#drifts'",
    ):
        world.collect(settings())


def test_a_label_about_a_section_that_is_gone_counts_no_more(world: AnswersWorld) -> None:
    """Its text is not what somebody read then; the log says how many."""
    asked = (world.path / "questions.jsonl").read_text(encoding="utf-8").replace("help.md#drift", "help.md#canary")
    (world.path / "questions.jsonl").write_text(asked, encoding="utf-8")
    (world.path / "help.md").write_text(PAGE.replace("## drift", "## drifts"), encoding="utf-8")
    kept = (world.collect(settings()) / "labelled.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(kept) == 14
    assert "2 of 16 labels" in (world.path / "said").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("read", "line", "said"),
    [
        pytest.param(
            evaluation_items.questions,
            '{"id": "a", "question": "x", "reference": "r"}',
            "a reference and no sections",
            id="half",
        ),
        pytest.param(evaluation_items.questions, '{"id": "a", "question": "x", "colour": 1}', "colour", id="unknown"),
        pytest.param(evaluation_items.questions, "not json", "one JSON object a line", id="no-json"),
        pytest.param(
            evaluation_items.questions,
            '{"id": "a", "question": "x"}\n{"id": "a", "question": "y"}',
            "twice",
            id="twice",
        ),
    ],
)
def test_items_say_which_line_is_wrong(read: Callable[[str, str], object], line: str, said: str) -> None:
    """File, line, and what to mend."""
    with pytest.raises(errors.Misconfigured, match=rf"q.jsonl:\d: .*{said}"):
        read(line, "q.jsonl")


def test_two_people_who_disagree_have_to_decide() -> None:
    """The same answer labelled both ways would count for and against the judge."""
    known = evaluation_items.questions('{"id": "a", "question": "x"}', "q")
    lines = '{"id": "a", "answer": "x", "acceptable": true, "by": "one"}\n{"id": "a", "answer": "x", "acceptable": false, "by": "two"}'
    with pytest.raises(errors.Misconfigured, match=r"l\.jsonl:2: the same answer to 'a' has the other label on line 1"):
        evaluation_items.labelled(lines, "l.jsonl", known)


def test_a_policy_for_tables_judges_no_answers(world: AnswersWorld) -> None:
    """Its dimensions are others: said before anything is asked, which may cost money."""
    world.bundle(settings())
    with pytest.raises(errors.Misconfigured, match="`judges: answers`"):
        world.evaluate(settings(), policy().model_copy(update={"judges": "predictions"}))


def test_separators_of_lines_in_a_page_are_words_like_others(world: AnswersWorld) -> None:
    """U+2028 and its like end lines for Python and not in JSON; a page may hold them."""
    (world.path / "help.md").write_text(
        PAGE.replace("trouble is", "trouble\u2028is\u2029now\u0085", 1), encoding="utf-8"
    )
    made = world.bundle(settings())
    assert any("\u2028" in each.text for each in answer_bundle.passages(made / answer_bundle.PASSAGES))
    assert Assistant.load(made, bundles.digest(made)).answer("What helps against backup trouble?").text


@pytest.mark.parametrize(
    ("monitor", "said"),
    [
        pytest.param({"schedule": "0 * * * *"}, r"monitor\.schedule\n.*Extra inputs", id="no-such-setting"),
        pytest.param({"skew": {}}, "`skew` is of features", id="skew"),
        pytest.param({"slices": ["section"]}, "'section' is no column of answers with few values", id="slice"),
        pytest.param(
            {"baseline": "season", "seasonality": {"by": "month"}}, "`seasonality` needs `history`", id="no-history"
        ),
    ],
)
def test_how_a_language_model_cannot_be_watched(monitor: dict[str, object], said: str) -> None:
    """What would have no effect, or could never be had, is refused where it is written."""
    with pytest.raises(ValueError, match=said):
        settings(monitor=monitor)


def test_cost_and_time_stand_beside_the_champion_s(world: AnswersWorld) -> None:
    """And the request's pictures are drawn as of every model: gates, the difference with its interval, and all dimensions."""
    evidence = beside(world, shy(), settings())
    (told,) = (table for table in evidence.tables if table.title == "Cost and time of a question")
    assert told.header == ["", "Candidate", "Champion"]
    assert {len(row) for row in told.rows} == {3}
    assert set(evidence.pictures) == {"gates.svg", "against-champion.svg", "dimensions.svg"}
    text = (world.path / "evidence" / "evidence.md").read_text(encoding="utf-8")
    for name in evidence.pictures:
        assert f"]({name})" in text
        assert (world.path / "evidence" / name).read_text(encoding="utf-8").startswith("<svg")


def test_a_candidate_is_registered_with_its_circumstances_and_what_it_is_watched_by(world: AnswersWorld) -> None:
    """Who asked, where, when its documents were read, and the time of its steps; the counts lie where who watches finds them."""
    world.bundle(settings())
    evidence, objects = world.evaluate(settings(), policy()), MemoryObjects()
    (world.path / "model.yaml").write_text("{}", encoding="utf-8")
    told = world.path / "circumstances"
    told.mkdir()
    variables = {
        "ARGOSY_WORKFLOW": "help-x7",
        "ARGOSY_WORKFLOW_CREATED": "1790000000",
        "ARGOSY_ASKED_BY": '{"name": "ann", "known": "system", "machine": "m"}',
    }
    times = [StepTime(step="evaluate-answers", began=1790000001, ended=1790000009, cpu=3)]
    released = register.run(
        settings=settings(),
        inputs=register.Inputs(
            world.path / "model.yaml",
            world.path / "bundle",
            world.path / "evidence",
            world.path / "judged.jsonl",
            world.path / "reference.json",
            world.path / "snapshot",
            world.path / "lineage.json",
        ),
        registry=MemoryRegistry(),
        artifacts=FileArtifacts(f"file://{world.path}/store"),
        objects=objects,
        out=world.path / "release",
        noted=run_notes.of_environment(variables, times),
        told=told,
    )
    assert released.version == 1
    found = Circumstances.read(told / circumstances.FILE)
    assert (found.model_digest, found.place.workflow, found.asked_by.name) == (evidence.model_digest, "help-x7", "ann")
    assert found.ledger is not None
    assert [each.step for each in found.ledger.steps] == ["evaluate-answers"]
    assert found.sources[0].location == "data/help/help.md"
    kept = objects.get(watch_reference.reference_key("help", evidence.model_digest))
    assert kept is not None
    counted = WatchReference.model_validate_json(kept).counts[""]
    assert counted[""].rows == 9
    assert counted["language=english"].rows == 9
