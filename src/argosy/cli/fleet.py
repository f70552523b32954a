"""List the models of this project: who answers for each, what every environment serves, the newest look at it, and the open requests.

What is served and asked for is main's word in the environment repo; looks are those of the monitoring store (ARGOSY_MONITORING_URI).
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from argosy import errors, wiring
from argosy.cli import models, served_signatures
from argosy.domain import environment_layout, suggestion
from argosy.domain.promotion_requests import State
from argosy.files import model_folder
from argosy.monitoring import served_state
from argosy.ports.objects import Objects
from argosy.promotion.standing import Main
from argosy.report import plain_text
from argosy.settings import Settings
from argosy.templates import folder

NOTHING = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--owner", metavar="NAME", help="only the models that NAME answers for")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Print one line a model."""
    folders = sorted(path.parent for path in models.WORKFLOWS.glob(f"*/{folder.PIPELINE}"))
    if not folders:
        raise errors.UsageError(f"{Path.cwd()} has no {models.WORKFLOWS}/ with models; `argosy init` writes one")
    rows = _of_owner(list(_rows(folders)), arguments.owner)
    if arguments.json:
        for row in rows:
            print(json.dumps(row))
    else:
        _print(rows)
    return errors.DONE


def _of_owner(rows: list[dict[str, str]], owner: str | None) -> list[dict[str, str]]:
    """Those of *rows* whose owner is *owner*; all of them for None. Raises UsageError where it is nobody's name."""
    found = [row for row in rows if owner in (None, row["owner"])]
    if owner is not None and not found:
        known = sorted({row["owner"] for row in rows})
        raise errors.UsageError(f"no model has the owner {owner!r}{suggestion.choices(owner, known, 'owners')}")
    return found


def _rows(folders: Sequence[Path]) -> Iterator[dict[str, str]]:
    settings = Settings.from_environment()
    forge = wiring.forge(settings)
    known = {each: model_folder.load_any(each / folder.ARTIFACTS["settings"]) for each in folders}
    main = Main.now(forge).knowing(found.model for found in known.values())
    _say_refused(settings, main, [found.model for found in known.values()])
    seen = wiring.objects(settings, settings.monitoring_uri)
    waiting: dict[str, list[str]] = defaultdict(list)
    for request in forge.requests():
        if request.state is State.OPEN:
            waiting[request.subject.model].append(f"#{request.number} {request.subject.environment}")
    for found in known.values():
        served = {name: _served(main, seen, found.model, name) for name in environment_layout.ENVIRONMENTS}
        yield {
            "model": found.model,
            "owner": found.owner,
            **served,
            "requests": ", ".join(waiting[found.model]) or NOTHING,
        }


def _say_refused(settings: Settings, main: Main, names: Sequence[str]) -> None:
    """Say what is served and no server would start any more: the next restart of a pod is the end of it."""
    for what in served_signatures.refused(settings, main, names):
        said = f"note: {what}, is signed by a key that counts no more: servers that start refuse it; {served_signatures.FIX}"
        print(plain_text.line(said), file=sys.stderr)


def _served(main: Main, seen: Objects, model: str, environment: str) -> str:
    """The version that *environment* serves, and what the newest look at it said."""
    found = served_state.of(main, seen, model, environment)
    if found.version is None:
        return "retired" if found.retired else NOTHING
    return f"{found.version} ({found.verdict})" if found.verdict else f"{found.version}"


def _print(rows: Sequence[Mapping[str, str]]) -> None:
    titles = {name: name for name in rows[0]}
    lines = [titles, *rows]
    widths = {name: max(len(line[name]) for line in lines) for name in titles}
    for line in lines:
        print(plain_text.line("  ".join(f"{line[name]:<{width}}" for name, width in widths.items()).rstrip()))
