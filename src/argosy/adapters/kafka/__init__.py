"""Kafka, with Confluent's client: streams that are answered, and topics that become tables."""
