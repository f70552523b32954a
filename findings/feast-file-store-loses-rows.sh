#!/usr/bin/env bash
# Feast 0.67.0: the point-in-time join of a file source leaves out rows of the examples, and with them their labels.
#
# Guess: each row of `entity_df` comes back once, with nulls where nothing is known of it, as a left join has it. Seen: with `offline_store:
# {type: file}`, which is the default of a local project, (1) an example whose newest feature is older than the view's `ttl` is no row of
# the answer, while an entity that was never seen is one, with null; (2) of two examples with the same entity and time, one is left, the
# last. The rows come in another order, too. No error and no warning; with `type: duckdb` all of them come back. Who trains on it trains on
# customers with fresh features only, and serves them all.
#
# What Argosy does about it: it joins by SQL of its own, which keeps each example once and in order; Feast's repositories are read for what
# they declare.
#
# PYTHON=… findings/feast-file-store-loses-rows.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.1 'feast[duckdb]==0.67.0' pandas==2.3.3 'pyarrow<25'
fi
cd "$scratch"
cat > try.py <<'P'
import datetime
import importlib.metadata
import pathlib

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64

print("feast", importlib.metadata.version("feast"))
day = pd.Timestamp("2026-01-01", tz="UTC")
rows = pd.DataFrame({"id": ["old", "new"], "seen": [day, day + pd.Timedelta(days=9)], "x": [1.0, 2.0]})
rows.astype({"seen": "datetime64[us, UTC]"}).to_parquet("rows.parquet")
ids = ["new", "old", "unknown", "new"]
examples = pd.DataFrame({"id": ids, "event_timestamp": [day + pd.Timedelta(days=10)] * 4, "label": [1, 2, 3, 4]})


def joined(kind):
    pathlib.Path("feature_store.yaml").write_text(
        f"project: p\nprovider: local\nregistry: {kind}.db\noffline_store: {{type: {kind}}}\n"
        f"online_store: {{type: sqlite, path: online-{kind}.db}}\nentity_key_serialization_version: 3\n"
    )
    who = Entity(name="who", join_keys=["id"], value_type=ValueType.STRING)
    source = FileSource(name="rows", path="rows.parquet", timestamp_field="seen")
    view = FeatureView(
        name="v", entities=[who], ttl=datetime.timedelta(days=2), source=source, schema=[Field(name="x", dtype=Float64)]
    )
    store = FeatureStore(repo_path=".")
    store.apply([who, view])
    found = store.get_historical_features(entity_df=examples, features=["v:x"]).to_df()
    print(kind, "of four examples:", found[["id", "label", "x"]].values.tolist())
    return sorted(found["label"])


assert joined("file") == [3, 4]
assert joined("duckdb") == [1, 2, 3, 4]
P
"$python" -W ignore try.py
