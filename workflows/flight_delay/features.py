"""What is known of a flight at its scheduled departure: the timetable, the newest weather that was published, the plane.

The month is left out: the holdout is later months, of which a model of earlier ones could only guess.
"""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64, String

flight = Entity(name="flight", join_keys=["flight_id"], value_type=ValueType.STRING)
station = Entity(name="station", join_keys=["station"], value_type=ValueType.STRING)
plane = Entity(name="plane", join_keys=["tail_number"], value_type=ValueType.STRING)

flights = FileSource(name="flights", path="flights.parquet", timestamp_field="scheduled_departure")
weather = FileSource(
    name="weather", path="weather.parquet", timestamp_field="observed", created_timestamp_column="published"
)
planes = FileSource(name="planes", path="planes.parquet", timestamp_field="event_timestamp")

timetable = FeatureView(
    name="timetable",
    entities=[flight],
    ttl=timedelta(days=1),
    source=flights,
    schema=[
        Field(name="carrier", dtype=String),
        Field(name="origin", dtype=String),
        Field(name="destination", dtype=String),
        Field(name="distance", dtype=Int64),
        Field(name="departure_hour", dtype=Int64),
        Field(name="weekday", dtype=Int64),
        Field(name="scheduled_minutes", dtype=Int64),
    ],
)

conditions = FeatureView(
    name="conditions",
    entities=[station],
    ttl=timedelta(hours=6),  # older weather says nothing about a departure
    source=weather,
    schema=[
        Field(name="temp", dtype=Float64),
        Field(name="dewp", dtype=Float64),
        Field(name="humid", dtype=Float64),
        Field(name="wind_speed", dtype=Float64),
        Field(name="precip", dtype=Float64),
        Field(name="pressure", dtype=Float64),
        Field(name="visib", dtype=Float64),
    ],
)

aircraft = FeatureView(
    name="aircraft",
    entities=[plane],
    ttl=timedelta(days=3650),
    source=planes,
    schema=[
        Field(name="built", dtype=Int64),
        Field(name="engines", dtype=Int64),
        Field(name="seats", dtype=Int64),
        Field(name="engine", dtype=String),
    ],
)

flight_delay = FeatureService(name="flight_delay", features=[timetable, conditions, aircraft])
