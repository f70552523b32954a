"""A model's whole way on a cluster: `make kind-demo`, after `make kind-up` or `make kind-install`.

A pipeline is submitted, its model becomes a request in Gitea, a merge brings it to pods, callers change, an alert starts a training,
and the new model goes over a canary to all requests. Nothing here does what the platform does; it plays the people and moves the clock.
Each step can be done again with --from.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy_kind import customers, install, site, up
from argosy_kind.kube import Kubectl, Object
from argosy_kind.ledger import Ledger
from argosy_kind.pins import Pins
from argosy_kind.site import CACHE, PIPELINES, Choices, Site
from argosy_kind.story import MODEL, Story, values_of

FOLDER = CACHE / "demo"
LEDGER = CACHE / "demo.json"
SHIPPED = 15
"""Seconds after which what was answered is in the bucket."""


@dataclass(frozen=True)
class Step:
    """A step of the story."""

    name: str
    what: str
    act: Callable[[Story, bool], None]
    """Given the story, and whether a person clicks."""


def train(story: Story, _by_hand: bool) -> None:
    """Submit the pipeline, and see it end with a request."""
    story.begin_project()
    story.upload_customers(changed=False)
    story.install_pipeline()
    said = story.argosy("submit", MODEL, *story.where)
    ended = story.ended(said.split()[1])
    if ended.get("verdict") != "promote":
        raise errors.Rejected(
            f"the model was not proposed ({ended.get('verdict')}): argosy report, or argosy logs, say why"
        )
    story.remember(first=ended["model-digest"])


def staging(story: Story, by_hand: bool) -> None:
    """Merge the request for staging, and see it served."""
    merged(story, "staging", by_hand)


def production(story: Story, by_hand: bool) -> None:
    """A healthy staging opens production's request; merge that, too."""
    merged(story, "production", by_hand)


def usual(story: Story, _by_hand: bool) -> None:
    """Callers like those that the model was tested on are no drift."""
    call_for(story, customers.usual(story.golden()), 30)
    if "staging: drift" in (verdict := story.look_at_predictions()):
        raise errors.Rejected(f"usual requests were called drift: {verdict}")


def drift(story: Story, _by_hand: bool) -> None:
    """Callers change: a look shows it, an alert fires, and a training is let in that nobody started."""
    story.upload_customers(changed=True)
    before = {one["metadata"]["name"] for one in story.retrainings()}
    call_for(story, [customers.pay_more(row) for row in customers.usual(story.golden())], 60)
    if "staging: drift" not in (verdict := story.look_at_predictions()):
        raise errors.Rejected(f"changed requests were not called drift: {verdict}")
    wait = story.at.kubectl.wait_for
    wait("ArgosyDrift does not fire", lambda: "ArgosyDrift" in story.firing(), 300, site.MONITORING)
    print("  ArgosyDrift fires; Alertmanager tells Argo Events", flush=True)

    def begun() -> Object | None:
        return next((one for one in story.retrainings() if one["metadata"]["name"] not in before), None)

    found = wait("no retraining began", begun, 300, PIPELINES)
    story.remember(retraining=found["metadata"]["name"])


def retraining(story: Story, _by_hand: bool) -> None:
    """It trains on what came since, beats the model that serves, and opens a request that says why."""
    name = story.remembered()["retraining"]
    print(f"  {name} was started by the alert", flush=True)
    found = story.at.kubectl.wait_for(f"{name} goes on", lambda: story.ended_workflow(name), 1800, PIPELINES)
    decided = values_of(found, "retrain-admission")
    if decided.get("admitted") != "true" or found["status"]["phase"] != "Succeeded":
        raise errors.Rejected(
            f"{name} ended {found['status']['phase']}, admission said {decided}; argosy logs {name} -n {PIPELINES}"
        )
    request = story.wait_request("staging", 120)
    text = story.argosy("pr", "view", str(request["number"]), quiet=True)
    if missing := [word for word in ("ArgosyDrift", "monthly_charges") if word not in text]:
        raise errors.Rejected(f"request {request['number']} does not say why it is there: nothing of {missing[0]}")
    print(
        f"  request {request['number']} names the alert and the column: argosy pr view {request['number']}", flush=True
    )


def canary(story: Story, by_hand: bool) -> None:
    """Merged while the changed callers go on, its canary takes over request by request, and none fails."""
    story.call([customers.pay_more(row) for row in customers.usual(story.golden())])
    first = story.remembered()["first"]
    second = merged(story, "staging", by_hand)
    answers = story.answers()
    story.stop_calling()
    for outcome, count in sorted(answers.items()):
        print(f"  {count:>6} answers: {outcome}", flush=True)
    if failed := {outcome: count for outcome, count in answers.items() if not outcome.startswith("200 ")}:
        raise errors.Rejected(f"requests failed during the canary: {failed}")
    if {outcome.split()[-1] for outcome in answers} != {first, second}:
        raise errors.Rejected("the canary was not seen by callers: both models should have answered")


