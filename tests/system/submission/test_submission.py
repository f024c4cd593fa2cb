"""Local submission: what postdrop and pickup make of hostile callers, of trouble, and of being killed."""
import os
import pwd
import re
import resource
import signal
import struct
import subprocess
import sys

import postroad

SOON = {"default_transport": "discard:", "local_transport": "discard:"}

# Far more connections than a user may have, and words that no sendmail says.
HOG = """
import os, socket, sys, time
held = []
for i in range(80):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(sys.argv[1])
    try:
        s.send(b"P" + os.urandom(200))
    except BrokenPipeError:
        pass
    held.append(s)
print("holding", flush=True)
time.sleep(60)
"""

# An account itself, not a name that an alias turns into one.
ACCOUNT = postroad.ACCOUNTS["ada"]


def record(envelope, content, recipients=1, content_length=None):
    """What sendmail hands to postdrop: header line, marks, envelope, content."""
    length = len(content) if content_length is None else content_length
    head = b"PR1 %08x %08x %012x %08x" % (recipients, len(envelope), length, 0)
    return head.ljust(63) + b"\n" + b"_" * recipients + envelope + content


def field(letter, value):
    value = value.encode()
    return b"%s%d:%s\n" % (letter.encode(), len(value), value)


GOOD = field("S", "ada@example.org") + field("r", "bob@example.org")


