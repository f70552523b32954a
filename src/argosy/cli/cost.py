"""Say what runs cost, by month, model, pipeline or owner: what their pods asked for over time, times prices.

On a cluster that is Argo's own `resourcesDuration`: of the workflows that are there, and of Argo's archive where ARGOSY_ARCHIVE_URI
names its database. On this machine it is reckoned in the same way from what each step of a manifest asks for. Indicative, as Argo's is.
"""

import argparse
import contextlib
import datetime
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from argosy import errors, settings, wiring
from argosy.cli import models, target
from argosy.cli.predictions import days
from argosy.domain import bills
from argosy.domain.bills import BillRow, Prices, Used
from argosy.engine import resource_durations
from argosy.engine.resource_durations import ResourceUse
from argosy.engine.state import runs
from argosy.engine.state.runs import RunFolder
from argosy.files import model_folder
from argosy.report import plain_text
from argosy.templates import folder

LABELS = ("month", "model", "pipeline", "owner")
TEMPLATE_LABEL = "workflows.argoproj.io/workflow-template"
NOBODY = "-"
MOST_COUNTED = 500
"""Runs, the newest, whose cost pages and `argosy status` count: each has a journal to be read."""
RunVersion = tuple[int, ...]
MONTHS_DAYS = 92
"""Days that a bill reaches back to, where nobody says otherwise."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--by",
        type=_labels,
        default=("month", "model"),
        metavar="WORDS",
        help=f"of {', '.join(LABELS)} (default month,model)",
    )
    parser.add_argument(
        "--days", type=days, default=MONTHS_DAYS, metavar="N", help="runs that began within so many days (default 92)"
    )
    parser.add_argument(
        "--price", metavar="PRICES", help="of an hour, such as cpu=0.04,memory=0.005,gpu=2.5 (ARGOSY_PRICES)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    target.add_arguments(parser, "runs of a cluster instead of this machine's")


def run(arguments: argparse.Namespace) -> int:
    """Print the bill."""
    here = settings.Settings.from_environment()
    given = arguments.price is not None
    prices = Prices.from_text(arguments.price if given else here.prices, "--price" if given else "ARGOSY_PRICES")
    since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=arguments.days)
    found = _of_cluster(arguments, here, since) if target.is_cluster(arguments) else _of_machine(here)
    rows = bills.bill((one for one in found if one.at >= since), arguments.by, prices)
    for row in rows if arguments.json else ():
        print(json.dumps(_as_json(row)))
    if not arguments.json:
        _print(rows, arguments.by, prices)
    return errors.DONE


def newest(
    arguments: argparse.Namespace, here: settings.Settings, most: int, known: dict[str, tuple[RunVersion, Used]]
) -> tuple[list[Used], int]:
    """What the newest *most* runs of this machine used, or of the last months of a cluster's, and how many others are left out.

    *known*: what was read of runs of this machine that were over, by name, each with the version it was read of: a retry makes another.
    What is found joins it.
    """
    if target.is_cluster(arguments):
        since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=MONTHS_DAYS)
        every = _of_cluster(arguments, here, since)
        return list(itertools.islice(every, most)), sum(1 for _ in every)
    folders, owners, found = list(runs.from_newest(here.home)), known_owners(), []
    for each in folders[:most]:
        version = each.version()  # asked first: what is read after it may be newer, and is read once more then
        if each.run in known and known[each.run][0] == version:
            found.append(known[each.run][1])
        elif (use := _of_folder(each)) is not None:
            found.append(_of_use(use, owners))
            if use.over:
                known[each.run] = version, found[-1]
    return found, max(0, len(folders) - most)


def _as_json(row: BillRow) -> dict[str, Any]:
    hours = {f"{kind}_hours": round(row.hours[kind], 6) for kind in bills.KINDS}
    return {**row.labels, "runs": row.runs, **hours, "price": round(row.price, 6)}


def _labels(text: str) -> tuple[str, ...]:
    words = tuple(text.split(","))
    if not set(words) <= set(LABELS) or len(set(words)) != len(words):
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected some of {','.join(LABELS)}, each once, with commas between"
        )
    return words


def _of_machine(here: settings.Settings) -> Iterator[Used]:
    owners = known_owners()
    found = map(_of_folder, runs.newest_first(here.home))
    return (_of_use(use, owners) for use in found if use is not None)


def _of_folder(folder: RunFolder) -> ResourceUse | None:
    """What the run in *folder* used; None where it never started."""
    return resource_durations.of(folder) if (folder.path / runs.MANIFEST).exists() else None


def _of_use(use: ResourceUse, owners: Mapping[str, str]) -> Used:
    at = datetime.datetime.fromtimestamp(use.created, datetime.UTC)
    # The manifest's own name, where it has one: here, other than in a cluster, each run of it gets another.
    return _used(use.metadata, str(use.metadata.get("name") or use.workflow), owners, at, use.durations)


def _of_cluster(arguments: argparse.Namespace, here: settings.Settings, since: datetime.datetime) -> Iterator[Used]:
    at, owners = target.workflows(arguments), known_owners()
    seen: set[str] = set()
    archive = wiring.workflow_archive(here)
    archived = archive.since(at.namespace, since) if archive else ()
    for each in (*at.newest_first(), *archived):  # one that is there and archived counts once, as it is there
        metadata, status = each.get("metadata") or {}, each.get("status") or {}
        uid = str(metadata.get("uid") or metadata.get("name"))
        if uid in seen or not status.get("startedAt"):
            continue
        seen.add(uid)
        began = datetime.datetime.fromisoformat(status["startedAt"])
        durations = {name: float(amount) for name, amount in (status.get("resourcesDuration") or {}).items()}
        yield _used(metadata, str(metadata.get("name")), owners, began, durations)


def _used(
    metadata: Mapping[str, Any],
    name: str,
    owners: Mapping[str, str],
    at: datetime.datetime,
    durations: Mapping[str, float],
) -> Used:
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    pipeline = str(labels.get(TEMPLATE_LABEL) or metadata.get("generateName", "").rstrip("-") or name)
    model = str(annotations.get(folder.MODEL) or model_of(pipeline, owners) or NOBODY)
    return Used(pipeline, model, owners.get(model, NOBODY), at, durations)


def model_of(pipeline: str, owners: Mapping[str, str]) -> str | None:
    """The model of the project whose pipeline or looks are called *pipeline*: workflows of a template have no annotations of it."""
    known = sorted(owners, key=len, reverse=True)
    return next((model for model in known if f"{pipeline}-".startswith(f"{model.replace('_', '-')}-")), None)


def known_owners() -> dict[str, str]:
    """The models of the project at hand, each with who answers for it."""
    found = {}
    for path in models.WORKFLOWS.glob(f"*/{folder.ARTIFACTS['settings']}"):
        with contextlib.suppress(errors.Misconfigured):  # a bill is no place to mend a model's settings
            each = model_folder.load_any(path)
            found[each.model] = each.owner
    return found


def _print(rows: Sequence[BillRow], by: Sequence[str], prices: Prices) -> None:
    if not rows:
        print("no runs in that time")
        return
    titles = [*by, "runs", "core hours", "GiB hours", "GPU hours", *(["price"] if prices.by_kind else [])]
    lines = [titles, *([*row.labels.values(), *_figures(row, prices)] for row in rows)]
    lines.append(["total", *[""] * (len(by) - 1), *_figures(bills.total(rows), prices)])
    widths = [max(len(line[place]) for line in lines) for place in range(len(titles))]
    for line in lines:
        cells = [f"{cell:<{width}}" for cell, width in zip(line[: len(by)], widths[: len(by)], strict=True)]
        figures = [f"{cell:>{width}}" for cell, width in zip(line[len(by) :], widths[len(by) :], strict=True)]
        print(plain_text.line("  ".join([*cells, *figures]).rstrip()))
    if not prices.by_kind:
        print("prices of an hour: --price cpu=0.04,memory=0.005,gpu=2.5, or ARGOSY_PRICES")


def _figures(row: BillRow, prices: Prices) -> list[str]:
    hours = [f"{row.hours[kind]:.2f}" for kind in bills.KINDS]
    return [str(row.runs), *hours, *([f"{row.price:.2f}"] if prices.by_kind else [])]
