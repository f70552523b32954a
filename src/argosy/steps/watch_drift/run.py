"""The logic of ``watch-drift``: a look at each environment that serves the model."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from argosy import errors
from argosy.domain import environment_layout, looks
from argosy.domain.looks import Look
from argosy.domain.monitor_settings import Monitor
from argosy.domain.performance_report import Performance
from argosy.domain.release import Version
from argosy.monitoring import pages, served, watching
from argosy.monitoring.watching import Judged, Watched
from argosy.ports.artifacts import Artifacts
from argosy.ports.drift_pages import DriftPages
from argosy.ports.forge import Forge
from argosy.ports.objects import Objects
from argosy.ports.prediction_log import PredictionHistory
from argosy.promotion.standing import Main

PAGES = ("drift", "always", "never")
HOUR = datetime.timedelta(hours=1)


def run(
    *,
    model: str,
    monitor: Monitor,
    environment: str,
    until: str,
    page: str,
    now: datetime.datetime,
    forge: Forge,
    artifacts: Artifacts,
    history: PredictionHistory,
    objects: Objects,
    drawing: Callable[[], DriftPages],
    measuring: Callable[[Version, str, datetime.datetime], Performance | None],
    out: Path,
) -> list[str]:
    """Look at *model* in *environment*, or in all that serve it; write each look into *out* and *objects*, return a line each.

    *drawing*: what draws a page, loaded only where one is drawn. *measuring*: gives the real performance of a version in an environment
    up to a moment, None for a model without labels. Raises Misconfigured for a parameter that is none; and, once every environment was
    looked at, the first of what stood in the way: a bundle that is not to be had, labels, or a page that could not be drawn.
    """
    if page not in PAGES:
        raise errors.Misconfigured(f"page={page!r}: expected {', '.join(PAGES)}")
    end = _moment(until, now, monitor)
    out.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    failed: list[errors.ArgosyError] = []
    since = looks.hour_of(end) - monitor.length
    for name in [environment] if environment else _serving(model, forge):
        try:
            watched = served.find(model, name, monitor, forge=forge, artifacts=artifacts, objects=objects)
            judged = watching.judge(watched, history=history, objects=objects, since=since, until=end, now=now)
        except errors.ArgosyError as error:  # one environment hides no other
            failed.append(error)
            continue
        look = judged.look
        watching.keep(objects, look, monitor.due)  # before labels and pages, of which many a library has a part
        try:
            look = look.model_copy(update={"performance": measuring(watched.version, watched.environment, end)})
        except errors.ArgosyError as error:  # drift is told all the same
            failed.append(error)
        watching.keep(objects, look, monitor.due)
        if look.rows and (page == "always" or (page == "drift" and look.verdict == "drift")):
            try:
                look = _drawn(replace(judged, look=look), watched, history, objects, drawing(), out)
            except errors.ArgosyError as error:  # a page that cannot be drawn hides nothing either
                failed.append(error)
        look.write(out / f"{watched.environment}.json")
        lines.append(f"{watched.environment}: {look.verdict}: {look.explanation} ({look.rows:,} rows)")
        if look.performance is not None:
            told = look.performance
            lines.append(f"{watched.environment}: performance: {told.verdict}: {told.explanation}")
            lines += [f"{watched.environment}: {problem}" for problem in told.problems]
    if failed:
        raise failed[0]
    return lines or [f"{model} is served nowhere yet; there is nothing to look at"]


def _serving(model: str, forge: Forge) -> Iterator[str]:
    """The environments that serve *model*, by what main names."""
    main = Main.now(forge)
    for name in environment_layout.ENVIRONMENTS:
        version = main.version(model, name)
        if version and not main.rejection(model, version.model_digest):
            yield name


def _drawn(
    judged: Judged, watched: Watched, history: PredictionHistory, objects: Objects, drawing: DriftPages, out: Path
) -> Look:
    """The look of *judged*, kept once more with a page of it, in *out* and in the store."""
    look = judged.look
    path = out / f"{look.environment}.html"
    pages.write(path, watched, judged, history=history, pages=drawing)
    key = looks.page_key(look.model, look.environment, look.until)
    objects.put(key, path.read_bytes())
    look = look.model_copy(update={"evidently": key})
    watching.keep(objects, look)
    return look


def _moment(text: str, now: datetime.datetime, monitor: Monitor) -> datetime.datetime:
    if not text:
        return now
    try:
        given = datetime.datetime.fromisoformat(text)
        moment = (given if given.tzinfo else given.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
        _ = moment - monitor.length - HOUR  # the window has a beginning
    except (ValueError, OverflowError):
        raise errors.Misconfigured(f"until={text!r} is no time, such as 2026-01-31T12:00Z") from None
    ahead = now + monitor.due
    if moment > ahead:  # it would be the newest, which alerts and admission go by, until then
        raise errors.Misconfigured(
            f"until={text!r} lies after the end of the look that is due next; at the latest it may be {ahead:%Y-%m-%dT%H:%M:%SZ}"
        )
    return moment
