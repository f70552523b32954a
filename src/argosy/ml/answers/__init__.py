"""Retrieval, the answers and judgements that need no endpoint, and what is calculated of judged answers."""
