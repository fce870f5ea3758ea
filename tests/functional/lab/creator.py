"""The creator's side: reads what arrived, answers as real mail clients do, sends through Postfix.

The clients' mails are templates in tests/data/replies. `{{name}}` is replaced by a value; what
stands between `[[encoding charset]]` and `[[/]]` is encoded as its part's headers say.
"""

from __future__ import annotations

import base64
import dataclasses
import email.header
import email.utils
import html
import itertools
import pathlib
import quopri
import re
import struct
import subprocess
import zlib
from email.message import EmailMessage

from .mail_servers import Account, MailServers
from .mailbox import Mail

TEMPLATES = pathlib.Path(__file__).resolve().parents[2] / "data" / "replies"
_serials = itertools.count(1001)


@dataclasses.dataclass(frozen=True)
class Client:
    """One mail client: its template, and what a reader of its mail must see."""

    name: str
    message_id: str
    says: str
    attachments: tuple[str, ...] = ()
    html: bool = True


CLIENTS = (
    Client(
        "gmail_web", "CA+{serial}Wb0xYz@mail.gmail.com", "Léa", ("reel.png", "Tarifs 2026.pdf")
    ),
    Client("gmail_android", "CAB{serial}kQ7=h@mail.gmail.com", "🎬"),
    Client(
        "outlook_desktop", "000001dc{serial}$8e1f5a30$aa5d0e90$@creators.example",
        "it’s “perfect”, 450 €.", ("Media kit Léa.pdf",),
    ),
    Client(
        "outlook_web", "AS8PR07MB{serial}4B1A9@AS8PR07MB{serial}.eurprd07.prod.outlook.com",
        "Schöne Grüße aus München", ("Dreh.ics",),
    ),
    Client(
        "apple_mail_macos", "8C2B1E7A-{serial}-4F5D@creators.example", "",
        ("Présentation Léa.pdf",),
    ),
    Client(
        "apple_mail_ios", "5A1B7C3D-{serial}-4E2F@creators.example", "Von meinem iPhone gesendet",
        ("IMG_0042.png",), html=False,
    ),
    Client(
        "thunderbird", "e0b1{serial}-7c2d-4f@creators.example", "Je préfère tourner",
        ("Détails de la très longue proposition de collaboration.pdf",),
    ),
    Client(
        "carrier_iso2022jp", "2026{serial}.AA@creators.example", "よろしくお願いします。", html=False
    ),
)


class Creator:
    """One creator with a mailbox in the lab."""

    def __init__(self, lab: MailServers, account: Account) -> None:
        self.lab = lab
        self.account = account

    def received(self, subject: str, count: int = 1) -> list[Mail]:
        """Waits for mails that carry `subject`, which must be plain ASCII."""
        return self.lab.arrived(self.account, f'SUBJECT "{subject}"', count=count)

    def count(self, subject: str) -> int:
        return self.lab.mailbox(self.account).count("INBOX", f'SUBJECT "{subject}"')

    def answer(self, mail: Mail, client: str, text: str, **changes: str) -> bytes:
        """Answers as `client` would; the mail as it was sent. `changes` replace template values."""
        raw = compose(by_name(client), mail, self.account, text, **changes)
        self.send(mail, raw)
        return raw

    def send(self, original: Mail, raw: bytes) -> None:
        """Sends any mail to the sender of `original`."""
        self.lab.submit(self.account, [sender_of(original)], raw)

    def answer_with_swaks(self, mail: Mail, text: str) -> None:
        """The plainest reply there is: one part, the three thread headers, by another's program."""
        parsed = mail.parsed
        done = subprocess.run(
            [
                "swaks", "--server", "localhost", "--port", str(self.lab.postfix.submission_port),
                "--tls", "--auth", "PLAIN", "--auth-user", self.account.name,
                "--auth-password", self.account.password,
                "--from", self.account.address, "--to", sender_of(mail),
                "--header", f"Subject: Re: {parsed['Subject']}",
                "--header", f"In-Reply-To: {parsed['Message-ID']}",
                "--header", f"References: {references(mail)}",
                "--body", text,
            ],
            capture_output=True, text=True, check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"swaks: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr}")


def by_name(name: str) -> Client:
    return next(client for client in CLIENTS if client.name == name)


def sender_of(mail: Mail) -> str:
    """Where a client would send the answer: Reply-To before From."""
    parsed = mail.parsed
    return email.utils.parseaddr(str(parsed["Reply-To"] or parsed["From"]))[1]


