"""The server's own mail, through a real Postfix: invitations, links to a new password, notices."""

from __future__ import annotations

import re
import urllib.parse

from lab.api import Reply
from lab.case import LabCase
from lab.mail_servers import Account
from lab.person import Person
from lab.postern import CONFIG
from lab.process import eventually

PASSWORD = "nine green bottles on a wall"
NEXT = "seven paper lanterns adrift"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class OwnMailCase(LabCase):
    def setUp(self) -> None:
        super().setUp()
        self.sender = self.person("postern")
        self.inbox = self.person("olga")
        secret = self.scratch / "smtp.password"
        secret.write_text(self.sender.password + "\n")
        secret.chmod(0o600)
        self.server = self.installation(config=CONFIG + f"""
[smtp]
host = "localhost"
port = {self.lab.postfix.submission_port}
tls = "starttls"
username = "{self.sender.name}"
password_file = "{secret}"
ca_file = "{self.lab.describe()["ca_file"]}"
from = "{self.sender.address}"
""")
        token = self.server.init().setup_token
        self.server.start()
        self.olga = Person(self.server, self.inbox.address, "correct horse battery staple")
        body = {
            "token": token, "workspace": "Brand", "email": self.olga.email,
            "password": self.olga.password,
        }
        self.server.api().post("/v1/setup", body).expect(201)
        self.olga.sign_in()

    def mail(self, account: Account, subject: str, count: int = 1):
        """The newest mail with this subject."""
        mails = self.lab.arrived(account, f'SUBJECT "{subject}"', count=count)
        return mails[-1]

    def link_in(self, mail) -> tuple[str, str]:
        """Path and token."""
        text = mail.parsed.get_body(("plain",)).get_content()
        link = urllib.parse.urlsplit(re.search(r"http\S+", text)[0])
        self.assertEqual(link.netloc, f"localhost:{self.server.port}")
        return link.path, urllib.parse.parse_qs(link.query)["token"][0]

    def ask(self, email: str) -> Reply:
        return self.server.api().post("/v1/password-resets", {"email": email})

    def use(self, token: str, password: str = NEXT) -> Reply:
        body = {"token": token, "password": password}
        return self.server.api().post("/v1/password-resets/use", body)


