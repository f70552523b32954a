"""A stand-in for the part of GitHub's REST interface that the adapter uses: a small HTTP server that keeps its state in memory.

It answers as GitHub's documentation says, keeps the rules that matter (a ref is made once, a branch has one open pull request, a merge
that conflicts is refused) and fails on demand, also after the effect. What GitHub does beyond that, it does not know.
"""

import base64
import difflib
import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from kit import github_graphql
from kit.github_description import Exchange

TIME = "2026-01-01T00:00:00Z"
ACCOUNT = "argosy-bot"
TOO_MANY = 429
Answer = tuple[int, Any]


class HungUp(Exception):
    """No answer: the connection ends."""


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Commit:
    """A commit: its files by path, as blob ids."""

    files: Mapping[str, str]
    parents: tuple[str, ...]
    message: str
    modes: Mapping[str, str] = field(default_factory=dict)
    """Of the files that are no plain ones."""


@dataclass
class Hosted:
    """What GitHub knows of one repository."""

    api: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    trees: dict[str, dict[str, str]] = field(default_factory=dict)
    modes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Of trees: the files that are no plain ones."""
    tree_limit: int = 100_000
    """Entries of a tree that are listed at most."""
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[str]] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)
    """Who may be asked for a review, teams among them."""
    reviewers: dict[int, list[str]] = field(default_factory=dict)
    statuses: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of commits: states by name."""
    approvals: int = 0
    """Of main's rules: so many reviewers must approve."""
    required: tuple[str, ...] = ()
    """Of main's rules: the statuses that must be green."""
    reviews: dict[int, list[dict[str, str]]] = field(default_factory=dict)
    """Of pull requests: ``login``, ``state`` and ``oid``, the oldest first."""
    allows_auto_merge: bool = True

    def blob(self, content: bytes) -> str:
        """Keep *content*."""
        sha = hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()
        self.blobs[sha] = content
        return sha

    def commit(
        self, files: Mapping[str, str], parents: tuple[str, ...], message: str, modes: Mapping[str, str] | None = None
    ) -> str:
        """Keep a commit."""
        made = Commit(dict(files), parents, message, dict(modes or {}))
        sha = hashlib.sha1(f"{made}{len(self.commits)}".encode(), usedforsecurity=False).hexdigest()
        self.commits[sha] = made
        return sha

    def push(self, changes: Mapping[str, bytes | None]) -> None:
        """Commit *changes* to main, as a person would."""
        main = self.refs.get("heads/main")
        files = dict(self.commits[main].files) if main else {}
        for path, content in changes.items():
            files.pop(path, None)
            if content is not None:
                files[path] = self.blob(content)
        self.refs["heads/main"] = self.commit(files, (main,) if main else (), "By hand")

    def history(self, sha: str) -> list[str]:
        """The commit *sha* and all before it, every commit after those that follow it."""
        waiting, found = [sha], list[str]()
        while waiting:
            commit = waiting.pop(0)
            found = [one for one in found if one != commit] + [commit]
            waiting += self.commits[commit].parents
        return found

    def merge_base(self, one: str, other: str) -> str:
        """The newest commit in the history of both."""
        ours = set(self.history(one))
        base = next((commit for commit in self.history(other) if commit in ours), None)
        if base is None:
            raise Refused(404, f"No common ancestor between {one} and {other}.")
        return base

    def resolve(self, name: str) -> str:
        """The commit that *name* is."""
        sha = self.refs.get(f"heads/{name}", name)
        if sha not in self.commits:
            raise Refused(404, f"No commit found for the ref {name}")
        return sha


def get_repository(_store: Hosted) -> Answer:
    """GET the repository"""
    return 200, {"full_name": "owner/name", "permissions": {"pull": True, "push": True, "admin": False}}


def get_branch(store: Hosted, name: str) -> Answer:
    """GET /branches/{branch}"""
    return 200, {"name": name, "commit": {"sha": store.resolve(name)}}


def get_ref(store: Hosted, name: str) -> Answer:
    """GET /git/ref/{ref}"""
    return 200, _ref(store, name)


