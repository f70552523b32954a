"""A step's environment is what its manifest gives it."""

from pathlib import Path

import pytest

from argosy import network
from argosy.engine.attempts import environment
from argosy.engine.attempts.environment import EnvironmentFailure, Sources
from argosy.engine.manifest.pod_model import Container

SOURCES = Sources({"map": {"a": "1", "b": "2"}}, {"key": {"word": "hidden"}})


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        pytest.param("$(A)-$(B)", "1-$(B)", id="known-and-unknown"),
        pytest.param("$$(A)", "$(A)", id="escaped"),
        pytest.param("$A ${A} $()", "$A ${A} $()", id="shell-is-not-ours"),
    ],
)
def test_expand(text: str, expanded: str) -> None:
    """Kubernetes' references and their escape."""
    assert environment.expand(text, {"A": "1"}) == expanded


def test_order_and_secrets() -> None:
    """env beats envFrom, later beats earlier, and what comes from a secret is not open."""
    container = {
        "envFrom": [{"configMapRef": {"name": "map"}}, {"prefix": "S_", "secretRef": {"name": "key"}}],
        "env": [
            {"name": "a", "value": "own"},
            {"name": "c", "value": "$(a)"},
            {"name": "d", "valueFrom": {"secretKeyRef": {"name": "key", "key": "word"}}},
        ],
    }
    found = environment.of_container(Container(container), SOURCES, {})
    assert found.variables == {"a": "own", "b": "2", "S_word": "hidden", "c": "own", "d": "hidden"}
    assert found.open == {"a": "own", "b": "2", "c": "own"}


@pytest.mark.parametrize(
    ("container", "message"),
    [
        pytest.param(
            {"envFrom": [{"configMapRef": {"name": "none"}}]}, "ConfigMap 'none' is not known", id="config-map"
        ),
        pytest.param(
            {"env": [{"name": "x", "valueFrom": {"secretKeyRef": {"name": "key", "key": "z"}}}]},
            "Secret 'key' has no key 'z'",
            id="secret-key",
        ),
        pytest.param(
            {"env": [{"name": "x", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}]},
            "'status.hostIP'",
            id="field",
        ),
    ],
)
def test_missing(container: dict[str, object], message: str) -> None:
    """A reference that leads nowhere is named."""
    with pytest.raises(EnvironmentFailure, match=message):
        environment.of_container(Container(container), SOURCES, {})


def test_of_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this machine's environment a step gets next to nothing."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.delenv("TZ", raising=False)
    for name in (*network.PROXIES, *network.CERTIFICATES):
        monkeypatch.delenv(name, raising=False)
    assert {name for name in environment.of_machine() if not name.startswith(environment.INDEXES)} == {
        "PATH",
        "LANG",
        "PYTHONHASHSEED",
    }


@pytest.mark.parametrize(
    "name",
    [
        "HTTPS_PROXY",
        "https_proxy",
        "NO_PROXY",
        "no_proxy",
        "ALL_PROXY",
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "AWS_CA_BUNDLE",
        "GIT_SSL_CAINFO",
        "ARGOSY_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "PIP_INDEX_URL",
        "PIP_CERT",
    ],
)
def test_the_way_out_of_the_network_is_the_machines(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies and certificates, in both cases: without them a step reaches nothing where its user reaches everything."""
    monkeypatch.setenv(name, "/somewhere")
    assert environment.of_machine()[name] == "/somewhere"
    assert (Path("/somewhere") in environment.certificates()) == (name in network.CERTIFICATES)
