"""What steps read and make, told by events of OpenLineage: whole, held to the published schemas, and never in the way of a run."""

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.adapters.open_lineage import OpenLineageReceiver
from argosy.domain import lineage_events
from argosy.domain.data import FeatureColumn, FeatureSchema, SnapshotManifest, SourceLineage, TableManifest
from argosy.domain.source_settings import Source
from argosy.monitoring import told_runs
from kit.web_server import Answer, web_server

DIGEST = f"sha256:{'0' * 64}"
MANIFEST = SnapshotManifest(
    model="toy",
    tables=[
        TableManifest(source="rows", path="rows.parquet", digest=DIGEST, rows=3, bytes=99, columns={"id": "string"})
    ],
)
READ = SourceLineage(
    source="rows",
    location="postgresql://there:5432/crm",
    location_digest=DIGEST,
    rows_read=3,
    rows_kept=3,
    rows_rejected=0,
    rejected_by_reason={},
    bytes_read=10,
    seconds=0.1,
)
FEATURES = FeatureSchema(
    features=[FeatureColumn(name="x", type="number", view="v")],
    context=[],
    join_keys=["id"],
    rows_train=2,
    rows_holdout=1,
    online_digest=DIGEST,
)


def source(**place: Any) -> Source:
    """A source of ids at a place."""
    columns = [{"name": "id", "type": "string", "meaning": "Which one."}]
    return Source.model_validate(
        {"name": "rows", "entity": ["id"], "observed_at": "2020-01-01T00:00:00Z", "columns": columns, **place}
    )


class Kept:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []

    def tell(self, event: Mapping[str, Any]) -> None:
        """See the port."""
        self.events.append(event)


def whole() -> list[Mapping[str, Any]]:
    """The events of a step that read and made all there is."""
    kept = Kept()
    with told_runs.told(kept, "toy", "ingest") as told:
        told.inputs.append(lineage_events.of_source(source(sql={"secret": "crm", "table": "public.calls"}), READ))
        told.outputs += lineage_events.of_snapshot("s3://bucket/store", MANIFEST)
        told.outputs.append(lineage_events.of_features("file:///home/store", "toy", DIGEST, FEATURES))
        told.outputs.append(lineage_events.of_model("s3://bucket", "toy", DIGEST))
    return kept.events


def test_a_run_is_told_from_beginning_to_end() -> None:
    """One run: START, then COMPLETE with what it read and made, by names that stay, with digests for versions and rows counted."""
    start, end = whole()
    assert [start["eventType"], end["eventType"]] == ["START", "COMPLETE"]
    assert start["run"]["runId"] == end["run"]["runId"] == str(uuid.UUID(end["run"]["runId"]))
    assert (end["job"]["namespace"], end["job"]["name"]) == ("argosy", "toy.ingest")
    (read,) = end["inputs"]
    assert (read["namespace"], read["name"]) == ("postgres://there:5432", "crm.public.calls")
    assert [field["name"] for field in read["facets"]["schema"]["fields"]] == ["id"]
    assert [(each["namespace"], each["name"]) for each in end["outputs"]] == [
        ("s3://bucket", "store/snapshots/toy/rows"), ("file", "/home/store/features/toy"), ("s3://bucket", "models/toy"),
    ]  # fmt: skip
    snapshot = end["outputs"][0]
    assert snapshot["facets"]["version"]["datasetVersion"] == MANIFEST.content_digest()
    assert (
        snapshot["outputFacets"]["outputStatistics"] | {"rowCount": 3, "size": 99}
        == snapshot["outputFacets"]["outputStatistics"]
    )


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        pytest.param(errors.Rejected("column 'x' is gone\nand more"), "FAIL", id="failure"),
        pytest.param(KeyboardInterrupt(), "ABORT", id="stopped"),
    ],
)
def test_a_run_that_does_not_end_well(raised: BaseException, kind: str) -> None:
    """It is said how it ended, in one line, and the failure goes its way."""
    kept = Kept()
    with pytest.raises(type(raised)), told_runs.told(kept, "toy", "ingest"):
        raise raised
    assert kept.events[-1]["eventType"] == kind
    if kind == "FAIL":
        assert kept.events[-1]["run"]["facets"]["errorMessage"]["message"] == "column 'x' is gone"


def test_who_listens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A server gets each event by itself, a file a line each; one that fails costs a line of the log and nothing else."""
    start, end = whole()
    with web_server({"/api/v1/lineage": Answer(status=201)}) as web:
        receiver = OpenLineageReceiver(f"{web.url}/api/v1/lineage")
        receiver.tell(start)
        receiver.tell(end)
        OpenLineageReceiver(f"{web.url}/elsewhere?key=sesame").tell(start)
        posted = [asked for asked in web.asked if asked.path == "/api/v1/lineage"]
    assert [json.loads(asked.body) for asked in posted] == [start, end]
    file = OpenLineageReceiver(f"file://{tmp_path}/lineage/events.jsonl")
    file.tell(start)
    file.tell(end)
    lines = (tmp_path / "lineage" / "events.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [start, end]
    OpenLineageReceiver("http://127.0.0.1:1/api/v1/lineage").tell(start)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all(line.startswith("the lineage of this step was not told (ARGOSY_LINEAGE_URI): ") for line in said)
    assert "sesame" not in "".join(said)
    with pytest.raises(errors.Misconfigured, match="ARGOSY_LINEAGE_URI is 'kafka://there'"):
        OpenLineageReceiver("kafka://there")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        pytest.param("/data/rows.csv", ("file", "/data/rows.csv"), id="path"),
        pytest.param("s3://bucket/raw/rows.csv", ("s3://bucket", "raw/rows.csv"), id="bucket"),
        pytest.param("kafka://there:9092/calls", ("kafka://there:9092", "calls"), id="topic"),
        pytest.param("mariadb://there:3306/shop", ("mysql://there:3306", "shop"), id="mariadb"),
        pytest.param("https://there.example/rates.csv", ("https://there.example", "rates.csv"), id="web"),
    ],
)
def test_names_are_those_of_openlineage(location: str, expected: tuple[str, str]) -> None:
    """So that what other tools tell of the same data is about the same dataset."""
    assert lineage_events.place(location) == expected


def test_events_hold_the_published_schemas() -> None:
    """Each event, and each facet by the schema that it names."""
    named = os.environ.get("OPENLINEAGE_SPEC") or pytest.skip("OPENLINEAGE_SPEC names no folder `spec` of OpenLineage")
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing")
    documents = [json.loads(file.read_text()) for file in Path(named).rglob("*.json") if "tests" not in file.parts]
    resources = [(each["$id"], referencing.Resource.from_contents(each)) for each in documents if "$id" in each]
    registry = referencing.Registry().with_resources(resources)
    kept = Kept()
    with pytest.raises(errors.TryAgain), told_runs.told(kept, "toy", "ingest"):
        raise errors.TryAgain("nobody answers")
    for event in [*whole(), *kept.events]:
        jsonschema.Draft202012Validator({"$ref": event["schemaURL"]}, registry=registry).validate(event)
        facets = [*event["run"]["facets"].values(), *event["job"]["facets"].values()]
        for dataset in (*event["inputs"], *event["outputs"]):
            facets += [*dataset["facets"].values(), *dataset.get("outputFacets", {}).values()]
        assert facets
        for facet in facets:
            jsonschema.Draft202012Validator({"$ref": facet["_schemaURL"]}, registry=registry).validate(facet)
