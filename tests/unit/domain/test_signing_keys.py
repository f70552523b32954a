"""The file of public keys: what stands in it, and what is refused."""

import base64
import datetime
import hashlib

import pytest

from argosy.domain import signing_keys

DER = [bytes(range(start, start + 91)) for start in (0, 7)]
DAY = datetime.date(2027, 3, 1)


def _pem(der: bytes, width: int = 64) -> str:
    body = base64.b64encode(der).decode()
    lines = "\n".join(body[start : start + width] for start in range(0, len(body), width))
    return f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"


def test_a_file_of_one_key_is_as_it_always_was() -> None:
    """No comment: made nobody knows when, and never to expire."""
    (key,) = signing_keys.parse(_pem(DER[0]).encode())
    assert (key.made, key.expires) == (None, None)
    assert key.hint == hashlib.sha256(_pem(DER[0]).encode()).hexdigest()
    assert not key.expired(datetime.date.max)


def test_what_is_written_is_read() -> None:
    """Order and days stay."""
    first, second = signing_keys.parse((_pem(DER[0]) + _pem(DER[1])).encode())
    keys = [signing_keys.expiring(first, DAY), second]
    assert signing_keys.parse(signing_keys.text(keys).encode()) == keys


@pytest.mark.parametrize(
    ("today", "expired"),
    [pytest.param(datetime.date(2027, 2, 28), False, id="the-day-before"), pytest.param(DAY, True, id="that-day")],
)
def test_from_its_day_on_a_key_has_expired(today: datetime.date, expired: bool) -> None:
    """The day is the first that it does not count on."""
    (key,) = signing_keys.parse(f"# ours, expires: 2027-03-01\n{_pem(DER[0])}".encode())
    assert key.expired(today) is expired


@pytest.mark.parametrize("width", [48, 64, 76, 1000])
def test_a_key_has_one_name_however_its_lines_are_broken(width: int) -> None:
    """Signatures name it by the form that signers write."""
    (key,) = signing_keys.parse(_pem(DER[0], width).replace("\n", "\r\n").encode())
    assert key.pem == _pem(DER[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "no public key", id="empty"),
        pytest.param(b"\xff\xfe", "no public key", id="binary"),
        pytest.param(b"-----BEGIN PUBLIC KEY-----\n!!\n-----END PUBLIC KEY-----\n", "no base64", id="garbage"),
        pytest.param(_pem(DER[0]).replace("PUBLIC", "PRIVATE").encode(), "holds a private key", id="private"),
        pytest.param(f"# expires 2027-02-30\n{_pem(DER[0])}".encode(), "expires 2027-02-30", id="no-such-day"),
        pytest.param(f"# expires soon\n{_pem(DER[0])}".encode(), "expected a day", id="no-day"),
        pytest.param(f"# expires\n{_pem(DER[0])}".encode(), "expected a day", id="nothing"),
    ],
)
def test_what_is_refused(content: bytes, message: str) -> None:
    """A private key that everybody would read, and a typo by which a key would live for ever, included."""
    with pytest.raises(signing_keys.UnreadableError, match=message):
        signing_keys.parse(content)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"verificationMaterial": {"publicKey": {"hint": 7}}}', b"[" * 100_000],
    ids=["empty", "object", "list", "null", "binary", "number", "deep"],
)
def test_what_is_no_signature_names_no_key(content: bytes) -> None:
    """Whatever somebody commits under that name."""
    assert signing_keys.signer(content) is None


def test_a_beginning_that_two_keys_share_names_neither() -> None:
    """Nobody retires the wrong one by four letters."""
    keys = signing_keys.parse((_pem(DER[0]) + _pem(DER[1])).encode())
    assert signing_keys.named(keys, keys[1].id) is keys[1]
    assert signing_keys.named(keys, "") is None
    assert signing_keys.named(keys, "xyz") is None


def test_a_signature_names_its_key() -> None:
    """By the hint in its bundle; an empty one is none."""
    bundle = '{"verificationMaterial": {"publicKey": {"hint": "%s"}}}'
    assert signing_keys.signer((bundle % "0a").encode()) == "0a"
    assert signing_keys.signer((bundle % "").encode()) is None


def test_what_a_file_says_of_a_key() -> None:
    """Its id and both days, in comments alone, however they are set in; a text between keys says nothing."""
    made = datetime.date(2026, 3, 1)
    said = f"made 2020-01-01\n   # key made: {made}\n#expires {DAY}\n{_pem(DER[0])}expires 2021-01-01\n{_pem(DER[1])}"
    first, second = signing_keys.parse(said.encode())
    assert (first.made, first.expires, second.made, second.expires) == (made, DAY, None, None)
    assert (
        signing_keys.text([first, second])
        == f"# key {first.id} made {made} expires {DAY}\n{_pem(DER[0])}# key {second.id}\n{_pem(DER[1])}"
    )
    assert signing_keys.expiring(first, None).expires is None


def test_a_key_is_named_by_its_beginning_in_either_case() -> None:
    """As people copy it; both keys have a name of their own."""
    keys = signing_keys.parse((_pem(DER[0]) + _pem(DER[1])).encode())
    for key in keys:
        assert signing_keys.named(keys, key.hint[:8].upper()) is key
    assert signing_keys.named([keys[0], keys[0]], keys[0].id) is None
