"""Binds the step ``propose`` to its forge."""

import functools
import sys
from datetime import UTC, datetime

from argosy import errors, wiring
from argosy.domain.evidence import Evidence
from argosy.domain.release import OnlineStore
from argosy.monitoring import request_notices, retrainings
from argosy.promotion.offers import Offer
from argosy.settings import Settings
from argosy.steps.main import Step, main
from argosy.steps.propose import run
from argosy.steps.propose.spec import SPEC


def body(step: Step) -> None:
    offer = Offer(
        version=_version(step.parameter("version")),
        storage_uri=step.parameter("storage-uri"),
        online=OnlineStore.from_text(store) if (store := step.parameter("online-uri")) else None,
        release=step.input("release"),
        evidence=step.input("evidence"),
        circumstances=step.optional_input("circumstances"),
        signatures=step.input("signatures"),
    )
    settings = Settings.from_environment()
    forge = wiring.forge(settings)
    announcer = wiring.announcer(settings)
    asked = run.run(
        offer=offer,
        forge=forge,
        next_on_merge=settings.next_on_merge,
        tell=lambda request: announcer.tell(lambda: request_notices.of_proposed(forge, request)),
        note=functools.partial(_note, settings),
    )
    step.result("request", asked)


def _note(settings: Settings, evidence: Evidence, request: str) -> None:
    """Tell the ledger. Where it is out of reach the request counts all the same, and the run's end is all that the ledger hears."""
    if evidence.cause is None or evidence.cause.admission is None:
        return
    try:
        retrainings.note(wiring.admission_state(settings), evidence, request, datetime.now(UTC))
    except errors.ArgosyError as error:
        said = f"the ledger of retrainings is not told what came of {evidence.cause.admission}: {error}"
        print(said, file=sys.stderr)  # noqa: T201 - the step's log


def _version(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise errors.Misconfigured(f"parameter version: expected a number from 1, as register gave it; got {text!r}")
    return int(text)


if __name__ == "__main__":
    main(SPEC, body)
