"""What may be served: signed, exactly what was approved, this model, not expired, not a step back, and answering as it did in training."""

import dataclasses
import datetime
import shutil
from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters import keys
from argosy.adapters.model_signer import KeySigner, KeyVerifier
from argosy.domain import bundle
from argosy.domain.documents import sha256
from argosy.promotion import verification
from argosy.promotion.verification import Approved
from argosy.serving import rollback_protection
from argosy.serving.rollback_protection import Counter

OTHER_STORE = {"uri": "s3://store/online", "digest": sha256(b"rows")}
NOW = datetime.datetime(2030, 6, 1, tzinfo=datetime.UTC)


def released(folder: Path, **changes: object) -> Approved:
    """The bundle in *folder* with a release.json, and what was approved of it."""
    digest = bundle.digest(folder)
    fields = {"model": "leaving", "model_digest": digest, "counter": 4, "not_after": NOW + datetime.timedelta(days=1)}
    bundle.Release.model_validate({**fields, **changes}).write(folder / bundle.RELEASE)
    return Approved(folder, digest, model="leaving", version=4, online=sha256(b"online"))


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A copy of the small bundle to damage."""
    shutil.copytree(folder, tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A private key; its public half lies beside it."""
    keys.ensure_signing_pair(tmp_path / "key.pem", tmp_path / "key.pub.pem")
    return tmp_path / "key.pem"


@pytest.fixture
def signature(copy: Path, key: Path, tmp_path: Path) -> Path:
    """The signature of the released copy."""
    released(copy)
    KeySigner(key).sign(copy, tmp_path / "bundle.sig")
    return tmp_path / "bundle.sig"


def test_what_is_approved_and_signed_is_served(copy: Path, signature: Path, tmp_path: Path) -> None:
    """All checks hold."""
    approved = Approved(copy, bundle.digest(copy), model="leaving", version=4)
    predictor = verification.load(approved, verifier=KeyVerifier(tmp_path / "key.pub.pem"), signature=signature)
    assert predictor.signature.model == "leaving"
    assert verification.release(approved, not_before=4, now=NOW).counter == 4


@pytest.mark.parametrize("name", [*bundle.FILES, bundle.RELEASE])
def test_a_flipped_byte_in_any_file_is_refused(copy: Path, signature: Path, tmp_path: Path, name: str) -> None:
    """By the signature, before any parser sees it."""
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    digest = bundle.digest(copy)
    (copy / name).write_bytes(content)
    with pytest.raises(errors.Rejected, match="not what was signed"):
        verification.load(Approved(copy, digest), verifier=KeyVerifier(tmp_path / "key.pub.pem"), signature=signature)


def test_another_key_is_refused(copy: Path, signature: Path, tmp_path: Path) -> None:
    """Whoever signed it, it was not us."""
    keys.ensure_signing_pair(tmp_path / "other.pem", tmp_path / "other.pub.pem")
    verifier = KeyVerifier(tmp_path / "other.pub.pem")
    with pytest.raises(errors.Rejected, match="another key"):
        verification.load(Approved(copy, bundle.digest(copy)), verifier=verifier, signature=signature)


def test_no_signature_is_refused(copy: Path, tmp_path: Path, key: Path) -> None:
    """Unless the caller asked for an unsigned bundle."""
    approved = Approved(copy, bundle.digest(copy))
    with pytest.raises(errors.Rejected, match="nothing unsigned is served"):
        verification.load(approved, verifier=KeyVerifier(tmp_path / "key.pub.pem"), signature=None)
    assert verification.load(approved, verifier=None, signature=None).digest == approved.digest


def test_another_digest_is_refused(copy: Path) -> None:
    """A good bundle that is not the approved one."""
    with pytest.raises(errors.Misconfigured, match=r"expected sha256:00"):
        verification.load(Approved(copy, "sha256:00"), verifier=None, signature=None)


def test_another_model_is_refused(copy: Path) -> None:
    """A good bundle of another model."""
    with pytest.raises(errors.Rejected, match="is the model 'leaving', but 'churning' is approved"):
        verification.load(Approved(copy, bundle.digest(copy), model="churning"), verifier=None, signature=None)


