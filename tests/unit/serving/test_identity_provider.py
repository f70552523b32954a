"""Tokens of an identity provider that nobody here wrote, from its discovery document to the answer of the model.

The provider is panva's `oidc-provider` for Node.js, by `tests/clients/oidc_provider.mjs`; CONTRIBUTING.md says how to have it.
"""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy import errors
from argosy.adapters.jwt_tokens import JwtTokens
from argosy.domain.access_rules import AccessRules
from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving.access.gatekeeper import TOKEN_SECONDS, Credentials, Gatekeeper
from argosy.serving.access.rules_file import AccessFile, WatchedRules
from argosy.serving.request_problems import RequestProblem
from kit.serving_kit import ROW, Client, Reply, build_app

pytestmark = pytest.mark.slow
PROGRAM = Path(__file__).parents[2] / "clients" / "oidc_provider.mjs"
V1 = "/v1/models/leaving:predict"
AT_ONCE = partial(JwtTokens, again_seconds=0.0)
"""A key that is not known is looked for each time."""


@dataclass(frozen=True)
class Provider:
    """A provider that runs."""

    process: "subprocess.Popen[str]"
    issuer: str

    def do(self, what: str) -> None:
        """Have it `rotate` its keys, or `announce` new ones beside them."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == what

    def token(self, resource: str = "urn:argosy", scope: str = "leaving") -> str:
        """A token of the program `billing`, for the audience *resource*."""
        asked = urllib.request.Request(  # noqa: S310 - on this machine
            f"{self.issuer}/token",
            urllib.parse.urlencode({"grant_type": "client_credentials", "resource": resource, "scope": scope}).encode(),
            {"Authorization": f"Basic {base64.b64encode(b'billing:a-secret-for-tests').decode()}"},
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - the same
            return str(json.load(answer)["access_token"])

    def rule(self, **over: Any) -> dict[str, Any]:
        """The rule of this provider, as its discovery document has it written."""
        with urllib.request.urlopen(f"{self.issuer}/.well-known/openid-configuration", timeout=30) as answer:  # noqa: S310
            found = json.load(answer)
        return {
            "name": "company",
            "issuer": found["issuer"],
            "audience": "urn:argosy",
            "keys": found["jwks_uri"],
            "algorithms": ["RS256"],
            "models_claim": "scope",
        } | over


@contextmanager
def running(shift: int = 0) -> Iterator[Provider]:
    """A provider whose clock is *shift* seconds ahead; skips where there is none."""
    folder = os.environ.get("ARGOSY_OIDC_PROVIDER")
    if not folder or shutil.which("node") is None:
        pytest.skip("ARGOSY_OIDC_PROVIDER names no folder with npm's oidc-provider, or there is no node")
    environment = {**os.environ, "SHIFT": str(shift)}
    with subprocess.Popen(
        ["node", str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout
        try:
            yield Provider(process, process.stdout.readline().strip())
        finally:
            process.kill()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """One that tells the time."""
    with running() as found:
        yield found


Ask = Callable[[str], Reply]


@pytest.fixture
def asking(predictor: Predictor, tmp_path: Path) -> Callable[..., Ask]:
    """Asks the small model, which is served by the rule of a provider, with a token."""

    def served(**rule: Any) -> Ask:
        file = tmp_path / "access.yaml"
        file.write_text(yaml.safe_dump({"issuers": [rule]}))
        rules = WatchedRules(AccessFile(file, AT_ONCE))
        release = ServedRelease("leaving", "x", 1, predictor.digest)
        client = Client(build_app(predictor=predictor, served=release, access=rules))
        return lambda token: client.post(V1, {"instances": [ROW]}, authorization=f"Bearer {token}")

    return served


def test_a_program_asks_with_its_providers_token(provider: Provider, asking: Callable[..., Ask]) -> None:
    """The scope names the models; of one that it does not name it is told so."""
    ask = asking(**provider.rule())
    assert ask(provider.token()).status == 200
    assert ask(provider.token(scope="other leaving")).status == 200
    assert ask(provider.token(scope="other")).status == 403


def test_a_token_for_others_is_refused(provider: Provider, asking: Callable[..., Ask]) -> None:
    """Proven, and not for us: another audience, another issuer's name for the same keys."""
    assert asking(**provider.rule())(provider.token("urn:payroll")).status == 401
    assert asking(**provider.rule(issuer="https://login.example.com"))(provider.token()).status == 401


def test_the_rule_says_which_algorithm_counts(provider: Provider, asking: Callable[..., Ask]) -> None:
    """The provider has keys of two kinds; a token by one that the rule does not name is refused, whatever it says of itself."""
    token = provider.token("urn:argosy:ES256")
    assert asking(**provider.rule())(token).status == 401
    assert asking(**provider.rule(algorithms=["RS256", "ES256"]))(token).status == 200


def test_a_token_that_was_given_out_long_ago_has_expired(asking: Callable[..., Ask]) -> None:
    """It is said that it did: its owner fetches another."""
    with running(shift=-600) as late:
        answer = asking(**late.rule())(late.token())
    assert (answer.status, answer.json()["error"]) == (401, "the key or token has expired")


def test_a_token_that_expires_between_two_requests() -> None:
    """It is refused from its end on, though it is still remembered as proven."""
    with running(shift=-35) as late:
        rules = AccessRules.model_validate({"issuers": [late.rule()]})
        began, passed = time.time(), 0.0
        keeper = Gatekeeper(rules, tokens=AT_ONCE(rules.issuers), clock=lambda: began + passed)
        caller = Credentials("127.0.0.1", {"authorization": f"Bearer {late.token()}"})
        assert asyncio.run(keeper.admit(caller, "leaving")).name == "company:billing"
        passed = TOKEN_SECONDS - 1
        with pytest.raises(RequestProblem, match="has expired"):
            asyncio.run(keeper.admit(caller, "leaving"))


def test_keys_that_are_rotated_count_without_a_restart(provider: Provider, asking: Callable[..., Ask]) -> None:
    """Announced beside the old ones, both count; once the old ones are gone at the provider, they prove nothing new here."""
    ask, old = asking(**provider.rule()), provider.token()
    assert ask(old).status == 200
    provider.do("announce")
    assert ask(provider.token()).status == 200
    assert ask(old).status == 200
    before = provider.token()
    provider.do("rotate")
    assert ask(provider.token()).status == 200
    assert ask(before).status == 401


def test_a_provider_that_goes_takes_nobody_along(asking: Callable[..., Ask]) -> None:
    """Tokens that its known keys prove are taken; a server that never reached it says that it cannot tell, which is no refusal."""
    with running() as gone:
        rule, first, second = gone.rule(), gone.token(), gone.token()
        ask, late = asking(**rule), asking(**rule)
        assert ask(first).status == 200
    assert ask(second).status == 200
    assert late(second).status == 503
    with pytest.raises(errors.TryAgain, match="the keys of company cannot be fetched"):
        AT_ONCE(AccessRules.model_validate({"issuers": [rule]}).issuers).verify(second)
