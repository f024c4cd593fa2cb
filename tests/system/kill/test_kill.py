"""kill -9 of any daemon under load: what was accepted arrives once, and nothing stays behind.

Mail to a Maildir must arrive exactly once. Mail to another host may arrive twice when the line broke
between the last dot and the answer; it must arrive.
"""
import collections
import smtplib
import threading
import time

import postroad

SENDERS, MAILS = 4, 25          # for each kill, while it happens


class Kill(postroad.Test):
    def setUp(self):
        self.far = self.sink()
        self.box = self.system(relayhost=self.far.nexthop(), minimal_backoff_time="1s",
                               maximal_backoff_time="2s", queue_run_delay="1s", default_process_limit="20")
        self.box.allow("killed by signal 9|throttling")
        self.accepted = []
        self.lock = threading.Lock()

    def send_many(self, number):
        """One sender that goes on through every trouble, and notes what was promised to it."""
        for n in range(MAILS):
            tag = "tag-%s-%d-%d" % (self.id().rsplit("_", 1)[1], number, n)
            deadline = time.monotonic() + postroad.PATIENCE
            while time.monotonic() < deadline:
                try:
                    with self.box.smtp() as smtp:
                        smtp.sendmail("sender@example.net", ["ada@example.org", "bob@far.example"],
                                      self.box.message("ada", subject=tag))
                    with self.lock:
                        self.accepted.append(tag)
                    break
                except (OSError, smtplib.SMTPException):
                    # Not promised; the same tag is never used again, so that "twice" can be seen.
                    tag += "+"
                    time.sleep(0.02)
            else:
                raise AssertionError("nothing was accepted for %d s" % postroad.PATIENCE)

    def run_load(self, program):
        troubles = []
        def sender(number):
            try:
                self.send_many(number)
            except Exception as e:      # shown by the test, not by a thread
                troubles.append(e)
        threads = [threading.Thread(target=sender, args=(n,)) for n in range(SENDERS)]
        for thread in threads:
            thread.start()
        killed = 0
        for share in (0.2, 0.5, 0.8):
            postroad.wait_until(lambda: len(self.accepted) >= share * SENDERS * MAILS or troubles, "load",
                                lambda: "%d accepted\n%s" % (len(self.accepted), self.box.story()))
            killed += self.box.kill(program)
        for thread in threads:
            thread.join()
        self.assertEqual(troubles, [])
        return killed

    def check(self, program):
        self.box.send("ada@example.org", "bob@far.example", subject="warm")
        self.box.wait_mail("ada")
        self.far.wait(1)
        killed = self.run_load(program)
        self.assertGreater(killed, 0, "no %s was running" % program)
        self.box.wait_empty(postroad.PATIENCE * 2)
        local = collections.Counter(m["Subject"] for m in self.box.mails("ada"))
        remote = collections.Counter(m[2].split(b"Subject: ")[1].split(b"\r\n")[0].decode()
                                     for m in list(self.far.messages))
        self.assertEqual([t for t in self.accepted if t not in local], [], "accepted and not in the Maildir")
        self.assertEqual([t for t in self.accepted if t not in remote], [], "accepted and not at the far host")
        self.assertEqual([t for t, n in local.items() if n > 1], [], "twice in the Maildir")

    def test_kill_smtpd(self):
        self.check("smtpd")

    def test_kill_cleanup(self):
        self.check("cleanup")

    def test_kill_qmgr(self):
        self.check("qmgr")

    def test_kill_rewrite(self):
        self.check("trivial-rewrite")

    def test_kill_local(self):
        self.check("local")

    def test_kill_smtp(self):
        self.check("smtp")

    def test_kill_postlogd(self):
        self.check("postlogd")

    def test_kill_bounce(self):
        self.far.answers["RCPT"] = "550 5.1.1 no"
        ids = []
        for n in range(60):
            ids.append(self.box.send("bob%d@far.example" % n, sender="ada@example.org", subject="b%d" % n))
            if n % 20 == 10:
                self.box.kill("bounce")
        notices = self.box.wait_mail("ada", 60, postroad.PATIENCE * 2)
        self.box.wait_empty(postroad.PATIENCE * 2)
        self.assertEqual(len(self.box.mails("ada")), 60, "each failure is told once")
        self.assertEqual(len({m.get_payload()[2].get_payload()[0]["Subject"] for m in notices}), 60)

    def test_kill_master(self):
        """Master dies: its children see their lifeline end, and a new master finds all the mail."""
        self.far.answers["CONNECT"] = "421 4.3.2 closed"
        for n in range(20):
            self.box.send("ada@example.org", "bob@far.example", subject="tag-%d" % n)
        self.box.kill("master")
        self.box.master.wait()
        postroad.wait_until(lambda: not self.box.processes(), "no child without a master",
                            lambda: [self.box.command_line(p) for p in self.box.processes()])
        del self.far.answers["CONNECT"]
        self.box.start()
        self.box.run("postqueue", "-f", check=True)
        self.far.wait(20, postroad.PATIENCE * 2)
        self.box.wait_empty()
        local = collections.Counter(m["Subject"] for m in self.box.mails("ada"))
        self.assertEqual(dict(local), {"tag-%d" % n: 1 for n in range(20)})

    def test_kill_all_at_once(self):
        """Everything dies in one instant, as in a crash of the machine that leaves the disk."""
        self.far.answers["CONNECT"] = "421 4.3.2 closed"
        stop = threading.Event()
        accepted = []
        def sender(number):
            n = 0
            while not stop.is_set():
                try:
                    tag = "tag-%d-%d" % (number, n)
                    self.box.send("ada@example.org", "bob@far.example", subject=tag)
                    accepted.append(tag)
                except (OSError, smtplib.SMTPException, AssertionError):
                    pass
                n += 1
        threads = [threading.Thread(target=sender, args=(n,)) for n in range(SENDERS)]
        for thread in threads:
            thread.start()
        postroad.wait_until(lambda: len(accepted) > 100, "load", lambda: len(accepted))
        self.box.end_processes()
        stop.set()
        for thread in threads:
            thread.join()
        self.box.master.wait()
        del self.far.answers["CONNECT"]
        self.box.start()
        self.box.run("postqueue", "-f", check=True)
        self.box.wait_empty(postroad.PATIENCE * 2)
        local = collections.Counter(m["Subject"] for m in self.box.mails("ada"))
        remote = {m[2].split(b"Subject: ")[1].split(b"\r\n")[0].decode() for m in self.far.messages}
        self.assertEqual([t for t in accepted if t not in local], [], "accepted and not in the Maildir")
        self.assertEqual([t for t in accepted if t not in remote], [], "accepted and not at the far host")
        self.assertEqual([t for t, n in local.items() if n > 1], [], "twice in the Maildir")
