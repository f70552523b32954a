"""A small job of scoring whose model is released and signed, and what proves that."""

import datetime
import functools
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from argosy import wiring
from argosy.adapters import keys
from argosy.adapters.file_tables import FileTables
from argosy.adapters.model_signer import KeySigner
from argosy.domain import bundle
from argosy.ports.prediction_log import ServedRelease
from argosy.scoring.job import ScoringJob
from argosy.scoring.sent_work import Proof
from kit.serving_kit import FEATURES, rows, write_bundle

BEGAN = datetime.datetime(2026, 6, 1, 12, 30, tzinfo=datetime.UTC)


def signed_job(folder: Path) -> tuple[ScoringJob, Proof]:
    """A job of the tables a, b and c, of five rows each, with all that it reads and writes in *folder*."""
    digest = write_bundle(folder / "bundle")
    (folder / "in").mkdir()
    schema = [(column.name, pa.string() if column.type == "category" else pa.float64()) for column in FEATURES]
    for name in "abc":
        table = pa.Table.from_pylist([dict(row) for row in rows(5, ord(name))], pa.schema(schema))
        pq.write_table(table, folder / "in" / f"{name}.parquet")
    served = ServedRelease("leaving", "production", 4, digest)
    log = functools.partial(wiring.batch_log_at, f"file://{folder / 'log'}")
    tables, results = FileTables(folder / "in"), FileTables(folder / "out")
    job = ScoringJob(folder / "bundle", served, tables, results, BEGAN, features=False, hash_key=b"k", log=log)
    return job, proof_of(job)


def proof_of(job: ScoringJob) -> Proof:
    """What proves the bundle of *job*, which is released and signed for that; keys and signature lie beside it."""
    folder, served = job.bundle.parent, job.served
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    release = bundle.Release(
        model=served.model, model_digest=served.digest, counter=served.version or 0, not_after=until
    )
    release.write(job.bundle / bundle.RELEASE)
    keys.ensure_signing_pair(folder / "key.pem", folder / "key.pub.pem")
    KeySigner(folder / "key.pem").sign(job.bundle, folder / "bundle.sig")
    signature, public = (folder / "bundle.sig").read_bytes(), (folder / "key.pub.pem").read_bytes()
    return Proof(signature, public, wiring.verifier_by)
