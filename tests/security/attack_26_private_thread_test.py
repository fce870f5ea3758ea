"""Every route that takes the id of a thread or of something in it, asked by colleagues whom the
thread is private to others from: each is answered as for an id that nobody has. The routes come
from the document, so that a new one is tried as soon as it is there."""

from __future__ import annotations

import re
from typing import Any

from lab import openapi
from lab.api import Api, Reply, new_key
from lab.person import Person
from lab.private_scene import PrivateCase

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What a path's first id is, by the folder before it.
KINDS = {
    "threads": "thread", "unattended-threads": "thread", "messages": "message", "held": "held",
    "creators": "creator",
}
# Everything else with an id, which is none of a thread's.
OF_OTHERS = {
    "factors", "sessions", "tokens", "people", "invitations", "integrations", "receipts",
    "identity-providers", "provider-links",
}
BODIES: dict[str, Any] = {
    "POST /v1/threads/{thread}/messages": {"text": "Let me in"},
    "POST /v1/messages/{message}/resolve": {"state": "sent"},
}
# Query parameters by which a list can be asked for one thread or creator.
FILTERS = {"creator": "creator", "thread": "thread", "address": "address"}


def named(path: str) -> str | None:
    """The path with its slots called by what they are; nothing: it names nothing of a thread."""
    folders = re.findall(r"/([a-z-]+)/\{", path)
    if not folders or folders[0] not in KINDS:
        return None
    slots = re.findall(r"\{([a-z_]+)\}", path)
    kinds = [KINDS[folders[0]], *slots[1:]]
    for slot, kind in zip(slots, kinds, strict=True):
        path = path.replace(f"{{{slot}}}", f"{{{kind}}}", 1)
    return path


def routes() -> list[str]:
    found = []
    for path, operations in openapi.document()["paths"].items():
        if not path.startswith("/v1/") or (name := named(path)) is None:
            continue
        found += [f"{method.upper()} {name}" for method in operations if method.upper() in METHODS]
    return found


def filters() -> list[str]:
    """"/v1/held?thread={thread}", ...: every list, by every parameter that names a part."""
    found = []
    for path, operations in openapi.document()["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", ()):
            if path.startswith("/v1/") and (kind := FILTERS.get(parameter.get("name", ""))):
                found.append(f"{path}?{parameter['name']}={{{kind}}}")
    return found


def told(answer: Reply) -> tuple:
    """All that an answer says but its own number and time."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    body: Any = answer.body
    if headers.get("content-type", "").partition(";")[0].endswith("json"):
        body = {name: value for name, value in answer.json.items() if name != "instance"}
    return answer.status, body, headers


class PrivateThreadTest(PrivateCase):
    def setUp(self) -> None:
        super().setUp()
        self.ids = self.whole()
        self.ids["person"] = self.id_of(self.noor)
        self.ids["address"] = self.lea.address
        self.unknown = {
            **{kind: text[:4] + "0" * 25 + "1" for kind, text in self.ids.items()},
            "attachment": self.ids["attachment"], "person": self.ids["person"],
            "address": "nobody@creators.example",
        }
        self.before = self.seen_by_maya()

    def seen_by_maya(self) -> list[Any]:
        paths = (f"/v1/threads/{self.ids['thread']}", "/v1/held", "/v1/threads", "/v1/creators")
        return [self.maya.call("GET", path).expect(200).json for path in paths]

    def callers(self) -> dict[str, Api | Person]:
        token = self.noor_token()
        return {
            "an owner": self.olga, "a manager": self.noor, "a reader": self.rita,
            "the host": self.as_host(), "an owner's token": token,
        }

    def noor_token(self) -> Api:
        wish = {"role": "owner", "scopes": ["people", "tokens"]}
        made = self.olga.call("POST", "/v1/tokens", wish).expect(201)
        return self.server.api(made["token"])

    def ask(self, caller: Api | Person, route: str, ids: dict[str, str], **more: Any) -> Reply:
        method, _, pattern = route.partition(" ")
        body = more.pop("body", BODIES.get(route))
        return caller.call(method, pattern.format(**ids), body, **more)

    def test_every_folder_with_ids_is_known_here(self):
        """A new kind of thing has to be said to be of a thread, or not."""
        paths = [path for path in openapi.document()["paths"] if path.startswith("/v1/")]
        folders = {found[0] for path in paths if (found := re.findall(r"/([a-z-]+)/\{", path))}
        self.assertEqual(folders - set(KINDS) - OF_OTHERS, set())
        self.assertGreaterEqual(len(routes()), 13)
        self.assertGreaterEqual(len(filters()), 3)

    def test_ids_of_it_are_as_ids_of_nothing(self):
        for name, caller in self.callers().items():
            for route in routes():
                with self.subTest(f"{name}: {route}"):
                    for more in ({}, {"key": new_key()}, {"body": {"x": 1}}, {"raw": b"{"}):
                        mine = self.ask(caller, route, self.ids, **more)
                        nobodys = self.ask(caller, route, self.unknown, **more)
                        self.assertEqual(told(mine), told(nobodys))
                        mine.expect(400, 403, 404, 422)
        self.assertEqual(self.seen_by_maya(), self.before)

    def test_lists_are_as_if_it_were_not_there(self):
        for name, caller in self.callers().items():
            for pattern in filters():
                with self.subTest(f"{name}: {pattern}"):
                    mine = caller.call("GET", pattern.format(**self.ids))
                    self.assertEqual(
                        told(mine), told(caller.call("GET", pattern.format(**self.unknown)))
                    )
            for path in ("/v1/threads", "/v1/held", "/v1/creators", "/v1/integrations",
                         f"/v1/integrations/{self.integration.id}"):
                text = caller.call("GET", path).expect(200).text
                for kind in ("thread", "message", "sent", "held", "creator", "address"):
                    self.assertNotIn(self.ids[kind], text, f"{name}: {path}")

    def test_cursors_of_its_people_lead_nowhere(self):
        """A page that begins behind it, or right at it, is a page of what others see."""
        for number in range(2):
            self.write_private(subject=f"More {number}")
        cursor = self.maya.call("GET", "/v1/threads?limit=1").expect(200)["next_cursor"]
        for caller in self.callers().values():
            page = caller.call("GET", f"/v1/threads?cursor={cursor}").expect(200)
            self.assertEqual((page["items"], page["next_cursor"]), ([], None))

    def test_same_requests_of_its_people_are_answered(self):
        """Or what was refused above says nothing."""
        good = {
            "POST /v1/unattended-threads/{thread}/share": (403,),
            "POST /v1/unattended-threads/{thread}/take-over": (403,),
            "POST /v1/messages/{message}/resolve": (409,),
        }
        last = ("DELETE /v1/threads/{thread}/people/{person}", "POST /v1/held/{held}/accept",
                "POST /v1/held/{held}/refuse", "POST /v1/threads/{thread}/share")
        self.assertTrue(set(last) < set(routes()))
        for route in (*(route for route in routes() if route not in last), *last):
            with self.subTest(route):
                # What was let in is no longer there to be refused.
                wanted = (404,) if route.endswith("/refuse") else good.get(route, (200, 201, 204))
                self.ask(self.maya, route, self.ids).expect(*wanted)
        for caller in (self.olga, self.noor):
            caller.call("GET", f"/v1/threads/{self.ids['thread']}").expect(200)
        self.rita.call("GET", f"/v1/threads/{self.ids['thread']}/messages").expect(200)
