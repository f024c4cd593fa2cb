"""faults - whole message lives, with one call of one daemon failing in each

    trial = faults.Trial("cleanup")
    trial.exhaust("maildir", "sync", errno.EIO)     # the first fsync fails, then the second...
    print(trial.close())

A system runs with one daemon under the shim (faults.c). A step is one mail from beginning to end, while the
n-th call of a class fails; n grows until a whole life does not reach it. After each step the fault is
lifted, and the mail must have its one end: accepted and delivered exactly once, or refused with 4xx and
not delivered. A daemon may leave with a log line; a signal that ends it, a 5xx, a mail lost or
doubled, a second fsync of what could not be synced, and a wait without end are failures.
"""
import collections
import contextlib
import errno
import mmap
import os
import poplib
import re
import struct
import subprocess
import time

import chaos
import load
import postroad

CLASSES = ["none", "write", "read", "sync", "open", "name", "socket", "send", "fork", "memory", "log"]
LESS = 0            # no error: the call does less than it was asked to
ERRORS = {
    "write": [errno.ENOSPC, errno.EIO, LESS],
    "read": [errno.EIO, errno.EINTR, LESS],
    "sync": [errno.EIO, errno.ENOSPC],
    "open": [errno.EMFILE, errno.EIO],
    "name": [errno.ENOSPC, errno.EIO],
    "socket": [errno.EMFILE, errno.ENOMEM],
    "send": [errno.ENOBUFS, errno.ENOMEM],
    "fork": [errno.EAGAIN],
    "memory": [errno.ENOMEM],
    "log": [errno.EAGAIN, errno.EIO],
}

# Which lives a daemon has a part in.
LIVES = {
    "smtpd": ["restart", "maildir", "virtual", "large"],
    "cleanup": ["restart", "maildir", "virtual", "large", "alias", "bounce", "sendmail"],
    "pickup": ["restart", "sendmail"],
    "trivial-rewrite": ["restart", "maildir", "mixed"],
    "qmgr": ["restart", "maildir", "virtual", "large", "later", "bounce", "mixed"],
    "bounce": ["bounce", "later"],
    "local": ["maildir", "alias", "large"],
    "smtp": ["far", "largefar", "later", "bounce"],
    "postlogd": ["restart", "maildir"],
    "master": ["reload", "restart-others", "maildir"],
    "showq": ["listing"],
    "pop3d": ["restart", "pop3"],
    "authd": ["pop3"],
}
FAILED = "fault"    # a step's outcome: the call was reached
OVER = "over"       # ... was not: the life has fewer


class Shim:
    """The file that the shim maps: struct state of faults.c."""

    FORMAT = "8Q32s"
    FIELDS = ("fault_class", "error", "first", "last", "count", "fired", "retried", "caller", "name")

    def __init__(self, path):
        self.size = struct.calcsize(self.FORMAT)
        with open(path, "wb") as f:
            f.write(bytes(self.size))
        os.chmod(path, 0o666)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), self.size)

    def arm(self, fault_class, error, first, times=1):
        self.map[:] = struct.pack(self.FORMAT, *[0] * 8, b"")
        self.map[:] = struct.pack(self.FORMAT, CLASSES.index(fault_class), error, first, first + times - 1,
                                  0, 0, 0, 0, b"")

    def disarm(self):
        self.map[16:24] = bytes(8)

    def seen(self):
        values = dict(zip(self.FIELDS, struct.unpack(self.FORMAT, self.map[:])))
        values["name"] = values["name"].rstrip(b"\0").decode()
        return values


def wrap(box, program, shared_object, state):
    """A daemon_directory in which one program is started under the shim."""
    folder, real = box.path("libexec"), postroad.BUILD + "/libexec"
    os.makedirs(folder)
    for name in os.listdir(real):
        os.symlink(os.path.join(real, name), os.path.join(folder, name))
    os.unlink(os.path.join(folder, program))
    postroad.write(os.path.join(folder, program), "#!/bin/sh\nLD_PRELOAD=%s FAULTS=%s exec %s/%s \"$@\"\n"
                   % (shared_object, state, real, program), 0o755)
    box.settings["daemon_directory"] = folder


