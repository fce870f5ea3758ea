"""The story of the product, step by step, on real mail servers. Step 7 is in cutoff_test."""

from __future__ import annotations

import datetime
import re

from lab import codes, creator
from lab.api import new_key
from lab.case import LabCase
from lab.creator import Creator
from lab.postern import find_setup_link
from lab.process import eventually

MESSAGE_ID = re.compile(
    r"<ptn1\.[a-z0-9]+\.\d+\.[a-z0-9]+@[a-z0-9]+\.ptn\.brand\.example>", re.ASCII
)


class Step1StartTest(LabCase):
    def test_init_prints_a_setup_link_and_a_recovery_kit(self):
        server = self.installation()
        told = server.init()
        self.assertGreaterEqual(len(told.setup_token), 20)
        self.assertTrue(told.recovery_share.isprintable())
        self.assertNotIn(told.recovery_share.encode(), (server.data / "root.key").read_bytes())

    def test_the_link_makes_the_first_owner_once(self):
        server = self.installation()
        told = server.init()
        server.start()
        body = {
            "token": told.setup_token, "workspace": "Brand", "email": "olga@brand.example",
            "password": "correct horse battery staple",
        }
        server.api().post("/v1/setup", {**body, "token": "x" * 43}).expect(401, 403)
        server.api().post("/v1/setup", body).expect(200, 201)
        server.api().post("/v1/setup", body).expect(401, 403, 409, 410)
        signed_in = server.api().post(
            "/v1/sessions", {"email": "olga@brand.example", "password": body["password"]}
        )
        signed_in.expect(200, 201)

    def test_the_link_shows_one_form_without_script(self):
        server = self.installation()
        told = server.init()
        server.start()
        page = server.api().get(
            f"/setup?token={told.setup_token}", headers={"Host": f"localhost:{server.port}"}
        ).expect(200)
        self.assertIn("text/html", page.headers["content-type"])
        self.assertIn("<form", page.text)
        self.assertNotIn("<script", page.text.lower())

    def test_the_recovery_share_restores_the_root_key(self):
        server = self.installation()
        told = server.init()
        key = server.data / "root.key"
        before = key.read_bytes()
        self.assertEqual(key.stat().st_mode & 0o777, 0o400)
        key.unlink()
        server.command("recover", "--data", str(server.data), stdin=told.recovery_share + "\n")
        self.assertEqual(key.read_bytes(), before)
        server.start()

    def test_a_token_opens_the_api(self):
        server, desk = self.running()
        self.assertTrue(desk.api.token.startswith("pst_"))
        desk.api.get("/v1/me").expect(200)
        server.api("pst_" + "x" * 43).get("/v1/me").expect(401)


class Step2ConnectTest(LabCase):
    def test_a_generated_secret_is_shown_once(self):
        _, desk = self.running()
        maya = self.person()
        key = new_key()
        body = desk.integration_body(maya)
        first = desk.api.post("/v1/integrations", body, key=key).expect(201).json
        self.assertRegex(first["id"], r"^int_")
        self.assertEqual((first["kind"], first["state"], first["epoch"]), ("imap", "leased", 1))
        self.assertEqual(first["grants"], [])
        self.assertGreaterEqual(len(first["shared_secret"]), 16)

        again = desk.api.post("/v1/integrations", body, key=key).expect(201).json
        self.assertEqual(again["id"], first["id"])
        self.assertNotIn(first["shared_secret"], str(again))
        self.assertIs(again["secret_shown"], True)
        self.assertEqual(len(desk.api.get("/v1/integrations").json["items"]), 1)

        seen = desk.api.get(f"/v1/integrations/{first['id']}").expect(200)
        self.assertNotIn(first["shared_secret"], seen.text)
        self.assertNotIn(maya.password, seen.text)

    def test_a_typed_secret_is_taken_and_not_repeated(self):
        _, desk = self.running()
        secret = "pelican-orchid-thunder-velvet-41"
        integration = desk.connect(self.person(), shared_secret=secret)
        self.assertNotIn(secret, str(integration.answer))
        desk.act(integration, "lock").expect(200, 204)
        desk.unlock(integration).expect(200)

    def test_starttls_for_imap_and_implicit_tls_for_smtp(self):
        _, desk = self.running()
        integration = desk.connect(
            self.person(),
            imap={"port": self.lab.dovecot.imap_port, "tls": "starttls"},
            smtp={"port": self.lab.postfix.smtps_port, "tls": "implicit"},
        )
        lea = Creator(self.lab, self.creator())
        desk.write(integration, lea.account, "Other ports", "x").expect(201)
        lea.received("Other ports")

    def test_a_password_that_needs_quoting(self):
        _, desk = self.running()
        for password in ('a"quoted\\one with spaces', "{5} of * % ( ) [ ]", "Pässwörter überall"):
            with self.subTest(password):
                maya = self.lab.change_password(self.person(), password)
                self.assertEqual(desk.connect(maya).answer["state"], "leased")

    def test_a_host_by_name(self):
        _, desk = self.running()
        integration = desk.connect(
            self.person(), imap={"host": "localhost"}, smtp={"host": "localhost"}
        )
        self.assertEqual(integration.answer["state"], "leased")


