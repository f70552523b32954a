"""Show how everything stands: what is live, what waits and for whom, what burns, what it costs. With RUN, how that run stands (as `get`).

Models, requests and looks are the environment repo's and the monitoring store's; runs are those of this machine, or of a cluster's
namespace. Costs are those of this month, as `argosy cost` reckons them.
"""

import argparse
import datetime
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from argosy import errors, wiring
from argosy.cli import canary_places, cost, get, target
from argosy.domain import bills, environment_layout
from argosy.domain.bills import BillRow, Prices
from argosy.domain.promotion_requests import State
from argosy.monitoring import performance_days, served_state, waiting
from argosy.monitoring.served_state import ServedState
from argosy.monitoring.waiting import Waiting
from argosy.ports.runs import FAILED, KILLED, Run
from argosy.promotion.standing import Main
from argosy.report import formats, plain_text
from argosy.settings import Settings

NEWEST = 50
"""Runs that are looked at."""
BAD_LOOKS = ("drift",)


@dataclass(frozen=True)
class OverallState:
    """How everything stands."""

    live: Mapping[str, Mapping[str, ServedState]]
    """Model to environment to what it serves."""
    waits: Sequence[Waiting]
    burns: Sequence[str]
    """What somebody should look at, a line each."""
    costs: Sequence[BillRow]
    """Of this month, by model."""
    uncounted: int = 0
    """Runs that are not in the costs and may be of this month."""
    owners: Mapping[str, str] = field(default_factory=dict)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="a run, as `get` takes it; without one everything")
    parser.add_argument("--owner", metavar="NAME", help="only the models of this project that NAME answers for")
    canary_places.add_argument(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    target.add_arguments(parser, "runs of a cluster instead of this machine's")


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    if arguments.run is not None:
        return get.run(arguments)
    here = Settings.from_environment()
    prices = Prices.from_text(here.prices, "ARGOSY_PRICES")
    found = _standing(arguments, here, prices)
    if arguments.json:
        print(json.dumps(_as_json(found)))
    else:
        for line in _lines(found, prices):
            print(plain_text.line(line))
    return errors.DONE


def _standing(arguments: argparse.Namespace, here: Settings, prices: Prices) -> OverallState:
    forge, looks, owners = wiring.forge(here), wiring.objects(here, here.monitoring_uri), cost.known_owners()
    main = Main.now(forge)
    open_requests = [each for each in forge.requests() if each.state is State.OPEN]
    models = sorted({*main.models(), *(each.subject.model for each in open_requests)})
    if arguments.owner is not None:
        models = [model for model in models if owners.get(model) == arguments.owner]
    main = main.knowing(models)
    live = {
        model: {name: served_state.of(main, looks, model, name) for name in environment_layout.ENVIRONMENTS}
        for model in models
    }
    newest = [
        each
        for each in itertools.islice(target.runs(arguments).newest_first(), NEWEST)
        if arguments.owner is None or _owner_of(each, owners) == arguments.owner
    ]
    canaries = canary_places.looked_at(arguments)
    rollouts = [
        one
        for name in environment_layout.ENVIRONMENTS
        if canaries is not None
        for one in canaries(name)
        if one.model in live
    ]
    now = datetime.datetime.now(datetime.UTC)
    asked = [each for each in open_requests if each.subject.model in live]
    champions = {model: each[environment_layout.PRODUCTION].model_digest for model, each in live.items()}
    used, left = cost.newest(arguments, here, cost.MOST_COUNTED, {})
    this_month = [one for one in used if f"{one.at:%Y-%m}" == f"{now:%Y-%m}"]
    return OverallState(
        live=live,
        waits=waiting.rows(asked, main.owners, champions, newest, rollouts, now),
        burns=[
            *_bad_looks(live),
            *_bad_days(live, looks),
            *(f"canary of {one.model} in {one.environment}: given up" for one in rollouts if one.failed),
            *_bad_runs(newest),
        ],
        costs=[
            row
            for row in bills.bill(this_month, ("model",), prices)
            if arguments.owner is None or owners.get(row.labels["model"]) == arguments.owner
        ],
        # Of those that are counted all began this month: so may others that are older.
        uncounted=left if len(this_month) == len(used) else 0,
        owners=owners,
    )


def _owner_of(run: Run, owners: Mapping[str, str]) -> str | None:
    model = cost.model_of(run.pipeline, owners)
    return None if model is None else owners[model]


def _bad_looks(live: Mapping[str, Mapping[str, ServedState]]) -> Iterator[str]:
    for model, served in live.items():
        for environment, state in served.items():
            if state.verdict in BAD_LOOKS:
                yield f"{model} in {environment}: {state.verdict}; `argosy drift {model} --environment {environment}`"


def _bad_days(live: Mapping[str, Mapping[str, ServedState]], looks: Any) -> Iterator[str]:
    """The models of which the newest day with labels has a metric below its gate."""
    for model, served in live.items():
        for environment, state in served.items():
            days = performance_days.kept(looks, model, environment, state.model_digest, most=1)
            below = [score.metric for score in days[-1].scores if score.standing == "below"] if days else []
            if below:
                yield f"{model} in {environment}: {', '.join(below)} below the gate on {days[-1].since:%Y-%m-%d}"


def _bad_runs(newest: Sequence[Run]) -> Iterator[str]:
    """The runs that ended badly, if the newest of their pipeline did: what went well since is put out."""
    seen = set[str]()
    for each in newest:
        pipeline = each.pipeline or each.name
        if pipeline not in seen and (each.phase in FAILED or each.phase == KILLED):
            yield f"run {each.name}: {each.phase}; `argosy why {each.name}`"
        seen.add(pipeline)


def _lines(found: OverallState, prices: Prices) -> Iterator[str]:
    yield "live"
    width = max((len(model) for model in found.live), default=0)
    for model, served in found.live.items():
        cells = "   ".join(f"{name} {_served(state)}" for name, state in served.items())
        yield f"  {model:<{width}}  {cells}"
    yield from () if found.live else ("  no model yet; `argosy run MODEL` proposes one",)
    yield "waits"
    for each in found.waits:
        since = "" if each.seconds is None else f", for {formats.seconds(each.seconds)}"
        yield f"  {each.what}{since}: {each.waits_for}"
    yield from () if found.waits else ("  nobody",)
    yield "burns"
    yield from (f"  {line}" for line in found.burns or ("nothing",))
    yield "costs, this month"
    for row in found.costs:
        price = f", {row.price:.2f} at ARGOSY_PRICES" if prices.by_kind else ""
        runs = "1 run" if row.runs == 1 else f"{row.runs} runs"
        yield f"  {row.labels['model']}: {runs}, {row.hours['cpu']:.2f} core hours, {row.hours['memory']:.2f} GiB hours{price}"
    yield from () if found.costs else ("  nothing",)
    if found.uncounted:
        yield f"  {found.uncounted:,} older runs are not counted; `argosy cost` counts all"


def _served(state: ServedState) -> str:
    if state.version is None:
        return "retired" if state.retired else "-"
    return f"{state.version} ({state.verdict})" if state.verdict else f"{state.version}"


def _as_json(found: OverallState) -> dict[str, Any]:
    return {
        "live": [
            {
                "model": model,
                "owner": found.owners.get(model),
                "environment": name,
                "version": state.version,
                "digest": state.model_digest or None,
                "verdict": state.verdict,
            }
            for model, served in found.live.items()
            for name, state in served.items()
        ],
        "waits": [{"what": each.what, "waitsFor": each.waits_for, "seconds": each.seconds} for each in found.waits],
        "burns": list(found.burns),
        "costs": [
            {
                "model": row.labels["model"],
                "runs": row.runs,
                "coreHours": row.hours["cpu"],
                "gibHours": row.hours["memory"],
                "price": row.price,
            }
            for row in found.costs
        ],
        "costsLeftOut": found.uncounted,
    }
