"""What the churn model knows of a customer. Gender is left out on purpose: it explains nothing that the rest does not."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64, String

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)

customers = FileSource(name="customers", path="customers.parquet", timestamp_field="event_timestamp")

profile = FeatureView(
    name="customer_profile",
    entities=[customer],
    ttl=timedelta(0),  # no end: in a table without dates no row is older than another
    source=customers,
    schema=[
        Field(name="senior_citizen", dtype=Int64),
        Field(name="partner", dtype=Int64),
        Field(name="dependents", dtype=Int64),
        Field(name="tenure", dtype=Int64),
        Field(name="phone_service", dtype=Int64),
        Field(name="multiple_lines", dtype=String),
        Field(name="internet_service", dtype=String),
        Field(name="online_security", dtype=String),
        Field(name="online_backup", dtype=String),
        Field(name="device_protection", dtype=String),
        Field(name="tech_support", dtype=String),
        Field(name="streaming_tv", dtype=String),
        Field(name="streaming_movies", dtype=String),
        Field(name="contract", dtype=String),
        Field(name="paperless_billing", dtype=Int64),
        Field(name="payment_method", dtype=String),
        Field(name="monthly_charges", dtype=Float64),
        Field(name="total_charges", dtype=Float64),
    ],
)

churn = FeatureService(name="churn", features=[profile])
