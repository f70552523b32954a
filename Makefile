# One door for people and CI. `make help` lists what there is; every target does its own set-up.
.DEFAULT_GOAL := help
.PHONY: help docs recording demo demo-season kind-up kind-install kind-demo kind-open kind-down kind-lock images test conformance e2e ci check fmt data lock clean release test-narrow upgrade publish-index publish-charts publish-notes

PYTHON ?= python3
BIN := .venv/bin
NARROW := tests/unit/domain tests/unit/engine tests/unit/ml tests/unit/templates tests/unit/cli/test_init.py tests/golden
# Hundreds of short processes import the same libraries: without bytecode each compiles them anew (MLflow: 9 s instead of 3).
export PYTHONDONTWRITEBYTECODE :=

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1|/' | column -t -s '|'

demo: .venv/ready data/ready ## take the real churn data from a file to a served, approved model (a minute or two)
	$(BIN)/argosy demo workflows/churn

demo-season: .venv/ready data/ready ## replay the weeks of real flights: seasons are no drift, and labels come later (a minute or two)
	$(BIN)/argosy demo workflows/flight_delay

test: .venv/ready data/ready ## run every test that needs no cluster, with a worker for each core and one more
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

test-narrow: .venv/ready ## run what any Python from 3.11 on, and any system, has to pass
	$(BIN)/pytest $(NARROW)

upgrade: .venv/ready data/ready ## upgrade from the last release: old wheel and new, with training in both (three minutes; `make test` has the rest)
	ARGOSY_UPGRADE=1 $(BIN)/pytest tests/release/test_upgrade.py

conformance: .venv/ready ## record the engine's corpus on the Argo controller that KUBECONFIG names and compare (FOLDER=… for other manifests)
	$(BIN)/python tests/conformance/conform.py $(FOLDER)

e2e: .venv/ready ## run the tests that need a cluster, on the disposable one that KUBECONFIG names (TESTS=tests/e2e/…)
	$(BIN)/pytest --e2e $(or $(TESTS),tests/e2e)

