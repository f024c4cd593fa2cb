"""Hostile neighbours: a daemon that was taken over says what it likes to all others, while mail flows.

As mail_owner, whom all sockets in private/ and public/ are open for: random bytes, packets of every kind with strange
values, and these with some bytes changed, to each socket. Nobody crashes, no mail is lost, and the log says who was strange.
"""
import os
import random
import re
import socket
import struct
import threading
import time

import postroad

SECONDS = float(os.environ.get("HOSTILE", "4"))     # HOSTILE=600 by hand
TEXTS = [b"", b"x", b"incoming", b"../../etc/passwd", b"%s%n", b"a@b.example", b"0000000000000", b"x" * 5000, b"\xff\n"]
NUMBERS = [0, 1, 2, 3, 250, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1]


def kinds():
    """The rows of messages.def: for each kind the types of its fields."""
    with open(postroad.SOURCE + "/lib/ipc/messages.def") as f:
        rows = re.findall(r"^MESSAGE\((\w+), (.*)\)$", f.read(), re.M)
    return [re.findall(r"FIELD\((\w+),", fields) for _, fields in rows]


KINDS = kinds()


def number(value):
    return struct.pack("<Q", value % 2**64)


def field(chance, kind):
    if kind == "INT":
        return number(chance.choice(NUMBERS + [chance.getrandbits(64)]))
    if kind == "FD":
        return number(chance.choice([0, 1]))
    text = chance.choice(TEXTS + [chance.randbytes(chance.randrange(300))])
    if kind == "STRING":
        text = text.replace(b"\0", b"") + b"\0"
    return number(len(text)) + text


def packet(chance):
    """One that is right in form, or was before some of its bytes changed; or anything."""
    if chance.random() < 0.1:
        return chance.randbytes(chance.randrange(1, 2000))
    kind = chance.randrange(len(KINDS) + 1)
    fields = KINDS[kind - 1] if 0 < kind else ["BYTES"]
    body = bytearray(chance.choice([b"P", b"P", b"P", b"P", b"F"]) + number(kind) + number(chance.choice(NUMBERS))
                     + b"".join(field(chance, f) for f in fields))
    for _ in range(chance.choice([0, 0, 0, 1, 3])):
        body[chance.randrange(len(body))] = chance.randrange(256)
    if chance.random() < 0.1:
        del body[chance.randrange(1, len(body)):]
    return bytes(body)


class Stranger:
    """One who talks to one socket, and comes again when he is shown the door."""

    def __init__(self, path, seed):
        self.path, self.chance = path, random.Random(seed)
        self.sent = 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopped.is_set():
            for kind in socket.SOCK_SEQPACKET, socket.SOCK_STREAM:
                with socket.socket(socket.AF_UNIX, kind) as s:
                    s.settimeout(0.2)
                    try:
                        s.connect(self.path)
                        self.talk(s)
                    except OSError:
                        pass
            time.sleep(0.01)

    def talk(self, s):
        for _ in range(self.chance.randrange(1, 20)):
            line = packet(self.chance)
            if self.chance.random() < 0.2:
                s.settimeout(0.01)
                socket.send_fds(s, [line], [0] * self.chance.randrange(1, 5))
            else:
                s.send(line)
            self.sent += 1
            if self.stopped.wait(0.002):
                return


class Hostile(postroad.Test):
    def test_nobody_crashes_and_no_mail_is_lost(self):
        far = self.sink()
        box = self.system(relayhost=far.nexthop(), minimal_backoff_time="1s", maximal_backoff_time="2s",
                          queue_run_delay="1s", notify_classes="")
        places = [box.path("spool", folder, name) for folder in ("private", "public")
                  for name in sorted(os.listdir(box.path("spool", folder)))]
        strangers = [Stranger(path, seed) for seed, path in enumerate(places)]
        sent, end = 0, time.monotonic() + SECONDS
        while time.monotonic() < end:
            box.send(postroad.address("ada"), "bob@far.example", subject="tag-%d" % sent)
            sent += 1
            time.sleep(0.02)
        for stranger in strangers:
            stranger.stopped.set()
        for stranger in strangers:
            stranger.thread.join()
        self.assertGreater(sum(s.sent for s in strangers), 100)
        box.wait_empty(postroad.PATIENCE * 2)
        wanted = sorted("tag-%d" % n for n in range(sent))
        tags = sorted(m["Subject"] for m in box.mails("ada"))
        self.assertEqual([t for t in tags if t.startswith("tag-")], wanted)
        remote = {m[2].split(b"Subject: ")[1].split(b"\r\n")[0].decode() for m in far.messages}
        self.assertLessEqual(set(wanted), remote)
