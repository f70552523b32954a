"""Finds what environments serve and no server would start any more: what keys signed that were retired, revoked, or have expired."""

import datetime
from collections.abc import Iterable, Sequence

from argosy import errors, wiring
from argosy.domain import environment_layout, signing_keys
from argosy.domain.signing_keys import PublicKey
from argosy.promotion import key_uses, seals
from argosy.promotion.standing import Main
from argosy.settings import Settings

FIX = "promote a version that a key signs which counts (`argosy keys list` says which do, and what each signed)"


def refused(settings: Settings, main: Main, models: Iterable[str]) -> list[str]:
    """What *main* has served of *models* and servers that start refuse, for people; empty where no keys are known. Raises Misconfigured."""
    keys = _keys(settings, main)
    places = [
        (model, environment)
        for model in models
        for environment in environment_layout.ENVIRONMENTS
        if main.version(model, environment) is not None
    ]
    if not keys or not places:
        return []
    today = datetime.datetime.now(datetime.UTC).date()
    counting = {key.hint for key in keys if not key.expired(today)}
    return [use.what for use in key_uses.of(main, places) if use.signers - counting]


def _keys(settings: Settings, main: Main) -> Sequence[PublicKey]:
    """Main's; where it has none, this machine's, if there are some."""
    content = main.verifying_keys()
    if content is None:
        return wiring.keys().public_keys(settings.verifying_key) if settings.verifying_key.is_file() else []
    try:
        return signing_keys.parse(content)
    except signing_keys.UnreadableError as error:
        raise errors.Misconfigured(f"{seals.KEY} on main of the environment repo cannot be used: {error}") from error
