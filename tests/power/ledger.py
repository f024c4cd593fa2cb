"""ledger - what was promised, at which change of the file system, and whether it was kept

A fact is known from a position on the tape on. A cut before change N leaves a world in which only the facts
up to N have happened: Ledger.until(N). What has begun there may have happened or not; what was answered must
have.

    accepted    smtpd said 250, or sendmail exited with 0
    begun X     somebody was about to do X: accepted, deleted, removed, held
    deleted     postsuper said that it is gone; and it had never been delivered
    held        postsuper said that it is held
    removed     pop3d said +OK to QUIT
    arrived     the far host took it
"""
import re
import threading
import zlib

MARK = re.compile(r"power-(\d+)-(\d+)-([0-9a-f]{8})")


class Mail:
    """One message that a test sends: known again by a number in its subject, whole by a checksum of its body."""

    serial = 0
    lock = threading.Lock()

    def __init__(self, kind, recipients, boxes=(), far=False, notice=False, size=600, sender="ada"):
        with Mail.lock:
            Mail.serial += 1
            self.serial = Mail.serial
        self.kind, self.recipients, self.sender = kind, recipients, sender
        self.boxes, self.far, self.notice = set(boxes), far, notice
        line = "%08d the quick brown fox jumps over the lazy dog 0123456789\n" % self.serial
        self.body = (line * (size // len(line) + 1))
        self.mark = "power-%d-%d-%08x" % (self.serial, len(self.body), zlib.crc32(self.body.encode()))

    def text(self):
        return "Subject: %s\nMessage-Id: <%s@example.net>\n\n%s" % (self.mark, self.mark, self.body)


def serial_of(text):
    """The number of the message that is in there, None if it has none."""
    found = MARK.search(text)
    return int(found.group(1)) if found else None


def is_whole(text):
    """A message as it was delivered: is its body what its subject says?"""
    found = MARK.search(text)
    body = re.split("\r?\n\r?\n", text, maxsplit=1)[1].replace("\r\n", "\n")
    return len(body) == int(found.group(2)) and zlib.crc32(body.encode()) == int(found.group(3), 16)


class Ledger:
    def __init__(self, mails=None, facts=None):
        self.mails = mails if mails is not None else {}
        self.facts = facts if facts is not None else []
        self.lock = threading.Lock()

    def note(self, position, what, mail):
        with self.lock:
            self.mails[mail.serial] = mail
            self.facts.append((position, what, mail.serial))

    def until(self, position):
        """The world in which the power went at that change."""
        with self.lock:
            return Ledger(dict(self.mails), [(0, what, serial) for at, what, serial in self.facts if at <= position])

    def all(self, what):
        with self.lock:
            return {serial for _, known, serial in self.facts if known == what}

    # --- the account

    def judge(self, found):
        """What is wrong in this world; found is what road.Road.collect() saw."""
        wrong = list(found.trouble)
        for serial, mail in sorted(self.mails.items()):
            wrong += self.judge_boxes(mail, found) + self.judge_rest(mail, found)
        return wrong

    def judge_boxes(self, mail, found):
        wrong, accepted, deleted = [], self.all("accepted"), self.all("deleted")
        for box in sorted(mail.boxes | {box for box, serial in found.boxes if serial == mail.serial}):
            count = found.boxes.get((box, mail.serial), 0)
            if count > 1:
                wrong.append("TWICE %s: %d times in the Maildir of %s" % (name(mail), count, box))
            if count and box not in mail.boxes:
                wrong.append("ASTRAY %s: in the Maildir of %s" % (name(mail), box))
            if count and mail.serial in self.all("removed"):
                wrong.append("GHOST %s: removed by POP3, and again in the Maildir of %s" % (name(mail), box))
            if (not count and mail.serial in accepted and mail.serial not in self.all("begun deleted")
                    and mail.serial not in self.all("begun removed")):
                wrong.append("LOST %s: accepted, and not in the Maildir of %s" % (name(mail), box))
            if count and mail.serial in deleted:
                wrong.append("GHOST %s: deleted, and in the Maildir of %s" % (name(mail), box))
        return wrong

    def judge_rest(self, mail, found):
        wrong = []
        accepted = mail.serial in self.all("accepted")
        notices = found.notices.get(mail.serial, 0)
        told = mail.serial in self.all("begun expired") and notices
        if mail.far and accepted and not told and mail.serial not in self.all("arrived") | self.all("begun deleted"):
            wrong.append("LOST %s: accepted, and the far host has not got it" % name(mail))
        if mail.far and mail.serial in self.all("deleted") & found.arrived:
            wrong.append("GHOST %s: deleted, and sent after the cut" % name(mail))
        if mail.serial in self.all("held") & found.not_held:
            wrong.append("LOOSE %s: held, and not on hold after the cut" % name(mail))
        if notices > 1 or (notices and not mail.notice):
            wrong.append("BOUNCED %d times: %s" % (notices, name(mail)))
        if mail.notice and accepted and not notices and mail.kind != "expire":
            wrong.append("LOST %s: accepted, not deliverable, and its sender was not told" % name(mail))
        return wrong


def name(mail):
    return "%s (%d)" % (mail.kind, mail.serial)
