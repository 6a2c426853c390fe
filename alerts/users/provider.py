"""A provider of identities (OpenID Connect Core 1.0 and Discovery 1.0): who signed in there, proven.

The authorization-code flow with PKCE (RFC 7636). What the provider publishes of itself and its keys is kept for a while; a
signature by a key that is not known yet has the keys read again, at most every ten seconds.
"""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from alerts import peer
from lifeline.config import Oidc
from lifeline.model import NS

KEPT: Final = 3600.0  # [s] for which what the provider publishes is believed
AGAIN: Final = 10.0  # [s] between readings of its keys because of one that is not known
SKEW: Final = 60  # [s] that its clock may differ from ours
PATIENCE: Final = 5.0  # [s] for one of its answers
SIGNED: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)  # never "none", no shared secret
WELL_KNOWN: Final = "/.well-known/openid-configuration"


class NoProvider(Exception):
    """It does not answer, or answers what it should not."""


class NotProven(Exception):
    """What came back does not prove who signed in; the text says why."""


class Asked(NamedTuple):
    """What the browser keeps while it is away."""

    state: str
    nonce: str
    verifier: str


class Published(msgspec.Struct):
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Given(msgspec.Struct):
    id_token: str


def ask() -> Asked:
    """Three secrets of one sign-in."""
    return Asked(*(secrets.token_urlsafe(32) for _ in Asked._fields))


def challenge(verifier: str) -> str:
    """S256, RFC 7636 section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Provider:
    """One provider, as it is configured. back: where browsers come back to."""

    def __init__(self, told: Oidc, back: str, now: Callable[[], int]) -> None:
        self.told, self.back, self._now = told, back, now
        self._published: tuple[Published, int] | None = None  # and when it was read [ns]
        self._keys: tuple[KeySet, int] | None = None

    async def address(self, asked: Asked) -> str:
        """Where a browser is sent to sign in."""
        published = await self._of_itself()
        said = {
            "response_type": "code", "client_id": self.told.client_id, "redirect_uri": self.back, "scope": self.told.scope,
            "state": asked.state, "nonce": asked.nonce, "code_challenge": challenge(asked.verifier),
            "code_challenge_method": "S256",
        }  # fmt: skip
        join = "&" if urlsplit(published.authorization_endpoint).query else "?"
        return f"{published.authorization_endpoint}{join}{urlencode(said)}"

    async def claims(self, code: str, asked: Asked) -> dict[str, Any]:
        """What the provider says of who came back with this code; NotProven where it does not hold."""
        published = await self._of_itself()
        said = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.back, "code_verifier": asked.verifier,
        }  # fmt: skip
        given = await self._asked("POST", published.token_endpoint, _Given, **self._client(published, said))
        claims = await self._proven(published, given.id_token)
        if claims.get("nonce") != asked.nonce:
            raise NotProven("the token was made for another sign-in (nonce)")
        return claims

    def _client(self, published: Published, said: dict[str, str]) -> dict[str, Any]:
        """How we show who we are: by HTTP Basic, in the body where it wants that, without a secret by the id alone."""
        told = self.told
        if told.client_secret and "client_secret_basic" in published.token_endpoint_auth_methods_supported:
            return {"data": said, "auth": httpx.BasicAuth(told.client_id, str(told.client_secret))}
        more = {"client_secret": str(told.client_secret)} if told.client_secret else {}
        return {"data": {**said, "client_id": told.client_id, **more}}

    async def _proven(self, published: Published, token: str) -> dict[str, Any]:
        """The claims of a token whose signature, issuer, audience and times hold (Core, section 3.1.3.7)."""
        try:
            try:
                read = jwt.decode(token, await self._known_keys(published), list(SIGNED))
            except (InvalidKeyIdError, ValueError):  # by a key that is new: it has changed them
                read = jwt.decode(token, await self._known_keys(published, older=AGAIN), list(SIGNED))
            rules = jwt.JWTClaimsRegistry(
                now=self._now() // NS, leeway=SKEW, iss={"essential": True, "value": published.issuer},
                aud={"essential": True, "value": self.told.client_id}, exp={"essential": True}, iat={"essential": True},
                sub={"essential": True},
            )  # fmt: skip
            rules.validate(read.claims)
        except (JoseError, ValueError) as why:
            raise NotProven(f"the token of the provider does not hold: {why}") from why
        if (
            isinstance(read.claims["aud"], list)
            and len(read.claims["aud"]) > 1
            and read.claims.get("azp") != self.told.client_id
        ):
            raise NotProven("the token was made for another client (azp)")
        return dict(read.claims)

    async def _of_itself(self) -> Published:
        if self._published is None or self._now() - self._published[1] > KEPT * NS:
            found = await self._asked("GET", self.told.issuer.rstrip("/") + WELL_KNOWN, Published)
            if found.issuer.rstrip("/") != self.told.issuer.rstrip("/"):
                raise NoProvider(f"who answers calls itself {found.issuer!r}, not {self.told.issuer!r}")
            self._published = found, self._now()
        return self._published[0]

    async def _known_keys(self, published: Published, older: float = KEPT) -> KeySet:
        """Its keys, read again where they were read more than `older` [s] ago."""
        if self._keys is None or self._now() - self._keys[1] > older * NS:
            found = await self._asked("GET", published.jwks_uri, dict[str, Any])
            try:
                self._keys = KeySet.import_key_set(found), self._now()
            except (JoseError, ValueError, KeyError, TypeError) as why:
                raise NoProvider(f"its keys cannot be read: {why}") from why
        return self._keys[0]

    async def _asked(self, method: str, url: str, kind: Any, **more: Any) -> Any:
        """An answer of the provider as a type."""
        try:
            async with asyncio.timeout(PATIENCE), peer.client(timeout=PATIENCE) as http:
                answer = await http.request(method, url, **more)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as why:
            raise NoProvider(f"{urlsplit(url).netloc} does not answer: {type(why).__name__}") from why
        if answer.is_client_error and method == "POST":
            raise NotProven(f"the provider refuses the code: {answer.text[:200]}")
        if not answer.is_success:
            raise NoProvider(f"{urlsplit(url).netloc} answers {answer.status_code}")
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as why:
            raise NoProvider(f"{url} answers what cannot be read: {why}") from why


def at(claims: Mapping[str, Any], path: str) -> list[str]:
    """The texts that stand at a place in the claims, such as realm_access.roles."""
    found: Any = claims
    for name in [path] if path in claims else path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    many = found if isinstance(found, list) else [found]
    return [text for text in many if isinstance(text, str)]
