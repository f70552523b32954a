"""The series that the exporter shows, each with its labels and the source that it is read from: the one list of them.

Rules, dashboards and the runbook name series; tests hold them against this list, and what the exporter shows as well. The series of a
model's server are ``argosy.serving.prometheus``'s.
"""

from dataclasses import dataclass
from typing import Literal

Source = Literal["looks", "notices", "requests", "releases", "runs", "canaries", "retrainings", "exporter"]

OF_MODEL = ("model", "environment")
OF_VERSION = (*OF_MODEL, "version", "digest")
OF_METRIC = (*OF_VERSION, "metric", "slice")


@dataclass(frozen=True)
class Series:
    """One family of series."""

    name: str
    """As it is asked for: that of a counter ends in ``_total``."""
    labels: tuple[str, ...]
    source: Source
    help: str

    @property
    def counts(self) -> bool:
        """True for a counter, False for a gauge."""
        return self.name.endswith("_total")


# What a source is and how it fares: one that cannot be read keeps its last values, and these say how old they are.
SOURCE_UP = Series("argosy_source_up", ("source",), "exporter", "Whether the last reading of the source succeeded.")
SOURCE_READ = Series(
    "argosy_source_read_timestamp_seconds", ("source",), "exporter", "When the source was last read whole."
)
SOURCE_SECONDS = Series("argosy_source_read_seconds", ("source",), "exporter", "How long the last reading took.")
SOURCE_FAILURES = Series(
    "argosy_source_failures_total", ("source", "error"), "exporter", "Readings that failed, by the kind of the error."
)
SOURCE_PROBLEMS = Series(
    "argosy_source_problems", ("source",), "exporter", "Things of the source that were there and could not be read."
)

LOOK_AGE = Series("argosy_look_age_seconds", OF_VERSION, "looks", "Age of the newest look at what the model answered.")
LOOK_UNTIL = Series("argosy_look_until_timestamp_seconds", OF_VERSION, "looks", "End of the window that it judged.")
LOOK_ROWS = Series("argosy_look_rows", OF_VERSION, "looks", "Rows of that window.")
DRIFT_VERDICT = Series(
    "argosy_drift_verdict", (*OF_VERSION, "verdict"), "looks", "1 for the verdict of the newest look, 0 for the others."
)
DRIFT_DISTANCE = Series(
    "argosy_drift_distance",
    (*OF_VERSION, "column", "slice"),
    "looks",
    "Jensen-Shannon distance of a column from its reference, 0 to 1.",
)
DRIFT_COLUMN = Series(
    "argosy_drift_column", (*OF_VERSION, "column", "slice"), "looks", "Whether the column is called drifted."
)
DRIFT_MEAN = Series("argosy_drift_mean_prediction", OF_VERSION, "looks", "Mean prediction of the window.")
DRIFT_MEAN_BEFORE = Series(
    "argosy_drift_mean_prediction_reference", OF_VERSION, "looks", "Mean prediction of the reference."
)

PERFORMANCE = Series("argosy_performance", OF_METRIC, "looks", "A metric on labelled predictions; slice empty: of all.")
PERFORMANCE_LOW = Series("argosy_performance_low", OF_METRIC, "looks", "Lower end of its interval.")
PERFORMANCE_HIGH = Series("argosy_performance_high", OF_METRIC, "looks", "Upper end of its interval.")
PERFORMANCE_GATE = Series(
    "argosy_performance_gate",
    (*OF_VERSION, "metric", "bound"),
    "looks",
    "The policy's limit on a metric; bound: at_least or at_most.",
)
PERFORMANCE_BELOW = Series(
    "argosy_performance_below_gate",
    (*OF_VERSION, "metric"),
    "looks",
    "1 where the whole interval of a metric breaks its gate, 0 where it does not.",
)
PERFORMANCE_ESTIMATE = Series(
    "argosy_performance_estimate", (*OF_VERSION, "metric"), "looks", "A metric as estimated before labels are there."
)
LABEL_COMPLETENESS = Series(
    "argosy_label_completeness", OF_VERSION, "looks", "Share of the predictions due for a label that have one."
)
LABELLED = Series("argosy_labelled_predictions", OF_VERSION, "looks", "Predictions of the window with a label.")
BUSINESS_PER_PREDICTION = Series(
    "argosy_business_value_per_prediction", (*OF_VERSION, "name"), "looks", "A business value, for each prediction."
)
BUSINESS_TOTAL = Series(
    "argosy_business_value_window", (*OF_VERSION, "name"), "looks", "A business value, over the labelled window."
)

