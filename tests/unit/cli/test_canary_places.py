"""Where canaries are looked at: one namespace for all environments, or one for each."""

import argparse
from typing import Any

import pytest

from argosy import wiring
from argosy.cli import canary_places


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The namespace and the environment of each question."""
    found: list[tuple[str, str]] = []

    class Rollouts:
        def __init__(self, namespace: str) -> None:
            self.namespace = namespace

        def of(self, environment: str) -> list[Any]:
            found.append((self.namespace, environment))
            return []

    monkeypatch.setattr(wiring, "rollouts", Rollouts)
    return found


def _parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    canary_places.add_argument(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--canaries", "models"], [("models", "staging"), ("models", "production")]),
        (["--canaries", "staging=s", "--canaries", "production=p"], [("s", "staging"), ("p", "production")]),
        (["--canaries", "production=p"], [("p", "production")]),
    ],
)
def test_each_environment_has_its_place(
    words: list[str], expected: list[tuple[str, str]], asked: list[tuple[str, str]]
) -> None:
    """An environment without one is not looked at."""
    of = canary_places.looked_at(_parsed(*words))
    assert of is not None
    assert [of(name) for name in ("staging", "production")] == [[], []]
    assert asked == expected


def test_no_place_is_no_cluster() -> None:
    """Nobody asked for one."""
    assert canary_places.looked_at(_parsed()) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [("prod=p", "'prod' is no environment; there are staging, production"), ("staging=", "names no namespace")],
)
def test_a_slip_is_said(text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what there is."""
    with pytest.raises(SystemExit):
        _parsed("--canaries", text)
    assert said in capsys.readouterr().err
