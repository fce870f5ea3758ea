"""./dev demo: the main story, step by step, on real mail servers; 0 when all of it held."""

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/functional"))

from lab import codes  # noqa: E402
from lab.creator import Creator  # noqa: E402
from lab.desk import Connected, Desk  # noqa: E402
from lab.mail_servers import Account, MailServers  # noqa: E402
from lab.mailbox import OBSERVER  # noqa: E402
from lab.postern import Postern  # noqa: E402

NEW_SECRET = "a later secret that maya chose: 7 lanterns, 2 boats"
UNRELATED = 1000
CANARY = "CANARY-of-a-mail-that-is-not-ours"


class Story:
    """One installation, one mailbox, one creator; each chapter is a method and says what it saw."""

    def __init__(self, folder: Path, lab: MailServers) -> None:
        self.lab = lab
        self.server = Postern(folder)
        self.maya: Account = lab.account("maya")
        self.lea = Creator(lab, lab.account("lea", "creators.example"))
        self.desk: Desk
        self.mailbox: Connected
        self.thread = ""
        self.old_secret = ""
        self.started = time.monotonic()

    def chapter(self, title: str) -> None:
        print(f"\n[{time.monotonic() - self.started:5.1f} s] {title}", flush=True)

    def saw(self, text: str) -> None:
        print(f"          {text}", flush=True)

    def run(self) -> None:
        self.set_up()
        self.connect()
        self.grant()
        self.write()
        self.receive()
        self.crash()
        self.revoke()
        self.reseal()
        self.cut_off()
        self.reconnect()
        self.delete()

    def set_up(self) -> None:
        self.chapter("1. postern init, the first token, serve")
        init = self.server.init()
        self.saw(f"set-up link: {init.setup_link}")
        self.saw(f"recovery kit: {init.recovery_share[:40]}...")
        token = self.server.token("Brand")
        self.server.start()
        self.desk = Desk(self.server.api(token), self.lab)
        for role, pids in sorted(self.server.processes().items()):
            self.saw(f"process {role}: {', '.join(map(str, pids))}")

    def connect(self) -> None:
        self.chapter(f"2. a mailbox with {UNRELATED} mails that are none of our business")
        raw = f"From: x@elsewhere.example\r\nSubject: {CANARY}\r\n\r\n{CANARY}\r\n".encode()
        self.lab.fill(self.maya, [raw] * UNRELATED)
        self.mailbox = self.desk.connect(self.maya)
        self.saw(f"{self.mailbox.id} is {self.mailbox.answer['state']}")
        self.saw(f"its shared secret, shown once: {self.mailbox.secret}")

    def grant(self) -> None:
        self.chapter("3. keep working while I am away: 30 days, send and read replies")
        grant = self.desk.grant(self.mailbox)
        self.saw(f"{grant['id']} until {grant['expires_at']}")

    def write(self) -> None:
        self.chapter("4. a mail to a creator")
        answer = self.desk.write(self.mailbox, self.lea.account, "Spring collection",
                                 "Hello Lea,\n\nwould you like to show our spring collection?")
        self.thread = answer.expect(201)["id"]
        sent = self.desk.sent(self.thread)
        arrived = self.lea.received("Spring collection")[0]
        self.saw(f"{sent['id']} is {sent['state']}; it reached {self.lea.account.address}")
        self.saw(f"Message-ID {arrived.header('Message-ID')}")

    def receive(self) -> None:
        self.chapter("5. she answers; nothing else in the mailbox was read")
        mail = self.lea.received("Spring collection")[0]
        self.lea.answer(mail, "gmail_web", "I would love to!")
        reply = self.desk.incoming(self.thread)[0]
        self.saw(f"{reply['id']} from {reply['from']['address']}")
        self.saw("text: " + " ".join(reply["text"].split())[:70])
        self.saw("attachments: " + ", ".join(part["name"] for part in reply["attachments"]))
        wire = b"".join(session.from_server for session in self.lab.sessions(self.maya)
                        if OBSERVER.encode() not in session.from_client)
        check(CANARY.encode() not in wire, "a canary was read from the server")
        self.saw(f"{len(wire)} bytes from the mail server so far, not one of another mail")

    def crash(self) -> None:
        self.chapter("6. kill -9 and a new start: the lease is gone, the grant works on")
        self.server.kill()
        self.server.start()
        self.saw(f"{self.mailbox.id} is {self.desk.state(self.mailbox)}")
        self.answer_again("And one more thing.", 2)

    def revoke(self) -> None:
        self.chapter("   the grant is revoked: mail waits")
        grants = self.desk.api.get(f"/v1/integrations/{self.mailbox.id}").expect(200)["grants"]
        for grant in grants:
            path = f"/v1/integrations/{self.mailbox.id}/grants/{grant['id']}"
            self.desk.api.delete(path).expect(200, 204)
        self.lea.answer(self.lea.received("Spring collection")[0], "apple_mail_ios", "Still there?")
        refused = self.desk.act(self.mailbox, "sync").expect(423, code=codes.SEALED)
        self.saw(f"{refused.status} {refused.code}")
        self.desk.unlock(self.mailbox).expect(200)
        self.desk.incoming(self.thread, 3)
        self.saw("unlocked: the waiting answer is there")

    def reseal(self) -> None:
        self.chapter("7. the secret is changed")
        receipt = self.desk.reseal(self.mailbox, NEW_SECRET).expect(200)
        self.saw(f"receipt {receipt['id']} ({receipt['kind']}), state "
                 f"{self.desk.state(self.mailbox)}")
        old = self.desk.unlock(self.mailbox)
        check(old.status >= 400, "the old secret still opens it")
        self.saw(f"the old secret: {old.status} {old.code}")
        self.mailbox.secret = NEW_SECRET
        self.desk.unlock(self.mailbox).expect(200)
        self.saw("the new one opens it")

    def cut_off(self) -> None:
        self.chapter("   cut off, with nothing but one's own sign-in")
        receipt = self.desk.act(self.mailbox, "cut-off").expect(200)
        for step in receipt["steps"]:
            self.saw(f"{step['name']}: {step['result']}")
        refused = self.desk.act(self.mailbox, "sync").expect(410, code=codes.CUT_OFF)
        self.saw(f"from now on: {refused.status} {refused.code}")
        self.lea.answer(self.lea.received("Spring collection")[0], "outlook_web", "Hello?")

    def reconnect(self) -> None:
        self.chapter("8. reconnected with a new password and a new secret")
        self.maya = self.lab.change_password(self.maya, "a-new-password-at-the-provider")
        body = {"credential": {"password": self.maya.password}, "generate": True}
        answer = self.desk.act(self.mailbox, "reconnect", body).expect(200)
        check(answer["id"] == self.mailbox.id, "the id changed")
        self.mailbox.secret = answer["shared_secret"]
        self.desk.incoming(self.thread, 4)
        self.saw("same id, same thread; the answer that came meanwhile is found")

    def delete(self) -> None:
        self.chapter("   the integration is deleted; the history stays")
        receipt = self.desk.api.delete(f"/v1/integrations/{self.mailbox.id}").expect(200)
        self.saw(f"receipt {receipt['id']} ({receipt['kind']})")
        messages = self.desk.thread(self.thread)["messages"]
        for message in messages:
            raw = self.desk.api.get(f"/v1/messages/{message['id']}/raw").expect(200).body
            self.saw(f"{message['direction']:>3}  {message['date']}  {len(raw)} bytes")
        check(len(messages) == 5, "the history is not whole")

    def answer_again(self, text: str, count: int) -> None:
        self.lea.answer(self.lea.received("Spring collection")[0], "thunderbird", text)
        self.desk.incoming(self.thread, count)
        self.saw(f"a new answer was read: {text}")


def check(held: bool, otherwise: str) -> None:
    if not held:
        raise AssertionError(otherwise)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="postern-demo-") as folder, MailServers() as lab:
        Path(folder).chmod(0o755)
        story = Story(Path(folder), lab)
        try:
            story.run()
        except Exception:
            print(f"--- log\n{story.server.log()[-6000:]}", file=sys.stderr)
            raise
        finally:
            story.server.close()
    print("\nThe whole story held.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
