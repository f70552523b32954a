"""Brings what Spark needs to read S3, and PySpark's package lacks, into a folder: python spark_jars.py FOLDER.

Spark's own resolver fetches it, from where it fetches packages. What came is held against `spark-jars.sha256`, and nothing else is kept.
`--write` writes that list anew, for a Spark with another Hadoop.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyspark
from pyspark.java_gateway import launch_gateway

HADOOP, SDK = "3.4.2", "2.29.52"
"""Of the `hadoop-client` in PySpark's jars; of the SDK that this `hadoop-aws` was built with."""
PACKAGES = (
    f"org.apache.hadoop:hadoop-aws:{HADOOP}",
    # In place of the SDK's bundle, which has all of Amazon's services and 600 MB.
    f"software.amazon.awssdk:s3:{SDK}",
    f"software.amazon.awssdk:s3-transfer-manager:{SDK}",
)
OTHERS = (
    "software.amazon.awssdk:bundle",
    "commons-codec:commons-codec",
    "commons-logging:commons-logging",
    *(
        f"io.netty:netty-{part}"
        for part in ("buffer", "codec", "codec-http", "codec-http2", "common", "handler", "resolver")
    ),
    *("io.netty:netty-transport", "io.netty:netty-transport-classes-epoll"),
    *("org.apache.httpcomponents:httpclient", "org.apache.httpcomponents:httpcore"),
    *("org.slf4j:slf4j-api", "org.wildfly.openssl:wildfly-openssl", "org.xerial.snappy:snappy-java"),
)
"""What Spark has itself, in versions of its own."""
LIST = Path(__file__).with_name("spark-jars.sha256")
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
PASSWORD = "changeit"  # noqa: S105 - a key store of certificates, which are public


def main() -> None:
    """Fetch, compare, copy."""
    parser = argparse.ArgumentParser(description="Bring the jars by which Spark reads S3.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="write the list of digests anew")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        jars = sorted(_fetched(Path(place)).glob("*.jar"))
        found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in jars}
        if arguments.write:
            LIST.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(found.items())), encoding="utf-8")
        wanted = {name: digest for digest, name in map(str.split, LIST.read_text(encoding="utf-8").splitlines())}
        if other := sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name)):
            sys.exit(f"error: {other[0]} is not what {LIST.name} says ({len(other)} of {len(wanted)} are not)")
        arguments.folder.mkdir(parents=True, exist_ok=True)
        for jar in jars:
            shutil.copyfile(jar, arguments.folder / jar.name)


def _fetched(place: Path) -> Path:
    """The folder below *place* that Spark's resolver has put the jars into."""
    trusted, ivy, nothing = place / "authorities", place / "ivy", place / "nothing.py"
    gateway = launch_gateway()
    _trust(gateway, trusted)
    gateway.shutdown()
    nothing.touch()
    submit = [str(Path(pyspark.__file__).parent / "bin" / "spark-submit"), "--conf", f"spark.jars.ivy={ivy}"]
    asked = ["--packages", ",".join(PACKAGES), "--exclude-packages", ",".join(OTHERS)]
    java = f"-Djavax.net.ssl.trustStore={trusted} -Djavax.net.ssl.trustStorePassword={PASSWORD}"
    subprocess.run([*submit, *asked, str(nothing)], env={**os.environ, "JAVA_TOOL_OPTIONS": java}, check=True)
    return ivy / "jars"


def _trust(gateway: Any, file: Path) -> None:
    """Write the authorities of this machine to *file* as Java reads them: its own do not know a company's."""
    jvm, password = gateway.jvm, gateway.new_array(gateway.jvm.char, len(PASSWORD))
    for place, letter in enumerate(PASSWORD):
        password[place] = letter
    store = jvm.java.security.KeyStore.getInstance("PKCS12")
    store.load(None, None)
    factory = jvm.java.security.cert.CertificateFactory.getInstance("X.509")
    for number, certificate in enumerate(factory.generateCertificates(jvm.java.io.FileInputStream(str(AUTHORITIES)))):
        store.setCertificateEntry(str(number), certificate)
    store.store(jvm.java.io.FileOutputStream(str(file)), password)


if __name__ == "__main__":
    main()
