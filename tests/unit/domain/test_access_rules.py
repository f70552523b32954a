"""What access.yaml may say, field by field, and what a key is."""

from typing import Any

import pytest
from pydantic import ValidationError

from argosy.domain import access_rules
from argosy.domain.access_rules import AccessRules, Rate, RateLimits

KEY: dict[str, Any] = {"name": "ada", "digest": "sha256:" + "a" * 64, "models": ["*"]}
ISSUER = {
    "name": "acme",
    "issuer": "i",
    "audience": "us",
    "keys": "https://x/jwks",
    "algorithms": ["ES256"],
    "models": ["churn"],
}
BAD_RATES = ("0/second", "1/day", "1/seconds", "x1/second", f"1{'0' * 9}/hour")
PROXY = {"networks": ["10.1.0.0/16", "::1/128"], "header": "x-user", "models": ["churn"]}


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param({"keys": None, "issuers": None, "proxies": None}, id="lists-of-nothing"),
        pytest.param({"keys": [KEY, KEY], "issuers": [ISSUER], "proxies": [PROXY]}, id="two-keys-of-one-name"),
        pytest.param({"keys": [KEY | {"name": "a" * 40, "models": ["a" * 40, "a_0"]}]}, id="as-long-as-may-be"),
        pytest.param({"proxies": [{"networks": ["10.0.0.1"]}]}, id="a-proxy-that-passes-callers-on"),
        *(
            pytest.param({"issuers": [ISSUER | {"keys": place}]}, id=place)
            for place in ("/etc/jwks", "http://localhost:1/x", "http://127.0.0.1/x")
        ),
        pytest.param({"issuers": [ISSUER | {"models": None, "models_claim": "m"}]}, id="models-by-a-claim"),
        pytest.param({"limits": {"default": "999999999/hour", "principals": {"ada": "1/second"}}}, id="rates"),
    ],
)
def test_what_is_taken(rules: dict[str, Any]) -> None:
    """Each as its page says."""
    AccessRules.model_validate(rules)


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param({"keys": [KEY] * 3}, id="three-keys-of-one-name"),
        pytest.param({"keys": [KEY | {"name": "acme"}], "issuers": [ISSUER]}, id="a-key-and-an-issuer-of-one-name"),
        pytest.param({"issuers": [ISSUER, ISSUER]}, id="two-issuers-of-one-name"),
        *(pytest.param({"keys": [KEY | {"name": name}]}, id=f"name-{name[:9]}") for name in ("", "Ada", "a_b", "-a", "a" * 41)),
        *(pytest.param({"keys": [KEY | {"models": m}]}, id=f"models-{n}") for n, m in enumerate(([], ["a*"], ["*a"], ["A"], ["a" * 41]))),
        pytest.param({"keys": [KEY | {"digest": "sha256:" + "a" * 63}]}, id="digest-short"),
        pytest.param({"keys": [KEY | {"digest": "sha256:" + "a" * 65}]}, id="digest-long"),
        pytest.param({"keys": [KEY | {"digest": "x" + KEY["digest"]}]}, id="digest-behind-something"),
        pytest.param({"keys": [KEY | {"expires": "2030-01-01T00:00:00"}]}, id="a-day-of-no-zone"),
        pytest.param({"issuers": [ISSUER | {"algorithms": []}]}, id="no-algorithm"),
        pytest.param({"issuers": [ISSUER | {"algorithms": ["HS256"]}]}, id="an-algorithm-that-checkers-sign-with"),
        pytest.param({"issuers": [ISSUER | {"algorithms": ["none"]}]}, id="no-signature"),
        pytest.param({"issuers": [ISSUER | {"models": None}]}, id="an-issuer-that-opens-nothing"),
        pytest.param({"issuers": [ISSUER | {"models_claim": "m"}]}, id="an-issuer-of-both"),
        *(
            pytest.param({"issuers": [ISSUER | {"keys": place}]}, id=place)
            for place in ("http://x/jwks", "http://localhost.evil/x", "http://127.0.0.1.evil/x", "jwks", "xhttps://y", "http://127x0.0.1/")
        ),
        pytest.param({"proxies": [PROXY | {"networks": []}]}, id="no-network"),
        pytest.param({"proxies": [PROXY | {"networks": ["here"]}]}, id="what-is-no-network"),
        pytest.param({"proxies": [PROXY | {"networks": ["::/0"]}]}, id="everybody"),
        pytest.param({"proxies": [PROXY | {"models": None}]}, id="a-header-that-opens-nothing"),
        pytest.param({"proxies": [PROXY | {"header": None}]}, id="models-for-nobody"),
        pytest.param({"proxies": [PROXY | {"header": "X-User"}]}, id="a-header-in-capitals"),
        pytest.param({"proxies": [PROXY | {"header": "a" * 65}]}, id="a-long-header"),
        *(pytest.param({"limits": {"failures": rate}}, id=f"rate-{rate}") for rate in BAD_RATES),
        pytest.param({"others": []}, id="unknown"),
    ],
)  # fmt: skip
def test_what_is_refused(rules: dict[str, Any]) -> None:
    """Before anybody is asked by it."""
    with pytest.raises(ValidationError):
        AccessRules.model_validate(rules)


def test_rates() -> None:
    """So many in so many seconds, of a principal's own or else everybody's."""
    limits = RateLimits(default="5/hour", principals={"ada": "7/minute"})
    rates = [Rate(limits.of(name)) for name in ("ada", "bob")] + [
        Rate(RateLimits().of("ada")),
        Rate(RateLimits().failures),
    ]
    assert [(rate.requests, rate.seconds) for rate in rates] == [(7, 60), (5, 3600), (1000, 1), (20, 60)]


def test_a_key() -> None:
    """It says whose it is, is kept as its digest alone, and two are never the same; what is cut short is none."""
    (text, rule), (other, _) = (access_rules.new_key("ada-b", ["churn"]) for _ in range(2))
    assert (text.startswith("argosy_ada-b_"), text != other) == (True, True)
    assert (rule.name, rule.models, rule.expires, rule.digest) == (
        "ada-b",
        ["churn"],
        None,
        access_rules.key_digest(text),
    )
    assert len(text.removeprefix("argosy_ada-b_")) >= 43
    assert [
        access_rules.key_name(one) for one in (text, "argosy_ada_s_t", "argosy_ada_", "argosy_ada", "xargosy_ada_s")
    ] == [
        "ada-b",
        "ada",
        None,
        None,
        None,
    ]


def test_which_models_open() -> None:
    """The one that is named, or all."""
    assert [access_rules.opens(models, "churn") for models in (["churn"], ["*"], ["churn_eu"], [])] == [
        True,
        True,
        False,
        False,
    ]
