"""A marked demo workspace: one mailbox, two creators who answer by themselves, two threads."""

import threading

from lab.creator import Creator
from lab.desk import Connected, Desk
from lab.mail_servers import MailServers
from lab.mailbox import Mail

WORKSPACE = "Demo (sample data)"
PAUSE_S = 1.0
CREATORS = (("lea", "gmail_web"), ("tom", "thunderbird"))
ANSWERS = (
    "Thank you for writing! I would love to. What budget did you have in mind?",
    "That sounds good. I could film it next week; shall I send you a draft first?",
    "Perfect, see you then.",
)
THREADS = (
    ("lea", "Spring collection", "Hello Lea,\n\nwould you like to show our spring collection?"),
    ("tom", "Trail shoes", "Hello Tom,\n\nwe have new trail shoes that would suit your channel."),
)


class AnsweringCreator:
    """Looks into its mailbox every second and answers each mail once, as its mail client would."""

    def __init__(self, creator: Creator, client: str) -> None:
        self.creator = creator
        self.client = client
        self._answered: set[int] = set()

    def answer_new(self) -> list[str]:
        """Subjects of the mails answered now."""
        subjects = []
        for mail in self.creator.lab.mailbox(self.creator.account).mails("INBOX"):
            if mail.uid not in self._answered:
                self._answer(mail)
                subjects.append(mail.header("Subject"))
        return subjects

    def _answer(self, mail: Mail) -> None:
        text = ANSWERS[min(len(self._answered), len(ANSWERS) - 1)]
        self._answered.add(mail.uid)
        self.creator.answer(mail, self.client, text)


class DemoWorkspace:
    """What `./dev run --demo` shows. `answer_until` is its life; everything else is made once."""

    def __init__(self, desk: Desk, lab: MailServers) -> None:
        self.desk = desk
        maya = lab.account("maya")
        self.mailbox: Connected = desk.connect(maya, name="Maya (demo mailbox)")
        desk.grant(self.mailbox)
        self.creators = {}
        for name, client in CREATORS:
            creator = Creator(lab, lab.account(name, "creators.example"))
            self.creators[name] = AnsweringCreator(creator, client)
        for name, subject, text in THREADS:
            account = self.creators[name].creator.account
            desk.write(self.mailbox, account, subject, text).expect(201)

    def answer_until(self, stopped: threading.Event) -> None:
        while not stopped.wait(PAUSE_S):
            for name, creator in self.creators.items():
                for subject in creator.answer_new():
                    print(f"   {name} answered: {subject}", flush=True)
