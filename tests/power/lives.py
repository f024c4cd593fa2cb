"""lives - the kinds of life that a message can have, each to be lived alone or among others

A life is a function of a Day: it sends mail, does with it what there is to do, and notes each answer. Alone, it is
waited for until it has ended as far as it can (a message for the closed far host waits in deferred/).
"""
import contextlib
import itertools
import os
import random
import smtplib
import subprocess
import threading

from ledger import Mail
import postroad

LARGE = 300_000                 # above what goes through the journal


class Day:
    """What lives need: the road, the book in which answers are noted, and whether anybody hurries."""

    def __init__(self, road, book, alone):
        self.road, self.book, self.alone = road, book, alone
        self.disk = road.disk
        self.over = threading.Event()       # the power is gone: nothing is noted any more

    def note(self, what, mail):
        self.book.note(self.disk.position, what, mail)

    def send(self, mail, client=None):
        """By SMTP; gives the queue id."""
        self.note("begun accepted", mail)
        queue_id = self.road.send(*mail.recipients, sender=postroad.address(mail.sender), message=mail.text(),
                                  client=client)
        self.note("accepted", mail)
        return queue_id

    def command(self, *words, input=None):
        done = subprocess.run([postroad.BUILD + "/bin/" + words[0], *words[1:]], env=self.road.environment(),
                              input=input, text=True, capture_output=True, cwd=self.road.directory, timeout=60)
        return done.returncode == 0, done.stdout + done.stderr

    def wait(self, ask, what):
        postroad.wait_until(lambda: self.over.is_set() or ask(), what, self.road.story, 30)
        if self.over.is_set():
            raise ConnectionError("the power is gone")

    def wait_waiting(self, queue_id):
        self.wait(lambda: self.road.waiting().get(queue_id) == "", "%s in deferred" % queue_id)

    def wait_in_box(self, mail, box):
        self.wait(lambda: any(mail.mark in str(m["Subject"]) for m in self.road.mails(box)), "mail for " + box)


def box(name):
    return postroad.address(name)


def deliver(day):
    day.send(Mail("deliver", [box("ada")], ["ada"]))


def large(day):
    day.send(Mail("large", [box("test")], ["test"], size=LARGE))


def bulk(day):
    """As large as the journal takes: some hundreds fill a segment, and it is used again."""
    day.send(Mail("bulk", [box("ada")], ["ada"], size=60_000))


def many(day):
    """Three mailboxes and the far host, in one message."""
    day.send(Mail("many", [box("ada"), box("test"), box("user"), "bob@now.example"], ["ada", "test", "user"], far=True))


def alias(day):
    day.send(Mail("alias", ["two@example.org"], ["ada", "test"]))


def own_copy(day):
    """As a .forward often says: into the mailbox, and on to another."""
    day.send(Mail("own copy", ["copy@example.org"], ["user", "ada"]))


def virtual(day):
    day.send(Mail("virtual", ["pair@virtual.example"], ["ada", "test"]))


def relay(day):
    day.send(Mail("relay", ["bob@now.example"], far=True))


def filtered(day):
    """To a content filter, and not to the mailbox that its recipient has."""
    day.send(Mail("filtered", ["scan-now@example.org"], far=True))


def filter_away(day):
    day.send(Mail("filter away", ["scan-later@example.org"], far=True))


def defer(day):
    day.send(Mail("defer", ["bob@later.example"], far=True))


def defer_large(day):
    day.send(Mail("defer large", ["bob@later.example"], far=True, size=LARGE))


def defer_some(day):
    day.send(Mail("defer some", [box("ada"), "bob@later.example"], ["ada"], far=True))


def bounce(day):
    day.send(Mail("bounce", ["nobody-is-this@example.org"], notice=True))


def bounce_alias(day):
    day.send(Mail("bounce alias", ["gone@example.org"], notice=True))


def bounce_large(day):
    day.send(Mail("bounce large", ["nobody-is-this@example.org"], notice=True, size=LARGE))


def bounce_some(day):
    """To a mailbox, to nobody, and to a host that puts it off."""
    day.send(Mail("bounce some", [box("test"), "nobody-is-this@example.org", "bob@later.example"], ["test"],
                  far=True, notice=True))


def sendmail(day, mail=None):
    mail = mail or Mail("sendmail", [box("user")], ["user"])
    day.note("begun accepted", mail)
    ok, _ = day.command("sendmail", "-i", "-f", postroad.address("ada"), *mail.recipients, input=mail.text())
    if ok:
        day.note("accepted", mail)


def maildrop(day):
    """The same while nothing runs: it waits in maildrop/."""
    mail = Mail("maildrop", [box("user"), "bob@later.example"], ["user"], far=True)
    sendmail(day, mail)


def waiting(day, kind):
    mail = Mail(kind, ["bob@later.example"], far=True)
    queue_id = day.send(mail)
    day.wait_waiting(queue_id)
    return mail, queue_id


def operate(day, mail, queue_id, option, what):
    day.note("begun " + what, mail)
    ok, said = day.command("postsuper", option, queue_id)
    if ok and ": 1 message" in said:
        day.note(what, mail)
    return ok


def expire(day):
    """Returned before its time."""
    mail, queue_id = waiting(day, "expire")
    mail.notice = True
    operate(day, mail, queue_id, "-e", "expired")
    if day.alone:
        day.wait(lambda: queue_id not in day.road.waiting(), queue_id + " returned")


