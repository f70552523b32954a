"""A model to ask by hand, by its name: `argosy predict`, and ``load`` in a notebook.

What an environment serves comes with every check that a server makes; what a run made comes with its digest proven, and says that nobody
approved it. The answers are the server's, to the last bit; nothing is logged.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, scratch, wiring
from argosy.cli import approved_model, named_runs, run_documents
from argosy.domain import environment_layout
from argosy.promotion import approval
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.scoring.loaded_answers import LoadedAnswers
    from argosy.scoring.loaded_model import LoadedModel

FORMS = "MODEL@ENVIRONMENT, MODEL/VERSION, MODEL/latest (the newest run here) or MODEL/RUN"


def load(reference: str) -> "LoadedModel | LoadedAnswers":
    """The model that *reference* names: ``upsell@production``, ``upsell/7``, ``upsell/latest``, or ``upsell``, which production serves.

    Raises UsageError for a name of nothing, Rejected where a check says no.
    """
    settings = Settings.from_environment()
    model, sign, rest = _parts(reference)
    with scratch.folder("score") as place:
        if sign == "@":
            found = approval.find(wiring.forge(settings), model, rest)
            return _approved(settings, found, rest, place)
        if rest.isdecimal():
            found = approval.numbered(wiring.forge(settings), model, int(rest))
            return _approved(settings, found, environment_layout.PRODUCTION, place)
    return _of_run(settings, model, rest)


def _parts(reference: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"([A-Za-z_][A-Za-z0-9_-]*)(?:([@/])([A-Za-z0-9_.-]+))?", reference)
    if found is None:
        raise errors.UsageError(f"{reference!r} names no model; expected {FORMS}")
    model, sign, rest = found.groups()
    return model, sign or "@", rest or environment_layout.PRODUCTION


def _approved(
    settings: Settings, found: approval.Approval, environment: str, place: Path
) -> "LoadedModel | LoadedAnswers":
    # Looking at an older version is no going back: nothing is served.
    proven = approved_model.proven_whatever(settings, found, environment, place, allow_rollback=True)
    model, version = found.version.model, found.version.version
    # Not before: the libraries of either take a second to load.
    if isinstance(proven, approved_model.ProvenAnswers):
        from argosy.scoring.loaded_answers import LoadedAnswers

        return LoadedAnswers(model, version, approved=True, assistant=proven.assistant)
    from argosy.scoring.loaded_model import LoadedModel

    return LoadedModel(model, version, approved=True, predictor=proven.predictor)


def _of_run(settings: Settings, model: str, run: str) -> "LoadedModel | LoadedAnswers":
    return run_documents.find(settings.home, model, None if run == named_runs.LATEST else run).model
