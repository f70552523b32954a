"""The logic of ``evaluate-answers``: candidate and champion answer the same questions, one judge judges both, people's labels the judge.

What follows from the measurements is decided as for every other model: limits of the policy, the paired comparison, one verdict.
"""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from argosy import errors, scratch
from argosy.domain import bundle as bundles
from argosy.domain import comparison, gates, verdicts
from argosy.domain import evidence as evidences
from argosy.domain.answers import answer_bundle, answer_measurements, evaluation_items
from argosy.domain.answers.answer_bundle import AnswerSignature, GoldenQuestions
from argosy.domain.answers.answer_settings import Answerer, AnswerSettings
from argosy.domain.answers.evaluation_items import LABELLED, MANIFEST, QUESTIONS, EvaluationQuestion, LabelledAnswer
from argosy.domain.answers.judged import GivenAnswer, JudgedAnswer, refuses
from argosy.domain.data import SnapshotManifest
from argosy.domain.evidence import ChampionRef, ComparisonResult, Evidence, GateResult, Table, VerdictWord
from argosy.domain.policy import ComparisonPolicy, Policy
from argosy.domain.provenance import Provenance
from argosy.domain.retraining_cause import Cause
from argosy.ml.answers import agreement, answer_counts, review, scores
from argosy.ml.answers.agreement import JudgeAgreement
from argosy.ml.answers.assistant import Assistant, Complete
from argosy.ml.resampling import Bootstrap
from argosy.ports.artifacts import Artifacts
from argosy.ports.judge import Judge
from argosy.ports.prompt_completion import Completion
from argosy.report import answer_tables, evidence_files

REVIEW = "review.jsonl"
CONFIDENCE, RESAMPLES = 0.95, 2000
"""Of the interval of kappa."""


@dataclass(frozen=True)
class Inputs:
    """The folders that are read."""

    champion: Path
    snapshot: Path
    bundle: Path


@dataclass(frozen=True)
class EvaluatedFolders:
    """The folder of the evidence, and the files of all judged answers and of their counts."""

    evidence: Path
    judged: Path
    reference: Path


def run(
    *,
    settings: AnswerSettings,
    policy: Policy,
    inputs: Inputs,
    artifacts: Artifacts,
    completions: Callable[[Answerer], Completion | None],
    judge: Judge,
    provenance: Provenance,
    cause: Cause | None = None,
    today: datetime.date,
    machine: str,
    outputs: EvaluatedFolders,
) -> VerdictWord:
    """Write evidence, report, card, what is to be reviewed, all judged answers and their counts; returns the verdict.

    *completions*: what completes a model's prompts, None of one that asks no endpoint. *machine*: where the times were taken, in words.
    """
    _refuse_unfit(policy, settings)
    snapshot = SnapshotManifest.read(inputs.snapshot / MANIFEST)
    champion = ChampionRef.read(inputs.champion / "champion.json")
    digest = bundles.digest(inputs.bundle)
    candidate = _assistant(inputs.bundle, digest, completions)
    asked = evaluation_items.questions((inputs.snapshot / QUESTIONS).read_text(encoding="utf-8"), QUESTIONS)
    labels = evaluation_items.labelled((inputs.snapshot / LABELLED).read_text(encoding="utf-8"), LABELLED, asked)
    judged = _judged(candidate, judge, asked)
    agreed = _agreement(judge, inputs.bundle, settings, asked, labels)
    measurements = {
        **scores.measured(asked, judged, agreed),
        **scores.spent([each.answer for each in judged], settings.prices, _prompt_words(candidate, asked)),
    }
    golden = GoldenQuestions.read(inputs.bundle / answer_bundle.GOLDEN)
    results = [
        *gates.judge(policy, measurements, today),
        gates.parity(candidate.replay_difference(golden), gates.SAME_QUESTIONS),
    ]
    beside = _beside_champion(settings, policy, champion, digest, asked, judged, judge, artifacts, completions)
    results = gates.past([*results, *beside.gates], champion.overrides or [], digest, today)
    verdict, explanation = verdicts.decide(
        model_digest=digest, champion=champion, gates=results, comparison=beside.result, margins=beside.margins
    )
    to_review = review.chosen(asked, judged, beside.judged, labels, settings.review.items)
    evidence = Evidence(
        form=evidences.FORM,
        model=settings.model,
        task=settings.task,
        model_digest=digest,
        snapshot_digest=snapshot.content_digest(),
        policy_digest=champion.policy_digest,
        champion=champion,
        provenance=provenance,
        provenance_waiver=policy.provenance.waiver,
        provenance_in_staging=policy.provenance.staging,
        cause=cause,
        audience=settings.audience,
        measuring=policy.measuring,
        rows_train=len(answer_bundle.passages(inputs.bundle / answer_bundle.PASSAGES)),
        rows_holdout=len(asked),
        metrics=measurements,
        gates=results,
        comparison=beside.result,
        margins=beside.margins,
        verdict=verdict,
        explanation=explanation,
        tables=[
            *beside.tables,
            *answer_tables.to_review(to_review),
            *answer_tables.judge(settings, agreed),
            *answer_tables.topics(asked, judged, beside.judged),
            *answer_tables.failures(asked, judged),
            answer_tables.cost(settings, measurements, beside.measurements, machine),
            answer_tables.documents(snapshot),
        ],
    )
    evidence_files.write(evidence, settings, outputs.evidence)
    (outputs.evidence / REVIEW).write_text(evaluation_items.lines(to_review), encoding="utf-8")
    outputs.judged.write_text(evaluation_items.lines(judged), encoding="utf-8")
    _write_reference(settings, inputs.bundle, digest, asked, judged, outputs.reference)
    return verdict


