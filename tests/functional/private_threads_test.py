"""Threads that are private to their people, on real mail servers: who sees them, who lets whom in,
and what becomes of them when their people go."""

from __future__ import annotations

from lab.api import Api, Reply, new_key
from lab.desk import Desk
from lab.person import Person
from lab.private_scene import PrivateCase

NOBODY = "0" * 26


def thread_ids(caller: Api | Person, query: str = "") -> list[str]:
    items = caller.call("GET", f"/v1/threads?limit=100{query}").expect(200)["items"]
    return [item["id"] for item in items]


class PrivateThreadsTest(PrivateCase):
    def people_path(self, thread: str, person: Person) -> str:
        return f"/v1/threads/{thread}/people/{self.id_of(person)}"

    def add(self, thread: str, person: Person, by: Person | None = None) -> Reply:
        return (by or self.maya).call("PUT", self.people_path(thread, person))

    def take_out(self, thread: str, person: Person, by: Person | None = None) -> Reply:
        return (by or self.maya).call("DELETE", self.people_path(thread, person))

    def recorded(self, action: str) -> int:
        """How many acts of that name the owner finds in the record."""
        return len(self.olga.call("GET", f"/v1/audit?action={action}").expect(200)["items"])

    def unattended(self) -> list[str]:
        items = self.olga.call("GET", "/v1/unattended-threads").expect(200)["items"]
        return [item["id"] for item in items]

    def test_thread_with_all_in_it_is_seen_by_its_people_alone(self):
        ids = self.whole()
        outsiders = {
            "owner": self.olga, "manager": self.noor, "reader": self.rita,
            "the host": self.as_host(), "the host's privacy officer": self.as_host("privacy"),
        }
        for name, caller in outsiders.items():
            with self.subTest(name):
                self.nothing_is_there_for(caller, ids)
        shown = self.maya.call("GET", f"/v1/threads/{ids['thread']}").expect(200)
        self.assertTrue(shown["private"])
        self.assertEqual(
            shown["people"], [{"id": self.id_of(self.maya), "email": "maya@brand.example"}]
        )
        self.assertEqual(len(shown["messages"]), 2)
        self.assertEqual(thread_ids(self.maya), [ids["thread"]])
        self.assertEqual(thread_ids(self.maya, f"&creator={ids['creator']}"), [ids["thread"]])
        self.maya.call("GET", f"/v1/creators/{ids['creator']}").expect(200)
        raw = self.maya.call("GET", f"/v1/messages/{ids['message']}/raw").expect(200)
        self.assertIn("I am in", raw.text)
        path = f"/v1/messages/{ids['message']}/attachments/{ids['attachment']}"
        self.assertEqual(self.maya.call("GET", path).expect(200).body, b"rates")
        self.assertEqual([held["id"] for held in self.desk.held()], [ids["held"]])
        # What others asked for in vain was no opening.
        found = self.olga.call("GET", f"/v1/audit?about={ids['thread']}").expect(200)["items"]
        opened = [one["facts"]["by_id"] for one in found if one["action"] == "thread.opened"]
        self.assertEqual(set(opened), {self.id_of(self.maya)})

    def nothing_is_there_for(self, caller: Api | Person, ids: dict[str, str]) -> None:
        for path in (f"/v1/threads/{ids['thread']}/messages", f"/v1/creators/{ids['creator']}"):
            caller.call("GET", path).expect(404, code="not_found")
        for path in (
            f"/v1/threads/{ids['thread']}", f"/v1/messages/{ids['message']}/raw",
            f"/v1/messages/{ids['sent']}/raw",
            f"/v1/messages/{ids['message']}/attachments/{ids['attachment']}",
        ):
            # A reader opens no bodies, whatever the id.
            code = "forbidden" if caller is self.rita else "not_found"
            caller.call("GET", path).expect(403 if caller is self.rita else 404, code=code)
        for path in (
            "/v1/threads", f"/v1/threads?creator={ids['creator']}",
            f"/v1/threads?integration={self.integration.id}", "/v1/held",
            f"/v1/held?thread={ids['thread']}", "/v1/creators",
            f"/v1/creators?address={self.lea.address}", f"/v1/creators?address={self.otto.address}",
        ):
            self.assertEqual(caller.call("GET", path).expect(200)["items"], [], path)

    def test_events_of_it_are_told_to_its_people_alone(self):
        thread = self.write_private()
        self.desk.sent(thread["id"])
        api = self.noor.api
        with api.events(last_id="0") as hers, self.maya.api.events(last_id="0") as mayas:
            self.answer(self.arrived())
            mayas.wait_for(
                lambda event: event.kind == "message.received" and event.names(thread["id"]),
                "the answer is told to Maya",
            )
            shared = self.desk.write(self.integration, self.lea, "For all", "Hi").expect(201)["id"]
            hers.wait_for(lambda event: event.names(shared), "the stream works")
            self.assertFalse([event for event in hers.seen if event.names(thread["id"])])
            self.add(thread["id"], self.noor).expect(204)
            hers.wait_for(
                lambda event: event.kind == "thread.people" and event.names(thread["id"]),
                "it is told to Noor from now on",
            )
            self.take_out(thread["id"], self.noor).expect(204)
            self.desk.api.post(f"/v1/threads/{thread['id']}/messages", {"text": "And"}).expect(201)
            mayas.wait_for(
                lambda event: event.data["ids"].get("state") == "queued"
                and int(event.cursor) > int(hers.seen[-1].cursor) and event.names(thread["id"]),
                "a further mail is told to Maya",
            )
            again = self.desk.write(self.integration, self.lea, "Once more", "Hi").expect(201)["id"]
            hers.wait_for(lambda event: event.names(again), "the stream still works")
            told = [event for event in hers.seen if event.names(thread["id"])]
            self.assertEqual([event.kind for event in told], ["thread.people"])

    def test_people_are_added_and_leave(self):
        thread = self.write_private()["id"]
        self.add(thread, self.noor, by=self.noor).expect(404, code="not_found")
        self.add(thread, self.olga, by=self.olga).expect(404, code="not_found")
        self.add(thread, self.noor).expect(204)
        self.add(thread, self.noor).expect(204)
        shown = self.noor.call("GET", f"/v1/threads/{thread}").expect(200)
        self.assertEqual(
            sorted(person["email"] for person in shown["people"]),
            ["maya@brand.example", "noor@brand.example"],
        )
        (listed,) = self.noor.call("GET", "/v1/threads").expect(200)["items"]
        self.assertEqual(listed["people"], shown["people"])
        self.noor.call("POST", f"/v1/threads/{thread}/messages", {"text": "From both"}).expect(201)
        # Nobody, and somebody whose role reads no mail, are answered alike.
        auditor = self.join("ada@brand.example", "auditor")
        nobody = self.maya.call("PUT", f"/v1/threads/{thread}/people/per_{NOBODY}").expect(404)
        refused = self.add(thread, auditor).expect(404)
        self.assertEqual({**refused.json, "instance": ""}, {**nobody.json, "instance": ""})
        self.take_out(thread, self.olga).expect(404)
        # A reader reads, and decides nothing.
        self.add(thread, self.rita).expect(204)
        self.assertEqual(thread_ids(self.rita), [thread])
        self.add(thread, self.olga, by=self.rita).expect(403, code="forbidden")
        self.take_out(thread, self.maya).expect(204)
        self.assertEqual(thread_ids(self.maya), [])
        self.take_out(thread, self.noor, by=self.noor).expect(409, code="last_of_thread")
        self.assertEqual(thread_ids(self.noor), [thread])
        self.assertEqual(self.recorded("thread.person_added"), 2)
        self.assertEqual(self.recorded("thread.person_taken_out"), 1)

    def test_reply_is_found_for_whoever_is_in_it_then(self):
        thread = self.write_private()["id"]
        self.desk.sent(thread)
        self.add(thread, self.noor).expect(204)
        self.take_out(thread, self.maya, by=self.noor).expect(204)
        self.answer(self.arrived())
        (answer,) = Desk(self.noor.api, self.lab).incoming(thread)
        self.assertIn("I am in", answer["text"])
        self.maya.call("GET", f"/v1/threads/{thread}").expect(404)
        self.maya.call("GET", f"/v1/messages/{answer['id']}/raw").expect(404)

    def test_sharing_is_for_everybody_and_for_good(self):
        ids = self.whole()
        thread = ids["thread"]
        path = f"/v1/threads/{thread}/share"
        self.noor.call("POST", path).expect(404, code="not_found")
        self.maya.call("POST", path).expect(204)
        path_of_messages = f"/v1/threads/{thread}/messages"
        self.assertEqual(len(self.rita.call("GET", path_of_messages).expect(200)["items"]), 2)
        for caller in (self.olga, self.noor, self.as_host()):
            shown = caller.call("GET", f"/v1/threads/{thread}").expect(200)
            self.assertFalse(shown["private"])
            self.assertNotIn("people", shown.json)
            self.assertEqual(thread_ids(caller), [thread])
            caller.call("GET", f"/v1/messages/{ids['message']}/raw").expect(200)
            caller.call("GET", f"/v1/creators/{ids['creator']}").expect(200)
        for again in (
            self.maya.call("POST", path), self.add(thread, self.noor),
            self.take_out(thread, self.maya),
        ):
            again.expect(409, code="thread_is_shared")
        with self.noor.api.events(last_id="0") as events:
            events.wait_for(lambda event: event.kind == "thread.shared", "that it was shared")

    def test_token_sees_what_its_maker_sees_and_the_hosts_sees_none(self):
        made = self.olga.call("POST", "/v1/tokens", {"role": "manager"}).expect(201)
        api = self.server.api(made["token"])
        wrote = Desk(api, self.lab).write(
            self.integration, self.lea, "By a token", "Hi", private=True
        ).expect(201)
        self.assertEqual(wrote["people"], [
            {"id": self.id_of(self.olga), "email": self.olga.email}
        ])
        self.assertEqual(thread_ids(api), [wrote["id"]])
        self.assertEqual(thread_ids(self.olga), [wrote["id"]])
        self.assertEqual(thread_ids(self.maya), [])
        host = self.as_host()
        refused = Desk(host, self.lab).write(
            self.integration, self.lea, "By the host", "Hi", private=True
        ).expect(422)
        self.assertEqual(refused.field_codes, {"private": "needs_person"})
        self.assertEqual(thread_ids(host), [])
        for value in ("yes", 1, [], {}):
            refused = self.desk.write(self.integration, self.lea, "x", "x", private=value)
            self.assertEqual(refused.expect(422).field_codes, {"private": "wrong_type"})

    def test_repeated_request_of_another_person_shows_nothing(self):
        key = new_key()
        mine = self.desk.write(self.integration, self.lea, "Once", "x", key=key, private=True)
        again = self.desk.write(self.integration, self.lea, "Once", "x", key=key, private=True)
        self.assertEqual(again.expect(201).json["id"], mine.expect(201)["id"])
        noors = Desk(self.noor.api, self.lab)
        other = noors.write(self.integration, self.lea, "Once", "x", key=key, private=True)
        other.expect(410, code="idempotency_result_gone")
        key = new_key()
        path = f"/v1/threads/{mine['id']}/messages"
        self.maya.call("POST", path, {"text": "And"}, key=key).expect(201)
        self.noor.call("POST", path, {"text": "And"}, key=key).expect(404, code="not_found")
        self.noor.call("POST", path, {"text": "And"}, key=new_key()).expect(404, code="not_found")

    def test_owner_acts_when_nobody_is_left(self):
        taken, shared = self.write_private()["id"], self.write_private(subject="Another")["id"]
        self.assertEqual(self.unattended(), [])
        for path in ("share", "take-over"):
            self.olga.call("POST", f"/v1/unattended-threads/{taken}/{path}").expect(404)
        maya = self.id_of(self.maya)
        self.olga.call("PATCH", f"/v1/people/{maya}", {"state": "suspended"}).expect(200)
        self.assertEqual(self.unattended(), [shared, taken])
        self.olga.call("PATCH", f"/v1/people/{maya}", {"state": "active"}).expect(200)
        self.assertEqual(self.unattended(), [])
        self.maya.sign_in()
        self.assertEqual(thread_ids(self.maya), [shared, taken])
        # Whose role reads mail and writes none lets nobody in.
        self.olga.call("PATCH", f"/v1/people/{maya}", {"role": "reader"}).expect(200)
        self.assertEqual(self.unattended(), [shared, taken])
        self.olga.call("DELETE", f"/v1/people/{maya}").expect(204)
        listed = self.olga.call("GET", "/v1/unattended-threads").expect(200)
        self.assertEqual([item["id"] for item in listed["items"]], [shared, taken])
        self.assertEqual(set(listed["items"][0]), {"id", "created_at", "updated_at"})
        self.assertEqual(thread_ids(self.olga), [])
        self.noor.call("GET", "/v1/unattended-threads").expect(403, code="forbidden")
        self.noor.call("POST", f"/v1/unattended-threads/{taken}/take-over").expect(403)
        weak = self.olga.call("POST", "/v1/tokens", {"role": "owner"}).expect(201)["token"]
        self.server.api(weak).post(f"/v1/unattended-threads/{taken}/take-over").expect(
            403, code="scope_needed"
        )
        self.olga.call("POST", f"/v1/unattended-threads/{taken}/take-over").expect(204)
        self.olga.call("POST", f"/v1/unattended-threads/{shared}/share").expect(204)
        self.assertEqual(self.unattended(), [])
        self.assertEqual(thread_ids(self.olga), [shared, taken])
        self.assertEqual(thread_ids(self.noor), [shared])
        for action in ("thread.taken_over", "thread.shared_unattended"):
            self.assertEqual(self.recorded(action), 1, action)

    def test_whoever_comes_back_is_in_none_of_their_old_ones(self):
        thread = self.write_private()["id"]
        self.add(thread, self.noor).expect(204)
        # With a place elsewhere it is the same person who comes back.
        self.maya.call("POST", "/v1/workspaces", {"name": "Of her own"}).expect(201)
        brand = {"Postern-Workspace": self.olga.me()["workspace"]["id"]}
        maya = self.maya.call("GET", "/v1/me", headers=brand).expect(200)["person_id"]
        self.olga.call("DELETE", f"/v1/people/{maya}").expect(204)
        link = self.olga.call(
            "POST", "/v1/invitations", {"email": self.maya.email, "role": "manager"}
        ).expect(201)["link"]
        token = link.partition("token=")[2]
        self.maya.sign_in()
        self.maya.call("POST", "/v1/me/workspaces", {"invitation": token}).expect(200, 201)
        again = self.maya.call("GET", "/v1/me", headers=brand).expect(200)["person_id"]
        self.assertEqual(again, maya)
        self.maya.call("GET", f"/v1/threads/{thread}", headers=brand).expect(404)
        self.assertEqual(thread_ids(self.noor), [thread])

    def test_review_of_access_counts_them(self):
        thread = self.write_private()["id"]
        self.write_private(subject="Another")
        self.add(thread, self.noor).expect(204)
        report = self.olga.call("GET", "/v1/access-review").expect(200)
        counts = {one["email"]: one["private_threads"] for one in report["people"]}
        self.assertEqual(counts, {
            self.olga.email: 0, "maya@brand.example": 2, "noor@brand.example": 1,
            "rita@brand.example": 0,
        })

    def test_pages_are_whole_with_private_ones_between(self):
        shared = []
        for number in range(5):
            self.write_private(subject=f"Mine {number}")
            wrote = self.desk.write(self.integration, self.lea, f"All {number}", "x").expect(201)
            shared.insert(0, wrote["id"])
        seen, cursor = [], ""
        while True:
            page = self.noor.call("GET", f"/v1/threads?limit=2{cursor}").expect(200)
            seen.append([item["id"] for item in page["items"]])
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        self.assertEqual(seen, [shared[:2], shared[2:4], shared[4:]])
        self.assertEqual(len(thread_ids(self.maya)), 10)
