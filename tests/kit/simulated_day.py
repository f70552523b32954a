"""A day of fifty models: drifts that were planted should lead to a retraining each, and nothing else should.

Rows are drawn hour by hour, counted, judged and kept as ``watch-drift`` would; whoever drifts fires an alert, which comes late, several
times, in any order, and again hours later. What decides is what decides in production: the drift rules, the looks in the store, the
admission over ledgers in a database. Only time and rows are made up.
"""

import datetime
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from argosy.adapters.memory_objects import MemoryObjects
from argosy.adapters.sql_admission_state import SqlAdmissionState
from argosy.domain import drift, looks
from argosy.domain.bundle import Bins, Histogram
from argosy.domain.drift import About, Window
from argosy.domain.looks import Look
from argosy.domain.model_settings import ModelSettings
from argosy.domain.performance_report import LabelCounts, Performance, PerformanceWord
from argosy.domain.retraining_admission import Admitted, LedgerEntry
from argosy.domain.retraining_settings import Retraining
from argosy.ml import bins as binning
from argosy.ml import drift as measures
from argosy.monitoring import retrainings
from argosy.monitoring.retrainings import Event
from kit.examples import make_settings

MIDNIGHT = datetime.datetime(2026, 3, 29, tzinfo=datetime.UTC)  # the night in which European clocks go forward
HOURS, COLUMNS, CELLS = 24, 4, 10
ROWS, FEWEST, REFERENCE_ROWS = 3000, 500, 20_000
GATE, LATE = 0.8, 5
HOUR = datetime.timedelta(hours=1)
SETTINGS = make_settings("binary", ["no", "yes"], "log_loss")
SHARES = np.full(CELLS, 1 / CELLS)
SHIFTED = np.linspace(0.3, 1.7, CELLS) / CELLS

Random = np.random.Generator


@dataclass
class Simulated:
    """One model, and what is planted in its day."""

    name: str
    onset: int | None = None
    """The hour from which a column is shifted."""
    over: int = HOURS
    """The hour from which it is not any more."""
    quiet: range = range(0)
    """Hours without a single request."""
    trickle: range = range(0)
    """Hours with a few requests, of a kind of their own."""
    degraded: int | None = None
    """The hour from which it is wrong more often; its labels come LATE hours later."""
    outcomes: tuple[str, ...] = ("Succeeded",)
    """How its retrainings end, the last one's ending for all that follow."""
    merged_after: int | None = None
    """Hours after a request until its model serves."""
    rules: Retraining = field(default_factory=Retraining)
    expected: int = 0
    """Retrainings, neither more nor fewer."""
    version: int = 1
    served_again: int | None = None
    running: list[tuple[int, str]] = field(default_factory=list)
    """The hour in which a retraining ends, and its run."""

    @property
    def settings(self) -> ModelSettings:
        """Its model.yaml."""
        return SETTINGS.model_copy(update={"model": self.name, "retraining": self.rules})

    @property
    def digest(self) -> str:
        """Of the version that serves."""
        return f"sha256:{self.version:064x}"

    def is_shifted(self, hour: int) -> bool:
        """Whether the model that serves sees other rows than it was made with."""
        return self.onset is not None and self.onset <= hour < self.over and self.version == 1


EAGER = Retraining(cooldown_hours=3, per_day=9, stop_after=2)


def fleet() -> list[Simulated]:
    """Fifty models: what happens to each, and what has to come of it."""
    return [
        *(Simulated(f"calm_{n}") for n in range(20)),
        *(Simulated(f"drifting_{n}", onset=4 + n, expected=1) for n in range(8)),
        *(Simulated(f"mended_{n}", onset=3 + n, merged_after=3, expected=1) for n in range(4)),
        *(Simulated(f"blip_{n}", onset=5 + 2 * n, over=6 + 2 * n) for n in range(4)),
        *(Simulated(f"outage_{n}", quiet=range(6 + n, 11 + n), trickle=range(11 + n, 14 + n)) for n in range(4)),
        *(Simulated(f"degraded_{n}", degraded=5 + n, expected=1) for n in range(3)),
        *(Simulated(f"broken_{n}", onset=2 + n, outcomes=("Failed",), rules=EAGER, expected=2) for n in range(3)),
        # It comes and goes; a request that waits answers all of it until it has really gone.
        *(Simulated(f"again_{n}", onset=3, merged_after=None, rules=EAGER, expected=1) for n in range(2)),
        Simulated("failed_once", onset=2, outcomes=("Failed", "Succeeded"), rules=EAGER, expected=2),
        Simulated("not_wanted", onset=3, rules=Retraining(on=["schedule"])),
    ]


