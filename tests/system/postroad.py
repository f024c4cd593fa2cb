"""postroad - a private mail system for one test

    class Deliver(postroad.Test):
        def test_to_a_maildir(self):
            system = self.system(message_size_limit=5000)
            system.send("ada@example.org")
            mail = system.wait_mail("ada")[0]

A System lives in a directory of its own, listens on a loopback address of its own, and is gone after
the test. It works as root (mail_owner is "nobody", mail belongs to system accounts that every machine
has) and as an ordinary user (everything belongs to that user). Nothing here sleeps for a guessed time:
each wait has an event and a deadline, and says what it saw when the deadline passes.

ada, test and user are names that the tests give to accounts of the machine: see ACCOUNTS.
"""
import contextlib
import email
import email.policy
import grp
import os
import poplib
import pwd
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import unittest

from ground import PATIENCE, free_port, loopback_address, wait_until, write
from sink import Sink

BUILD = os.path.abspath(os.environ.get("BUILD", "."))
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
STORY = int(os.environ.get("STORY", "15"))              # lines of a log that a failure shows
ROOT = os.geteuid() == 0
if not ROOT:
    OWNER = pwd.getpwuid(os.geteuid()).pw_name
    GROUP = grp.getgrgid(os.getegid()).gr_name
else:
    OWNER, GROUP = "nobody", grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name

# Whose mail the tests deliver: accounts that every machine has, by the names that tests use for them.
ACCOUNTS = {"ada": "games", "test": "daemon", "user": "bin"}

# The log lines that no test may leave behind, unless it says so with system.allow(pattern).
CRASHES = re.compile(r"panic:|fatal:|killed by signal|throttling|AddressSanitizer|LeakSanitizer"
                     r"|runtime error:|Assertion .* failed|stack smashing")

# A command's fatal is an answer to who called it, and logged as Postfix does.
COMMANDS = re.compile(r"/(sendmail|post(drop|queue|super|cat|log|kick|map|alias|conf))\[\d+\]: fatal: ")

MASTER_CF = """\
# service type  private unpriv  chroot  wakeup  maxproc command
{address}:{smtp_port} inet n - n - - smtpd
{address}:{pop3_port} inet n - n - - pop3d
auth      unix  -       n       n       -       -       authd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
flush     unix  n       -       n       1000?   0       flush
verify    unix  -       -       n       -       1       verify
anvil     unix  -       -       n       -       1       anvil
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
local     unix  -       n       n       -       -       local
"""

def address(name):
    """The address of the account itself; name@example.org is an alias, whose mail is forwarded to it."""
    return ACCOUNTS[name] + "@example.org"


