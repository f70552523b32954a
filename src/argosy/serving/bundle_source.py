"""Opens the bundles that a server is told of, each after every check, with its model's stores; and those that take their place later."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import wiring
from argosy.ports.prediction_log import ServedRelease
from argosy.promotion import verification
from argosy.serving import launch, models_file, records, rollback_protection, second_options
from argosy.serving.file_stamps import stamp
from argosy.serving.models_file import ModelEntry
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.ports.features import OnlineFeatures


@dataclass(frozen=True)
class BundleSource:
    """Opens bundles of one server."""

    settings: Settings
    environment: str | None
    """Predictions are logged as those of this environment; None: not at all."""
    key: Path | None
    """The public key that signatures must be by."""

    def opened(self, entry: ModelEntry) -> launch.ServedBundle:
        """The bundle of *entry*. Raises Rejected where it may not be served, Misconfigured where files are missing or others."""
        settings = self.settings
        approved = verification.Approved(
            entry.bundle, entry.digest, model=entry.model, version=entry.release, online=entry.online_digest
        )
        verifier = None if entry.unsigned else wiring.verifier(settings, key=self.key)
        predictor = verification.load(approved, verifier=verifier, signature=entry.signature)
        version = None if entry.unsigned else _released(approved, entry.minimum_release)
        served = ServedRelease(predictor.signature.model, self.environment or "none", version, entry.digest)
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

    def with_second(
        self, arguments: argparse.Namespace, bundled: launch.ServedBundle, entry: ModelEntry
    ) -> launch.ServedBundle:
        """*bundled*, which is that of *entry*, with the second version that *arguments* name."""
        oldest = 0 if entry.minimum_release is None else rollback_protection.minimum(entry.minimum_release)
        second = second_options.loaded(
            arguments,
            self.settings,
            bundled.predictor.signature,
            bundled.served,
            verifier=None if entry.unsigned else wiring.verifier(self.settings, key=self.key),
            oldest=oldest,
        )
        return replace(bundled, second=second, wants_second=arguments.second_role)

    def successors(self, path: Path) -> Callable[[ServedRelease], launch.ServedBundle | None]:
        """What finds, in the file of models *path*, the bundle that takes the place of one that is served."""
        looked: dict[str, object] = {entry.model: stamp(path) for entry in models_file.read(path).models if entry.model}

        def successor(served: ServedRelease) -> launch.ServedBundle | None:
            now = stamp(path)
            if looked.get(served.model) == now:
                return None
            entry = models_file.read(path).entry(served.model, path)
            same = entry.digest == served.digest and entry.release in {None, served.version}
            found = None if same else self.opened(entry)
            looked[served.model] = now  # a bundle that could not be opened is tried again
            return found

        return successor


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
