#!/usr/bin/env bash
# Feast 0.67.0: the type that a field declares holds online only, so training and serving see other numbers of one feature.
#
# Guess: a Field's dtype is what the feature is, wherever it is read; a source of another type is cast for both sides, or refused. Seen:
# training gets what the file has, whatever was declared; on the way to the online store it is cast, without a word: 2.7 of a field declared
# Int64 is 2 online, 16777217 of a Float32 is 16777216, and a whole number beyond 2^53 of a Float64 is another one. A rate in a field that
# somebody declared Int64 is 0 for everybody when the model serves, and was a fraction when it learnt.
#
# What Argosy does about it: a number is a float64 in training and in the published store alike, whatever a field declares.
#
# PYTHON=… findings/feast-types-only-online.sh takes the libraries that are installed there; without it the versions below are installed.
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
from feast.types import Float32, Float64, Int64

print("feast", importlib.metadata.version("feast"))
pathlib.Path("feature_store.yaml").write_text(
    "project: p\nprovider: local\nregistry: registry.db\n"
    "online_store: {type: sqlite, path: online.db}\nentity_key_serialization_version: 3\n"
)
day = pd.Timestamp("2026-01-01", tz="UTC")
who = Entity(name="who", join_keys=["id"], value_type=ValueType.STRING)
store = FeatureStore(repo_path=".")
for name, dtype, value, online in (
    ("rate", Int64, 0.7, 0),
    ("mean", Int64, 2.7, 2),
    ("count", Float32, 16777217.0, 16777216.0),
    ("number", Float64, 2**53 + 1, float(2**53)),
    ("plain", Float64, 0.7, 0.7),
):
    rows = pd.DataFrame({"id": ["a"], "seen": [day], "x": [value]})
    rows.astype({"seen": "datetime64[us, UTC]"}).to_parquet(f"{name}.parquet")
    source = FileSource(name=name, path=f"{name}.parquet", timestamp_field="seen")
    view = FeatureView(
        name=f"v_{name}", entities=[who], ttl=datetime.timedelta(days=9), source=source, schema=[Field(name="x", dtype=dtype)]
    )
    store.apply([who, view])
    asked, feature = pd.DataFrame({"id": ["a"], "event_timestamp": [day + pd.Timedelta(days=1)]}), f"v_{name}:x"
    trained = store.get_historical_features(entity_df=asked, features=[feature]).to_df()["x"].item()
    with contextlib.redirect_stdout(io.StringIO()):
        store.materialize(day.to_pydatetime(), (day + pd.Timedelta(days=1)).to_pydatetime(), feature_views=[f"v_{name}"])
    served = store.get_online_features(features=[feature], entity_rows=[{"id": "a"}]).to_dict()["x"][0]
    print(f"{value} declared {dtype}: {trained} to train with, {served} online")
    assert trained == value
    assert served == online
P
"$python" -W ignore try.py 2> said || { cat said; exit 1; }
