"""A run of a model on this machine, as objects: what it decided, its figures, frames and model. ``Run`` in a notebook.

How a run stands while it goes on is the port ``runs``; pages are ``report``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors
from argosy.cli import named_runs, report
from argosy.engine.state import runs
from argosy.report import notebook_html, run_outcome
from argosy.report.record import RunReport
from argosy.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from argosy.domain.evidence import Evidence, GateResult
    from argosy.scoring.loaded_answers import LoadedAnswers
    from argosy.scoring.loaded_model import LoadedModel

SIDES = ("train", "holdout", "recent")


@dataclass(frozen=True)
class RunDocuments:
    """One run of a model."""

    home: Path
    folder: runs.RunFolder

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.run

    @cached_property
    def record(self) -> RunReport:
        """Everything that is known of it."""
        return report.record_of(self.home, self.folder)

    @property
    def phase(self) -> str:
        """How it stands: Running, Succeeded, Failed …"""
        return self.record.facts.phase

    @property
    def outcome(self) -> str:
        """What it came to, in words."""
        return run_outcome.of(self.record).headline

    @property
    def evidence(self) -> "Evidence":
        """What was measured and decided. Raises UsageError where it never came to that."""
        if self.record.evidence is None:
            raise errors.UsageError(
                f"run {self.name} measured nothing: {self.outcome}; `argosy why {self.name}` says why"
            )
        return self.record.evidence

    @property
    def metrics(self) -> Mapping[str, float | None]:
        """The measurements by name, such as ``performance.auc``."""
        return self.evidence.metrics

    @property
    def version(self) -> int | None:
        """The number under which the model is registered; None where it is not."""
        found = self.record.results.get("version", "")
        return int(found) if found.isdecimal() else None

    def frame(self, side: str = "holdout") -> "pd.DataFrame":
        """The rows of one *side*, ``train``, ``holdout`` or ``recent``, with their features and the label. Raises UsageError.

        Of a language model ``holdout`` is all there is: its evaluation set, with the answers and what the judge says of them.
        """
        if self.is_of_answers:
            return self._judged(side)
        from argosy.ml import frames

        if side not in SIDES:
            raise errors.UsageError(f"there is no side {side!r}; sides: {', '.join(SIDES)}")
        frame: pd.DataFrame = frames.read(self.artifact("build-features", "features"), side).table.to_pandas()
        return frame.drop(columns=frames.SIDE)

    def figures(self) -> Mapping[str, "pd.DataFrame"]:
        """The curves of the evaluation, each with columns of its axes and the line that a point is on, by title."""
        import pandas as pd

        return {
            curve.title: pd.DataFrame(
                [(line, x, y) for line, points in curve.series.items() for x, y in points],
                columns=["line", curve.x_label, curve.y_label],
            )
            for curve in self.evidence.curves
        }

    def bundle(self) -> tuple[Path, str]:
        """The folder of the model that it made, and its digest. Raises UsageError where it made none."""
        digest = self.record.results.get("model-digest") or self.record.results.get("digest", "")
        return self.artifact("assemble" if self.is_of_answers else "train", "bundle"), digest

    @property
    def is_of_answers(self) -> bool:
        """Whether the model is one that answers in words."""
        return self.record.answer_settings is not None

    def _judged(self, side: str) -> "pd.DataFrame":
        import pandas as pd

        from argosy.cli import judged_rows

        if side != "holdout":
            raise errors.UsageError(f"there is no side {side!r} of a language model; its evaluation set is 'holdout'")
        return pd.DataFrame(judged_rows.of_run(self))

    @property
    def model(self) -> "LoadedModel | LoadedAnswers":
        """The model that it made, to be asked."""
        if self.is_of_answers:
            return self._answers()
        from argosy.ml.predictor import Predictor
        from argosy.scoring.loaded_model import LoadedModel

        predictor = Predictor.load(*self.bundle())
        return LoadedModel(self.record.facts.model, self.version, approved=False, predictor=predictor)

    def _answers(self) -> "LoadedAnswers":
        from argosy import wiring
        from argosy.domain.answers.answer_bundle import AnswerSignature
        from argosy.ml.answers.assistant import Assistant, Complete
        from argosy.scoring.loaded_answers import LoadedAnswers

        def completing(signature: AnswerSignature) -> Complete | None:
            completion = wiring.serving_completion(Settings.from_environment(), signature)
            return completion.complete if completion else None

        assistant = Assistant.load(*self.bundle(), completing)
        return LoadedAnswers(self.record.facts.model, self.version, approved=False, assistant=assistant)

    def artifact(self, template: str, name: str) -> Path:
        """The output *name* of the step *template*. Raises UsageError where it has none."""
        found = report.artifacts(self.home, self.folder.state()[1])(template, name)
        if found is None or not found.exists():
            raise errors.UsageError(f"run {self.name} has no {name} of {template}: {self.outcome}")
        return found

    def __repr__(self) -> str:
        return f"<run {self.name}: {self.outcome}>"

    def _repr_html_(self) -> str:
        rows = {"run": self.name, "outcome": self.outcome, "version": str(self.version or "none")}
        if self.record.evidence is not None:
            rows |= {gate.gate: _shown(gate) for gate in self.record.evidence.gates}
        return notebook_html.table(rows)


def _shown(gate: "GateResult") -> str:
    measured = "undefined" if gate.measured is None else f"{gate.measured:.4g}"
    return f"{measured}, limit {gate.limit}{'' if gate.passed else ' (fails)'}"


def find(home: Path, model: str, run: str | None) -> RunDocuments:
    """The *run* of *model* under *home*, by its name or the beginning of it; None: the newest. Raises UsageError where there is none."""
    return RunDocuments(home, named_runs.of_model(home, model, run))


def run(reference: str) -> RunDocuments:
    """The run that *reference* names: ``upsell/latest``, a run's name, or the beginning of it. Raises UsageError."""
    home = Settings.from_environment().home
    return RunDocuments(home, named_runs.named(home, reference))