def create_ref(store: Hosted, given: dict[str, Any]) -> Answer:
    """POST /git/refs"""
    name = given["ref"].removeprefix("refs/")
    if name in store.refs:
        raise Refused(422, "Reference already exists")
    store.refs[name] = store.resolve(given["sha"])
    return 201, _ref(store, name)


def update_ref(store: Hosted, name: str, given: dict[str, Any]) -> Answer:
    """PATCH /git/refs/{ref}"""
    if store.refs[name] not in store.commits[given["sha"]].parents and not given.get("force"):
        raise Refused(422, "Update is not a fast forward")
    store.refs[name] = given["sha"]
    return 200, _ref(store, name)


def _ref(store: Hosted, name: str) -> dict[str, Any]:
    if name not in store.refs:
        raise Refused(404, "Not Found")
    return {
        "ref": f"refs/{name}",
        "url": f"{store.api}/git/refs/{name}",
        "object": {"sha": store.refs[name], "type": "commit"},
    }


def create_blob(store: Hosted, given: dict[str, Any]) -> Answer:
    """POST /git/blobs"""
    content = base64.b64decode(given["content"]) if given["encoding"] == "base64" else given["content"].encode()
    return 201, {"sha": store.blob(content)}


def get_blob(store: Hosted, sha: str) -> Answer:
    """GET /git/blobs/{sha}"""
    return 200, {"sha": sha, "encoding": "base64", "content": base64.encodebytes(store.blobs[sha]).decode()}


def create_tree(store: Hosted, given: dict[str, Any]) -> Answer:
    """POST /git/trees"""
    files = dict(store.trees[given["base_tree"]])
    for entry in given["tree"]:
        if entry["sha"] is None and entry["path"] not in files:
            raise Refused(422, "GitRPC::BadObjectState")
        files.pop(entry["path"], None)
        if entry["sha"] is not None:
            files[entry["path"]] = entry["sha"]
    return 201, {"sha": _tree(store, files), "tree": []}


def _tree(store: Hosted, files: Mapping[str, str], modes: Mapping[str, str] | None = None) -> str:
    content = f"tree{sorted(files.items())}{sorted((modes or {}).items())}"
    sha = hashlib.sha1(content.encode(), usedforsecurity=False).hexdigest()
    store.trees[sha], store.modes[sha] = dict(files), dict(modes or {})
    return sha


def get_tree(store: Hosted, sha: str, recursive: str = "") -> Answer:
    """GET /git/trees/{sha}: one level, or everything up to a limit beyond which it is cut off and says so."""
    files, modes = store.trees[sha], store.modes.get(sha, {})
    listed = [_leaf(path, modes.get(path, "100644"), blob) for path, blob in sorted(files.items())]
    folders = {path[:end] for path in files for end in range(len(path)) if path[end] == "/"}
    listed += [{"path": path, "mode": "040000", "type": "tree", "sha": _tree(store, {})} for path in sorted(folders)]
    wanted = listed if recursive else [entry for entry in listed if "/" not in entry["path"]]
    return 200, {"sha": sha, "tree": wanted[: store.tree_limit], "truncated": len(wanted) > store.tree_limit}


def _leaf(path: str, mode: str, sha: str) -> dict[str, Any]:
    return {"path": path, "mode": mode, "type": "commit" if mode == "160000" else "blob", "sha": sha}


def compare(store: Hosted, base: str, head: str) -> Answer:
    """GET /compare/{base}...{head}: the first 250 commits, and the first 300 files of all; a file that was moved is one entry."""
    ours, theirs = store.resolve(base), store.resolve(head)
    merge_base = store.merge_base(ours, theirs)
    new = [sha for sha in store.history(theirs) if sha not in store.history(ours)][::-1]
    behind = [sha for sha in store.history(ours) if sha not in store.history(theirs)]
    status = {(True, False): "ahead", (False, True): "behind", (True, True): "diverged"}
    return 200, {
        "status": status.get((bool(new), bool(behind)), "identical"),
        "ahead_by": len(new),
        "behind_by": len(behind),
        "total_commits": len(new),
        "merge_base_commit": {"sha": merge_base},
        "commits": [{"sha": sha} for sha in new[:250]],
        "files": _listed_changes(store, merge_base, theirs)[:300],
    }