def references(mail: Mail) -> str:
    """RFC 5322 3.6.4: the parent's references and then the parent."""
    parsed = mail.parsed
    before = " ".join(str(parsed["References"] or "").split())
    parent = str(parsed["Message-ID"]).strip()
    return parent if not before or before == parent else f"{before} {parent}"


def compose(client: Client, mail: Mail, sender: Account, text: str, **changes: str) -> bytes:
    """The reply of `client` to `mail`, with CRLF line ends."""
    template = (TEMPLATES / f"{client.name}.eml").read_text()
    values = _values(client, mail, sender, text)
    values.update(changes)
    filled = re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], template)
    parts = re.split(r"\[\[(\S+) (\S+)\]\]\n(.*?)\n?\[\[/\]\]", filled, flags=re.DOTALL)
    out = b""
    for at in range(0, len(parts), 4):
        out += parts[at].encode()
        if at + 3 < len(parts):
            encoding, charset, content = parts[at + 1 : at + 4]
            out += _encoded(content, encoding, charset)
    return re.sub(rb"\r?\n", b"\r\n", out)


def plain_reply(mail: Mail, sender: Account, text: str, **headers: str | None) -> EmailMessage:
    """A bare reply whose headers a test may replace (`In_Reply_To="<...>"`) or drop (None)."""
    made = EmailMessage()
    usual = {
        "From": sender.address, "To": sender_of(mail), "Subject": f"Re: {mail.parsed['Subject']}",
        "Date": email.utils.formatdate(), "Message-ID": f"<{next(_serials)}@creators.example>",
        "In-Reply-To": str(mail.parsed["Message-ID"]), "References": references(mail),
    }
    usual.update({name.replace("_", "-"): value for name, value in headers.items()})
    for name, value in usual.items():
        if value is not None:
            made[name] = value
    made.set_content(text)
    return made


def png() -> bytes:
    """A small, valid picture."""
    rows = b"".join(b"\0" + bytes((row * 16, 128, 200)) * 16 for row in range(16))
    head = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def pdf() -> bytes:
    """Enough of a PDF to be told as one, with bytes that are no text."""
    objects = b"1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n"
    return b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + objects + b"%%EOF\n"


def _values(client: Client, mail: Mail, sender: Account, text: str) -> dict[str, str]:
    parsed = mail.parsed
    serial = str(next(_serials))
    to_name, _ = email.utils.parseaddr(str(parsed["From"]))
    to_address = sender_of(mail)
    body = parsed.get_body(("plain",))
    original = body.get_content().strip() if body else ""
    subject = str(parsed["Subject"])
    chain = references(mail)
    parent = str(parsed["Message-ID"]).strip()
    return {
        "serial": serial,
        "message_id": f"<{client.message_id.format(serial=serial)}>",
        "in_reply_to": parent,
        "in_reply_to_bare": parent.strip("<>"),
        "references": chain,
        "references_folded": chain.replace(" ", "\n "),
        "from": email.utils.formataddr(("Léa Martin", sender.address), charset="utf-8"),
        "from_address": sender.address,
        "to": email.utils.formataddr((to_name, to_address), charset="utf-8"),
        "to_name": to_name or to_address,
        "to_address": to_address,
        "subject": email.header.Header(f"Re: {subject}", "utf-8").encode()
        if not subject.isascii() else f"Re: {subject}",
        "subject_aw": email.header.Header(f"AW: {subject}", "utf-8").encode()
        if not subject.isascii() else f"AW: {subject}",
        "topic": subject if subject.isascii() else "Collab",
        "thread_index": base64.b64encode(b"\x01" + serial.encode().ljust(21, b"\x5a")).decode(),
        "date": email.utils.formatdate(),
        "quote_date": "Mon, Nov 23, 2026 at 10:15 AM",
        "quote_text": "\n".join(f"> {line}" for line in original.splitlines()),
        "quote_plain": original,
        "quote_html": "<div>" + "<br>".join(map(html.escape, original.splitlines())) + "</div>",
        "answer": text,
        "png": base64.encodebytes(png()).decode().strip(),
        "pdf": base64.encodebytes(pdf()).decode().strip(),
    }


def _encoded(content: str, encoding: str, charset: str) -> bytes:
    data = (content + "\n").encode(charset, errors="xmlcharrefreplace")
    if encoding == "quoted-printable":
        return quopri.encodestring(data).rstrip(b"\n") + b"\n"
    if encoding == "base64":
        return base64.encodebytes(re.sub(rb"\r?\n", b"\r\n", data))
    return data
