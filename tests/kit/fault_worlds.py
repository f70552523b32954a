"""Forges whose every call is a turn of a schedule, and goes wrong as that wants: on this machine, at GitHub's stand-in, at a real Gitea."""

import contextlib
import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from argosy import errors
from argosy.adapters.hosted_forge import github
from argosy.adapters.hosted_forge.gitea import GiteaHost
from argosy.adapters.hosted_forge.promotion_pulls import HostedForge
from argosy.adapters.local_forge.forge import MAIN, LocalForge
from argosy.domain import request_marks
from argosy.domain.promotion_requests import State
from argosy.files import git_repository
from argosy.files.git_repository import Person, Repository
from argosy.ports.forge import Forge
from kit.effect_history import OpenOne, Outside
from kit.fake_github import Answer, FakeGithub, HungUp
from kit.fault_schedules import Fault, Schedule
from kit.fault_story import START, ActorKilled, FaultWorld, open_one
from kit.gitea_server import GiteaServer

READS = "GET"
REFUSALS: dict[Fault, Answer] = {
    "fails": (502, {"message": "Server Error"}),
    "killed": (502, {"message": "Server Error"}),
    "refused": (401, {"message": "Bad credentials"}),
    "limited": (403, {"message": "You have exceeded a secondary rate limit"}),
    "asked to wait": (429, {"message": "Too many requests"}),
}


def played(world: FaultWorld, schedule: Schedule, actor: str, method: str, act: Callable[[], Any]) -> Any:
    """The answer to *actor*, whose call has the effect *act*, once it is its turn. Raises HungUp where there is none."""
    schedule.turns.wait(actor)
    fault = schedule.fault(actor, writes=method != READS)

    def done() -> Any:
        answer = act()
        if method != READS:
            schedule.history.seen.append(world.outside())
        return answer

    if fault in REFUSALS:
        return REFUSALS[fault]
    if fault == "hangs up":
        raise HungUp
    if fault == "comes late":
        schedule.later(done)
        raise HungUp
    answer = done()
    if fault == "hangs up after":
        raise HungUp
    return REFUSALS["fails"] if fault in {"fails after", "killed after"} else answer


class GithubWorld:
    """The adapter of GitHub, against a server that hands out turns and faults."""

    def __init__(self) -> None:
        self.server = _FaultyGithub(START)

    def forge(self, actor: str) -> Forge:
        """The repository as *actor* reaches it."""
        return HostedForge(github.of_token("owner/name", actor.replace(" ", "_"), api=self.server.api, patience=0.0))

    @contextlib.contextmanager
    def hooked(self, schedule: Schedule) -> Iterator[None]:
        """The server, while *schedule* is played."""
        self.server.schedule, self.server.world = schedule, self
        try:
            yield
        finally:
            self.server.stop()

    def outside(self) -> Outside:
        """What everybody would see now."""
        store = self.server.store
        main = store.refs["heads/main"]
        opened = [_marked(number, one["body"]) for number, one in list(store.pulls.items()) if one["state"] == "open"]
        files = {
            path: store.blobs[blob] for path, blob in store.commits[main].files.items() if path.startswith("models/")
        }
        return Outside(tuple(opened), main, frozenset(store.history(main)), files)

    def push(self, actor: str, path: str, content: bytes) -> None:
        """See FaultWorld."""
        schedule = self.server.schedule
        assert schedule
        schedule.turns.wait(actor)
        self.server.store.push({path: content})
        schedule.history.seen.append(self.outside())


def _marked(number: int, body: str) -> OpenOne:
    marks = request_marks.read(body)
    assert marks
    return open_one(number, marks.subject)


class _FaultyGithub(FakeGithub):
    """The stand-in, which knows who calls by the token and lets nobody call out of turn."""

    schedule: Schedule | None = None
    world: GithubWorld | None = None

    def _handler(self) -> Any:
        fake, plain = self, super()._handler()
        self._local = threading.local()

        class Handler(plain):  # type: ignore[misc, valid-type]
            def parse_request(self) -> bool:
                parsed = bool(super().parse_request())
                words = self.headers.get("Authorization", "").split() if parsed else [""]
                fake._local.actor = words[-1].replace("_", " ")
                return parsed

        return Handler

    def answer(self, method: str, target: str, given: Any) -> Answer:
        assert self.schedule
        assert self.world
        call = super().answer
        answer: Answer = played(
            self.world, self.schedule, self._local.actor, method, lambda: call(method, target, given)
        )
        return answer