def _write_reference(
    settings: AnswerSettings,
    bundle: Path,
    digest: str,
    asked: Sequence[EvaluationQuestion],
    judged: Sequence[JudgedAnswer],
    out: Path,
) -> None:
    """The counts of the answers, for whoever watches the model where it is served."""
    passages = answer_bundle.passages(bundle / answer_bundle.PASSAGES)
    questions, answers = [each.question for each in asked], [each.answer for each in judged]
    answer_counts.reference(settings.model, digest, passages, questions, answers).write(out)


def _refuse_unfit(policy: Policy, settings: AnswerSettings) -> None:
    """Before anything is asked, which may cost money."""
    if policy.model != settings.model:
        raise errors.Misconfigured(
            f"the policy is for {policy.model!r}, the model is {settings.model!r}; name the policy's file after it"
        )
    if policy.judges != "answers":
        raise errors.Misconfigured(
            f"the policy judges {policy.judges}, and {settings.model} answers in words: `judges: answers`"
        )
    for score in (policy.comparison.metric, *policy.comparison.beside):
        if (problem := answer_measurements.not_compared(score)) is not None:
            raise errors.Misconfigured(f"comparison of the policy: {problem}")
    if policy.comparison.margins:
        raise errors.Misconfigured(
            "comparison.margins of the policy: a language model is compared by `metric` and `beside` alone"
        )


def _assistant(folder: Path, digest: str, completions: Callable[[Answerer], Completion | None]) -> Assistant:
    def completing(signature: AnswerSignature) -> Complete | None:
        completion = completions(signature.answerer)
        return completion.complete if completion else None

    return Assistant.load(folder, digest, completing)


def _judged(assistant: Assistant, judge: Judge, asked: Sequence[EvaluationQuestion]) -> list[JudgedAnswer]:
    answers = [assistant.answer(each.question) for each in asked]
    return [
        JudgedAnswer(id=question.id, answer=answer, judgement=judge.judge(question, answer))
        for question, answer in zip(asked, answers, strict=True)
    ]


def _prompt_words(assistant: Assistant, asked: Sequence[EvaluationQuestion]) -> list[int]:
    """The words of the prompt of each question."""
    return [len(assistant.prompt(each.question, assistant.find(each.question)).split()) for each in asked]


def _agreement(
    judge: Judge,
    bundle: Path,
    settings: AnswerSettings,
    asked: Sequence[EvaluationQuestion],
    labels: Sequence[LabelledAnswer],
) -> JudgeAgreement:
    """The judge on the answers that people labelled, from what their sections say."""
    texts: dict[str, list[str]] = {}
    for each in answer_bundle.passages(bundle / answer_bundle.PASSAGES):
        texts.setdefault(each.section, []).append(each.text)
    questions = {each.id: each for each in asked}
    said = [
        judge.judge(
            questions[label.id],
            GivenAnswer(
                text=label.answer,
                sections=label.sections,
                passages=[text for section in label.sections for text in texts[section]],
                refused=refuses(label.answer, settings.refusal),
                input_tokens=0,
                output_tokens=0,
                seconds=0.0,
            ),
        ).acceptable
        for label in labels
    ]
    drawing = Bootstrap(CONFIDENCE, RESAMPLES, settings.seed)
    return agreement.of(said, [each.acceptable for each in labels], [each.id for each in labels], drawing)


@dataclass(frozen=True)
class AnswersBesideChampion:
    """How the candidate stands beside the model in production, and what that one answered."""

    result: ComparisonResult | None = None
    margins: list[ComparisonResult] = field(default_factory=list)
    gates: list[GateResult] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    judged: list[JudgedAnswer] | None = None
    measurements: scores.Measured | None = None
    """Cost and latency of what that one answered."""


def _beside_champion(
    settings: AnswerSettings,
    policy: Policy,
    champion: ChampionRef,
    digest: str,
    asked: Sequence[EvaluationQuestion],
    judged: Sequence[JudgedAnswer],
    judge: Judge,
    artifacts: Artifacts,
    completions: Callable[[Answerer], Completion | None],
) -> AnswersBesideChampion:
    if champion.model_digest in (None, digest):
        return AnswersBesideChampion()
    if champion.storage_uri is None:
        raise errors.Misconfigured(
            f"main of the environment repo names a champion of {champion.model} without its place in the model store; "
            f"mend models/{champion.model}/production/version.yaml"
        )
    with scratch.folder("champion") as folder:
        artifacts.get(champion.storage_uri, folder / "bundle")
        incumbent = _assistant(folder / "bundle", str(champion.model_digest), completions)
    theirs = _judged(incumbent, judge, asked)
    rules = policy.comparison
    found = scores.compare(
        rules,
        (rules.metric, *rules.beside),
        scores.by_question(asked, judged),
        scores.by_question(asked, theirs),
        settings.seed,
    )
    pair = found[rules.metric]
    result = _undefined(rules, len(asked)) if pair is None else comparison.decide(rules, pair)
    shown = {name: each for name in rules.beside if (each := found[name]) is not None}
    return AnswersBesideChampion(
        result=result,
        gates=comparison.gates(rules, result, []),
        tables=[comparison.beside(shown)] if shown else [],
        judged=theirs,
        measurements=scores.spent([each.answer for each in theirs], settings.prices, _prompt_words(incumbent, asked)),
    )


def _undefined(rules: ComparisonPolicy, rows: int) -> ComparisonResult:
    return comparison.impossible(rules, f"{rules.metric} is undefined on these questions", rows)
