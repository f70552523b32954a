"""Who may ask a served model: keys, tokens, proxies, models, rates; and what callers and logs learn of it."""

import asyncio
import datetime
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from argosy import errors
from argosy.adapters.jwt_tokens import JwtTokens
from argosy.domain import access_rules
from argosy.domain.access_rules import AccessRules
from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.ports.token_verifier import TokenClaims
from argosy.serving.access.gatekeeper import TOKEN_SECONDS, Credentials, Gatekeeper
from argosy.serving.access.local_rate_limiter import LocalRateLimiter
from argosy.serving.access.outcomes import Outcome
from argosy.serving.access.rules_file import AccessFile, WatchedRules
from argosy.serving.hot_path import HotRequest
from argosy.serving.request_problems import RequestProblem
from kit.clock import Clock
from kit.serving_kit import ROW, Client, build_app, exchange
from kit.web_server import Answer, web_server

V1 = "/v1/models/leaving:predict"
ASKED = {"instances": [ROW]}
ISSUER = "https://login.example.com/"


@pytest.fixture(scope="module")
def served(predictor: Predictor) -> Callable[[Path], tuple[Client, WatchedRules]]:
    """Serves the small model by the rules of a file."""

    def serve(path: Path) -> tuple[Client, WatchedRules]:
        rules = WatchedRules(AccessFile(path, JwtTokens))
        app = build_app(predictor=predictor, served=ServedRelease("leaving", "x", 1, predictor.digest), access=rules)
        return Client(app), rules

    return serve


def written(path: Path, **rules: Any) -> Path:
    """A file with *rules*."""
    path.write_text(yaml.safe_dump(rules))
    return path