class LocalWorld:
    """The forge on this machine: every call of git is a turn, and the lock that keeps races rare is not there."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="argosy-schedule-")
        self.path = Path(self._folder.name) / "environment.git"
        LocalForge(self.path, START)
        Repository(self.path).git("config", "core.fsync", "none")  # nothing here is about losing power

    def forge(self, actor: str) -> Forge:
        """The repository as *actor* opens it."""
        del actor
        return LocalForge(self.path, START)

    @contextlib.contextmanager
    def hooked(self, schedule: Schedule) -> Iterator[None]:
        """Git, while *schedule* is played."""
        real, exclusive = git_repository._run, Repository.exclusive
        looking = threading.local()

        def turned(*given: Any, **options: Any) -> bytes:
            if getattr(looking, "on", False):
                return real(*given, **options)
            actor = threading.current_thread().name
            schedule.turns.wait(actor)
            # What a git does late, after its caller gave up, is what it does before: it is a child, and ends with it.
            fault = schedule.fault(actor, writes=False)
            _fail(fault, ("fails", "hangs up", "refused", "limited", "asked to wait"), "killed")
            output = real(*given, **options)
            if "update-ref" in given[0]:
                looking.on = True
                schedule.history.seen.append(self.outside())
                looking.on = False
            _fail(fault, ("fails after", "hangs up after"), "killed after")
            return output

        git_repository._run = turned
        Repository.exclusive = lambda _self: contextlib.nullcontext()  # type: ignore[assignment, method-assign, return-value]
        try:
            yield
        finally:
            git_repository._run, Repository.exclusive = real, exclusive  # type: ignore[method-assign]
            self._folder.cleanup()

    def outside(self) -> Outside:
        """What everybody would see now."""
        forge, repository = LocalForge(self.path, START), Repository(self.path)
        main = forge.head()
        opened = [open_one(one.number, one.subject) for one in forge.requests() if one.state is State.OPEN]
        ancestors = frozenset(repository.git("rev-list", main).decode().split())
        return Outside(tuple(opened), main, ancestors, forge.contents(["models"], main))

    def push(self, actor: str, path: str, content: bytes) -> None:
        """See FaultWorld."""
        repository = Repository(self.path)
        main = repository.resolve(MAIN)
        if main is None:  # the call failed
            raise errors.TryAgain("planted: nobody knows where main is")
        repository.move(MAIN, repository.commit(main, {path: content}, "By hand\n", Person(actor)), main)


def _fail(fault: Fault, raised: tuple[Fault, ...], killed: Fault) -> None:
    if fault in raised:
        raise errors.TryAgain(f"planted: {fault}")
    if fault == killed:
        raise ActorKilled


class GiteaWorld:
    """The adapter of Gitea, against a real one behind a proxy that hands out turns and faults."""

    def __init__(self, server: GiteaServer) -> None:
        self._server, self.repository = server, server.repository(START)
        self._git = Repository(server.folder / "repositories" / f"{self.repository}.git")
        self.schedule: Schedule | None = None
        self._proxy = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._address = f"http://127.0.0.1:{self._proxy.server_port}"
        self._thread = threading.Thread(target=self._proxy.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def forge(self, actor: str) -> Forge:
        """The repository as *actor* reaches it."""
        address = f"{self._address}/{actor.replace(' ', '_')}"
        return HostedForge(GiteaHost(address, self.repository, self._server.token, patience=0.02))

    @contextlib.contextmanager
    def hooked(self, schedule: Schedule) -> Iterator[None]:
        """The proxy, while *schedule* is played."""
        self.schedule = schedule
        try:
            yield
        finally:
            self._proxy.shutdown()
            self._proxy.server_close()
            self._thread.join()
            self._server.call("DELETE", f"repos/{self.repository}")

    def outside(self) -> Outside:
        """What everybody would see now."""
        pulls = self._server.call("GET", f"repos/{self.repository}/pulls?state=open")
        main = self._git.resolve(MAIN)
        assert main
        ancestors = frozenset(self._git.git("rev-list", main).decode().split())
        opened = tuple(_marked(one["number"], one["body"]) for one in pulls)
        return Outside(opened, main, ancestors, self._git.files(main, "models"))

    def push(self, actor: str, path: str, content: bytes) -> None:
        """See FaultWorld."""
        assert self.schedule
        self.schedule.turns.wait(actor)
        body = {"branch": "main", "message": "By hand", "content": content.hex()}
        with contextlib.suppress(AssertionError):  # it is there already
            self._server.call("POST", f"repos/{self.repository}/contents/{path}", body)
        self.schedule.history.seen.append(self.outside())

    def _forward(self, method: str, target: str, headers: dict[str, str], content: bytes) -> requests.Response:
        return requests.request(
            method, f"{self._server.address}{target}", headers=headers, data=content, timeout=60, allow_redirects=False
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        world = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def _serve(self) -> None:
                given = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                _, actor, rest = self.path.split("/", 2)
                kept = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
                assert world.schedule
                try:
                    answer = played(
                        world,
                        world.schedule,
                        actor.replace("_", " "),
                        self.command,
                        lambda: world._forward(self.command, f"/{rest}", kept, given),
                    )
                except HungUp:
                    self.close_connection = True
                    return
                self._send(answer)

            def _send(self, answer: requests.Response | Answer) -> None:
                if isinstance(answer, requests.Response):
                    status, content = answer.status_code, answer.content
                    told = {
                        one: answer.headers[one] for one in ("Content-Type", "X-Total-Count") if one in answer.headers
                    }
                else:
                    status, content = answer[0], json.dumps(answer[1]).encode()
                    told = {"Retry-After": "0"} if status == 429 else {}
                self.send_response(status)
                for name, value in {**told, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - names that http.server looks for

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
