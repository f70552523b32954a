"""What may go of the model store: after any history, all that is served is still there, whole, and what has served its time is not."""

import datetime
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from argosy import errors
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.adapters.memory_forge import MemoryForge, Proposed
from argosy.domain import bundle as bundles
from argosy.domain import environment_layout, promotion_requests, release, snapshot_layout
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef, Evidence
from argosy.domain.promotion_requests import Request
from argosy.domain.second_file import SecondFile
from argosy.promotion import approval, key_uses, online_stores, retention, retiring
from argosy.promotion.standing import Main

BEGIN = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
DIGEST = sha256(b"")


class AgingStore:
    """A store in a folder, an environment repo, and a clock that can be set."""

    def __init__(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="retention-"))
        self.root, self.moves = self.place / "store", 0
        self.root.mkdir()
        self.artifacts = FileArtifacts(f"file://{self.root}")
        self.forge = MemoryForge({"policies/toy.yaml": b"model: toy\n"})
        self.now = BEGIN
        self.number = 0

    def train(self, model: str, term: int) -> release.Version:
        """A version of *model*, released for *term* days, its features and its bundle stored."""
        self.number += 1
        folder = self.place / "made" / str(self.number)
        (folder / "online").mkdir(parents=True)
        (folder / "online" / "online.db").write_text(str(self.number % 3))  # some share their features
        features = bundles.digest(folder / "online")
        online = release.OnlineStore(
            uri=self.artifacts.put(folder / "online", f"online/{model}/{features.removeprefix('sha256:')}"),
            digest=features,
        )
        (folder / "bundle").mkdir()
        (folder / "bundle" / "model.ubj").write_text(str(self.number))
        digest = bundles.digest(folder / "bundle")
        released = bundles.Release(
            model=model,
            model_digest=digest,
            counter=self.number,
            not_after=self.now + term * DAY,
            online_store=online,
        )
        released.write(folder / "bundle" / bundles.RELEASE)
        content = (folder / "bundle" / bundles.RELEASE).read_bytes()
        uri = self.artifacts.put(folder / "bundle", bundles.store_name(model, digest, content))
        return release.Version(
            model=model,
            version=self.number,
            model_digest=digest,
            storage_uri=uri,
            online_store=online,
            evidence_digest=DIGEST,
            policy_digest=DIGEST,
        )

    def serve(self, version: release.Version, environment: str) -> None:
        """Main names *version*."""
        self.forge.push({environment_layout.version_path(version.model, environment): version.yaml().encode()})

    def ask(self, version: release.Version, environment: str) -> int:
        """A request whose commit names *version*, and whose text is about something else."""
        number = len(self.forge.requests()) + 1
        claimed = Request(
            number=number,
            subject=promotion_requests.Subject(
                model="other", environment="staging", model_digest=DIGEST, version=1, policy_digest=DIGEST
            ),
            branch=f"promote/{number}",
            title="t",
            head=f"proposed-{number}",
            url="u",
            author="eve",
            opened_at="2026-01-01T00:00:00+00:00",
        )
        main = self.forge.head()
        files = dict(self.forge.contents(["models", "policies"], main))
        files[environment_layout.version_path(version.model, environment)] = version.yaml().encode()
        self.forge.offer(claimed, Proposed(main, files))
        return number

    def move(self) -> None:
        """The store is brought to another place; files in git name the old one."""
        self.moves += 1
        there = self.place / f"moved-{self.moves}"
        self.root.rename(there)
        self.root, self.artifacts = there, FileArtifacts(f"file://{there}")

    def collect(self) -> list[str]:
        """Remove what may go; the names."""
        found = [one for one in retention.judged(Main.now(self.forge), self.artifacts, self.now) if one.goes]
        for one in found:
            self.artifacts.remove(one.folder.name)
        return [one.folder.name for one in found]

    def demand(self, version: release.Version) -> None:
        """*version* verifies: bundle and features are those that its file names."""
        with tempfile.TemporaryDirectory() as folder:
            approval.fetch_proven_bundle(self.artifacts, version, Path(folder) / "bundle")
            assert version.online_store
            approval.fetch_online(self.artifacts, version, version.online_store, Path(folder) / "online")


