"""Certificates for a trial or a closed network: an authority of one's own, a server, clients, passwords, a list of the revoked.

What is there already and not about to expire is left as it is, so that the same command makes, adds to and renews.
"""

import base64
import hashlib
import ipaddress
import os
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lifeline.clock import now
from lifeline.model import NS
from lifeline.words import Unusable

CA_DAYS: Final = 3650
BACK: Final = timedelta(hours=1)  # before now: clocks of devices run behind
FIT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")  # a name that may stand in a topic, a file name and a CN
ROUNDS: Final = 101  # of PBKDF2: as mosquitto itself; the passwords are random, and a broker must take thousands of log-ins
RESERVED: Final = ("canary", "desk", "receive", "screen", "simulator")
OWN: Final = ("ca", "crl", "server")  # names of files of the authority and of the broker
BITS: Final = x509.KeyUsage(
    digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
    key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
)  # fmt: skip
SIGNS: Final = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
    key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip


@dataclass
class Folder:
    """The files of one authority."""

    root: Path
    days: int = 825  # that certificates hold
    renew: timedelta = timedelta(days=30)  # what expires sooner is made anew
    group: int | None = None  # that may read the private files too, such as containers that run as others
    said: list[str] = field(default_factory=list)  # what was done, a line each

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def t(self) -> datetime:
        return datetime.fromtimestamp(now() // NS, UTC)

    def public(self, name: str, data: bytes) -> None:
        put(self.root / name, data, 0o644)

    def private(self, name: str, data: bytes) -> None:
        """Readable to its owner alone, or to one group as well."""
        put(self.root / name, data, 0o600 if self.group is None else 0o640, self.group)

    def secret(self, name: str, make: Callable[[], str]) -> str:
        """A text of its own, made once."""
        path = self.root / name
        if not path.exists():
            self.private(name, make().encode())
            self.said.append(f"made {path}")
        return path.read_text()

    def authority(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """The one of this folder, made where there is none yet."""
        cert, key = self.root / "ca.pem", self.root / "ca.key"
        if not cert.exists():
            self._make_authority()
            self.said.append(f"made {cert}: whoever has ca.key can make certificates; keep it where the broker is not")
        if not key.exists():
            raise Unusable(f"{key}: is not here; certificates can be made only where the authority's key is")
        loaded = serialization.load_pem_private_key(key.read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        return x509.load_pem_x509_certificate(cert.read_bytes()), loaded

    def _make_authority(self) -> None:
        key, name = ec.generate_private_key(ec.SECP256R1()), named("city-lifeline CA")
        made = self._started(name, name, key, CA_DAYS).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        made = made.add_extension(SIGNS, critical=True)
        put(self.root / "ca.key", pem(key), 0o600)
        self.public("ca.pem", made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        self.revoked([])

    def _started(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
    ) -> x509.CertificateBuilder:
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number()).not_valid_before(self.t - BACK)
        return made.not_valid_after(self.t + timedelta(days=days)).add_extension(own, critical=False)

    def server(self, hosts: Iterable[str]) -> None:
        """For the broker. hosts: names and addresses under which it is reached; new ones make it anew."""
        hosts = list(dict.fromkeys(hosts))
        old = certificate(self.root / "server.pem")
        if old is not None and self._holds(old) and set(hosts) <= set(spoken(old)):
            return
        hosts = list(dict.fromkeys([*(spoken(old) if old else []), *hosts]))
        names = x509.SubjectAlternativeName([_host(h) for h in hosts])
        self._make("server", hosts[0], ExtendedKeyUsageOID.SERVER_AUTH, names)

    def client(self, name: str) -> None:
        """For a device, or for one of our processes; its name becomes the user's name at the broker."""
        fit(name)
        old = certificate(self.root / f"{name}.pem")
        if old is None or not self._holds(old):
            self._make(name, name, ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def _make(self, file: str, name: str, use: x509.ObjectIdentifier, names: x509.SubjectAlternativeName | None) -> None:
        ca, signing = self.authority()
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._started(named(name), ca.subject, key, self.days)
        made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        made = made.add_extension(BITS, critical=True).add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
        made = made.add_extension(above, critical=False)
        if names is not None:
            made = made.add_extension(names, critical=False)
        signed = made.sign(signing, hashes.SHA256())
        self.private(f"{file}.key", pem(key))
        self.public(f"{file}.pem", signed.public_bytes(serialization.Encoding.PEM))
        self.said.append(f"made {self.root / file}.pem, valid until {signed.not_valid_after_utc:%Y-%m-%d}")

    def _holds(self, cert: x509.Certificate) -> bool:
        return cert.not_valid_after_utc - self.renew > self.t

    def revoke(self, names: Iterable[str]) -> None:
        """Let these clients in no more: their certificates go on the list of the revoked, their passwords out of the file."""
        serials: list[int] = []
        for name in names:
            found = [self._set_aside(name, serials), self._forgotten(name)]
            if not any(found):
                raise Unusable(f"{name!r}: there is neither a certificate nor a password of this name in {self.root}")
            self.said.append(f"revoked {name}: restart the broker, which reads crl.pem and passwords at its start")
        if serials:
            self.revoked(serials)

    def _set_aside(self, name: str, serials: list[int]) -> bool:
        cert = certificate(self.root / f"{fit(name)}.pem")
        if cert is None:
            return False
        serials.append(cert.serial_number)
        for path in (self.root / f"{name}.pem", self.root / f"{name}.key"):
            if path.exists():
                path.rename(self.root / f"revoked-{cert.serial_number:x}-{path.name}")
        return True

    def _forgotten(self, name: str) -> bool:
        lines = self._passwords()
        left = [line for line in lines if line.split(":", 1)[0] != name]
        if left == lines:
            return False
        self._keep(left)
        (self.root / f"{name}.password").unlink(missing_ok=True)
        return True

    def revoked(self, more: list[int]) -> None:
        """Write the list, with those already on it. It holds as long as the authority: an expired list would shut all out."""
        ca, signing = self.authority()
        path = self.root / "crl.pem"
        old = list(x509.load_pem_x509_crl(path.read_bytes())) if path.exists() else []
        made = x509.CertificateRevocationListBuilder().issuer_name(ca.subject).last_update(self.t - BACK)
        made = made.next_update(ca.not_valid_after_utc)
        for entry in old:
            made = made.add_revoked_certificate(entry)
        for serial in more:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(self.t - BACK).build()
            made = made.add_revoked_certificate(entry)
        self.public("crl.pem", made.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def users(self, names: Iterable[str] = ()) -> None:
        """Passwords for what has no certificate: NAME.password for the user, `passwords` for the broker."""
        lines = self._passwords()
        known = {line.split(":", 1)[0] for line in lines}
        for name in names:
            password = self.secret(f"{fit(name)}.password", lambda: secrets.token_urlsafe(32))
            if name not in known:
                lines.append(f"{name}:{hashed(password)}")
        self._keep(lines)

    def _passwords(self) -> list[str]:
        path = self.root / "passwords"
        return path.read_text().splitlines() if path.exists() else []

    def _keep(self, lines: list[str]) -> None:
        self.private("passwords", "".join(f"{line}\n" for line in lines).encode())


def fit(name: str) -> str:
    """A name that the broker's rules can be trusted with: one with a wildcard or a slash could reach other topics."""
    if not FIT.fullmatch(name):
        raise Unusable(f"{name!r} is no name for a client: letters, digits and . _ @ - only, at most 64")
    if name.casefold() in OWN:  # its certificate would be the authority's own, or be written over it
        raise Unusable(f"{name!r} is the name of a file of the authority; give the client another name")
    return name


def unreserved(name: str) -> str:
    """A device may not bear a name to which docker/mosquitto/acl gives more than to a device."""
    if name in RESERVED:
        raise Unusable(f"{name!r} is the name of a part of the system; --stack makes what the stack needs of them")
    return name


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def spoken(cert: x509.Certificate) -> list[str]:
    """The hosts that a server's certificate names."""
    try:
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(n.value) for n in names]


def certificate(path: Path) -> x509.Certificate | None:
    """The one in a file; None where there is no file. Unusable where the file holds none."""
    if not path.exists():
        return None
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (ValueError, OSError) as why:
        raise Unusable(f"{path}: holds no certificate that can be read: {why}") from why


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def hashed(password: str) -> str:
    """As mosquitto 2 keeps it: PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS, 64)
    return f"$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def put(path: Path, data: bytes, mode: int, group: int | None = None) -> None:
    """Whole or not at all, and never readable to more than `mode` says."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if group is not None:
        try:
            os.chown(draft, -1, group)
        except PermissionError as why:
            draft.unlink()
            raise Unusable(f"{path}: only root, or a member of it, may give a file to group {group}") from why
    draft.chmod(mode)
    draft.replace(path)


# What docker-compose.yml looks for among its secrets
STACK_HOSTS: Final = ("mosquitto", "localhost", "127.0.0.1")
GROUP: Final = 10001  # of all containers of the stack


def stack(to: Folder) -> None:
    """Everything that the containers need: certificates, and one password or token each."""
    to.server(STACK_HOSTS)
    for name in ("receive", "canary"):
        to.client(name)
    to.users(["simulator"])
    password = to.secret("postgres_password", lambda: secrets.token_urlsafe(32))
    to.secret("desk_database", lambda: f"postgresql+psycopg://desk:{password}@postgres/desk")
    for name in ("influx_password", "influx_token", "grafana_password", "desk_grafana_password"):
        to.secret(name, lambda: secrets.token_urlsafe(32))


def run(
    out: Path, hosts: list[str], devices: list[str], users: list[str], revoke: list[str], *,
    days: int, renew: float, group: int | None, whole: bool,
) -> str:  # fmt: skip
    """Make what is asked for and is not there yet. renew [s]"""
    to = Folder(out, days, timedelta(seconds=renew), group if group is not None else (GROUP if whole else None))
    to.authority()
    if whole:
        stack(to)
    if hosts:
        to.server(hosts)
    for name in devices:
        to.client(unreserved(name))
    if users or not (out / "passwords").exists():
        to.users(map(unreserved, users))
    to.revoke(revoke)
    return "\n".join(to.said) or f"{out}: everything is there, and nothing expires soon"