def _listed_changes(store: Hosted, before: str, after: str) -> list[dict[str, Any]]:
    """What GitHub lists of the difference: whether a file is a link or may be executed is not in it."""
    old, new = store.commits[before].files, store.commits[after].files
    gone = {sha: path for path, sha in old.items() if path not in new}
    listed = []
    for path in sorted({*old, *new}):
        if old.get(path) == new.get(path):
            continue
        entry = {"filename": path, "sha": new.get(path, old.get(path)), "changes": 1}
        entry["patch"] = _patch(store, old.get(path), new.get(path))
        if path in new and path not in old and new[path] in gone:
            entry |= {"status": "renamed", "previous_filename": gone[new[path]]}
        elif path not in new:
            if path in gone.values() and old[path] in new.values():
                continue  # listed where it went
            entry["status"] = "removed"
        else:
            entry["status"] = "modified" if path in old else "added"
        listed.append(entry)
    return listed


def create_commit(store: Hosted, given: dict[str, Any]) -> Answer:
    """POST /git/commits"""
    sha = store.commit(store.trees[given["tree"]], tuple(given["parents"]), given["message"])
    return get_commit(store, sha)[0] + 1, get_commit(store, sha)[1]


def get_commit(store: Hosted, sha: str) -> Answer:
    """GET /git/commits/{sha}"""
    commit = store.commits[store.resolve(sha)]
    parents = [{"sha": parent} for parent in commit.parents]
    return 200, {
        "sha": sha,
        "tree": {"sha": _tree(store, commit.files, commit.modes)},
        "parents": parents,
        "message": commit.message,
    }


def get_contents(store: Hosted, path: str, ref: str) -> Answer:
    """GET /contents/{path}"""
    files = store.commits[store.resolve(ref)].files
    if path in files:
        return 200, {
            "type": "file",
            "path": path,
            "name": path.rpartition("/")[2],
            "sha": files[path],
            "size": 1,
            "encoding": "none",
        }
    names = {name[len(path) + 1 :].partition("/")[0::2] for name in files if name.startswith(f"{path}/")}
    if not names:
        raise Refused(404, "Not Found")
    return 200, [
        {
            "type": "dir" if rest else "file",
            "path": f"{path}/{name}",
            "name": name,
            "sha": files.get(f"{path}/{name}", "0"),
        }
        for name, rest in sorted(names)
    ]


def list_commits(store: Hosted, sha: str, path: str, **_: str) -> Answer:
    """GET /commits, of one path: those that changed it, newest first, along the first parent."""
    found = []
    commit: str | None = store.resolve(sha)
    while commit:
        one = store.commits[commit]
        parent = one.parents[0] if one.parents else None
        if one.files.get(path) != (store.commits[parent].files.get(path) if parent else None):
            found.append({"sha": commit})
        commit = parent
    return 200, found


def list_pulls(store: Hosted, state: str = "open", head: str = "", **_: str) -> Answer:
    """GET /pulls"""
    found = [_listed(store, number) for number in sorted(store.pulls)]
    return 200, [
        pull for pull in found if state in {"all", pull["state"]} and (not head or pull["head"]["label"] == head)
    ]


def _listed(store: Hosted, number: int) -> dict[str, Any]:
    """A pull request in short, without who merged it."""
    return {name: value for name, value in _pull(store, number).items() if name != "merged_by"}


def create_pull(store: Hosted, given: dict[str, Any]) -> Answer:
    """POST /pulls"""
    if any(pull["branch"] == given["head"] and pull["state"] == "open" for pull in store.pulls.values()):
        raise Refused(422, f"A pull request already exists for owner:{given['head']}.")
    if f"heads/{given['head']}" not in store.refs:
        raise Refused(422, "Validation Failed")
    if store.refs[f"heads/{given['head']}"] in store.history(store.refs["heads/main"]):
        raise Refused(422, f"No commits between main and {given['head']}")
    number = len(store.pulls) + 1
    store.pulls[number] = {
        "branch": given["head"],
        "title": given["title"],
        "body": given["body"],
        "state": "open",
        "labels": [],
        "merge": None,
        "owner": "owner",
    }
    return 201, _pull(store, number)


