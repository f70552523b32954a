"""The logic of ``score-batch``."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.ports.prediction_log import BatchLog
from argosy.ports.signer import Verifier
from argosy.ports.table_files import TableFiles
from argosy.promotion import verification
from argosy.scoring import job, sent_work
from argosy.scoring.job import ScoringJob
from argosy.scoring.part_results import Summary
from argosy.scoring.plan import ScoringPlan
from argosy.scoring.sent_work import Pool, Proof

BUNDLE, SIGNATURE = "bundle", "bundle.sig"


@dataclass(frozen=True)
class Elsewhere:
    """Processes of other machines that score. Each proves the bundle: *keys* whose signatures count, and what checks them."""

    pool: Pool
    keys: bytes
    verifier: Callable[[Path], Verifier]


def run(
    *,
    plan: ScoringPlan,
    share: str,
    approved: str,
    model: Path,
    verifier: Verifier,
    opened: Callable[[str, str], TableFiles],
    hash_key: bytes,
    log: Callable[[], BatchLog],
    told: Callable[[int, int], None],
    elsewhere: Elsewhere | None = None,
) -> Summary:
    """Score the parts of *share* with the model in the folder *model*, which is proven first; what is done already is left.

    *approved*: the digest that main names, which came another way than *plan*. *opened*: gives the files at a place. *told* hears how
    many parts of how many are done. *elsewhere*: who scores; None: this process.
    Raises Rejected where the model may not be served; the others that scoring raises.
    """
    found = plan.share(share)
    if plan.digest != approved:
        raise errors.Rejected(
            f"the plan names {plan.digest[:19]}, and main named {approved[:19]} when it was made: somebody changed the plan; "
            "nothing is scored"
        )
    wanted = verification.Approved(model / BUNDLE, plan.digest, model=plan.model, version=plan.version)
    verification.load(wanted, verifier=verifier, signature=model / SIGNATURE)
    verification.release(wanted)
    work = ScoringJob(
        bundle=model / BUNDLE,
        served=plan.served,
        tables=opened(plan.tables, "in"),
        results=opened(plan.results, "out"),
        began=plan.began,
        features=plan.with_features,
        hash_key=hash_key,
        log=log,
    )
    if elsewhere is None:
        return job.summary(work, list(job.run(work, found, workers=1, told=told)))
    proof = Proof((model / SIGNATURE).read_bytes(), elsewhere.keys, elsewhere.verifier)
    return job.summary(work, list(sent_work.run(work, found, proof, elsewhere.pool, told)))
