"""Options of the command line by which a container has a second version beside the first, and its loading.

A shadow or a candidate that cannot be loaded is said, by log and metric, and the first version serves without it: an experiment must not
take down what it is an experiment on.
"""

import argparse
import dataclasses
import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.domain.bundle import Signature
    from argosy.ports.prediction_log import ServedRelease
    from argosy.ports.signer import Verifier
    from argosy.serving.second_version import SecondVersion

_log = logging.getLogger("argosy.serving")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them to *parser*."""
    group = parser.add_argument_group("a second version beside the first, whose requests ask it too")
    group.add_argument("--second-bundle", type=Path, metavar="FOLDER", help="folder of its bundle")
    group.add_argument("--second-digest", metavar="sha256:…", help="the model digest that was approved of it")
    group.add_argument(
        "--second-release", type=int, metavar="N", help="its version that was approved; any where absent"
    )
    group.add_argument("--second-signature", type=Path, metavar="FILE", help="signature of its bundle")
    group.add_argument(
        "--second-role",
        choices=("shadow", "candidate"),
        help="shadow: nothing of its answers is returned; candidate: it answers a share of the entities",
    )
    group.add_argument(
        "--second-share",
        type=share,
        default=1.0,
        metavar="PART",
        help="of requests or entities, from 0 to 1; default 1",
    )


def share(text: str) -> float:
    """The part of the requests that *text* says, as argparse wants one read."""
    try:
        part = float(text)
    except ValueError:
        part = math.nan
    if not 0 < part <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no part; expected a number above 0 and up to 1, such as 0.2")
    return part


def check(arguments: argparse.Namespace) -> None:
    """Raises UsageError where the options name half of a second version."""
    needed = {
        "--second-bundle": arguments.second_bundle,
        "--second-digest": arguments.second_digest,
        "--second-role": arguments.second_role,
    }
    absent = [name for name, value in needed.items() if value is None]
    if absent and len(absent) < len(needed):
        raise errors.UsageError(
            f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} missing: these options go together"
        )
    if arguments.second_bundle and (arguments.second_signature is None) != arguments.unsigned:
        raise errors.UsageError("--second-signature goes with --signature, and neither with --unsigned")


def loaded(
    arguments: argparse.Namespace,
    settings: Settings,
    first: "Signature",
    served: "ServedRelease",
    *,
    verifier: "Verifier | None",
    oldest: int,
) -> "SecondVersion | None":
    """The second version beside *served*, which has the signature *first*; None where there is none, or it may not or cannot be there.

    *oldest*: the oldest version that main lets anybody serve.
    """
    if arguments.second_bundle is None or arguments.second_digest == served.digest:
        return None  # what was tried is what is served by now
    try:
        return _proven(arguments, settings, first, served, verifier, oldest)
    except errors.ArgosyError as error:
        _log.error("the %s is left out, version %s serves alone: %s", arguments.second_role, served.version, error)
        return None


def _proven(
    arguments: argparse.Namespace,
    settings: Settings,
    first: "Signature",
    served: "ServedRelease",
    verifier: "Verifier | None",
    oldest: int,
) -> "SecondVersion":
    from argosy import wiring
    from argosy.ports.prediction_log import shadows_of
    from argosy.promotion import verification
    from argosy.serving import records
    from argosy.serving.arm import Arm, refuse_unlike
    from argosy.serving.second_version import SHADOW, SecondVersion

    approved = verification.Approved(
        arguments.second_bundle, arguments.second_digest, model=served.model, version=arguments.second_release
    )
    predictor = verification.load(approved, verifier=verifier, signature=arguments.second_signature)
    version = None
    if verifier is not None:
        version = verification.release(approved, not_before=oldest, because=verification.IS_MINIMUM).counter
    refuse_unlike(first, predictor.signature)
    role, environment = arguments.second_role, served.environment
    its = dataclasses.replace(
        served,
        environment=shadows_of(environment) if role == SHADOW else environment,
        version=version,
        digest=arguments.second_digest,
    )
    logs = arguments.environment is not None
    log = wiring.prediction_log(settings, its, records.columns(predictor.signature)) if logs else None
    arm = Arm(predictor, its, first, log=log, hash_key=wiring.hash_key(settings) if logs else b"")
    return SecondVersion(arm, role, arguments.second_share)