SKEW_AGE = Series(
    "argosy_feature_skew_age_seconds",
    OF_VERSION,
    "looks",
    "Age of the newest comparison of online and offline features (`monitor.skew`).",
)
SKEW_VERDICT = Series(
    "argosy_feature_skew_verdict",
    (*OF_VERSION, "verdict"),
    "looks",
    "1 for the verdict of that comparison, 0 for the others.",
)
SKEW_ROWS = Series(
    "argosy_feature_skew_rows",
    (*OF_VERSION, "part"),
    "looks",
    "Rows that were compared; part: served (answered lately) or store (what the online store would answer).",
)
SKEW_SHARE = Series(
    "argosy_feature_skew_share",
    (*OF_VERSION, "part", "feature"),
    "looks",
    "Share of a feature's values that are not what the sources say of the same moment.",
)
FEATURE_MISSING = Series(
    "argosy_feature_missing_share",
    (*OF_VERSION, "part", "feature", "side"),
    "looks",
    "Share of a feature's compared values that are missing; side: online or offline.",
)
SOURCE_DATA_AGE = Series(
    "argosy_feature_source_age_seconds",
    (*OF_VERSION, "table"),
    "looks",
    "Age of the newest row of a source that features come from.",
)

REQUEST_OPEN = Series(
    "argosy_request_open_seconds", (*OF_MODEL, "number", "kind"), "requests", "How long an open request has waited."
)

RELEASE = Series("argosy_release", OF_VERSION, "releases", "The version that main names for the environment; always 1.")
RELEASE_EXPIRES = Series(
    "argosy_release_expires_seconds", OF_VERSION, "releases", "Seconds until servers refuse it; negative once they do."
)
FEATURES_AGE = Series(
    "argosy_features_age_seconds",
    OF_VERSION,
    "releases",
    "Age of the newest row in the online store that it answers with.",
)

PIPELINE_SUCCESS = Series(
    "argosy_pipeline_last_success_timestamp_seconds",
    ("model", "pipeline"),
    "runs",
    "End of the last run that succeeded.",
)
PIPELINE_START = Series(
    "argosy_pipeline_last_start_timestamp_seconds", ("model", "pipeline"), "runs", "Start of the newest run."
)
PIPELINE_FAILED = Series(
    "argosy_pipeline_failed", ("model", "pipeline"), "runs", "Whether the newest run that is over failed."
)
PIPELINE_DUE = Series(
    "argosy_pipeline_due_timestamp_seconds",
    ("model", "pipeline"),
    "runs",
    "When its schedule last had it start; none where it has no schedule, or a suspended one.",
)
PIPELINE_RUNNING = Series("argosy_pipeline_running", ("model", "pipeline"), "runs", "Runs under way.")

CANARY_ABORTED = Series(
    "argosy_canary_aborted", (*OF_MODEL, "digest"), "canaries", "Whether the newest pods were given up."
)
CANARY_UNDER_WAY = Series(
    "argosy_canary_under_way", (*OF_MODEL, "digest"), "canaries", "Whether newest pods do not have all requests yet."
)

RETRAININGS = Series("argosy_retrainings_total", ("model",), "retrainings", "Retrainings that were let in.")
RETRAINING_REFUSALS = Series(
    "argosy_retrainings_refused_total", ("model", "reason"), "retrainings", "Asks for a retraining that were refused."
)
RETRAINING_RUNNING = Series(
    "argosy_retraining_running", ("model",), "retrainings", "Whether a retraining is in flight."
)
RETRAINING_FAILURES = Series(
    "argosy_retraining_failures",
    ("model",),
    "retrainings",
    "Retrainings in a row, up to the newest, without a request.",
)
RETRAINING_STOP = Series(
    "argosy_retraining_stop_after",
    ("model",),
    "retrainings",
    "Such retrainings in a row after which it is not trained by itself any more.",
)

NOTICES_NOT_TAKEN = Series(
    "argosy_notices_not_taken",
    ("model", "channel", "outcome"),
    "notices",
    "Notices of the last three days that a channel is not known to have; refused ones are tried again.",
)

ALL: tuple[Series, ...] = tuple(each for each in list(globals().values()) if isinstance(each, Series))
