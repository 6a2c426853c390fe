"""E-mail, in Chinese and English, over SMTP."""

import asyncio
import re
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Literal

from alerts import plot
from alerts.bulletins.letter import Letter
from alerts.markdown import URL
from alerts.notice import Drop, Notice, Outcome, Retry, Sent
from lifeline.config import Port, Seconds
from lifeline.model import NS

THREADS = 4  # [1] mails in flight; smtplib knows no asyncio


@dataclass(frozen=True)
class Smtp:
    """One mail a notice to everybody listed. Repetitions carry the same Message-ID, which mail programs fold."""

    host: str
    sender: str
    to: tuple[str, ...]
    port: Port = 25
    security: Literal["none", "starttls", "tls"] = "none"
    username: str = ""
    password: str = field(default="", repr=False, metadata={"secret": True})
    ca_file: Path | None = None  # None: the authorities that the system trusts
    plot: bool = True  # attach a picture of the readings that the warning rests on
    timeout: Seconds = 8.0  # [s] for each step of the conversation

    @property
    def draws(self) -> bool:
        """Whether it needs plots."""
        return self.plot

    async def send(self, notice: Notice) -> Outcome:
        """Deliver once. When only some recipients are refused it counts as sent, and the words say who was refused."""
        to = tuple(a for a in notice.address.split(",") if a) or self.to
        try:
            mail = compose(notice, self.sender, to, await plot.png(notice.story) if self.plot else None)
        except ValueError as why:
            return Drop(f"{type(why).__name__}: {why}", "misconfigured")
        return await self._attempt(mail)

    async def mail(self, letter: Letter) -> Outcome:
        """Deliver a mail that is no notice, such as a report."""
        try:
            mail = enclose(letter, self.sender, letter.to or self.to)
        except ValueError as why:
            return Drop(f"{type(why).__name__}: {why}", "misconfigured")
        return await self._attempt(mail)

    async def _attempt(self, mail: EmailMessage) -> Outcome:
        try:
            refused = await asyncio.get_running_loop().run_in_executor(self._pool, self._deliver, mail)
        except smtplib.SMTPResponseException as why:
            return _refusal(why)
        except smtplib.SMTPRecipientsRefused as why:
            return _nobody(why)
        except (smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError, ValueError) as why:
            return Drop(f"{type(why).__name__}: {why}", "misconfigured")
        except (smtplib.SMTPException, OSError) as why:
            return Retry(f"{type(why).__name__}: {why}", "timeout" if isinstance(why, TimeoutError) else "connection")
        return Sent(f"refused for {', '.join(refused)}" if refused else "accepted for all")

    async def close(self) -> None:
        self._pool.shutdown(wait=False)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(THREADS, thread_name_prefix="smtp")

    def _deliver(self, mail: EmailMessage) -> dict[str, tuple[int, bytes]]:
        with self._connect() as server:
            if self.security == "starttls":
                server.starttls(context=self._trust())
            if self.username:
                server.login(self.username, self.password)
            return server.send_message(mail)

    def _connect(self) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=self._trust())
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout)

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)


def compose(notice: Notice, sender: str, to: tuple[str, ...], png: bytes | None = None) -> EmailMessage:
    """Plain text with both languages, and the same as HTML with each marked as what it is; png is attached."""
    texts, mail = notice.texts, EmailMessage(SMTP)
    mail["Subject"], mail["From"], mail["To"] = " ".join(f"{texts.zh_title} | {texts.en_title}".split()), sender, ", ".join(to)
    mail["Message-ID"], mail["Date"] = f"<{notice.id}@lifeline>", formatdate(notice.story.made / NS)
    mail["References"] = f"<{notice.story.warning}@lifeline>"  # mail programs thread a warning's notices by it
    mail.set_content(f"{texts.zh}\n\n{texts.en}\n")
    parts = [
        f'<div lang="{lang}">{URL.sub(_anchor, escape(text)).replace(chr(10), "<br>")}</div>'
        for lang, text in (("zh-CN", texts.zh), ("en", texts.en))
    ]
    mail.add_alternative("<br>".join(parts), subtype="html")
    if png is not None:
        mail.add_attachment(png, maintype="image", subtype="png", filename=f"{notice.story.warning}.png")
    return mail


def enclose(letter: Letter, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """Text, the same as HTML, and files."""
    mail = EmailMessage(SMTP)
    mail["Subject"], mail["From"], mail["To"] = " ".join(letter.subject.split()), sender, ", ".join(to)
    mail["Message-ID"], mail["Date"] = f"<{letter.id}@lifeline>", formatdate(letter.at / NS)
    mail.set_content(letter.text)
    mail.add_alternative(letter.html, subtype="html")
    for file in letter.files:
        main, _, sub = file.type.partition("/")
        mail.add_attachment(file.body, maintype=main, subtype=sub, filename=file.name)
    return mail


def _anchor(found: re.Match[str]) -> str:
    """An address in text that is escaped already, as a link."""
    return f'<a href="{found[0]}">{found[0]}</a>'


def _refusal(why: smtplib.SMTPResponseException) -> Outcome:
    """4xx is "not now", 5xx is "never" (RFC 5321, 4.2.1), at the login too (454: RFC 4954, 6)."""
    error = why.smtp_error
    words = f"{why.smtp_code} {error.decode(errors='replace') if isinstance(error, bytes) else error}"
    if why.smtp_code < 500:
        return Retry(words, "serverError")
    return Drop(words, "authError" if isinstance(why, smtplib.SMTPAuthenticationError) else "clientError")


def _nobody(why: smtplib.SMTPRecipientsRefused) -> Outcome:
    """Every recipient refused: never only if all of them are refused for good."""
    words = "; ".join(f"{who}: {code} {text!r}" for who, (code, text) in why.recipients.items())
    permanent = all(code >= 500 for code, _ in why.recipients.values())
    return Drop(words, "clientError") if permanent else Retry(words, "serverError")
