"""A workspace with one of everything that has an id."""

from __future__ import annotations

import itertools

from . import creator
from .api import new_key
from .case import shared_lab
from .desk import Desk
from .fake_provider import shared_provider
from .postern import Postern
from .process import eventually
from .sign_in import provider_body

SECRET = "three tin boats at noon"
SECRET_OF_IDA = "nine copper kettles"
_ATTACHED = (("application", "octet-stream", b"rates"), ("image", "png", creator.png()))
_serials = itertools.count(1)


class Tenant:
    """A workspace with one of everything that has an id, and its owner."""

    def __init__(self, server: Postern, name: str) -> None:
        number = next(_serials)
        self.lab = shared_lab()
        self.server = server
        self.name = name
        self.api = server.api(server.token(name))
        self.desk = Desk(self.api, self.lab)
        self.maya = self.lab.account(f"maya-of-{number}", "brand.example")
        self.lea = self.lab.account(f"lea-of-{number}", "creators.example")
        self.otto = self.lab.account(f"otto-of-{number}", "creators.example")
        self.key = new_key()
        self.ids: dict[str, str] = {}
        self._connect()
        self._write()
        self.ids["token"] = self.token_made()["id"]
        self._invite(number)
        provider = provider_body(shared_provider(), client_secret=SECRET)
        made = self.api.post("/v1/identity-providers", provider).expect(201)
        self.ids["provider"] = made["id"]

    def _invite(self, number: int) -> None:
        """Somebody who came, and somebody who did not come yet."""
        came, made = [
            self.api.post(
                "/v1/invitations", {"email": f"{who}-{number}@brand.example", "role": "reader"}
            ).expect(201) for who in ("noor", "pia")
        ]
        body = {"token": came["link"].partition("token=")[2], "password": SECRET_OF_IDA}
        joined = self.server.api().post("/v1/invitations/accept", body).expect(201)
        self.ids["person"] = joined["person_id"]
        self.ids["invitation"] = made["id"]

    def token_made(self) -> dict:
        """By a request that has a key: asked again, it makes no second one."""
        wish = {"role": "reader", "name": "Export"}
        return self.api.post("/v1/tokens", wish, key=self.key).expect(201).json

    def _connect(self) -> None:
        self.integration = self.desk.connect(self.maya)
        mine = f"/v1/integrations/{self.integration.id}"
        self.ids["integration"] = self.integration.id
        receipt = self.desk.reseal(self.integration, SECRET).expect(200)
        self.ids["receipt"] = receipt["id"]
        self.integration.secret = SECRET
        self.ids["grant"] = self.desk.grant(self.integration)["id"]
        body = {"name": "Ida", "shared_secret": SECRET, "new_shared_secret": SECRET_OF_IDA}
        self.ids["holder"] = self.api.post(f"{mine}/holders", body).expect(201)["id"]

    def _write(self) -> None:
        """A mail, an answer to it with attachments, and one of somebody else, which is held."""
        subject = f"Offer of {self.name}"
        wrote = self.desk.write(self.integration, self.lea, subject, "Hello").expect(201)
        self.ids["thread"] = wrote["id"]
        lea = creator.Creator(self.lab, self.lea)
        (mail,) = lea.received(subject)
        self.desk.sent(wrote["id"])
        strange = creator.plain_reply(mail, self.otto, "let me answer for her")
        self.lab.deliver(self.maya, strange.as_bytes(), sender=self.otto.address)
        mine = creator.plain_reply(mail, self.lea, "I am in")
        for major, minor, content in _ATTACHED:
            mine.add_attachment(content, maintype=major, subtype=minor, filename=f"rates.{minor}")
        self.lab.deliver(self.maya, mine.as_bytes(), sender=self.lea.address)
        (answer,) = self.desk.incoming(wrote["id"])
        self.ids["message"] = answer["id"]
        self.ids["attachment"] = answer["attachments"][0]["id"]
        (held,) = eventually(self.desk.held, "a mail is held")
        self.ids["held"] = held["id"]
        found = self.api.get(f"/v1/creators?address={self.lea.address}").expect(200)
        self.ids["creator"] = found["items"][0]["id"]
        wrote = self.desk.write(self.integration, self.otto, "Another offer", "Hello").expect(201)
        self.desk.sent(wrote["id"])

    def new_thread(self, integration: str) -> dict:
        return {
            "integration_id": integration, "subject": "Another", "text": "Hello",
            "to": [{"name": "Lea", "address": self.lea.address}],
        }