class Day:
    """The clock, the stores, and who brings the alerts."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = np.random.default_rng(seed)
        self.models = fleet()
        self.store = MemoryObjects()
        self.state = SqlAdmissionState(f"sqlite:///{folder}/loop.db")
        self.bins = {model.name: _bins(self.random) for model in self.models}
        self.firing: dict[str, datetime.datetime] = {}
        self.verdicts: dict[str, list[str]] = {model.name: [] for model in self.models}
        self.sent: list[tuple[str, str]] = []
        """Every message that ever was, by model: some come again."""
        self.seen = 0
        self.runs = 0

    def pass_by(self) -> None:
        """The whole day."""
        for hour in range(HOURS):
            for model in self.models:
                self._end_runs(model, hour)
                self._look(model, hour)
            self._bring_alerts(hour)

    def _end_runs(self, model: Simulated, hour: int) -> None:
        ended = [(at, holder) for at, holder in model.running if at <= hour]
        model.running = [each for each in model.running if each not in ended]
        for at, holder in ended:
            entries = len(self.state.ledger(model.name).admissions)
            status = model.outcomes[min(entries, len(model.outcomes)) - 1]
            retrainings.close(self.state, model.name, holder, status=status, failures="", now=MIDNIGHT + at * HOUR)
            if status == "Succeeded" and model.merged_after is not None:
                model.served_again = at + model.merged_after
        if model.served_again is not None and hour >= model.served_again:
            model.version, model.served_again = 2, None

    def _look(self, model: Simulated, hour: int) -> None:
        look = self._judged(model, hour)
        self.verdicts[model.name].append(look.verdict)
        self.store.put(looks.look_key(model.name, "production", look.until), look.canonical_json().encode())
        low = look.performance is not None and look.performance.verdict == "below"
        self._fire("ArgosyDrift", model, look, when=look.verdict == "drift")
        self._fire("ArgosyPerformanceBelowGate", model, look, when=low)

    def _judged(self, model: Simulated, hour: int) -> Look:
        bins, since = self.bins[model.name], MIDNIGHT + hour * HOUR
        window = self._window(model, hour, bins)
        about = About(model=model.name, environment="production", model_digest=model.digest)
        reference = drift.holdout(bins)
        thresholds = drift.Thresholds(minimum_rows=200)
        measured = measures.differences(window, reference.window)
        report = drift.report(about, window, measured, reference, thresholds=thresholds)
        return Look(
            model=model.name, environment="production", version=model.version, model_digest=model.digest, since=since,
            until=since + HOUR, looked=since + HOUR, rows=window.rows, verdict=report.verdict,
            explanation=report.explanation, reference="holdout", thresholds=thresholds, report=report,
            performance=self._performance(model, hour),
        )  # fmt: skip

    def _window(self, model: Simulated, hour: int, bins: Bins) -> Window:
        if hour in model.quiet:
            return drift.empty(bins)
        rows = 120 if hour in model.trickle else int(self.random.integers(ROWS * 2 // 3, ROWS * 4 // 3))
        moved = {0} if model.is_shifted(hour) else set(range(COLUMNS)) if hour in model.trickle else set()
        drawn = [_drawn(self.random, rows, SHIFTED if column in moved else SHARES) for column in range(COLUMNS)]
        counted = [
            histogram.model_copy(update={"counts": counts})
            for histogram, counts in zip(bins.columns, drawn, strict=True)
        ]
        scores = self.random.uniform(size=rows)
        answered = np.histogram(scores, bins=CELLS, range=(0, 1))[0].tolist()
        prediction = bins.prediction.model_copy(update={"counts": answered})
        return Window(rows=rows, columns=counted, prediction=prediction, scores=binning.moments(scores))

    def _performance(self, model: Simulated, hour: int) -> Performance:
        """By the labels that have come: those of LATE hours ago."""
        about, word = hour - LATE, "no labels"
        verdict: PerformanceWord = "no labels"
        if about >= 0 and about not in model.quiet and about not in model.trickle:
            right = 0.7 if model.degraded is not None and about >= model.degraded and model.version == 1 else 0.9
            score = float(self.random.binomial(ROWS, right)) / ROWS
            verdict, word = ("below" if score < GATE else "holds"), f"accuracy is {score:.2f}"
        since = MIDNIGHT + hour * HOUR
        return Performance(
            model=model.name, environment="production", model_digest=model.digest, task="binary", since=since,
            until=since + HOUR, as_of=since + HOUR, labels=LabelCounts(), verdict=verdict, explanation=word,
        )  # fmt: skip

    def _fire(self, name: str, model: Simulated, look: Look, *, when: bool) -> None:
        key = f"{name} {model.name} {look.model_digest}"
        if not when:
            self.firing.pop(key, None)
            return
        since = self.firing.setdefault(key, look.until)
        labels = {"alertname": name, "model": model.name, "environment": "production", "digest": look.model_digest}
        alert = {
            "status": "firing",
            "labels": {**labels, "retrain": "true"},
            "startsAt": since.isoformat(),
            "fingerprint": hashlib.sha256(key.encode()).hexdigest()[:16],
        }
        self.sent.append((model.name, json.dumps({"version": "4", "status": "firing", "alerts": [alert]})))

    def _bring_alerts(self, hour: int) -> None:
        """Those of this hour several times over, some of the past again, and forged ones about models that are calm; all in any order."""
        now = MIDNIGHT + (hour + 1) * HOUR
        fresh = self.sent[self.seen :]
        self.seen = len(self.sent)
        brought = [each for each in fresh for _ in range(int(self.random.integers(1, 4)))]
        if self.sent:
            brought += [self.sent[int(at)] for at in self.random.integers(0, len(self.sent), 5)]
        calm = f"calm_{int(self.random.integers(0, 20))}"
        brought.append((calm, _forged(calm, now)))
        brought.append((calm, _forged("nobody", now)))
        for number in self.random.permutation(len(brought)):
            self._bring(*brought[number], hour=hour, now=now + datetime.timedelta(seconds=int(number)))

    def _bring(self, name: str, message: str, *, hour: int, now: datetime.datetime) -> None:
        (model,) = (each for each in self.models if each.name == name)
        self.runs += 1
        holder = f"{name}-run-{self.runs}"
        answer = retrainings.decide(
            Event(kind=retrainings.ALERT, holder=holder, alert=retrainings.encoded(message)),
            settings=model.settings,
            state=self.state,
            looks_of=lambda environment: retrainings.recent_looks(self.store, name, environment),
            now=now,
        )
        if isinstance(answer.decision, Admitted):
            assert answer.cause is not None
            assert answer.cause.admission == answer.decision.entry.id
            model.running.append((hour + 2, holder))

    def admissions(self, model: Simulated) -> list[LedgerEntry]:
        """The retrainings of *model*."""
        return self.state.ledger(model.name).admissions


def _drawn(random: Random, rows: int, shares: np.ndarray) -> list[int]:
    counts: list[int] = random.multinomial(rows, shares / shares.sum()).tolist()
    return counts


def _bins(random: Random) -> Bins:
    edges = [float(edge) for edge in range(1, CELLS)]
    columns = [
        Histogram(column=f"c{number}", edges=edges, counts=_drawn(random, REFERENCE_ROWS, SHARES), missing=0)
        for number in range(COLUMNS)
    ]
    scores = random.uniform(size=REFERENCE_ROWS)
    cuts = [float(edge) for edge in np.arange(1, CELLS) / CELLS]
    counts = np.histogram(scores, bins=CELLS, range=(0, 1))[0].tolist()
    prediction = Histogram(column="prediction", edges=cuts, counts=counts, missing=0)
    moments = binning.moments(scores)
    return Bins(reference="holdout", rows=REFERENCE_ROWS, columns=columns, prediction=prediction, scores=moments)


def _forged(model: str, now: datetime.datetime) -> str:
    labels = {"alertname": "ArgosyDrift", "model": model, "environment": "production", "retrain": "true"}
    alert = {"status": "firing", "labels": labels, "startsAt": now.isoformat(), "fingerprint": "f0"}
    return json.dumps({"version": "4", "status": "firing", "alerts": [alert]})


def broken_promises(day: Day) -> list[str]:
    """What is wrong after *day*, a line each: every planted change is found at once and answered within two hours, nothing else is called a
    change, each model is retrained as often as it should be, and of hours without requests, or with few, nothing is said."""
    wrong = []
    for model in day.models:
        admissions, words = day.admissions(model), day.verdicts[model.name]
        drifted = [hour for hour, word in enumerate(words) if word == "drift"]
        if len(admissions) != model.expected:
            wrong.append(f"{model.name} was retrained {len(admissions)} times, not {model.expected}")
        if drifted[:1] != ([] if model.onset is None else [model.onset]):
            wrong.append(f"{model.name} drifted in hours {drifted}; it was planted in {model.onset}")
        planted = model.onset if model.onset is not None else (model.degraded or 0) + LATE
        if model.expected and admissions and admissions[0].at > MIDNIGHT + (planted + 3) * HOUR:
            wrong.append(f"{model.name} was retrained at {admissions[0].at} for what began in hour {planted}")
        for hours, word in ((model.quiet, "no data"), (model.trickle, "too few")):
            wrong += [
                f"{model.name} in hour {hour}: {words[hour]}, not {word}" for hour in hours if words[hour] != word
            ]
    return wrong