def get_pull(store: Hosted, number: str) -> Answer:
    """GET /pulls/{number}"""
    return 200, _pull(store, int(number))


def edit_pull(store: Hosted, number: str, given: dict[str, Any]) -> Answer:
    """PATCH /pulls/{number}"""
    pull = store.pulls[int(number)]
    if pull["merge"]:
        raise Refused(422, "Cannot change a merged pull request")
    pull.update(given)
    return 200, _pull(store, int(number))


def add_labels(store: Hosted, number: str, given: Any) -> Answer:
    """POST /issues/{number}/labels"""
    names = given if isinstance(given, list) else given["labels"]
    labels = store.pulls[int(number)]["labels"]
    labels += [name for name in names if name not in labels]
    return 200, [{"name": name} for name in labels]


def comment(store: Hosted, number: str, given: dict[str, Any]) -> Answer:
    """POST /issues/{number}/comments"""
    store.comments.setdefault(int(number), []).append(given["body"])
    return 201, {"body": given["body"]}


def get_repository_commit(store: Hosted, sha: str) -> Answer:
    """GET /commits/{ref}"""
    place = f"{store.api}/commits/{store.resolve(sha)}"
    return 200, {"sha": sha, "url": place}


def create_status(store: Hosted, sha: str, given: dict[str, Any]) -> Answer:
    """POST /statuses/{sha}"""
    if len(given["description"]) > 140:
        raise Refused(422, "Validation Failed")
    store.statuses.setdefault(store.resolve(sha), {})[given["context"]] = given["state"]
    settle(store)
    return 201, {"state": given["state"], "context": given["context"], "description": given["description"]}


def list_comments(store: Hosted, number: str, **_: str) -> Answer:
    """GET /issues/{number}/comments"""
    texts = store.comments.get(int(number), [])
    return 200, [{"id": int(number) * 1000 + at, "body": text} for at, text in enumerate(texts)]


def get_comment(store: Hosted, known: str) -> Answer:
    """GET /issues/comments/{id}"""
    number, at = divmod(int(known), 1000)
    place = f"{store.api}/issues/comments/{known}"
    return 200, {"id": int(known), "url": place, "body": store.comments[number][at]}


def edit_comment(store: Hosted, known: str, given: dict[str, Any]) -> Answer:
    """PATCH /issues/comments/{id}"""
    number, at = divmod(int(known), 1000)
    store.comments[number][at] = given["body"]
    return get_comment(store, known)


def ask_reviewers(store: Hosted, number: str, given: dict[str, Any]) -> Answer:
    """POST /pulls/{number}/requested_reviewers"""
    asked = [*given.get("reviewers", ()), *given.get("team_reviewers", ())]
    if unknown := [name for name in asked if name not in store.people]:
        raise Refused(422, f"Reviews may only be requested from collaborators. {unknown[0]} is none.")
    store.reviewers.setdefault(int(number), []).extend(asked)
    return 201, _listed(store, int(number))


def merge(store: Hosted, number: str, given: dict[str, Any]) -> Answer:
    """PUT /pulls/{number}/merge"""
    pull = store.pulls[int(number)]
    head, main = store.refs[f"heads/{pull['branch']}"], store.refs["heads/main"]
    if pull["state"] != "open":
        raise Refused(405, "Pull Request is not mergeable")
    if given.get("sha") not in {None, head}:
        raise Refused(409, "Head branch was modified. Review and try the merge again.")
    if unkept := github_graphql.unkept(store, int(number)):
        raise Refused(405, f"Repository rule violations found: {unkept}")
    files = _merged(store, head, main)
    message = f"{given['commit_title']}\n\n{given['commit_message']}"
    store.refs["heads/main"] = store.commit(files, (main, head), message)
    pull.update(state="closed", merge={"before": main, "head": head, "commit": store.refs["heads/main"]})
    return 200, {"sha": store.refs["heads/main"], "merged": True, "message": "Pull Request successfully merged"}


