"""Holds files against a model's expectations before any run reads them: the part of ``argosy data`` that validates.

Each partition is read by the contract and measured by itself. What was measured of it is kept in the monitoring store, by the digest of
its content and of how it is read, so that the next time only partitions that are new or changed are read.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from argosy import errors, scratch, wiring
from argosy.cli import models
from argosy.domain.expectations import Expectations
from argosy.domain.model_settings import ModelSettings
from argosy.files import model_folder
from argosy.ports.tables import Derived
from argosy.report.plain_text import line
from argosy.settings import Settings
from argosy.steps.ingest import run as ingest
from argosy.steps.validate import source_checks
from argosy.steps.validate.gx_documents import FoundOfOne
from argosy.templates import folder


def validated(arguments: argparse.Namespace) -> None:
    """Validate ``path`` by the expectations of ``model``, and say what was found.

    Raises Rejected where one that is critical does not hold, UsageError where it is not clear whose data these are.
    """
    if arguments.model is None:
        raise errors.UsageError("say with --model whose contract and expectations the data are held against")
    place = models.folder_of(arguments.model)
    settings = model_folder.load_settings(place / folder.ARTIFACTS["settings"])
    expectations = model_folder.load_expectations(place / folder.ARTIFACTS["expectations"])
    source_checks.demand_sources(settings, expectations)
    here = Settings.from_environment()
    checker = wiring.expectation_checker(wiring.objects(here, here.monitoring_uri))
    failures = []
    if elsewhere := [source.name for source in settings.sources if not source.is_in_data]:
        said = f"not read here, as no files: {', '.join(elsewhere)}; `argosy run` reads and validates them"
        print(line(said), file=sys.stderr)
    for name, file in _places(settings, arguments.path).items():
        with scratch.folder("table") as parts:
            asked = _asked(settings, expectations, name, file, parts)
            found = source_checks.of_source(settings, asked, expectations, checker)
            opened = len(list(parts.glob("*.parquet")))
        _say(name, asked, opened, found, as_json=arguments.json)
        failures += [each.shown for each in found if each.shown.critical and not each.shown.passed]
    if failures:
        raise errors.Rejected(source_checks.message(failures, settings, "above"))


def _places(settings: ModelSettings, path: Path) -> dict[str, Path]:
    """The file or folder of each source of *path*. Raises UsageError where it has none, Misconfigured where one is missing."""
    sources = [source for source in settings.sources if source.is_in_data]
    by_name = [source for source in sources if source.file_name == path.name]
    if len(by_name) == 1 and path.exists():
        return {by_name[0].name: path}
    if not sources:
        raise errors.UsageError(f"no source of {settings.model} is a file; `argosy run` reads them where they are")
    found = ingest.in_folder(settings, path, None)
    return {name: fetched.file for name, fetched in found.items()}


def _asked(settings: ModelSettings, expectations: Expectations, name: str, file: Path, parts: Path) -> Derived:
    source = settings.source(name)
    rules = [rule for rule in settings.reject if rule.source == name]
    return source_checks.derived(settings, source, wiring.tables().parts(source, rules, file, parts), expectations)


def _say(name: str, asked: Derived, opened: int, found: Sequence[FoundOfOne], *, as_json: bool) -> None:
    apart = sum(each.finding.in_parts for each in found)
    if as_json:
        results = [{**each.shown.model_dump(mode="json"), "in_parts": each.finding.in_parts} for each in found]
        print(json.dumps({"source": name, "partitions": len(asked.parts), "read": opened, "results": results}))
        return
    partitions = f"{len(asked.parts):,} partition{'s' * (len(asked.parts) != 1)}"
    print(line(f"{name}: {partitions}, {opened:,} read, {len(found)} expectations"))
    whole = [each.shown for each in found if not each.finding.in_parts]
    if len(asked.parts) > 1 and whole:
        said = ", ".join(f"{each.expectation} of {each.column}" if each.column else each.expectation for each in whole)
        print(line(f"  {apart} follow from the partitions, of all rows at once were asked: {said}"))
    for each in found:
        if not each.shown.passed:
            print(line(f"  {'critical' if each.shown.critical else 'noted'}: {source_checks.sentence(each.shown)}"))