class Step3GrantTest(LabCase):
    def test_a_grant_for_thirty_days(self):
        _, desk, integration = self.connected()
        grant = desk.grant(integration)
        self.assertRegex(grant["id"], r"^grt_")
        ends = datetime.datetime.fromisoformat(grant["expires_at"].replace("Z", "+00:00"))
        days = (ends - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 86400
        self.assertAlmostEqual(days, 30, delta=0.1)

        desk.act(integration, "lock").expect(200, 204)
        self.assertEqual(desk.state(integration), "granted")

    def test_a_grant_needs_the_secret(self):
        _, desk, integration = self.connected()
        body = {"shared_secret": "not the secret", "verbs": ["send"], "expires_in": "P1D"}
        desk.act(integration, "grants", body).expect(401, 403, code=codes.WRONG_SECRET)
        del body["shared_secret"]
        desk.act(integration, "grants", body).expect(400, 422)

    def test_a_grant_to_read_only_does_not_send(self):
        _, desk, integration = self.connected()
        desk.grant(integration, verbs=("read_replies",))
        desk.act(integration, "lock").expect(200, 204)
        desk.write(integration, self.creator(), "No", "x").expect(423, 403)


class Step4SendTest(LabCase):
    def test_a_mail_leaves_and_stands_in_the_history(self):
        _, desk, integration = self.connected(grant=True)
        lea = Creator(self.lab, self.creator())
        answer = desk.write(
            integration, lea.account, "Winter collection", "Hello Léa,\n.\n..dots stay\n"
        ).expect(201).json
        self.assertRegex(answer["id"], r"^thr_")
        (message,) = answer["messages"]
        self.assertRegex(message["id"], r"^msg_")
        self.assertEqual((message["direction"], message["state"]), ("out", "queued"))

        (mail,) = lea.received("Winter collection")
        self.assertEqual(mail.header("Message-ID"), message["message_id"])
        self.assertRegex(message["message_id"], MESSAGE_ID)
        self.assertRegex(mail.header("References"), r"^<ptn1\.\S+>$")
        self.assertIn("ESMTPSA", mail.raw.decode(), "submission with TLS and sign-in")
        said = mail.parsed.get_body(("plain",)).get_content()
        self.assertEqual(said.splitlines()[:3], ["Hello Léa,", ".", "..dots stay"])
        self.assertNotIn("<img", mail.raw.decode().lower())

        self.assertEqual(desk.sent(answer["id"])["state"], "sent")
        thread = desk.thread(answer["id"])
        self.assertEqual(thread["subject"], "Winter collection")
        self.assertEqual(thread["integration_id"], integration.id)
        self.assertEqual(thread["messages"][0]["to"][0]["address"], lea.account.address)
        self.assertIn(answer["id"], desk.api.get("/v1/threads").expect(200).text)

    def test_exactly_one_copy_in_sent(self):
        server, desk = self.running()
        maya = self.person()
        integration = desk.connect(maya)
        lea = Creator(self.lab, self.creator())
        thread = desk.write(integration, lea.account, "Copy", "x").expect(201).json
        desk.sent(thread["id"])
        (copy,) = self.lab.arrived(maya, 'SUBJECT "Copy"', folder="Sent")
        self.assertEqual(copy.header("Message-ID"), thread["messages"][0]["message_id"])
        self.assertEqual(self.lab.mailbox(maya).count("INBOX"), 0)
        self.assertTrue(server.running)

    def test_a_second_mail_in_the_thread(self):
        _, desk, integration = self.connected()
        lea = Creator(self.lab, self.creator())
        thread = desk.write(integration, lea.account, "Two", "one").expect(201).json
        desk.sent(thread["id"])
        desk.api.post(f"/v1/threads/{thread['id']}/messages", {"text": "two"}).expect(201)
        first, second = sorted(lea.received("Two", 2), key=lambda mail: mail.uid)
        self.assertEqual(second.header("In-Reply-To"), first.header("Message-ID"))
        references = second.header("References").split()
        self.assertEqual(references[0], first.header("References").split()[0])
        self.assertEqual(references[-1], first.header("Message-ID"))


class Step5RepliesTest(LabCase):
    def test_every_client_s_reply_is_shown(self):
        _, desk, integration = self.connected(grant=True)
        waiting = []
        for client in creator.CLIENTS:
            lea = Creator(self.lab, self.creator())
            thread = desk.write(integration, lea.account, f"To {client.name}", "Hello").expect(201)
            (mail,) = lea.received(f"To {client.name}")
            lea.answer(mail, client.name, "Yes with pleasure")
            waiting.append((client, thread["id"], lea))
        for client, thread_id, lea in waiting:
            with self.subTest(client.name):
                (reply,) = desk.incoming(thread_id)
                self._shows(reply, client)
                self.assertEqual(reply["from"]["address"], lea.account.address)

    def test_a_reply_by_swaks(self):
        _, desk, integration = self.connected()
        lea = Creator(self.lab, self.creator())
        thread = desk.write(integration, lea.account, "Plain", "Hello").expect(201)
        lea.answer_with_swaks(lea.received("Plain")[0], "from the command line")
        (reply,) = desk.incoming(thread["id"])
        self.assertIn("from the command line", reply["text"])
        self.assertEqual(reply["attachments"], [])

    def test_reader_sees_what_came_of_it_and_not_what_it_says(self):
        server, desk, integration = self.connected()
        lea = Creator(self.lab, self.creator())
        written = desk.write(integration, lea.account, "Rates", "What would you ask?").expect(201)
        lea.answer_with_swaks(lea.received("Rates")[0], "Four hundred each")
        desk.incoming(written["id"])
        thread = desk.thread(written["id"])
        self.assertEqual([one["direction"] for one in thread["messages"]], ["out", "in"])
        reader = server.api(server.token(role="reader"))
        listed = reader.get("/v1/threads").expect(200)["items"]
        self.assertIn(thread["id"], [one["id"] for one in listed])
        told = reader.get(f"/v1/threads/{thread['id']}/messages").expect(200)
        outlines = [
            [(one["id"], one["direction"], one["state"]) for one in messages]
            for messages in (told["items"], thread["messages"])
        ]
        self.assertEqual(*outlines)
        for said in ("What would you ask?", "Four hundred"):
            self.assertNotIn(said, told.text)
        for message in thread["messages"]:
            reader.get(f"/v1/messages/{message['id']}/raw").expect(403, code="forbidden")
        reader.get(f"/v1/threads/{thread['id']}").expect(403, code="forbidden")

    def test_attachments_and_raw_mail_come_back_byte_identical(self):
        _, desk = self.running()
        maya = self.person()
        integration = desk.connect(maya)
        lea = Creator(self.lab, self.creator())
        thread = desk.write(integration, lea.account, "Bytes", "Hello").expect(201)
        lea.answer(lea.received("Bytes")[0], "gmail_web", "see attached")
        (reply,) = desk.incoming(thread["id"])
        raw = desk.api.get(f"/v1/messages/{reply['id']}/raw").expect(200)
        (arrived,) = self.lab.mailbox(maya).mails()
        self.assertEqual(raw.body, arrived.raw)
        (pdf,) = [part for part in reply["attachments"] if part["name"] == "Tarifs 2026.pdf"]
        self.assertEqual(pdf["type"], "application/pdf")
        self.assertEqual(pdf["bytes"], len(creator.pdf()))

    def test_a_reply_is_announced_as_an_event(self):
        _, desk, integration = self.connected()
        lea = Creator(self.lab, self.creator())
        with desk.api.events() as events:
            thread = desk.write(integration, lea.account, "News", "Hello").expect(201)
            events.wait_for(
                lambda event: event.kind == "message.state" and event.names(thread["id"]), "sent"
            )
            lea.answer(lea.received("News")[0], "apple_mail_ios", "ok")
            events.wait_for(
                lambda event: event.kind == "message.received" and event.names(thread["id"]),
                "received",
            )

    def test_a_script_in_a_reply_does_not_come_through(self):
        _, desk, integration = self.connected()
        lea = Creator(self.lab, self.creator())
        thread = desk.write(integration, lea.account, "Evil", "Hello").expect(201)
        (mail,) = lea.received("Evil")
        reply = creator.plain_reply(mail, lea.account, "text part")
        reply.add_alternative(
            '<p onclick="a()">shown</p><script>alert(1)</script><img src="https://t.example/p.gif">'
            '<a href="javascript:a()">l</a><style>@import "https://t.example/c"</style>'
            '<form action="https://t.example"></form><svg onload="a()"></svg>', subtype="html",
        )
        lea.send(mail, reply.as_bytes())
        (shown,) = desk.incoming(thread["id"])
        self.assertIn("shown", shown["html"])
        for word in ("<script", "onclick", "onload", "javascript:", "@import", "<form", "<svg"):
            self.assertNotIn(word, shown["html"].lower())
        self.assertNotRegex(shown["html"], r'src\s*=\s*["\']?https?:')

    def _shows(self, reply: dict, client: creator.Client) -> None:
        self.assertIn("Yes with pleasure", reply["text"])
        self.assertIn(client.says, reply["text"])
        if client.html:
            self.assertIn("Yes with pleasure", reply["html"])
        shown = {attachment["name"] for attachment in reply["attachments"]}
        for name in client.attachments:
            self.assertIn(name, shown)


class Step6RestartAndSealTest(LabCase):
    def test_after_kill_the_lease_is_gone_and_the_grant_works_on(self):
        server, desk, integration = self.connected(grant=True)
        lea = Creator(self.lab, self.creator())
        thread = desk.write(integration, lea.account, "Before", "Hello").expect(201)
        (mail,) = lea.received("Before")
        desk.sent(thread["id"])
        server.kill()
        lea.answer(mail, "gmail_android", "while you were down")
        server.start()
        self.assertEqual(desk.state(integration), "granted")
        (reply,) = desk.incoming(thread["id"])
        self.assertIn("while you were down", reply["text"])
        desk.write(integration, lea.account, "After", "Hello").expect(201)
        lea.received("After")

    def test_without_a_grant_a_restart_seals_and_mail_waits(self):
        server, desk, integration = self.connected()
        lea = Creator(self.lab, self.creator())
        thread = desk.write(integration, lea.account, "Wait", "Hello").expect(201)
        (mail,) = lea.received("Wait")
        desk.sent(thread["id"])
        server.kill()
        server.start()
        self.assertEqual(desk.state(integration), "sealed")
        desk.write(integration, lea.account, "Not", "x").expect(423, code=codes.SEALED)
        lea.answer(mail, "thunderbird", "waiting for you")
        desk.unlock(integration).expect(200)
        (reply,) = desk.incoming(thread["id"])
        self.assertIn("waiting for you", reply["text"])

    def test_a_revoked_grant_seals(self):
        _, desk = self.running()
        maya = self.person()
        integration = desk.connect(maya)
        grant = desk.grant(integration)
        lea = Creator(self.lab, self.creator())
        thread = desk.write(integration, lea.account, "Revoke", "Hello").expect(201)
        (mail,) = lea.received("Revoke")
        desk.sent(thread["id"])
        desk.act(integration, "lock").expect(200, 204)
        desk.api.delete(f"/v1/integrations/{integration.id}/grants/{grant['id']}").expect(200, 204)
        self.assertEqual(desk.state(integration), "sealed")
        eventually(lambda: not self.lab.dovecot.connected(maya.name), "connections closed")
        desk.write(integration, lea.account, "Not", "x").expect(423, code=codes.SEALED)
        lea.answer(mail, "outlook_web", "later then")
        self.lab.arrived(maya)
        self.assertEqual(len(desk.thread(thread["id"])["messages"]), 1)
        desk.unlock(integration).expect(200)
        desk.incoming(thread["id"])

    def test_history_stays_readable_while_sealed(self):
        _, desk, integration = self.connected()
        lea = Creator(self.lab, self.creator())
        thread = desk.write(integration, lea.account, "Read on", "my own words").expect(201)
        desk.sent(thread["id"])
        desk.act(integration, "lock").expect(200, 204)
        self.assertIn("my own words", desk.thread(thread["id"])["messages"][0]["text"])


class Step8ReconnectAndDeleteTest(LabCase):
    def test_reconnect_after_cut_off_keeps_id_and_threads_and_finds_replies(self):
        _, desk = self.running()
        maya = self.person()
        integration = desk.connect(maya)
        lea = Creator(self.lab, self.creator())
        thread = desk.write(integration, lea.account, "Again", "Hello").expect(201)
        (mail,) = lea.received("Again")
        desk.sent(thread["id"])
        desk.act(integration, "cut-off").expect(200)
        self.assertEqual(desk.state(integration), "cut_off")

        maya = self.lab.change_password(maya, "an entirely new one")
        lea.answer(mail, "apple_mail_macos", "came meanwhile")
        self.lab.arrived(maya)
        body = {"credential": {"password": maya.password}, "generate": True}
        answer = desk.act(integration, "reconnect", body).expect(200).json
        self.assertEqual((answer["id"], answer["state"]), (integration.id, "leased"))
        self.assertNotEqual(answer["shared_secret"], integration.secret)
        (reply,) = desk.incoming(thread["id"])
        self.assertIn("came meanwhile", reply["text"])
        desk.unlock(integration).expect(401, 403, code=codes.WRONG_SECRET)
        desk.unlock(integration, answer["shared_secret"]).expect(200)

    def test_reconnect_to_another_account_is_refused(self):
        _, desk, integration = self.connected()
        other = self.person("otto")
        body = {
            "credential": {"password": other.password}, "generate": True,
            "config": desk.integration_body(other)["config"],
        }
        desk.act(integration, "reconnect", body).expect(409, 422)
        self.assertEqual(desk.state(integration), "leased")

    def test_the_history_outlives_the_integration(self):
        _, desk = self.running()
        maya = self.person()
        integration = desk.connect(maya)
        lea = Creator(self.lab, self.creator())
        thread = desk.write(integration, lea.account, "Keep", "first words").expect(201)
        (mail,) = lea.received("Keep")
        lea.answer(mail, "outlook_desktop", "last words")
        desk.incoming(thread["id"])
        before = self._whole(desk, thread["id"])

        receipt = desk.api.delete(f"/v1/integrations/{integration.id}").expect(200).json
        self.assertEqual(receipt["kind"], "delete")
        desk.api.get(f"/v1/integrations/{integration.id}").expect(404, 410)
        self.assertEqual(self._whole(desk, thread["id"]), before)
        found = desk.api.get(f"/v1/creators?address={lea.account.address}").expect(200)
        self.assertEqual(len(found.json["items"]), 1)
        (arrived,) = self.lab.mailbox(maya).mails()
        self.assertEqual(before[-1][1], arrived.raw)

    def _whole(self, desk, thread_id: str) -> list[tuple[dict, bytes]]:
        return [
            (message, desk.api.get(f"/v1/messages/{message['id']}/raw").expect(200).body)
            for message in desk.thread(thread_id)["messages"]
        ]


class SetupLinkTest(LabCase):
    def test_setup_link_command_prints_a_fresh_link_until_there_is_an_owner(self):
        server = self.installation()
        first = server.init()
        fresh = find_setup_link(server.command("setup-link", "--data", str(server.data)))
        self.assertTrue(fresh)
        self.assertNotEqual(fresh[1], first.setup_token)
        server.start()
        body = {
            "workspace": "Brand", "email": "olga@brand.example",
            "password": "correct horse battery staple",
        }
        server.api().post("/v1/setup", {**body, "token": fresh[1]}).expect(200, 201)
