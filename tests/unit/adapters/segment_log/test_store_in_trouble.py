"""A log whose bucket answers 500 and 503 for a while, over HTTP, through the client of the store and its own attempts."""

from pathlib import Path

import pytest

from argosy import s3_client
from argosy.adapters.s3.bucket_objects import S3Objects
from argosy.adapters.segment_log import shipping
from argosy.adapters.segment_log.history import SegmentHistory
from argosy.adapters.segment_log.shipper_thread import ThreadShipper
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction, until
from kit.s3_server import KEYS, Buckets, Trouble, s3_server

RECORDS = 40


@pytest.mark.parametrize("keeps", [False, True], ids=["refused", "kept-and-the-answer-lost"])
def test_a_bucket_that_answers_with_errors_for_a_while(
    keeps: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost, nothing shipped twice, the failures are counted and said once; when it is well again, all is shipped.

    An error does not say whether the bucket has kept what it was given: what it has by then is not put again.
    """
    monkeypatch.setattr(s3_client, "ATTEMPTS", 2)
    monkeypatch.setattr(shipping, "LONGEST_PAUSE", 0.1)
    buckets: Buckets = {"logs": {}}
    trouble = Trouble(keeps)
    trouble.there.set()
    with s3_server(buckets, trouble=trouble) as endpoint:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{endpoint}",
            "AWS_ACCESS_KEY_ID": KEYS["access"],
            "AWS_SECRET_ACCESS_KEY": KEYS["secret"],
            "AWS_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        objects = S3Objects("s3://logs/predictions", "ARGOSY_PREDICTIONS_URI")
        log = SegmentLog(
            tmp_path / "spool", ThreadShipper(tmp_path / "spool", objects), SERVED, FEATURES, rotate_bytes=1_000
        )
        for number in range(RECORDS):
            log.append([prediction(number, at=1_790_000_000 + 60 * number)])
            until(lambda: log.standing().pending == 0)
        until(lambda: log.standing().failures["TryAgain"] >= 2)
        standing = log.standing()
        assert (standing.written, standing.shipped, standing.dropped) == (RECORDS, 0, {})
        # Each attempt of ours is several of the client's.
        assert len(trouble.said) >= 2 * standing.failures["TryAgain"]
        assert {500, 503} <= set(trouble.said)
        trouble.there.clear()
        until(lambda: log.standing().shipped > RECORDS - 10)
        log.close()
        found = SegmentHistory(objects, tmp_path / "spool").read("leaving", "production")
        names = [name for batch in found for name in batch.table["request_id"].to_pylist()]
    assert sorted(names) == sorted(f"r{number}" for number in range(RECORDS))
    assert (log.standing().shipped, log.standing().strange) == (RECORDS, 0)
    assert [text.partition(":")[0] for text in caplog.messages] == [
        "logged predictions wait on this machine and are shipped later",
        "logged predictions are shipped again",
    ]
