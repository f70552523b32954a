"""The forge on GitHub against answers that GitHub itself gave once, as the npm package ``@octokit/fixtures`` has them recorded.

Few of its scenarios are calls of ours: it opens and merges no pull request, and makes no tree and no commit. Those that fit run here, from
the folder that GITHUB_FIXTURES names (``scenarios/api.github.com`` of the package); without one the tests skip by its name.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.adapters.hosted_forge import github
from argosy.adapters.hosted_forge.github import GithubHost
from kit.web_server import Answer, Web, web_server

SHA = f"{1:040}"


def recorded(scenario: str) -> list[dict[str, Any]]:
    """The questions and answers of *scenario*, in order."""
    place = os.environ.get("GITHUB_FIXTURES")
    if not place:
        pytest.skip("GITHUB_FIXTURES names no folder scenarios/api.github.com")
    found: list[dict[str, Any]] = json.loads((Path(place) / scenario / "normalized-fixture.json").read_text())
    return found


def answer(exchange: dict[str, Any]) -> Answer:
    """What GitHub said."""
    return Answer(json.dumps(exchange["response"]).encode(), status=exchange["status"])


def host(server: Web, repository: str) -> GithubHost:
    """The adapter."""
    return github.of_token(f"octokit-fixture-org/{repository}", "secret-token", api=server.url, patience=0.0)


def test_what_the_account_may_do() -> None:
    """As the repository says it."""
    (exchange,) = recorded("get-repository")
    with web_server({exchange["path"]: answer(exchange)}) as server:
        assert host(server, "hello-world").may_push() is exchange["response"]["permissions"]["push"]


def test_a_status() -> None:
    """What we send has the fields that were sent then, and what was answered is understood."""
    exchange = recorded("create-status")[1]
    commit = f"/repos/octokit-fixture-org/create-status/commits/{SHA}"
    # Which commit it is was not recorded; PyGithub asks before it says something of it.
    known = Answer(json.dumps({"sha": SHA}).encode())
    with web_server({exchange["path"]: answer(exchange), commit: known}) as server:
        host(server, "create-status").mark(
            SHA, "example", "success", "create-status success test", "https://example.com"
        )
        sent = json.loads(server.asked[-1].body)
    assert sent == exchange["body"] | {"context": "example"}


def test_what_github_says_of_what_it_does_not_take() -> None:
    """Its list of errors is in our line, field by field where it says no more."""
    (exchange,) = recorded("errors")
    asked = "/repos/octokit-fixture-org/errors/branches/main"
    with (
        web_server({asked: answer(exchange)}) as server,
        pytest.raises(errors.Misconfigured) as refused,
    ):
        host(server, "errors").main()
    assert "GitHub refuses: Validation Failed (Label color invalid) [422]. " in str(refused.value)
    assert str(refused.value).count("\n") == 0
