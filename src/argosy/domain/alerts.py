"""What Alertmanager says through its webhook, read from JSON that anybody may have sent.

Only what a retraining is decided by is kept: which alert, since when, about which model. Texts (annotations, links) are left out, so
nothing a stranger writes there comes into a log or a request. Whether an alert is to be believed is not decided here; see
``argosy.domain.retraining_admission``.
"""

import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

VERSION = "4"
"""The version of the webhook's JSON; Alertmanager has sent no other since 0.7, and adds fields without changing it."""

LONGEST = 64 * 1024
"""Bytes of one message. Half of what one variable of a process can hold, and far more than a hundred alerts need."""

MOST_ALERTS = 100

RETRAIN = "retrain"
"""The label, with the value ``true``, of an alert that asks for a retraining."""
NAMES = ("alertname", "model", "environment", "digest", RETRAIN)
"""Labels that are read."""


class Unreadable(ValueError):
    """The message is none that Alertmanager sends. Its text is one line, and holds nothing of the message but names of fields."""


def _printable(text: str) -> str:
    # Labels come into logs, tables and the request: no line breaks, no escape sequences of a terminal.
    if not text.isprintable():
        raise ValueError("holds a character that cannot be printed")
    return text


def _asked_for(labels: Any) -> Any:
    # Others are of whoever runs Prometheus: their names may hold any character since its version 3, and a value may be as long as it likes.
    return {name: labels[name] for name in NAMES if name in labels} if isinstance(labels, dict) else labels


Text = Annotated[str, Field(max_length=512), AfterValidator(_printable)]


class _Received(BaseModel):
    # Fields that we do not know are no error: Alertmanager has added some (`truncatedAlerts`) within one version.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class ReceivedAlert(_Received):
    """One alert of a message."""

    status: Literal["firing", "resolved"]
    labels: Annotated[dict[str, Text], BeforeValidator(_asked_for)]
    """Those of :data:`NAMES` that it has."""
    starts_at: AwareDatetime = Field(alias="startsAt")
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]

    @property
    def name(self) -> str:
        """The name of the rule that fires; empty where it has none."""
        return self.labels.get("alertname", "")

    @property
    def model(self) -> str:
        """The model that it is about; empty where it says none."""
        return self.labels.get("model", "")

    @property
    def environment(self) -> str:
        """The environment that it is about; empty where it says none."""
        return self.labels.get("environment", "")

    @property
    def model_digest(self) -> str:
        """The digest of the model that served; empty where it says none."""
        return self.labels.get("digest", "")

    @property
    def fires(self) -> bool:
        """True while what it warns of goes on."""
        return self.status == "firing"

    @property
    def asks_to_retrain(self) -> bool:
        """True where its rule says that a retraining may help."""
        return self.labels.get(RETRAIN) == "true"

    @property
    def since(self) -> datetime.datetime:
        """The moment from which it fires, in UTC."""
        return self.starts_at.astimezone(datetime.UTC)


class Message(_Received):
    """One call of the webhook: the alerts of a group."""

    version: Literal["4"]
    status: Literal["firing", "resolved"]
    alerts: list[ReceivedAlert] = Field(min_length=1, max_length=MOST_ALERTS)

    @model_validator(mode="after")
    def _says_once_what_fires(self) -> Self:
        if self.status == "firing" and not any(alert.fires for alert in self.alerts):
            raise ValueError("says that it fires, and none of its alerts does")
        return self


def read(text: str | bytes) -> Message:
    """The message in *text*. Raises Unreadable where it is too long, no JSON, or not Alertmanager's."""
    size = len(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    if size > LONGEST:  # before anything is parsed
        raise Unreadable(f"the message has {size:,} bytes; at most {LONGEST:,} are read")
    try:
        return Message.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "the whole"
        reason = first["msg"] if first["type"] != "json_invalid" else "it is no JSON"
        raise Unreadable(f"the message is not Alertmanager's of version {VERSION}: {field}: {reason}") from None
