"""What the kernel says of each daemon: who it is, what it has given up, what it holds open."""
import os

import postroad

# program: (becomes mail_owner, has an empty root directory, holds no file of the spool)
DAEMONS = {
    "smtpd":           (True, True, True),
    "smtp":            (True, True, True),
    "pop3d":           (True, True, True),
    "trivial-rewrite": (True, False, True),
    "cleanup":         (True, False, False),
    "qmgr":            (True, False, False),
    "pickup":          (True, False, True),
    "flush":           (True, False, True),
    "verify":          (True, False, True),
    "postscreen":      (True, False, True),
    "local":           (False, False, True),
}


class Sandbox(postroad.Test):
    @classmethod
    def setUpClass(cls):
        cls.far = postroad.Sink()
        cls.addClassCleanup(cls.far.close)
        cls.box = postroad.System(relayhost=cls.far.nexthop(), fast_flush_domains="far.example",
                                  master_cf=postroad.MASTER_CF + "postscreen unix - - n - 1 postscreen\n",
                                  address_verify_poll_delay="1s").start()
        cls.addClassCleanup(cls.box.close)
        cls.box.send("ada@example.org", "bob@far.example")
        cls.box.wait_mail("ada")
        cls.far.wait(1)
        cls.box.run("postqueue", "-s", "far.example", check=True)
        for service in ("verify", "postscreen"):
            cls.box.run("postkick", "private", service, "")

    def story(self):
        return self.box.story()

    def status(self, pid):
        with open("/proc/%d/status" % pid) as f:
            return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)

    def each(self, column=None):
        for program, facts in DAEMONS.items():
            if column is None or facts[column]:
                pids = self.box.processes(program)
                self.assertTrue(pids, "no %s is running" % program)
                for pid in pids:
                    with self.subTest(program=program):
                        yield program, pid, self.status(pid)

    def test_system_calls_are_filtered(self):
        if "sanitize" in postroad.BUILD:
            self.skipTest("sanitizers need system calls of their own")
        for program, _, status in self.each():
            if program != "local":      # it runs commands of users, which may be set-gid postdrop
                self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), program)

    @postroad.need_root
    def test_nobody_stays_root_who_need_not(self):
        import pwd
        owner = pwd.getpwnam(postroad.OWNER).pw_uid
        for program, _, status in self.each(0):
            self.assertEqual(set(status["Uid"].split()), {str(owner)}, program)
            self.assertEqual(int(status["CapEff"], 16), 0, program)
            self.assertEqual(int(status["CapPrm"], 16), 0, program)

    @postroad.need_root
    def test_the_network_sees_an_empty_root_directory(self):
        for program, pid, _ in self.each(1):
            self.assertNotEqual(os.readlink("/proc/%d/root" % pid), "/", program)

    def test_what_speaks_to_the_network_holds_no_file_of_the_spool(self):
        for program, pid, _ in self.each(2):
            for fd in os.listdir("/proc/%d/fd" % pid):
                try:
                    target = os.readlink("/proc/%d/fd/%s" % (pid, fd))
                except OSError:
                    continue
                for folder in ("journal", "incoming", "deferred", "hold", "defer"):
                    self.assertFalse(target.startswith("%s/%s/" % (self.box.spool, folder)), "%s: %s" % (program, target))
