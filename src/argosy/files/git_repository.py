"""A bare git repository without a work tree, through git's own plumbing.

Objects are written first and seen by nobody; then one ref moves from a known value to a new one, or does not move. So a process that dies
leaves nothing or all of what it did. What the refs mean is the forge's business.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from argosy import errors
from argosy.domain.changes import TreeEntry

K = TypeVar("K")
V = TypeVar("V")

NOTHING = "0" * 40
NO = 1
"""The exit code with which git answers no; where it could not find out, it ends with another."""
OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""The id of an object: what it names is always the same, unlike what a ref does."""
REMEMBERED, REMEMBERED_BYTES = 256, 65536
"""As many listings, and as many contents of at most so many bytes, are remembered."""
SUBMODULE = "160000"
"""The mode of an entry that has no content here."""
STALE_SECONDS = 2.0
"""Age at which the lock file of a ref is a dead git's; a living one holds it for milliseconds."""
STALE_INDEX_SECONDS = 600.0
"""Age at which the folder of an index is a dead process's; a living one has it for as long as a few calls of git take."""
LOCK = "argosy.lock"
INDEX = "argosy-index-"
CONFIG = {
    # A request must survive the machine losing power once we said it is there.
    "core.fsync": "all",
    "core.logAllRefUpdates": "always",
    "gc.auto": "0",
}


class GitFailure(errors.TryAgain):
    """A call of git that ended with *code*, having *said* something."""

    def __init__(self, verb: str, code: int, said: str) -> None:
        super().__init__(f"git {verb} failed: {said or f'exit code {code}'}")
        self.code, self.said = code, said


def _remember(known: OrderedDict[K, V], key: K, value: V) -> None:
    """Keep *value* in *known*, in place of what came first where there are too many."""
    known[key] = value
    if len(known) > REMEMBERED:
        known.popitem(last=False)


@dataclass(frozen=True)
class Person:
    """Who a commit is by."""

    name: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[^<>\x00-\x1f\x7f]{1,100}", self.name) or not self.name.strip(" .,;:"):
            raise errors.UsageError(f"{self.name!r} cannot be a name in git")

    def environment(self) -> dict[str, str]:
        """The environment variables that git reads it from."""
        return {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", self.name), ("EMAIL", "argosy@localhost"))
        }


