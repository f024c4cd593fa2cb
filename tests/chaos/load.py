"""load - mail of every kind, with a note of what each client was told

A mail's subject is its tag, "chaos-KIND-NUMBER.ATTEMPT". An attempt that was not accepted is never
repeated under its tag, so that afterwards each tag has one of three truths:

    accepted    250 (or exit status 0 of sendmail): it must arrive, in a Maildir once
    refused     4xx: it must not arrive at all
    in doubt    the line broke behind the last dot: it may arrive, in a Maildir once
"""
import collections
import contextlib
import re
import smtplib
import socket
import threading
import time

import postroad

# Where a mail of each kind must arrive: names of Maildirs, and "far" for the other host.
Kind = collections.namedtuple("Kind", "share sender to size arrives")

SENDER = "sender@example.net"
GAMES, DAEMON, BIN = (postroad.ACCOUNTS[n] for n in ("ada", "test", "user"))
KINDS = {
    "maildir": Kind(55, SENDER, ["%s@example.org" % DAEMON], 2000, [DAEMON]),
    "alias": Kind(6, SENDER, ["team@example.org"], 500, [GAMES, DAEMON, BIN]),
    "virtual": Kind(6, SENDER, ["pair@example.org"], 500, [GAMES, BIN]),
    "large": Kind(4, SENDER, ["%s@example.org" % BIN], 120000, [BIN]),
    "far": Kind(10, SENDER, ["bob@far.example"], 2000, ["far"]),
    "later": Kind(6, SENDER, ["later-%s@far.example"], 500, ["far"]),
    "bounce": Kind(6, "%s@example.org" % GAMES, ["nosuch@far.example"], 500, [GAMES]),
    "filtered": Kind(4, SENDER, ["scan@example.org"], 500, ["far"]),
    "mixed": Kind(5, SENDER, ["team@example.org", "bob@far.example"], 500,
                  [GAMES, DAEMON, BIN, "far"]),
    "sendmail": Kind(2, SENDER, ["%s@example.org" % BIN], 500, [BIN]),
}
TAG = re.compile(rb"^Subject: chaos-(\w+-\d+\.\d+)\r?$", re.M)
GIVE_UP = 120       # seconds without one accepted mail: a client that waits so long is told as stuck


def settings(far, directory):
    """What the system under load is told: deferred mail comes back soon, and the kinds have their addresses."""
    return {"relayhost": far.nexthop(), "minimal_backoff_time": "1s", "maximal_backoff_time": "2s",
            "queue_run_delay": "1s", "smtpd_recipient_restrictions":
            "check_recipient_access inline:{ { scan@example.org = FILTER smtp:%s } }" % far.nexthop(), "virtual_alias_maps": "texthash:%s/etc/virtual" % directory}


def lay_out(box):
    with open(box.path("etc", "aliases"), "a") as aliases:
        aliases.write("team: %s, %s, %s\nscan: %s\n" % (GAMES, DAEMON, BIN, GAMES))     # who gets scan's, unless it is filtered
    postroad.write(box.path("etc", "virtual"), "pair@example.org %s@example.org, %s@example.org\n" % (GAMES, BIN))


def far_host(sink):
    """The other host: puts off what is for later-*, once each, and knows no "nosuch"."""
    put_off = set()

    def recipient(line):
        if "<nosuch@" in line:
            return "550 5.1.1 no such user"
        if "<later-" in line and line not in put_off:
            put_off.add(line)
            return "450 4.2.0 later"
        return "250 2.1.5 Ok"
    sink.answers["RCPT"] = recipient
    return sink


