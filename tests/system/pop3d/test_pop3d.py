"""POP3: every command over a Maildir, in the words that clients know; attacks P1 to P8."""
import glob
import os
import poplib
import pwd
import shutil
import socket
import time
import unittest

import postroad


class Pop3(postroad.Test):
    def lay_out(self, **settings):
        self.box = self.system(start=False, auth_failure_delay="1s", **settings)
        self.box.start()
        return self.box

    def put(self, name, content, folder="new", user="ada"):
        path = os.path.join(self.box.maildir(user), folder, name)
        with open(path, "wb") as f:
            f.write(content)
        self.own(path, user)
        return path

    def own(self, path, user="ada"):
        if postroad.ROOT:
            entry = pwd.getpwnam(postroad.ACCOUNTS[user])
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def talk(self, said, patience=postroad.PATIENCE):
        """Say all of it at once, and give all answers until the server closes."""
        with self.box.connect(self.box.pop3_port) as line:
            line.settimeout(patience)
            line.sendall(said)
            heard = b""
            while True:
                part = line.recv(65536)
                if not part:
                    return heard
                heard += part

    def refused(self, name, password):
        with self.assertRaises(poplib.error_proto) as refusal:
            self.box.pop3(name, password)
        return str(refusal.exception)

    def test_a_session(self):
        self.lay_out()
        self.put("1.a.host,S=14,W=18", b"A: b\n\n.x\ny\n")
        self.put("2.b.host:2,S", b"A: b\r\n\r\n1\r\n2\r\n3", "cur")
        pop = self.box.pop3()
        self.assertEqual(pop.stat(), (2, 18 + 15))
        self.assertEqual(pop.list()[1], [b"1 18", b"2 15"])
        self.assertEqual(pop.uidl()[1], [b"1 1.a.host", b"2 2.b.host"])
        self.assertEqual(pop.retr(1)[1], [b"A: b", b"", b".x", b"y"])
        self.assertEqual(pop.top(2, 2)[1], [b"A: b", b"", b"1", b"2"])
        self.assertEqual(pop.dele(1), b"+OK Marked to be deleted.")
        self.assertEqual(pop.stat(), (1, 15))
        pop.rset()
        pop.dele(2)
        self.assertEqual(pop.quit(), b"+OK Logging out, messages deleted.")
        self.assertEqual(os.listdir(self.box.maildir("ada") + "/cur"), [])
        self.assertEqual(len(os.listdir(self.box.maildir("ada") + "/new")), 1)
        self.box.wait_log(r"pop3-login: Info: Login: user=<ada>, method=PLAIN, rip=[\d.]+, lip=[\d.]+, mpid=\d+, session=<")
        self.box.wait_log(r"Info: Disconnected: Logged out top=1/\d+, retr=1/\d+, del=1/2")

    def test_wrong_passwords(self):
        self.lay_out()
        def seconds_to_refuse(name):
            began = time.monotonic()
            self.assertIn("[AUTH] Authentication failed.", self.refused(name, "wrong"))
            return time.monotonic() - began
        self.assertGreater(seconds_to_refuse("ada"), 0.9)
        # Equally long, but for what the machine does meanwhile.
        postroad.wait_until(lambda: abs(seconds_to_refuse("ada") - seconds_to_refuse("nobody-there")) < 0.3, "equal times")
        self.assertIn("[AUTH]", self.refused("../ada", "secret"))
        heard = self.talk(b"USER ada\r\nPASS x\r\nUSER ada\r\nPASS y\r\nUSER ada\r\nPASS z\r\nNOOP\r\n")
        self.assertEqual(heard.count(b"-ERR [AUTH]"), 3)
        self.box.wait_log(r"Disconnected \(auth failed, 3 attempts in \d+ secs\): user=<ada>, method=PLAIN, rip=")

    def test_the_seven_fields(self):
        self.lay_out()
        users = self.box.path("etc", "users")
        line = self.box.user_line("ada").strip()
        with open(users, "w") as f:
            f.write(line + "nologin\n" + "this is no line\n"
                    + self.box.user_line("test").strip() + "allow_nets=10.0.0.0/8\n"
                    + self.box.user_line("user", "{SHA512-CRYPT}$6$abc$rvqzMBuMVukmply9mZJpW0wJMdDfgUKLDrSNxf9l66h/"
                                         "ytQiKNAdqHSj5YPJpxWJpVjRXibQXRddCl9xYHQnd0"))
        self.assertIn("[AUTH]", self.refused("ada", "secret"))
        self.assertIn("[AUTH]", self.refused("test", "secret"))
        for _ in range(2):
            self.box.pop3("USER", "password").quit()
        self.box.wait_log(r"users, line 2: a user without a password")

    @unittest.skipUnless(postroad.ROOT, "becomes users")
    def test_a_mailbox_of_another_is_not_opened(self):
        self.lay_out()
        with open(self.box.path("etc", "users"), "a") as f:
            account = pwd.getpwnam(postroad.ACCOUNTS["test"])
            f.write("eve:{PLAIN}secret:%d:%d::%s::\n" % (account.pw_uid, account.pw_gid, self.box.maildir("ada")))
            f.write("root:{PLAIN}secret:0:0::%s::\n" % self.box.maildir("ada"))
            f.write("none:{PLAIN}secret:::::\n")
        for name in ("root", "none"):
            self.assertIn("[SYS/TEMP]", self.refused(name, "secret"))
        pop = self.box.pop3("eve")
        with self.assertRaisesRegex(poplib.error_proto, r"\[SYS/TEMP\]"):
            pop.stat()
        self.box.wait_log(r"pop3\(eve\): cannot open the maildir .*: Permission denied")

    def test_garbage_before_login(self):
        self.lay_out()
        self.assertEqual(self.talk(b"A\r\nB\r\nC\r\nD\r\nE\r\n").count(b"-ERR"), 4)
        heard = self.talk(b"USER " + b"x" * 1000000 + b"\r\nUSER %n%s\0\r\nPASS\r\nQUIT\r\n")
        self.assertEqual(heard.split(b"\r\n")[1:],
                         [b"-ERR Line too long.", b"-ERR Unknown command.", b"-ERR No username given.",
                          b"+OK Logging out", b""])

    def test_everything_in_one_packet(self):
        self.lay_out()
        self.put("1.a", b"x\n")
        heard = self.talk(b"USER ada\r\nPASS secret\r\nSTAT\r\nSTAT x\r\nLIST 01\r\nLIST  1\r\nLIST 1 \r\nLIST +1\r\n"
                          b"LIST 2\r\nTOP 1\r\nTOP 1 99999999999999999999\r\nXYZ\r\nDELE 1\r\nDELE 1\r\nQUIT\r\n")
        self.assertEqual(heard.split(b"\r\n")[1:-1], [
            b"+OK", b"+OK Logged in.", b"+OK 1 3", b"+OK 1 3", b"+OK 1 3", b"+OK 1 3",
            b"-ERR Noise after message number:  ", b"-ERR Invalid message number: +1",
            b"-ERR There's no message 2.", b"-ERR Invalid line count: ",
            b"-ERR Invalid line count: 99999999999999999999", b"-ERR Unknown command: XYZ",
            b"+OK Marked to be deleted.", b"-ERR Message is deleted.", b"+OK Logging out, messages deleted."])

    def test_odd_files(self):
        self.lay_out()
        self.put("3.\xfc \n:2,S".encode("latin-1").decode("latin-1"), b"", "cur")
        self.put("4." + "x" * 200, b"\r\n.\0\r\r\n.")
        self.put(".hidden", b"x")
        os.mkdir(self.box.maildir("ada") + "/new/5.directory")
        os.mkdir(self.box.maildir("ada") + "/{cur,new,tmp}")
        gone = self.put("6.gone,W=2", b"")
        moved = self.put("7.moved", b"m\n")
        pop = self.box.pop3()
        self.assertEqual(pop.stat(), (4, 0 + 8 + 2 + 3))
        ids = [line.split(b" ", 1)[1] for line in pop.uidl()[1]]
        self.assertEqual(len(set(ids)), 4)
        for one in ids:
            self.assertRegex(one, rb"^[!-~]{1,70}$")
        self.assertEqual(pop.retr(1)[1], [b""])
        os.unlink(gone)
        os.rename(moved, self.box.maildir("ada") + "/cur/7.moved:2,S")
        with self.assertRaisesRegex(poplib.error_proto, "Message 3 expunged"):
            pop.retr(3)
        self.assertEqual(pop.retr(4)[1], [b"m"])
        pop.dele(3)
        pop.dele(4)
        pop.quit()
        self.assertEqual(glob.glob(self.box.maildir("ada") + "/*/7.moved*"), [])
        again = self.box.pop3()
        self.assertEqual([l.split(b" ", 1)[1] for l in again.uidl()[1]], ids[:2])
        again.quit()

    def test_two_sessions_and_a_cut_line(self):
        self.lay_out()
        for n in range(3):
            self.put("%d.m" % n, b"x\n")
        one, two, cut = self.box.pop3(), self.box.pop3(), self.box.pop3()
        self.put("9.new", b"x\n")
        cut.dele(3)
        cut.sock.shutdown(socket.SHUT_RDWR)
        cut.close()
        for pop in (one, two):
            pop.dele(1)
            self.assertEqual(pop.stat()[0], 2)
        self.assertIn(b"+OK", one.quit())
        self.assertIn(b"+OK", two.quit())
        last = self.box.pop3()
        self.assertEqual(last.stat()[0], 3)
        last.quit()

    def test_no_maildir_yet(self):
        self.lay_out()
        shutil.rmtree(self.box.maildir("ada"))
        pop = self.box.pop3()
        self.assertEqual(pop.stat(), (0, 0))
        pop.quit()

    def test_sessions_survive_the_daemons(self):
        self.lay_out()
        self.put("1.a", b"x\n")
        pop = self.box.pop3()
        self.box.allow("killed by signal 9|throttling")
        self.box.kill("pop3d")
        self.assertEqual(pop.stat()[0], 1)
        pop.dele(1)
        self.assertIn(b"+OK", pop.quit())
        postroad.wait_until(lambda: self.box.listens(self.box.pop3_port), "pop3d again", self.box.story)
        self.box.pop3().quit()

    def test_a_killed_starter_of_sessions_is_replaced(self):
        self.lay_out()
        self.box.pop3().quit()
        parents = {pid: int(self.status(pid)["PPid"]) for pid in self.box.processes("authd")}
        # master's child is authd, authd's the starter, the starter's a session that may still be leaving
        starters = [pid for pid, parent in parents.items()
                    if parent in parents and parents[parent] not in parents]
        self.assertTrue(starters, parents)      # a slow machine may have two authds
        self.box.allow("throttling")    # it leaves in its first second
        for starter in starters:
            os.kill(starter, 9)

        def works():
            try:
                return self.box.pop3().quit()
            except poplib.error_proto as e:
                self.assertRegex(str(e), r"\[SYS/TEMP\]|EOF")     # EOF: its socket died with the starter
        postroad.wait_until(works, "a session again", self.box.story)

    @unittest.skipUnless(postroad.ROOT, "needs users")
    def test_who_runs_as_whom(self):
        self.lay_out()
        pop = self.box.pop3()
        uid = pwd.getpwnam(postroad.ACCOUNTS["ada"]).pw_uid
        status = [self.status(p) for p in self.box.processes("authd")]
        session = [s for s in status if s["Uid"].split()[0] == str(uid)]
        self.assertEqual(len(session), 1, status)
        self.assertEqual((session[0]["NoNewPrivs"], session[0]["CapEff"]), ("1", "0" * 16))
        front = [self.status(p) for p in self.box.processes("pop3d")]
        owner = str(pwd.getpwnam(self.box.settings["mail_owner"]).pw_uid)
        self.assertEqual({s["Uid"].split()[0] for s in front}, {owner})
        pop.quit()

    def status(self, pid):
        with open("/proc/%d/status" % pid) as f:
            return dict(line.rstrip("\n").split(":\t", 1) for line in f)


if __name__ == "__main__":
    unittest.main()
