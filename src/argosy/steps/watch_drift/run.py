"""The logic of ``watch-drift``: a look at each environment that serves the model."""

import datetime
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from argosy import errors
from argosy.domain import environment_layout, looks
from argosy.domain.feature_skew import FeatureSkew
from argosy.domain.looks import Look, SecondLook
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
    beside: Callable[[Watched, datetime.datetime, datetime.datetime], SecondLook | None],
    comparing: Callable[[Watched, datetime.datetime, datetime.datetime], FeatureSkew | None],
    out: Path,
    say: Callable[[str], None] = lambda _line: None,
) -> list[str]:
    """Look at *model* in *environment*, or in all that serve it; write each look into *out* and *objects*, return a line each.

    *drawing*: what draws a page, loaded only where one is drawn. *measuring*: gives the real performance of a version in an environment
    up to a moment, None for a model without labels. *beside*: gives the look at the second version beside one in some time, None where
    there is none; why there can be none is said, and ends nothing. *comparing*: gives what online and offline features came to in some
    time, None where nobody compares. *say*: is told each line as soon as it is known, those of failures too.
    Raises Misconfigured for a parameter that is none; and, once every environment was looked at, the first of what stood in the way: a
    bundle that is not to be had, labels, or a page that could not be drawn.
    """
    if page not in PAGES:
        raise errors.Misconfigured(f"page={page!r}: expected {', '.join(PAGES)}")
    end = _moment(until, now, monitor)
    out.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    hindrances = _Hindrances(say)
    since = looks.hour_of(end) - monitor.length
    for name in [environment] if environment else _serving(model, forge):
        judged = None
        with hindrances.noted(name, "the look"):  # one environment hides no other
            watched = served.find(model, name, monitor, forge=forge, artifacts=artifacts, objects=objects)
            judged = watching.judge(watched, history=history, objects=objects, since=since, until=end, now=now)
            watching.keep(
                objects, judged.look, monitor.due
            )  # before labels and pages, of which many a library has a part
        if judged is None:
            continue
        look = judged.look
        with hindrances.noted(name, "its performance"):  # drift is told all the same
            look = look.model_copy(update={"performance": measuring(watched.version, watched.environment, end)})
            watching.keep(objects, look, monitor.due)
        with hindrances.noted(name, "its features"):
            look = look.model_copy(update={"skew": comparing(watched, since, end)})
            watching.keep(objects, look, monitor.due)
        with hindrances.noted(name, "its second version"):
            look = look.model_copy(update={"second": _second(watched, since, end, beside, say)})
            watching.keep(objects, look, monitor.due)
        if look.rows and (page == "always" or (page == "drift" and look.verdict == "drift")):
            with hindrances.noted(name, "its page"):  # a page that cannot be drawn hides nothing either
                look = _drawn(replace(judged, look=look), watched, history, objects, drawing(), out)
        look.write(out / f"{watched.environment}.json")
        for line in _told(look):
            lines.append(line)
            say(line)
    if hindrances.first:
        raise hindrances.first
    if not lines:
        lines.append(
            f"{model} is served nowhere yet, so there is nothing to look at: `argosy run {model}` proposes a version, `argosy pr list` "
            "shows what waits"
        )
        say(lines[0])
    return lines


def _second(
    watched: Watched,
    since: datetime.datetime,
    until: datetime.datetime,
    beside: Callable[[Watched, datetime.datetime, datetime.datetime], SecondLook | None],
    say: Callable[[str], None],
) -> SecondLook | None:
    try:
        return beside(watched, since, until)
    except errors.ArgosyError as error:  # what is only tried fails no look at what is served
        say(f"{watched.environment}: its second version is not looked at: {error}")
        return None


class _Hindrances:
    """What stood in the way of one environment, kept until the others were looked at."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.first: errors.ArgosyError | None = None

    def noted(self, environment: str, what: str) -> "_Noted":
        """Keeps whatever is raised while *what* of *environment* is made."""
        return _Noted(self, environment, what)

    def add(self, environment: str, error: errors.ArgosyError) -> None:
        """Keep the first, with which the step ends; say each other in a line."""
        if self.first is None:
            self.first = error
        else:
            self._say(f"{environment}: error: {error}")


@dataclass(frozen=True)
class _Noted:
    """One part of one environment's turn: a failure, also one of a library of others, ends this part and nothing else."""

    hindrances: _Hindrances
    environment: str
    what: str

    def __enter__(self) -> None:
        """Nothing is needed."""

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> bool:
        if not isinstance(error, Exception):
            return False  # nothing was raised, or it is told to stop
        self.hindrances.add(self.environment, self._failure(error))
        return True

    def _failure(self, error: Exception) -> errors.ArgosyError:
        if isinstance(error, errors.ArgosyError):
            return error
        if isinstance(error, OSError) and errors.is_disk_full(error):
            return errors.LocalDisk(f"{self.environment}: {self.what}: {error}; free space there, then run again")
        return _unexpected(self.environment, self.what, error)


def _unexpected(environment: str, what: str, error: Exception) -> errors.ArgosyError:
    """A failure that nobody foresaw, in a line, with where it was raised, of which a report can be made."""
    frames = traceback.extract_tb(error.__traceback__)
    at = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    said = (str(error).strip().splitlines() or ["no reason given"])[0]
    found = errors.ArgosyError(
        f"{environment}: {what} failed: {type(error).__name__}: {said}{at}; what else there was to see is kept. This is a fault of Argosy "
        "or of a library: report it with this line"
    )
    found.__cause__ = error
    return found


def _told(look: Look) -> Iterator[str]:
    """The lines of *look*."""
    yield f"{look.environment}: {look.verdict}: {look.explanation} ({look.rows:,} rows)"
    if look.second is not None:
        second = look.second
        yield f"{look.environment}: {second.called()}: {second.verdict}: {second.explanation} ({second.rows:,} rows)"
    if look.performance is not None:
        told = look.performance
        yield f"{look.environment}: performance: {told.verdict}: {told.explanation}"
        if told.label_drift is not None:
            yield f"{look.environment}: labels: {told.label_drift.explanation} ({told.label_drift.rows:,} labels)"
        yield from (f"{look.environment}: {problem}" for problem in told.problems)
    if look.skew is not None:
        yield f"{look.environment}: features: {look.skew.verdict}: {look.skew.explanation}"


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
        moment = looks.moment(text)
    except ValueError:
        raise errors.Misconfigured(f"until={text!r} is no time, such as 2026-01-31T12:00Z") from None
    ahead = now + monitor.due
    if moment > ahead:  # it would be the newest, which alerts and admission go by, until then
        raise errors.Misconfigured(
            f"until={text!r} lies after the end of the look that is due next; at the latest it may be {ahead:%Y-%m-%dT%H:%M:%SZ}"
        )
    return moment
