"""Install, upgrade or compare what stands round pipelines in a cluster: accounts, rights, endpoints, what looks after the canaries.

It also lists the images that all of it needs.

Goes through the chart `platform` and the program `helm`. It installs no controller; `argosy doctor` says which of those are missing.
"""

import argparse
import difflib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from argosy import errors, wiring
from argosy.cli import charts, platform_images, verb_actions
from argosy.ports.charts import Charts, HelmRelease, Manifest

NAMESPACE = RELEASE = "argosy"
CHART = "platform"
SALT = secrets.token_bytes(16)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, action, summary in (
        ("install", _install, "install the platform where it is not yet"),
        ("upgrade", _upgrade, "bring an installed platform to these values and this version"),
        ("diff", _diff, "what an upgrade would change"),
    ):
        _add(verb_actions.added(verbs, name, None, summary), action)
    listed = verbs.add_parser(
        "images",
        help="list every image that an installation needs, for a mirror",
        description="List every image that an installation with these values needs: of images/images.lock and the compiled "
        "pipelines of the working folder, of the chart, of an environment repo, and of the manifests of controllers that are named.",
    )
    _add(listed, _images)
    platform_images.add_arguments(listed)


def _add(parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace, Charts], int]) -> None:
    parser.add_argument("--namespace", "-n", default=NAMESPACE, help=f"where pipelines run; default {NAMESPACE}")
    parser.add_argument("--release", default=RELEASE, help=f"Helm's name for it; default {RELEASE}")
    parser.add_argument(
        "--values",
        "-f",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="values (docs/chart-platform.md); later ones win",
    )
    parser.add_argument("--context", help="a context of KUBECONFIG; default the current one")
    parser.add_argument("--chart", type=Path, help="another chart folder; default the one that came with argosy")
    parser.add_argument("--helm", default="helm", metavar="PROGRAM", help="the program helm, where it is not on PATH")
    parser.set_defaults(do=action)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    code: int = arguments.do(arguments, wiring.charts(executable=arguments.helm, context=arguments.context))
    return code


def _install(arguments: argparse.Namespace, helm: Charts) -> int:
    if found := helm.installed(arguments.release, arguments.namespace):
        raise errors.UsageError(
            f"{_named(found)} is there already (revision {found.revision}, {found.status}); `argosy platform upgrade` changes it"
        )
    return _apply(arguments, helm)


def _upgrade(arguments: argparse.Namespace, helm: Charts) -> int:
    if helm.installed(arguments.release, arguments.namespace) is None:
        raise _missing(arguments)
    return _apply(arguments, helm)


def _apply(arguments: argparse.Namespace, helm: Charts) -> int:
    done = helm.apply(
        charts.folder(CHART, arguments.chart), arguments.release, arguments.namespace, values(arguments.values)
    )
    print(f"{done.status} {_named(done)}: chart {CHART} {done.chart_version}, revision {done.revision}")
    print(done.notes.strip())
    return errors.DONE


def _diff(arguments: argparse.Namespace, helm: Charts) -> int:
    found = helm.installed(arguments.release, arguments.namespace)
    if found is None:
        raise _missing(arguments)
    wanted = helm.rendered(
        charts.folder(CHART, arguments.chart), arguments.release, arguments.namespace, values(arguments.values)
    )
    lines = list(difference(helm.manifests(found), wanted))
    print("\n".join(lines) if lines else "no differences")
    return errors.DONE


def _images(arguments: argparse.Namespace, helm: Charts) -> int:
    wanted = platform_images.with_an_image(values(arguments.values))
    rendered = helm.rendered(charts.folder(CHART, arguments.chart), arguments.release, arguments.namespace, wanted)
    return platform_images.run(arguments, rendered)


def difference(before: Iterable[Manifest], after: Iterable[Manifest]) -> Iterable[str]:
    """Unified diffs of the objects that differ, by kind and name. What Secrets hold is never shown, only whether it changes."""
    old, new = _texts(before), _texts(after)
    for name in sorted({*old, *new}):
        yield from difflib.unified_diff(
            old.get(name, []), new.get(name, []), f"installed {name}", f"wanted    {name}", lineterm=""
        )


def _texts(manifests: Iterable[Manifest]) -> dict[str, list[str]]:
    return {_name(one): yaml.safe_dump(_shown(one), sort_keys=True).splitlines() for one in manifests}


def _name(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return (
        f"{manifest['kind']} {metadata.get('namespace', '')}{'/' if 'namespace' in metadata else ''}{metadata['name']}"
    )


def _shown(manifest: Manifest) -> dict[str, Any]:
    if manifest["kind"] != "Secret":
        return dict(manifest)
    hidden = {
        field: {key: f"(hidden, {_mark(value)})" for key, value in manifest[field].items()}
        for field in ("data", "stringData")
        if isinstance(manifest.get(field), Mapping)
    }
    return {**manifest, **hidden}


def _mark(value: object) -> str:
    """Tells whether two secrets are equal, to this process only: nobody can try out what gives the same mark."""
    return hmac.new(SALT, str(value).encode(), "sha256").hexdigest()[:8]


def values(files: Iterable[Path]) -> dict[str, Any]:
    """The values of *files*, a later one over an earlier one. Raises UsageError where a file cannot be read as a mapping."""
    merged: dict[str, Any] = {}
    for path in files:
        try:
            read = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise errors.UsageError(f"--values {path}: {error.strerror}") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise errors.UsageError(f"--values {path} is no YAML: {' '.join(str(error).split())}") from error
        if not isinstance(read, dict | None):
            raise errors.UsageError(f"--values {path}: expected a mapping of values, found a {type(read).__name__}")
        merged = _merged(merged, read or {})
    return merged


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(under[key], over[key])
        for key in under
        if isinstance(under[key], dict) and isinstance(over.get(key), dict)
    }
    return {**under, **over, **both}


def _missing(arguments: argparse.Namespace) -> errors.UsageError:
    return errors.UsageError(
        f"there is no release {arguments.release} in namespace {arguments.namespace}; `argosy platform install` makes it"
    )


def _named(release: HelmRelease) -> str:
    return f"release {release.name} in {release.namespace}"
