"""Checks between the files of a model's folder: columns, sources and measurements that the settings do not have.

Takes what was read, says what is wrong and where; reading, and which line that is, is left to adapters.
"""

from collections.abc import Iterator, Sequence

from argosy.domain import expectation_types, measurements, reserved_names, settings_checks
from argosy.domain.definitions_outline import Definitions, FeatureLine, SourceLine
from argosy.domain.expectations import Expectation, Expectations
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import Policy
from argosy.domain.setting_problems import Location, SettingProblem
from argosy.domain.source_settings import Source
from argosy.domain.suggestion import choices, did_you_mean

LABEL = "label"


def of_policy(policy: Policy, settings: ModelSettings) -> Iterator[SettingProblem]:
    """Measurements and scores of a policy that this model does not have."""
    if policy.model != settings.model:
        yield SettingProblem(("model",), f"the policy is for {policy.model!r}, the model is {settings.model!r}")
    for part, bounds in (("limits", policy.limits), ("deviations", policy.deviations)):
        for index, bound in enumerate(bounds):
            if (text := measurements.unknown(bound.metric, settings)) is not None:
                yield SettingProblem((part, index, "metric"), text)
    for index, margin in enumerate(policy.comparison.margins):
        if (text := measurements.not_compared(margin.metric, settings)) is not None:
            yield SettingProblem(("comparison", "margins", index, "metric"), text)
    scores: list[tuple[Location, str]] = [(("comparison", "metric"), policy.comparison.metric)]
    scores += [(("comparison", "beside", index), name) for index, name in enumerate(policy.comparison.beside)]
    for at, name in scores:
        if (text := measurements.unknown_score(name, settings.task)) is not None:
            yield SettingProblem(at, text)


def of_expectations(expectations: Expectations, settings: ModelSettings) -> Iterator[SettingProblem]:
    """Expectations, columns and sources that do not exist."""
    names = [source.name for source in settings.sources]
    for name in expectations.derived:
        if name not in names:
            yield SettingProblem(("derived", name), _no_source(name, names))
    positions = {"schema": 0, "statistical": 0, "business": 0}
    for layer, expectation in expectations.suites.layers():
        at: Location = ("suites", layer, positions[layer])
        positions[layer] += 1
        yield from _of_expectation(at, expectation, expectations, settings)


def _of_expectation(
    at: Location, expectation: Expectation, expectations: Expectations, settings: ModelSettings
) -> Iterator[SettingProblem]:
    if expectation.type not in expectation_types.TYPES:
        hint = did_you_mean(expectation.type, expectation_types.TYPES)
        yield SettingProblem((*at, "type"), f"there is no expectation {expectation.type!r}{hint}")
    for name in expectation.kwargs:
        if name not in expectation_types.ARGUMENTS:
            hint = did_you_mean(name, expectation_types.ARGUMENTS)
            yield SettingProblem((*at, "kwargs", name), f"no expectation takes {name!r}{hint}")
    named = expectation.meta.source or settings.label.source
    source = next((each for each in settings.sources if each.name == named), None)
    if source is None:
        yield SettingProblem((*at, "meta", "source"), _no_source(named, [each.name for each in settings.sources]))
        return
    known = _columns(source, expectations, settings)
    asked = [] if expectation.type.startswith("expect_table_") else expectation.columns
    for column in asked:
        if column not in known:
            yield SettingProblem((*at, "kwargs"), settings_checks.unknown(column, known, f"source {source.name!r}"))


def _columns(source: Source, expectations: Expectations, settings: ModelSettings) -> list[str]:
    own = [column.name for column in source.columns]
    if source.observed_at is not None:
        own.append(reserved_names.EVENT_TIME)
    if source.name == settings.label.source:
        own.append(LABEL)
    return [*own, *expectations.derived.get(source.name, {})]


def of_slices(definitions: Definitions, settings: ModelSettings) -> Iterator[SettingProblem]:
    """Slices of ``monitor`` that no look could be cut by: they are features, of categories, and logged."""
    columns = {column.name: column for source in settings.sources for column in source.columns}
    features = {feature.name: feature.type for feature in definitions.features}
    for index, name in enumerate(settings.monitor.slices if settings.monitor else ()):
        column = columns.get(name)
        kind = features.get(name) or (column.type if column else None)
        at: Location = ("monitor", "slices", index)
        if name not in columns and name not in features:
            yield SettingProblem(at, f"{name!r} is no feature{choices(name, features or columns, 'Features')}")
        elif column and column.personal:
            yield SettingProblem(at, f"{name!r} is personal data, which is not logged; name another feature")
        elif kind and kind.casefold() != "string":
            yield SettingProblem(at, f"{name!r} is a number ({kind}); slices are by categories")


def of_definitions(definitions: Definitions, settings: ModelSettings) -> Iterator[tuple[int, str]]:
    """The line and what is wrong, of what can be told of the definitions without running them."""
    services = definitions.services
    if services and settings.feature_service not in services:
        yield (
            min(services.values()),
            f"there is no FeatureService {settings.feature_service!r}, which `feature_service` in model.yaml names"
            f"{choices(settings.feature_service, services, 'Services')}",
        )
    for line in definitions.sources:
        yield from ((line.line, text) for text in _of_times(line, settings))
    for feature in definitions.features:
        yield from ((feature.line, text) for text in _of_feature(feature, settings))


def _of_times(line: SourceLine, settings: ModelSettings) -> Iterator[str]:
    source = next((each for each in settings.sources if each.name == line.name), None)
    if source is None:
        return  # said of its features
    expected = source.timestamp or reserved_names.EVENT_TIME
    if line.timestamp not in (None, expected):
        yield (
            f"timestamp_field={line.timestamp!r}, but the time of source {source.name!r} is {expected!r}; "
            f"write timestamp_field={expected!r}"
        )
    if line.created is not None and line.created != source.created:
        told = repr(source.created) if source.created else "none; leave it out, or name `created` in model.yaml"
        yield f"created_timestamp_column={line.created!r}, but the `created` of source {source.name!r} is {told}"


def _of_feature(feature: FeatureLine, settings: ModelSettings) -> Iterator[str]:
    names = [source.name for source in settings.sources]
    if feature.source is not None and feature.source not in names:
        yield f"the view of feature {feature.name!r} reads '{feature.source}.parquet'; {_no_source(feature.source, names)}"
        return
    sources = [source for source in settings.sources if feature.source in (None, source.name)]
    kinds = {column.name: column.type for source in sources for column in source.columns}
    if feature.name not in kinds:
        place = f"source {feature.source!r}" if feature.source else "any source"
        yield f"feature {settings_checks.unknown(feature.name, list(kinds), place)}"
    elif feature.type is not None and (kinds[feature.name] == "string") != (feature.type == "String"):
        yield f"feature {feature.name!r} is {feature.type}, the contract says {kinds[feature.name]}"
    if (reason := reserved_names.of_feature(feature.name)) is not None:
        yield f"{reason}; give the feature another name"
    if feature.source in (None, settings.label.source) and feature.name in settings.label.columns:
        yield f"{feature.name!r} is a feature, but `label.columns` says that it is known only with the label"


def _no_source(name: str, names: Sequence[str]) -> str:
    return f"there is no source {name!r}{choices(name, names, 'Sources')}"
