"""Somebody with the right to push, at each forge of ours (see ``argosy.testing.manual_requests``)."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from argosy.adapters.local_forge import ledger as ledgers
from argosy.adapters.memory_forge import MemoryForge, Proposed
from argosy.domain import changes, promotion_requests
from argosy.domain.promotion_requests import Request, Subject
from argosy.domain.request_marks import Marks, attach
from argosy.files.git_repository import NOTHING, Person, Repository
from argosy.testing.manual_requests import Files, Modes
from kit import fake_github
from kit.fake_github import FakeGithub
from kit.gitea_server import GiteaServer

WHO = "mallory"
MAIN = "refs/heads/main"


def _request(number: int, claimed: Subject, head: str) -> Request:
    return Request(
        number=number,
        subject=claimed,
        branch=f"{promotion_requests.branch(claimed)}-by-hand-{number}",
        title=promotion_requests.title(claimed.model, claimed.version, claimed.environment),
        body="about it\n",
        head=head,
        url=f"#{number}",
        author=WHO,
        opened_at="2026-01-01T00:00:00+00:00",
        labels=promotion_requests.labels(claimed),
    )


def _changed(before: Mapping[str, bytes], files: Files) -> dict[str, bytes]:
    return {path: content for path, content in {**before, **files}.items() if content is not None}


def _commit(repository: Repository, onto: str, files: Files, modes: Modes) -> str:
    git = repository.git
    index = {"GIT_INDEX_FILE": str(repository.path / "by-hand-index")}
    git("read-tree", onto, environment=index)
    for path, content in files.items():
        mode = modes.get(path, changes.PLAIN_FILE)
        entry = f"0 {NOTHING}" if content is None else f"{mode} {_object(repository, content, mode)}"
        git("update-index", "-z", "--index-info", text=f"{entry}\t{path}\0", environment=index)
    tree = git("write-tree", "--missing-ok", environment=index).decode().strip()
    made = git("commit-tree", tree, "-p", onto, text="By hand\n", environment=Person(WHO).environment())
    return made.decode().strip()


def _object(repository: Repository, content: bytes, mode: str) -> str:
    if mode == "160000":
        return content.decode()
    return repository.git("hash-object", "-w", "--stdin", text=content).decode().strip()


class MemoryHand:
    """At the forge in memory."""

    def __init__(self, forge: MemoryForge) -> None:
        self._forge = forge

    def push(self, files: Files) -> None:
        """See Hand."""
        self._forge.push(files)

    def open(self, claimed: Subject, files: Files, modes: Modes | None = None) -> int:
        """See Hand."""
        main = self._forge.head()
        number = len(self._forge.requests()) + 1
        after = _changed(self._forge.contents([""], main), files)
        self._forge.offer(_request(number, claimed, f"by-hand-{number}"), Proposed(main, after, modes or {}))
        return number

    def amend(self, number: int, files: Files) -> None:
        """See Hand."""
        request = self._forge.request(number)
        before = self._forge.proposed(request.head)
        moved = request.model_copy(update={"head": f"{request.head}+"})
        self._forge.offer(moved, Proposed(before.base, _changed(before.files, files), before.modes))

    def relabel(self, number: int, claimed: Subject) -> None:
        """See Hand."""
        request = self._forge.request(number)
        self._forge.offer(request.model_copy(update={"subject": claimed}), self._forge.proposed(request.head))


class LocalHand:
    """At a bare repository: branches and the ledger of requests are refs like others."""

    def __init__(self, path: Path) -> None:
        self._repository = Repository(path)

    def push(self, files: Files) -> None:
        """See Hand."""
        main = self._ledger()[1]
        assert self._repository.move(MAIN, self._commit(main, files, {}), main)

    def open(self, claimed: Subject, files: Files, modes: Modes | None = None) -> int:
        """See Hand."""
        ledger, main = self._ledger()
        request = _request(ledger.next_number, claimed, self._commit(main, files, modes or {}))
        assert ledger.record([request], "by hand\n", Person(WHO))
        assert self._repository.move(f"refs/heads/{request.branch}", request.head, NOTHING)
        return request.number

    def amend(self, number: int, files: Files) -> None:
        """See Hand."""
        ledger, _ = self._ledger()
        request = ledger.find(number)
        assert request is not None
        head = self._commit(request.head, files, {})
        assert self._repository.move(f"refs/heads/{request.branch}", head, request.head)
        assert ledger.record([request.model_copy(update={"head": head})], "by hand\n", Person(WHO))

    def relabel(self, number: int, claimed: Subject) -> None:
        """See Hand."""
        ledger, _ = self._ledger()
        request = ledger.find(number)
        assert request is not None
        assert ledger.record([request.model_copy(update={"subject": claimed})], "by hand\n", Person(WHO))

    def _ledger(self) -> tuple[ledgers.Ledger, str]:
        main = self._repository.resolve(MAIN)
        assert main is not None
        return ledgers.read(self._repository, main), main

    def _commit(self, onto: str, files: Files, modes: Modes) -> str:
        return _commit(self._repository, onto, files, modes)


class GithubHand:
    """At GitHub: a pull request with marks copied from one of ours."""

    def __init__(self, server: FakeGithub) -> None:
        self._store = server.store

    def push(self, files: Files) -> None:
        """See Hand."""
        self._store.push(files)

    def open(self, claimed: Subject, files: Files, modes: Modes | None = None) -> int:
        """See Hand."""
        number = len(self._store.pulls) + 1
        request = _request(number, claimed, self._commit(self._store.refs["heads/main"], files, modes or {}))
        self._store.refs[f"heads/{request.branch}"] = request.head
        body = attach(request.body, Marks(subject=claimed, author=WHO))
        fake_github.create_pull(self._store, {"head": request.branch, "title": request.title, "body": body})
        return number

    def amend(self, number: int, files: Files) -> None:
        """See Hand."""
        ref = f"heads/{self._store.pulls[number]['branch']}"
        self._store.refs[ref] = self._commit(self._store.refs[ref], files, {})

    def relabel(self, number: int, claimed: Subject) -> None:
        """See Hand."""
        pull = self._store.pulls[number]
        pull["body"] = attach(pull["body"], Marks(subject=claimed, author=WHO))

    def _commit(self, onto: str, files: Files, modes: Modes) -> str:
        kept = {path: sha for path, sha in self._store.commits[onto].files.items() if path not in files}
        new = {path: self._store.blob(content) for path, content in files.items() if content is not None}
        return self._store.commit({**kept, **new}, (onto,), "By hand", modes)


class GiteaHand:
    """At a real Gitea: commits are pushed by git, and what a request says is edited in it."""

    def __init__(self, server: GiteaServer, repository: str, folder: Path) -> None:
        self._server, self._place = server, f"repos/{repository}"
        subprocess.run(["git", "clone", "--quiet", "--bare", server.remote(repository), str(folder)], check=True)
        self._repository = Repository(folder)

    def push(self, files: Files) -> None:
        """See Hand."""
        self._push(_commit(self._repository, self._fetched("main"), files, {}), "main")

    def open(self, claimed: Subject, files: Files, modes: Modes | None = None) -> int:
        """See Hand."""
        request = _request(self._count(), claimed, _commit(self._repository, self._fetched("main"), files, modes or {}))
        self._push(request.head, request.branch)
        text = attach(request.body, Marks(subject=claimed, author=WHO))
        wanted = {"base": "main", "head": request.branch, "title": request.title, "body": text}
        return int(self._server.call("POST", f"{self._place}/pulls", wanted)["number"])

    def amend(self, number: int, files: Files) -> None:
        """See Hand."""
        branch = self._server.call("GET", f"{self._place}/pulls/{number}")["head"]["label"]
        self._push(_commit(self._repository, self._fetched(branch), files, {}), branch)

    def relabel(self, number: int, claimed: Subject) -> None:
        """See Hand."""
        body = self._server.call("GET", f"{self._place}/pulls/{number}")["body"]
        text = attach(body, Marks(subject=claimed, author=WHO))
        self._server.call("PATCH", f"{self._place}/pulls/{number}", {"body": text})

    def _count(self) -> int:
        return len(self._server.call("GET", f"{self._place}/pulls?state=all")) + 1

    def _fetched(self, branch: str) -> str:
        self._repository.git("fetch", "--quiet", "origin", f"+refs/heads/{branch}:refs/heads/{branch}")
        commit = self._repository.resolve(f"refs/heads/{branch}")
        assert commit is not None
        return commit

    def _push(self, commit: str, branch: str) -> None:
        self._repository.git("push", "--quiet", "origin", f"{commit}:refs/heads/{branch}")
