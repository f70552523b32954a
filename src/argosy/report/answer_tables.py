"""Tables of the evidence about a language model: what people should look at, the judge, topics, failures, cost, documents."""

from collections.abc import Sequence
from typing import Protocol

from argosy.domain import figures
from argosy.domain.answers.answer_settings import AnswerSettings
from argosy.domain.answers.evaluation_items import EvaluationQuestion
from argosy.domain.answers.judged import JudgedAnswer, ReviewItem
from argosy.domain.data import SnapshotManifest
from argosy.domain.evidence import DATA, REVIEW, Table

NO_TOPIC = "without a topic"


class Agreed(Protocol):
    """The agreement of a judge with people; see ``ml.answers.agreement``."""

    @property
    def items(self) -> int: ...
    @property
    def agreed(self) -> int: ...
    @property
    def kappa(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


def to_review(found: Sequence[ReviewItem]) -> list[Table]:
    """The answers that a reviewer is asked to label; none where there is nothing to ask."""
    if not found:
        return []
    compared = any(each.champion is not None for each in found)
    return [
        Table(
            title=REVIEW,
            dimension="performance",
            header=["Question", "Candidate", *(["Champion"] if compared else []), "Asked because"],
            rows=[
                [
                    f"{each.id}: {each.question}",
                    each.candidate,
                    *([each.champion or ""] if compared else []),
                    each.asked_because,
                ]
                for each in found
            ],
        )
    ]


def judge(settings: AnswerSettings, agreed: Agreed) -> list[Table]:
    """Who judges, and how far people say the same."""
    interval = (
        ""
        if agreed.low is None or agreed.high is None
        else f"{figures.number(agreed.low)} to {figures.number(agreed.high)}"
    )
    return [
        Table(
            title="The judge, and people",
            dimension="judge",
            header=["", ""],
            rows=[
                ["judge", settings.judge.words],
                ["answers that people labelled", f"{agreed.items:,}"],
                ["of those the judge says the same of", f"{agreed.agreed:,}"],
                ["Cohen's kappa", figures.number(agreed.kappa, "undefined")],
                ["its 95 % interval, over answers drawn anew", interval or "undefined"],
            ],
        )
    ]


def topics(
    questions: Sequence[EvaluationQuestion], candidate: Sequence[JudgedAnswer], champion: Sequence[JudgedAnswer] | None
) -> list[Table]:
    """By topic, how many questions there are and how many answers the judge takes."""
    names = list(dict.fromkeys(each.topic or NO_TOPIC for each in questions))
    if len(names) < 2:
        return []
    header = ["Topic", "Questions", "Accepted", *(["of the champion's"] if champion is not None else [])]
    rows = []
    for name in names:
        places = [place for place, each in enumerate(questions) if (each.topic or NO_TOPIC) == name]
        rows.append(
            [name, str(len(places)), *(_taken(each, places) for each in (candidate, champion) if each is not None)]
        )
    return [Table(title="By topic", dimension="performance", header=header, rows=rows)]


def _taken(judged: Sequence[JudgedAnswer], places: Sequence[int]) -> str:
    return str(sum(judged[place].judgement.acceptable for place in places))


def failures(questions: Sequence[EvaluationQuestion], judged: Sequence[JudgedAnswer]) -> list[Table]:
    """Every answer that the judge does not take, with what was found for it."""
    failed = [
        (question, each) for question, each in zip(questions, judged, strict=True) if not each.judgement.acceptable
    ]
    if not failed:
        return []
    return [
        Table(
            title="Answers that the judge does not take",
            dimension="relevancy",
            header=["Question", "Why", "Found first", "Answered in"],
            rows=[
                [
                    f"{question.id}: {question.question}",
                    each.judgement.why,
                    (each.answer.sections or ["nothing"])[0],
                    ", ".join(question.sections) or "nowhere: to be refused",
                ]
                for question, each in failed
            ],
        )
    ]


def cost(
    settings: AnswerSettings,
    measurements: dict[str, float | None],
    champion: dict[str, float | None] | None,
    machine: str,
) -> Table:
    """What a question costs, and how long it takes: the candidate, and the *champion* where there is another."""
    models = [measurements, *([champion] if champion is not None else [])]

    def row(said: str, name: str, unit: str = "") -> list[str]:
        return [said, *(f"{figures.number(each[name], 'undefined')}{unit}" for each in models)]

    return Table(
        title="Cost and time of a question",
        dimension="cost",
        header=["", "Candidate", "Champion"][: 1 + len(models)],
        rows=[
            row("price", "cost.per_query", f" {settings.prices.currency}"),
            row("tokens, as the endpoint counts them", "cost.tokens_per_query"),
            row("words of its prompt", "cost.prompt_words"),
            row("half of the answers within", "latency.p50_ms", " ms"),
            row("95 of 100 within", "latency.p95_ms", " ms"),
            ["measured on", *[machine] * len(models)],
        ],
    )


def documents(snapshot: SnapshotManifest) -> Table:
    """What was read, and its digest."""
    return Table(
        title="What it was made from",
        dimension=DATA,
        header=["File", "Lines", "Digest"],
        rows=[[each.path, f"{each.rows:,}", each.digest] for each in snapshot.tables],
    )
