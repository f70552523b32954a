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

TIME = "2026-01-01T00:00:00Z"
ACCOUNT = "argosy-bot"
Answer = tuple[int, Any]


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


@dataclass
class Store:
    """What GitHub knows of one repository."""

    api: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    trees: dict[str, dict[str, str]] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[str]] = field(default_factory=dict)

    def blob(self, content: bytes) -> str:
        """Keep *content*."""
        sha = hashlib.sha1(b"blob" + content, usedforsecurity=False).hexdigest()
        self.blobs[sha] = content
        return sha

    def commit(self, files: Mapping[str, str], parents: tuple[str, ...], message: str) -> str:
        """Keep a commit."""
        made = Commit(dict(files), parents, message)
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

    def resolve(self, name: str) -> str:
        """The commit that *name* is."""
        sha = self.refs.get(f"heads/{name}", name)
        if sha not in self.commits:
            raise Refused(404, f"No commit found for the ref {name}")
        return sha


def get_repository(_store: Store) -> Answer:
    """GET the repository"""
    return 200, {"full_name": "owner/name", "permissions": {"pull": True, "push": True, "admin": False}}


def get_branch(store: Store, name: str) -> Answer:
    """GET /branches/{branch}"""
    return 200, {"name": name, "commit": {"sha": store.resolve(name)}}


def get_ref(store: Store, name: str) -> Answer:
    """GET /git/ref/{ref}"""
    return 200, _ref(store, name)


def create_ref(store: Store, given: dict[str, Any]) -> Answer:
    """POST /git/refs"""
    name = given["ref"].removeprefix("refs/")
    if name in store.refs:
        raise Refused(422, "Reference already exists")
    store.refs[name] = store.resolve(given["sha"])
    return 201, _ref(store, name)


def update_ref(store: Store, name: str, given: dict[str, Any]) -> Answer:
    """PATCH /git/refs/{ref}"""
    if store.refs[name] not in store.commits[given["sha"]].parents and not given.get("force"):
        raise Refused(422, "Update is not a fast forward")
    store.refs[name] = given["sha"]
    return 200, _ref(store, name)


def _ref(store: Store, name: str) -> dict[str, Any]:
    if name not in store.refs:
        raise Refused(404, "Not Found")
    return {
        "ref": f"refs/{name}",
        "url": f"{store.api}/git/refs/{name}",
        "object": {"sha": store.refs[name], "type": "commit"},
    }


def create_blob(store: Store, given: dict[str, Any]) -> Answer:
    """POST /git/blobs"""
    content = base64.b64decode(given["content"]) if given["encoding"] == "base64" else given["content"].encode()
    return 201, {"sha": store.blob(content)}


def get_blob(store: Store, sha: str) -> Answer:
    """GET /git/blobs/{sha}"""
    return 200, {"sha": sha, "encoding": "base64", "content": base64.encodebytes(store.blobs[sha]).decode()}


def create_tree(store: Store, given: dict[str, Any]) -> Answer:
    """POST /git/trees"""
    files = dict(store.trees[given["base_tree"]])
    for entry in given["tree"]:
        if entry["sha"] is None and entry["path"] not in files:
            raise Refused(422, "GitRPC::BadObjectState")
        files.pop(entry["path"], None)
        if entry["sha"] is not None:
            files[entry["path"]] = entry["sha"]
    return 201, {"sha": _tree(store, files), "tree": []}


def _tree(store: Store, files: Mapping[str, str]) -> str:
    sha = hashlib.sha1(f"tree{sorted(files.items())}".encode(), usedforsecurity=False).hexdigest()
    store.trees[sha] = dict(files)
    return sha


def create_commit(store: Store, given: dict[str, Any]) -> Answer:
    """POST /git/commits"""
    sha = store.commit(store.trees[given["tree"]], tuple(given["parents"]), given["message"])
    return get_commit(store, sha)[0] + 1, get_commit(store, sha)[1]


def get_commit(store: Store, sha: str) -> Answer:
    """GET /git/commits/{sha}"""
    commit = store.commits[store.resolve(sha)]
    parents = [{"sha": parent} for parent in commit.parents]
    return 200, {"sha": sha, "tree": {"sha": _tree(store, commit.files)}, "parents": parents, "message": commit.message}


def get_contents(store: Store, path: str, ref: str) -> Answer:
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


def list_commits(store: Store, sha: str, path: str, **_: str) -> Answer:
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


def list_pulls(store: Store, state: str = "open", head: str = "", **_: str) -> Answer:
    """GET /pulls"""
    found = [_pull(store, number) for number in sorted(store.pulls)]
    return 200, [
        pull for pull in found if state in {"all", pull["state"]} and (not head or pull["head"]["label"] == head)
    ]


def create_pull(store: Store, given: dict[str, Any]) -> Answer:
    """POST /pulls"""
    if any(pull["branch"] == given["head"] and pull["state"] == "open" for pull in store.pulls.values()):
        raise Refused(422, f"A pull request already exists for owner:{given['head']}.")
    if f"heads/{given['head']}" not in store.refs:
        raise Refused(422, "Validation Failed")
    number = len(store.pulls) + 1
    store.pulls[number] = {
        "branch": given["head"],
        "title": given["title"],
        "body": given["body"],
        "state": "open",
        "labels": [],
        "merge": None,
    }
    return 201, _pull(store, number)


