"""Certificates and passwords of a trial, and how long they hold."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from lifeline.config import Broker
from lifeline.words import Unusable
from pipeline import certs, expiry
from pipeline.check import _certificates
from tests.brokers import free_port


def made(folder: Path, *, hosts: tuple[str, ...] = ("localhost",), devices: tuple[str, ...] = (), **more: Any) -> str:
    given: dict[str, Any] = {
        "users": [],
        "revoke": [],
        "days": 825,
        "renew": 30 * 86400.0,
        "group": None,
        "whole": False,
    } | more
    return certs.run(folder, list(hosts), list(devices), **given)


def serial(path: Path) -> int:
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


@contextmanager
def listening(folder: Path) -> Iterator[int]:
    """A server with the folder's certificate that wants one of its clients; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    port = free_port()
    with closing(socket.create_server(("127.0.0.1", port))) as plain:

        def answer() -> None:
            while True:
                try:
                    with context.wrap_socket(plain.accept()[0], server_side=True) as safe:
                        safe.recv(1)
                except OSError:
                    if plain.fileno() < 0:
                        return

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield port


def broker(folder: Path, port: int = 1, client: str = "laser-1") -> Broker:
    return Broker(
        host="localhost", port=port, tls=True, ca_file=folder / "ca.pem", cert_file=folder / f"{client}.pem",
        key_file=folder / f"{client}.key",
    )  # fmt: skip


def test_server_and_device_trust_one_another_and_keys_are_their_owners(tmp_path: Path) -> None:
    made(tmp_path, devices=("laser-1",))
    with listening(tmp_path) as port:
        shown = expiry.presented(broker(tmp_path, port))
        assert isinstance(shown, expiry.Held)
        assert 824 * 86400 < shown.left < 826 * 86400
        other = tmp_path / "other"
        made(other, devices=("laser-1",))
        assert "is not trusted" in str(expiry.presented(broker(other, port)))
    modes = {p.name: p.stat().st_mode & 0o777 for p in tmp_path.iterdir() if p.is_file()}
    assert {name for name, mode in modes.items() if mode == 0o600} == {"ca.key", "server.key", "laser-1.key", "passwords"}
    assert {mode for name, mode in modes.items() if name.endswith(".pem")} == {0o644}


def test_the_same_command_again_changes_nothing_until_something_expires(tmp_path: Path) -> None:
    made(tmp_path, devices=("laser-1",))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert "everything is there" in made(tmp_path, devices=("laser-1",))
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    old = serial(tmp_path / "laser-1.pem")
    said = made(tmp_path, devices=("laser-1",), renew=900 * 86400.0)
    assert "laser-1.pem" in said
    assert serial(tmp_path / "laser-1.pem") != old
    assert (tmp_path / "ca.pem").read_bytes() == before["ca.pem"]


def test_a_new_host_is_added_to_those_that_the_server_has(tmp_path: Path) -> None:
    made(tmp_path)
    made(tmp_path, hosts=("mqtt.example.org", "10.0.0.7"))
    cert = certs.certificate(tmp_path / "server.pem")
    assert cert is not None
    assert set(certs.spoken(cert)) == {"localhost", "mqtt.example.org", "10.0.0.7"}


def test_a_password_is_made_once_and_the_broker_knows_only_its_digest(tmp_path: Path) -> None:
    made(tmp_path, users=["old-1"])
    word, line = (tmp_path / "old-1.password").read_text(), (tmp_path / "passwords").read_text()
    assert len(word) > 40
    assert word not in line
    made(tmp_path, users=["old-1", "old-2"])
    assert line in (tmp_path / "passwords").read_text()
    made(tmp_path, revoke=["old-1"])
    assert [x.split(":")[0] for x in (tmp_path / "passwords").read_text().splitlines()] == ["old-2"]


def test_the_revoked_stay_on_the_list_and_its_end_is_the_authoritys(tmp_path: Path) -> None:
    made(tmp_path, devices=("a", "b", "c"))
    wanted = {serial(tmp_path / "a.pem"), serial(tmp_path / "b.pem")}
    made(tmp_path, revoke=["a"])
    made(tmp_path, revoke=["b"])
    crl = x509.load_pem_x509_crl((tmp_path / "crl.pem").read_bytes())
    ca = certs.certificate(tmp_path / "ca.pem")
    assert ca is not None
    assert {r.serial_number for r in crl} == wanted
    assert crl.next_update_utc == ca.not_valid_after_utc, "an expired list would shut everybody out"
    with pytest.raises(Unusable, match="neither a certificate nor a password"):
        made(tmp_path, revoke=["never-was"])


@pytest.mark.parametrize("name", ["a/b", "+", "#", "", "../x", "canary", "receive", "desk", "screen", "simulator", "x" * 65])
def test_a_device_gets_no_name_that_would_give_it_more_than_its_own_topics(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unusable):
        made(tmp_path, devices=(name,))


@pytest.mark.parametrize("name", ["ca", "CA", "server", "crl"])
def test_no_device_is_given_or_takes_away_what_is_the_authoritys(tmp_path: Path, name: str) -> None:
    made(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    for asked in ({"devices": (name,)}, {"revoke": [name]}, {"users": [name]}):
        with pytest.raises(Unusable):
            made(tmp_path, **asked)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_without_the_authoritys_key_nothing_can_be_made_and_that_is_said(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "ca.key").unlink()
    with pytest.raises(Unusable, match="only where the authority's key is"):
        made(tmp_path, devices=("laser-1",))


def test_the_doctor_knows_when_a_certificate_ends(tmp_path: Path) -> None:
    made(tmp_path, devices=("laser-1",))
    made(tmp_path, devices=("laser-2",), days=10)
    long, short = broker(tmp_path), broker(tmp_path, client="laser-2")
    assert [f.well for f in _certificates(long, heard=False)] == [True, True]
    assert [f.well for f in _certificates(short, heard=False)] == [True, False]
    assert "renew it" in next(f.mend for f in _certificates(short, heard=False) if not f.well)


def test_a_file_that_is_no_certificate_is_said_by_name(tmp_path: Path) -> None:
    made(tmp_path, devices=("laser-1",))
    (tmp_path / "laser-1.pem").write_text("junk")
    (bad,) = _certificates(broker(tmp_path), heard=False)
    assert not bad.well
    assert "laser-1.pem: holds no certificate" in bad.what