def key(name: str, *models: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """A key, and its rule."""
    text, made = access_rules.new_key(name, list(models) or ["leaving"])
    return text, made.model_dump(mode="json", exclude_none=True) | more


def bearer(text: str) -> dict[str, str]:
    """The header that brings *text* along."""
    return {"authorization": f"Bearer {text}"}


Served = Callable[[Path], tuple[Client, WatchedRules]]


def test_a_key_lets_its_owner_in_and_nobody_else(served: Served, tmp_path: Path) -> None:
    """By both headers that clients know; health is open, everything else is not."""
    text, rule = key("billing")
    client, _ = served(written(tmp_path / "access.yaml", keys=[rule]))
    assert client.post(V1, ASKED, **bearer(text)).status == 200
    assert client.post(V1, ASKED, x_api_key=text).status == 200
    refused = client.post(V1, ASKED)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Bearer realm="argosy"')
    wrong = client.post(V1, ASKED, **bearer(text[:-1] + ("A" if text[-1] != "A" else "B")))
    assert (wrong.status, wrong.json()["error"]) == (401, "the key or token is not taken")
    for address in ["/", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"]:
        assert client.get(address).status == 200
    for address in ["/metrics", "/v1/models", "/v2", "/v2/models/leaving", "/nowhere"]:
        assert client.get(address).status == 401


@pytest.mark.parametrize("header", ["Basic eDp5", "Bearer", "Bearer ", "", "Bearer argosy_", "Bearer argosy_billing_"])
def test_what_is_no_credential_is_refused(served: Served, tmp_path: Path, header: str) -> None:
    """Whatever the header holds."""
    client, _ = served(written(tmp_path / "access.yaml", keys=[key("billing")[1]]))
    assert client.post(V1, ASKED, authorization=header).status == 401


def test_a_key_opens_its_models_only(served: Served, tmp_path: Path) -> None:
    """One for another model is proven and still refused."""
    text, rule = key("billing", "churn")
    everywhere, other = key("ops", "*")
    client, _ = served(written(tmp_path / "access.yaml", keys=[rule, other]))
    assert client.post(V1, ASKED, **bearer(text)).status == 403
    assert client.post(V1, ASKED, **bearer(everywhere)).status == 200


def test_keys_change_while_the_server_runs(served: Served, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The second key of a name counts as soon as the file has it, the first until it has not; a file with a slip changes nothing."""
    path = tmp_path / "access.yaml"
    first, old = key("billing")
    second, new = key("billing")
    client, rules = served(written(path, keys=[old]))

    def statuses() -> list[int]:
        rules.look()
        return [client.post(V1, ASKED, **bearer(text)).status for text in (first, second)]

    assert statuses() == [200, 401]
    written(path, keys=[old, new])
    assert statuses() == [200, 200]
    path.write_text("keys: [{name: billing, digst: x}]\n")
    assert statuses() == [200, 200]
    assert "digst" in caplog.text
    path.unlink()
    assert statuses() == [200, 200]
    written(path, keys=[new])
    assert statuses() == [401, 200]


def test_an_expired_key_says_so(served: Served, tmp_path: Path) -> None:
    """Its owner has to know why."""
    text, rule = key("billing", expires="2020-01-01T00:00:00Z")
    client, _ = served(written(tmp_path / "access.yaml", keys=[rule]))
    answer = client.post(V1, ASKED, **bearer(text))
    assert (answer.status, answer.json()["error"]) == (401, "the key or token has expired")


def test_no_secret_reaches_the_log(served: Served, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not a key that is taken, not one that is not."""
    text, rule = key("billing")
    stray, _ = key("billing")
    client, _ = served(written(tmp_path / "access.yaml", keys=[rule]))
    with caplog.at_level(logging.DEBUG):
        for credential in (text, stray, "eyJhbGciOiJub25lIn0.e30."):
            client.post(V1, ASKED, **bearer(credential))
    assert "billing" in caplog.text
    for credential in (text, stray, "eyJhbGciOiJub25lIn0"):
        assert credential.removeprefix("argosy_billing_") not in caplog.text
    assert text not in (tmp_path / "access.yaml").read_text()


# -- tokens


@pytest.fixture(scope="module")
def signers() -> dict[str, Any]:
    """Private keys of an identity provider, and one of somebody else."""
    return {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "strange": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    }


def jwks(signers: dict[str, Any], *names: str) -> dict[str, Any]:
    """The public keys of *names*, as a provider shows them."""
    kinds = {
        "rsa": jwt.algorithms.RSAAlgorithm,
        "ec": jwt.algorithms.ECAlgorithm,
        "strange": jwt.algorithms.RSAAlgorithm,
    }
    shown = [(name, json.loads(kinds[name].to_jwk(signers[name].public_key()))) for name in names]
    return {"keys": [{**public, "kid": name, "use": "sig"} for name, public in shown]}


def token(signers: dict[str, Any], signer: str = "rsa", kid: str | None = None, **claims: Any) -> str:
    """A token as a provider issues it; a claim that is None is left out."""
    usual = {"iss": ISSUER, "aud": "argosy", "sub": "ada", "exp": datetime.datetime.now(datetime.UTC).timestamp() + 600}
    said = {name: value for name, value in (usual | claims).items() if value is not None}
    algorithm = "ES256" if signer == "ec" else "RS256"
    return jwt.encode(said, signers[signer], algorithm, headers={"kid": kid or signer})


@pytest.fixture
def provider(signers: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """The rule of a provider whose keys are in a file."""
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(jwks(signers, "rsa", "ec")))
    return {
        "name": "company",
        "issuer": ISSUER,
        "audience": "argosy",
        "keys": str(keys),
        "algorithms": ["RS256", "ES256"],
    }


def test_a_token_of_the_provider_is_taken(
    served: Served, provider: dict[str, Any], signers: dict[str, Any], tmp_path: Path
) -> None:
    """By each of its keys; what its claim opens, and nothing else."""
    client, _ = served(written(tmp_path / "access.yaml", issuers=[provider | {"models_claim": "models"}]))
    for signer in ("rsa", "ec"):
        assert client.post(V1, ASKED, **bearer(token(signers, signer, models=["leaving"]))).status == 200
    assert client.post(V1, ASKED, **bearer(token(signers, models="churn leaving"))).status == 200
    for models in (["churn"], "churn", None, 7, {"leaving": 1}, [["leaving"]]):
        assert client.post(V1, ASKED, **bearer(token(signers, models=models))).status == 403


FUTURE = 4_000_000_000.0
BAD: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "other"},
    "no audience": {"aud": None},
    "another issuer": {"iss": "https://login.example.com"},
    "no issuer": {"iss": None},
    "expired": {"exp": 1_700_000_000.0},
    "never expires": {"exp": None},
    "not yet": {"nbf": FUTURE},
    "issued in the future": {"iat": FUTURE},
    "nobody": {"sub": None},
    "nobody by name": {"sub": ""},
    "a key that it has not": {"kid": "elsewhere"},
    "somebody else's key": {"signer": "strange", "kid": "rsa"},
}


@pytest.mark.parametrize("case", list(BAD), ids=list(BAD))
def test_a_token_that_proves_nothing_is_refused(
    served: Served, provider: dict[str, Any], signers: dict[str, Any], tmp_path: Path, case: str
) -> None:
    """401, with nothing said of why but that it expired."""
    client, _ = served(written(tmp_path / "access.yaml", issuers=[provider | {"models": ["*"]}]))
    answer = client.post(V1, ASKED, **bearer(token(signers, **BAD[case])))
    said = "the key or token has expired" if case == "expired" else "the key or token is not taken"
    assert (answer.status, answer.json()["error"]) == (401, said)


def test_a_token_is_held_to_the_algorithms_of_its_issuer(
    served: Served, provider: dict[str, Any], signers: dict[str, Any], tmp_path: Path
) -> None:
    """Not to the one that it names itself: unsigned, or signed with a secret."""
    client, _ = served(
        written(tmp_path / "access.yaml", issuers=[provider | {"models": ["*"], "algorithms": ["ES256"]}])
    )
    claims = {"iss": ISSUER, "aud": "argosy", "sub": "ada", "exp": FUTURE}
    for made in (
        jwt.encode(claims, None, "none", headers={"kid": "rsa"}),
        jwt.encode(claims, "x" * 64, "HS256", headers={"kid": "rsa"}),
        token(signers, "rsa"),
    ):
        assert client.post(V1, ASKED, **bearer(made)).status == 401
    assert client.post(V1, ASKED, **bearer(token(signers, "ec"))).status == 200


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_rules_cannot_name_an_algorithm_that_proves_nothing(algorithm: str, provider: dict[str, Any]) -> None:
    """Whoever checks such a token could have made it."""
    with pytest.raises(ValueError, match="algorithms"):
        AccessRules.model_validate({"issuers": [provider | {"models": ["*"], "algorithms": [algorithm]}]})


def test_keys_at_an_address_are_fetched_once_and_their_absence_is_no_refusal(
    provider: dict[str, Any], signers: dict[str, Any]
) -> None:
    """503 while they cannot be had: the caller may be right."""
    rule = provider | {"models": ["leaving"]}
    with web_server({"/jwks": Answer(body=json.dumps(jwks(signers, "rsa")).encode())}) as provided:
        rules = AccessRules.model_validate({"issuers": [rule | {"keys": f"{provided.url}/jwks"}]})
        gate = Gatekeeper(rules, tokens=JwtTokens(rules.issuers, again_seconds=3600))
        for number in range(3):
            assert outcome(gate, bearer(token(signers, sub=f"ada{number}"))) == 200
        # A key that nobody has is looked for, but callers cannot make us ask again and again.
        assert [outcome(gate, bearer(token(signers, kid=f"new{number}"))) for number in range(5)] == [401] * 5
        assert len(provided.asked) == 1
    gate = Gatekeeper(rules, tokens=JwtTokens(rules.issuers))
    assert outcome(gate, bearer(token(signers))) == 503


class HangingProvider:
    """Proves nothing until it is told to."""

    def __init__(self) -> None:
        self.answers = threading.Event()

    def verify(self, token: str) -> TokenClaims:
        """See the port."""
        assert self.answers.wait(60)
        raise errors.TryAgain("the keys cannot be fetched")


def test_a_provider_that_hangs_keeps_those_waiting_who_need_it_alone() -> None:
    """Keys count meanwhile, and threads are left for what other requests need them for; its own callers are told to come again."""
    text, rule = access_rules.new_key("billing", ["leaving"])
    rules = AccessRules(keys=[rule])

    async def crowd() -> list[int]:
        keeper = Gatekeeper(rules, tokens=hanging)
        ada = Credentials("192.0.2.1", bearer(text))
        asked = [
            asyncio.ensure_future(keeper.admit(Credentials("192.0.2.2", bearer(f"token{number}")), "leaving"))
            for number in range(40)
        ]
        try:
            await asyncio.sleep(0)
            assert (await keeper.admit(ada, "leaving")).name == "billing"
            assert await asyncio.wait_for(asyncio.to_thread(lambda: "done"), 30) == "done"
        finally:
            hanging.answers.set()
        refused = await asyncio.gather(*asked, return_exceptions=True)
        return [each.status for each in refused if isinstance(each, RequestProblem)]

    hanging = HangingProvider()
    assert asyncio.run(crowd()) == [503] * 40


def test_a_token_that_expires_while_it_is_remembered_is_refused(
    provider: dict[str, Any], signers: dict[str, Any]
) -> None:
    """Remembering saves its proof, not its end; nor is anything remembered for long."""
    clock = Clock(datetime.datetime.now(datetime.UTC).timestamp())
    rules = AccessRules.model_validate({"issuers": [provider | {"models": ["leaving"]}]})
    proofs: list[str] = []

    class Counting(JwtTokens):
        def verify(self, token: str) -> Any:
            proofs.append(token)
            return super().verify(token)

    gate = Gatekeeper(rules, tokens=Counting(rules.issuers), clock=clock)
    made = token(signers, exp=clock.now + 20)
    assert [outcome(gate, bearer(made)) for _ in range(3)] == [200] * 3
    assert len(proofs) == 1
    clock.now += 55  # beyond its end and what clocks may differ, within what is remembered
    assert outcome(gate, bearer(made)) == 401
    lasting = token(signers, exp=clock.now + 6000)
    outcome(gate, bearer(lasting))
    clock.now += TOKEN_SECONDS + 1
    outcome(gate, bearer(lasting))
    assert proofs.count(lasting) == 2
    clock.now -= 3600  # a clock that is set back remembers nothing longer
    outcome(gate, bearer(lasting))
    assert proofs.count(lasting) == 3


# -- proxies


MESH = {"networks": ["10.1.0.0/16"], "header": "x-forwarded-client-cert", "models": ["leaving"]}
INGRESS = {"networks": ["10.2.0.0/16", "fd00::/8"], "header": "x-auth-request-user", "models": ["leaving"]}


def outcome(gate: Gatekeeper, headers: dict[str, str], peer: str = "192.0.2.7") -> int:
    """The status that a caller from *peer* gets."""
    try:
        asyncio.run(gate.admit(Credentials(peer, headers), "leaving"))
    except RequestProblem as problem:
        return problem.status
    return 200


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("10.2.3.4", {"x-auth-request-user": "ada"}, 200),
        ("fd00::7", {"x-auth-request-user": "ada"}, 200),
        ("::ffff:10.2.3.4", {"x-auth-request-user": "ada"}, 200),
        ("10.3.3.4", {"x-auth-request-user": "ada"}, 401),
        ("10.1.3.4", {"x-auth-request-user": "ada"}, 401),
        ("10.2.3.4", {"x-auth-request-user": ""}, 401),
        ("", {"x-auth-request-user": "ada"}, 401),
        ("10.1.3.4", {"x-forwarded-client-cert": "By=spiffe://x;Hash=1;URI=spiffe://c/ns/shop/sa/web"}, 200),
        ("10.1.3.4", {"x-forwarded-client-cert": "Hash=1"}, 401),
    ],
)
def test_a_header_that_names_somebody_counts_from_its_proxy_only(
    peer: str, headers: dict[str, str], status: int
) -> None:
    """From anybody else it is a header like others."""
    gate = Gatekeeper(AccessRules.model_validate({"proxies": [MESH, INGRESS]}))
    assert outcome(gate, headers, peer) == status