def get_pull(store: Store, number: str) -> Answer:
    """GET /pulls/{number}"""
    return 200, _pull(store, int(number))


def edit_pull(store: Store, number: str, given: dict[str, Any]) -> Answer:
    """PATCH /pulls/{number}"""
    pull = store.pulls[int(number)]
    if pull["merge"]:
        raise Refused(422, "Cannot change a merged pull request")
    pull.update(given)
    return 200, _pull(store, int(number))


def add_labels(store: Store, number: str, given: Any) -> Answer:
    """POST /issues/{number}/labels"""
    names = given if isinstance(given, list) else given["labels"]
    labels = store.pulls[int(number)]["labels"]
    labels += [name for name in names if name not in labels]
    return 200, [{"name": name} for name in labels]


def comment(store: Store, number: str, given: dict[str, Any]) -> Answer:
    """POST /issues/{number}/comments"""
    store.comments.setdefault(int(number), []).append(given["body"])
    return 201, {"body": given["body"]}


def merge(store: Store, number: str, given: dict[str, Any]) -> Answer:
    """PUT /pulls/{number}/merge"""
    pull = store.pulls[int(number)]
    head, main = store.refs[f"heads/{pull['branch']}"], store.refs["heads/main"]
    if pull["state"] != "open":
        raise Refused(405, "Pull Request is not mergeable")
    if given.get("sha") not in {None, head}:
        raise Refused(409, "Head branch was modified. Review and try the merge again.")
    files = _merged(store, head, main)
    message = f"{given['commit_title']}\n\n{given['commit_message']}"
    store.refs["heads/main"] = store.commit(files, (main, head), message)
    pull.update(state="closed", merge={"before": main, "after": store.refs["heads/main"]})
    return 200, {"sha": store.refs["heads/main"], "merged": True, "message": "Pull Request successfully merged"}


def _merged(store: Store, head: str, main: str) -> dict[str, str]:
    base, ours, theirs = (store.commits[sha].files for sha in (store.commits[head].parents[0], main, head))
    changed = {path for path in {*base, *theirs} if base.get(path) != theirs.get(path)}
    if any(ours.get(path) not in {base.get(path), theirs.get(path)} for path in changed):
        raise Refused(405, "Merge conflict")
    kept = {path: sha for path, sha in ours.items() if path not in changed}
    return {**kept, **{path: theirs[path] for path in changed if path in theirs}}


def pull_files(store: Store, number: str) -> Answer:
    """GET /pulls/{number}/files"""
    pull = store.pulls[int(number)]
    head = store.refs[f"heads/{pull['branch']}"]
    before, after = (store.commits[sha].files for sha in (store.commits[head].parents[0], head))
    changed = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    return 200, [
        {"filename": path, "changes": 1, "patch": _patch(store, before.get(path), after.get(path))} for path in changed
    ]


def _patch(store: Store, before: str | None, after: str | None) -> str:
    old, new = (store.blobs[sha].decode(errors="replace").splitlines() if sha else [] for sha in (before, after))
    return "\n".join(list(difflib.unified_diff(old, new, lineterm=""))[2:])


def _pull(store: Store, number: int) -> dict[str, Any]:
    if number not in store.pulls:
        raise Refused(404, "Not Found")
    pull = store.pulls[number]
    ended = TIME if pull["state"] == "closed" else None
    return {
        "number": number,
        "url": f"{store.api}/pulls/{number}",
        "issue_url": f"{store.api}/issues/{number}",
        "html_url": f"https://github.example/pull/{number}",
        "title": pull["title"],
        "body": pull["body"],
        "state": pull["state"],
        "created_at": TIME,
        "closed_at": ended,
        "merged_at": ended if pull["merge"] else None,
        "merged_by": {"login": ACCOUNT} if pull["merge"] else None,
        "head": {
            "ref": pull["branch"],
            "label": f"owner:{pull['branch']}",
            "sha": store.refs[f"heads/{pull['branch']}"],
        },
        "labels": [{"name": name} for name in pull["labels"]],
    }


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", r"", get_repository),
    ("GET", r"/branches/(.+)", get_branch),
    ("GET", r"/git/ref/(.+)", get_ref),
    ("POST", r"/git/refs", create_ref),
    ("PATCH", r"/git/refs/(.+)", update_ref),
    ("POST", r"/git/blobs", create_blob),
    ("GET", r"/git/blobs/(\w+)", get_blob),
    ("POST", r"/git/trees", create_tree),
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
]
QUERY = {"ref", "state", "head", "sha", "path"}


class FakeGithub:
    """The server. ``api`` is the base address to give to the adapter for the repository ``owner/name``."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.store = Store()
        self.store.push(files)
        self.fault: Callable[[str, str, int], Answer | None] = lambda _method, _path, _count: None
        """Asked before each request with its method, path and number; an answer is given instead."""
        self.lost: set[int] = set()
        """Numbers of requests whose effect happens and whose answer is a 502."""
        self.seen: list[str] = []
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
            instead = self.fault(method, path, number)
            if instead:
                return instead
            answer = self._routed(method, path, target, given)
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
                status, body = fake.answer(self.command, self.path, given)
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815 - names that http.server looks for

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
