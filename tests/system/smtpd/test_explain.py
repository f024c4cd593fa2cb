"""postroad explain: each check with its verdict, each table with the line that spoke, by smtpd's own code."""
import postroad


class Explain(postroad.Test):
    def setUp(self):
        self.box = self.system(start=False, mynetworks="192.0.2.0/24", smtpd_restriction_classes="strict",
                               strict="check_sender_access inline:{ { a@b.example = REJECT in class } }")
        self.table = self.box.path("etc", "access")
        postroad.write(self.table, "# senders\nb.example strict\nx.example DUNNO\n")
        self.box.run("postmap", "hash:" + self.table, check=True)
        postroad.write(self.table + ".re", "# patterns\n\n/^spam@/ REJECT spam\n")
        self.box.settings["smtpd_sender_restrictions"] = \
            "check_sender_access hash:%s, check_sender_access regexp:%s.re" % (self.table, self.table)
        self.box.start()
        self.box.wait_log("daemon started")     # all sockets are there

    def explain(self, *arguments):
        done = self.box.run("postroad", "explain", *arguments)
        self.assertExit(done, 0)
        return done.stdout

    def test_a_refusal_and_its_line(self):
        told = self.explain("--client", "198.51.100.1", "--name", "mx.example.net", "--helo", "mx",
                            "--from", "spam@y.example", "--to", "ada@example.org")
        self.assertIn("client mx.example.net[198.51.100.1], helo mx, from <spam@y.example>, to <ada@example.org>", told)
        self.assertIn("%s.re, line 3: spam@y.example = REJECT spam\n" % self.table, told)
        self.assertRegex(told, r"check_sender_access regexp:\S+ +refuses\n")
        self.assertIn("the client hears: 554 5.7.1 <spam@y.example>: Sender address rejected: spam", told)
        self.assertNotIn("smtpd_relay_restrictions", told)

    def test_a_class(self):
        told = self.explain("--from", "a@b.example", "--to", "ada@example.org")
        self.assertIn("%s, line 2: b.example = strict" % self.table, told)
        self.assertIn("in class", told)

    def test_what_is_accepted_and_where_it_leads(self):
        told = self.explain("--client", "192.0.2.7", "--from", "u@x.example", "--to", "x@far.example")
        self.assertRegex(told, "permit_mynetworks +permits")
        self.assertIn("the client hears: 250 2.1.5 Ok", told)
        self.assertRegex(told, "domain +somebody else's\n +transport +smtp\n +nexthop +far.example")
        self.assertEqual(self.box.queue(), {})

    def test_an_unknown_recipient(self):
        told = self.explain("--to", "nosuch@example.org")
        self.assertIn("hash:%s: nosuch is not there" % self.box.path("etc", "aliases"), told)
        self.assertIn("User unknown in local recipient table", told)

    def test_a_line_of_the_log(self):
        with self.box.smtp() as smtp:
            smtp.helo("old.example")
            smtp.mail("spam@z.example")
            smtp.rcpt("ada@example.org")
        line = self.box.wait_log(r".*NOQUEUE: reject: RCPT.*").group(0)
        told = self.explain("--log", line)
        self.assertIn("helo old.example, from <spam@z.example>, to <ada@example.org>", told)
        self.assertIn("Sender address rejected: spam", told)

    def test_a_probe(self):
        told = self.explain("--probe", "--option", "address_verify_poll_delay=1s", "--to", postroad.address("ada"))
        self.assertIn("a probe    arrives", told)
        self.assertEqual(self.box.mails("ada"), [])

    def test_mistakes(self):
        for arguments in (["--client", "nobody", "--to", "x"], ["--from", "x"], ["--log", "nothing"]):
            self.assertExit(self.box.run("postroad", "explain", *arguments), 1)
