"""One self-contained page per run: no script, no network, opens from disk in any browser.

The page may hold text of others (feature names, error messages, run names): everything is escaped by the template, and a content security
policy allows this page's own style sheet by its hash and nothing else. Words are decided here and in ``run_outcome``; how it looks is in
``pages/``.
"""

from pathlib import Path
from urllib.parse import urlsplit

import jinja2

from argosy.domain import comparison
from argosy.report import charts, data_profile, formats, hero, page_environment, run_outcome, timeline, views
from argosy.report.record import RunReport


def render(report: RunReport) -> str:
    """The page of *report*, as text."""
    environment = full_environment()
    times, outcome = timeline.of(report.facts, report.entries), run_outcome.of(report)
    return environment.get_template("report.html.j2").render(
        report=report,
        facts=report.facts,
        evidence=report.evidence,
        outcome=outcome,
        trains=outcome.word != run_outcome.NOT_LET_IN,
        hero=hero.of(report),
        sections=views.sections(report),
        left_out=views.left_out(report),
        profile=data_profile.columns(report.bins, report.features),
        most_profiles=data_profile.SHOWN,
        unit=lambda metric: hero.label_unit(report, metric),
        dimensions=views.dimensions(report.evidence) if report.evidence else [],
        layers=views.layers(report),
        ledger=times,
        blocks=charts.of_timeline(times),
        ledger_ticks=charts.timeline_ticks(times),
        tuning=charts.of_search(report.history, report.choice) if report.history else None,
        learning=charts.of_learning(report.training.learning_curve) if report.training else None,
        training_confusion=views.training_confusion(report.training),
        importance=charts.of_attribution(report.training.importance) if report.training else (),
        best_trials=views.best_trials(report),
        attribution=charts.of_attribution(report.evidence.attribution) if report.evidence else (),
        request=views.request(report),
        cause=views.cause(report),
        reaction=timeline.reaction(report.cause, report.facts, report.entries),
        rejected=views.rejected(report),
        **page_environment.style(),
    )


def write(report: RunReport, path: Path) -> None:
    """Write the page of *report* to *path*, whole or not at all."""
    text = render(report)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def link(text: str) -> str | None:
    """*text* where it is an address that may become a link; a page of ours leads to the web and nowhere else."""
    parts = urlsplit(text)
    return text if parts.scheme in {"http", "https"} and parts.netloc else None


def full_environment() -> jinja2.Environment:
    environment = page_environment.environment()
    environment.filters |= {
        "number": formats.number,
        "percent": formats.percent,
        "seconds": formats.seconds,
        "size": formats.size,
        "short": formats.short,
        "moment": formats.moment,
        "told": comparison.told,
        "asked": comparison.asked,
        "adjusted": comparison.adjusted,
        "words": formats.words,
        "measurement": formats.measurement,
        "heading": formats.heading,
        "aligned": views.aligned,
        "heat": views.heat,
        "bound": formats.bound,
        "bullet": charts.of_gate,
        "interval": charts.of_comparison,
        "link": link,
    }
    return environment
