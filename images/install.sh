#!/bin/sh
# install.sh EXTRA...   the dependencies of these extras as the lock pins them, in /opt/argosy/env, with a list of what is in it.
set -eu
extras=$(printf -- '--extra %s ' "$@")
/tool/bin/uv venv --quiet --python "$(command -v python3)" /opt/argosy/env
# shellcheck disable=SC2086  # several words on purpose
/tool/bin/uv pip install --quiet --python /opt/argosy/env/bin/python --no-build --constraint requirements/all.txt -r pyproject.toml $extras
# Headers, static libraries and the tests of others: a third of some packages, and nothing here imports them.
find /opt/argosy/env -type d \( -name tests -o -name __pycache__ \) -path '*/site-packages/*' -prune -exec rm -rf {} +
find /opt/argosy/env -name '*.a' -delete
/tool/bin/cyclonedx-py environment /opt/argosy/env/bin/python --pyproject pyproject.toml --output-reproducible \
    --output-file /opt/argosy/sbom.cdx.json