class Load:
    """Clients that send until all has been accepted once."""

    def __init__(self, box, messages, sessions, chance, seconds=0):
        self.box = box
        self.pause = seconds * sessions / max(messages, 1)      # after each mail, to last so long
        kinds = chance.choices(list(KINDS), [k.share for k in KINDS.values()], k=messages)
        self.waiting = iter(list(enumerate(kinds)))
        self.lock = threading.Lock()
        self.accepted, self.doubtful, self.refused = {}, set(), {}     # tag: when; tags; tag: reply
        self.replies = collections.Counter()
        self.troubles = []
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(sessions)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def is_over(self):
        return not any(t.is_alive() for t in self.threads)

    def enough(self):
        """The rest is not sent."""
        self.waiting = iter(())

    def next(self):
        time.sleep(self.pause)
        with self.lock:
            return next(self.waiting, None)

    def run(self):
        smtp = None
        while (job := self.next()) is not None:
            try:
                smtp = self.until_accepted(smtp, *job)
            except Exception as e:      # told by the verdict, not by a thread
                self.troubles.append("%s: %r" % (job, e))
                return
        with contextlib.suppress(OSError, smtplib.SMTPException):
            smtp.quit()

    def until_accepted(self, smtp, number, name):
        deadline = time.monotonic() + GIVE_UP
        for attempt in range(1 << 30):
            tag = "%s-%d.%d" % (name, number, attempt)
            if name == "sendmail":
                accepted = self.by_command(tag)
            else:
                smtp, accepted = self.by_smtp(smtp, tag, KINDS[name])
            if accepted:
                with self.lock:
                    self.accepted[tag] = time.monotonic()
                return smtp
            if time.monotonic() > deadline:
                raise AssertionError("not accepted within %d s; replies %r" % (GIVE_UP, self.replies))
            time.sleep(0.02)

    def by_command(self, tag):
        kind = KINDS["sendmail"]
        done = self.box.run("sendmail", "-i", "-f", kind.sender, *kind.to, input=self.message(tag, kind))
        if done.returncode not in (0, 75):
            raise AssertionError("sendmail: exit %d: %s" % (done.returncode, done.stderr))
        if done.returncode != 0:
            self.refused[tag] = "exit %d" % done.returncode
        return done.returncode == 0

    def message(self, tag, kind):
        line = "x" * 76 + "\r\n"
        return self.box.message("them", kind.sender, "chaos-" + tag, line * (kind.size // len(line) + 1))

    def by_smtp(self, smtp, tag, kind):
        in_doubt = False
        try:
            smtp = smtp or smtplib.SMTP(self.box.address, self.box.smtp_port, timeout=GIVE_UP,
                                        local_hostname="client.example.net")
            smtp.ehlo_or_helo_if_needed()
            for code, reply in self.envelope(smtp, tag, kind):
                if code != 250:
                    return self.put_off(smtp, tag, code, reply), False
            code, reply = smtp.docmd("DATA")
            if code != 354:
                return self.put_off(smtp, tag, code, reply), False
            in_doubt = True
            smtp.send(self.message(tag, kind).encode() + b".\r\n")
            code, reply = smtp.getreply()
            return (smtp, True) if code == 250 else (self.put_off(smtp, tag, code, reply), False)
        except (OSError, smtplib.SMTPException) as e:
            with self.lock:
                self.replies[type(e).__name__] += 1
                if in_doubt and tag not in self.refused:
                    self.doubtful.add(tag)
            if isinstance(e, TimeoutError):
                raise
            with contextlib.suppress(OSError, AttributeError):
                smtp.close()
            return None, False

    @staticmethod
    def envelope(smtp, tag, kind):
        yield smtp.mail(kind.sender)
        for address in kind.to:
            yield smtp.rcpt(address.replace("%s", tag))

    def put_off(self, smtp, tag, code, reply):
        """A refusal; whether the connection is of further use."""
        text = "%d %s" % (code, reply.decode(errors="replace"))
        if code == -1:
            raise smtplib.SMTPServerDisconnected("no reply")
        with self.lock:
            self.replies[text] += 1
            self.refused[tag] = text
        if code == 421:
            smtp.close()
            return None
        if code // 100 != 4:
            raise AssertionError("a trouble of ours became the sender's: " + text)
        smtp.rset()
        return smtp


class Prober:
    """Somebody who connects every 20 ms and waits for the greeting: how long was nobody there?"""

    EVERY = 0.02

    def __init__(self, box):
        self.box = box
        self.stopped = threading.Event()
        self.gaps = []                  # (seconds, when it ended)
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def run(self):
        last = time.monotonic()
        while not self.stopped.wait(self.EVERY):
            if self.is_greeted():
                now = time.monotonic()
                if now - last > 0.2:
                    self.gaps.append((now - last, now))
                last = now

    def is_greeted(self):
        try:
            with socket.create_connection((self.box.address, self.box.smtp_port), 5) as probe:
                probe.settimeout(5)
                return probe.recv(4) == b"220 "
        except OSError:
            return False

    def stop(self):
        self.stopped.set()
        self.thread.join()
        return self

    def longest(self, since=0, until=float("inf")):
        """The longest that ended in that time."""
        return max([0.0] + [gap for gap, end in self.gaps if since <= end <= until])