def test_of_a_chain_of_certificates_the_one_our_proxy_saw_counts() -> None:
    """Proxies append; what a caller wrote itself stands before it."""
    gate = Gatekeeper(AccessRules.model_validate({"proxies": [MESH]}))
    chain = 'URI=spiffe://c/ns/kube-system/sa/admin,By=x;URI="spiffe://c/ns/shop/sa/web"'
    admitted = asyncio.run(gate.admit(Credentials("10.1.0.9", {"x-forwarded-client-cert": chain}), "leaving"))
    assert admitted.name == "spiffe://c/ns/shop/sa/web"


def test_nobody_is_everybodys_proxy() -> None:
    """A network of all addresses is a slip that would let anybody in."""
    with pytest.raises(ValueError, match="everybody"):
        AccessRules.model_validate({"proxies": [INGRESS | {"networks": ["0.0.0.0/0"]}]})


# -- rates


def test_a_principal_is_held_to_its_rate(served: Served, tmp_path: Path) -> None:
    """429 with the time to wait; another principal is not touched, nor is health."""
    text, rule = key("billing")
    other, others = key("web")
    limits = {"default": "1000/second", "principals": {"billing": "3/hour"}}
    client, rules = served(written(tmp_path / "access.yaml", keys=[rule, others], limits=limits))
    answers = [client.post(V1, ASKED, **bearer(text)) for _ in range(5)]
    assert [answer.status for answer in answers] == [200] * 3 + [429] * 2
    assert 1190 <= int(answers[-1].headers["retry-after"]) <= 1200
    assert client.post(V1, ASKED, **bearer(other)).status == 200
    assert client.get("/healthz").status == 200
    # Nor is touching the file a way to ask again.
    written(tmp_path / "access.yaml", keys=[others, rule], limits=limits)
    rules.look()
    assert client.post(V1, ASKED, **bearer(text)).status == 429


