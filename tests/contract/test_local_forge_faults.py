"""The local forge under kill -9 at every point, under two processes, and under people who push."""

import itertools
import multiprocessing
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters.local_forge import ledger as ledgers
from argosy.adapters.local_forge.forge import MAIN, LocalForge
from argosy.domain import promotion_requests
from argosy.domain.promotion_requests import State
from argosy.files import git_repository as repositories
from argosy.files.git_repository import Person, Repository
from argosy.testing.forge_contract import TEMPLATE, digest, files_of, merge, open_requests, proposal, version

FORK = multiprocessing.get_context("fork")
SERVED = "models/toy/staging/version.yaml"
LOOKS = frozenset({"cat-file", "diff-tree", "log", "ls-tree", "merge-base", "rev-list", "rev-parse"})
"""Verbs of git that change nothing: killed before one of them, or after it, or before the next, a process leaves the same."""


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository as it is made."""
    path = tmp_path_factory.mktemp("fresh") / "environment.git"
    LocalForge(path, TEMPLATE)
    Repository(path).git("config", "core.fsync", "none")  # nothing here is about losing power
    return path


@pytest.fixture
def copies(fresh: Path, tmp_path: Path) -> Callable[[], Path]:
    """Makes copies of it."""
    return _copies_of(fresh, tmp_path)


def _copies_of(repository: Path, folder: Path) -> Callable[[], Path]:
    numbers = itertools.count()
    return lambda: Path(shutil.copytree(repository, folder / f"{next(numbers)}.git"))


def _killed_at(call: int, *, after: bool, action: Callable[[], object]) -> bool:
    """Run *action* in a child that is killed before, or after, its call number *call* of a git that writes; whether it came that far."""
    child = os.fork()
    if child == 0:
        _kill_self_at(call, after=after)
        try:
            action()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _kill_self_at(call: int, *, after: bool) -> None:
    real, calls = repositories._run, itertools.count()

    def run(arguments: Sequence[str], text: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        verb = next(word for word in arguments if not word.startswith("-"))
        here = verb not in LOOKS and next(calls) == call
        if here and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        output = real(arguments, text, environment)
        if here:
            os.kill(os.getpid(), signal.SIGKILL)
        return output

    repositories._run = run


def _every_point(prepare: Callable[[], Path], action: Callable[[LocalForge], object]) -> Iterator[Path]:
    """A repository for each point at which *action* can be killed, as the kill left it."""
    for after in (False, True):
        for call in itertools.count():
            path = prepare()
            if not _killed_at(call, after=after, action=lambda path=path: action(LocalForge(path, TEMPLATE))):  # type: ignore[misc]
                assert call > 5, "the action made hardly any calls: nothing was tried"
                break
            yield path


def test_creating_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """Killed while it is made, the environment repo is not there; the next process makes it."""
    numbers = itertools.count()
    for path in _every_point(lambda: tmp_path / f"{next(numbers)}" / "environment.git", lambda _forge: None):
        assert LocalForge(path, TEMPLATE).read("README.md") == TEMPLATE["README.md"]


@pytest.mark.slow
def test_proposing_leaves_nothing_or_a_whole_request(copies: Callable[[], Path], tmp_path: Path) -> None:
    """Killed anywhere, then retried: one request, with all its files and its branch."""
    superseding = copies()
    LocalForge(superseding, TEMPLATE).propose(proposal("old"))
    for path in _every_point(_copies_of(superseding, tmp_path / "each"), lambda forge: forge.propose(proposal("a"))):
        forge = LocalForge(path, TEMPLATE)
        assert len(open_requests(forge)) == 1
        request = forge.propose(proposal("a"))
        assert request
        assert open_requests(forge) == [request.number] == [2]
        assert files_of(forge, 2) == proposal("a").files
        assert forge.request(1).superseded_by == 2
        assert Repository(path).resolve(f"refs/heads/{request.branch}") == request.head


@pytest.mark.slow
def test_merging_is_whole_or_not_at_all(copies: Callable[[], Path], tmp_path: Path) -> None:
    """Killed anywhere: main has all files and the request is merged, or neither; the retry makes one merge commit."""
    proposed = copies()
    LocalForge(proposed, TEMPLATE).propose(proposal("a"))
    for path in _every_point(_copies_of(proposed, tmp_path / "each"), lambda forge: merge(forge, 1)):
        forge = LocalForge(path, TEMPLATE)
        merged = forge.request(1).state is State.MERGED
        assert (forge.read(SERVED) is not None) == merged
        if merged:
            assert forge.request(1).ended_by == "ada"
        assert merge(forge, 1).state is State.MERGED
        assert all(forge.read(file) == content for file, content in proposal("a").files.items())
        history = Repository(path).git("log", "--first-parent", "--format=%s", "main").decode().splitlines()
        assert history == ["Promote toy version 1 to staging", "Start the environment repo"]


def test_a_dead_git_s_lock_is_cleared(fresh: Path, copies: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that was killed leaves lock files behind; they hold nobody up for longer than it takes to be sure."""
    monkeypatch.setattr(repositories, "STALE_SECONDS", 0.2)
    path = copies()
    for name in ("refs/heads/main.lock", "refs/argosy/requests/ledger.lock", "packed-refs.lock"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).touch()
    forge = LocalForge(path, TEMPLATE)
    forge.propose(proposal("a"))
    assert merge(forge, 1).state is State.MERGED


