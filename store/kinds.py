"""Which server answers, and what it can do."""

from typing import NamedTuple

import urllib3

from store.influx import NO_PAGE, OLD, Target


class Kind(NamedTuple):
    """Of server."""

    name: str
    version: str
    tasks: bool  # it makes means by itself when told how
    buckets: bool  # it keeps databases apart, each with its own retention

    @property
    def trusted(self) -> bool:
        """Whether it is left to make means where nobody says who shall: its queries have been tried on a real one."""
        return self.tasks and self.version.startswith("1.")


def kind(target: Target) -> Kind | None:
    """None: nobody answers."""
    try:
        with urllib3.PoolManager(retries=False, timeout=target.timeout, ca_certs=target.ca_file) as http:
            headers = http.request("GET", f"{target.url.rstrip('/')}/ping").headers
    except urllib3.exceptions.HTTPError:
        return None
    version = headers.get("X-Influxdb-Version", "").lstrip("v")
    if version[:2] in {"1.", "2."}:
        return Kind("InfluxDB", version, tasks=True, buckets=True)
    if version:
        return Kind("InfluxDB", version, tasks=False, buckets=True)
    if "X-Server-Hostname" in headers:
        return Kind("VictoriaMetrics", "", tasks=False, buckets=False)
    return Kind("unknown", "", tasks=False, buckets=True)


def obstacle(target: Target) -> str:
    """Why what answers there cannot be written to; "": nothing that is seen from outside, by a request without lines."""
    asked = {"org": target.org, "bucket": target.bucket, "precision": "ns"}
    try:
        with urllib3.PoolManager(retries=False, timeout=target.timeout, ca_certs=target.ca_file) as http:
            said = http.request_encode_url("POST", f"{target.url.rstrip('/')}/api/v2/write", fields=asked)
    except urllib3.exceptions.HTTPError:
        return ""
    return OLD if said.status == 404 and NO_PAGE in said.data.decode("utf-8", "replace") else ""