def test_guessing_is_slowed_down_by_address_and_hurts_nobody_else() -> None:
    """Whoever brings a good key from there is still let in; an address that the guesser invents does not help."""
    text, rule = key("billing")
    rules = AccessRules.model_validate(
        {"keys": [rule], "proxies": [{"networks": ["10.0.0.0/8"]}], "limits": {"failures": "5/hour"}}
    )
    gate = Gatekeeper(rules)
    wrong = bearer("argosy_billing_" + "A" * 43)
    assert [outcome(gate, wrong) for _ in range(7)] == [401] * 5 + [429] * 2
    assert outcome(gate, bearer(text)) == 200
    assert outcome(gate, wrong, "192.0.2.8") == 401
    spoofed = [outcome(gate, wrong | {"x-forwarded-for": f"198.51.100.{number}"}) for number in range(3)]
    assert spoofed == [429] * 3
    # Behind our proxy each caller has an address of its own, whatever it writes before what the proxy appends.
    forged = [outcome(gate, wrong | {"x-forwarded-for": f"203.0.113.{n}, 198.51.100.1"}, "10.0.0.1") for n in range(7)]
    assert forged == [401] * 5 + [429] * 2
    assert outcome(gate, wrong | {"x-forwarded-for": "198.51.100.2"}, "10.0.0.1") == 401


