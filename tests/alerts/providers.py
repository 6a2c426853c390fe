"""Providers as their documents describe them: they check the signature and the message, count, and answer 200 to nearly all."""

import base64
import hashlib
import hmac
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from lifeline.clock import now
from lifeline.model import NS


class Asked(NamedTuple):
    """A request."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes


class Provider(ABC):
    """An HTTP server in a thread; `answer` is the provider's mind. `then` puts words into its mouth."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []  # messages that reached somebody
        self.asked: list[tuple[int, str]] = []  # ([ns], path) of every request
        self.said: list[tuple[int, bytes]] = []  # answers that come next, whatever is asked
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._mouth())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def then(self, *answers: tuple[int, bytes]) -> None:
        self.said += answers

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @abstractmethod
    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Status and body."""

    def _mouth(self) -> type[BaseHTTPRequestHandler]:
        mind = self

        class Mouth(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                split = urlsplit(self.path)
                with mind._lock:
                    mind.asked.append((now(), self.path))
                    if mind.said:
                        status, raw = mind.said.pop(0)
                    else:
                        query = {k: v[0] for k, v in parse_qs(split.query).items()}
                        status, said = mind.answer(
                            Asked(split.path, query, {k.lower(): v for k, v in self.headers.items()}, body)
                        )
                        raw = json.dumps(said, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        return Mouth


class Counted:
    """At most `limit` messages in any `seconds`."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds, self.at = limit, seconds, [0] * 0

    def full(self) -> bool:
        self.at = [t for t in self.at if t > now() - self.seconds * NS]
        if len(self.at) >= self.limit:
            return True
        self.at.append(now())
        return False


class DingTalk(Provider):
    """oapi.dingtalk.com/robot/send: one token, perhaps signed, 20 messages a minute."""

    def __init__(self, token: str, secret: str = "", seconds: float = 60.0, limit: int = 20) -> None:
        super().__init__()
        self.token, self.secret, self.counted = token, secret, Counted(limit, seconds)

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.query.get("access_token") != self.token:
            return 200, {"errcode": 300005, "errmsg": "token is not exist"}
        if self.secret and not self._signed(asked.query):
            return 200, {"errcode": 310000, "errmsg": "sign not match"}
        return self._heed(asked)

    def _heed(self, asked: Asked) -> tuple[int, Any]:
        if not asked.headers.get("content-type", "").startswith("application/json"):
            return 200, {"errcode": 43004, "errmsg": "无效的HTTP HEADER Content-Type"}
        message = json.loads(asked.body)
        if message.get("msgtype") != "markdown" or not message["markdown"].get("title") or not message["markdown"].get("text"):
            return 200, {"errcode": 400105, "errmsg": "unsupported msgtype"}
        if len(asked.body) > 20_000:
            return 200, {"errcode": 40035, "errmsg": "message too long, exceed 20000 bytes"}
        if self.counted.full():
            return 200, {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}
        self.heard.append(message)
        return 200, {"errcode": 0, "errmsg": "ok"}

    def _signed(self, query: dict[str, str]) -> bool:
        ms = query.get("timestamp", "0")
        key = hmac.new(self.secret.encode(), f"{ms}\n{self.secret}".encode(), hashlib.sha256).digest()
        return base64.b64encode(key).decode() == query.get("sign") and abs(int(ms) * 1_000_000 - now()) < 3600 * NS


class WeCom(Provider):
    """qyapi.weixin.qq.com/cgi-bin/webhook/send."""

    def __init__(self, key: str, seconds: float = 60.0, limit: int = 20) -> None:
        super().__init__()
        self.key, self.counted = key, Counted(limit, seconds)

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.query.get("key") != self.key:
            return 200, {"errcode": 93000, "errmsg": "invalid webhook url, hint: [1], from ip: 127.0.0.1"}
        message = json.loads(asked.body)
        kind = message.get("msgtype")
        if kind == "markdown" and len(message["markdown"]["content"].encode()) > 4096:
            return 200, {"errcode": 45002, "errmsg": "content size out of limit"}
        if kind == "image":
            png = base64.b64decode(message["image"]["base64"])
            if hashlib.md5(png, usedforsecurity=False).hexdigest() != message["image"]["md5"]:
                return 200, {"errcode": 40009, "errmsg": "invalid image size"}
        elif kind not in {"markdown", "text"}:
            return 200, {"errcode": 40008, "errmsg": "invalid message type"}
        if self.counted.full():
            return 200, {"errcode": 45009, "errmsg": "api freq out of limit, hint: [1]"}
        self.heard.append(message)
        return 200, {"errcode": 0, "errmsg": "ok"}


