"""Trace a prediction, a running server, a request or a model back: who let it in, by which evidence, made of which data and code.

WHAT is a request id of the prediction log, the address of a server (http…), a request (#12), a version (MODEL/7), what an environment
serves (MODEL@production) or a model digest (MODEL/sha256:…, also its first digits). Asked are the environment repo, the model store and,
for a request id, the prediction log; no cluster and no registry.
"""

import argparse
import datetime
import json
import re
import urllib.error
import urllib.request
from typing import Any

from argosy import errors, wiring
from argosy.cli.predictions import days
from argosy.domain import environment_layout
from argosy.domain.traces import AnsweredRow, Trace
from argosy.monitoring import answered
from argosy.promotion.seals import Seals
from argosy.promotion.standing import Main
from argosy.promotion.tracing import Tracer
from argosy.report import trace_lines
from argosy.report.plain_text import line
from argosy.settings import Settings

REQUEST = re.compile(r"#?(?P<number>[0-9]{1,9})")
NAMED = re.compile(
    r"(?P<model>[a-z][a-z0-9_-]*)(@(?P<environment>[a-z0-9-]+)|/(?P<version>[0-9]{1,9})|/(?P<digest>sha256:[0-9a-f]{7,64}))"
)
PAGE = re.compile(r"https?://.+/(pull|pulls)/(?P<number>[0-9]{1,9})/?(#.*)?")
"""A request's page, as GitHub and Gitea have it."""
INFO = re.compile(r"^argosy_model_info\{(?P<labels>[^}]*)\} 1(\.0)?$", re.MULTILINE)
LABEL = re.compile(r'(?P<name>[a-z_]+)="(?P<value>[^"]*)"')
DAYS = 7
"""So far back a request id is looked for, where nobody says otherwise."""
PATIENCE = 10.0
LARGEST = 4 << 20
"""Bytes of a server's metrics."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", metavar="WHAT", help="a request id, http…, #12, MODEL/7, MODEL@production or MODEL/sha256:…"
    )
    parser.add_argument("--model", metavar="MODEL", help="of a request id: only what this model answered")
    parser.add_argument(
        "--environment", metavar="NAME", choices=environment_layout.ENVIRONMENTS, help="only what it answered there"
    )
    parser.add_argument(
        "--days", type=days, default=DAYS, metavar="N", help="of a request id: looked for so far back (default 7)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the way back."""
    settings = Settings.from_environment()
    answers, trace = _found(arguments, tracer_of(settings), settings)
    if arguments.json:
        print(json.dumps(_as_json(answers, trace)))
    else:
        for text in trace_lines.lines(answers, trace):
            print(line(text))
    return errors.DONE


def tracer_of(settings: Settings) -> Tracer:
    """What finds models by what people have in their hands."""
    seals = Seals(wiring.artifacts(settings), wiring.verifier(settings), lambda: datetime.datetime.now(datetime.UTC))
    return Tracer(wiring.forge(settings), seals)


def _found(arguments: argparse.Namespace, tracer: Tracer, settings: Settings) -> tuple[list[AnsweredRow], Trace]:
    what = arguments.what
    if what.startswith(("http://", "https://")) and not PAGE.fullmatch(what):
        labels = _served_at(what)
        return [], tracer.of_digest(labels["model"], labels["digest"])
    return of(arguments, tracer, settings)


def of(arguments: argparse.Namespace, tracer: Tracer, settings: Settings) -> tuple[list[AnsweredRow], Trace]:
    """The answers and the trace of what *arguments* name; no server is asked."""
    what = arguments.what
    if matched := REQUEST.fullmatch(what) or PAGE.fullmatch(what):
        return [], tracer.of_request(int(matched["number"]))
    if matched := NAMED.fullmatch(what):
        return [], of_name(tracer, matched)
    answers = _answers(arguments, tracer, settings)
    return answers, tracer.of_digest(answers[0].model, answers[0].model_digest)


def of_name(tracer: Tracer, named: re.Match[str]) -> Trace:
    """The trace of what *named*, a match of ``NAMED``, names. Raises UsageError where there is none."""
    model = named["model"].replace("-", "_")
    if named["environment"]:
        return tracer.of_environment(model, named["environment"])
    if named["version"]:
        return tracer.of_version(model, int(named["version"]))
    return tracer.of_digest(model, named["digest"])


def _answers(arguments: argparse.Namespace, tracer: Tracer, settings: Settings) -> list[AnsweredRow]:
    """What was answered to a request. Raises UsageError where the log has nothing of it."""
    known = Main.now(tracer.forge).models()
    model = arguments.model.replace("-", "_") if arguments.model else None
    if model is not None and model not in known:
        raise errors.UsageError(f"the environment repo knows no model {model!r}; models: {', '.join(known) or 'none'}")
    environments = [arguments.environment] if arguments.environment else reversed(environment_layout.ENVIRONMENTS)
    places = [(name, environment) for environment in environments for name in ([model] if model else known)]
    since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=arguments.days)
    found = answered.find(wiring.prediction_history(settings), arguments.what, places, since=since)
    if not found:
        raise errors.UsageError(
            f"the prediction log at {settings.predictions_uri} has no request {arguments.what!r} of the last {arguments.days} days "
            f"({', '.join('/'.join(place) for place in places) or 'no model'}); --days looks further back, and servers ship what they "
            "logged after some minutes"
        )
    return found


def _served_at(address: str) -> dict[str, str]:
    """What the server at *address* says that it serves. Raises TryAgain where none answers, UsageError where it is none of ours."""
    asked = f"{address.rstrip('/').removesuffix('/metrics')}/metrics"
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310 - http or https, as it was typed
            text = answer.read(LARGEST).decode(errors="replace")
    except (urllib.error.HTTPError, ValueError) as error:
        raise errors.UsageError(f"{asked}: {error}; give the address of a server's metrics") from None
    except OSError as error:
        raise errors.TryAgain(f"{asked} does not answer: {getattr(error, 'reason', error)}") from None
    labels = [{one["name"]: one["value"] for one in LABEL.finditer(found["labels"])} for found in INFO.finditer(text)]
    if not labels or not {"model", "digest"} <= labels[0].keys():
        raise errors.UsageError(f"{asked} is no metrics of a model server: it has no argosy_model_info")
    if len(labels) > 1:
        names = ", ".join(f"{one['model']}/{one['digest']}" for one in labels)
        raise errors.UsageError(f"{asked} is of several models; trace one: {names}")
    return labels[0]


def _as_json(answers: list[AnsweredRow], trace: Trace) -> dict[str, Any]:
    evidence = trace.evidence
    return {
        "answers": [
            {
                "time": one.time.isoformat(),
                "environment": one.environment,
                "row": one.row,
                "score": list(one.score),
                "decision": one.decision,
            }
            for one in answers
        ],
        "version": json.loads(trace.version.canonical_json()),
        "placements": [
            {"environment": one.environment, "commit": one.commit, "live": one.live} for one in trace.placements
        ],
        "requests": [json.loads(one.model_copy(update={"body": ""}).canonical_json()) for one in trace.requests],
        "rejected": trace.rejected,
        "signed": trace.signatures.passed,
        "signatures": trace.signatures.reason,
        "verdict": evidence.verdict if evidence else None,
        "policyDigest": evidence.policy_digest if evidence else None,
        "champion": evidence.champion.model_digest if evidence else None,
        "snapshotDigest": evidence.snapshot_digest if evidence else None,
        "provenance": json.loads(evidence.provenance.canonical_json()) if evidence else None,
    }