class OwnMailTest(OwnMailCase):
    def test_invitation_arrives_and_lets_its_reader_in(self):
        maya = self.person("maya")
        body = {"email": maya.address, "role": "manager"}
        made = self.olga.call("POST", "/v1/invitations", body).expect(201)
        self.assertNotIn("link", made.json)
        mail = self.mail(maya, "asked to work in Brand")
        self.assertEqual(mail.header("From"), f"Postern <{self.sender.address}>")
        self.assertEqual(mail.header("Auto-Submitted"), "auto-generated")
        path, token = self.link_in(mail)
        page = self.server.api().get(f"{path}?token={token}").expect(200)
        self.assertIn(maya.address, page.text)
        fields = urllib.parse.urlencode({"token": token, "password": PASSWORD}).encode()
        self.server.api().call("POST", path, raw=fields, headers=FORM).expect(201)
        Person(self.server, maya.address, PASSWORD).sign_in()
        log = self.server.log()
        self.assertNotIn(token, log)
        self.assertNotIn(maya.address, log)

    def test_no_inviter_takes_an_address_by_passing_the_link_on(self):
        body = {"email": "pia@brand.example", "role": "reader", "delivery": "link"}
        self.olga.call("POST", "/v1/invitations", body).expect(409, code="goes_by_mail")
        self.assertEqual(self.olga.call("GET", "/v1/invitations").expect(200)["items"], [])
        body["delivery"] = "pigeon"
        answer = self.olga.call("POST", "/v1/invitations", body).expect(422)
        self.assertEqual(answer.field_codes, {"delivery": "invalid"})

    def test_forgotten_password_is_chosen_anew_by_mail(self):
        app, _ = self.olga.enrol()
        self.ask(self.olga.email).expect(202)
        path, token = self.link_in(self.mail(self.inbox, "Choose a new password"))
        page = self.server.api().get(f"{path}?token={token}").expect(200)
        self.assertNotIn("<script", page.text)
        with self.olga.api.events() as events:
            for password, status in (("short", 422), (NEXT, 200), (NEXT, 403)):
                fields = urllib.parse.urlencode({"token": token, "password": password}).encode()
                answer = self.server.api().call("POST", path, raw=fields, headers=FORM)
                answer.expect(status)
            self.assertTrue(events.closed.wait(10), "a stream goes on after the password changed")
        self.olga.me().expect(401)
        self.olga.try_sign_in().expect(401)
        self.olga.password = NEXT
        self.olga.sign_in()
        self.assertEqual(self.olga.me()["standing"], "second_factor_needed")
        self.olga.show(app.code()).expect(200)
        self.mail(self.inbox, "Your password was changed")

    def test_nobody_learns_who_signs_in_here(self):
        known, unknown = self.ask(self.olga.email), self.ask("nobody@brand.example")
        for answer in (known, unknown):
            answer.expect(202)
        drop = ("date",)
        said = [
            (one.body, {k: v for k, v in one.headers.items() if k not in drop})
            for one in (known, unknown)
        ]
        self.assertEqual(said[0], said[1])

    def test_new_device_is_told(self):
        other = Person(self.server, self.olga.email, self.olga.password)
        other.agent = "Chrome/120.0 on a Mac"
        other.sign_in()
        mail = self.mail(self.inbox, "A new device signed in")
        text = mail.parsed.get_body(("plain",)).get_content()
        self.assertIn("from 127.0.0.1", text)
        self.assertIn("Chrome/120.0 on a Mac", text)

    def test_who_lost_everything_comes_back_by_the_host(self):
        self.olga.enrol()
        output = self.server.command(
            "person", "recover", "--data", str(self.server.data), "--email", self.olga.email
        )
        link = urllib.parse.urlsplit(output.strip())
        self.assertEqual(link.path, "/reset")
        token = urllib.parse.parse_qs(link.query)["token"][0]
        mail = self.mail(self.inbox, "A recovery link was made")
        self.assertNotIn(token, mail.raw.decode())
        self.use(token).expect(204)
        self.olga.password = NEXT
        self.olga.sign_in()
        self.assertEqual(self.olga.me()["standing"], "whole")
        records = self.olga.call("GET", "/v1/audit").expect(200)["items"]
        (made,) = [one for one in records if one["action"] == "person.recovery_link_made"]
        self.assertEqual(made["facts"]["by"], "host")
        unknown = self.server.run(
            "person", "recover", "--data", str(self.server.data), "--email", "nobody@x.example"
        )
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("unknown_person", unknown.stderr)

    def test_bad_input(self):
        api = self.server.api()
        for body, codes in (
            ({}, {"email": "missing"}), ({"email": 5}, {"email": "wrong_type"}),
            ({"email": "x" * 255}, {"email": "too_long"}),
            ({"email": "a@b.example", "page": "https://evil.example"}, {"page": "unknown_field"}),
        ):
            answer = api.post("/v1/password-resets", body).expect(422)
            self.assertEqual(answer.field_codes, codes)
        for email in ("", "nobody", "a@b\r\nBcc: x@y", "\0", "m\u202eaya@brand.example"):
            self.ask(email).expect(202)
        for token in ("", "psr_", "psr_" + "A" * 43, "psi_" + "A" * 43, "\r\n"):
            self.use(token).expect(403, code="reset_invalid")
        evil = {"Host": "evil.example"}
        body = {"email": self.olga.email}
        api.call("POST", "/v1/password-resets", body, headers=evil).expect(421)


class WithoutMailTest(LabCase):
    def test_owner_passes_the_link_on(self):
        server = self.installation()
        token = server.init().setup_token
        server.start()
        olga = Person(server, "olga@brand.example", "correct horse battery staple")
        body = {
            "token": token, "workspace": "Brand", "email": olga.email, "password": olga.password,
        }
        server.api().post("/v1/setup", body).expect(201)
        olga.sign_in()
        server.api().post("/v1/password-resets", {"email": olga.email}).expect(409, code="no_mail")
        body = {"email": "maya@brand.example", "role": "reader", "delivery": "mail"}
        olga.call("POST", "/v1/invitations", body).expect(409, code="no_mail")
        made = olga.call("POST", "/v1/invitations", {**body, "delivery": "link"}).expect(201)
        body = {"token": made["link"].partition("token=")[2], "password": PASSWORD}
        joined = server.api().post("/v1/invitations/accept", body).expect(201)
        path = f"/v1/people/{joined['person_id']}/password-reset"
        link = olga.call("POST", path).expect(201)
        self.assertEqual(link["delivery"], "link")
        token = link["link"].partition("token=")[2]
        body = {"token": token, "password": NEXT}
        server.api().post("/v1/password-resets/use", body).expect(204)
        maya = Person(server, "maya@brand.example", NEXT)
        maya.sign_in()
        # Whoever works elsewhere, too, is no longer only this owner's.
        maya.call("POST", "/v1/workspaces", {"name": "Other"}).expect(201)
        olga.call("POST", path).expect(409, code="works_elsewhere")
        unknown = "/v1/people/per_00000000000000000000000000/password-reset"
        olga.call("POST", unknown).expect(404)
        eventually(lambda: olga.me().status == 200, "the session stands")
