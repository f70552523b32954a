#!/bin/sh
# Guess: KServe's model server answers a request that offers HTTP/2 (Upgrade: h2c, which Java's own client sends with its first request) as it
# answers one without: a server may ignore the offer.
# Seen: it reads an empty body. Its HTTP parser (uvicorn's with httptools) takes what follows the headers for the other protocol, so the
# body, although there is a Content-Length, is lost. Ends 1 where that is no longer so.
set -eu
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
server=
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'kserve==0.21.0' 'uvicorn==0.54.0' 'httptools==0.9.0'
cd "$folder"
cat > serve.py <<'PYTHON'
import sys
from kserve import Model, ModelServer

class Sum(Model):
    def __init__(self):
        super().__init__("sum")
        self.ready = True

    def predict(self, payload, headers=None):
        return {"predictions": [sum(row) for row in payload["instances"]]}

ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, workers=1).start([Sum()])
PYTHON
cat > ask.py <<'PYTHON'
import http.client, importlib.metadata, json, sys, time
BODY = json.dumps({"instances": [[1, 2], [3, 4]]})
OFFER = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"}

def ask(more):
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
    connection.request("POST", "/v1/models/sum:predict", BODY, {"Content-Type": "application/json", **more})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()

for _ in range(120):
    try:
        plain = ask({})
        break
    except OSError:
        time.sleep(0.5)
offered = ask(OFFER)
print("kserve", importlib.metadata.version("kserve"), "uvicorn", importlib.metadata.version("uvicorn"))
print("without an offer:", *plain)
print("with an offer:   ", *offered)
sys.exit(0 if plain[0] == 200 and offered[0] != 200 else 1)
PYTHON
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$folder/venv/bin/python" serve.py "$port" > server.log 2>&1 &
server=$!
"$folder/venv/bin/python" ask.py "$port"
