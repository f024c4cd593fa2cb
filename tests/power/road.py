"""road - a private system whose queue and mailboxes are on a forgetfs, to be cut and started again"""
import collections
import contextlib
import os
import re
import signal
import socket
import subprocess
import time

import ledger
import postroad

HERE = os.path.dirname(os.path.abspath(__file__))
SETTLE = 40                     # seconds until a queue that does not become quiet is a finding
QUEUES = ["maildrop", "incoming", "deferred", "hold", "corrupt", "bounce", "defer", "trace", "flush"]


class Found:
    """What there is once all is quiet."""

    def __init__(self):
        self.boxes = collections.Counter()      # (box, serial): how often
        self.notices = collections.Counter()    # serial of the message that a notice is about: how often
        self.arrived = set()                    # at the far host, since the cut
        self.not_held = set()
        self.trouble = []


class Road(postroad.System):
    def __init__(self, disk, directory, far):
        self.disk, self.far = disk, far
        with open(os.path.join(HERE, "main.cf")) as f:
            settings = dict(re.findall(r"^(\w+) = ?(.*)$", f.read(), re.M))
        super().__init__(directory=directory, settings={k: v.replace("@etc@", os.path.join(directory, "etc"))
                                                        for k, v in settings.items()},
                         relayhost=far.nexthop(), smtpd_recipient_restrictions=self.filtered(far))
        self.lay_out_tables()
        self.slowest = 0.0
        self.restarts = self.late = 0

    @staticmethod
    def filtered(far):
        """Mail for mailboxes of ours that the far host, as a filter, gets instead: it never comes to them by another way."""
        return "check_recipient_access inline:{ %s }" % ", ".join(
            "{ scan-%s@example.org = FILTER smtp:%s }" % (when, far.nexthop()) for when in ("now", "later"))

    def path(self, *parts):
        if parts and parts[0] in ("spool", "mail"):
            return os.path.join(self.disk.path, *parts)
        return os.path.join(self.directory, *parts)

    def lay_out_tables(self):
        two = "%s, %s" % (postroad.address("ada"), postroad.address("test"))
        with open(self.path("etc", "aliases"), "a") as f:
            f.write("two: %s\ngone: nobody-is-this@example.org\n" % two)
            f.write("scan-now: %s\nscan-later: %s\n" % (postroad.ACCOUNTS["ada"], postroad.ACCOUNTS["ada"]))
            f.write("copy: \\%s, %s\n" % (postroad.ACCOUNTS["user"], postroad.address("ada")))
        postroad.write(self.path("etc", "virtual"), "pair@virtual.example %s\n" % two)
        self.write_config()
        self.run("postalias", "hash:" + self.path("etc", "aliases"), check=True)
        self.run("postmap", "hash:" + self.path("etc", "virtual"), check=True)

    # --- starting, and the end of the power

    def start(self):
        """Start; gives the seconds until the first 220."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.log_file)
        begun = time.monotonic()
        with open(self.output_file, "wb") as output:
            self.master = subprocess.Popen(
                [postroad.BUILD + "/bin/postroad", "-c", self.config, "start-fg"], stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True, cwd=self.directory, env=self.environment())
        self.wait_greeting()
        taken = time.monotonic() - begun
        self.slowest = max(self.slowest, taken)
        self.restarts += 1
        self.late += taken > 1
        return taken

    def wait_greeting(self):
        deadline = time.monotonic() + SETTLE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection((self.address, self.smtp_port), 5) as s:
                if s.recv(4) == b"220 ":
                    return
            if self.master.poll() is not None:
                break
            time.sleep(0.005)
        raise AssertionError("no 220 after the start\n" + self.story())

    def power_off(self):
        """Every process at once; nobody gets to tidy up."""
        self.master.send_signal(signal.SIGKILL)
        while pids := self.processes():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.master.wait()

    # --- looking

    def waiting(self):
        """The queue's listing, {id: flag}."""
        return {queue_id: flag for queue_id, (flag, _, _) in self.queue().items()}

    def wait_settled(self):
        """Until nothing is on its way, what waits aside; gives what is left if that never is."""
        return self.wait_twice(lambda queue: "*" not in queue.values() and not self.arriving(), lambda: None)

    def wait_empty(self):
        """Until nothing is in the queue at all, and ask for it again and again."""
        return self.wait_twice(lambda queue: not queue, self.flush)

    def wait_twice(self, done, urge):
        deadline, urged, before = time.monotonic() + SETTLE, time.monotonic(), False
        while True:
            queue = self.waiting()
            now = done(queue)
            if (now and before) or time.monotonic() > deadline:
                return {} if now else queue
            before = now
            if time.monotonic() > urged + 1:
                urged = time.monotonic()
                urge()
            time.sleep(0.02)

    def flush(self):
        self.run("postsuper", "-H", "ALL", check=True)
        self.run("postqueue", "-f", check=True)

    def arriving(self):
        """What lies where nothing stays; with a second name it is on its way from one queue to the other."""
        found = []
        for queue in ("maildrop", "incoming"):
            for name in os.listdir(self.path("spool", queue)):
                with contextlib.suppress(FileNotFoundError):
                    found += [name] * (os.stat(self.path("spool", queue, name)).st_nlink == 1)
        return found

    def debris(self):
        """Files below the queue's directories that no daemon will ever remove; flush sweeps by itself."""
        return [path for path in self.files()
                if not re.fullmatch(r"flush/[\w.-]+|\w+/(\w/)?\.new-\d+-[0-9a-f]+", path)]

    def debris_that_stays(self):
        """What is done is taken away by qmgr's filer, in its own time."""
        deadline = time.monotonic() + SETTLE
        while (left := self.debris()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return left

    def files(self):
        """Every file below the queue's directories, but for the journal."""
        for queue in QUEUES:
            for folder, _, names in os.walk(self.path("spool", queue)):
                for name in names:
                    yield os.path.relpath(os.path.join(folder, name), self.spool)

    def held(self):
        return {serial for name in os.listdir(self.path("spool", "hold"))
                if (serial := self.serial_in(os.path.join(self.spool, "hold", name)))}

    def serial_in(self, path):
        with contextlib.suppress(OSError), open(path, "rb") as f:
            return ledger.serial_of(f.read().decode("latin-1"))
        return None

    def collect_box(self, box, found):
        for folder in ("new", "cur", "tmp"):
            for name in os.listdir(os.path.join(self.maildir(box), folder)):
                path = os.path.join(self.maildir(box), folder, name)
                with open(path, "rb") as f:
                    text = f.read().decode("latin-1")
                serial = ledger.serial_of(text)
                if folder == "tmp" and self.disk.has_tmpfile:   # else readers sweep it
                    found.trouble.append("DEBRIS in tmp/ of the Maildir of %s: %s" % (box, name))
                elif folder == "tmp":
                    continue
                elif serial is None:
                    found.trouble.append("TORN: a strange file in the Maildir of %s: %s, %d bytes: %r"
                                         % (box, name, len(text), text[:200]))
                elif re.search("^Content-Type: multipart/report", text, re.M):
                    found.notices[serial] += 1
                else:
                    found.boxes[box, serial] += 1
                    if not ledger.is_whole(text):
                        found.trouble.append("TORN: in the Maildir of %s: %s" % (box, name))

    def collect(self):
        """Let all that waits go, wait until nothing does, and see what there is."""
        found = Found()
        left = self.wait_settled()
        if left:
            found.trouble.append("STUCK, active for %d s: %s" % (SETTLE, left))
        found.held_files = self.held()
        self.far.open()
        self.flush()
        left = self.wait_empty()
        if left:
            found.trouble.append("STUCK in the queue for %d s: %s" % (SETTLE, left))
        for box in postroad.ACCOUNTS:
            self.collect_box(box, found)
        found.trouble += ["DEBRIS in the queue: %s" % path for path in self.debris_that_stays()]
        found.trouble += ["CRASH %s" % line for line in self.crashes()]
        found.trouble += ["DAMAGE %s" % line for line in self.log().splitlines() if "damaged" in line]
        return found


class Far:
    """The far host: it records what it takes, and when; closed, it puts off everything."""

    def __init__(self, disk):
        self.sink, self.disk = postroad.Sink(), disk
        self.world = ledger.Ledger()
        self.taken = set()
        self.sink.messages = self

    def nexthop(self):
        return self.sink.nexthop()

    def append(self, message):
        """In place of the sink's list: before it answers, so that nothing later can have caused it."""
        serial = ledger.serial_of(message[2].decode("latin-1"))
        mail = self.world.mails.get(serial)
        self.taken.add(serial)
        if mail is not None:
            self.world.note(self.disk.position, "arrived", mail)

    def close(self):
        self.sink.answers["RCPT"] = lambda line: "250 2.1.5 Ok" if "now" in line else "450 4.2.0 later"

    def open(self):
        self.sink.answers.pop("RCPT", None)

    def begin(self, world):
        self.world, self.taken = world, set()
        self.close()
