"""``memoize`` from run to run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.engine import api
from argosy.engine.options import RunOptions, RunResult
from kit.manifests import TEMPLATES

MANIFEST = (
    TEMPLATES
    + """\
    - name: main
      memoize: {key: k, maxAge: 1h, cache: {configMap: {name: kept}}}
      container: {image: any, command: [sh, -ec, "echo x >> TIMES; echo out > /tmp/p"]}
      outputs: {parameters: [{name: p, globalName: said, valueFrom: {path: /tmp/p}}]}
"""
)


def test_a_later_run_takes_what_an_earlier_gave(options: Callable[..., RunOptions], tmp_path: Path) -> None:
    """Also without our own cache, for a cluster knows none; and a global output is one then, too."""
    manifest = tmp_path / "wf.yaml"
    manifest.write_text(MANIFEST.replace("TIMES", str(tmp_path / "times")), encoding="utf-8")
    chosen = options(use_cache=False, working_folder=tmp_path)
    first, second = (api.run(api.prepare(api.load([manifest]), chosen), chosen) for _ in range(2))
    assert [result.nodes["$"].memo for result in (first, second)] == [
        {"hit": hit, "key": "k", "cacheName": "kept"} for hit in (False, True)
    ]
    assert second.outputs.parameters == {"said": "out"}
    assert (tmp_path / "times").read_text(encoding="utf-8") == "x\n"


def test_a_cache_is_no_path(run: Callable[..., RunResult], tmp_path: Path) -> None:
    """What is remembered lies in the home, whatever a manifest calls it."""
    result = run(MANIFEST.replace("{name: kept}", "{name: ../../../out}"))
    assert (result.phase, "is no name of a ConfigMap" in result.message) == ("Error", True)
    assert not (tmp_path / "out").exists()


def test_a_cache_without_its_label_is_refused(run: Callable[..., RunResult]) -> None:
    """The controller would refuse to use the ConfigMap."""
    unlabelled = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\ndata: {}\n"
    with pytest.raises(errors.Misconfigured, match=r"templates\[0\].memoize.cache: ConfigMap 'kept' needs the label"):
        run(MANIFEST + unlabelled)
