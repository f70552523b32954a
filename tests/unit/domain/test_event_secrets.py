"""The keys that sources of events name, and what is said of those that hold nothing."""

from collections.abc import Sequence
from typing import Any

import pytest

from argosy.domain import event_secrets
from argosy.domain.diagnosis import CheckState
from argosy.domain.event_secrets import NamedKey

SECRET = {"name": "argosy-events", "key": "push"}


def source(**kinds: Any) -> dict[str, Any]:
    """An EventSource."""
    return {"metadata": {"name": "argosy-push"}, "spec": {"eventBusName": "argosy", **kinds}}


PUSH = source(github={"churn": {"webhookSecret": SECRET}, "flight-delay": {"webhookSecret": SECRET}})


def test_whatever_names_a_key() -> None:
    """However deep it stands, once for each field; a ConfigMap's key is none, nor what only Argo Events' pod reads."""
    sources = [
        source(
            template={"container": {"env": [{"valueFrom": {"secretKeyRef": {"name": "pod", "key": "k"}}}]}},
            minio={"churn": {"bucket": {"name": "b"}, "accessKey": {"name": "store", "key": "a"}}},
            kafka={"x": {"tls": {"caCertSecret": {"name": "ca", "key": "pem", "optional": False}}}},
            generic={"x": [{"valuesConfigMapKeyRef": {"name": "map", "key": "k"}}]},
        ),
        PUSH,
    ]
    assert list(event_secrets.keys(sources)) == [
        NamedKey("argosy-push", "github", "webhookSecret", "argosy-events", "push"),
        NamedKey("argosy-push", "kafka", "caCertSecret", "ca", "pem"),
        NamedKey("argosy-push", "minio", "accessKey", "store", "a"),
    ]


@pytest.mark.parametrize(
    ("kinds", "held", "said"),
    [
        pytest.param(PUSH["spec"], ["alertmanager"], "signatures are not checked", id="push-empty"),
        pytest.param({"gitlab": {"m": {"secretToken": SECRET}}}, [], "signatures are not checked", id="gitlab"),
        pytest.param({"webhook": {"a": {"authSecret": SECRET}}}, [], "nothing that it sends or asks", id="token-empty"),
        pytest.param(PUSH["spec"], None, "the Secret argosy-events, which is not there", id="no-secret"),
    ],
)
def test_a_key_that_holds_nothing_is_wrong(kinds: dict[str, Any], held: Sequence[str] | None, said: str) -> None:
    """It is said what then passes, or does not, once a source, with what to do."""
    (found,) = event_secrets.results([source(**kinds)], lambda _: held)
    assert found.state is CheckState.WRONG
    assert said in found.said
    assert "delete the pods of that EventSource" in found.fix


def test_where_all_is_well_or_unseen() -> None:
    """No source is no finding; one that may not be listed fails nothing."""
    assert event_secrets.results([], lambda _: None) == []
    (unseen,) = event_secrets.results(None, lambda _: None)
    (well,) = event_secrets.results([PUSH], lambda _: ["push"])
    assert (unseen.state, well.state) == (CheckState.UNKNOWN, CheckState.OK)
    assert "argosy-events/push" in well.said
