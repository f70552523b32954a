"""List, load or prune the online features that servers share, in the database of ARGOSY_ONLINE_STORE_URI.

The step `register` loads what it proposes. `load` brings back what a database lost, or what a revert needs, from the files of the model
store, once their digest is proven. `prune` drops what no environment serves, served lately, or is asked to serve.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

from argosy import errors, scratch, wiring
from argosy.cli import verb_actions
from argosy.ports.features import Held, SharedOnlineStore
from argosy.promotion import approval, online_stores
from argosy.promotion.online_stores import Named
from argosy.settings import Settings

Action = Callable[[argparse.Namespace, Settings, SharedOnlineStore], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = verb_actions.added(verbs, "list", _list, "what is there, and who names it")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    load = verb_actions.added(
        verbs, "load", _load, "load the features of a model's approved version from the model store"
    )
    load.add_argument("model", metavar="MODEL")
    load.add_argument("--environment", "--env", default="production", help="whose version; default production")
    prune = verb_actions.added(verbs, "prune", _prune, "drop what nobody needs")
    prune.add_argument("--dry-run", action="store_true", help="say what would be dropped")


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
    named = online_stores.named(wiring.forge(settings), {one.model for one in held})
    for one in held:
        print(_as_json(one, named) if arguments.json else _row(one, named))
    if not held and not arguments.json:
        print("nothing is loaded")


def _load(arguments: argparse.Namespace, settings: Settings, store: SharedOnlineStore) -> None:
    version = approval.find(wiring.forge(settings), arguments.model, arguments.environment).version
    if version.online_store is None:
        raise errors.UsageError(f"version {version.version} of {version.model} has no online store")
    with scratch.folder("online") as place:
        folder = approval.fetch_online(wiring.artifacts(settings), version, version.online_store, place / "online")
        store.load(folder, version.online_store.digest, version.model)
    print(f"loaded: {version.model} version {version.version} ({version.online_store.digest[:19]})")


def _prune(arguments: argparse.Namespace, settings: Settings, store: SharedOnlineStore) -> None:
    held = store.held()
    going = online_stores.unneeded(wiring.forge(settings), held, datetime.now(UTC))
    for one in going:
        if not arguments.dry_run:
            store.drop(one.digest)
        print(
            f"{'would drop' if arguments.dry_run else 'dropped'}: {one.model} {one.digest[:19]}, {one.entities} entities"
        )
    if not going:
        print(f"nothing to drop, {len(held)} kept")


def _as_json(one: Held, named: Named) -> str:
    return json.dumps({**asdict(one), "loaded_at": one.loaded_at.isoformat(), "named_by": named.get(one.digest, [])})


def _row(one: Held, named: Named) -> str:
    state = f"{one.entities} entities" if one.whole else "incomplete"
    by = ", ".join(named.get(one.digest, [])) or "nobody"
    return f"{one.digest[:19]}  {one.model:<20} {state:>16}  {one.loaded_at:%Y-%m-%d %H:%M}  {by}"
