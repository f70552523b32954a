"""Writes the dashboards of Grafana that come with charts/platform, from the layers and queries below.

    python charts/dashboards.py            write them
    python charts/dashboards.py --check    say which are not current, and end with 1

Two of them: one for a model, one for the fleet. Each has three layers: infrastructure, model, business. Grafana's own builders make the
JSON, so a field that Grafana does not know cannot be set. The tests ask every query of a real Prometheus.
"""

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

FOLDER = Path(__file__).parent / "platform" / "files" / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
HEIGHT, PER_ROW = 8, 3
ONE = 'model="$model",environment="$environment"'
"""The labels of the model that one dashboard is about."""
INFO = f"* on (job, instance) group_left (model, environment, version, digest) argosy_model_info{{{ONE}}}"
EACH = '* on (job, instance) group_left (model, environment) argosy_model_info{environment=~"$environment"}'
ALL = 'environment=~"$environment"'


@dataclass(frozen=True)
class Graph:
    """One panel: its queries, each with the legend of its lines."""

    title: str
    says: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"


MODEL: dict[str, list[Graph]] = {
    "Infrastructure": [
        Graph(
            "Requests a second",
            "Predictions that were asked for, by the status of the answer.",
            [(f"sum by (code) (argosy:requests:rate5m{{{ONE}}})", "{{code}}")],
            "reqps",
        ),
        Graph(
            "Time to answer",
            "Half, 95 and 99 of a hundred requests are answered within. The alert is at 100 ms for 95.",
            [
                *(
                    (
                        f"histogram_quantile({quantile}, sum by (le) "
                        f'(rate(argosy_request_seconds_bucket{{route=~"v1|v2|grpc|plain"}}[5m]) {INFO}))',
                        f"{quantile * 100:g} %",
                    )
                    for quantile in (0.5, 0.99)
                ),
                (f"argosy:request_seconds:p95_5m{{{ONE}}}", "95 %"),
            ],
            "s",
        ),
        Graph(
            "Errors",
            "Share of the requests that ended in an error of the server. The alert is at 1 %.",
            [
                (
                    f'(sum(argosy:requests:rate5m{{{ONE},code=~"5.."}}) or vector(0)) / sum(argosy:requests:rate5m{{{ONE}}})',
                    "errors",
                )
            ],
            "percentunit",
        ),
        Graph(
            "CPU of the server's process",
            "Cores in use, by pod.",
            [(f"rate(process_cpu_seconds_total[5m]) {INFO}", "{{instance}}")],
            "short",
        ),
        Graph(
            "Memory of the server's process",
            "Resident, by pod.",
            [(f"process_resident_memory_bytes {INFO}", "{{instance}}")],
            "bytes",
        ),
        Graph(
            "Requests being answered",
            "At this moment, and the files that the process has open.",
            [(f"argosy_requests_in_flight {INFO}", "{{instance}}"), (f"process_open_fds {INFO}", "{{instance}} files")],
        ),
        Graph(
            "Requests at once",
            "Those refused because too much waited before them, and how many share a call of the model: near 1 with room to spare.",
            [
                (f"sum(rate(argosy_requests_shed_total[5m]) {INFO})", "refused a second"),
                (
                    f"sum(rate(argosy_requests_together_sum[5m]) {INFO}) / sum(rate(argosy_requests_together_count[5m]) {INFO})",
                    "together",
                ),
            ],
        ),
        Graph(
            "Prediction log",
            "Records kept and shipped a second, those lost by reason, and how long the oldest has waited to be shipped.",
            [
                (f"sum(rate(argosy_prediction_log_written_total[5m]) {INFO})", "kept a second"),
                (f"sum(rate(argosy_prediction_log_shipped_total[5m]) {INFO})", "shipped a second"),
                (f"sum by (reason) (rate(argosy_prediction_log_dropped_total[5m]) {INFO})", "lost: {{reason}}"),
                (f"max(argosy_prediction_log_oldest_seconds {INFO})", "oldest, seconds"),
            ],
        ),
        Graph(
            "Features by id",
            "Rows asked for by id, by what came of it.",
            [(f"sum by (outcome) (rate(argosy_online_lookups_total[5m]) {INFO})", "{{outcome}}")],
            "rps",
        ),
        Graph(
            "Features that have outlived their view",
            "Share of the rows found by id in which a feature is older than the `ttl` of its view, and missing. The alert is at 5 %.",
            [
                (
                    f"sum by (feature) (rate(argosy_expired_values_total[5m]) {INFO}) "
                    f'/ scalar(sum(rate(argosy_online_lookups_total{{outcome="found"}}[5m]) {INFO}))',
                    "{{feature}}",
                )
            ],
            "percentunit",
        ),
    ],
    "Model": [
        Graph(
            "Predictions a second",
            "Rows answered, by version: two during a canary.",
            [(f"sum by (version) (argosy:predictions:rate5m{{{ONE}}})", "version {{version}}")],
            "short",
        ),
        Graph(
            "Mean prediction",
            "Of ten minutes, and of the holdout. The alert is at 15 % for half an hour.",
            [
                (f"argosy:prediction_score:mean10m{{{ONE}}}", "now, version {{version}}"),
                (f"argosy:prediction_score:reference{{{ONE}}}", "holdout, version {{version}}"),
            ],
        ),
        Graph(
            "Scores",
            "Share of the scores at or below an edge: the distribution, as it moves.",
            [
                (
                    f"sum by (le) (increase(argosy_prediction_score_bucket[15m]) {INFO}) "
                    f"/ scalar(sum(increase(argosy_prediction_score_count[15m]) {INFO}))",
                    "≤ {{le}}",
                )
            ],
            "percentunit",
        ),
        Graph(
            "Verdict of the newest look",
            "One line at 1: drift, no drift, too few rows, or no data.",
            [(f"argosy_drift_verdict{{{ONE}}}", "{{verdict}}, version {{version}}")],
        ),
        Graph(
            "Distance of each column",
            "Jensen-Shannon distance from the reference, 0 to 1; of the whole, without slices.",
            [(f'argosy_drift_distance{{{ONE},slice=""}}', "{{column}}")],
        ),
        Graph(
            "Rows and age of the newest look",
            "An old look says nothing of now.",
            [(f"argosy_look_rows{{{ONE}}}", "rows"), (f"argosy_look_age_seconds{{{ONE}}} / 3600", "hours old")],
        ),
        Graph(
            "Real performance",
            "On labels that came since, with its interval and the gate of the policy.",
            [
                (f'argosy_performance{{{ONE},slice=""}}', "{{metric}}"),
                (f'argosy_performance_low{{{ONE},slice=""}}', "{{metric}}, at least"),
                (f'argosy_performance_high{{{ONE},slice=""}}', "{{metric}}, at most"),
                (f"argosy_performance_gate{{{ONE}}}", "gate of {{metric}} ({{bound}})"),
                (f"argosy_performance_estimate{{{ONE}}}", "{{metric}}, estimated"),
            ],
        ),
        Graph(
            "Labels",
            "Share of the predictions due for a label that have one.",
            [(f"argosy_label_completeness{{{ONE}}}", "version {{version}}")],
            "percentunit",
        ),
        Graph(
            "Second version",
            "Rows a second of what is tried beside the served version, by what came of them; empty where nothing is.",
            [
                (f"sum by (role) (rate(argosy_second_predictions_total[5m]) {INFO})", "{{role}}: answered"),
                (f"sum by (role, reason) (rate(argosy_second_dropped_total[5m]) {INFO})", "{{role}}: {{reason}}"),
                (f"sum by (role, reason) (rate(argosy_second_errors_total[5m]) {INFO})", "{{role}}: {{reason}}"),
            ],
        ),
        Graph(
            "Shadow against the served version",
            "Row by row: share of the decisions that differ, and mean distance of the scores.",
            [
                (
                    f"sum(rate(argosy_second_flips_total[5m]) {INFO}) / sum(rate(argosy_second_compared_total[5m]) {INFO})",
                    "decided otherwise",
                ),
                (
                    f"sum(rate(argosy_second_score_difference_sum[5m]) {INFO}) "
                    f"/ sum(rate(argosy_second_score_difference_count[5m]) {INFO})",
                    "scores apart",
                ),
            ],
        ),
        Graph(
            "Values that the model does not know",
            "Levels it never saw, by feature, and answers that were no number.",
            [
                (f"sum by (feature) (rate(argosy_unknown_levels_total[5m]) {INFO})", "{{feature}}"),
                (f"sum(rate(argosy_undefined_predictions_total[5m]) {INFO})", "no number"),
            ],
        ),
    ],
    "Business": [
        Graph(
            "Value of a prediction",
            "By the outcomes that labels bring: money, conversion, satisfaction.",
            [(f"argosy_business_value_per_prediction{{{ONE}}}", "{{name}}, version {{version}}")],
        ),
        Graph(
            "Value of the window",
            "The same, over all labelled predictions of the window.",
            [(f"argosy_business_value_window{{{ONE}}}", "{{name}}, version {{version}}")],
        ),
        Graph(
            "Retrainings",
            "Let in, and refused by reason.",
            [
                ('argosy_retrainings_total{model="$model"}', "let in"),
                ('argosy_retrainings_refused_total{model="$model"} > 0', "refused: {{reason}}"),
            ],
        ),
    ],
}