def review(store: Hosted, number: int, login: str, state: str) -> None:
    """Have *login* review a pull request as it is now: ``APPROVED`` or ``CHANGES_REQUESTED``."""
    oid = store.refs[f"heads/{store.pulls[number]['branch']}"]
    store.reviews.setdefault(number, []).append({"login": login, "state": state, "oid": oid})
    settle(store)


def settle(store: Hosted) -> None:
    """Merge what was left to it and may be merged by now."""
    for number, pull in store.pulls.items():
        if pull["state"] == "open" and pull.get("auto") and not github_graphql.unkept(store, number):
            texts = {"commit_title": pull["auto"]["commit_title"], "commit_message": pull["auto"]["commit_message"]}
            merge(store, str(number), texts)


def graphql(store: Hosted, given: dict[str, Any]) -> Answer:
    """POST /graphql"""
    return 200, github_graphql.answer(store, given)


def _merged(store: Hosted, head: str, main: str) -> dict[str, str]:
    base, ours, theirs = (store.commits[sha].files for sha in (store.merge_base(main, head), main, head))
    changed = {path for path in {*base, *theirs} if base.get(path) != theirs.get(path)}
    merged = {path: sha for path, sha in ours.items() if path not in changed}
    for path in changed:
        sides = [files.get(path) for files in (base, ours, theirs)]
        if sides[1] in (sides[0], sides[2]):
            merged |= {path: theirs[path]} if path in theirs else {}
        else:
            merged[path] = _merged_lines(store, sides)
    return merged


def _merged_lines(store: Hosted, sides: list[str | None]) -> str:
    """Both changes of a file that keeps its lines, as git merges it: where they touch different lines, one of each."""
    lines = [store.blobs[sha].splitlines(keepends=True) if sha else [] for sha in sides]
    if len({len(one) for one in lines}) != 1:
        raise Refused(405, "Merge conflict")
    merged = []
    for base, ours, theirs in zip(*lines, strict=True):
        if base not in (ours, theirs):
            raise Refused(405, "Merge conflict")
        merged.append(theirs if base == ours else ours)
    return store.blob(b"".join(merged))


def pull_files(store: Hosted, number: str) -> Answer:
    """GET /pulls/{number}/files"""
    pull = _pull(store, int(number))
    base, head = pull["base"]["sha"], pull["head"]["sha"]
    return 200, _listed_changes(store, store.merge_base(base, head), head)


def _patch(store: Hosted, before: str | None, after: str | None) -> str:
    old, new = (store.blobs[sha].decode(errors="replace").splitlines() if sha else [] for sha in (before, after))
    return "\n".join(list(difflib.unified_diff(old, new, lineterm=""))[2:])


