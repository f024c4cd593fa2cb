"""Local delivery: mailboxes, aliases, files, commands, .forward; what is put off and what is returned."""
import contextlib
import glob
import os
import pwd
import re
import shutil
import unittest

import postroad


class Local(postroad.Test):
    def lay_out(self, aliases="", **settings):
        settings.setdefault("local_recipient_maps", "")     # what smtpd knows is not the matter here
        self.box = self.system(start=False, recipient_delimiter="+", default_privs=self.nobody(), **settings)
        with open(self.box.path("etc", "aliases"), "a") as f:
            f.write(aliases.format(dir=self.box.path("drop")))
        os.makedirs(self.box.path("drop"), exist_ok=True)
        os.chmod(self.box.path("drop"), 0o777)
        self.box.start()

    def nobody(self):
        return "nobody" if postroad.ROOT else pwd.getpwuid(os.getuid()).pw_name

    def wait_done(self, count):
        """Until that many messages were removed from the queue."""
        postroad.wait_until(lambda: self.box.log().count(": removed\n") >= count, "%d messages gone" % count,
                            self.box.story)

    def dropped(self, name):
        with contextlib.suppress(FileNotFoundError), open(self.box.path("drop", name)) as f:
            return f.read()
        return ""

    def account(self, name):
        return postroad.ACCOUNTS[name]

    def test_headers_and_names(self):
        self.lay_out()
        self.box.send("%s@example.org" % self.account("ada"), sender="eve@far.example")
        mail = self.box.wait_mail("ada")[0]
        self.assertEqual(mail["Return-Path"], "<eve@far.example>")
        self.assertEqual(mail["Delivered-To"], "%s@example.org" % self.account("ada"))
        self.assertRegex(os.path.basename(mail.path), r"^\d+\.Q\w+R\d+\.mail\.example\.org,S=\d+,W=\d+$")
        size = os.path.getsize(mail.path)
        self.assertIn(",S=%d,W=%d" % (size, size + open(mail.path, "rb").read().count(b"\n")), mail.path)
        if postroad.ROOT:
            self.assertEqual(os.stat(mail.path).st_uid, pwd.getpwnam(self.account("ada")).pw_uid)
        self.assertEqual(os.stat(mail.path).st_mode & 0o777, 0o600)

    def test_few_deliveries_are_one_process_s(self):
        self.lay_out()
        for sent, name in enumerate(list(postroad.ACCOUNTS) * 2, 1):
            self.box.send("%s@example.org" % self.account(name))
            self.wait_done(sent)
        delivered_by = re.findall(r"/local\[(\d+)\]: \w+: to=.* status=sent", self.box.log())
        self.assertEqual(len(delivered_by), 2 * len(postroad.ACCOUNTS), self.box.story())
        self.assertEqual(len(set(delivered_by)), 1, self.box.story())

    def test_aliases_lead_on(self):
        self.lay_out("team: ada, test\nself: self, user\n")
        self.box.send("team@example.org", "postmaster@example.org")
        self.box.wait_log(r"to=<team@example.org>, relay=local, .*status=sent \(forwarded as \w+\)")
        self.box.wait_mail("test")
        mails = self.box.wait_mail("ada", 2)
        self.assertEqual({m["X-Original-To"] for m in mails}, {"team@example.org", "postmaster@example.org"})
        self.box.wait_log(r"to=<%s@example.org>, orig_to=<postmaster@example.org>, relay=local, .*"
                          r"status=sent \(delivered to maildir\)" % self.account("ada"))

    def account_with_a_new_home(self):
        """One that has none, here and in other runs of the test on this machine."""
        for account in map(pwd.getpwnam, ("list", "irc", "gnats", "uucp")):
            with contextlib.suppress(FileExistsError, FileNotFoundError, KeyError):
                os.mkdir(account.pw_dir)
                self.addCleanup(shutil.rmtree, account.pw_dir)
                return account
        return self.skipTest("no account without a home")

    @unittest.skipUnless(postroad.ROOT, "needs an account whose home it may make")
    def test_forward_files(self):
        account = self.account_with_a_new_home()
        self.lay_out()
        self.box.make_maildir(account.pw_name)
        address = account.pw_name + "@example.org"

        def forward(text, mode=0o644, name=".forward"):
            path = os.path.join(account.pw_dir, name)
            with open(path, "w") as f:
                f.write(text)
            os.chmod(path, mode)
            os.chown(path, account.pw_uid, -1)
        forward("\\%s, test@example.org\n" % account.pw_name)
        self.box.send(address, subject="copy")
        self.box.wait_mail(account.pw_name)
        self.box.wait_mail("test")
        forward('"|id -un >%s"\n' % self.box.path("drop", "who"), name=".forward+filter")
        self.box.send(account.pw_name + "+filter@example.org")
        self.box.wait_log(r"delivered to command: id -un")
        self.assertEqual(self.dropped("who").strip(), account.pw_name)
        forward("x@far.example\n", 0o666)
        self.box.send(address)
        self.box.wait_log(r"status=deferred \(cannot use a file that everybody may write")

    def test_files_and_commands(self):
        self.lay_out('file: {dir}/filed\nwork: "|cat >{dir}/worked; echo $RECIPIENT $SENDER >{dir}/seen"\n'
                     'fail: "|echo 5.2.1 closed; exit 69"\nlater: "|exit 75"\nboth: {dir}/both, ada\n')
        self.box.send("file@example.org", body="From here\r\n")
        self.box.send("work@example.org", sender='"$(touch x)"@far.example')
        self.box.send("both@example.org")
        self.box.wait_log(r"status=sent \(delivered to file: ")
        self.box.wait_log(r"status=sent \(delivered to command: cat ")
        self.box.wait_mail("ada")
        self.assertRegex(self.dropped("filed"), r"^From sender@example.net  \w+ \w+ +\d+ [\d:]+ \d+\nReturn-Path: ")
        self.assertIn("\n>From here\n\n", self.dropped("filed"))
        self.assertIn("Delivered-To: work@example.org", self.dropped("worked"))
        self.assertEqual(self.dropped("seen"), "work@example.org __touch_x_@far.example\n")
        postroad.wait_until(lambda: "Delivered-To: both@example.org" in self.dropped("both"), "a file and a mail")
        self.box.send("fail@example.org")
        self.box.wait_log(r"to=<fail@example.org>, .*dsn=5.2.1, status=bounced \(closed\)")
        self.box.send("later@example.org")
        self.box.wait_log(r"to=<later@example.org>, .*dsn=4.3.0, status=deferred \(temporary failure\)")

    def test_who_may_not_have_it_keeps_it_from_nobody_else(self):
        """A member of a list that is refused is told to the sender; the others get their mail."""
        self.lay_out('list: :include:{dir}/list\ngone: ada, :include:{dir}/none\n')
        with open(self.box.path("drop", "list"), "w") as f:
            f.write('ada\n"|cat >{0}/ran"\n{0}/kept\ntest\n'.format(self.box.path("drop")))
        self.box.send("list@example.org")
        self.box.wait_log(r"to=<list@example.org>, .*dsn=5.7.1, status=bounced \(mail to command is restricted\)")
        self.box.wait_mail("test")
        self.box.wait_mail("ada")
        self.assertEqual(os.listdir(self.box.path("drop")), ["list"])
        self.box.send("gone@example.org")
        self.box.wait_log(r"to=<gone@example.org>, .*dsn=5.3.5, status=bounced \(mail system configuration error\)")
        self.box.wait_mail("ada", 2)

    def test_each_member_has_its_line(self):
        self.lay_out('list: "|echo spoilt; exit 65", "|true", "|exit 3", ada, "|cat >{dir}/last"\n')
        self.box.send("list@example.org", sender=postroad.address("test"))
        self.box.wait_log(r"to=<list@example.org>, .*dsn=5.6.0, status=bounced \(data format error. Command output: spoilt\)")
        self.box.wait_log(r"to=<list@example.org>, .*dsn=5.3.0, status=bounced \(Command died with status 3: .exit 3.\)")
        self.box.wait_log(r"to=<list@example.org>, .*dsn=2.0.0, status=sent \(delivered to command: true\)")
        self.box.wait_mail("ada")
        postroad.wait_until(lambda: self.dropped("last"), "the last command ran", self.box.story)
        notice, = self.box.wait_mail("test")
        self.assertIn("Diagnostic-Code: x-unix; spoilt", notice.as_string())

    def test_a_filter_of_what_is_reported(self):
        self.lay_out('list: nobody-here\nfull: "|echo 4.2.2 Quota of Ada is used up; exit 75"\n')
        self.box.allow("cannot stand for")
        postroad.write(self.box.path("etc", "filter"), "/^4(\\.2\\.2 Quota .*)/ 5$1\n/^2.0.0 delivered to (maildir)/ 2.1.5 in the $1\n"
                       "/^5.1.1 unknown user/ 2.0.0 fine\n")
        self.box.settings["local_delivery_status_filter"] = "regexp:" + self.box.path("etc", "filter")
        self.box.write_config()
        self.box.reload()
        self.box.send("ada@example.org")
        self.box.wait_log(r"dsn=2.1.5, status=sent \(in the maildir\)")
        self.box.send("full@example.org")
        self.box.wait_log(r"to=<full@example.org>, .*dsn=5.2.2, status=bounced \(Quota of Ada is used up\)")
        self.box.send("nobody-here@example.org")
        self.box.wait_log(r"local_delivery_status_filter: .2.0.0 fine. cannot stand for .5.1.1 unknown user")
        self.box.wait_log(r"to=<nobody-here@example.org>, .*dsn=5.1.1, status=bounced")

    def test_a_slow_command_delays_nobody(self):
        self.lay_out('slow: "|sleep 600"\n', command_time_limit="6s")
        for _ in range(6):
            self.box.send("slow@example.org")
        self.box.send("ada@example.org")
        self.box.wait_mail("ada")
        self.assertNotIn("Command time limit exceeded", self.box.log())
        self.box.wait_log(r"status=deferred \(Command time limit exceeded: ")

    def test_killed_while_a_command_runs(self):
        self.lay_out('slow: "|sleep 25"\n')
        self.box.send("slow@example.org")
        postroad.wait_until(lambda: len(self.box.processes("local")) > 1, "a child", self.box.story)
        self.box.allow("killed by signal 9|throttling")
        parents = {pid: self.parent(pid) for pid in self.box.processes("local")}
        for pid in parents:
            if parents[pid] not in parents:
                os.kill(pid, 9)
        self.box.send("ada@example.org")
        self.box.wait_mail("ada")

    def parent(self, pid):
        with open("/proc/%d/stat" % pid) as f:
            return int(f.read().rsplit(")", 1)[1].split()[1])

    def test_loops_and_unknown_users(self):
        self.lay_out("one: two\ntwo: one\n")
        self.box.send("one@example.org", sender="")
        self.box.wait_log(r"to=<one@example.org>, .*dsn=5.4.6, status=bounced")
        self.box.send("ada@example.org", sender="",
                      message="Delivered-To: ADA@example.org\r\nSubject: again\r\n\r\nx\r\n")
        self.box.wait_log(r"dsn=5.4.6, status=bounced \(mail forwarding loop for ada@example.org\)")
        self.box.send("noone@example.org", sender="")
        self.box.wait_log(r'dsn=5.1.1, status=bounced \(unknown user: "noone"\)')

    def test_whoever_is_named_often_gets_one(self):
        self.lay_out(aliases="all: ada, Test, some, test\nsome: test, {{account}}, TEST@example.org, ada\n"
                     .replace("{{account}}", self.account("ada")))
        self.box.send("all@example.org", "all@EXAMPLE.org")
        self.box.wait_mail("ada")
        self.box.wait_mail("test")
        self.box.wait_empty()
        self.assertEqual([len(self.box.mails(n)) for n in ("ada", "test")], [1, 1])

    def test_luser_relay(self):
        self.lay_out(luser_relay="ada+$local")
        self.box.send("noone@example.org")
        self.assertEqual(self.box.wait_mail("ada")[0]["X-Original-To"], "noone@example.org")

    def test_luser_relay_is_filled_in_for_each(self):
        self.lay_out(luser_relay="$local.lost@far.example")
        self.box.send("noone@example.org")
        self.box.wait_log(r"to=<noone.lost@far.example>, orig_to=<noone@example.org>, ")

    def test_mbox(self):
        self.lay_out(mail_spool_directory="$data_directory/spooled")
        os.makedirs(self.box.path("lib", "spooled"))
        os.chmod(self.box.path("lib"), 0o755)
        os.chmod(self.box.path("lib", "spooled"), 0o1777)
        for n in range(3):
            self.box.send("%s@example.org" % self.account("ada"), subject="note %d" % n)
        self.wait_done(3)
        with open(self.box.path("lib", "spooled", self.account("ada"))) as f:
            text = f.read()
        self.assertEqual(text.count("\nSubject: note "), 3)
        self.assertEqual(text.count("From sender@example.net  "), 3)
        self.assertTrue(text.endswith("\n\n"))
        self.box.wait_log(r"status=sent \(delivered to mailbox\)")

    def test_a_missing_mailbox_puts_off(self):
        self.lay_out(mail_spool_directory="/nonexistent/mail/")
        self.box.send("%s@example.org" % self.account("ada"))
        self.box.wait_log(r"dsn=4.2.0, status=deferred \(maildir delivery failed: cannot open the directory of the "
                          r"mailbox /nonexistent/mail//%s/: No such file or directory\)" % self.account("ada"))

    def test_killed_at_work_delivers_once(self):
        self.lay_out()
        with self.box.smtp() as client:
            for n in range(60):
                self.box.send("%s@example.org" % self.account("ada"), subject="n%d" % n, client=client)
                if n % 10 == 5:
                    self.box.allow("killed by signal 9|throttling")
                    self.box.kill("local")
        self.box.wait_mail("ada", 60)
        self.wait_done(60)
        subjects = sorted(m["Subject"] for m in self.box.mails("ada"))
        self.assertEqual(subjects, sorted("n%d" % n for n in range(60)))
        self.assertEqual(glob.glob(self.box.maildir("ada") + "/tmp/*"), [])


if __name__ == "__main__":
    unittest.main()
