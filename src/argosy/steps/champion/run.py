"""Reads main of the environment repo, once, at one commit: which model is in production and by which policy a candidate is judged."""

import datetime
from pathlib import Path

from argosy import errors
from argosy.domain import environment_layout, overrides
from argosy.domain.evidence import ChampionRef
from argosy.ports.forge import Forge
from argosy.promotion.standing import Main, PolicyFile

NONE = "none"


def run(*, model: str, forge: Forge, out: Path, today: datetime.date | None = None) -> str:
    """Write ``champion.json`` and ``policy.yaml`` into *out*; returns the champion's digest, or ``none``.

    *today*: by which overrides may have run out (None: as the clock says).

    Raises Misconfigured where main has no policy for *model*: without gates there is nothing to be promoted by; Rejected where the model is
    retired.
    """
    main = Main.now(forge)
    policy = main.policy(model)
    if policy is None:
        raise errors.Misconfigured(
            f"the environment repo has no {environment_layout.policy_path(model)} on main; its reviewers write one first "
            "(see gitops-env/README.md)"
        )
    if retired := main.retired(model):
        path = environment_layout.retired_path(model, retired.environment)
        raise errors.Rejected(
            f"{model} is retired, so nothing of it is trained. {retired.said}. Whoever wants it back reverts that commit of the environment"
            f" repo, or removes {path}; `argosy retire {model} --dry-run` names what still starts this"
        )
    champion = _reference(model, main, policy, today or datetime.datetime.now(datetime.UTC).date())
    champion.write(out / "champion.json")
    (out / "policy.yaml").write_bytes(policy.content)
    return champion.model_digest or NONE


def _reference(model: str, main: Main, policy: PolicyFile, today: datetime.date) -> ChampionRef:
    version = main.version(model, environment_layout.PRODUCTION)
    # Those that ran out are left out here: this step alone is never cached, so what was judged by them is judged again.
    past = overrides.in_force(main.overrides(model), today) or None
    if version is None:
        return ChampionRef(model=model, policy_digest=policy.digest, overrides=past)
    evidence = main.evidence(model, environment_layout.PRODUCTION)
    return ChampionRef(
        model=model,
        model_digest=version.model_digest,
        version=version.version,
        storage_uri=version.storage_uri,
        snapshot_digest=evidence.snapshot_digest
        if evidence and evidence.model_digest == version.model_digest
        else None,
        policy_digest=policy.digest,
        overrides=past,
        overridden=(evidence and evidence.overridden) or None,
    )
