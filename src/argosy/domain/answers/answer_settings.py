"""The settings of a language model: the ``model.yaml`` of a folder whose task is ``answers``.

What is versioned of such a model is its prompt, how it retrieves, and which endpoint completes; the judge and the prices are by what it is
measured, and travel with it so that a number can be made again.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from argosy.domain.documents import Document
from argosy.domain.model_settings import CommonSettings
from argosy.domain.monitor_settings import Baseline, Monitor
from argosy.domain.time_spans import Duration

REQUEST_SECONDS = 30.0
"""Of a whole request, where neither the settings nor the budget of a question say more; proxies give up after a minute as a rule."""
SLICES = ("language", "document")
"""Columns of the log by which a window can be judged in parts."""
Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Price = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class Retrieval(Document):
    """How passages are found: BM25 over sections of the documents, cut to a length."""

    passages: int = Field(default=3, ge=1, le=20, description="Passages that a question is answered from.")
    words: int = Field(default=120, ge=20, le=1000, description="Words that a passage has at most.")
    k1: float = Field(
        default=1.2, ge=0.0, le=10.0, description="BM25: how soon a word that comes again counts no more."
    )
    b: Share = Field(default=0.75, description="BM25: how far long passages are held back.")
    headings: int = Field(
        default=1, ge=0, le=10, description="How many times the words of a passage's headings count beside its own."
    )


class Extractive(Document):
    """Answers with sentences of the passages, and nothing else: no network, no key, the same each time."""

    kind: Literal["extractive"]
    sentences: int = Field(default=3, ge=1, le=20, description="Sentences of an answer at most.")
    least_cover: Share = Field(
        default=0.5,
        description="Share of a question's words, the rare ones counting more, that the passages must have; below it, it refuses.",
    )


class Chat(Document):
    """Asks an endpoint that speaks the protocol of OpenAI's chat completions; its key is in ARGOSY_CHAT_KEY, the Secret argosy-chat."""

    kind: Literal["chat"]
    endpoint: str = Field(
        pattern=r"^https?://\S+$", description="Up to the version, such as https://llm.example.com/v1."
    )
    model: str = Field(min_length=1, description="As the endpoint names it; one that never changes under its name.")
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    max_tokens: int = Field(default=400, ge=1)
    timeout_seconds: float = Field(default=60.0, gt=0.0)


Answerer = Annotated[Extractive | Chat, Field(discriminator="kind")]


class LexicalJudge(Document):
    """Judges by words alone: offline, the same each time. What it is worth is what its agreement with people says."""

    kind: Literal["lexical"]
    supported: Share = Field(
        default=0.6,
        description="Share of a sentence's words that one passage must have for it to count as taken from there.",
    )
    least_faithfulness: Share = Field(default=0.7, description="Below it, an answer is not acceptable.")
    needs_section: bool = Field(
        default=True, description="Whether an answer must come from a section that the question names, among others."
    )
    least_relevancy: Share = Field(default=0.35, description="Below it, an answer is not acceptable.")
    least_asked: Share = Field(
        default=0.75,
        description="Of a served answer, which no reference is there for: share of the question's words that it must have.",
    )

    @property
    def words(self) -> str:
        """Who judges, for the evidence."""
        return "words alone, offline"


class ChatJudgeSettings(Chat):
    """Has a model judge, at an endpoint of its own; see :class:`Chat`."""

    @property
    def words(self) -> str:
        """Who judges, for the evidence."""
        return f"{self.model} at an endpoint"


class InstalledJudge(Document):
    """Has a package judge that is installed beside Argosy."""

    kind: Literal["installed"]
    name: str = Field(min_length=1, description="What the package calls it in its entry point.")
    settings: dict[str, str | bool | int | float] = Field(
        default_factory=dict, description="What the package makes it of; its documentation says which there are."
    )

    @property
    def words(self) -> str:
        """Who judges, for the evidence."""
        return f"{self.name}, which an installed package brings"


Judge = Annotated[LexicalJudge | ChatJudgeSettings | InstalledJudge, Field(discriminator="kind")]


class Judging(Document):
    """Which answers that were given the model's `judge` judges besides, once they are out: what the canary and drift go by."""

    share: Share = Field(default=0.1, description="Share of the answers.")
    per_minute: int = Field(
        default=30,
        ge=1,
        le=6000,
        description="Answers that one server judges in a minute at most; others are left out.",
    )