@given(
    st.integers(1, 20),
    st.sampled_from(["second", "minute", "hour"]),
    st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=200),
)
def test_never_more_than_the_rate_and_one_burst(count: int, unit: str, pauses: list[float]) -> None:
    """In any stretch of time; and whoever waits as long as it was told is let in."""
    clock = Clock(0.0)
    limiter, rate = LocalRateLimiter(clock), f"{count}/{unit}"
    allowed = access_rules.Rate(rate)
    admitted: list[float] = []
    for pause in pauses:
        clock.now += pause
        wait = limiter.hit_now("a", rate)
        if wait:
            assert limiter.spent("a", rate) == pytest.approx(wait)
            clock.now += wait * (1 + 1e-9)
            assert limiter.hit_now("a", rate) == 0
        admitted.append(clock.now)
    for first in range(0, len(admitted), 7):
        for last in range(first, len(admitted), 5):
            stretch = admitted[last] - admitted[first]
            assert last - first + 1 <= allowed.requests * (1 + stretch / allowed.seconds) + 1e-6


def test_names_that_callers_invent_fill_no_memory() -> None:
    """Subjects of tokens are as many as the provider likes."""
    limiter = LocalRateLimiter()
    for number in range(30_000):
        assert limiter.hit_now(f"company:{number}", "1/hour") == 0
    assert limiter.hit_now("company:29999", "1/hour") > 0
    assert len(limiter) <= 10_000


# -- what is counted, and the file


