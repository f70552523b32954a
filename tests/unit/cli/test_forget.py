"""`argosy forget`: one person is gone from wherever we keep data, by a search of the bytes; the others are all there."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors, wiring
from argosy.adapters import keys
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.adapters.file_objects import FileObjects
from argosy.adapters.segment_log import layout, segments
from argosy.adapters.segment_log.shipper_thread import ThreadShipper
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.cli import forget, main
from argosy.domain import pseudonyms
from argosy.domain.data import SnapshotManifest, TableManifest
from argosy.domain.documents import sha256
from argosy.domain.erasures import Erasure, Tombstone
from argosy.engine.state import locks, sweeping, trees
from argosy.monitoring import forgetting
from argosy.monitoring.accepted_snapshots import AcceptedSnapshots
from argosy.ports.prediction_log import Prediction, ServedRelease
from argosy.promotion.standing import Main
from argosy.settings import Settings
from argosy.testing.prediction_log_contract import FEATURES, prediction
from kit.examples import make_settings

ADA, BOB = "ada-lovelace", "bob"
SERVED = ServedRelease("toy", "production", 1, "sha256:" + "1" * 64)
ONLINE = f"online/toy/{'c' * 64}"
FORGET = ["forget", "toy", ADA]


@pytest.fixture
def home(here: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder that knows Ada and Bob: two snapshots, a log that is shipped, an artifact, an answer that names it."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))
    monkeypatch.chdir(here.data_root)
    keys.ensure_secret(here.hash_key)
    columns = [
        {"name": "id", "type": "string", "meaning": "Who.", "personal": True},
        {"name": "x", "type": "integer", "meaning": "What."},
    ]
    sources = [
        {
            "name": "rows",
            "file": "rows.csv",
            "entity": ["id"],
            "observed_at": "2020-01-01T00:00:00Z",
            "columns": columns,
        }
    ]
    label = {"source": "rows", "sql": "x > 1", "classes": ["few", "many"], "columns": ["x"]}
    make_settings("binary", ["few", "many"], "auc", sources=sources, label=label, entity=["id"]).write(
        Path("workflows/toy/model.yaml")
    )
    keep(here, {ADA: 1, BOB: 2})
    keep(here, {BOB: 2})
    log(here, [ADA, BOB, ADA])
    artifact = here.home / "objects" / "aa" / ("a" * 64)
    artifact.mkdir(parents=True)
    pq.write_table(pa.table({"id": [BOB, ADA], "x": [1, 2]}), artifact / "rows.parquet")
    write(here.home / "objects" / "bb" / ("b" * 64), BOB)
    online = here.home.parent / "online"
    write(online / "online.db", f"\0id{ADA}contract\0")
    wiring.artifacts(here).put(online, ONLINE)
    write(here.home / "cache" / "cc" / "answer.json", json.dumps({"digest": f"sha256:{'a' * 64}"}))
    write(here.home / "cache" / "dd" / "answer.json", json.dumps({"digest": f"sha256:{'b' * 64}"}))
    return here.home


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def keep(here: Settings, rows: dict[str, int]) -> str:
    """Accept a snapshot of *rows*, a second after all before it; its digest."""
    place = here.home.parent / f"snapshot-{len(rows)}"
    place.mkdir()
    pq.write_table(pa.table({"id": list(rows), "x": list(rows.values())}), place / "rows.parquet")
    content = (place / "rows.parquet").read_bytes()
    table = TableManifest(
        source="rows", path="rows.parquet", digest=sha256(content), rows=len(rows), bytes=len(content), columns={}
    )
    manifest = SnapshotManifest(model="toy", tables=[table])
    manifest.write(place / "manifest.json")
    store = AcceptedSnapshots(wiring.artifacts(here), "toy")
    store.accept(place, manifest.content_digest())
    return manifest.content_digest()


def log(here: Settings, people: list[str]) -> None:
    """Log an answer about each of *people*, and ship it."""
    objects = wiring.objects(here, here.predictions_uri)
    made = SegmentLog(here.spool.folder, ThreadShipper(here.spool.folder, objects), SERVED, FEATURES)
    made.append(answers(here, people))
    made.close()


def answers(here: Settings, people: list[str]) -> list[Prediction]:
    key = wiring.hash_key(here)
    return [
        dataclasses.replace(prediction(number), entity=pseudonyms.hashed({"id": each}, key))
        for number, each in enumerate(people)
    ]


def traces(here: Settings, person: str) -> list[str]:
    """Every file of the state folder in which *person* can be found, by id or by hash, in bytes or in the columns of a table."""
    wanted = [person.encode(), pseudonyms.hashed({"id": person}, wiring.hash_key(here)).encode()]
    return [
        str(path.relative_to(here.home))
        for path in _files(here.home)
        if any(each in _readable(path) for each in wanted)
    ]


def proofs_of(home: Path) -> list[Erasure]:
    """The proofs that are kept, oldest first."""
    return [Erasure.read(path) for path in sorted((home / "monitoring" / "erasures" / "toy" / "proofs").glob("*"))]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _readable(path: Path) -> bytes:
    content = path.read_bytes()
    if content[:4] == b"PAR1":
        content += repr(pq.read_table(path).to_pylist()).encode()
    return content


def test_it_changes_nothing_unless_it_is_asked_to(
    home: Path, here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """What holds the person is listed, each place once; nothing is erased, and nothing proves that it was."""
    before = {path: path.read_bytes() for path in _files(home)}
    assert main.run(FORGET) == 0
    said = capsys.readouterr().out
    assert [line.split(":")[0] for line in said.splitlines()[:-1]] == [
        "holds  predictions", "holds  snapshot", "holds  artifact", "holds  answer", "holds  online features",
    ]  # fmt: skip
    assert "(2 rows)" in said.splitlines()[0]
    assert said.endswith("5 places hold it (--delete erases it)\n")
    assert {path: path.read_bytes() for path in before} == before
    assert list((home / "monitoring").rglob("erasures")) == []


def test_one_person_is_gone_and_nobody_else(home: Path, here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Of Bob all is there, but for an artifact that he shared; the newest snapshot is the newest still."""
    assert traces(here, ADA) != []
    newest = AcceptedSnapshots(wiring.artifacts(here), "toy").newest()
    assert main.run([*FORGET, "--delete", "--json"]) == 0
    proof = Erasure.model_validate_json(capsys.readouterr().out)
    # The proof alone knows the hash: who has the key can find it again, nobody else.
    proofs = [path for path in traces(here, ADA) if not path.startswith("monitoring/erasures/")]
    assert proofs == []
    assert ADA not in proof.canonical_json()
    assert {(part.kind, part.rows, part.done) for part in proof.parts} == {
        ("predictions", 2, True), ("snapshot", 1, True), ("artifact", 0, True), ("answer", 0, True),
        ("online features", 0, True),
    }  # fmt: skip
    logged = [*wiring.prediction_history(here).read("toy", "production")]
    assert [one.table.num_rows for one in logged] == [1]
    assert (home / "objects" / "bb" / ("b" * 64)).exists()
    assert (home / "cache" / "dd" / "answer.json").exists()
    found = AcceptedSnapshots(wiring.artifacts(here), "toy").newest()
    assert newest is not None
    assert found is not None
    assert found[0] == newest[0]


