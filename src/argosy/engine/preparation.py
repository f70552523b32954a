"""From a manifest to something fit to run: fields checked, arguments in place, what Argo would refuse refused before the first step."""

import difflib
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from reprlib import repr as shown
from typing import TypeVar

from argosy import errors
from argosy.engine import labels, local_limits, partial_runs, schedules
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import calls, scopes, substitution
from argosy.engine.manifest import catalogue as catalogues
from argosy.engine.manifest import checking, loading, patches, reach, resources, texts
from argosy.engine.manifest.artifact_model import Artifact
from argosy.engine.manifest.catalogue import owner_of
from argosy.engine.manifest.loading import Manifest, ManifestDocument
from argosy.engine.manifest.model import Arguments, Parameter, Spec, Template, TemplateRef
from argosy.engine.manifest.pod_model import ObjectMeta
from argosy.engine.manifest.reach import Reached
from argosy.engine.nodes import Json, is_resource_name
from argosy.engine.options import Prepared, RunOptions
from argosy.engine.state import runs
from argosy.engine.validation import object_metadata
from argosy.engine.validation import workflow_rules as validation
from argosy.engine.validation.refusals import Refusal

T = TypeVar("T")

LONGEST_NAME = 63
FOR_PARAMETERS = "workflows.argoproj.io/configmap-type"
"""The label without which Argo takes no parameter from a ConfigMap."""


class Unanswered(errors.Misconfigured):
    """Parameters of the workflow have no value. *parameters*: their declarations."""

    def __init__(self, where: str, parameters: list[Json]) -> None:
        self.parameters = parameters
        names = ", ".join(map(_with_choices, parameters))
        first = parameters[0]["name"]
        if len(parameters) == 1:
            said = f"{where}: spec.arguments.parameters[{names}]: has no value; give one with -p {first}=VALUE"
        else:
            said = f"{where}: spec.arguments.parameters: {names} have no value; give each with -p {first}=VALUE"
        super().__init__(said)


def _with_choices(parameter: Json) -> str:
    choices = ", ".join(Parameter(parameter).enum)
    return f"{parameter['name']} ({choices})" if choices else str(parameter["name"])


def prepare(manifest: Manifest, options: RunOptions) -> Prepared:
    """Check *manifest* and put *options*' arguments in place. Raises Misconfigured or UsageError; nothing was run then."""
    findings = [checking.look(document) for document in manifest.all()]
    ignored = tuple(dict.fromkeys(name for finding in findings for name in finding.ignored))
    manifest = Manifest(_settled(manifest.main), tuple(map(_settled, manifest.others)))
    _check_metadata(manifest)
    main = _as_workflow(manifest.main)
    secret_files = resources.secret_files(manifest)
    options = _with_resources(manifest, options, secret_files)
    others = {
        f"{document.kind}/{document.name}": document.body["spec"]
        for document in manifest.others
        if document.kind in loading.KINDS
    }
    spec = _effective_spec(main, others)
    if options.entrypoint:
        spec["entrypoint"] = options.entrypoint
    metadata = _metadata(main)
    if options.target:
        spec = partial_runs.until(spec, options.target, str(main.path))
        metadata = partial_runs.marked(metadata, options.target)
    name, run = _names(main, metadata, options)
    declared = Spec(spec).arguments
    arguments = _arguments(declared, options, main)
    spec = _with_globals(spec, arguments, name, metadata)
    arguments = spec.pop("arguments")
    if (patch := spec.get("podSpecPatch")) and not patches.is_late(patch) and (lack := patches.lack_of(patch)):
        raise errors.Misconfigured(f"{main.path}: spec.podSpecPatch: {lack}")
    catalogue = catalogues.of(spec, others)
    reached = reach.templates(catalogue)
    _demand_supported(manifest, findings, reached)
    validation.check(catalogue, arguments, metadata, where=str(main.path))
    _check_sources(manifest, declared, reached)
    _check_caches(manifest, reached)
    engine = local_limits.check(catalogue.workflow, reached, options, main.path, name)
    ignored = tuple(dict.fromkeys((*ignored, *local_limits.limits_without_effect(reached))))
    repository = resources.repository(manifest, spec.get("artifactRepositoryRef"))
    if repository is None and spec.get("artifactRepositoryRef"):
        ignored = (*ignored, "spec.artifactRepositoryRef")
    named = [
        *resources.locations({"arguments": arguments}, "spec"),
        *(found for entry in reached for found in resources.locations(entry.template.written, entry.place)),
        ("the artifact repository", Artifact({"s3": repository or {}})),
    ]
    local_limits.check_locations(named, options, main.path)
    return Prepared(
        workflow=name,
        run=run,
        spec=spec,
        metadata=metadata,
        arguments=arguments,
        others=others,
        config_maps=options.config_maps,
        ignored=ignored,
        engine_of_containers=engine,
        secret_files=secret_files,
        volumes=options.volumes,
        repository=repository,
    )


