"""A functional test to copy from. Run it with

    python3 tests/functional/lab/runner.py example

Rules of the house: one behaviour per test, named after it; outcomes a user could see; no sleeps
(wait for an event, or `eventually`); no real times asserted; nothing but the standard library.
"""

from __future__ import annotations

from lab import codes
from lab.case import LabCase
from lab.creator import Creator
from lab.process import eventually


class ExampleTest(LabCase):
    """LabCase gives each test a scratch folder and cleans up whatever the test started."""

    def test_a_reply_is_found_and_other_mail_is_not(self):
        # An installation of its own: `postern init`, a token, `postern serve`. `desk` is an owner
        # at work with that token; `server` is for what only an operator can do (kill, logs).
        server, desk = self.running()

        # Two mailboxes in the lab's Dovecot that no other test uses.
        maya = self.person("maya")
        lea = Creator(self.lab, self.creator("lea"))

        # POST /v1/integrations with a generated secret: sign-in happens for real.
        integration = desk.connect(maya)
        self.assertEqual(integration.answer["state"], "leased")

        # Open the event stream before the act whose event is awaited.
        with desk.api.events() as events:
            # POST /v1/threads. `expect` fails with the whole answer when the status is another.
            thread = desk.write(integration, lea.account, "Collab?", "Hello Lea!").expect(201).json

            # The creator's own mailbox, over IMAP: the mail really travelled through Postfix.
            (mail,) = lea.received("Collab?")

            # The creator answers as one of the clients in lab/creator.py would, and somebody else
            # writes to Maya at the same time.
            lea.answer(mail, "gmail_web", "Yes, with pleasure")
            self.lab.deliver(maya, b"From: x@elsewhere.example\r\nSubject: Other\r\n\r\nhi\r\n")

            events.wait_for(
                lambda event: event.kind == "message.received" and event.names(thread["id"]),
                "the reply is announced",
            )

        (reply,) = desk.incoming(thread["id"])
        self.assertIn("Yes, with pleasure", reply["text"])
        self.assertEqual(len(desk.thread(thread["id"])["messages"]), 2)

        # What crossed the wire after sign-in, from the server's own log.
        wire = b"".join(session.from_server for session in self.lab.sessions(maya))
        self.assertNotIn(b"Other", wire)

        # A lock takes effect at once; the error code is stable and kept in lab/codes.py.
        desk.act(integration, "lock").expect(200, 204)
        eventually(lambda: desk.state(integration) == "sealed", "sealed after lock")
        desk.write(integration, lea.account, "Again", "x").expect(423, code=codes.SEALED)
        self.assertTrue(server.running)