class Postdrop(postroad.Test):
    """The system is down: what was taken lies in maildrop."""

    def setUp(self):
        self.box = self.system(start=False, message_size_limit=100000)

    def drop(self, data, **options):
        return subprocess.run([postroad.BUILD + "/bin/postdrop"], input=data, capture_output=True,
                              env=self.box.environment(), cwd="/", timeout=postroad.PATIENCE, **options)

    def files(self):
        return os.listdir(self.box.path("spool", "maildrop"))

    def assertTaken(self, done):
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(len(self.files()), 1)

    def assertRefused(self, done, text):
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(text, done.stderr.decode())
        self.assertEqual(self.files(), [])

    def test_a_message(self):
        self.assertTaken(self.drop(record(GOOD, b"Subject: x\n\nHello.\n")))
        status = os.stat(self.box.path("spool", "maildrop", self.files()[0]))
        self.assertEqual((status.st_mode & 0o7777, status.st_uid), (0o444, os.getuid()))

    def test_not_a_message(self):
        for data in (b"", b"x", b"x" * 64, os.urandom(5000), b"PR1 " + b"f" * 60,
                     b"PR1 ffffffff ffffffff ffffffffffff ffffffff".ljust(63) + b"\n"):
            with self.subTest(data=data[:64]):
                self.assertRefused(self.drop(data), "")

    def test_a_message_that_ends_early(self):
        whole = record(GOOD, b"Subject: x\n\nHello.\n")
        for length in (63, 64, 65, 70, len(whole) - 1):
            with self.subTest(length=length):
                self.assertRefused(self.drop(whole[:length]), "ends too early")

    def test_an_envelope_that_makes_no_sense(self):
        for envelope in (b"junk", b"S99999999:x\n", field("S", "a"), field("r", "a") + b"q", b"\0" * 20):
            with self.subTest(envelope=envelope):
                self.assertRefused(self.drop(record(envelope, b"x\n")), "envelope")

    def test_what_is_not_for_a_user_to_say_is_dropped(self):
        envelope = (field("I", "ABCDEF123456") + field("A", "192.0.2.1") + field("L", "root") + field("K", "token")
                    + field("F", str(0xffff)) + GOOD + field("o", "other@example.org"))
        self.assertTaken(self.drop(record(envelope, b"x\n")))
        shown = self.box.run("postcat", "-e", self.box.path("spool", "maildrop", self.files()[0])).stdout
        self.assertIn("recipient: bob@example.org\n", shown)
        self.assertIn("flags=391\n", shown)    # 8BITMIME, SMTPUTF8, local origin, reports (-v and -bv)
        for forbidden in ("ABCDEF", "192.0.2.1", "root", "token", "other@"):
            self.assertNotIn(forbidden, shown)

    def test_larger_than_the_limit(self):
        self.assertRefused(self.drop(record(GOOD, b"x" * 100001)), "message file too big")
        done = self.box.run("sendmail", "ada@example.org", input="x\n" * 60000)
        self.assertExit(done, 69)
        self.assertIn("message file too big", done.stderr)
        self.assertEqual(self.files(), [])

    def test_closed_descriptors(self):
        script = "exec %s/bin/sendmail -f ada@example.org bob@example.org" % postroad.BUILD
        for closed in ("2>&-", ">&- 2>&-"):
            with self.subTest(closed=closed):
                subprocess.run(["sh", "-c", script + " " + closed], input=b"hello\n", env=self.box.environment(),
                               check=True)
        self.assertEqual(len(self.files()), 2)

    def test_a_low_limit_of_file_size(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        done = self.drop(record(GOOD, b"x" * 5000), preexec_fn=limit)
        self.assertRefused(done, "write in maildrop: File too large")
        self.assertEqual(done.returncode, 75)

    def test_signals_and_mask_of_the_caller(self):
        def nasty():
            os.umask(0o777)
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        done = subprocess.run([postroad.BUILD + "/bin/sendmail", "bob@example.org"], input=b"x\n", preexec_fn=nasty,
                              env=self.box.environment(), capture_output=True)
        self.assertTaken(done)
        self.assertEqual(os.stat(self.box.path("spool", "maildrop", self.files()[0])).st_mode & 0o777, 0o444)

    def test_killed_in_the_middle_leaves_nothing(self):
        process = subprocess.Popen([postroad.BUILD + "/bin/postdrop"], stdin=subprocess.PIPE,
                                   env=self.box.environment())
        process.stdin.write(record(GOOD, b"x" * 100, content_length=1000))
        process.stdin.flush()
        postroad.wait_until(lambda: "deleted" in " ".join(
            os.readlink("/proc/%d/fd/%s" % (process.pid, fd)) for fd in os.listdir("/proc/%d/fd" % process.pid)),
            "a file without a name")
        process.kill()
        process.wait()
        self.assertEqual(self.files(), [])

    def test_not_permitted(self):
        self.box.settings["authorized_submit_users"] = "!root, static:all"
        self.box.write_config()
        if postroad.ROOT:
            done = subprocess.run(["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups",
                                   postroad.BUILD + "/bin/postdrop"], input=record(GOOD, b"x\n"),
                                  capture_output=True, env=dict(self.box.environment()))
            self.assertNotEqual(done.returncode, 0)     # without set-gid it may not write there at all
        self.assertEqual(self.files(), [])


class Pickup(postroad.Test):
    def put(self, box, name, data):
        path = box.path("spool", "maildrop", name)
        with open(path + ".tmp", "wb") as f:
            f.write(data)
        if postroad.ROOT:
            os.chown(path + ".tmp", 65533, 65533)
        os.chmod(path + ".tmp", 0o444)
        os.rename(path + ".tmp", path)

    def test_files_that_are_no_mail_are_left_alone_and_told_once(self):
        box = self.system(settings=SOON)
        drop = box.path("spool", "maildrop")
        self.put(box, "AAAAAA0001", b"")
        self.put(box, "AAAAAA0002", os.urandom(1000))
        self.put(box, "AAAAAA0003", record(GOOD, b"x\n"))       # its checksum is 0
        self.put(box, "AAAAAA0004", b"PR1 00ffffff 0fffffff 000000000001 00000000".ljust(63) + b"\n")
        os.symlink("/etc/passwd", drop + "/AAAAAA0005")
        os.mkfifo(drop + "/AAAAAA0006")
        os.mkdir(drop + "/AAAAAA0007")
        box.run("sendmail", "ada@example.org", input="Subject: good\n\nHello.\n", check=True)
        box.wait_log(r"pickup\[\d+\]: \w+: uid=%d" % os.getuid())
        box.run("sendmail", "ada@example.org", input="Subject: more\n\nHello.\n", check=True)
        box.wait_log(r"(?s)uid=.*uid=")
        box.run("postkick", "public", "pickup", "W", check=True)
        for n in range(1, 8):
            box.wait_log(r"warning: maildrop/AAAAAA000%d: .*: left alone" % n)
        self.assertEqual(box.log().count("AAAAAA0002"), 1)
        self.assertEqual(len(os.listdir(drop)), 7)

    def test_a_carriage_return_does_not_travel(self):
        far = self.sink()
        box = self.system(settings=SOON, local_transport="discard:", default_transport="smtp:" + far.nexthop())
        for size in (1, 20000):
            box.run("sendmail", "-i", "bob@far.example",
                    input="Subject: x\r\n\r\n" + "a\rb\r\n.\r\n" * size + "\n.\nlast", check=True)
        for message in far.wait(2):
            body = message[2].split(b"\r\n\r\n", 1)[1]
            self.assertEqual(set(re.findall(b"\r[^\n]|[^\r]\n", body)), set())
            self.assertTrue(body.startswith(b"a b\r\n.\r\n"), body[:40])
            self.assertTrue(body.endswith(b"\r\n.\r\nlast\r\n"), body[-40:])

    def test_a_nudge_is_all_that_a_stranger_may_send(self):
        box = self.system(settings=SOON)
        import socket
        for junk in (b"", b"P", b"x" * 1000, b"P" + struct.pack("=IQ", 4, 1) + b"\0" * 40):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
                s.connect(box.path("spool", "public", "pickup"))
                s.send(junk)
        box.run("sendmail", "ada@example.org", input="x\n", check=True)
        box.wait_log(r"pickup\[\d+\]: \w+: uid=")

    def test_a_stuck_pickup_delays_sendmail_and_doubles_nothing(self):
        box = self.system()
        box.allow("killed by signal 9")         # by master, since it does not go on
        box.kill("pickup", signal.SIGSTOP)
        box.run("sendmail", "ada@example.org", input="Subject: once\n\nx\n", check=True)
        box.wait_mail("ada")
        postroad.wait_until(lambda: not os.listdir(box.path("spool", "maildrop")), "an empty maildrop", box.story)
        box.wait_empty()
        self.assertEqual(len(box.mails("ada")), 1)

    def test_sendmail_needs_no_postdrop_while_the_system_runs(self):
        box = self.system()
        os.chmod(box.path("spool", "maildrop"), 0)
        os.rename(box.path("spool", "maildrop"), box.path("spool", "elsewhere"))
        box.run("sendmail", "ada@example.org", input="Subject: at once\n\nx\n", check=True)
        box.wait_mail("ada")
        os.rename(box.path("spool", "elsewhere"), box.path("spool", "maildrop"))
        os.chmod(box.path("spool", "maildrop"), 0o730)

    def sendmail_as(self, box, uid):
        return subprocess.run(["setpriv", "--reuid=%d" % uid, "--regid=%d" % uid, "--clear-groups",
                               postroad.BUILD + "/bin/sendmail", "-f", "u@example.net", "ada@example.org"],
                              input="x\n", capture_output=True, text=True, env=box.environment())

    @postroad.need_root
    def test_who_may_not_submit_may_not_by_the_socket(self):
        box = self.system(authorized_submit_users="root")
        self.assertNotEqual(self.sendmail_as(box, 65533).returncode, 0)
        box.run("sendmail", "ada@example.org", input="x\n", check=True)
        box.wait_mail("ada")
        self.assertNotIn("uid=65533", box.log())

    @postroad.need_root
    def test_a_user_who_holds_connections_holds_them_from_himself(self):
        box = self.system()
        hog = subprocess.Popen(["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", sys.executable, "-c", HOG,
                                box.path("spool", "submit")], stdout=subprocess.PIPE, text=True)
        self.addCleanup(hog.wait)
        self.addCleanup(hog.kill)
        self.assertEqual(hog.stdout.readline(), "holding\n")
        box.wait_log("a connection of uid 65533 is refused: he has too many")
        user = self.sendmail_as(box, 65532)
        self.assertEqual((user.returncode, user.stderr), (0, ""))
        box.wait_log(r"pickup\[\d+\]: \w+: uid=65532")
        box.wait_mail("ada")

    def test_what_cleanup_never_takes_comes_back(self):
        box = self.system(hopcount_limit=3)
        box.run("sendmail", "-f", "ada@example.org", "bob@example.org",
                input="Received: a\nReceived: b\nReceived: c\nReceived: d\nSubject: loop\n\nx\n", check=True)
        box.wait_log(r"pickup\[\d+\]: \w+: to=<bob@example\.org>, .*status=bounced \(.*too many hops\)")
        self.assertEqual(box.wait_mail("ada")[0].get_content_type(), "multipart/report")
        postroad.wait_until(lambda: not os.listdir(box.path("spool", "maildrop")), "an empty maildrop", box.story)

    def test_killed_under_load_every_mail_arrives_once(self):
        box = self.system()
        box.allow("killed by signal 9|throttling")
        wanted = set()
        for n in range(60):
            wanted.add("mail %d" % n)
            box.run("sendmail", "-f", "ada@example.org", ACCOUNT, input="Subject: mail %d\n\nx\n" % n, check=True)
            if n % 20 == 10:
                box.kill("pickup" if n < 40 else "cleanup")
        postroad.wait_until(lambda: len(box.mails(ACCOUNT)) >= 60, "60 mails", box.story)
        box.wait_empty()
        self.assertEqual(sorted(m["Subject"] for m in box.mails(ACCOUNT)), sorted(wanted))



    def test_reloaded_under_load_every_mail_arrives_once(self):
        box = self.system()
        for n in range(60):
            box.run("sendmail", "-f", "ada@example.org", ACCOUNT, input="Subject: mail %d\n\nx\n" % n, check=True)
            if n % 15 == 7:
                box.reload()
        postroad.wait_until(lambda: len(box.mails(ACCOUNT)) >= 60, "60 mails", box.story)
        box.wait_empty()
        self.assertEqual(sorted(m["Subject"] for m in box.mails(ACCOUNT)), sorted("mail %d" % n for n in range(60)))


class Content(postroad.Test):
    """What sendmail makes of what programs write: looked at in maildrop, while the system is down."""

    def setUp(self):
        self.box = self.system(start=False)

    def submit(self, *arguments, input):
        self.box.run("sendmail", *arguments, input=input, check=True)
        names = os.listdir(self.box.path("spool", "maildrop"))
        self.assertEqual(len(names), 1)
        path = self.box.path("spool", "maildrop", names[0])
        shown = [self.box.run("postcat", option, path, check=True).stdout for option in ("-e", "-hb")]
        os.unlink(path)
        recipients = re.findall("^recipient: (.*)$", shown[0], re.M)
        return shown[0], recipients, shown[1]

    def test_recipients(self):
        for arguments, header, wanted in (
                (["a@x.org", "b@x.org, C <c@x.org>"], "To: z@x.org\n", ["a@x.org", "b@x.org", "c@x.org"]),
                (["-t"], "To: a@x.org,\n\t\"B, C\" <b@x.org>\nCc: (note) c@x.org\nBcc: d@x.org\n",
                 ["a@x.org", "b@x.org", "c@x.org", "d@x.org"]),
                (["-t", "also@x.org"], "To: a@x.org\n", ["also@x.org", "a@x.org"]),
                (["-t"], "To: old@x.org\nResent-To: new@x.org\nResent-Bcc: more@x.org\n", ["new@x.org", "more@x.org"]),
                (["-t"], "To: group: a@x.org, b@x.org;, user\n", ["a@x.org", "b@x.org", "user"]),
                (["--", "-odd@x.org"], "", ["-odd@x.org"]),
                (['"q u"@x.org'], "", ["q u@x.org"])):
            with self.subTest(arguments=arguments, header=header):
                self.assertEqual(self.submit(*arguments, input=header + "Subject: x\n\nx\n")[1], wanted)

    def test_content(self):
        for arguments, given, wanted in (
                ([], "Subject: x\n\nno end", "Subject: x\n\nno end\n"),
                ([], "Subject: x\r\n\r\na\r\n\rb\r\n", "Subject: x\n\na\n b\n"),
                ([], "Subject: x\n\na\n.\nb\n", "Subject: x\n\na\n"),
                (["-i"], "Subject: x\n\na\n.\nb\n", "Subject: x\n\na\n.\nb\n"),
                (["-oi"], "Subject: x\n\n.\n..\n", "Subject: x\n\n.\n..\n"),
                ([], "Subject: x\n\n..\n. \n", "Subject: x\n\n..\n. \n"),
                ([], "From ada Mon Jan  1 00:00:00 2024\nSubject: x\n\nFrom here\n", "Subject: x\n\nFrom here\n"),
                ([], "", "")):
            with self.subTest(given=given):
                self.assertEqual(self.submit("-G", *arguments, "a@x.org", input=given)[2], wanted)

    def test_from(self):
        """Who sends has a name: cleanup puts it where it belongs, if there is no From."""
        for name in ("Ada Lovelace", "A. (\"B\") \\ C"):
            self.assertEqual(self.submit("-f", "ada@x.org", "-F", name, "a@x.org", input="Subject: x\n\nx\n")[2], "Subject: x\n\nx\n")

    def test_envelope(self):
        for arguments, wanted in (
                (["-f", "ada@x.org"], "sender: ada@x.org\n"),
                (["-r", "Ada <ada@x.org>"], "sender: ada@x.org\n"),
                (["-N", "success,failure", "-R", "hdrs"], "notify_flags=6\n"),
                (["-N", "never"], "notify_flags=1\n"),
                (["-R", "hdrs"], "ret_flags=2\n"),
                (["-B", "8BITMIME"], "flags=5\n"),
                (["-G", "-B8BITMIME"], "flags=1\n")):
            with self.subTest(arguments=arguments):
                self.assertIn(wanted, self.submit(*arguments, "a@x.org", input="x\n")[0])
        for null in ("", "<>"):
            self.assertNotIn("sender:", self.submit("-f", null, "a@x.org", input="x\n")[0])