class System:
    """One private postroad. Parameters are main.cf settings; None takes a default away."""

    def __init__(self, directory=None, master_cf=None, settings=None, **main_cf):
        self.directory = directory or tempfile.mkdtemp(prefix="postroad-test-")
        os.chmod(self.directory, 0o755)
        self.address = loopback_address()
        self.smtp_port = free_port(self.address)
        self.pop3_port = free_port(self.address)
        self.config = self.path("etc")
        self.spool = self.path("spool")
        self.log_file = self.path("mail.log")
        self.output_file = self.path("output")
        self.master = None
        self.saved_log = ""
        self.allowed = []
        self.settings = self.default_settings()
        self.settings.update({k: str(v) for k, v in (settings or {}).items()})
        self.settings.update({k: v if v is None else str(v) for k, v in main_cf.items()})
        self.master_cf = (master_cf or MASTER_CF).format(**vars(self))
        self.lay_out()

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def default_settings(self):
        return {
            "compatibility_level": "3.6",
            "command_directory": BUILD + "/bin",
            "daemon_directory": BUILD + "/libexec",
            "queue_directory": self.spool,
            "data_directory": self.path("lib"),
            "maillog_file": self.log_file,
            "maillog_file_prefixes": self.directory,
            "mail_owner": OWNER,
            "setgid_group": GROUP,
            "myhostname": "mail.example.org",
            "mydomain": "example.org",
            "myorigin": "$mydomain",
            "mydestination": "$myhostname, $mydomain, localhost",
            "mynetworks": "127.0.0.0/8",
            "inet_interfaces": self.address,
            "inet_protocols": "ipv4",
            "smtpd_peername_lookup": "no",
            "disable_dns_lookups": "yes",
            "smtp_host_lookup": "native",
            # Transcripts for postmaster, who is ada: how many there are is a matter of what is killed when.
            "notify_classes": "",
            "alias_maps": "hash:" + self.path("etc", "aliases"),
            "alias_database": "hash:" + self.path("etc", "aliases"),
            "mail_spool_directory": self.path("mail") + "/",
            "mail_location": "maildir:%h",
            "first_valid_uid": "1",
            "auth_passwd_file": self.path("etc", "users"),
        }

    def lay_out(self):
        for account in ACCOUNTS.values():
            self.make_maildir(account)
        write(self.path("etc", "aliases"), "postmaster: root\nroot: ada\n" + "".join(
            "%s: %s\n" % pair for pair in ACCOUNTS.items()))
        write(self.path("etc", "users"), "".join(self.user_line(n) for n in ACCOUNTS), 0o600)
        self.write_config()
        self.lay_out_spool()

    def user_line(self, name, password="{PLAIN}secret"):
        account = pwd.getpwnam(ACCOUNTS[name])
        uid, gid = (account.pw_uid, account.pw_gid) if ROOT else (os.getuid(), os.getgid())
        return "%s:%s:%d:%d::%s::\n" % (name, password, uid, gid, self.maildir(name))

    def write_config(self):
        write(self.path("etc", "main.cf"), "".join(
            "%s = %s\n" % (k, v) for k, v in self.settings.items() if v is not None))
        write(self.path("etc", "master.cf"), self.master_cf)

    def lay_out_spool(self):
        """The directories that etc/manifest names under $queue_directory and $data_directory."""
        places = {"$queue_directory": self.spool, "$data_directory": self.path("lib")}
        with open(SOURCE + "/etc/manifest") as manifest:
            rows = [line.split() for line in manifest if line.startswith("d ")]
        for _, path, owner, group, mode, *_ in rows:
            for variable, place in places.items():
                if path.startswith(variable):
                    path = path.replace(variable, place)
                    os.makedirs(path, exist_ok=True)
                    if ROOT:
                        owner = self.settings["mail_owner"] if owner == "$mail_owner" else owner
                        group = self.settings["setgid_group"] if group == "$setgid_group" else group
                        shutil.chown(path, owner, None if group == "-" else group)
                    os.chmod(path, int(mode, 8))

    def make_maildir(self, account):
        for folder in ("", "cur", "new", "tmp"):
            path = self.path("mail", account, folder)
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o700)
            if ROOT:
                entry = pwd.getpwnam(account)
                os.chown(path, entry.pw_uid, entry.pw_gid)
        os.chmod(self.path("mail"), 0o755)

    # --- starting, stopping, killing

    def start(self, wait=True):
        self.write_config()
        # A list of hosts' names for c-ares and libc is the machine's own; a test never waits for it.
        for table in ("aliases",):
            if os.path.exists(self.path("etc", table)):
                self.run("postalias", "hash:" + self.path("etc", table), check=True)
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with told, open(self.output_file, "ab") as output:
            environment = {"NOTIFY_SOCKET": self.hear(told), **self.environment()}
            self.master = subprocess.Popen(
                [BUILD + "/bin/postroad", "-c", self.config, "start-fg"], stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True, cwd=self.directory, env=environment)
            if wait and environment["NOTIFY_SOCKET"] == told.getsockname():
                wait_until(lambda: self.is_ready(told), "master to be ready", self.story)
        if wait:
            for port in self.ports():
                wait_until(lambda: self.listens(port), "a service on port %d" % port, self.story)
        return self

    def hear(self, told):
        """A socket on which master says, as to systemd, that all sockets of its services are there."""
        path = self.path("ready")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        told.bind(path)
        told.setblocking(False)
        return path

    def is_ready(self, told):
        self.look_whether_it_runs()
        with contextlib.suppress(BlockingIOError):
            return b"READY=1" in told.recv(1000)

    def ports(self):
        wanted = (self.smtp_port, self.pop3_port)
        return [p for p in wanted if re.search(r"^[^#]*:%d\s+inet" % p, self.master_cf, re.M)]

    def look_whether_it_runs(self):
        if self.master.poll() is not None:
            raise AssertionError("postroad start-fg ended with %d\n%s"
                                 % (self.master.returncode, self.story()))

    def listens(self, port):
        self.look_whether_it_runs()
        with socket.socket() as probe:
            return probe.connect_ex((self.address, port)) == 0

    def environment(self):
        return dict(os.environ, MAIL_CONFIG=self.config, LC_ALL="C",
                    PATH=BUILD + "/bin:" + os.environ.get("PATH", "/usr/bin:/bin:/usr/sbin:/sbin"),
                    ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "detect_leaks=0:quarantine_size_mb=1"))

    def run(self, name, *args, input=None, check=False, timeout=None):
        """A command of bin/ with this configuration; its output as text."""
        done = subprocess.run([BUILD + "/bin/" + name, *args], env=self.environment(), text=True,
                              input=input, stdin=None if input is not None else subprocess.DEVNULL,
                              capture_output=True, timeout=timeout or PATIENCE * 2,
                              cwd=self.directory, errors="replace")
        if check and done.returncode != 0:
            raise AssertionError("%s %s: exit %d\n%s%s" % (
                name, " ".join(args), done.returncode, done.stdout, done.stderr))
        return done

    def reload(self):
        self.write_config()
        self.run("postroad", "-c", self.config, "reload", check=True)

    def stop(self):
        """Stop as an administrator does; give master's exit status."""
        if self.master is not None and self.master.poll() is None:
            self.master.send_signal(signal.SIGTERM)
            try:
                self.master.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.end_processes()
                raise AssertionError("master did not end within %d s of SIGTERM" % PATIENCE)
        wait_until(lambda: not self.processes(), "no process left after stop",
                   lambda: [self.command_line(p) for p in self.processes()])
        return self.master.returncode if self.master else None

    def processes(self, program=None):
        """The daemons of this system, by pid: master's children, and what runs in its directory."""
        parents, mine = {}, set()
        if self.master and self.master.poll() is None:
            mine.add(self.master.pid)
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            with contextlib.suppress(OSError):
                with open("/proc/%d/stat" % pid) as stat:
                    state, parent = stat.read().rsplit(")", 1)[1].split()[:2]
                if state in "ZX":
                    continue
                parents[pid] = int(parent)
                if self.belongs(pid):
                    mine.add(pid)
        while more := {p for p, parent in parents.items() if parent in mine} - mine:
            mine |= more
        return sorted(p for p in mine if program is None or self.program_of(p) == program)

    def belongs(self, pid):
        """It lives in the queue directory, or was started for this configuration."""
        with contextlib.suppress(OSError):
            if (os.readlink("/proc/%d/cwd" % pid) + "/").startswith(self.spool + "/"):
                return True
        with contextlib.suppress(OSError), open("/proc/%d/environ" % pid, "rb") as environ:
            return b"MAIL_CONFIG=" + self.config.encode() + b"\0" in environ.read() + b"\0"
        return False

    def program_of(self, pid):
        with contextlib.suppress(OSError):
            return os.path.basename(os.readlink("/proc/%s/exe" % pid))
        return None

    def command_line(self, pid):
        with contextlib.suppress(OSError):
            with open("/proc/%d/cmdline" % pid, "rb") as f:
                return f.read().replace(b"\0", b" ").decode(errors="replace")
        return "gone"

    def kill(self, program, signal_number=signal.SIGKILL):
        """Kill every process of that program; give how many there were."""
        killed = 0
        for pid in self.processes(program):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal_number)
                killed += 1
        return killed

    def end_processes(self):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self):
        """Stop, look for crashes, and leave nothing behind."""
        trouble = None
        try:
            self.stop()
        except AssertionError as e:
            trouble = str(e)
        self.saved_log = self.log()
        crashes = self.crashes()
        self.end_processes()
        if os.environ.get("KEEP"):
            sys.stderr.write("kept: %s\n" % self.directory)
        else:
            shutil.rmtree(self.directory, ignore_errors=True)
        if trouble or crashes:
            raise AssertionError("\n".join(filter(None, [trouble, *crashes])))

    # --- the log

    def log(self):
        text = self.saved_log
        for path in (self.log_file, self.output_file):
            with contextlib.suppress(OSError), open(path, errors="replace") as f:
                text += f.read()
        return text

    def allow(self, pattern):
        """The test makes this happen: lines that match are no crash."""
        self.allowed.append(re.compile(pattern))

    def crashes(self):
        return [line for line in self.log().splitlines()
                if CRASHES.search(line) and not COMMANDS.search(line) and not any(a.search(line) for a in self.allowed)]

    def wait_log(self, pattern, patience=None):
        """Wait until a log line matches; give the match."""
        return wait_until(lambda: re.search(pattern, self.log(), re.M), "a log line like " + pattern,
                          self.story, patience)

    def story(self):
        return "\n".join(self.log().splitlines()[-STORY:]) or "an empty log"

    # --- mail

    def smtp(self, **options):
        return smtplib.SMTP(self.address, self.smtp_port, timeout=PATIENCE,
                            local_hostname="client.example.net", **options)

    def connect(self, port=None):
        """A plain socket to smtpd, or to another port: for what no client library would say."""
        return socket.create_connection((self.address, port or self.smtp_port), PATIENCE)

    def message(self, to, sender="sender@example.net", subject="a note", body="Hello.\r\n"):
        return "From: %s\r\nTo: %s\r\nSubject: %s\r\n\r\n%s" % (sender, to, subject, body)

    def send(self, *to, sender="sender@example.net", subject="a note", body="Hello.\r\n",
             message=None, options=(), client=None):
        """Send one mail by SMTP; give its queue id from the reply."""
        with contextlib.ExitStack() as stack:
            smtp = client or stack.enter_context(self.smtp())
            smtp.ehlo_or_helo_if_needed()
            check(smtp.mail(sender, list(options)), 250)
            for address in to:
                check(smtp.rcpt(address), 250)
            text = message or self.message(", ".join(to), sender, subject, body)
            code, reply = smtp.data(text)
            check((code, reply), 250)
            return re.search(rb"queued as (\w+)", reply).group(1).decode()

    def maildir(self, name):
        return self.path("mail", ACCOUNTS.get(name, name))

    def mails(self, name):
        """The messages in a Maildir, parsed, oldest first."""
        paths = []
        for folder in ("new", "cur"):
            with contextlib.suppress(FileNotFoundError):
                paths += [os.path.join(self.maildir(name), folder, f)
                          for f in os.listdir(os.path.join(self.maildir(name), folder))]
        found = []
        for path in sorted(paths, key=lambda p: (os.stat(p).st_mtime_ns, p)):
            with open(path, "rb") as f:
                mail = email.message_from_bytes(f.read(), policy=email.policy.default)
            mail.path = path
            found.append(mail)
        return found

    def wait_mail(self, name, count=1, patience=None):
        """Wait until that many messages are in the Maildir; give them."""
        def enough():
            found = self.mails(name)
            return found if len(found) >= count else None
        return wait_until(enough, "%d mails for %s" % (count, name),
                          lambda: "%d mails\n%s" % (len(self.mails(name)), self.story()), patience)

    def pop3(self, name="ada", password="secret"):
        client = poplib.POP3(self.address, self.pop3_port, timeout=PATIENCE)
        if name is not None:
            client.user(name)
            client.pass_(password)
        return client

    # --- the queue

    def queue(self):
        """What postqueue -p lists: {queue id: (flag, reason, recipients)}."""
        listing = self.run("postqueue", "-p", check=True).stdout
        found = {}
        for block in listing.split("\n\n"):
            lines = [l for l in block.splitlines() if l and not l.startswith("-")]
            head = re.match(r"([0-9A-Za-z]+)([*!#]*) +(\d+) (.{19,20}) +(\S.*)$", lines[0]) if lines else None
            if head:
                rest = [l.strip() for l in lines[1:]]
                found[head.group(1)] = (head.group(2), [l for l in rest if l.startswith("(")],
                                        [l for l in rest if not l.startswith("(")])
        return found

    def wait_deferred(self, *ids):
        """They wait (all there are, by default), and mailq says why. A flush passes over what qmgr has not yet heard of."""
        def waiting():
            queue = self.queue()
            return queue and all(queue.get(i, "*")[0] == "" and queue[i][1] for i in ids or queue)
        wait_until(waiting, "deferred mail", lambda: "%r\n%s" % (self.queue(), self.story()))

    def wait_empty(self, patience=None):
        wait_until(lambda: "Mail queue is empty" in self.run("postqueue", "-p").stdout,
                   "an empty queue", lambda: self.run("postqueue", "-p").stdout + self.story(), patience)


def check(answer, code):
    if answer[0] != code:
        raise AssertionError("wanted %d, seen %d %s" % (code, answer[0], answer[1]))


class Test(unittest.TestCase):
    """A test whose systems end with it, and whose failure shows their logs."""

    maxDiff = None

    def system(self, start=True, **options):
        system = System(**options)
        self.__dict__.setdefault("systems", []).append(system)
        self.addCleanup(system.close)
        return system.start() if start else system

    def sink(self, **options):
        sink = Sink(**options)
        self.addCleanup(sink.close)
        return sink

    def story(self):
        return "\n".join("--- log\n" + s.story() for s in getattr(self, "systems", []))

    def assertExit(self, done, status):
        self.assertEqual(done.returncode, status, "exit %d\n%s%s" % (
            done.returncode, done.stdout, done.stderr))


def need_root(test):
    return unittest.skipUnless(ROOT, "needs root")(test)


def need_program(*names):
    missing = [n for n in names if not shutil.which(n, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")]
    return unittest.skipIf(missing, "needs " + ", ".join(missing))
