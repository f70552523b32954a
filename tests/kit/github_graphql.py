"""The part of GitHub's GraphQL that the adapter uses, over what the stand-in knows: a schema of its own words, run by graphql-core.

The schema has the names and types of GitHub's for the fields that are asked for, and none besides: a question that GitHub would not
understand is not understood here. It is itself held against GitHub's whole schema where that is there (``tests/contract``).
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from graphql import GraphQLError, GraphQLSchema, build_schema, graphql_sync, parse, validate
from graphql.utilities import find_breaking_changes

if TYPE_CHECKING:
    from kit.fake_github import Hosted

SCHEMA = build_schema("""
scalar GitObjectID
scalar URI
enum PullRequestReviewDecision { APPROVED CHANGES_REQUESTED REVIEW_REQUIRED }
enum PullRequestReviewState { APPROVED CHANGES_REQUESTED COMMENTED DISMISSED PENDING }
enum PullRequestMergeMethod { MERGE REBASE SQUASH }
interface Actor { login: String! avatarUrl(size: Int): URI! resourcePath: URI! url: URI! }
type User implements Actor { login: String! avatarUrl(size: Int): URI! resourcePath: URI! url: URI! }
type Organization { login: String! }
type Team { slug: String! organization: Organization! }
type TeamConnection { nodes: [Team] }
type Commit { oid: GitObjectID! }
type PullRequestReview {
  state: PullRequestReviewState!
  author: Actor
  commit: Commit
  onBehalfOf(first: Int): TeamConnection!
}
type PullRequestReviewConnection { nodes: [PullRequestReview] }
type StatusContext { context: String! isRequired(pullRequestNumber: Int): Boolean! }
type CheckRun { name: String! isRequired(pullRequestNumber: Int): Boolean! }
union StatusCheckRollupContext = CheckRun | StatusContext
type StatusCheckRollupContextConnection { nodes: [StatusCheckRollupContext] }
type StatusCheckRollup { contexts(first: Int): StatusCheckRollupContextConnection! }
type PullRequest {
  reviewDecision: PullRequestReviewDecision
  latestOpinionatedReviews(first: Int, writersOnly: Boolean): PullRequestReviewConnection
  statusCheckRollup: StatusCheckRollup
}
interface GitObject { oid: GitObjectID! }
type Blob implements GitObject { oid: GitObjectID! text: String }
type Repository {
  pullRequest(number: Int!): PullRequest
  object(expression: String, oid: GitObjectID): GitObject
}
type Query { repository(owner: String!, name: String!): Repository }
input EnablePullRequestAutoMergeInput {
  authorEmail: String
  clientMutationId: String
  commitBody: String
  commitHeadline: String
  expectedHeadOid: GitObjectID
  mergeMethod: PullRequestMergeMethod
  pullRequestId: ID!
}
input DisablePullRequestAutoMergeInput { clientMutationId: String pullRequestId: ID! }
type EnablePullRequestAutoMergePayload { actor: Actor clientMutationId: String }
type DisablePullRequestAutoMergePayload { actor: Actor clientMutationId: String }
type Mutation {
  enablePullRequestAutoMerge(input: EnablePullRequestAutoMergeInput!): EnablePullRequestAutoMergePayload
  disablePullRequestAutoMerge(input: DisablePullRequestAutoMergeInput!): DisablePullRequestAutoMergePayload
}
""")


def published() -> GraphQLSchema:
    """GitHub's own schema, from the file that GITHUB_GRAPHQL names (``schema.graphql`` of the npm package ``@octokit/graphql-schema``)."""
    place = os.environ.get("GITHUB_GRAPHQL")
    if not place:
        pytest.skip("GITHUB_GRAPHQL names no schema.graphql")
    return build_schema(Path(place).read_text(encoding="utf-8"), assume_valid_sdl=True)


def complaints(schema: GraphQLSchema, query: str) -> list[str]:
    """Why *schema* does not understand *query*."""
    return [error.message for error in validate(schema, parse(query))]


def deviations(schema: GraphQLSchema) -> list[str]:
    """What our few words say otherwise than *schema*: whoever moved from ours to that one would miss it."""
    return [change.description for change in find_breaking_changes(SCHEMA, schema)]


def answer(store: "Hosted", given: dict[str, Any]) -> dict[str, Any]:
    """The body of the answer to a question, which may be of errors alone."""
    done = graphql_sync(SCHEMA, given["query"], root_value=Root(store), variable_values=given.get("variables"))
    return {"data": done.data, **({"errors": [_said(error) for error in done.errors]} if done.errors else {})}


