"""Opens the bundles that a server is told of, each after every check, with its model's stores; and those that take their place later."""

import argparse
import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, wiring
from argosy.ports.prediction_log import ServedRelease
from argosy.promotion import verification
from argosy.serving import answer_records, launch, models_file, records, rollback_protection, second_options
from argosy.serving.file_stamps import stamp
from argosy.serving.models_file import ModelEntry
from argosy.serving.served_answers import ServedAnswers
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.ports.features import OnlineFeatures
    from argosy.ports.signer import Verifier

_log = logging.getLogger("argosy.serving")


@dataclass(frozen=True)
class BundleSource:
    """Opens bundles of one server."""

    settings: Settings
    environment: str | None
    """Predictions are logged as those of this environment; None: not at all."""
    key: Path | None
    """The public key that signatures must be by."""
    request_seconds: float | None = None
    """That a request to a language model may take on this server; None: as its bundle says."""

    def opened(self, entry: ModelEntry) -> launch.ServableBundle:
        """The bundle of *entry*. Raises Rejected where it may not be served, Misconfigured where files are missing or others."""
        return self._answers(entry) if verification.is_answers(entry.bundle) else self._tables(entry)

    def _answers(self, entry: ModelEntry) -> ServedAnswers:
        settings, approved = self.settings, _approved(entry)
        assistant = verification.load_answers(
            approved,
            verifier=self._verifier(entry),
            signature=entry.signature,
            completing=functools.partial(wiring.serving_completion, settings),
        )
        signature = assistant.signature
        served = self._served(entry, signature.model, _version(approved, entry))
        budget = signature.serving.request_budget
        if self.request_seconds is not None and self.request_seconds < budget:
            _log.warning(
                "%s gives a request %g s, and this server %g s, which holds: raise answers.requestSeconds of values.yaml "
                "(--request-seconds), or lower serving.request_seconds of model.yaml",
                signature.model,
                budget,
                self.request_seconds,
            )
        judge, logs = wiring.sample_judge(settings, signature), self.environment is not None
        return ServedAnswers(
            assistant,
            served,
            entry.bundle,
            log=wiring.prediction_log(settings, served, answer_records.columns(signature.serving)) if logs else None,
            judge=judge,
            judged_log=wiring.judged_log(settings, served) if logs and judge else None,
            most_seconds=self.request_seconds,
        )

    def _tables(self, entry: ModelEntry) -> launch.ServedBundle:
        settings = self.settings
        approved = _approved(entry)
        predictor = verification.load(approved, verifier=self._verifier(entry), signature=entry.signature)
        served = self._served(entry, predictor.signature.model, _version(approved, entry))
        logs = self.environment is not None
        return launch.ServedBundle(
            predictor,
            served,
            entry.bundle,
            online=_online(settings, entry.online, entry.online_digest),
            log=wiring.prediction_log(settings, served, records.columns(predictor.signature)) if logs else None,
            hash_key=wiring.hash_key(settings) if logs else b"",
            score_edges=entry.score_edges,
        )

    def _served(self, entry: ModelEntry, model: str, version: int | None) -> ServedRelease:
        return ServedRelease(model, self.environment or "none", version, entry.digest)

    def _verifier(self, entry: ModelEntry) -> "Verifier | None":
        return None if entry.unsigned else wiring.verifier(self.settings, key=self.key)

    def with_second(
        self, arguments: argparse.Namespace, bundled: launch.ServableBundle, entry: ModelEntry
    ) -> launch.ServableBundle:
        """*bundled*, which is that of *entry*, with the second version that *arguments* name.

        Raises UsageError where they name one beside a language model.
        """
        if not isinstance(bundled, launch.ServedBundle):
            if arguments.second_bundle is not None:
                raise errors.UsageError(
                    f"{bundled.served.model} answers questions, and a second version is for models of tables"
                )
            return bundled
        oldest = 0 if entry.minimum_release is None else rollback_protection.minimum(entry.minimum_release)
        second = second_options.loaded(
            arguments,
            self.settings,
            bundled.predictor.signature,
            bundled.served,
            verifier=self._verifier(entry),
            oldest=oldest,
        )
        return replace(bundled, second=second, wants_second=arguments.second_role)

    def successors(self, path: Path) -> Callable[[ServedRelease], launch.ServableBundle | None]:
        """What finds, in the file of models *path*, the bundle that takes the place of one that is served."""
        looked: dict[str, object] = {entry.model: stamp(path) for entry in models_file.read(path).models if entry.model}

        def successor(served: ServedRelease) -> launch.ServableBundle | None:
            now = stamp(path)
            if looked.get(served.model) == now:
                return None
            entry = models_file.read(path).entry(served.model, path)
            same = entry.digest == served.digest and entry.release in {None, served.version}
            found = None if same else self.opened(entry)
            looked[served.model] = now  # a bundle that could not be opened is tried again
            return found

        return successor


def _approved(entry: ModelEntry) -> verification.Approved:
    return verification.Approved(
        entry.bundle, entry.digest, model=entry.model, version=entry.release, online=entry.online_digest
    )


def _version(approved: verification.Approved, entry: ModelEntry) -> int | None:
    """The number of the release; None of a bundle that nobody released."""
    return None if entry.unsigned else _released(approved, entry.minimum_release)


def _released(approved: verification.Approved, minimum: Path | None) -> int:
    oldest = rollback_protection.minimum(minimum) if minimum is not None else 0
    return verification.release(approved, not_before=oldest, because=verification.IS_MINIMUM).counter


def _online(settings: Settings, folder: Path | None, approved: str | None) -> "OnlineFeatures | None":
    """The online store in *folder*, proven to be *approved* where that is given; without a folder, *approved* in the shared one."""
    if folder is not None:
        if approved is not None:
            verification.online_store(folder, approved)
        return wiring.online_features(folder)
    shared = wiring.shared_online_store(settings) if approved is not None else None
    return shared.open(approved) if shared is not None and approved is not None else None
