"""Reads main of the environment repo, once, at one commit: which model is in production and by which policy a candidate is judged."""

from pathlib import Path

from argosy import errors
from argosy.domain import promotion, release
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef
from argosy.ports.forge import Forge

NONE = "none"


def run(*, model: str, forge: Forge, out: Path) -> str:
    """Write ``champion.json`` and ``policy.yaml`` into *out*; returns the champion's digest, or ``none``.

    Raises Misconfigured where main has no policy for *model*: without gates there is nothing to be promoted by.
    """
    main = forge.head()
    policy = forge.read(promotion.policy_path(model), main)
    if policy is None:
        raise errors.Misconfigured(
            f"the environment repo has no {promotion.policy_path(model)} on main; its reviewers write one first "
            "(see gitops-env/README.md)"
        )
    champion = _reference(model, forge, main, sha256(policy))
    champion.write(out / "champion.json")
    (out / "policy.yaml").write_bytes(policy)
    return champion.model_digest or NONE


def _reference(model: str, forge: Forge, main: str, policy_digest: str) -> ChampionRef:
    path = promotion.version_path(model, promotion.PRODUCTION)
    text = forge.read(path, main)
    if text is None:
        return ChampionRef(model=model, policy_digest=policy_digest)
    version = release.parse(text.decode(), f"main:{path}")
    return ChampionRef(
        model=model,
        model_digest=version.model_digest,
        version=version.version,
        storage_uri=version.storage_uri,
        policy_digest=policy_digest,
    )
