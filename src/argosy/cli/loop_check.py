"""What `argosy doctor` says of the loop after a merge, of each model of the project in the working folder."""

import datetime
from collections.abc import Collection, Iterator, Sequence

from argosy import errors, wiring
from argosy.cli import models, served_signatures
from argosy.domain import environment_layout, looks, loop_parts
from argosy.domain.diagnosis import CheckResult, CheckState
from argosy.domain.model_settings import CommonSettings
from argosy.files import model_folder
from argosy.promotion.standing import Main
from argosy.settings import Settings
from argosy.templates import folder

DAY = datetime.timedelta(days=1)


def results(settings: Settings, addresses: Collection[str] | None, *, served: bool) -> Iterator[CheckResult]:
    """The parts that are set or not, model by model; nothing outside of a project.

    *addresses*: see ``loop_parts``. *served*: whether it can be asked what becomes of what is served.
    """
    known: list[CommonSettings] = []
    for path in sorted(models.WORKFLOWS.glob(f"*/{folder.ARTIFACTS['settings']}")):
        try:
            known.append(model_folder.load_any(path))
        except errors.Misconfigured as error:
            yield CheckResult(f"loop of {path.parent.name}", CheckState.WRONG, str(error), f"argosy lint {path.parent}")
    # One main for all: of fifty models a server is not asked for each.
    main = Main.now(wiring.forge(settings)).knowing(model.model for model in known) if served and known else None
    if main is not None:
        yield from _signatures(settings, main, [model.model for model in known])
    for model in known:
        yield from loop_parts.settings_checks(model, addresses)
        if main is not None:
            yield from _served(settings, main, model)


def _signatures(settings: Settings, main: Main, names: Sequence[str]) -> Iterator[CheckResult]:
    """What *main* has served and no server would start."""
    for what in served_signatures.refused(settings, main, names):
        said = f"{what}, is signed by a key that counts no more: servers that start refuse it"
        yield CheckResult("signatures", CheckState.WRONG, said, served_signatures.FIX)


def _served(settings: Settings, main: Main, model: CommonSettings) -> Iterator[CheckResult]:
    """What happens where *main* has it served."""
    now = datetime.datetime.now(datetime.UTC)
    objects, history = wiring.objects(settings, settings.monitoring_uri), wiring.prediction_history(settings)
    for environment in environment_layout.ENVIRONMENTS:
        if main.version(model.model, environment) is None:
            continue
        hours = [ref.hour for ref in history.segments(model.model, environment, since=now - DAY, until=now)]
        content = objects.get(looks.latest_key(model.model, environment))
        look = None if content is None else looks.parse(content)
        yield loop_parts.served_check(model.model, environment, model.monitor, look, hours, now)