STEPS: Sequence[Step] = (
    Step("train", "a pipeline is submitted, and ends with a request", train),
    Step("staging", "the request is merged and served", staging),
    Step("production", "the next request opens, is merged and served", production),
    Step("usual", "usual requests are no drift", usual),
    Step("drift", "callers change, an alert fires, a training begins", drift),
    Step("retraining", "it opens a request that says why", retraining),
    Step("canary", "merged, the new model takes over step by step", canary),
)


def merged(story: Story, environment: str, by_hand: bool) -> str:
    """Merge what waits for *environment* and see it served; the digest of its model."""
    request = story.wait_request(environment, 600)
    story.merge(request, by_hand=by_hand)
    digest = str(request["subject"]["model_digest"])
    story.wait_served(environment, digest, 900)
    print(f"  {environment} serves {digest[:19]}… from every pod", flush=True)
    return digest


def call_for(story: Story, rows: Sequence[Object], seconds: float) -> None:
    """Send *rows* for so many seconds, and let them be shipped."""
    story.call(rows)
    time.sleep(seconds)
    answers = story.answers()
    story.stop_calling()
    if failed := {outcome: count for outcome, count in answers.items() if not outcome.startswith("200 ")}:
        raise errors.Rejected(f"requests failed: {failed}")
    print(f"  {answers.total()} requests were answered", flush=True)
    time.sleep(SHIPPED)


def run(arguments: argparse.Namespace) -> None:
    """Tell the story, from its beginning or from a step on."""
    names = [step.name for step in STEPS]
    site.known([arguments.first] if arguments.first else [], names, "step")
    kubectl = Kubectl(arguments.context)
    context = site.check_cluster(kubectl, arguments.context)
    at = Site(kubectl, Pins.read(), Choices.read(arguments.settings), Ledger(LEDGER))
    check_installed(at, context)
    story = Story(at, FOLDER)
    if not arguments.first:
        check_unserved(story)
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
    elif not story.remembered():
        raise errors.UsageError("no demonstration was begun here; leave --from away")
    else:
        at.ledger.go_on(names[: names.index(arguments.first)])
    try:
        tell(story, STEPS[names.index(arguments.first) if arguments.first else 0 :], by_hand=arguments.click)
    finally:
        print(at.ledger.table(), flush=True)
    if said := first_served(at.ledger, (up.LEDGER, install.LEDGER)):
        print(said)
    print("the whole way is gone; what is there now: make kind-open")


def first_served(told: Ledger, made: Sequence[Path]) -> str:
    """How long it took from nothing to the first model served; *made*: ledgers of what made this cluster, the newest counts."""
    there = sorted((file for file in made if file.exists()), key=lambda file: file.stat().st_mtime)
    before = float(json.loads(there[-1].read_text(encoding="utf-8"))["seconds"]) if there else 0.0
    served = sum(float(line["seconds"]) for line in told.lines if line["part"] in {"train", "staging"})
    if not served:
        return ""
    minutes = (before + served) / 60
    return f"first model served after {minutes:.0f} min: {before:.0f} s for the installation, {served:.0f} s from the submit on"


def tell(story: Story, steps: Sequence[Step], *, by_hand: bool) -> None:
    """Do *steps*, each with a line in the ledger."""
    for step in steps:
        try:
            with story.at.ledger.part(step.name, step.what):
                step.act(story, by_hand)
        except errors.ArgosyError as error:
            again = f"make kind-demo ARGUMENTS='--from {step.name}'"
            raise type(error)(f"{step.name}: {error}; once that is mended, go on with: {again}") from error


def check_installed(at: Site, context: str) -> None:
    """Raises Misconfigured where the parts are not there."""
    if (
        at.kubectl.get("secret", site.CREDENTIALS, site.SERVICES) is None
        or at.kubectl.get("configmap", "argosy-endpoints", PIPELINES) is None
    ):
        raise errors.Misconfigured(
            f"{context} has none of the parts, or not all; `make kind-up` or `make kind-install` puts them there"
        )


def check_unserved(story: Story) -> None:
    """Raises UsageError where the story has been told: its model serves, and the same one is never proposed twice."""
    if story.at.kubectl.get("rollout", MODEL, site.ENVIRONMENTS["staging"]) is not None:
        raise errors.UsageError(
            f"staging serves {MODEL} already; go on with --from drift, or begin anew: make kind-down, make kind-up (or kind-install)"
        )


def parser() -> argparse.ArgumentParser:
    """What may be said."""
    found = argparse.ArgumentParser(prog="make kind-demo", description=(__doc__ or "").splitlines()[0])
    found.add_argument("--context", default="", help="as of make kind-install")
    found.add_argument("--settings", type=Path, metavar="FILE", help="as of make kind-install")
    found.add_argument(
        "--from",
        dest="first",
        default="",
        metavar="STEP",
        help=f"go on from this step: {', '.join(step.name for step in STEPS)}",
    )
    found.add_argument(
        "--click", action="store_true", help="wait for somebody who merges on the page, rather than merge"
    )
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Run, and say in one line what goes wrong."""
    return install.ended(lambda: run(parser().parse_args(words)))


if __name__ == "__main__":
    sys.exit(main())