class Feishu(Provider):
    """open.feishu.cn/open-apis/bot/v2/hook/TOKEN: 100 a minute, 5 a second, requests of 20 kB."""

    def __init__(self, token: str, secret: str = "", app: tuple[str, str] = ("", "")) -> None:
        super().__init__()
        self.token, self.secret, self.counted = token, secret, Counted(5, 1.0)
        self.app, self.tokens, self.pictures = app, 0, dict[str, bytes]()

    def answer(self, asked: Asked) -> tuple[int, Any]:
        other = {"/open-apis/auth/v3/tenant_access_token/internal": self._let_in, "/open-apis/im/v1/images": self._kept}
        if asked.path in other:
            return other[asked.path](asked)
        return self._heed(asked)

    def _heed(self, asked: Asked) -> tuple[int, Any]:
        if asked.path != f"/open-apis/bot/v2/hook/{self.token}":
            return 200, {"code": 19001, "data": {}, "msg": "param invalid: incoming webhook access token invalid"}
        message = json.loads(asked.body)
        if self.secret and not self._signed(message):
            return 200, {"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"}
        elements = message.get("card", {}).get("elements", [])
        unknown = any(e["tag"] == "img" and e["img_key"] not in self.pictures for e in elements)
        if message.get("msg_type") != "interactive" or not elements or unknown or len(asked.body) > 20_000:
            return 200, {"code": 9499, "msg": "Bad Request", "data": {}}
        if self.counted.full():
            return 200, {"code": 11232, "data": {}, "msg": "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"}
        self.heard.append(message)
        return 200, {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}

    def _signed(self, message: dict[str, Any]) -> bool:
        at = str(message.get("timestamp", "0"))
        key = hmac.new(f"{at}\n{self.secret}".encode(), b"", hashlib.sha256).digest()
        return base64.b64encode(key).decode() == message.get("sign") and abs(int(at) * NS - now()) < 3600 * NS

    def _let_in(self, asked: Asked) -> tuple[int, Any]:
        said = json.loads(asked.body)
        if (said.get("app_id"), said.get("app_secret")) != self.app:
            return 200, {"code": 10014, "msg": "app secret invalid"}
        self.tokens += 1
        return 200, {"code": 0, "msg": "ok", "tenant_access_token": f"t-{self.tokens}", "expire": 7200}

    def _kept(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("authorization") != f"Bearer t-{self.tokens}":
            return 400, {"code": 99991663, "msg": "Invalid access token for authorization."}
        form = BytesParser().parsebytes(b"Content-Type: " + asked.headers["content-type"].encode() + b"\r\n\r\n" + asked.body)
        parts: dict[str, bytes] = {}
        for part in form.walk():
            name = part.get_param("name", header="content-disposition")
            parts[str(name)] = bytes(part.get_payload(decode=True) or b"")
        if parts.get("image_type") != b"message" or not 0 < len(parts.get("image", b"")) <= 10_000_000:
            return 400, {"code": 234001, "msg": "Invalid request param."}
        key = f"img_v3_{len(self.pictures)}"
        self.pictures[key] = parts["image"]
        return 200, {"code": 0, "msg": "success", "data": {"image_key": key}}


class Gateway(Provider):
    """Of short messages: answers 200 with a code and a name for each message, later reports what became of it."""

    def __init__(self, refuse: Callable[[str], str | None] = lambda _number: None) -> None:
        super().__init__()
        self.refuse = refuse

    def answer(self, asked: Asked) -> tuple[int, Any]:
        said = json.loads(asked.body)
        if asked.headers.get("authorization") != "Bearer gateway":
            return 401, {"Code": "SignatureDoesNotMatch", "Message": "no"}
        if code := self.refuse(said["PhoneNumbers"]):
            return 200, {"Code": code, "Message": "refused", "RequestId": "r"}
        self.heard.append(said)
        return 200, {"Code": "OK", "Message": "OK", "BizId": f"biz-{len(self.heard)}", "RequestId": "r"}