def test_decisions_are_counted() -> None:
    """Each by its outcome."""
    text, rule = key("billing")
    stray, other = key("other", "churn")
    old, expired = key("old", expires="2020-01-01T00:00:00Z")
    counted: list[Outcome] = []
    rules = AccessRules.model_validate(
        {"keys": [rule, other, expired], "limits": {"principals": {"billing": "1/hour"}}}
    )
    gate = Gatekeeper(rules, count=counted.append)
    for headers in ({}, bearer(text), bearer(text), bearer(stray), bearer(old), bearer("a.b.c")):
        outcome(gate, headers)
    assert counted == ["no credentials", "let in", "too often", "not allowed", "expired", "not authentic"]


SLIPS = {
    "keys: [{name: Billing, digest: x, models: ['*']}]": "keys[1].name",
    "issuers: [{name: a, issuer: i, audience: b, keys: 'http://example.com/x', algorithms: [RS256], models: ['*']}]": "keys",
    "issuers: [{name: a, issuer: i, audience: b, keys: '/x', algorithms: [RS256]}]": "models",
    "limits: {default: 100 per second}": "limits.default",
    "proxies: [{networks: [10.0.0.1/8]}]": "networks",
    "limit: {}": "did you mean",
}


@pytest.mark.parametrize("text", list(SLIPS))
def test_a_slip_in_the_file_is_named(tmp_path: Path, text: str) -> None:
    """File, line and setting; a server does not start with it."""
    path = tmp_path / "access.yaml"
    path.write_text(text)
    with pytest.raises(errors.Misconfigured) as refused:
        WatchedRules(AccessFile(path, JwtTokens))
    assert f"{path}:1" in str(refused.value)
    assert SLIPS[text].split("[")[0] in str(refused.value)


def test_at_once_lets_in_whom_asking_would() -> None:
    """Whoever is admitted without waiting is counted once, by rate and outcome; whoever is not, has to ask, and is not counted yet."""
    outcomes: list[Outcome] = []
    text, rule = key("billing")
    rules = AccessRules.model_validate(
        {"keys": [rule, key("other", "churn")[1]], "limits": {"principals": {"billing": "2/hour"}}}
    )
    keeper = Gatekeeper(rules, count=outcomes.append, local=LocalRateLimiter(Clock()))
    for wrong in (None, "Basic eDp5", f"Bearer {text}x", "Bearer a.b.c"):
        headers = {} if wrong is None else {"authorization": wrong}
        assert not keeper.admits_at_once(Credentials("192.0.2.1", headers), "leaving")
    good = Credentials("192.0.2.1", bearer(text))
    assert not keeper.admits_at_once(good, "churn")
    assert outcomes == []
    assert [keeper.admits_at_once(good, "leaving") for _ in range(3)] == [True, True, False]
    assert outcomes == ["let in"] * 2
    with pytest.raises(RequestProblem, match="may ask 2/hour"):
        asyncio.run(keeper.admit(good, "leaving"))


def test_the_hot_path_admits_as_the_common_road_does(predictor: Predictor, tmp_path: Path) -> None:
    """With a key at once, counted once however the request goes on; without one not at all."""
    text, rule = key("billing")
    path = written(tmp_path / "access.yaml", keys=[rule])
    outcomes: list[Outcome] = []
    rules = WatchedRules(AccessFile(path, JwtTokens), outcomes.append)
    app = build_app(predictor=predictor, served=ServedRelease("leaving", "x", 1, predictor.digest), access=rules)

    def ask(headers: list[tuple[bytes, bytes]], asked: Any) -> tuple[dict[str, Any], bytes | None]:
        scope: dict[str, Any] = {"method": "POST", "path": V1, "headers": headers, "client": ("192.0.2.1", 1)}
        scope["state"] = {}
        return scope, app.state.hot_path.answer([HotRequest(scope, json.dumps(asked).encode(), 0.0)])[0]

    proof = [(b"authorization", f"Bearer {text}".encode())]
    assert ask([], ASKED)[1] is None
    assert outcomes == []
    assert ask(proof, ASKED)[1] is not None
    scope, answer = ask(proof, {"instances": [{**ROW, "tenure": "x"}]})
    assert answer is None
    assert outcomes == ["let in"] * 2
    assert asyncio.run(exchange(app, "POST", V1, [b"{"], {}, scope["state"])).status == 400
    assert asyncio.run(exchange(app, "POST", V1, [b"{"], {})).status == 401
    assert outcomes == ["let in", "let in", "no credentials"]
