#!/usr/bin/env bash
# jsonschema 4.26.0: one price in seven is no multiple of 0.01.
#
# Guess: 19.99 is a multiple of 0.01 to whoever reads a schema, as it is to the two other libraries. Seen: where the step is a float,
# jsonschema divides and asks whether the quotient is whole; 0.07, 0.29, 4.02 and 19.99 are refused, 1,363 of the 10,000 prices from 0.01 to
# 100.00, while 0.1 and 1.1 pass. fastjsonschema and jsonschema-rs accept all of them. A check of requests that was tried with round numbers
# turns away one customer in seven, and a gateway in another language lets the same body pass.
#
# What Argosy does about it: no schema of its own has a step; the numbers of a request are held to the least and the greatest value of the
# contract.
#
# PYTHON=… findings/jsonschema-prices.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check fastjsonschema==2.22.3 jsonschema==4.26.0 jsonschema-rs==0.61.2
fi
cd "$scratch"
cat > try.py <<'P'
import importlib.metadata

import fastjsonschema
import jsonschema
import jsonschema_rs

print({name: importlib.metadata.version(name) for name in ("jsonschema", "fastjsonschema", "jsonschema-rs")})
schema = {"multipleOf": 0.01}
fast, rust = fastjsonschema.compile(schema), jsonschema_rs.validator_for(schema)


def passes(value):
    try:
        return fast(value) == value
    except fastjsonschema.JsonSchemaException:
        return False


python = jsonschema.Draft202012Validator(schema)
prices = [cents / 100 for cents in range(1, 10_001)]
refused = [price for price in prices if not python.is_valid(price)]
print("of", len(prices), "prices jsonschema refuses", len(refused), "such as", [each for each in refused if each in (0.07, 0.29, 4.02, 19.99)])
print("fastjsonschema refuses", sum(not passes(price) for price in prices), "jsonschema-rs", sum(not rust.is_valid(price) for price in prices))
assert len(refused) == 1363
assert {0.07, 0.29, 4.02, 19.99} < set(refused)
assert python.is_valid(1.1)
assert all(passes(price) and rust.is_valid(price) for price in prices)
P
"$python" -W ignore try.py
