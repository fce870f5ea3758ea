"""An outreach manager at work: the steps of the story as one call each, in terms of the API."""

from __future__ import annotations

import dataclasses
from typing import Any

from .api import Api, Reply
from .mail_servers import Account, MailServers
from .process import eventually

SETTLED = ("sent", "failed", "unknown")
# Longer than two polls: what a busy server could not take at once comes at the next.
DEADLINE_S = 150.0


@dataclasses.dataclass
class Connected:
    """An integration as its user knows it."""

    id: str
    secret: str
    answer: dict
    address: str = ""


class Desk:
    """Works on one installation with one token, over mailboxes of one lab."""

    def __init__(self, api: Api, lab: MailServers) -> None:
        self.api = api
        self.lab = lab

    def integration_body(self, account: Account, **more: Any) -> dict:
        """The body of POST /v1/integrations; `imap` and `smtp` replace parts of the config."""
        config = {
            "address": account.address,
            "username": account.name,
            "tls_ca_pem": self.lab.ca_pem,
            "imap": {
                "host": "127.0.0.1", "port": self.lab.dovecot.imaps_port, "tls": "implicit",
                **more.pop("imap", {}),
            },
            "smtp": {
                "host": "127.0.0.1", "port": self.lab.postfix.submission_port, "tls": "starttls",
                **more.pop("smtp", {}),
            },
            **more.pop("config", {}),
        }
        body = {
            "kind": "imap", "name": account.name.capitalize(), "level": "replies",
            "config": {name: value for name, value in config.items() if value is not None},
            "credential": {"password": account.password},
        }
        if "shared_secret" not in more:
            body["generate"] = True
        return {**body, **more}

    def connect(self, account: Account, **more: Any) -> Connected:
        """Step 2: connects a mailbox; the secret is generated unless one is given."""
        body = self.integration_body(account, **more)
        answer = self.api.post("/v1/integrations", body).expect(201).json
        secret = answer.get("shared_secret") or more.get("shared_secret", "")
        return Connected(answer["id"], secret, answer, account.address)

    def grant(
        self, integration: Connected, verbs: tuple[str, ...] = ("send", "read_replies"),
        expires_in: str = "P30D",
    ) -> dict:
        """Step 3: keep working while I am away."""
        body = {
            "shared_secret": integration.secret, "verbs": list(verbs), "expires_in": expires_in,
        }
        return self.api.post(f"/v1/integrations/{integration.id}/grants", body).expect(201).json

    def write(
        self, integration: Connected, creator: Account, subject: str, text: str, *, key: str = "",
        **more: Any,
    ) -> Reply:
        """Step 4: starts a thread; the caller looks at the answer."""
        body = {
            "integration_id": integration.id, "subject": subject, "text": text,
            "to": [{"name": creator.name.capitalize(), "address": creator.address}], **more,
        }
        return self.api.post("/v1/threads", body, key=key)

    def thread(self, thread_id: str) -> dict:
        return self.api.get(f"/v1/threads/{thread_id}").expect(200).json

    def state(self, integration: Connected) -> str:
        return self.api.get(f"/v1/integrations/{integration.id}").expect(200)["state"]

    def unlock(self, integration: Connected, secret: str = "", lasting: str = "PT1H") -> Reply:
        body = {"shared_secret": secret or integration.secret, "for": lasting}
        return self.api.post(f"/v1/integrations/{integration.id}/unlock", body)

    def act(
        self, integration: Connected, verb: str, body: dict | None = None, **more: Any
    ) -> Reply:
        """POST /v1/integrations/{id}/{verb}."""
        return self.api.post(f"/v1/integrations/{integration.id}/{verb}", body or {}, **more)

    def reseal(self, integration: Connected, new_secret: str) -> Reply:
        body = {"shared_secret": integration.secret, "new_shared_secret": new_secret}
        return self.act(integration, "reseal", body)

    def settled(self, thread_id: str, number: int = 0, deadline_s: float = DEADLINE_S) -> dict:
        """Waits until a message of the thread is sent, failed or unknown; the message."""

        def probe() -> dict | None:
            message = self.thread(thread_id)["messages"][number]
            return message if message["state"] in SETTLED else None

        return eventually(probe, f"message {number} of {thread_id} settled", deadline_s)

    def sent(self, thread_id: str, number: int = 0) -> dict:
        message = self.settled(thread_id, number)
        if message["state"] != "sent":
            raise AssertionError(f"not sent: {message}")
        return message

    def incoming(
        self, thread_id: str, count: int = 1, deadline_s: float = DEADLINE_S
    ) -> list[dict]:
        """Waits until the thread shows `count` received messages, with what they say."""

        def probe() -> list[dict] | None:
            found = [
                message for message in self.thread(thread_id)["messages"]
                if message["direction"] == "in" and message["state"] == "received"
            ]
            return found if len(found) >= count else None

        return eventually(probe, f"{count} received message(s) in {thread_id}", deadline_s)

    def held(self, thread_id: str | None = None) -> list[dict]:
        """Every page of the list, or of the thread's own."""
        of_thread = "" if thread_id is None else f"&thread={thread_id}"
        found, cursor = [], ""
        while True:
            page = self.api.get(f"/v1/held?limit=9{of_thread}{cursor}").expect(200)
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"
