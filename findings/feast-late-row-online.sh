#!/usr/bin/env bash
# Feast 0.67.0: a row that comes late replaces a newer one in the SQLite online store, and of equal times training and serving take
# different rows.
#
# Guess: the online store has what a point-in-time join as of now finds: of two rows of an entity the newer, and of two with one time the
# same one on both sides. Seen: `write_to_online_store` of a row of last year takes the place of today's; the join still answers today's. Of
# two rows with one time the file source's join takes the last, its materialize() the first. Each is training-serving skew that no type and
# no schema shows.
#
# What Argosy does about it: an online store is published whole, made of the snapshot that was trained on, and of equal times the last of
# the table counts on both sides.
#
# PYTHON=… findings/feast-late-row-online.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check 'feast==0.67.0' pandas==2.3.3 'pyarrow<25'
fi
cd "$scratch"
cat > try.py <<'P'
import contextlib
import datetime
import importlib.metadata
import io
import pathlib

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64

print("feast", importlib.metadata.version("feast"))
pathlib.Path("feature_store.yaml").write_text(
    "project: p\nprovider: local\nregistry: registry.db\n"
    "online_store: {type: sqlite, path: online.db}\nentity_key_serialization_version: 3\n"
)
day, one = pd.Timestamp("2026-01-01", tz="UTC"), pd.Timedelta(days=1)


def written(rows):
    frame = pd.DataFrame(rows, columns=["id", "seen", "x"]).astype({"seen": "datetime64[us, UTC]"})
    frame.to_parquet("rows.parquet")
    return frame


who = Entity(name="who", join_keys=["id"], value_type=ValueType.STRING)
source = FileSource(name="rows", path="rows.parquet", timestamp_field="seen")
written([("late", day, 2.0), ("equal", day, 1.0), ("equal", day, 2.0), ("equal", day - one, 0.0)])
view = FeatureView(name="v", entities=[who], ttl=365 * one, source=source, schema=[Field(name="x", dtype=Float64)])
store = FeatureStore(repo_path=".")
store.apply([who, view])


def both(name):
    asked = pd.DataFrame({"id": [name], "event_timestamp": [day + one]})
    trained = store.get_historical_features(entity_df=asked, features=["v:x"]).to_df()["x"].item()
    return trained, store.get_online_features(features=["v:x"], entity_rows=[{"id": name}]).to_dict()["x"][0]


with contextlib.redirect_stdout(io.StringIO()):
    store.materialize((day - 2 * one).to_pydatetime(), (day + one).to_pydatetime())
late, equal = both("late"), both("equal")
print("to train with and online:", late, "of equal times:", equal)
assert late == (2.0, 2.0)
assert equal == (2.0, 1.0)
came = [("late", day - 200 * one, -1.0)]
store.write_to_online_store("v", pd.DataFrame(came, columns=["id", "seen", "x"]))
written([("late", day, 2.0), *came])
print("after a row of 200 days before:", both("late"))
assert both("late") == (2.0, -1.0)
P
"$python" -W ignore try.py 2> said || { cat said; exit 1; }
