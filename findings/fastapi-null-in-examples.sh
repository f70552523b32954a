#!/usr/bin/env bash
# FastAPI 0.165.0: an example of a body loses every value that is null on its way into the OpenAPI description.
#
# Guess: examples that a route is given (`openapi_extra`, `Body(examples=…)`) stand in `/openapi.json` as they were given. Seen: the whole
# document is encoded with `exclude_none`, so `{"rows": [{"tenure": null, "charges": 70.5}]}` becomes `{"rows": [{"charges": 70.5}]}`. Where
# null means "unknown" and has to be said, as in the rows of a model, whoever copies the example from the page is refused.
#
# What Argosy does about it: `argosy.serving.interface` puts examples into the document that FastAPI made.
set -euo pipefail
python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
"$python" -m venv v
v/bin/pip install --quiet --disable-pip-version-check fastapi==0.165.0
v/bin/python - <<'P'
import sys

import fastapi
from fastapi import Body, FastAPI

app = FastAPI()
given = {"rows": [{"tenure": None, "charges": 70.5}]}


@app.post("/predict")
def predict(body: dict = Body(openapi_examples={"a row": {"value": given}})) -> None:
    """Nothing."""


content = app.openapi()["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
shown = content["examples"]["a row"]["value"]
print(f"FastAPI {fastapi.__version__}: given {given}, shown {shown}")
sys.exit(shown == given)
P
echo "as it was found"