def _settled(document: ManifestDocument) -> ManifestDocument:
    return replace(document, body=texts.settled(document.body, document.kind))


def _with_resources(manifest: Manifest, options: RunOptions, secret_files: Iterable[str]) -> RunOptions:
    """*options* with what the given files provide beside templates."""
    return replace(
        options,
        config_maps={**options.config_maps, **resources.config_maps(manifest)},
        secrets={**options.secrets, **resources.secrets(secret_files)},
        volumes={**resources.claims(manifest, options.home / "volumes"), **options.volumes},
    )


def _check_metadata(manifest: Manifest) -> None:
    for document in manifest.all():
        try:
            object_metadata.check(document.metadata)
        except Refusal as refusal:
            raise refusal.of_file(str(document.path)) from None


def _metadata(main: ManifestDocument) -> Json:
    return {**main.metadata.written, "namespace": main.metadata.namespace or "argo"}


def _as_workflow(main: ManifestDocument) -> ManifestDocument:
    """The Workflow that a CronWorkflow makes when its time has come; every other document as it is."""
    if main.kind != "CronWorkflow":
        return main
    spec = main.body["spec"]
    try:
        schedules.check(main.name, spec)
    except ValueError as error:
        raise errors.Misconfigured(f"{main.path}: {error}") from None
    given, own = main.metadata, Spec(spec).metadata
    metadata = {
        "generateName": f"{main.name}-",
        "namespace": given.namespace,
        "labels": {**own.labels, "workflows.argoproj.io/cron-workflow": main.name},
        "annotations": {scopes.SCHEDULED_TIME: scopes.rfc3339(time.time()), **own.annotations},
    }
    return replace(main, kind="Workflow", body={"metadata": metadata, "spec": spec["workflowSpec"]})


def _demand_supported(manifest: Manifest, findings: Iterable[checking.Findings], reached: Iterable[Reached]) -> None:
    """Raise Misconfigured at a field that the engine does not run, where a run comes to it."""
    names = {(entry.owner, entry.top) for entry in reached}
    reference = Spec(manifest.main.body["spec"]).workflow_template_ref
    for document, found in zip(manifest.all(), findings, strict=True):
        own = (document.kind, document.name)
        is_run = document is manifest.main or (reference is not None and own == owner_of(reference))
        owners = [own, catalogues.WORKFLOW] if is_run else [own]
        for path, refusal in found.refused.items():
            name = _template_at(path, document)
            if is_run if name is None else any((owner, name) in names for owner in owners):
                raise refusal


def _template_at(path: str, document: ManifestDocument) -> str | None:
    """The name of the template of *document* in which the field *path* is; None where it is in none."""
    place = re.match(r"spec\.(workflowSpec\.)?templates\[(\d+)\]", path)
    if place is None:
        return None
    spec = document.body["spec"]
    templates = (spec["workflowSpec"] if place[1] else spec)["templates"]
    return Template(templates[int(place[2])]).name


def _check_sources(manifest: Manifest, declared: Arguments, reached: Iterable[Reached]) -> None:
    """Raise Misconfigured where a parameter comes from a ConfigMap of the files that Argo would not look at."""
    unlabelled = {
        document.name
        for document in manifest.others
        if document.kind == loading.CONFIG_MAP and resources.label_of(document, FOR_PARAMETERS) != "Parameter"
    }
    places = [("spec.arguments", declared.written), *((entry.place, entry.template.written) for entry in reached)]
    for place, value in places if unlabelled else ():
        for where, name in _config_maps_of_parameters(value, place):
            if name in unlabelled:
                raise errors.Misconfigured(
                    f"{manifest.main.path}: {where}: ConfigMap {name!r} needs the label {FOR_PARAMETERS}: Parameter, "
                    "or the controller does not find it"
                )


def _check_caches(manifest: Manifest, reached: Iterable[Reached]) -> None:
    """Raise Misconfigured where something is to be remembered in a ConfigMap of the files that Argo would not touch."""
    maps = {document.name: document for document in manifest.others if document.kind == loading.CONFIG_MAP}
    for entry in reached if maps else ():
        name = entry.template.memoize.cache.config_map.name
        if name in maps and resources.label_of(maps[name], FOR_PARAMETERS) != "Cache":
            raise errors.Misconfigured(
                f"{manifest.main.path}: {entry.place}.memoize.cache: ConfigMap {name!r} needs the label "
                f"{FOR_PARAMETERS}: Cache, or the controller refuses to use it"
            )


