"""sendmail(1): its options, what it reads, and the exit codes that scripts look at."""
import os
import shutil
import subprocess
import unittest

import postroad

MESSAGE = "From: ada@example.org\nTo: ada@example.org\nSubject: by hand\n\nHello.\n"


class Sendmail(postroad.Test):
    @classmethod
    def setUpClass(cls):
        cls.box = postroad.System().start()
        cls.addClassCleanup(cls.box.close)

    def story(self):
        return self.box.story()

    def mail_with(self, marker):
        found = postroad.wait_until(
            lambda: [m for m in self.box.mails("ada") if marker in m.as_string()],
            "a mail with " + marker, self.box.story)
        self.assertEqual(len(found), 1)
        return found[0]

    def test_to_a_recipient(self):
        done = self.box.run("sendmail", "-f", "ada@example.org", "ada@example.org",
                            input="Subject: marker-plain\n\nHello.\n.\nnot this\n")
        self.assertExit(done, 0)
        mail = self.mail_with("marker-plain")
        self.assertEqual(mail["Return-Path"], "<ada@example.org>")
        self.assertEqual(mail.get_payload(), "Hello.\n")
        for name in ("Message-Id", "Date", "From"):
            self.assertTrue(mail[name], name + " is missing")
        # The first station stands last; an alias adds another.
        self.assertRegex(mail.get_all("Received")[-1], r"by mail\.example\.org \(Postroad, from userid \d+\)\s+id \w+")

    def test_recipients_from_the_header(self):
        done = self.box.run("sendmail", "-t", "-i", input="To: Ada <ada@example.org>,\n  (a comment) nobody-else: ;\n"
                            "Bcc: test@example.org\nSubject: marker-header\n\nHello.\n.\nand this\n")
        self.assertExit(done, 0)
        mail = self.mail_with("marker-header")
        self.assertIsNone(mail["Bcc"])
        self.assertEqual(mail.get_payload(), "Hello.\n.\nand this\n")
        self.box.wait_mail("test")

    def test_pickup_logs_who_it_was(self):
        self.box.run("sendmail", "-f", "someone@example.net", "ada@example.org", input=MESSAGE, check=True)
        self.box.wait_log(r"pickup\[\d+\]: \w+: uid=\d+ from=<someone@example\.net>")

    def test_no_recipients(self):
        done = self.box.run("sendmail", "-t", input="Subject: to nobody\n\nHello.\n")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("No recipient addresses found in message header", done.stderr)

    def test_usage_errors(self):
        for arguments in (["-n"], ["-X", "log"], ["-bx"]):
            with self.subTest(arguments=arguments):
                done = self.box.run("sendmail", *arguments, "ada@example.org", input=MESSAGE)
                self.assertNotEqual(done.returncode, 0)

    def test_options_of_old_scripts_are_taken(self):
        done = self.box.run("sendmail", "-oi", "-oem", "-om", "-F", "Ada Lovelace", "-B", "8BITMIME", "-R", "hdrs",
                            "-N", "never", "-f", "ada@example.org", "--", "ada@example.org",
                            input="Subject: marker-old\n\nHello.\n")
        self.assertExit(done, 0)
        self.assertEqual(self.mail_with("marker-old")["From"], "Ada Lovelace <ada@example.org>")

    def test_smtp_on_standard_input(self):
        done = self.box.run("sendmail", "-bs", input="HELO here\r\nMAIL FROM:<ada@example.org>\r\n"
                            "RCPT TO:<ada@example.org>\r\nDATA\r\nSubject: marker-bs\r\n\r\nHello.\r\n.\r\nQUIT\r\n")
        self.assertExit(done, 0)
        self.assertIn("354 ", done.stdout)
        self.assertIn("queued as", done.stdout)
        self.mail_with("marker-bs")

    def test_smtp_on_standard_input_is_smtpd(self):
        """The dialogue is smtpd's, without checks: a mail reader of this host is trusted as sendmail is."""
        large = "".join("%060d\r\n" % n for n in range(4000))
        done = self.box.run("sendmail", "-bs", input="EHLO here\r\nVRFY ada\r\nRCPT TO:<x>\r\nMAIL FROM:<ada@example.org> SIZE=9\r\n"
                            "RCPT TO:<ada@example.org>\r\nRCPT TO:<a b@c>\r\nBDAT 35\r\nSubject: marker-bdat\r\n\r\nHello.\r\nx\r\n"
                            "BDAT 0 LAST\r\nETRN x\r\nFOO\r\nMAIL FROM:<>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n"
                            "Subject: marker-large\r\n\r\n" + large + ".\r\nQUIT\r\n")
        self.assertExit(done, 0)
        codes = [line[:3] for line in done.stdout.splitlines() if line[3:4] == " "]
        self.assertEqual(codes, "220 250 252 503 250 250 501 250 250 502 500 250 250 354 250 221".split(), done.stdout)
        self.assertIn("SMTPUTF8", done.stdout)
        self.assertIn("\nHello.\nx\n", self.mail_with("marker-bdat").as_string())
        mail = self.mail_with("marker-large")
        self.assertEqual(len(mail.get_payload()), 4000 * 61)
        self.assertEqual(mail["Return-Path"], "<>")

    def test_a_mail_reader_that_talks_through_pipes(self):
        """It waits for each reply, and may leave without QUIT; a message without its dot is none."""
        reader = subprocess.Popen([postroad.BUILD + "/bin/sendmail", "-bs", "-oi"], env=self.box.environment(),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wanted = (("220", "HELO here"), ("250", "MAIL FROM:<ada@example.org>"), ("250", "RCPT TO:<ada@example.org>"),
                  ("250", "DATA"), ("354", "Subject: marker-torn\r\n\r\nHello.\r\n"))
        for code, command in wanted:
            self.assertTrue(reader.stdout.readline().startswith(code))
            reader.stdin.write(command + "\r\n")
            reader.stdin.flush()
        rest, complaints = reader.communicate()
        self.assertEqual((reader.returncode, rest, complaints), (0, "", ""))

    @unittest.skipUnless(shutil.which("swaks"), "no swaks here")
    def test_swaks_through_a_pipe(self):
        done = subprocess.run(["swaks", "--pipe", postroad.BUILD + "/bin/sendmail -bs", "--from", "ada@example.org", "--to",
                               "ada@example.org", "--header", "Subject: marker-swaks"], env=self.box.environment(),
                              capture_output=True, text=True)
        self.assertExit(done, 0)
        self.mail_with("marker-swaks")

    def test_smtp_from_a_file_while_the_system_is_down(self):
        box = self.system()
        box.stop()
        with open(box.path("batch"), "w") as f:
            f.write("HELO here\r\nMAIL FROM:<ada@example.org>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n"
                    "Subject: early\r\n\r\nHello.\r\n.\r\nQUIT\r\n")
        with open(box.path("batch")) as f:
            done = subprocess.run([postroad.BUILD + "/bin/sendmail", "-bs"], env=box.environment(), stdin=f,
                                  capture_output=True, text=True)
        self.assertExit(done, 0)
        self.assertIn("queued as maildrop", done.stdout)
        box.start()
        self.assertEqual(box.wait_mail("ada")[0]["Subject"], "early")

    def test_mail_waits_while_the_system_is_down(self):
        box = self.system()
        box.stop()
        self.assertExit(box.run("sendmail", "ada@example.org", input="Subject: early\n\nHello.\n"), 0)
        box.start()
        self.assertEqual(box.wait_mail("ada")[0]["Subject"], "early")

    def test_its_other_names(self):
        for name, wanted in (("mailq", "Mail queue is empty\n"), ("mailq.postroad", "Mail queue is empty\n"),
                             ("newaliases", "")):
            path = self.box.path(name)
            os.symlink(postroad.BUILD + "/bin/sendmail", path)
            self.box.wait_empty()
            done = subprocess.run([path], env=self.box.environment(), capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (0, wanted), done.stderr)

    def test_newaliases(self):
        with open(self.box.path("etc", "aliases"), "a") as f:
            f.write("fresh: ada\n")
        done = self.box.run("sendmail", "-bi")
        self.assertExit(done, 0)
        postroad.wait_until(lambda: self.accepts("fresh@example.org"), "the new alias is known without a restart")

    def accepts(self, address):
        with self.box.smtp() as smtp:
            smtp.ehlo()
            smtp.mail("a@example.net")
            return smtp.rcpt(address)[0] == 250


class Rebuilt(postroad.Test):
    def test_a_rebuilt_table_is_noticed_without_a_restart(self):
        box = self.system(start=False)
        table = "hash:" + box.path("etc", "virtual")
        box.settings["virtual_alias_maps"] = table
        for target in ("ada", "test"):
            postroad.write(box.path("etc", "virtual"), "wanders@example.org %s\n" % postroad.address(target))
            box.run("postmap", table, check=True)
            if box.master is None:
                box.start()
            def arrives():
                box.send("wanders@example.org")
                return box.mails(target)
            postroad.wait_until(arrives, "mail for " + target, box.story)


class Tables(postroad.Test):
    def setUp(self):
        self.box = self.system(start=False)
        self.source = self.box.path("etc", "table")

    def write(self, text):
        postroad.write(self.source, text)

    def test_round_trip(self):
        self.write("# comment\none 1\nUPPER  value\n  continued\ntwo\t2\n")
        self.assertExit(self.box.run("postmap", "hash:" + self.source), 0)
        self.assertEqual(self.box.run("postmap", "-q", "one", "hash:" + self.source).stdout, "1\n")
        self.assertEqual(self.box.run("postmap", "-q", "upper", "hash:" + self.source).stdout, "value  continued\n")
        missing = self.box.run("postmap", "-q", "three", "hash:" + self.source)
        self.assertEqual((missing.returncode, missing.stdout), (1, ""))
        listed = self.box.run("postmap", "-s", "hash:" + self.source).stdout.splitlines()
        self.assertEqual(sorted(listed), ["one\t1", "two\t2", "upper\tvalue  continued"])

    def test_the_first_of_duplicates_stays(self):
        self.write("one 1\none 2\n")
        done = self.box.run("postmap", "hash:" + self.source)
        self.assertExit(done, 0)
        self.assertRegex(done.stderr, r'postmap: warning: .*table\.db: duplicate entry: "one"')
        self.assertEqual(self.box.run("postmap", "-q", "one", "hash:" + self.source).stdout, "1\n")

    def test_a_line_that_is_no_pair_is_named(self):
        self.write("one 1\nlonely\n")
        done = self.box.run("postmap", "hash:" + self.source)
        self.assertRegex(done.stderr, r"table, line 2: expected format: key whitespace value")

    @postroad.need_program("postmap")
    def test_tables_interchange_with_postfix(self):
        import shutil
        import subprocess
        theirs = shutil.which("postmap", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        postroad.write(self.box.path("pf", "main.cf"), "compatibility_level = 3.6\n")
        self.write("one 1\nTwo 2\n")
        def run_theirs(*args):
            return subprocess.run([theirs, "-c", self.box.path("pf"), *args], capture_output=True, text=True)
        run_theirs("hash:" + self.source)
        self.assertEqual(self.box.run("postmap", "-q", "two", "hash:" + self.source).stdout, "2\n")
        self.box.run("postmap", "hash:" + self.source, check=True)
        self.assertEqual(run_theirs("-q", "two", "hash:" + self.source).stdout, "2\n")
