"""Until when the certificates hold that the session with the broker rests on."""

import socket
import ssl
from datetime import UTC, datetime
from typing import Final, NamedTuple

from lifeline.clock import iso, now
from lifeline.config import Broker
from lifeline.model import NS
from pipeline.certs import certificate

SOON: Final = 30 * 86400.0  # [s] before its end a certificate is worth saying
TIMEOUT: Final = 5.0  # [s]


class Held(NamedTuple):
    """A certificate, and its last instant."""

    what: str  # the file, or whose it is
    until: int  # [ns] UTC

    @property
    def left(self) -> float:
        """[s]"""
        return (self.until - now()) / NS

    def __str__(self) -> str:
        return f"{self.what} {'expired' if self.left < 0 else 'holds until'} {iso(self.until)[:10]}"


def held(broker: Broker) -> list[Held]:
    """Those of our own files; Unusable where a file holds none."""
    files = [p for p in (broker.ca_file, broker.cert_file) if p is not None]
    known = [(p, certificate(p)) for p in files]
    return [Held(str(p), _ns(cert.not_valid_after_utc)) for p, cert in known if cert is not None]


def presented(broker: Broker) -> Held | str:
    """The one that the broker shows; text: why it shows none that is trusted."""
    try:
        context = ssl.create_default_context(cafile=broker.ca_file or None)
        if broker.cert_file:
            context.load_cert_chain(broker.cert_file, broker.key_file or None)
        with (
            socket.create_connection((broker.host, broker.port), TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=broker.host) as safe,
        ):
            shown = safe.getpeercert() or {}
    except ssl.SSLCertVerificationError as why:
        return f"its certificate is not trusted: {why.verify_message}"
    except (OSError, ValueError) as why:
        return f"{type(why).__name__}: {why}"
    return Held(f"the certificate of {broker.host}:{broker.port}", round(ssl.cert_time_to_seconds(str(shown["notAfter"]))) * NS)


def _ns(t: datetime) -> int:
    return int(t.astimezone(UTC).timestamp()) * NS
