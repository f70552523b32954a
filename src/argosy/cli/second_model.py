"""A second version that a laptop's server has beside the approved one: which one is meant, and that it may be there."""

import argparse
import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, wiring
from argosy.cli import approved_model
from argosy.cli.approved_model import ProvenModel
from argosy.domain import environment_layout
from argosy.promotion import approval
from argosy.promotion.approval import Approval
from argosy.serving import second_options
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.serving.second_series import Role
    from argosy.serving.second_version import SecondVersion

WHICH = "an environment whose version is meant (staging), or a version's number; MODEL@ may stand before it"


@dataclass(frozen=True)
class ChosenSecond:
    """A second version that was asked for."""

    approval: Approval
    role: "Role"
    share: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options to *parser*."""
    parser.add_argument(
        "--shadow", metavar="VERSION", help=f"ask a second version the same, and return nothing of it; {WHICH}"
    )
    parser.add_argument(
        "--shadow-share",
        type=second_options.share,
        metavar="PART",
        help="of the requests, from 0 to 1; default 1, each of them",
    )
    parser.add_argument(
        "--split",
        type=_split,
        metavar="VERSION=PERCENT",
        help="let a second version answer so many of a hundred entities, always the same ones; VERSION as for --shadow",
    )


def _split(text: str) -> tuple[str, float]:
    version, _, percent = text.rpartition("=")
    try:
        share = float(percent) / 100
    except ValueError:
        share = math.nan
    if not version or not 0 < share < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no split; expected VERSION=PERCENT with a percentage between 0 and 100, such as staging=10"
        )
    return version, share


def chosen(settings: Settings, first: Approval, arguments: argparse.Namespace) -> ChosenSecond | None:
    """The second version that *arguments* ask for beside *first*; None where they ask for none. Raises UsageError and Rejected."""
    if arguments.shadow_share is not None and arguments.shadow is None:
        raise errors.UsageError("--shadow-share says how much a shadow is asked; name the version by --shadow VERSION")
    if arguments.shadow is not None and arguments.split is not None:
        raise errors.UsageError("--shadow and --split are both given; a server has one version beside the first")
    if arguments.split is not None:
        which, share = arguments.split
        return ChosenSecond(_meant(settings, first, which, "--split"), "candidate", share)
    if arguments.shadow is not None:
        return ChosenSecond(
            _meant(settings, first, arguments.shadow, "--shadow"), "shadow", arguments.shadow_share or 1.0
        )
    return None


def _meant(settings: Settings, first: Approval, text: str, option: str) -> Approval:
    model, at, which = text.rpartition("@")
    if at and model.replace("-", "_") != first.version.model:
        raise errors.UsageError(
            f"{option} {text}: {model!r} is another model than {first.version.model}; a second version is of the same"
        )
    found = _found(settings, first.version.model, which, f"{option} {text}")
    if found.version.model_digest == first.version.model_digest:
        raise errors.UsageError(
            f"{option} {text} is version {found.version.version}, which is served already; name another (`argosy pr list`)"
        )
    return found


def _found(settings: Settings, model: str, which: str, said: str) -> Approval:
    forge = wiring.forge(settings)
    if which in environment_layout.ENVIRONMENTS:
        return approval.find(forge, model, which)
    if which.isascii() and which.isdecimal():
        return approval.numbered(forge, model, int(which))
    raise errors.UsageError(f"{said}: {which!r} is no version; expected {WHICH}")


def loaded(
    settings: Settings, second: ChosenSecond, first: ProvenModel, arguments: argparse.Namespace, place: Path
) -> "SecondVersion":
    """*second*, fetched into the folder *place* and proven as *first* was. Raises Rejected where it may not stand beside that."""
    from argosy.ports.prediction_log import shadows_of
    from argosy.serving import records
    from argosy.serving.arm import Arm, refuse_unlike
    from argosy.serving.second_version import SHADOW, SecondVersion

    is_shadow = second.role == SHADOW
    found = approved_model.proven(
        settings,
        second.approval,
        arguments.environment,
        place,
        # Nobody gets what a shadow answers: an older version may be one.
        allow_rollback=arguments.allow_rollback or is_shadow,
    )
    refuse_unlike(first.predictor.signature, found.predictor.signature)
    environment = arguments.environment
    served = dataclasses.replace(found.served, environment=shadows_of(environment) if is_shadow else environment)
    log = wiring.prediction_log(settings, served, records.columns(found.predictor.signature))
    arm = Arm(found.predictor, served, first.predictor.signature, log=log, hash_key=wiring.hash_key(settings))
    return SecondVersion(arm, second.role, second.share)
