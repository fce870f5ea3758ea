"""People over the API of a real server: invitations, roles, suspending, leaving, the review."""

from __future__ import annotations

import re
import threading
import urllib.parse

from lab.api import Reply, new_key
from lab.person import PeopleCase, Person
from lab.process import eventually

MAYA = "maya@brand.example"
PASSWORD = "nine green bottles on a wall"


class InvitedCase(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.olga.sign_in()

    def invite(self, email: str = MAYA, role: str = "manager", by: Person | None = None) -> Reply:
        body = {"email": email, "role": role}
        return (by or self.olga).call("POST", "/v1/invitations", body).expect(201)

    def token_of(self, invitation: Reply) -> str:
        return urllib.parse.parse_qs(urllib.parse.urlsplit(invitation["link"]).query)["token"][0]

    def accept(self, token: str, password: str = PASSWORD) -> Reply:
        body = {"token": token, "password": password}
        return self.server.api().post("/v1/invitations/accept", body)

    def join(self, email: str = MAYA, role: str = "manager", password: str = PASSWORD) -> Person:
        self.accept(self.token_of(self.invite(email, role)), password).expect(201)
        person = Person(self.server, email, password)
        person.sign_in()
        return person

    def id_of(self, person: Person) -> str:
        return person.me().expect(200)["person_id"]

    def people(self) -> dict[str, dict]:
        items = self.olga.call("GET", "/v1/people").expect(200)["items"]
        return {item["email"]: item for item in items}


class InvitationTest(InvitedCase):
    def test_link_of_the_invitation_opens_a_form_without_script(self):
        invitation = self.invite()
        link = urllib.parse.urlsplit(invitation["link"])
        self.assertEqual(link.netloc, f"localhost:{self.server.port}")
        page = self.olga.api.get(f"{link.path}?{link.query}").expect(200)
        self.assertIn("<strong>Brand</strong>", page.text)
        self.assertIn(MAYA, page.text)
        self.assertNotIn("<script", page.text)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for password, status in (("short", 422), (PASSWORD, 201), (PASSWORD, 403)):
            fields = {"token": self.token_of(invitation), "password": password}
            self.olga.api.call(
                "POST", "/invitation", raw=urllib.parse.urlencode(fields).encode(), headers=form
            ).expect(status)
        Person(self.server, MAYA, PASSWORD).sign_in()

    def test_link_of_others_pages_is_refused(self):
        token = self.token_of(self.invite())
        for header in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            body = {"token": token, "password": PASSWORD}
            self.server.api().call(
                "POST", "/v1/invitations/accept", body, headers=header
            ).expect(403, code="foreign_origin")
        self.accept(token).expect(201)

    def test_many_at_once_accept_one_invitation_once(self):
        token = self.token_of(self.invite())
        answers: list[Reply] = []
        threads = [
            threading.Thread(target=lambda: answers.append(self.accept(token))) for _ in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        good = [answer for answer in answers if answer.status == 201]
        self.assertEqual(len(good), 1, [str(answer) for answer in answers])
        for answer in answers:
            answer.expect(201, 401, 403, 409, 429, 503)
        self.assertEqual(len(self.people()), 2)

    def test_invitation_is_made_once_per_key(self):
        key, body = new_key(), {"email": MAYA, "role": "reader"}
        first = self.olga.call("POST", "/v1/invitations", body, key=key).expect(201)
        again = self.olga.call("POST", "/v1/invitations", body, key=key).expect(201)
        self.assertEqual(again["id"], first["id"])
        self.assertNotIn("link", again.json)
        self.assertTrue(again["secret_shown"])
        listed = self.olga.call("GET", "/v1/invitations").expect(200)
        self.assertEqual([item["id"] for item in listed["items"]], [first["id"]])
        self.assertNotIn("psi_", listed.text)
        self.olga.call("DELETE", f"/v1/invitations/{first['id']}").expect(204)
        self.accept(self.token_of(first)).expect(403, code="invitation_invalid")

    def test_bad_input(self):
        for field, value, code in (
            ("email", "x" * 255, "too_long"), ("email", 5, "wrong_type"),
            ("role", "king", "invalid"), ("role", None, "invalid"),
            ("owner", True, "unknown_field"), ("workspace_id", "wks_1", "unknown_field"),
        ):
            body = {"email": MAYA, "role": "reader", field: value}
            answer = self.olga.call("POST", "/v1/invitations", body).expect(422)
            self.assertEqual(answer.field_codes, {field: code})
        for email in ("", "maya", "maya@", "a@b\r\nc", "m\u202eaya@brand.example", "a@b\0.example"):
            body = {"email": email, "role": "reader"}
            self.olga.call("POST", "/v1/invitations", body).expect(422)
        self.accept("psi_" + "A" * 43).expect(403, code="invitation_invalid")
        self.accept("psi_" + "A" * 97).expect(422)


class MembersTest(InvitedCase):
    def test_role_that_was_changed_ends_session_and_stream(self):
        maya = self.join()
        them = self.id_of(maya)
        with maya.api.events() as events:
            changed = self.olga.call("PATCH", f"/v1/people/{them}", {"role": "reader"}).expect(200)
            self.assertEqual(changed["role"], "reader")
            self.assertTrue(events.closed.wait(10), "the stream goes on")
        maya.me().expect(401)
        maya.sign_in()
        maya.call("GET", "/v1/threads").expect(200)
        maya.call("GET", "/v1/people").expect(403, code="forbidden")
        maya.call("PATCH", f"/v1/people/{them}", {"role": "owner"}).expect(403, code="forbidden")

    def test_suspended_person_is_out_at_once_and_as_unknown_as_anybody(self):
        maya = self.join()
        them = self.id_of(maya)
        path = f"/v1/people/{them}"
        with maya.api.events() as events:
            self.olga.call("PATCH", path, {"state": "suspended"}).expect(200)
            self.assertTrue(events.closed.wait(10), "the stream goes on")
        maya.me().expect(401)
        refused = maya.try_sign_in().expect(401, code="invalid_credentials")
        unknown = Person(self.server, "nobody@brand.example", PASSWORD).try_sign_in().expect(401)
        drop = ("instance",)
        said = [{k: v for k, v in one.json.items() if k not in drop} for one in (refused, unknown)]
        self.assertEqual(said[0], said[1])
        self.assertEqual(self.people()[MAYA]["state"], "suspended")
        self.olga.call("PATCH", path, {"state": "active"}).expect(200)
        maya.sign_in()

    def test_owner_ends_the_sessions_of_somebody(self):
        maya = self.join()
        path = f"/v1/people/{self.id_of(maya)}/sessions"
        with maya.api.events() as events:
            self.olga.call("DELETE", path).expect(204)
            self.assertTrue(events.closed.wait(10), "the stream goes on")
        maya.me().expect(401)
        maya.sign_in()
        maya.call("DELETE", path).expect(403, code="forbidden")

    def test_owner_ends_the_sessions_of_everybody(self):
        maya, noor = self.join(), self.join("noor@brand.example")
        elsewhere = self.other_browser()
        elsewhere.sign_in()
        maya.call("DELETE", "/v1/people/sessions").expect(403, code="forbidden")
        with maya.api.events() as events:
            self.olga.call("DELETE", "/v1/people/sessions").expect(204)
            self.assertTrue(events.closed.wait(10), "the stream goes on")
        for who in (maya, noor, elsewhere):
            who.me().expect(401)
        self.olga.me().expect(200)
        maya.sign_in()
        told = [one["action"] for one in self.olga.call("GET", "/v1/audit")["items"]]
        self.assertIn("workspace.sessions_ended", told)

    def test_token_ends_with_its_makers_place(self):
        maya = self.join(role="owner")
        made = maya.call("POST", "/v1/tokens", {"role": "owner"}).expect(201)
        self.assertEqual(made["made_by"], self.id_of(maya))
        api = self.server.api(made["token"])
        api.get("/v1/me").expect(200)
        self.olga.call("DELETE", f"/v1/people/{self.id_of(maya)}").expect(204)
        api.get("/v1/me").expect(401)
        maya.try_sign_in().expect(401)

    def test_nobody_is_left_without_an_owner(self):
        me = self.id_of(self.olga)
        for method, path, body in (
            ("POST", "/v1/me/leave", None), ("DELETE", f"/v1/people/{me}", None),
            ("PATCH", f"/v1/people/{me}", {"role": "manager"}),
            ("PATCH", f"/v1/people/{me}", {"state": "suspended"}),
        ):
            self.olga.call(method, path, body).expect(409, code="last_owner")
        self.join(role="owner")
        self.olga.call("POST", "/v1/me/leave").expect(204)
        self.assertTrue(self.olga.cookie.endswith("="))
        self.olga.try_sign_in().expect(401)

    def test_two_owners_cannot_both_leave_at_once(self):
        maya = self.join(role="owner")
        answers: list[Reply] = []
        threads = [
            threading.Thread(
                target=lambda who=who: answers.append(who.call("POST", "/v1/me/leave"))
            ) for who in (self.olga, maya)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(answer.status for answer in answers), [204, 409])

    def test_acts_on_people_want_a_fresh_proof(self):
        """Five minutes after the password was shown; a token needs its scope."""
        maya = self.join()
        plain = self.olga.call("POST", "/v1/tokens", {"role": "owner"}).expect(201)
        scoped = self.olga.call(
            "POST", "/v1/tokens", {"role": "owner", "scopes": ["people", "cut_off"]}
        ).expect(201)
        path = f"/v1/people/{self.id_of(maya)}"
        api = self.server.api(plain["token"])
        api.patch(path, {"role": "reader"}).expect(403, code="scope_needed")
        api.post("/v1/invitations", {"email": "a@b.example", "role": "reader"}).expect(403)
        api.get("/v1/people").expect(200)
        scoped_api = self.server.api(scoped["token"])
        scoped_api.patch(path, {"role": "reader"}).expect(200)
        scoped_api.patch(path, {"role": "owner"}).expect(403, code="beyond_own_rights")
        scoped_api.post(f"{path}/password-reset").expect(403, code="forbidden")

    def test_workspaces_of_ones_own(self):
        made = self.olga.call("POST", "/v1/workspaces", {"name": "Second"}).expect(201)
        # Who does not know yet which there are is told their oldest.
        self.assertEqual(self.olga.me().expect(200)["workspace"]["name"], "Brand")
        self.olga.call("GET", "/v1/threads").expect(400, code="workspace_needed")
        mine = self.olga.call("GET", "/v1/me/workspaces").expect(200)["items"]
        self.assertEqual([one["name"] for one in mine], ["Brand", "Second"])
        header = {"Postern-Workspace": made["id"]}
        me = self.olga.call("GET", "/v1/me", headers=header).expect(200)
        self.assertEqual(me["workspace"]["name"], "Second")
        people = self.olga.call("GET", "/v1/people", headers=header).expect(200)
        self.assertEqual([one["is_you"] for one in people["items"]], [True])
        self.olga.call("GET", "/v1/threads", headers=header).expect(200)

    def test_somebody_with_two_workspaces_and_a_second_factor_signs_in(self):
        """Before they can know which there are: nothing of a workspace is asked of them yet."""
        app, _ = self.olga.enrol()
        self.olga.call("POST", "/v1/workspaces", {"name": "Other"}).expect(201)
        elsewhere = self.other_browser()
        elsewhere.sign_in()
        told = elsewhere.call("GET", "/v1/me").expect(200)
        self.assertEqual(told["standing"], "second_factor_needed")
        self.assertNotIn("Brand", told.text)
        elsewhere.show(app.code()).expect(200)
        self.assertEqual(len(elsewhere.call("GET", "/v1/me/workspaces").expect(200)["items"]), 2)
        elsewhere.call("DELETE", "/v1/sessions/current").expect(204)
        elsewhere.call("GET", "/v1/me").expect(401)

    def test_owner_who_is_gone_leaves_no_way_back(self):
        rogue = self.join(role="owner")
        me = self.id_of(rogue)
        body = {"email": "later@brand.example", "role": "owner"}
        prepared = self.token_of(rogue.call("POST", "/v1/invitations", body).expect(201))
        lea = self.join("lea@brand.example")
        path = f"/v1/people/{self.id_of(lea)}/password-reset"
        link = rogue.call("POST", path).expect(201)["link"].partition("token=")[2]
        self.olga.call("DELETE", f"/v1/people/{me}").expect(204)
        self.accept(prepared).expect(403, code="invitation_invalid")
        self.server.api().post(
            "/v1/password-resets/use", {"token": link, "password": "a password of the rogue's"}
        ).expect(403, code="reset_invalid")
        lea.me().expect(200)

    def test_invited_person_joins_a_second_workspace(self):
        maya = self.join()
        other = maya.call("POST", "/v1/workspaces", {"name": "Other"}).expect(201)
        header = {"Postern-Workspace": other["id"]}
        body = {"email": self.olga.email, "role": "auditor"}
        made = maya.call("POST", "/v1/invitations", body, headers=header).expect(201)
        token = self.token_of(made)
        maya.call("POST", "/v1/me/workspaces", {"invitation": token}).expect(
            403, code="invitation_invalid"
        )
        for password in ("not the password of olga", self.olga.password):
            self.accept(token, password).expect(409, code="sign_in_first")
        joined = self.olga.call("POST", "/v1/me/workspaces", {"invitation": token}).expect(201)
        self.assertEqual(joined["role"], "auditor")
        self.olga.call("GET", "/v1/audit", headers=header).expect(200)

    def test_report_of_access_and_its_record(self):
        maya = self.join()
        them = self.id_of(maya)
        self.invite("lea@brand.example", "reader")
        self.olga.call("DELETE", f"/v1/people/{them}").expect(204)
        report = self.olga.call("GET", "/v1/access-review?within=P7D").expect(200)
        self.assertEqual([one["email"] for one in report["past"]], [MAYA])
        self.assertEqual(report["past"][0]["role"], "manager")
        self.assertEqual([one["email"] for one in report["people"]], [self.olga.email])
        self.assertEqual([one["email"] for one in report["invitations"]], ["lea@brand.example"])
        self.assertIn("read_history", report["roles"]["reader"])
        self.assertNotIn("read_history", report["roles"]["operator"])
        self.assertIsNone(report["reviewed_at"])
        self.olga.call("POST", "/v1/access-review").expect(204)
        self.assertIsNotNone(self.olga.call("GET", "/v1/access-review")["reviewed_at"])
        told = [one["action"] for one in self.olga.call("GET", "/v1/audit")["items"]]
        for action in (
            "invitation.made", "membership.began", "membership.ended", "access.reviewed",
        ):
            self.assertIn(action, told)

    def test_server_that_was_killed_keeps_who_is_out(self):
        maya = self.join()
        path = f"/v1/people/{self.id_of(maya)}"
        self.olga.call("PATCH", path, {"state": "suspended"}).expect(200)
        self.server.kill()
        self.server.start()
        maya.me().expect(401)
        maya.try_sign_in().expect(401)
