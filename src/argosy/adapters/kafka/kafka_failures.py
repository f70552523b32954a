"""What Kafka's client says, as what Argosy says."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from argosy import errors

SOMEBODY_HAS_TO_ACT = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.MSG_SIZE_TOO_LARGE,
    # The client's own words for these, which its Python package writes with a leading underscore.
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    KafkaError._AUTHENTICATION,  # noqa: SLF001
    KafkaError._SSL,  # noqa: SLF001
}


@contextmanager
def reported(doing: str) -> Iterator[None]:
    """Turn what the client says while *doing* into what Argosy says."""
    try:
        yield
    except KafkaException as error:
        cause: KafkaError = error.args[0]
        words = f"cannot {doing} in Kafka: {cause.str()}"
        if cause.code() in SOMEBODY_HAS_TO_ACT:
            raise errors.Misconfigured(
                f"{words}; topics, rights and ARGOSY_KAFKA_* are the environment's to mend"
            ) from error
        raise errors.TryAgain(words) from error
