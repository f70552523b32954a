"""What goes to many readers holds no key and nobody's address, whoever wrote it; what helps them stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.domain.channel_addresses import channels, variable
from argosy.domain.notices import LONGEST_TEXT, LONGEST_TITLE, Notice
from argosy.domain.redaction import HIDDEN, redacted

SECRET = "tr0ub4dor-And-3"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        pytest.param(f"postgresql://argosy:{SECRET}@db:5432/loop failed", SECRET, id="password-in-an-address"),
        pytest.param(f"GET https://hooks.example/x?token={SECRET} gave 404", SECRET, id="token-in-a-query"),
        pytest.param(f"https://s3.example/b/k?X-Amz-Signature={SECRET}&X-Amz-Date=1", SECRET, id="signed-address"),
        pytest.param(f'{{"password": "{SECRET}"}}', SECRET, id="password-in-json"),
        pytest.param(f"AWS_SECRET_ACCESS_KEY={SECRET} aws s3 ls", SECRET, id="assignment"),
        pytest.param(f"api-key: '{SECRET} and more'", SECRET, id="quoted"),
        pytest.param("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_16C7", id="github"),
        pytest.param("key AKIAIOSFODNN7EXAMPLE is wrong", "AKIAIOSFODNN7EXAMPLE", id="aws"),
        pytest.param("xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzzqgy", "pdFZKVeTuE8sk7oOcHrzzqgy", id="slack"),
        pytest.param("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3", "eyJzdWIiOiIxIn0", id="jwt"),
        pytest.param(f"Authorization: Bearer {SECRET}", SECRET, id="bearer"),
        pytest.param("-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----", "MHcCAQ", id="key"),
        pytest.param("-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG", "MIGHAgEAMBMG", id="half-a-key"),
        pytest.param("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1", "bPxRfiCY", id="a-word-that-is-none"),
        pytest.param("row of jane.doe+x@example.co.uk failed", "jane.doe", id="a-person"),
        pytest.param("@channel <!here> @everyone", "@", id="a-call-to-everybody"),
        pytest.param("a\x1b[31mred\x00", "\x1b", id="control-characters"),
    ],
)
def test_what_is_hidden(text: str, hidden: str) -> None:
    """No part of it is left."""
    assert hidden not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "churn: train failed (exit code 137, OOMKilled)",
        "request 12 for churn version 7, sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "commit 5201b788b6f6a4f5b6a2cf4f5c2e7e5f4c9d1a2b",
        "argosy logs churn-2026-11-29-a1b2c train",
        "https://argo.example:2746/workflows/argosy/churn-x7k2p",
        "roc_auc 0.81 below 0.84; monthly_charges moved by 0.31",
        "s3://models/churn/versions/7/bundle",
        "two lines\nof text",
    ],
)
def test_what_stays(text: str) -> None:
    """Names, figures, digests, commits, runs and links are what a notice is for."""
    assert redacted(text) == text


@given(st.text(max_size=300))
def test_any_text_has_an_answer(text: str) -> None:
    """Hidden again, it stays as it is; no control character and no call is left."""
    shown = redacted(text)
    assert redacted(shown) == shown
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert "@" not in shown


def test_it_takes_no_time_whatever_it_is_given() -> None:
    """A long text of one kind is read in one go, not again from each of its letters."""
    for text in (
        "a" * 100_000,
        "://" * 30_000,
        "token=" * 20_000,
        "eyJaaaaa." * 10_000,
        "-----BEGIN PRIVATE KEY-----" * 4_000,
        "x@" * 50_000,
    ):
        redacted(text)


def test_a_notice_hides_by_itself() -> None:
    """Whoever makes one cannot forget it. Title and link are one line; what is longer than chats take is cut."""
    notice = Notice(
        event="step failed",
        model="churn",
        owner="growth",
        key="k",
        title=f"train\nfailed: password={SECRET}",
        text=f"token={SECRET}\n" + "long " * 1000,
        link=f"https://u:{SECRET}@argo.example/r?token={SECRET}",
    )
    assert SECRET not in notice.canonical_json()
    assert notice.title == f"train failed: password={HIDDEN}"
    assert notice.link == "https://argo.example/r"
    assert len(notice.text) == LONGEST_TEXT
    assert len(notice.model_copy(update={"title": "x"}).title) <= LONGEST_TITLE


def test_channels_come_from_the_environment() -> None:
    """A name in model.yaml and its variable belong together, both ways; an empty one is none."""
    given = {variable("team-growth"): "json://a", variable("on-call"): "", "ARGOSY_HOME": "/x"}
    assert given.keys() == {"ARGOSY_NOTIFY_TEAM_GROWTH", "ARGOSY_NOTIFY_ON_CALL", "ARGOSY_HOME"}
    assert channels(given) == {"team-growth": "json://a"}