class Trial:
    """One daemon under the shim, for any number of steps."""

    def __init__(self, program, patience=20):
        self.program, self.patience = program, patience
        self.world = chaos.World(chaos.options(trouble="none"))
        self.box = self.world.box
        self.box.settings["service_throttle_time"] = "1s"
        self.box.allow("fatal: |exit status")       # told to stderr of nobody: see Trial.crashes
        self.shim = Shim(self.box.path("faults"))
        wrap(self.box, program, postroad.BUILD + "/tests/faults/faults.so", self.box.path("faults"))
        self.box.start()
        load.GIVE_UP = patience
        self.clients = load.Load(self.box, 0, 0, self.world.chance)
        load.KINDS.setdefault("largefar", load.KINDS["far"]._replace(size=120000))
        self.serial = 0
        self.steps = 0
        self.complaints = []
        self.silent = collections.Counter()
        self.log_from = 0
        self.run_life("maildir")
        self.settle("first-0")

    # --- steps

    def exhaust(self, life, fault_class, error, first=1, limit=None, stride=1):
        """Every n from the first up (of hundreds ever fewer); how many there were."""
        n = first
        while limit is None or n < first + limit * stride:
            if len(self.complaints) > 20 or self.step(life, fault_class, error, n) == OVER:
                break
            n += max(stride, n // 64)
        return n - 1

    def step(self, life, fault_class, error, n, times=1):
        self.steps += 1
        self.log_from = self.log_size()
        what = "%s %s %s %s %d" % (self.program, life, fault_class, errno.errorcode.get(error, "less"), n)
        self.shim.arm(fault_class, error, n, times)
        try:
            tag = self.run_life(life)
            self.wait_for_life(tag)
        except Exception as e:
            self.complain(what, repr(e))
            tag = None
        self.shim.disarm()
        seen = self.shim.seen()
        if not seen["fired"]:
            return OVER
        self.settle(what, tag)
        if seen["retried"] or self.shim.seen()["retried"]:
            self.complain(what, "fsync was called again for what could not be synced")
        self.judge_log(what, seen, error)
        if "restart" not in life:
            crash = re.search(r"killed by signal.*|panic:.*", self.new_log())
            if crash:
                self.complain(what, crash.group(0))
        return FAILED

    def run_life(self, life):
        self.serial += 1
        tag = "%s-%d.0" % (life, self.serial)
        act = getattr(self, "life_" + life.replace("-", "_"), None)
        if act is not None:
            return act()
        if life == "sendmail":
            if self.clients.by_command(tag):
                self.clients.accepted[tag] = time.monotonic()
            return tag
        smtp, accepted = self.clients.by_smtp(None, tag, load.KINDS[life])
        if accepted:
            self.clients.accepted[tag] = time.monotonic()
        if smtp is not None:
            smtp.close()
        return tag

    def life_restart(self):
        """The daemon starts again, and carries a mail."""
        self.box.kill(self.program)
        return self.run_life("maildir")

    def life_restart_others(self):
        """Master starts what died."""
        self.box.kill("cleanup")
        self.box.kill("local")
        return self.run_life("maildir")

    def life_reload(self):
        self.box.run("postroad", "-c", self.box.config, "reload")
        return self.run_life("maildir")

    def life_listing(self):
        self.box.run("postqueue", "-p")
        self.box.run("postqueue", "-j")

    def life_pop3(self):
        """A mailbox is opened, one mail read and deleted. What fails must leave the mail where it is."""
        before = len(self.box.mails(load.BIN))
        gone = False
        try:
            client = self.box.pop3("user")
            if client.stat()[0] > 0:
                client.retr(1)
                client.dele(1)
                client.quit()
                gone = True
            client.close()
        except (OSError, EOFError, poplib.error_proto):
            pass
        after = len(self.box.mails(load.BIN))
        if after < before - 1 or (gone and after != before - 1):
            raise AssertionError("%d mails before, %d after, quit %s" % (before, after, gone))

    def is_whole(self, tag):
        if tag is None or tag not in self.clients.accepted:
            return True
        self.world.arrived.look()
        return all(self.world.arrived.count[tag, place] for place in chaos.wanted(tag))

    def wait_for_life(self, tag):
        """Until the mail is where it should be, or the fault has struck."""
        deadline = time.monotonic() + self.patience
        flush = time.monotonic() + 0.3
        while time.monotonic() < deadline and not self.shim.seen()["fired"]:
            if self.is_whole(tag):
                time.sleep(0.03)        # marks, answers, unlinks
                return
            time.sleep(0.003)
            if time.monotonic() > flush:
                self.box.run("postqueue", "-f")
                flush += 0.5

    def settle(self, what, tag=None):
        """The fault is over: everything finds its end."""
        deadline = time.monotonic() + self.patience
        flush = time.monotonic() + 0.1
        while not self.is_whole(tag):
            if time.monotonic() > deadline:
                self.complain(what, "accepted, and not delivered within %d s" % self.patience)
                return
            time.sleep(0.01)
            if time.monotonic() > flush:
                self.box.run("postqueue", "-f")
                flush += 0.5

    # --- what is seen

    def complain(self, what, why):
        self.complaints.append("%s: %s [%s]\n%s" % (what, why, self.where(self.shim.seen()), self.new_log()[-1500:]))

    def where(self, seen):
        """The function that called, and the line, if the program knows it."""
        if not seen["fired"]:
            return "not reached"
        done = subprocess.run(["addr2line", "-f", "-s", "-e", "%s/libexec/%s" % (postroad.BUILD, self.program),
                               hex(seen["caller"] - 1)], capture_output=True, text=True)
        return "%s in %s" % (seen["name"], " ".join(done.stdout.split()))

    def log_size(self):
        with contextlib.suppress(OSError):
            return os.path.getsize(self.box.log_file)
        return 0

    def new_log(self):
        """What was logged since the step began."""
        with contextlib.suppress(OSError), open(self.box.log_file, "rb") as f:
            f.seek(self.log_from)
            return f.read().decode(errors="replace")
        return ""

    def judge_log(self, what, seen, error):
        """Was it told? (What only does less, or is interrupted, need not be.)"""
        wanted = ["temporarily"] if error == errno.EAGAIN else [os.strerror(error)] if error else []
        if error == errno.ENOMEM:
            wanted.append("out of memory")
        told = False
        deadline = time.monotonic() + 0.1
        while not told and time.monotonic() < deadline:
            text = self.new_log()
            told = not wanted or any(w in text for w in wanted)
            time.sleep(0.02)
        if error not in (LESS, errno.EINTR) and not told:
            self.silent["%s %s: %s" % (self.program, self.where(seen), errno.errorcode[error])] += 1

    def close(self):
        """The last look at everything; the complaints."""
        verdict = chaos.Verdict(self.world)
        self.world.load = self.clients
        verdict.world.options.slow = True
        verdict.wait_until_quiet()
        verdict.count_mail()
        verdict.look_for_debris()
        try:
            self.world.close()
        except AssertionError as e:
            self.complaints.append(str(e))
        return self.complaints + ["%s: %s" % (self.program, c) for c in verdict.complaints]