class AnswerServing(Document):
    """How a server answers questions."""

    seconds: float = Field(
        default=20.0,
        gt=0.0,
        le=600.0,
        description="Time budget of a question, from when it is asked; where one takes longer, its request is refused with 503 and "
        "Retry-After.",
    )
    request_seconds: float | None = Field(
        default=None,
        gt=0.0,
        le=900.0,
        description="Time budget of a request with all its questions, waiting for others included; where it takes longer it is refused "
        "with 503 and Retry-After. Where absent 30, or `seconds` where that is more. On a cluster `answers.requestSeconds` of the chart "
        "holds too.",
    )
    at_once: int = Field(
        default=16,
        ge=1,
        le=256,
        description="Questions that one server asks at the same time, of all requests; others wait for them.",
    )
    questions_at_once: int = Field(
        default=4,
        ge=1,
        le=16,
        description="Questions of one request that an endpoint is asked at the same time; 1: one after another, for an endpoint that bears "
        "no more.",
    )
    log: Literal["measures", "redacted", "texts"] = Field(
        default="measures",
        description="What the prediction log has of a question and its answer: `measures`, that is lengths, cover, score and document and "
        "no text; `redacted`, their texts besides, without what looks like a key, a password or a person's address; `texts`, as they are.",
    )
    judging: Judging = Judging()

    @property
    def request_budget(self) -> float:
        """Seconds that a request may take, all its questions together."""
        return max(REQUEST_SECONDS, self.seconds) if self.request_seconds is None else self.request_seconds

    @model_validator(mode="after")
    def _has_time_for_one_question(self) -> Self:
        if self.request_budget < self.seconds:
            raise ValueError(
                f"`request_seconds` is {self.request_seconds:g}, less than one question may take (`seconds`: {self.seconds:g}); "
                "raise it, or lower `seconds`"
            )
        return self


class AnswerMonitor(Monitor):
    """How what is asked and answered is watched: a week against the week before, as fewer questions come than rows of a table, and those of
    an evaluation set are none that people drew."""

    window: Duration = Field(
        default="7d", description="How much of the log each look judges, such as 24h or 7d; whole hours."
    )
    every: Duration = Field(
        default="6h",
        description="How often it is looked at: a part of an hour such as 15m, or a part of a day such as 6h.",
    )
    slices: list[str] = Field(
        default_factory=list, description=f"Columns each of whose values is judged by itself too: {', '.join(SLICES)}."
    )
    baseline: Baseline = Field(
        default="previous window",
        description="What a window is held against: the window before, the same season of what was logged (`seasonality` with `history`), "
        "or, as `holdout`, the evaluation set, where its questions are drawn of what people ask.",
    )

    @model_validator(mode="after")
    def _is_of_answers(self) -> Self:
        if self.skew is not None:
            raise ValueError("`skew` is of features, and a language model has none; take it out")
        if self.seasonality is not None and self.seasonality.history is None:
            raise ValueError(
                "`seasonality` needs `history`, such as 28d: no training data has the seasons of questions"
            )
        if odd := next((name for name in self.slices if name not in SLICES), None):
            raise ValueError(f"the slice {odd!r} is no column of answers with few values: {', '.join(SLICES)}")
        return self


class TokenPrices(Document):
    """What tokens cost, in one currency."""

    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    input_per_million: Price = Field(default=0.0, description="For a million tokens of prompts.")
    output_per_million: Price = Field(default=0.0, description="For a million tokens of answers.")


class ReviewSettings(Document):
    """What people are asked to label."""

    items: int = Field(default=12, ge=1, le=200, description="Answers that a request shows to its reviewer at most.")


class AnswerSettings(CommonSettings):
    """All settings of one language model."""

    task: Literal["answers"]
    documents: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*\.md$")]] = Field(
        min_length=1, description="Markdown files at `data`, of which passages are made."
    )
    retrieval: Retrieval = Retrieval()
    answerer: Answerer
    refusal: str = Field(
        min_length=1, description="What it says where it does not know; an answer that is this counts as refused."
    )
    judge: Judge
    serving: AnswerServing = AnswerServing()
    prices: TokenPrices = TokenPrices()
    review: ReviewSettings = ReviewSettings()
    monitor: AnswerMonitor | None = Field(
        default=None,
        description="How questions and answers are watched; compiled to a CronWorkflow beside the pipeline. Where absent, only "
        "`argosy drift` looks at them.",
    )

    @model_validator(mode="after")
    def _names_each_document_once(self) -> Self:
        seen: set[str] = set()
        for name in self.documents:
            if name in seen:
                raise ValueError(f"documents: {name!r} is there twice")
            seen.add(name)
        return self