def _config_maps_of_parameters(value: object, where: str) -> Iterator[tuple[str, str]]:
    """The ConfigMaps that parameters anywhere under *value* name, each with its path."""
    if isinstance(value, list):
        for position, entry in enumerate(value):
            yield from _config_maps_of_parameters(entry, f"{where}[{position}]")
    elif isinstance(value, dict):
        for key, entry in value.items():
            if key == "parameters":
                for position, parameter in enumerate(entry or []):
                    if reference := Parameter(parameter).value_from.config_map_key:
                        yield f"{where}.{key}[{position}].valueFrom.configMapKeyRef", reference.name
            else:
                yield from _config_maps_of_parameters(entry, f"{where}.{key}")


def _names(main: ManifestDocument, metadata: Json, options: RunOptions) -> tuple[str, str]:
    """The workflow's name and the run's id: the same where a cluster would make up the name."""
    if options.name and not is_resource_name(options.name):
        raise errors.UsageError(f"--name {shown(options.name)} cannot be a workflow's name: {object_metadata.NAME}")
    given = ObjectMeta(metadata)
    base = options.name or given.name or given.generate_name
    if not base:
        raise errors.Misconfigured(f"{main.path}: metadata.name: is required (or metadata.generateName)")
    if len(base) > LONGEST_NAME:
        raise errors.Misconfigured(
            f"{main.path}: metadata.name: has {len(base)} characters; a cluster takes at most {LONGEST_NAME}"
        )
    run = runs.new_id(base)
    own_name = options.name or (given.name if main.kind == "Workflow" else "")
    return own_name or run, run


def _effective_spec(main: ManifestDocument, others: Mapping[str, Json]) -> Json:
    spec = dict(main.body["spec"])
    reference = spec.pop("workflowTemplateRef", None)
    if reference is None:
        return spec
    if Spec(spec).templates:
        raise errors.Misconfigured(f"{main.path}: spec.templates: not allowed beside spec.workflowTemplateRef")
    kind, name = owner_of(TemplateRef(reference))
    if f"{kind}/{name}" not in others:
        raise errors.Misconfigured(
            f"{main.path}: spec.workflowTemplateRef: {kind} {name!r} is not among the given files; name its file too"
        )
    return catalogues.merge(others[f"{kind}/{name}"], spec)


def _arguments(declared: Arguments, options: RunOptions, main: ManifestDocument) -> Json:
    """The workflow's arguments with values in place."""
    known = [parameter.name for parameter in declared.parameters]
    for name in options.parameters:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(known) or 'none'}"
            raise errors.UsageError(f"{main.path} has no parameter {name!r}{hint}")
    entries = declared.parameters
    if unanswered := [
        entry.written for entry in entries if entry.name not in options.parameters and not _answered(entry)
    ]:
        raise Unanswered(str(main.path), unanswered)
    return {**declared.written, "parameters": [_parameter(entry, options, main) for entry in entries]}


def _answered(declared: Parameter) -> bool:
    return declared.value is not None or declared.value_from.config_map_key is not None


def _parameter(declared: Parameter, options: RunOptions, main: ManifestDocument) -> Json:
    where = f"{main.path}: spec.arguments.parameters[{declared.name}]"
    parameter = {key: value for key, value in declared.written.items() if key != "valueFrom"}
    source = declared.value_from
    if declared.name in options.parameters:
        parameter["value"] = options.parameters[declared.name]
    elif declared.value is None and source.config_map_key:
        try:
            parameter["value"] = calls.config_map_value(
                source.config_map_key, options.config_maps, source.default, where
            )
        except calls.CallError as error:
            raise errors.Misconfigured(str(error)) from None
    if "enum" in declared.written and parameter["value"] not in declared.enum:
        raise errors.Misconfigured(
            f"{where}: {parameter['value']!r} is not one of its enum: {', '.join(declared.enum) or 'it is empty'}"
        )
    return parameter


def _with_globals(spec: Json, arguments: Json, name: str, metadata: Json) -> Json:
    """*spec* with the workflow's constants and parameters replaced everywhere but in templates, which come later."""
    templates = spec.get("templates") or []
    rest = {key: value for key, value in spec.items() if key != "templates"} | {"arguments": arguments}
    constants = scopes.workflow_constants(name, "", 0.0, ObjectMeta(metadata), Spec(spec))
    known = {key: value for key, value in constants.items() if "uid" not in key and "creationTimestamp" not in key}
    known |= scopes.workflow_parameters(Arguments(arguments))
    replaced = {key: _replaced(value, known, key) for key, value in rest.items()}
    if own := replaced.get("workflowMetadata"):
        replaced["workflowMetadata"] = labels.settled(own, known)
    return {**replaced, "templates": templates}


def _replaced(value: T, known: Mapping[str, object], field: str) -> T:
    try:
        return substitution.replace(value, known)
    except ExpressionError as error:
        raise errors.Misconfigured(f"spec.{field}: {error}") from None
