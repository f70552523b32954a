"""List, load or prune the online features that servers share, in the database of ARGOSY_ONLINE_STORE_URI.

The step `register` loads what it proposes. `load` brings back what a database lost, or what a revert needs, from the files of the model
store, once their digest is proven. `prune` drops what no environment serves, served lately, or is asked to serve.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from argosy import errors, scratch, wiring
from argosy.cli import approved
from argosy.domain import online, promotion, release
from argosy.domain.promotion import State
from argosy.ports.features import Held, SharedOnlineStore
from argosy.ports.forge import Forge
from argosy.settings import Settings

Named = dict[str, list[str]]
"""Digest to who names it."""
Action = Callable[[argparse.Namespace, Settings, SharedOnlineStore], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = _action(verbs, "list", _list, "what is there, and who names it")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    load = _action(verbs, "load", _load, "load the features of a model's approved version from the model store")
    load.add_argument("model", metavar="MODEL")
    load.add_argument("--environment", "--env", default="production", help="whose version; default production")
    prune = _action(verbs, "prune", _prune, "drop what nobody needs")
    prune.add_argument("--dry-run", action="store_true", help="say what would be dropped")


def _action(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, do: Action, summary: str
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    parser.set_defaults(do=do)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    settings = Settings.from_environment()
    store = wiring.shared_online_store(settings)
    if store is None:
        raise errors.UsageError(
            "ARGOSY_ONLINE_STORE_URI is not set: every server reads files of its own, nothing is shared"
        )
    action: Action = arguments.do
    action(arguments, settings, store)
    return errors.DONE


def _list(arguments: argparse.Namespace, settings: Settings, store: SharedOnlineStore) -> None:
    held = store.held()
    named = _named(wiring.forge(settings), held)
    for one in held:
        print(_as_json(one, named) if arguments.json else _row(one, named))
    if not held and not arguments.json:
        print("nothing is loaded")


def _load(arguments: argparse.Namespace, settings: Settings, store: SharedOnlineStore) -> None:
    version = approved.find(settings, arguments.model, arguments.environment).version
    if version.online_store is None:
        raise errors.UsageError(f"version {version.version} of {version.model} has no online store")
    with scratch.folder("online") as place:
        folder = approved.fetch_online(settings, version, version.online_store, place / "online")
        store.load(folder, version.online_store.digest, version.model)
    print(f"loaded: {version.model} version {version.version} ({version.online_store.digest[:19]})")


def _prune(arguments: argparse.Namespace, settings: Settings, store: SharedOnlineStore) -> None:
    forge = wiring.forge(settings)
    held = store.held()
    # A database may serve other environment repos as well; about their models this one cannot say what is needed.
    own = [one for one in held if forge.history(promotion.policy_path(one.model))]
    going = online.unneeded(own, _named(forge, own), datetime.now(UTC))
    for one in going:
        if not arguments.dry_run:
            store.drop(one.digest)
        print(
            f"{'would drop' if arguments.dry_run else 'dropped'}: {one.model} {one.digest[:19]}, {one.entities} entities"
        )
    if not going:
        print(f"nothing to drop, {len(held)} kept")


def _named(forge: Forge, held: Sequence[Held]) -> Named:
    """Who names a published store: what each environment serves or served lately, and requests that are open."""
    named: Named = defaultdict(list)
    for model in sorted({one.model for one in held}):
        for environment in promotion.ENVIRONMENTS:
            for place, digest in enumerate(_served(forge, promotion.version_path(model, environment))):
                named[digest].append(f"{environment} before" if place else environment)
    for request in forge.requests():
        if request.state is State.OPEN:
            path = promotion.version_path(request.subject.model, request.subject.environment)
            named_there = _digest(forge.read(path, request.head), path)
            named[named_there].append(f"request {request.number}")
    return named


def _served(forge: Forge, path: str) -> Iterator[str]:
    """The online stores that *path* of main named, newest first."""
    for commit in forge.history(path)[: online.REVERTS]:
        yield _digest(forge.read(path, commit), path)


def _digest(content: bytes | None, path: str) -> str:
    """The online store that a ``version.yaml`` names; nothing where there is none."""
    store = release.parse(content.decode(errors="replace"), path).online_store if content is not None else None
    return store.digest if store is not None else ""


def _as_json(one: Held, named: Named) -> str:
    return json.dumps({**asdict(one), "loaded_at": one.loaded_at.isoformat(), "named_by": named.get(one.digest, [])})


def _row(one: Held, named: Named) -> str:
    state = f"{one.entities} entities" if one.whole else "incomplete"
    by = ", ".join(named.get(one.digest, [])) or "nobody"
    return f"{one.digest[:19]}  {one.model:<20} {state:>16}  {one.loaded_at:%Y-%m-%d %H:%M}  {by}"