def _pull(store: Hosted, number: int) -> dict[str, Any]:
    if number not in store.pulls:
        raise Refused(404, "Not Found")
    pull = store.pulls[number]
    merge = pull["merge"]
    ended = TIME if pull["state"] == "closed" else None
    return {
        "number": number,
        "node_id": f"PR_{number}",
        "auto_merge": pull.get("auto"),
        "url": f"{store.api}/pulls/{number}",
        "issue_url": f"{store.api}/issues/{number}",
        "html_url": f"https://github.example/pull/{number}",
        "title": pull["title"],
        "body": pull["body"],
        "state": pull["state"],
        "created_at": TIME,
        "closed_at": ended,
        "merged_at": ended if pull["merge"] else None,
        "merge_commit_sha": merge["commit"] if merge else None,
        "merged_by": {"login": ACCOUNT} if pull["merge"] else None,
        "head": {
            "ref": pull["branch"],
            "label": f"{pull['owner']}:{pull['branch']}",
            # A merged pull request keeps its head, whatever is pushed to its branch afterwards.
            "sha": merge["head"] if merge else store.refs[f"heads/{pull['branch']}"],
            "repo": {"full_name": f"{pull['owner']}/name"},
        },
        "base": {
            "ref": "main",
            "sha": merge["before"] if merge else store.refs["heads/main"],
            "repo": {"full_name": "owner/name"},
        },
        "labels": [{"name": name} for name in pull["labels"]],
    }


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", r"", get_repository),
    ("POST", r"/graphql", graphql),
    ("GET", r"/branches/(.+)", get_branch),
    ("GET", r"/git/ref/(.+)", get_ref),
    ("POST", r"/git/refs", create_ref),
    ("PATCH", r"/git/refs/(.+)", update_ref),
    ("POST", r"/git/blobs", create_blob),
    ("GET", r"/git/blobs/(\w+)", get_blob),
    ("GET", r"/git/trees/(\w+)", get_tree),
    ("POST", r"/git/trees", create_tree),
    ("GET", r"/compare/(.+?)\.\.\.(.+)", compare),
    ("POST", r"/git/commits", create_commit),
    ("GET", r"/git/commits/(\w+)", get_commit),
    ("GET", r"/contents/(.+)", get_contents),
    ("GET", r"/commits", list_commits),
    ("GET", r"/pulls", list_pulls),
    ("POST", r"/pulls", create_pull),
    ("GET", r"/pulls/(\d+)", get_pull),
    ("PATCH", r"/pulls/(\d+)", edit_pull),
    ("GET", r"/pulls/(\d+)/files", pull_files),
    ("PUT", r"/pulls/(\d+)/merge", merge),
    ("POST", r"/issues/(\d+)/labels", add_labels),
    ("POST", r"/issues/(\d+)/comments", comment),
    ("GET", r"/commits/(\w+)", get_repository_commit),
    ("POST", r"/statuses/(\w+)", create_status),
    ("GET", r"/issues/(\d+)/comments", list_comments),
    ("GET", r"/issues/comments/(\d+)", get_comment),
    ("PATCH", r"/issues/comments/(\d+)", edit_comment),
    ("POST", r"/pulls/(\d+)/requested_reviewers", ask_reviewers),
]
QUERY = {"ref", "state", "head", "sha", "path", "recursive"}


class FakeGithub:
    """The server. ``api`` is the base address to give to the adapter for the repository ``owner/name``."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.store = Hosted()
        self.store.push(files)
        self.fault: Callable[[str, str, int], Answer | None] = lambda _method, _path, _count: None
        """Asked before each request with its method, path and number; an answer is given instead."""
        self.lost: set[int] = set()
        """Numbers of requests whose effect happens and whose answer is a 502."""
        self.seen: list[str] = []
        self.given: list[tuple[str, Any]] = []
        """What was asked and with which body, oldest first."""
        self.exchanges: list[Exchange] = []
        """What was asked and answered by the rules here, whole."""
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.api = f"http://127.0.0.1:{self._server.server_port}"
        self.store.api = f"{self.api}/repos/owner/name"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, target: str, given: Any) -> Answer:
        """The answer to one request."""
        with self._lock:
            number = len(self.seen)
            path = unquote(urlsplit(target).path).removeprefix("/repos/owner/name")
            self.seen.append(f"{method} {path}")
            self.given.append((self.seen[-1], given))
            instead = self.fault(method, path, number)
            if instead:
                return instead
            answer = self._routed(method, path, target, given)
            self.exchanges.append(Exchange(method, target, given, *answer))
            return (502, {"message": "Server Error"}) if number in self.lost else answer

    def _routed(self, method: str, path: str, target: str, given: Any) -> Answer:
        for verb, pattern, route in ROUTES:
            matched = re.fullmatch(pattern, path)
            if verb == method and matched:
                query = {key: values[0] for key, values in parse_qs(urlsplit(target).query).items() if key in QUERY}
                try:
                    return route(self.store, *matched.groups(), *([given] if given is not None else []), **query)
                except Refused as refused:
                    return refused.status, {"message": str(refused)}
        return 404, {"message": f"the stand-in has no {method} {path}"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else every answer waits 40 ms for an acknowledgement
            wbufsize = -1

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                given = json.loads(self.rfile.read(length)) if length else None
                try:
                    status, body = fake.answer(self.command, self.path, given)
                except HungUp:
                    self.close_connection = True
                    return
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                if status == TOO_MANY:
                    self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815 - names that http.server looks for

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