class Histories(RuleBasedStateMachine):
    """Any history of trainings, requests, merges, retirements, holds and days."""

    versions = Bundle("versions")

    @initialize()
    def begin(self) -> None:
        """An empty store."""
        self.store = AgingStore()
        self.asked: dict[int, release.Version] = {}
        self.held: list[release.Version] = []

    def teardown(self) -> None:
        """Leave nothing."""
        if hasattr(self, "store"):
            shutil.rmtree(self.store.place)

    @rule(target=versions, model=st.sampled_from(["a", "b"]), term=st.integers(1, 40))
    def train(self, model: str, term: int) -> release.Version:
        """A pipeline stores a version."""
        return self.store.train(model, term)

    @rule()
    def move(self) -> None:
        """Somebody moves the state folder."""
        self.store.move()

    @rule(version=versions, environment=st.sampled_from(environment_layout.ENVIRONMENTS))
    def serve(self, version: release.Version, environment: str) -> None:
        """A version is merged, unless it is gone: nobody can merge that, as its signature cannot be checked."""
        if self._is_there(version):
            self.store.serve(version, environment)

    @rule(version=versions, environment=st.sampled_from(environment_layout.ENVIRONMENTS))
    def ask(self, version: release.Version, environment: str) -> None:
        """A request is opened, whatever it calls itself."""
        if self._is_there(version):
            self.asked[self.store.ask(version, environment)] = version

    @rule()
    def close(self) -> None:
        """The oldest open request is closed."""
        if self.asked:
            number = min(self.asked)
            del self.asked[number]
            self.store.forge.close(number, by="ada", reason="no")

    @rule(model=st.sampled_from(["a", "b"]), environment=st.sampled_from(environment_layout.ENVIRONMENTS))
    def retire(self, model: str, environment: str) -> None:
        """An environment serves it no more."""
        self.store.forge.push({environment_layout.version_path(model, environment): None})

    @rule(version=versions)
    def hold(self, version: release.Version) -> None:
        """A court wants it kept."""
        if self._is_there(version):
            self.held.append(version)
            path = environment_layout.hold_path(version.model, version.model_digest)
            self.store.forge.push({path: b"case 7\n"})

    @rule(days=st.integers(1, 60))
    def wait(self, days: int) -> None:
        """Time passes."""
        self.store.now += days * DAY

    @rule()
    def collect(self) -> None:
        """Somebody collects, and once more at once."""
        self.store.collect()
        assert self.store.collect() == []

    @invariant()
    def what_is_needed_is_there(self) -> None:
        """What is served, asked for, or held still verifies."""
        if not hasattr(self, "store"):
            return
        main = Main.now(self.store.forge)
        for model in ("a", "b"):
            for environment in environment_layout.ENVIRONMENTS:
                if version := main.version(model, environment):
                    self.store.demand(version)
        for version in [*self.asked.values(), *self.held]:
            self.store.demand(version)

    def _is_there(self, version: release.Version) -> bool:
        name = bundles.name_in_store(version.storage_uri)
        return self.store.artifacts.read(name, "model.ubj") is not None


Histories.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestHistories = Histories.TestCase


@pytest.fixture
def store() -> AgingStore:
    """A store."""
    return AgingStore()


def test_what_has_served_its_time_goes(store: AgingStore) -> None:
    """Expired and named by nobody: bundle and features go, those that another needs stay."""
    versions = [store.train("toy", 10) for _ in range(4)]  # the first and the last share their features
    store.serve(versions[3], "production")
    store.now += 16 * DAY
    assert store.collect() == []  # a week after its term
    store.now += 2 * DAY
    gone = store.collect()
    assert sum(name.startswith("models/") for name in gone) == 3
    assert sum(name.startswith("online/") for name in gone) == 2
    store.demand(versions[3])


def test_what_is_served_stays_in_a_store_that_moved(store: AgingStore) -> None:
    """Main names the place where the store lay; long after its term the version that it serves is still needed."""
    version = store.train("toy", 1)
    store.serve(version, "production")
    store.move()
    store.now += 400 * DAY
    assert store.collect() == []
    store.demand(version)


def test_a_second_version_stays(store: AgingStore) -> None:
    """A shadow is fetched by every pod that starts: its bundle stays for as long as main names it."""
    first, second = store.train("toy", 900), store.train("toy", 1)
    store.serve(first, "production")
    said = SecondFile(
        role="shadow", percent=10, version=second.version, model_digest=second.model_digest,
        storage_uri=second.storage_uri, signature="signed",
    )  # fmt: skip
    path = environment_layout.second_path("toy", "production")
    store.forge.push({path: said.yaml().encode()})
    store.now += 400 * DAY
    found = {
        one.folder.uri.rstrip("/"): one for one in retention.judged(Main.now(store.forge), store.artifacts, store.now)
    }
    assert found[second.storage_uri.rstrip("/")].why == "shadow in production"


@pytest.mark.parametrize("path", [environment_layout.hold_path("toy"), None])
def test_a_hold_says_why(store: AgingStore, path: str | None) -> None:
    """Of a model, or of one version, in the words of whoever holds it."""
    version = store.train("toy", 1)
    store.forge.push(
        {path or environment_layout.hold_path("toy", version.model_digest): b"case 7, until the court says\n"}
    )
    store.forge.push({"models/toy/values.yaml": b"model: toy\n"})
    store.now += 400 * DAY
    found = list(retention.judged(Main.now(store.forge), store.artifacts, store.now))
    assert not any(one.goes for one in found)
    assert any("case 7, until the court says" in one.why for one in found)


