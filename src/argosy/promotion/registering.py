"""What is common to recording models of every kind: the verdict as the registry keeps it, the bundle with its ``release.json``, and what
windows of its answers will be held against."""

import datetime
import shutil
from pathlib import Path

from argosy import errors
from argosy.domain import bundle as bundles
from argosy.domain import watch_reference
from argosy.domain.evidence import Evidence
from argosy.domain.model_settings import CommonSettings
from argosy.domain.release import OnlineStore
from argosy.ports.objects import Objects
from argosy.ports.registry import Judgement, Registered


def judgement(evidence: Evidence, folder: Path) -> Judgement:
    """The verdict of *evidence*, which lies in *folder* with its report, as the registry keeps it."""
    return Judgement(
        verdict=evidence.verdict,
        evidence_digest=evidence.content_digest(),
        evidence=folder,
        model_card=(folder / "model-card.md").read_text(encoding="utf-8"),
        metrics={name: value for name, value in evidence.metrics.items() if value is not None},
    )


def keep_reference(objects: Objects, path: Path, model: str, digest: str) -> None:
    """Put the reference in *path*, where there is one, to where who watches *model* finds it by the model's *digest*.

    Raises Misconfigured where it is another model's.
    """
    if not path.exists():
        return
    found = watch_reference.WatchReference.read(path)
    if found.model_digest != digest:
        raise errors.Misconfigured(
            f"{path} is about {found.model_digest}, the bundle is {digest}: not one run's outputs"
        )
    objects.put(watch_reference.reference_key(model, digest), found.canonical_json().encode())


def release(
    settings: CommonSettings,
    registered: Registered,
    bundle: Path,
    out: Path,
    *,
    evidence: Evidence,
    store: OnlineStore | None = None,
    image: str | None = None,
) -> None:
    """Write *bundle* to *out* with ``release.json``, which says the same however often this runs."""
    shutil.copytree(bundle, out, copy_function=shutil.copyfile)
    released = bundles.Release(
        model=settings.model,
        model_digest=bundles.digest(bundle),
        counter=registered.version,
        not_after=registered.created_at + datetime.timedelta(days=settings.release_days),
        online_store=store,
        image=image,
        predecessor=_predecessor(evidence),
    )
    released.write(out / bundles.RELEASE)


def _predecessor(evidence: Evidence) -> bundles.Predecessor | None:
    """The champion, and how far its scores are from the candidate's where requests are most like those of now."""
    digest = evidence.champion.model_digest
    found = [each.score_distance for each in (evidence.recent, evidence.comparison) if each is not None]
    distance = next((each for each in found if each is not None), None)
    if digest is None or distance is None:
        return None
    return bundles.Predecessor(model_digest=digest, score_distance=distance)