FLEET: dict[str, list[Graph]] = {
    "Infrastructure": [
        Graph(
            "Requests a second",
            "The ten models that are asked most.",
            [(f"topk(10, sum by (model, environment) (argosy:requests:rate5m{{{ALL}}}))", "{{model}} {{environment}}")],
            "reqps",
        ),
        Graph(
            "Time to answer",
            "Within which 95 of a hundred requests are answered; the ten slowest.",
            [(f"topk(10, argosy:request_seconds:p95_5m{{{ALL}}})", "{{model}} {{environment}}")],
            "s",
        ),
        Graph(
            "Errors",
            "Share of the requests; the ten worst.",
            [
                (
                    f'topk(10, sum by (model, environment) (argosy:requests:rate5m{{{ALL},code=~"5.."}}) '
                    f"/ sum by (model, environment) (argosy:requests:rate5m{{{ALL}}}))",
                    "{{model}} {{environment}}",
                )
            ],
            "percentunit",
        ),
        Graph(
            "CPU",
            "Cores of all servers of a model; the ten that take most.",
            [
                (
                    f"topk(10, sum by (model, environment) (rate(process_cpu_seconds_total[5m]) {EACH}))",
                    "{{model}} {{environment}}",
                )
            ],
        ),
        Graph(
            "Memory",
            "Of all servers of a model; the ten that take most.",
            [
                (
                    f"topk(10, sum by (model, environment) (process_resident_memory_bytes {EACH}))",
                    "{{model}} {{environment}}",
                )
            ],
            "bytes",
        ),
        Graph(
            "Sources of the exporter",
            "0 where one cannot be read: what is shown of it is old.",
            [("argosy_source_up", "{{source}}")],
        ),
    ],
    "Model": [
        Graph(
            "Models by verdict",
            "How many of the newest looks say what.",
            [(f"count by (verdict) (argosy_drift_verdict{{{ALL}}} == 1)", "{{verdict}}")],
        ),
        Graph(
            "Farthest column",
            "The largest distance of a model's columns; the ten farthest.",
            [
                (
                    f'topk(10, max by (model, environment) (argosy_drift_distance{{{ALL},slice=""}}))',
                    "{{model}} {{environment}}",
                )
            ],
        ),
        Graph(
            "Below the gate",
            "1 for each metric that is, and not by chance.",
            [(f"argosy_performance_below_gate{{{ALL}}}", "{{model}} {{environment}} {{metric}}")],
        ),
        Graph(
            "Age of the newest look",
            "The ten oldest.",
            [
                (
                    f"topk(10, max by (model, environment) (argosy_look_age_seconds{{{ALL}}}))",
                    "{{model}} {{environment}}",
                )
            ],
            "s",
        ),
        Graph(
            "Labels",
            "Share of the due predictions that have one; the ten least complete.",
            [(f"bottomk(10, argosy_label_completeness{{{ALL}}})", "{{model}} {{environment}}")],
            "percentunit",
        ),
        Graph(
            "Canaries",
            "Under way, and given up.",
            [
                (f"sum(argosy_canary_under_way{{{ALL}}})", "under way"),
                (f"sum(argosy_canary_aborted{{{ALL}}})", "given up"),
            ],
        ),
    ],
    "Business": [
        Graph(
            "Value of the window",
            "By model and value, over its labelled predictions.",
            [(f"argosy_business_value_window{{{ALL}}}", "{{model}} {{environment}} {{name}}")],
        ),
        Graph(
            "Requests that wait",
            "How long each open request has.",
            [(f"argosy_request_open_seconds{{{ALL}}}", "{{number}}: {{model}} {{environment}} ({{kind}})")],
            "s",
        ),
        Graph(
            "Releases that expire",
            "What is left of each; the ten nearest.",
            [(f"bottomk(10, argosy_release_expires_seconds{{{ALL}}})", "{{model}} {{environment}} {{version}}")],
            "s",
        ),
        Graph(
            "Pipelines",
            "Since the last success; the ten oldest.",
            [("topk(10, time() - argosy_pipeline_last_success_timestamp_seconds)", "{{pipeline}}")],
            "s",
        ),
        Graph(
            "Pipelines whose newest run failed",
            "1 for each.",
            [("argosy_pipeline_failed", "{{pipeline}}")],
        ),
        Graph(
            "Retrainings",
            "Let in within a day, and refused by reason.",
            [
                ("sum(increase(argosy_retrainings_total[1d]))", "let in"),
                ("sum by (reason) (increase(argosy_retrainings_refused_total[1d]))", "refused: {{reason}}"),
            ],
        ),
    ],
}