def test_what_a_request_says_of_itself_keeps_nothing_from_counting(store: AgingStore) -> None:
    """Its features are needed, the retirement of its model waits for it, whatever model and environment its text names."""
    version = store.train("toy", 90)
    number = store.ask(version, "production")
    assert version.online_store
    assert online_stores.named(store.forge, [])[version.online_store.digest] == [f"request {number}"]
    main = Main.now(store.forge)
    assert [one.number for one in retiring.hindrances(main, "toy", "staging")] == [number]
    assert retiring.hindrances(main, "other", "staging") == []
    assert [use.what for use in key_uses.waiting(main)] == [f"request #{number}, t"]


def test_what_cannot_be_read_stays(store: AgingStore) -> None:
    """A release that is no release has no term; a version file that is none stops everything."""
    version = store.train("toy", 1)
    [folder] = store.artifacts.folders("models/")
    (store.place / "store" / folder.name / bundles.RELEASE).write_text("{}")
    store.now += 400 * DAY
    assert [name for name in store.collect() if name.startswith("models/")] == []
    store.forge.push({environment_layout.version_path("toy", "staging"): b"model: [\n"})
    with pytest.raises(errors.Misconfigured):
        store.collect()
    assert version.storage_uri.endswith(f"{folder.name}/")


def evidence_of(model: str, snapshot: str) -> bytes:
    """Evidence that says which data its model was trained on."""
    return Evidence(
        model=model, task="binary", model_digest=DIGEST, snapshot_digest=snapshot, policy_digest=DIGEST,
        champion=ChampionRef(model=model, policy_digest=DIGEST), rows_train=1, rows_holdout=1, metrics={}, gates=[],
        verdict="promote", explanation="it is better",
    ).canonical_json().encode()  # fmt: skip


def test_data_that_a_model_needs_stays(store: AgingStore) -> None:
    """What a served and a proposed model were trained on, the newest, held and young data; all else goes after so many days."""
    digests = {name: sha256(name.encode()) for name in ("served", "proposed", "held", "old", "newest")}
    for name, digest in digests.items():
        folder = store.place / name
        folder.mkdir()
        (folder / "manifest.json").write_text(name)
        model = "held" if name == "held" else "toy"
        store.artifacts.put(folder, snapshot_layout.store_name(model, digest))
        place = store.place / "store" / snapshot_layout.store_name(model, digest)
        os.utime(place, (stamp := BEGIN.timestamp() + list(digests).index(name), stamp))
    version = store.train("toy", 900)
    path = environment_layout.evidence_path("toy", "production")
    store.forge.push({path: evidence_of("toy", digests["proposed"])})
    store.ask(version, "production")
    store.forge.push({path: evidence_of("toy", digests["served"]), environment_layout.hold_path("held"): b"case 7\n"})
    store.serve(version, "production")

    def gone(days: int, kept_for: int) -> list[str]:
        found = retention.judged_snapshots(
            Main.now(store.forge), store.artifacts, BEGIN + days * DAY, kept_for * DAY, []
        )
        hexes = {digest.removeprefix("sha256:"): name for name, digest in digests.items()}
        return [hexes[one.folder.name.rpartition("/")[2]] for one in found if one.goes]

    assert gone(6, 1) == []
    assert gone(8, 30) == []
    assert gone(31, 30) == ["old"]


@pytest.mark.parametrize(
    ("readable", "why"),
    [
        pytest.param(
            True, "which production served, was trained on it, and its bundle stays: may be served until", id="read"
        ),
        pytest.param(False, "nobody knows what version 1 was trained on, and its bundle stays: ", id="unreadable"),
    ],
)
def test_data_stays_as_long_as_a_model_that_was_made_of_it(store: AgingStore, *, readable: bool, why: str) -> None:
    """Main names another version by now, which may be taken back: whose bundle stays, its data does; with the bundle it may go.

    Evidence of then that cannot be read, which nobody can mend, keeps nothing else from being collected.
    """
    digest = sha256(b"before")
    folder = store.place / "before"
    folder.mkdir()
    (folder / "manifest.json").write_text("before")
    store.artifacts.put(folder, snapshot_layout.store_name("toy", digest))
    os.utime(store.place / "store" / snapshot_layout.store_name("toy", digest), (BEGIN.timestamp() - 1,) * 2)
    (folder / "manifest.json").write_text("newest")
    store.artifacts.put(folder, snapshot_layout.store_name("toy", sha256(b"newest")))
    path = environment_layout.evidence_path("toy", "production")
    first, second = store.train("toy", 90), store.train("toy", 900)
    store.forge.push({path: evidence_of("toy", digest) if readable else b"{"})
    store.serve(first, "production")
    store.forge.push({path: evidence_of("toy", sha256(b"newest"))})
    store.serve(second, "production")

    def fate(days: int) -> retention.FolderFate:
        now = BEGIN + days * DAY
        bundles = list(retention.judged(Main.now(store.forge), store.artifacts, now))
        found = retention.judged_snapshots(Main.now(store.forge), store.artifacts, now, 30 * DAY, bundles)
        return next(one for one in found if one.folder.name == snapshot_layout.store_name("toy", digest))

    assert why in fate(80).why
    assert fate(98).goes
