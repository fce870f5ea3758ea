"""A private thread of one manager with one of everything in it, and colleagues outside it."""

from __future__ import annotations

import urllib.parse

from . import creator
from .api import Api
from .desk import Desk
from .mail_servers import Account
from .mailbox import Mail
from .person import PeopleCase, Person
from .process import eventually

PASSWORD = "nine green bottles on a wall"
SUBJECT = "A quiet offer"


class PrivateCase(PeopleCase):
    """Maya's thread with Lea is private; Olga owns the workspace, Noor is a manager, Rita reads."""

    def setUp(self) -> None:
        super().setUp()
        self.olga.sign_in()
        self.maya = self.join("maya@brand.example", "manager")
        self.noor = self.join("noor@brand.example", "manager")
        self.rita = self.join("rita@brand.example", "reader")
        self.desk = Desk(self.maya.api, self.lab)
        self.mailbox = self.person()
        self.lea = self.creator("lea")
        self.otto = self.creator("otto")
        self.integration = self.desk.connect(self.mailbox)
        self.desk.grant(self.integration)

    def join(self, email: str, role: str) -> Person:
        body = {"email": email, "role": role}
        link = self.olga.call("POST", "/v1/invitations", body).expect(201)["link"]
        token = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]
        body = {"token": token, "password": PASSWORD}
        self.server.api().post("/v1/invitations/accept", body).expect(201)
        person = Person(self.server, email, PASSWORD)
        person.sign_in()
        return person

    def id_of(self, person: Person) -> str:
        return person.me().expect(200)["person_id"]

    def as_host(self, role: str = "owner") -> Api:
        return self.server.api(self.server.token(role=role))

    def write_private(self, to: Account | None = None, subject: str = SUBJECT) -> dict:
        wrote = self.desk.write(self.integration, to or self.lea, subject, "Hello", private=True)
        return wrote.expect(201).json

    def arrived(self, subject: str = SUBJECT) -> Mail:
        (mail,) = creator.Creator(self.lab, self.lea).received(subject)
        return mail

    def answer(self, mail: Mail, text: str = "I am in") -> None:
        """Of Lea, with an attachment."""
        reply = creator.plain_reply(mail, self.lea, text)
        reply.add_attachment(b"rates", maintype="application", subtype="octet-stream",
                             filename="rates.bin")
        self.lab.deliver(self.mailbox, reply.as_bytes(), sender=self.lea.address)

    def whole(self) -> dict[str, str]:
        """A private thread with an answer and a held mail: the id of each of its parts."""
        thread = self.write_private()
        self.desk.sent(thread["id"])
        mail = self.arrived()
        strange = creator.plain_reply(mail, self.otto, "let me answer for her")
        self.lab.deliver(self.mailbox, strange.as_bytes(), sender=self.otto.address)
        self.answer(mail)
        (answer,) = self.desk.incoming(thread["id"])
        (held,) = eventually(self.desk.held, "a mail is held")
        return {
            "thread": thread["id"], "message": answer["id"], "sent": thread["messages"][0]["id"],
            "attachment": answer["attachments"][0]["id"], "held": held["id"],
            "creator": thread["creators"][0],
        }