def test_a_model_that_answers_otherwise_is_refused(copy: Path) -> None:
    """Golden rows are replayed; another library or machine may give other bits without any error."""
    golden = bundle.Golden.read(copy / bundle.GOLDEN)
    row = golden.rows[0]
    nearly = row.model_copy(update={"prediction": [row.prediction[0] + 1e-7]})
    bundle.Golden(rows=[nearly, *golden.rows[1:]]).write(copy / bundle.GOLDEN)
    with pytest.raises(errors.Rejected, match=r"answers otherwise here .*golden row 0"):
        verification.load(Approved(copy, bundle.digest(copy)), verifier=None, signature=None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"model_digest": "sha256:1"}, "release.json is for sha256:1", id="digest"),
        pytest.param({"model": "churning"}, "is the model 'churning'", id="model"),
        pytest.param({"counter": 5}, "says version 5, but version 4 is approved", id="version"),
        pytest.param(
            {"online_store": OTHER_STORE},
            rf"names the online store {sha256(b'rows')}, but {sha256(b'online')}",
            id="online",
        ),
        pytest.param({"not_after": NOW}, "may be served until 2030-06-01 00:00 UTC only", id="expired"),
    ],
)
def test_a_release_that_is_not_the_approved_one_is_refused(
    copy: Path, changes: dict[str, object], message: str
) -> None:
    """Each field of release.json holds."""
    with pytest.raises(errors.Rejected, match=message):
        verification.release(released(copy, **changes), now=NOW)


def test_a_release_of_before_stores_were_named(copy: Path) -> None:
    """What was released and approved earlier is served as it was; one without a store is held against none."""
    assert verification.release(released(copy), now=NOW).online_store is None
    approved = dataclasses.replace(released(copy, online_store=OTHER_STORE), online=None)
    assert verification.release(approved, now=NOW).counter == 4


def test_an_older_release_than_the_last_is_refused(copy: Path) -> None:
    """A replayed old model is signed as well; the counter gives it away."""
    with pytest.raises(errors.Rejected, match=r"older than version 5.*--allow-rollback"):
        verification.release(released(copy), not_before=5, now=NOW)
    assert verification.release(released(copy), not_before=0, now=NOW).counter == 4


@pytest.mark.parametrize("content", [pytest.param(None, id="absent"), pytest.param("{}", id="empty")])
def test_a_bundle_without_a_release_is_refused(copy: Path, content: str | None) -> None:
    """It was never registered."""
    if content is not None:
        (copy / bundle.RELEASE).write_text(content)
    with pytest.raises(errors.Misconfigured, match=r"release\.json"):
        verification.release(Approved(copy, bundle.digest(copy)), now=NOW)


def test_what_main_calls_too_old_is_refused(copy: Path, tmp_path: Path) -> None:
    """On a cluster no pod remembers what was served: a file from main says what is too old, and how that can be changed."""
    (tmp_path / "version").write_text("5\n")
    oldest = rollback_protection.minimum(tmp_path / "version")
    with pytest.raises(errors.Rejected, match=r"older than version 5, the oldest that main .*minimumVersion"):
        verification.release(released(copy), not_before=oldest, because=verification.IS_MINIMUM, now=NOW)
    assert verification.release(released(copy), not_before=4, because=verification.IS_MINIMUM, now=NOW).counter == 4


@pytest.mark.parametrize(
    "content", [None, "", "-1", "3.5", "many"], ids=["absent", "empty", "negative", "fraction", "word"]
)
def test_a_minimum_that_cannot_be_read_is_none(tmp_path: Path, content: str | None) -> None:
    """Nothing is served where nobody knows what may be."""
    if content is not None:
        (tmp_path / "version").write_text(content)
    with pytest.raises(errors.Misconfigured, match="--minimum-release"):
        rollback_protection.minimum(tmp_path / "version")


def test_the_counter_outlives_the_server(tmp_path: Path) -> None:
    """What was served last is known to the next start; a file that says something else is not trusted."""
    path = tmp_path / "state" / "served" / "leaving-production.json"
    assert Counter(path).value() == 0
    for number in (7, 8):
        Counter(path).set(number)
        assert Counter(path).value() == number
    assert list(path.parent.iterdir()) == [path]
    path.write_text('{"counter": "many"}')
    with pytest.raises(errors.Misconfigured, match="does not hold the number"):
        Counter(path).value()
