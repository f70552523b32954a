#!/bin/sh
# Guess: a column that no feature view asks for does not matter to Feast's point-in-time join.
# Seen: with the DuckDB offline store a further column called RN in the source empties the features of all entities but one, without an
# error. (The join adds a column "rn" of its own, and DuckDB does not tell the two apart.) Ends 1 where that is no longer so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'feast[duckdb]==0.67.0' 'duckdb==2.0.0' 'pandas==2.3.3' 'pyarrow<25'
cd "$folder"
cat > feature_store.yaml <<'YAML'
project: p
provider: local
registry: registry.db
offline_store: {type: duckdb}
online_store: {type: sqlite, path: online.db}
entity_key_serialization_version: 3
YAML
cat > try.py <<'PYTHON'
import datetime, importlib.metadata, sys, warnings
warnings.simplefilter("ignore")
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Int64

def features(further):
    moment = pd.Timestamp("2020-01-01", tz="UTC")
    rows = pd.DataFrame({"id": list("abcd"), "seen": [moment] * 4, "x": [10, 11, 12, 13], further: [0, 1, 2, 3]})
    rows["seen"] = rows["seen"].astype("datetime64[us, UTC]")
    rows.to_parquet("rows.parquet")
    who = Entity(name="who", join_keys=["id"], value_type=ValueType.STRING)
    view = FeatureView(name="view", entities=[who], ttl=datetime.timedelta(days=9),
                       source=FileSource(name="rows", path="rows.parquet", timestamp_field="seen"),
                       schema=[Field(name="x", dtype=Int64)])
    store = FeatureStore(repo_path=".")
    store.apply([who, view])
    asked = pd.DataFrame({"id": list("abcd"), "event_timestamp": [moment + pd.Timedelta(days=1)] * 4})
    found = store.get_historical_features(entity_df=asked, features=["view:x"]).to_df().sort_values("id")
    return [None if pd.isna(value) else int(value) for value in found["x"]]

print("feast", importlib.metadata.version("feast"), "duckdb", importlib.metadata.version("duckdb"))
other, rn = features("other"), features("RN")
print("beside a column called other:", other)
print("beside a column called RN:   ", rn)
sys.exit(0 if other == [10, 11, 12, 13] and rn.count(None) == 3 else 1)
PYTHON
"$folder/venv/bin/python" try.py