def _propose(path: Path, barrier: Barrier, names: list[str]) -> None:
    forge = LocalForge(path, TEMPLATE)
    for name in names:
        barrier.wait()
        forge.propose(proposal(name, author=f"pipeline {os.getpid()}"))


@pytest.mark.parametrize("same", [pytest.param(True, id="the-same-model"), pytest.param(False, id="two-models")])
def test_two_processes_at_once(copies: Callable[[], Path], same: bool) -> None:
    """Two pipelines that propose at the same moment: one open request, every other superseded by a later one, none lost."""
    path, rounds = copies(), 25
    barrier = FORK.Barrier(2, timeout=60)
    names = [[f"{'' if same else worker}-{number}" for number in range(rounds)] for worker in range(2)]
    workers = [FORK.Process(target=_propose, args=(path, barrier, mine)) for mine in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    requests = LocalForge(path, TEMPLATE).requests()
    assert [request.number for request in requests] == list(range(1, len(requests) + 1))
    assert len(requests) == (rounds if same else 2 * rounds)
    assert [request.state for request in requests[:-1]] == [State.SUPERSEDED] * (len(requests) - 1)
    assert requests[-1].state is State.OPEN
    assert all(request.superseded_by == request.number + 1 for request in requests[:-1])
    assert len({request.branch for request in requests}) == len(requests)


def _push_for_ever(path: Path, stop: threading.Event, pushed: list[int]) -> None:
    repository = Repository(path)
    while not stop.is_set():
        main = repository.resolve(MAIN)
        assert main
        change = {f"notes/{len(pushed)}.txt": b"a note\n"}
        if repository.move(MAIN, repository.commit(main, change, "A note\n", Person("Some Body")), main):
            pushed.append(len(pushed))
        time.sleep(0.05)


def test_people_push_meanwhile(copies: Callable[[], Path]) -> None:
    """A merge that loses the race for main changes nothing and says so; repeated, it loses nobody's commit."""
    path = copies()
    stop, lost = threading.Event(), 0
    pushed: list[int] = []
    person = threading.Thread(target=_push_for_ever, args=(path, stop, pushed))
    person.start()
    try:
        forge = LocalForge(path, TEMPLATE)
        for name in ("a", "b", "c"):
            request = forge.propose(proposal(name))
            assert request
            while forge.request(request.number).state is not State.MERGED:
                try:
                    merge(forge, request.number)
                except errors.TryAgain:
                    lost += 1
    finally:
        stop.set()
        person.join()
    print(f"{len(pushed)} pushes, {lost} merges lost the race")
    forge = LocalForge(path, TEMPLATE)
    assert forge.read(SERVED) == version("c").yaml().encode()
    assert all(forge.read(f"notes/{number}.txt") for number in pushed)


def _act(path: Path, seed: int, rounds: int) -> None:
    chance, forge = random.Random(seed), LocalForge(path, TEMPLATE)
    for _ in range(rounds):
        try:
            still_open = open_requests(forge)
            if still_open and chance.random() < 0.4:
                merge(forge, chance.choice(still_open), by=f"person {seed}")
            elif still_open and chance.random() < 0.2:
                forge.close(chance.choice(still_open), by=f"person {seed}", reason="no")
            else:
                forge.propose(proposal(f"{chance.randrange(4)}", champion=chance.choice([None, "c"])))
        except (errors.TryAgain, errors.Rejected):
            continue  # somebody was faster, or had said no


def test_the_history_is_one_that_could_have_been(copies: Callable[[], Path]) -> None:
    """Three processes propose, merge and close at random; every state the ledger ever had keeps the promises."""
    path = copies()
    workers = [FORK.Process(target=_act, args=(path, seed, 15)) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    _check_history(path)


def _check_history(path: Path) -> None:
    repository = Repository(path)
    states = repository.git("rev-list", "--first-parent", "--reverse", "refs/argosy/requests/ledger").decode().split()
    assert len(states) > 5
    previous: dict[int, State] = {}
    for state in states:
        found = [
            _request(content) for name, content in repository.files(state).items() if name.endswith("request.json")
        ]
        now = {request.number: request.state for request in found}
        assert list(now.values()).count(State.OPEN) <= 1, "two requests were open at once"
        assert set(previous) <= set(now), "a request was lost"
        assert not [n for n, was in previous.items() if was is State.MERGED and now[n] is not was], (
            "a merge was taken back"
        )
        previous = now
    merges = repository.git("log", "--first-parent", "--merges", "--format=%s", "main").decode().splitlines()
    merged = [request for request in LocalForge(path, TEMPLATE).requests() if request.state is State.MERGED]
    assert len(merges) == len(merged), "a merge and its request disagree"


def _request(content: bytes) -> promotion_requests.Request:
    return promotion_requests.Request.model_validate_json(content)


def test_main_is_right_whoever_merged(copies: Callable[[], Path], tmp_path: Path) -> None:
    """A person may merge the branch with plain git: the request counts as merged, by them."""
    path = copies()
    forge = LocalForge(path, TEMPLATE)
    request = forge.propose(proposal("a"))
    assert request
    clone = tmp_path / "clone"
    person = {
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    repositories._run(["clone", "--quiet", str(path), str(clone)])
    for words in (["merge", "--quiet", "--no-ff", f"origin/{request.branch}"], ["push", "--quiet"]):
        repositories._run(["-C", str(clone), *words], environment=person)
    merged = forge.request(request.number)
    assert (merged.state, merged.ended_by) == (State.MERGED, "Ada")
    again = forge.propose(proposal("a"))
    assert again
    assert again.number == request.number


def test_models_that_main_never_heard_of_are_added(fresh: Path, copies: Callable[[], Path]) -> None:
    """A model added to the project's folder reaches main on its own; what main has, or had, is main's to say."""
    path = copies()
    more = {
        "policies/new.yaml": b"new",
        "models/new/values.yaml": b"v",
        "policies/toy.yaml": b"changed",
        "stray.txt": b"s",
    }
    forge = LocalForge(path, more)
    assert forge.read("policies/new.yaml") == b"new"
    assert forge.read("models/new/values.yaml") == b"v"
    assert forge.read("policies/toy.yaml") == TEMPLATE["policies/toy.yaml"]
    assert forge.read("stray.txt") is None
    repository = Repository(path)
    retired = repository.commit(forge.head(), {"policies/new.yaml": None}, "Retire\n", Person("ada"))
    assert repository.move(MAIN, retired, forge.head())
    assert LocalForge(path, more).read("policies/new.yaml") is None


@pytest.mark.parametrize("name", ["", "a\nb", "<x>", " ", "x" * 101])
def test_names_that_git_cannot_hold(copies: Callable[[], Path], name: str) -> None:
    """A reviewer's name cannot smuggle lines into a commit."""
    forge = LocalForge(copies(), TEMPLATE)
    forge.propose(proposal("a"))
    with pytest.raises(errors.UsageError, match="cannot be a name"):
        merge(forge, 1, by=name)
    assert forge.read(SERVED) is None


def test_a_person_s_git_settings_change_nothing(
    copies: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Signing, hooks and line endings a person configured, or a GIT_DIR that is set, do not reach our commits."""
    (tmp_path / "gitconfig").write_text(
        "[commit]\n\tgpgsign = true\n[core]\n\tautocrlf = true\n\thooksPath = /nowhere\n", encoding="utf-8"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    forge = LocalForge(copies(), TEMPLATE)
    forge.propose(proposal("a", text="one\r\ntwo\n"))
    assert files_of(forge, 1)["models/toy/staging/evidence/text"] == b"one\r\ntwo\n"
    assert digest("a").encode() in files_of(forge, 1)[SERVED]


def test_git_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git one error says so."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.Misconfigured, match="git is not on PATH"):
        LocalForge(tmp_path / "environment.git", TEMPLATE)


@pytest.mark.parametrize("content", [b"{}", b"no JSON"])
def test_a_record_that_somebody_broke(copies: Callable[[], Path], content: bytes) -> None:
    """Requests are a ref that whoever may push can push to: what is no request is named, and the way back."""
    path = copies()
    forge, repository = LocalForge(path, TEMPLATE), Repository(path)
    forge.propose(proposal("a"))
    before = repository.resolve(ledgers.REF) or ""
    broken = repository.commit(before, {"1/request.json": content}, "by hand\n", Person("mallory"))
    assert repository.move(ledgers.REF, broken, before)
    with pytest.raises(errors.Misconfigured, match=r"1/request\.json of refs/argosy/requests/ledger.*`git .* reflog"):
        forge.requests()
    states = repository.git("reflog", "--format=%H", ledgers.REF).decode().split()
    repository.git("update-ref", ledgers.REF, states[1])
    assert open_requests(forge) == [1]


def _emptied(path: Path, commit: str) -> None:
    del commit
    (path / ledgers.REF).write_text("")


def _points_at_nothing(path: Path, commit: str) -> None:
    del commit
    (path / ledgers.REF).write_text(f"{'1' * 40}\n")


def _object_lost(path: Path, commit: str) -> None:
    (path / "objects" / commit[:2] / commit[2:]).unlink()


def _object_damaged(path: Path, commit: str) -> None:
    there = path / "objects" / commit[:2] / commit[2:]
    there.chmod(0o600)
    there.write_bytes(b"damaged")


def _no_repository(path: Path, commit: str) -> None:
    del commit
    (path / "HEAD").rename(path / "HEAD.gone")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(_emptied, "points at cannot be read; `git .* fsck`", id="a-ref-emptied-by-a-power-loss"),
        pytest.param(_points_at_nothing, "points at cannot be read", id="a-ref-to-nothing"),
        pytest.param(_object_lost, "points at cannot be read", id="a-commit-that-is-lost"),
        pytest.param(_object_damaged, "is corrupt", id="a-commit-that-is-damaged"),
        pytest.param(_no_repository, "not a git repository", id="no-repository-any-more"),
    ],
)
def test_what_cannot_be_read_is_not_nothing(
    copies: Callable[[], Path], damage: Callable[[Path, str], None], said: str
) -> None:
    """A record of requests that is broken is no empty one: nobody is told that nothing waits, and no request becomes the first again."""
    path = copies()
    forge, repository = LocalForge(path, TEMPLATE), Repository(path)
    forge.propose(proposal("a"))
    damage(path, repository.resolve(ledgers.REF) or "")
    with pytest.raises(errors.TryAgain, match=said):
        forge.requests()
    with pytest.raises(errors.TryAgain, match=said):
        forge.propose(proposal("b"))


def test_what_is_not_there_is_nothing(copies: Callable[[], Path]) -> None:
    """Of names that git does not know, or that are no commit, there is none; no error either."""
    repository = Repository(copies())
    main = repository.resolve(MAIN) or ""
    tree = repository.git("rev-parse", f"{main}^{{tree}}").decode().strip()
    assert [repository.resolve(one) for one in ("refs/heads/none", "none", "1" * 40, "a name", tree)] == [None] * 5
    alone = repository.commit(None, {"file": b""}, "alone\n", Person("ada"))
    assert repository.merge_base(main, alone) is None
    with pytest.raises(errors.TryAgain, match="merge-base failed"):
        repository.merge_base(main, "1" * 40)


def test_what_a_killed_process_left_is_removed(copies: Callable[[], Path]) -> None:
    """The index of a process that is no more goes with the next change; one that may be in use stays."""
    path = copies()
    dead, living = path / f"{repositories.INDEX}dead", path / f"{repositories.INDEX}living"
    for folder in (dead, living):
        folder.mkdir()
        (folder / "index").touch()
    os.utime(dead, (0, 0))
    LocalForge(path, TEMPLATE).propose(proposal("a"))
    assert [found.name for found in path.glob(f"{repositories.INDEX}*")] == [living.name]