class Repository:
    """The repository at a path. What a commit holds never changes: where it was looked at before, that is remembered."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: OrderedDict[tuple[str, ...], dict[str, TreeEntry]] = OrderedDict()
        self._contents: OrderedDict[str, bytes] = OrderedDict()

    def create(self, files: Mapping[str, bytes], message: str, by: Person) -> None:
        """Make the repository with *files* on main, whole or not at all, unless it exists."""
        if self.path.exists():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{self.path.name}.", dir=self.path.parent) as scratch:
            made = Repository(Path(scratch) / "new.git")
            _run(["init", "--quiet", "--bare", "--initial-branch=main", str(made.path)])
            for key, value in CONFIG.items():
                made.git("config", key, value)
            made.move("refs/heads/main", made.commit(None, files, message, by), NOTHING)
            with contextlib.suppress(OSError):  # another process was first; its repository is as good as ours
                made.path.rename(self.path)
        if not self.path.exists():
            raise errors.TryAgain(f"cannot create the environment repo at {self.path}")

    def git(self, *arguments: str, text: str | bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        """Run git here with *text* as its input; returns its output. Raises TryAgain with what git said."""
        given = text.encode() if isinstance(text, str) else text
        return _run([f"--git-dir={self.path}", *arguments], given, environment)

    def resolve(self, name: str) -> str | None:
        """The commit that *name* is, or None where git knows none.

        Raises TryAgain where git cannot tell, or what *name* points at is broken.
        """
        try:
            return self.git("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}").decode().strip()
        except GitFailure as failure:
            # Only with this code does git say no; with any other it could not look. Of a ref that it cannot follow it says no, too.
            if failure.code != NO:
                raise
            if self._is_broken(name, failure.said):
                raise errors.TryAgain(
                    f"{self.path}: what {name} points at cannot be read; `git --git-dir={self.path} fsck` says what is broken, and a ref "
                    f"whose history is whole is brought back by `git reflog {name}` and `git update-ref`"
                ) from failure
            return None

    def _is_broken(self, name: str, said: str) -> bool:
        """True where *name*, of which git *said* that it is no commit, is a ref all the same."""
        if "broken ref" in said:
            return True
        if not name.startswith("refs/"):
            return False
        try:
            return bool(self.git("rev-parse", "--quiet", "--verify", name))
        except GitFailure as failure:
            if failure.code != NO:
                raise
            return "broken ref" in failure.said

    def listing(self, commit: str, *paths: str) -> dict[str, str]:
        """Path to blob id of every file of *commit* at or under *paths* (all where none is given)."""
        return {path: entry.blob for path, entry in self.entries(commit, *paths).items()}

    def entries(self, commit: str, *paths: str) -> dict[str, TreeEntry]:
        """Path to entry of every file of *commit* at or under *paths* (all where none is given)."""
        known = self._entries.get((commit, *paths))
        if known is None:
            # A name in git is bytes; what is no UTF-8 must still be one name, and no other's.
            output = self.git("ls-tree", "-r", "-z", commit, "--", *paths).decode(errors="surrogateescape")
            found = (entry.partition("\t") for entry in output.split("\0") if entry)
            known = {path: TreeEntry(*description.split()[0::2]) for description, _, path in found}
            if OBJECT.fullmatch(commit):
                _remember(self._entries, (commit, *paths), known)
        return dict(known)

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest commit that both have in their history, or None."""
        try:
            return self.git("merge-base", one, other).decode().strip()
        except GitFailure as failure:
            if failure.code != NO:
                raise
            return None

    def contents(self, blobs: Sequence[str]) -> list[bytes]:
        """The content of each of *blobs*, in order."""
        found = {blob: content for blob in blobs if (content := self._contents.get(blob)) is not None}
        if unread := [blob for blob in dict.fromkeys(blobs) if blob not in found]:
            found |= self._read(unread)
        return [found[blob] for blob in blobs]

    def _read(self, blobs: Sequence[str]) -> dict[str, bytes]:
        """Id to content of *blobs*."""
        output = self.git("cat-file", "--batch", text="".join(f"{blob}\n" for blob in blobs))
        found, position = {}, 0
        for blob in blobs:
            end = output.index(b"\n", position)
            size = int(output[position:end].split()[2])
            found[blob] = output[end + 1 : end + 1 + size]
            position = end + size + 2
            if size <= REMEMBERED_BYTES:
                _remember(self._contents, blob, found[blob])
        return found

    def files(self, commit: str, *paths: str) -> dict[str, bytes]:
        """Path to content of every file of *commit* at or under *paths*."""
        listing = {path: entry.blob for path, entry in self.entries(commit, *paths).items() if entry.mode != SUBMODULE}
        return dict(zip(listing, self.contents(list(listing.values())), strict=True))

    def commit(
        self,
        base: str | None,
        changes: Mapping[str, bytes | None],
        message: str,
        by: Person,
        also: Sequence[str] = (),
    ) -> str:
        """A commit on *base* (and the parents *also*) that sets each path of *changes* to its content, or removes it where that is None."""
        tree = self.tree(base, changes)
        parents = [argument for parent in [*([base] if base else []), *also] for argument in ("-p", parent)]
        created = self.git("commit-tree", tree, *parents, text=message, environment=by.environment())
        return created.decode().strip()

    def tree(self, base: str | None, changes: Mapping[str, bytes | None]) -> str:
        """The tree of *base* with *changes*."""
        with tempfile.TemporaryDirectory(prefix=INDEX, dir=self.path) as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            if base:
                self.git("read-tree", base, environment=index)
            blobs = self._blobs({path: content for path, content in changes.items() if content is not None}, scratch)
            lines = [f"100644 {blobs[path]}\t{path}" if path in blobs else f"0 {NOTHING}\t{path}" for path in changes]
            self.git(
                "update-index", "-z", "--index-info", text="".join(f"{line}\0" for line in lines), environment=index
            )
            return self.git("write-tree", environment=index).decode().strip()

    def _blobs(self, files: Mapping[str, bytes], scratch: str) -> dict[str, str]:
        if not files:
            return {}
        places = [Path(scratch) / f"blob-{number}" for number in range(len(files))]
        for place, content in zip(places, files.values(), strict=True):
            place.write_bytes(content)
        ids = self.git(
            "hash-object", "-w", "--no-filters", "--stdin-paths", text="".join(f"{place}\n" for place in places)
        )
        return dict(zip(files, ids.decode().split(), strict=True))

    def move(self, ref: str, new: str, old: str) -> bool:
        """Move *ref* from commit *old* (NOTHING: it does not exist) to *new*; False where it is elsewhere by now."""
        try:
            self.git("update-ref", "-m", "argosy", ref, new, old)
        except errors.TryAgain:
            if (self.resolve(ref) or NOTHING) == old:
                raise  # not a lost race: the disk, or the repository itself
            return False
        return True

    def outside(self, commits: Sequence[str], of: str) -> set[str]:
        """Those of *commits* that are not in the history of *of*."""
        if not commits:
            return set()
        found = self.git("rev-list", "--stdin", text="".join(f"{commit}\n" for commit in (*commits, f"^{of}")))
        return set(found.decode().split()) & set(commits)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the other writers of this machine off. Not what keeps the refs right (:meth:`move` is), but what keeps races rare."""
        try:
            with (self.path / LOCK).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._clear_stale()
                yield
        except FileNotFoundError as error:
            raise errors.Misconfigured(
                f"there is no environment repo at {self.path}; `argosy setup` makes one"
            ) from error

    def _clear_stale(self) -> None:
        """Remove what a git that was killed left: lock files, waiting for those that are too young to tell, and indexes."""
        for lock in [*self.path.glob("*.lock"), *(self.path / "refs").rglob("*.lock")]:
            while lock.name != LOCK and (age := _age(lock)) is not None:
                if age > STALE_SECONDS:
                    lock.unlink(missing_ok=True)
                time.sleep(0.05)
        for index in self.path.glob(f"{INDEX}*"):
            if (age := _age(index)) is not None and age > STALE_INDEX_SECONDS:
                shutil.rmtree(index, ignore_errors=True)


def _age(path: Path) -> float | None:
    """Seconds since *path* was written; None where it is gone."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return None


def _run(arguments: Sequence[str], text: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
    try:
        done = subprocess.run(
            ["git", *arguments], input=text, env=_environment(environment or {}), capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise errors.Misconfigured("git is not on PATH; the local environment repo needs git 2.36 or newer") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        if errors.says_disk_full(said):
            raise errors.LocalDisk(f"the disk takes no more of the environment repo: {said}; free space there")
        verb = next((argument for argument in arguments if not argument.startswith("-")), "")
        raise GitFailure(verb, done.returncode, said)
    return done.stdout


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without its git settings: what a person configured must not change what we write."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    return {**inherited, **quiet, **more}
