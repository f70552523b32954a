"""Train a model again on this machine, if that is let in: for an alert of Alertmanager, or because somebody says so.

The same workflow as on a cluster, whose first step decides by `retraining` in model.yaml: once for what happened, one at a time, not too
often, and for an alert only what the newest looks at the predictions bear out. Ends 10 where it is refused. By hand nothing holds it up
but a retraining that runs.
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from argosy import errors, wiring
from argosy.cli import local_run, manifests, models, parameters, policies, state_folder
from argosy.cli import run as runs
from argosy.domain import alerts
from argosy.domain.retraining_admission import RetrainingLedger
from argosy.monitoring import retrainings
from argosy.ports.admission_state import AdmissionState
from argosy.report import retraining_table
from argosy.settings import Settings

GIVEN = ("allow", "json", "local_image", "no_cache", "parallelism", "parameter", "parameter_file")
"""What a retraining hands on to the run that it is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL")
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument(
        "--alert", metavar="FILE", help="what Alertmanager sent to its webhook, as JSON; - for standard input"
    )
    asked.add_argument("--because", metavar="TEXT", help="why, in a few words")
    asked.add_argument("--list", action="store_true", help="list what was admitted and what was refused, and why")
    asked.add_argument(
        "--release", action="store_true", help="give up the retraining that is in flight, where nothing runs any more"
    )
    parser.add_argument("--no-cache", action="store_true", help="run every step, whatever the cache holds")
    parameters.add_arguments(parser)
    local_run.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for; returns 0, 10 where it was refused, or the code of the first step that failed."""
    settings = Settings.from_environment()
    if arguments.list and not state_folder.has_ledgers(settings):
        return _list(arguments, wiring.passing_admission_state())  # who only looks makes no database
    state = wiring.admission_state(settings)
    if arguments.list:
        return _list(arguments, state)
    if not arguments.model:
        raise errors.UsageError("name the model: argosy retrain MODEL --because TEXT")
    model = models.folder_of(arguments.model)
    if arguments.release:
        return _release(model.name, state)
    if arguments.alert is None and arguments.because is None:
        raise errors.UsageError("say why, with --because TEXT, or hand over what Alertmanager sent, with --alert FILE")
    return _retrain(arguments, model, settings, state)


def _retrain(arguments: argparse.Namespace, model: Path, settings: Settings, state: AdmissionState) -> int:
    state_folder.ensure_environment_repo(settings)
    policies.refuse_unjudged(settings, model.name)
    asked = {"alert": _sent(arguments.alert)} if arguments.alert is not None else {"because": arguments.because}
    kind = retrainings.ALERT if arguments.alert is not None else "hand"
    arguments.parameter += [f"kind={kind}", *(f"{key}={retrainings.encoded(text)}" for key, text in asked.items())]
    # Without a name of ours: the run and its workflow, which the ledger knows, then have one, and the workflow no second stamp of time.
    given = {name: vars(arguments)[name] for name in GIVEN}
    files = [manifests.fresh_retraining(model), manifests.fresh(model)]
    run, code = runs.start(argparse.Namespace(**{**vars(runs.defaults()), **given, "file": files}))
    return code or _said(state.ledger(model.name), run, arguments)


def _said(ledger: RetrainingLedger, run: str, arguments: argparse.Namespace) -> int:
    """0 where *run* was admitted, else 10 and why."""
    if ledger.of_run(run) is not None:
        return errors.DONE
    if not arguments.json:
        print(retraining_table.refusal(ledger, run), file=sys.stderr)
    return errors.Rejected.exit_code


def _sent(source: str) -> str:
    """What was sent, as text. More than is read is not taken in: the step says so."""
    most = alerts.LONGEST + 1
    if source == "-":
        content = sys.stdin.buffer.read(most)
    else:
        try:
            with Path(source).open("rb") as file:
                content = file.read(most)
        except OSError as error:
            raise errors.UsageError(f"--alert {source}: {error.strerror}") from error
    if len(content) == most:
        raise errors.UsageError(f"--alert {source}: more than {alerts.LONGEST:,} bytes; Alertmanager sends far less")
    return content.decode(errors="replace")


def _list(arguments: argparse.Namespace, state: AdmissionState) -> int:
    names = [models.folder_of(arguments.model).name] if arguments.model else state.models()
    for name in names:
        ledger = state.ledger(name)
        print(json.dumps(ledger.model_dump(mode="json")) if arguments.json else retraining_table.text(ledger))
    if not names and not arguments.json:
        print("nothing has asked for a retraining yet")
    return errors.DONE


def _release(model: str, state: AdmissionState) -> int:
    running = state.ledger(model).running
    entry = running and retrainings.close(
        state, model, running.holder, status="Error", failures="", now=datetime.now(UTC)
    )
    print(f"{entry.id} is given up, and counts as failed" if entry else f"no retraining of {model} is in flight")
    return errors.DONE
