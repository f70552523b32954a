#!/bin/sh
# install.sh EXTRA...          the dependencies of these extras as the lock pins them, in /opt/argosy/env, with a list of what is in it.
# install.sh --lock FILE EXTRA...   the same by another lock than everybody's.
# install.sh --compile FOLDER  the bytecode of what is in FOLDER.
set -eu

# Pods cannot write any: without it each would compile all that it imports, MLflow for 9 s instead of 3. By hash, because the times of
# files differ from build to build; in one process, because the order of compiling shows in the bytes.
compile() {
    PYTHONHASHSEED=0 python3 -m compileall -q --invalidation-mode unchecked-hash "$1"
}

if [ "$1" = --compile ]; then
    compile "$2"
    exit
fi
lock=requirements/all.txt
built=--no-build
if [ "$1" = --lock ]; then
    lock=$2
    # PySpark alone is published without a wheel.
    built="--only-binary :all: --no-binary pyspark --no-build-isolation-package pyspark"
    shift 2
fi
extras=$(printf -- '--extra %s ' "$@")
/tool/bin/uv venv --quiet --python "$(command -v python3)" /opt/argosy/env
if [ "$built" != --no-build ]; then
    /tool/bin/uv pip install --quiet --python /opt/argosy/env/bin/python --no-build --constraint "$lock" setuptools
fi
# shellcheck disable=SC2086  # several words on purpose
/tool/bin/uv pip install --quiet --python /opt/argosy/env/bin/python $built --constraint "$lock" -r pyproject.toml $extras
# Headers, static libraries and the tests of others: a third of some packages, and nothing here imports them. Evidently's are checks of data.
find /opt/argosy/env -type d \( -name tests -o -name __pycache__ \) -path '*/site-packages/*' ! -path '*/evidently/*' -prune -exec rm -rf {} +
find /opt/argosy/env -name '*.a' -delete
compile /opt/argosy/env/lib || true  # some packages carry templates that are no Python
/tool/bin/cyclonedx-py environment /opt/argosy/env/bin/python --pyproject pyproject.toml --output-reproducible \
    --output-file /opt/argosy/sbom.cdx.json