def test_a_snapshot_without_the_person_is_whole(
    home: Path, here: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Its manifest says what is in it, under a digest of its own; the old one has a tombstone that leads there."""
    main.run([*FORGET, "--delete", "--json"])
    part = next(each for each in Erasure.model_validate_json(capsys.readouterr().out).parts if each.kind == "snapshot")
    assert part.replaced_by is not None
    stored = AcceptedSnapshots(wiring.artifacts(here), "toy").find(part.replaced_by)
    assert stored is not None
    wiring.artifacts(here).get(stored.uri, tmp_path / "got")
    table = SnapshotManifest.read(tmp_path / "got" / "manifest.json").tables[0]
    content = (tmp_path / "got" / table.path).read_bytes()
    assert (table.rows, table.bytes, table.digest) == (1, len(content), sha256(content))
    old = f"sha256:{part.place.rpartition('/')[2]}"
    stone = wiring.objects(here, here.monitoring_uri).get(f"erasures/toy/snapshots/{old[7:]}.json")
    assert stone is not None
    assert Tombstone.model_validate_json(stone).replaced_by == part.replaced_by


def test_again_finds_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And of somebody who was never there, too."""
    main.run([*FORGET, "--delete"])
    capsys.readouterr()
    assert main.run([*FORGET, "--delete"]) == 0
    assert capsys.readouterr().out == "nothing holds it\n"
    assert main.run(["forget", "toy", "id=nobody", "--delete"]) == 0
    assert capsys.readouterr().out == "nothing holds it\n"


@pytest.mark.parametrize("at", range(12))
def test_killed_anywhere_it_goes_on(home: Path, here: Settings, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Wherever something is put or removed, the next one finishes: all is gone, and the newest snapshot is the newest."""
    newest = AcceptedSnapshots(wiring.artifacts(here), "toy").newest()
    steps = iter(range(at))

    def dying(whole: Callable[..., Any]) -> Callable[..., Any]:
        def method(*given: Any) -> Any:
            if next(steps, None) is None:
                raise KeyboardInterrupt
            return whole(*given)

        return method

    with monkeypatch.context() as patched:
        for target, name in (
            (FileArtifacts, "put"),
            (FileArtifacts, "remove"),
            (FileObjects, "put"),
            (trees, "remove"),
        ):
            patched.setattr(target, name, dying(getattr(target, name)))
        assert main.run([*FORGET, "--delete"]) == errors.INTERRUPTED
    assert main.run([*FORGET, "--delete"]) == errors.DONE
    assert [path for path in traces(here, ADA) if not path.startswith("monitoring/erasures/")] == []
    found = AcceptedSnapshots(wiring.artifacts(here), "toy").newest()
    assert newest is not None
    assert found is not None
    assert found[0] == newest[0]


def test_what_a_server_still_writes_stays_and_is_said(
    home: Path, here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody else may write there: the code says that something is left, and once the server is done it is gone."""
    spool = layout.Spool(here.spool.folder)
    segment = segments.Segment(spool, segments.header(SERVED, FEATURES))
    segment.append([answers(here, [ADA, BOB])])
    assert main.run([*FORGET, "--delete"]) == errors.TryAgain.exit_code
    assert "holds  predictions: " in (said := capsys.readouterr().out)
    assert "(1 row): a server writes there" in said
    segment.close()
    assert main.run([*FORGET, "--delete"]) == errors.DONE
    assert [path for path in traces(here, ADA) if not path.startswith("monitoring/erasures/")] == []
    assert sum(one.table.num_rows for one in wiring.prediction_history(here).read("toy", "production")) == 2


def test_a_run_that_is_under_way_may_read_it(home: Path, here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Its artifacts stay until it is over; what comes before is erased already, and the next time the rest is."""
    with locks.shared(here.home / sweeping.LOCK):
        assert main.run([*FORGET, "--delete"]) == errors.TryAgain.exit_code
    assert "a run is under way on this machine" in capsys.readouterr().err
    # Those are not found again, so that the proof of them is kept before the rest fails.
    assert [{part.kind for part in each.parts} for each in proofs_of(home)] == [{"predictions", "snapshot"}]
    assert main.run([*FORGET, "--delete"]) == errors.DONE
    assert len(proofs_of(home)) == 2


def test_a_proof_of_many_parts_is_kept_when_it_fails(
    home: Path, here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not written anew for each of thousands; what comes since the last time is kept where the rest fails."""
    monkeypatch.setattr(forget, "_is_kept_now", lambda _count: False)
    with locks.shared(here.home / sweeping.LOCK):
        assert main.run([*FORGET, "--delete"]) == errors.TryAgain.exit_code
    assert [len(each.parts) for each in proofs_of(home)] == [2]


def test_two_people_at_once_take_turns(home: Path, here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Each would write anew a segment with whom the other had just left out of it."""
    with locks.alone(here.home / forget.LOCK):
        assert main.run(FORGET) == 0
        assert main.run([*FORGET, "--delete"]) == errors.TryAgain.exit_code
    assert "somebody else is erased on this machine just now" in capsys.readouterr().err
    assert proofs_of(home) == []


def test_a_number_is_found_however_its_digits_are_typed(
    home: Path, here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log knows 7, and so do tables."""
    settings = Path("workflows/toy/model.yaml")
    given = json.loads(settings.read_text(encoding="utf-8"))
    given["sources"][0]["columns"][0]["type"] = "integer"
    settings.write_text(json.dumps(given), encoding="utf-8")
    pq.write_table(pa.table({"id": [7, 8], "x": [1, 2]}), here.home / "objects" / "aa" / ("a" * 64) / "rows.parquet")
    assert main.run(["forget", "toy", "007"]) == 0
    assert "holds  artifact: " in capsys.readouterr().out


def test_what_is_served_stays_until_it_is_not(
    home: Path, here: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its features are part of what was signed: the environment is named, and the code says that something is left."""
    store = SimpleNamespace(uri=next(iter(wiring.artifacts(here).folders("online/"))).uri)
    served: Any = SimpleNamespace(
        version=lambda _model, _where: SimpleNamespace(online_store=store), evidence=lambda _model, _where: None
    )
    with monkeypatch.context() as patched:
        patched.setattr(Main, "now", lambda _forge: served)
        assert main.run([*FORGET, "--delete"]) == errors.TryAgain.exit_code
    assert f"{ONLINE}: production serves it; run this again" in capsys.readouterr().out
    assert main.run([*FORGET, "--delete"]) == errors.DONE
    assert [path for path in traces(here, ADA) if not path.startswith("monitoring/erasures/")] == []


def test_served_models_are_named() -> None:
    """Those whose evidence is of a snapshot that the person was in, where they are served."""
    served = SimpleNamespace(version=4, model_digest="sha256:m")
    evidence = {
        "staging": SimpleNamespace(snapshot_digest="sha256:b"),
        "production": SimpleNamespace(snapshot_digest="sha256:a"),
    }
    main_branch: Any = SimpleNamespace(
        version=lambda _model, _where: served, evidence=lambda _model, where: evidence[where]
    )
    found = forgetting.served_on(main_branch, "toy", {"sha256:a"})
    assert [(one.environment, one.version, one.snapshot_digest) for one in found] == [("production", 4, "sha256:a")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["toy", "key=ada"], "toy knows an entity by id; name it by id=VALUE", id="another-key"),
        pytest.param(["toy", "ada", "bob"], "toy knows an entity by id", id="two-people"),
        pytest.param(["toyy", "ada"], "there is no model 'toyy'", id="no-such-model"),
    ],
)
def test_slips(home: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    """One line, and nothing was looked at."""
    assert main.run(["forget", *words]) == 2
    assert said in capsys.readouterr().err


class TestElsewhere:
    """What is neither in a store of ours nor in the home: results of scoring, and sources; and measures, in which nobody is named."""

    @pytest.fixture
    def results(self, home: Path, here: Settings) -> Path:
        """A part of a scoring, with what became of it in its metadata, and the person's measures."""
        assert home == here.home
        file = here.data_root / "results" / "version=1" / "part.parquet"
        file.parent.mkdir(parents=True)
        table = pa.table({"id": [ADA, BOB], "prediction": [0.1, 0.2]})
        with pq.ParquetWriter(file, table.schema) as writer:
            writer.write_table(table)
            writer.add_key_value_metadata({"argosy.scored": json.dumps({"scored": 2, "of": "it's"})})
        measures(here)
        return file

    def test_results_and_measures(self, results: Path, here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        """The rows are gone, what the file says of itself is not; measures go whole, and those that come after are others'."""
        asked = [*FORGET, "--results", str(here.data_root / "results")]
        assert main.run(asked) == 0
        assert {"holds  results", "holds  measures"} <= {
            each.split(":")[0] for each in capsys.readouterr().out.splitlines()
        }
        assert main.run([*asked, "--delete"]) == errors.DONE
        written = pq.ParquetFile(results)
        assert written.read().to_pylist() == [{"id": BOB, "prediction": 0.2}]
        assert json.loads(written.metadata.metadata[b"argosy.scored"]) == {"scored": 2, "of": "it's"}
        assert [*wiring.objects(here, here.monitoring_uri).keys("measures/")] == []
        measures(here)
        capsys.readouterr()
        assert main.run([*asked, "--delete"]) == errors.DONE
        assert capsys.readouterr().out == "nothing holds it\n"

    def test_results_in_a_database(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Are deleted where they are; that is said, not passed over, and before anything is erased."""
        assert main.run([*FORGET, "--delete", "--results", "sql://warehouse/scores"]) == errors.UsageError.exit_code
        assert proofs_of(home) == []
        assert "rows of a database are deleted there" in capsys.readouterr().err

    def test_a_source_is_named_and_stays(self, home: Path, here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        """It is not ours; while the person is there, measures may be of the person again, and the code says that something is left."""
        assert home == here.home
        source = here.data_root / "data" / "toy" / "rows.csv"
        write(source, f"id,x\n{BOB},2\n{ADA},1\n")
        write(source.with_name("empty.csv"), "")
        with (compressed := source.with_name("rows.avro")).open("wb") as stream:
            key = {"type": "record", "name": "Row", "fields": [{"name": "id", "type": "string"}]}
            fastavro.writer(stream, key, [{"id": each} for each in (BOB, ADA)], codec="deflate")
        measures(here)
        assert main.run([*FORGET, "--delete"]) == errors.TryAgain.exit_code
        told = capsys.readouterr().out
        for name in ("rows.avro", "rows.csv"):
            assert f"holds  source: data/toy/{name}: it is yours to change" in told
        compressed.unlink()
        measures(here)
        write(source, f"id,x\n{BOB},2\n")
        assert main.run([*FORGET, "--delete"]) == errors.DONE
        assert [*wiring.objects(here, here.monitoring_uri).keys("measures/")] == []
        measures(here)
        capsys.readouterr()
        assert main.run(FORGET) == errors.DONE
        assert capsys.readouterr().out == "nothing holds it\n"


def measures(here: Settings) -> None:
    """Keep what somebody measured of a part of a table."""
    wiring.objects(here, here.monitoring_uri).put(f"measures/{'e' * 64}.json", b"{}")
