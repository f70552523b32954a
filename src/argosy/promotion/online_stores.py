"""Published online stores and who needs them: the environments that serve them or served them lately, requests that ask for them.

Left to others: how long a candidate is given to become a request (``domain.online``), and the database that holds them (a port).
"""

import datetime
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import islice

from argosy import errors
from argosy.domain import environment_layout, online
from argosy.domain.promotion_requests import Request, State
from argosy.domain.release import Version
from argosy.ports.features import Held
from argosy.ports.forge import Forge
from argosy.promotion import subjects
from argosy.promotion.standing import Main

Named = Mapping[str, Sequence[str]]
"""Digest of an online store to who names it."""


def named(forge: Forge, models: Collection[str]) -> Named:
    """The online stores of *models* and of every open request, each with who names it.

    Raises Misconfigured, with the request or the commit of main, where a version cannot be understood: nothing may be dropped for being
    unreadable.
    """
    main = Main.now(forge)
    found: dict[str, list[str]] = defaultdict(list)
    for model in sorted(models):
        for environment in environment_layout.ENVIRONMENTS:
            for place, past in enumerate(islice(main.servings(model, environment), online.REVERTS)):
                who = f"{environment} before" if place else environment
                found[_store(past.version(model, environment))].append(who)
    for request in forge.requests():
        if request.state is State.OPEN:
            for version in _asked(main, request):
                found[_store(version)].append(f"request {request.number}")
    return found


def unneeded(forge: Forge, held: Sequence[Held], now: datetime.datetime) -> list[Held]:
    """Those of *held* that may go at the time *now*: nobody names them, and they are no candidate's that is on its way to a request.

    A database may serve other environment repos as well; about their models the one of *forge* cannot say what is needed, and keeps them.
    """
    main = Main.now(forge)
    own = [one for one in held if main.ever_had_policy(one.model)]
    return online.unneeded(own, named(forge, {one.model for one in own}), now)


def _asked(main: Main, request: Request) -> list[Version | None]:
    """The versions that *request* asks for, by its commit: its text may say anything."""
    proposed = subjects.proposed(main.forge, request)
    try:
        return [proposed.version(*place) for place in subjects.brings(main, request)]
    except errors.Misconfigured as error:
        number = request.number
        raise errors.Misconfigured(
            f"request {number} is open, and which online features it asks for cannot be read: {error}, or close the request: "
            f"`argosy pr close {number} --reason TEXT`"
        ) from error


def _store(version: Version | None) -> str:
    """The digest of the online store that *version* names; nothing where it names none."""
    return version.online_store.digest if version and version.online_store else ""