def success(day):
    """Its sender wants to hear that it was delivered."""
    mail = Mail("success", [box("user")], ["user"], notice=True)
    day.note("begun accepted", mail)
    with day.road.smtp() as smtp:
        smtp.ehlo()
        smtp.mail(box(mail.sender))
        smtp.rcpt(mail.recipients[0], ["NOTIFY=SUCCESS"])
        if smtp.data(mail.text())[0] == 250:
            day.note("accepted", mail)


def hold(day):
    operate(day, *waiting(day, "hold"), "-h", "held")


def hold_and_release(day):
    mail, queue_id = waiting(day, "hold and release")
    if operate(day, mail, queue_id, "-h", "held"):
        day.note("begun released", mail)
        day.command("postsuper", "-H", queue_id)
        if day.alone:
            day.wait_waiting(queue_id)


def delete(day):
    operate(day, *waiting(day, "delete"), "-d", "deleted")


def delete_held(day):
    mail, queue_id = waiting(day, "delete held")
    day.command("postsuper", "-h", queue_id)
    operate(day, mail, queue_id, "-d", "deleted")


def delete_down(day):
    """While nothing runs."""
    mail, queue_id = waiting(day, "delete down")
    day.road.power_off()
    operate(day, mail, queue_id, "-d", "deleted")
    day.road.start()


def hold_down(day):
    mail, queue_id = waiting(day, "hold down")
    day.road.power_off()
    operate(day, mail, queue_id, "-h", "held")
    day.road.start()


def delete_at_once(day):
    """While it is perhaps on its way to the host that will put it off."""
    mail = Mail("delete at once", ["bob@later.example"], far=True)
    operate(day, mail, day.send(mail), "-d", "deleted")


def requeue(day):
    mail, queue_id = waiting(day, "requeue")
    day.command("postsuper", "-r", queue_id)
    if day.alone:
        day.wait(lambda: queue_id not in day.road.waiting() and "" in day.road.waiting().values(), "a new queue id")


def seen(day):
    """A reader moves it to cur/ at once, as IMAP servers do: it has been delivered all the same."""
    mail = Mail("seen", [box("user")], ["user"])
    day.send(mail)
    day.wait_in_box(mail, "user")
    new, cur = (os.path.join(day.road.maildir("user"), folder) for folder in ("new", "cur"))
    for name in os.listdir(new):
        with contextlib.suppress(FileNotFoundError):
            os.rename(os.path.join(new, name), os.path.join(cur, name + ":2,S"))
    for folder in (cur, new):
        directory = os.open(folder, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)


def pop3(day):
    """A message that its reader fetched and removed does not come back."""
    mail = Mail("pop3", [box("test")], ["test"])
    day.send(mail)
    day.wait_in_box(mail, "test")
    settle = threading.Event()
    settle.wait(1.5)            # qmgr's mark is durable after a second: see doc/architecture.md
    with contextlib.closing(day.road.pop3("test")) as client:
        for number, _ in (line.split() for line in client.list()[1]):
            text = b"\n".join(client.top(int(number), 0)[1]).decode("latin-1")
            if mail.mark in text and "MAILER-DAEMON" not in text:
                client.dele(int(number))
                day.note("begun removed", mail)
        if client.quit().startswith(b"+OK"):
            day.note("removed", mail)


LIVES = [deliver, bulk, large, many, alias, own_copy, virtual, relay, filtered, filter_away, defer, defer_large,
         defer_some, bounce, bounce_alias, bounce_large, bounce_some, success, sendmail, maildrop, expire, hold,
         hold_and_release, hold_down, delete, delete_held, delete_at_once, delete_down, requeue, seen, pop3]
ALONE = {delete_down, hold_down, seen}      # not to be lived among others
NOT_IN = {seen: {"split"}}                  # its own rename may leave both names

ASLEEP = {maildrop}             # lived while no daemon runs, which are then started

QUICK = [deliver, large, many, alias, own_copy, virtual, relay, filtered, filter_away, defer, defer_large,
         defer_some, bounce, bounce_alias, bounce_large, bounce_some, success]

HEAVY = [bulk, bulk, bulk, bulk, large, relay, bounce, defer]


class Crowd:
    """Sessions that live one life after the other, until the power goes."""

    def __init__(self, day, sessions, seed, heavy):
        self.day, self.troubles = day, []
        self.usual, self.rare = HEAVY if heavy else QUICK, [life for life in LIVES if life not in ALONE | ASLEEP]
        self.threads = [threading.Thread(target=self.live, args=(random.Random(seed + n), n == 0), daemon=True)
                        for n in range(sessions)]
        for thread in self.threads:
            thread.start()

    def live(self, chance, curious):
        for _ in itertools.count():
            if self.day.over.is_set():
                return
            # The rarer lives take processes and waiting: one session is enough for them.
            life = chance.choice(self.rare if curious else self.usual)
            try:
                life(self.day)
            except (OSError, smtplib.SMTPException, EOFError, AssertionError, subprocess.SubprocessError,
                    postroad.poplib.error_proto) as e:
                if not self.day.over.is_set():
                    self.troubles.append("%s: %r" % (life.__name__, e))

    def end(self):
        self.day.over.set()
        for thread in self.threads:
            thread.join()
