"""MLflow's client is imported without pandas, which nobody else notices."""

import json
import subprocess
import sys

PROGRAM = """
import json, sys, threading
from argosy import mlflow_client

without = "pandas" not in sys.modules
with mlflow_client._without("pandas"):
    try:
        import pandas
        refused = False
    except ModuleNotFoundError as error:
        refused = error.name == "pandas"
    other = threading.Thread(target=lambda: __import__("pandas"))
    other.start()
    other.join()
    for_others = "pandas" in sys.modules
import pandas
print(json.dumps([without, refused, for_others, pandas.DataFrame({"a": [1]}).shape == (1, 1)]))
"""


def test_mlflow_is_imported_without_pandas() -> None:
    """Its client loads none; only the thread that imports it is refused, and only meanwhile."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [True, True, True, True]