check: .venv/ready ## what is quick: format, lint, types, import contracts, dependencies, names, manifests up to date, GitHub's workflows
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry --no-ansi src workflows
	$(BIN)/pytest --quiet -p no:cacheprovider tests/walls
	$(BIN)/argosy compile --check workflows/churn workflows/flight_delay workflows/support_answers
	$(BIN)/python charts/reference.py --check
	$(BIN)/python charts/dashboards.py --check
	$(BIN)/zizmor --offline --quiet --no-progress --persona pedantic .github gitops-env/.github
	.ci/actionlint .github/workflows/*.yaml gitops-env/.github/workflows/*.yaml

ci: check test ## what CI runs

fmt: .venv/ready ## format, mend what can be mended, compile the manifests
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/argosy compile workflows/churn workflows/flight_delay workflows/support_answers
	$(BIN)/python -m argosy.engine.manifest.compatibility > docs/argo-compatibility.md
	$(BIN)/python -m argosy.report.error_kinds > docs/errors.md
	$(BIN)/python charts/reference.py
	$(BIN)/python charts/dashboards.py

# Sphinx and what it needs, in an environment of its own.
.venv-docs/ready: requirements/docs.txt .venv/ready
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-docs
	$(BIN)/uv pip sync --quiet --require-hashes --python .venv-docs/bin/python requirements/docs.txt
	touch $@

docs: .venv-docs/ready ## make the documentation a searchable site that opens from disk: dist/docs/index.html
	$(BIN)/python .ci/docs_site.py .venv-docs/bin/python

recording: .venv/ready data/ready ## record the commands that README shows, as they run here (some minutes)
	$(BIN)/python .ci/recording.py

images: ## build the images of all steps with docker, podman or buildah, and pin them in images/images.lock (ARGUMENTS="--push REGISTRY")
	$(PYTHON) images/build.py $(ARGUMENTS)

KIND := PYTHONPATH=kind-cluster $(BIN)/python -m argosy_kind
kind-up: .venv/ready ## make a cluster with kind, with everything in it from the pipelines' controller to a forge (kind-cluster/README.md)
	$(KIND).up $(ARGUMENTS)

kind-install: .venv/ready ## install the same into the cluster that KUBECONFIG names (ARGUMENTS="--context NAME --settings FILE")
	$(KIND).install $(ARGUMENTS)

kind-demo: .venv/ready data/ready ## take a model there from a submit over a request, a merge and a canary to drift and its retraining
	$(KIND).demo $(ARGUMENTS)

kind-open: .venv/ready ## open the pages of what is installed there (Gitea, MLflow, Prometheus, Grafana) at this machine
	$(KIND).pages $(ARGUMENTS)

kind-down: .venv/ready ## remove the cluster that kind-up made, or from a disposable one what kind-install put there
	$(KIND).remove $(ARGUMENTS)

kind-lock: .venv/ready ## write the checksums of everything that kind-up downloads (needs a network)
	$(KIND).lock $(ARGUMENTS)

release: .venv/ready ## make the files of a release of this commit, short of publishing (TAG=v1.2.3; without one a rehearsal)
	$(BIN)/python .ci/release.py $(if $(TAG),--tag $(TAG))

publish-index: $(BIN)/uv ## upload dist/release's wheel and source distribution, as a workflow that the index trusts
	cd dist/release && sha256sum --check --strict SHA256SUMS
	$(BIN)/uv publish --trusted-publishing always dist/release/*.whl dist/release/argosy-*.tar.gz

publish-charts: ## push dist/release's charts to REGISTRY/charts
	cd dist/release && sha256sum --check --strict SHA256SUMS
	for chart in inference platform; do helm push dist/release/$$chart-*.tgz "oci://$(REGISTRY)/charts"; done

publish-notes: ## make the release TAG on GitHub, of what dist/release holds
	cd dist/release && sha256sum --check --strict SHA256SUMS
	gh release create "$(TAG)" --verify-tag --notes-file dist/release/NOTES.md dist/release/*

data: data/ready ## write the sample data, real data sets from the package registry, under data/

# All but `spark`, which is not for everybody's environment; `demo` has the rest.
EXTRAS := cluster demo mysql s3 telemetry tracking
lock: ## lock the dependencies anew: names, versions, hashes
	$(BIN)/uv pip compile pyproject.toml $(foreach extra,$(EXTRAS),--extra $(extra)) --group dev --generate-hashes --universal --python-version 3.11 \
		--quiet --no-header --output-file requirements/all.txt
	$(BIN)/uv pip compile --group clients --generate-hashes --universal --python-version 3.11 \
		--quiet --no-header --output-file requirements/clients.txt
	$(BIN)/uv pip compile --group docs --generate-hashes --universal --python-version 3.11 \
		--quiet --no-header --output-file requirements/docs.txt
	$(BIN)/uv pip compile pyproject.toml --extra data --extra features --extra serve --extra spark --extra train --constraint requirements/all.txt --generate-hashes \
		--universal --python-version 3.11 --quiet --no-header --no-annotate --output-file requirements/spark.txt

clean: ## remove what set-up made (never ARGOSY_HOME)
	rm -rf .venv .venv-docs data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/uv:
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt

# pip installs uv from its own hashed lock, uv installs the rest in seconds.
.venv/ready: requirements/all.txt requirements/uv.txt pyproject.toml hatch_build.py src/argosy/ml/native/trees.c
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "argosy needs Python 3.11 or newer; set PYTHON=python3.11")'
	test -x $(BIN)/uv || $(MAKE) $(BIN)/uv
	$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements/all.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

data/ready: .venv/ready workflows/churn/data.py workflows/flight_delay/data.py workflows/support_answers/data.py
	$(BIN)/python workflows/churn/data.py data/churn
	$(BIN)/python workflows/flight_delay/data.py data/flight_delay
	$(BIN)/python workflows/support_answers/data.py data/support_answers
	touch $@