def model() -> dashboard.Dashboard:
    """Of one model in one environment."""
    made = _dashboard(
        "Argosy: model", "argosy-model", "One model: how it is served, what it sees and says, what it is worth."
    )
    made.with_variable(_query("model", "label_values(argosy_model_info, model)"))
    made.with_variable(_query("environment", 'label_values(argosy_model_info{model="$model"}, environment)'))
    return _filled(made, MODEL)


def fleet() -> dashboard.Dashboard:
    """Of all models: the ten worst of each kind, so that fifty are no more lines than ten."""
    made = _dashboard("Argosy: fleet", "argosy-fleet", "All models: the ten of each kind that need somebody.")
    made.with_variable(
        _query("environment", "label_values(argosy_model_info, environment)")
        .multi(True)
        .include_all(True)
        .all_value(".*")
    )
    return _filled(made, FLEET)


def _dashboard(title: str, uid: str, says: str) -> dashboard.Dashboard:
    source = dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(says)
        .tags(["argosy"])
        .time("now-24h", "now")
        .refresh("1m")
        .timezone("browser")
        .with_variable(source)
    )


def _query(name: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .datasource(SOURCE)
        .query({"query": query, "refId": name})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def _filled(made: dashboard.Dashboard, layers: dict[str, list[Graph]]) -> dashboard.Dashboard:
    numbers = itertools.count(1)
    for layer, graphs in layers.items():
        made.with_row(dashboard.Row(layer).id(next(numbers)))
        for graph in graphs:
            made.with_panel(_panel(graph, next(numbers)))
    return made


def _panel(graph: Graph, identity: int) -> timeseries.Panel:
    panel = (
        timeseries.Panel()
        .id(identity)
        .title(graph.title)
        .description(graph.says)
        .datasource(SOURCE)
        .unit(graph.unit)
        .span(24 // PER_ROW)
        .height(HEIGHT)
    )
    for number, (query, legend) in enumerate(graph.queries):
        panel.with_target(prometheus.Dataquery().expr(query).legend_format(legend).ref_id(chr(ord("A") + number)))
    return panel


def files() -> dict[Path, str]:
    """Path to text."""
    made = {"model": model(), "fleet": fleet()}
    return {FOLDER / f"{name}.json": _text(each) for name, each in made.items()}


def _text(made: dashboard.Dashboard) -> str:
    return JSONEncoder(sort_keys=True, indent=1, ensure_ascii=False).encode(made.build()) + "\n"


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare."""
    stale = [path for path, text in files().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        sys.stdout.write(f"{path}\n")
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files()[path], encoding="utf-8")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