def _said(error: GraphQLError) -> dict[str, Any]:
    return {"type": (error.extensions or {}).get("type", "UNPROCESSABLE"), "path": error.path, "message": error.message}


class Root:
    """What a question begins at."""

    def __init__(self, store: "Hosted") -> None:
        self._store = store

    def repository(self, _info: object, owner: str, name: str) -> dict[str, Any] | None:
        """The one that there is."""
        if (owner, name) != ("owner", "name"):
            return None
        return {
            "pullRequest": lambda _info, number: _pull(self._store, number),
            "object": lambda _info, oid: _object(self._store, oid),
        }

    def enablePullRequestAutoMerge(self, _info: object, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802 - GitHub's words
        """Refused, as there, where it is not allowed, for another commit, and where nothing is left to wait for."""
        number, pull = _named(self._store, input)
        if not self._store.allows_auto_merge:
            raise GraphQLError("Pull request Auto merge is not allowed for this repository")
        if input.get("expectedHeadOid") not in {None, self._store.refs[f"heads/{pull['branch']}"]}:
            raise GraphQLError("The expected head OID does not match")
        if not unkept(self._store, number):
            raise GraphQLError("Pull request Pull request is in clean status")
        pull["auto"] = {
            "enabled_by": {"login": "argosy-bot"},
            "merge_method": input.get("mergeMethod", "MERGE").lower(),
            "commit_title": input.get("commitHeadline", ""),
            "commit_message": input.get("commitBody", ""),
        }
        return {}

    def disablePullRequestAutoMerge(self, _info: object, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802 - GitHub's words
        """Refused, as there, where nothing was left to it."""
        _, pull = _named(self._store, input)
        if not pull.get("auto"):
            raise GraphQLError("Can't disable auto-merge for this pull request")
        pull["auto"] = None
        return {}


def unkept(store: "Hosted", number: int) -> str:
    """Which of main's rules a pull request does not keep; empty where it keeps all."""
    pull = store.pulls[number]
    states = store.statuses.get(store.refs[f"heads/{pull['branch']}"], {})
    if waiting := [name for name in store.required if states.get(name) != "success"]:
        return f"Required status check {waiting[0]!r} is expected."
    if _decision(store, number) in {"REVIEW_REQUIRED", "CHANGES_REQUESTED"}:
        return f"At least {store.approvals} approving review is required by reviewers with write access."
    return ""


def _decision(store: "Hosted", number: int) -> str | None:
    """GitHub's word for the reviews; an approval of an earlier commit counts, unless a rule dismisses it."""
    if not store.approvals:
        return None
    states = [one["state"] for one in _newest(store, number)]
    if "CHANGES_REQUESTED" in states:
        return "CHANGES_REQUESTED"
    return "APPROVED" if states.count("APPROVED") >= store.approvals else "REVIEW_REQUIRED"


def _newest(store: "Hosted", number: int) -> list[dict[str, str]]:
    return list({one["login"]: one for one in store.reviews.get(number, ())}.values())


def _named(store: "Hosted", given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    number = int(given["pullRequestId"].removeprefix("PR_"))
    return number, store.pulls[number]


def _object(store: "Hosted", oid: str) -> dict[str, Any] | None:
    """A blob; its text, where it is one."""
    if oid not in store.blobs:
        return None
    try:
        text = store.blobs[oid].decode()
    except UnicodeDecodeError:
        text = None
    return {"__typename": "Blob", "oid": oid, "text": text}


def _pull(store: "Hosted", number: int) -> dict[str, Any] | None:
    if number not in store.pulls:
        raise GraphQLError(
            f"Could not resolve to a PullRequest with the number of {number}.", extensions={"type": "NOT_FOUND"}
        )
    head = store.refs[f"heads/{store.pulls[number]['branch']}"]
    reviews = [
        {
            "state": one["state"],
            "author": {"__typename": "User", "login": one["login"]},
            "commit": {"oid": one["oid"]},
            "onBehalfOf": {
                "nodes": [
                    {"slug": one["team"].partition("/")[2], "organization": {"login": one["team"].partition("/")[0]}}
                ]
                if "team" in one
                else []
            },
        }
        for one in _newest(store, number)
    ]
    contexts = [
        {"__typename": "StatusContext", "context": name, "isRequired": name in store.required}
        for name in store.statuses.get(head, {})
    ]
    return {
        "reviewDecision": _decision(store, number),
        "latestOpinionatedReviews": {"nodes": reviews},
        "statusCheckRollup": {"contexts": {"nodes": contexts}} if contexts else None,
    }
