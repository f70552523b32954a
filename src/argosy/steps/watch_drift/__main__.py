"""Binds the step ``watch-drift`` to prediction log, monitoring store, forge and model store."""

import datetime
import functools

from argosy import wiring
from argosy.domain.answers.answer_settings import AnswerMonitor
from argosy.domain.feature_skew import FeatureSkew
from argosy.domain.model_settings import CommonSettings, ModelSettings
from argosy.domain.monitor_settings import Monitor
from argosy.domain.performance_report import Performance
from argosy.domain.release import Version
from argosy.files import model_folder
from argosy.monitoring import performance, skew_comparison
from argosy.monitoring.second_looks import SecondLooks
from argosy.monitoring.watching import Watched
from argosy.settings import Settings
from argosy.steps.main import Step, main
from argosy.steps.watch_drift import run
from argosy.steps.watch_drift.spec import SPEC

OF_ANSWERS = ("model", "monitor")
"""The parts of the settings of a language model that it reads."""


def body(step: Step) -> None:
    """Bind the step's parameters to its logic."""
    here = Settings.from_environment()
    path = step.input("settings")
    of_answers = model_folder.is_of_answers(path)
    settings = model_folder.load_any(path, OF_ANSWERS if of_answers else SPEC.settings)
    now, history = datetime.datetime.now(datetime.UTC), wiring.prediction_history(here)
    forge, artifacts, objects = wiring.forge(here), wiring.artifacts(here), wiring.objects(here, here.monitoring_uri)
    lines = run.run(
        model=settings.model,
        monitor=settings.monitor or (AnswerMonitor() if of_answers else Monitor()),
        environment=step.parameter("environment"),
        until=step.parameter("until"),
        page=step.parameter("page"),
        now=now,
        forge=forge,
        artifacts=artifacts,
        history=history,
        objects=objects,
        drawing=wiring.drift_pages,
        measuring=functools.partial(_measured, here, settings, step.parameter("data")),
        comparing=functools.partial(_compared, here, settings, step.parameter("data")),
        beside=SecondLooks(forge, artifacts, history, objects, now).beside,
        out=step.output("looks"),
        say=_say,
    )
    step.result("verdicts", "\n".join(lines))


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the step's log


def _measured(
    here: Settings, settings: CommonSettings, data: str, version: Version, environment: str, until: datetime.datetime
) -> Performance | None:
    """The real performance of *version*, measured now where it is time to; None for a model without labels."""
    if not isinstance(settings, ModelSettings) or settings.labels is None:
        return None
    now, objects = datetime.datetime.now(datetime.UTC), wiring.objects(here, here.monitoring_uri)
    measured = performance.of_main(wiring.forge(here), settings, version, environment, objects)
    known = performance.latest(objects, settings.model, environment)
    if performance.is_current(known, measured, now):
        return known
    place = data or measured.place(here.data_root)
    with wiring.labels(here, place, measured.table) as sources:
        found = performance.measure(
            measured, performance.window(measured, until, now), sources, wiring.performance_tools(here)
        )
    performance.keep(objects, found)
    return found


def _compared(
    here: Settings,
    settings: CommonSettings,
    data: str,
    watched: Watched,
    since: datetime.datetime,
    until: datetime.datetime,
) -> FeatureSkew | None:
    """Online features beside offline ones, compared now where it is time to; None where the settings do not ask for it."""
    asked = settings.monitor.skew if settings.monitor else None
    if asked is None or not isinstance(settings, ModelSettings):
        return None
    now, objects = datetime.datetime.now(datetime.UTC), wiring.objects(here, here.monitoring_uri)
    known = skew_comparison.latest(objects, settings.model, watched.environment)
    if skew_comparison.is_current(known, watched, asked, now):
        return known
    sources = skew_comparison.needed(watched, settings)
    with wiring.source_files(here, data or skew_comparison.place(settings, sources, here.data_root), sources) as files:
        when = skew_comparison.SkewWindow(since, until, now)
        found = skew_comparison.measure(watched, settings, asked, when, files, wiring.skew_tools(here, watched.version))
    skew_comparison.keep(objects, found)
    return found.without_examples()


if __name__ == "__main__":
    main(SPEC, body)
