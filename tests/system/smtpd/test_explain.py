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
        self.assertNotIn("the log says", told)

    def test_the_tests_of_postscreen(self):
        self.box.master_cf = self.box.master_cf.replace("smtpd\n", "postscreen\nsmtpd pass - - n - - smtpd\n", 1)
        self.box.settings.update(postscreen_greet_wait="1s", postscreen_access_list="cidr:" + self.box.path("etc", "screen"),
                                 postscreen_denylist_action="enforce", postscreen_greet_action="enforce")
        postroad.write(self.box.path("etc", "screen"), "198.51.100.9 reject\n")
        self.box.write_config()
        for _ in range(2):      # who only asks is nobody who has passed
            told = self.explain("--client", "198.51.100.1", "--to", "ada@example.org")
            self.assertRegex(told, r"log: PASS NEW \[198.51.100.1\]")
            self.assertIn("the client hears: 250 2.0.0 Ok: queued", told)
        told = self.explain("--client", "198.51.100.9", "--to", "ada@example.org")
        self.assertIn("the client hears: 550 5.3.2 Service currently unavailable", told)
        told = self.explain("--client", "198.51.100.9", "--passed", "--to", "ada@example.org")
        self.assertIn("the client hears: 250 2.0.0 Ok: queued", told)

    def test_a_refusal_that_is_none_any_more(self):
        line = "NOQUEUE: reject: RCPT from mx.q.example[198.51.100.1]: 554 5.7.1 <a@q.example>: Sender address rejected: " \
            "old rule; from=<a@q.example> to=<ada@example.org> proto=SMTP helo=<mx.q.example>"
        told = self.explain("--log", line)
        self.assertIn("\nHELO mx.q.example\n", told)
        self.assertIn("the client hears: 250 2.0.0 Ok: queued", told)

    def test_lines_of_the_log_before_a_recipient(self):
        told = self.explain("--option", "smtpd_delay_reject=no", "--log", "NOQUEUE: reject: MAIL from unknown[198.51.100.1]: 554 5.7.1 "
                            "<spam@z.example>: Sender address rejected: spam; from=<spam@z.example> proto=ESMTP helo=<x>")
        self.assertIn("MAIL FROM:<spam@z.example>\n", told)
        self.assertIn("the client hears: 554 5.7.1 <spam@z.example>: Sender address rejected: spam\n", told)
        self.assertNotIn("RCPT", told)
        self.assertNotIn("the log says", told)
        told = self.explain("--log", "NOQUEUE: reject: CONNECT from unknown[198.51.100.1]: 554 5.7.1 <unknown[198.51.100.1]>: "
                            "Client host rejected: Access denied; proto=SMTP")
        self.assertIn("MAIL FROM:<>", told)

    def test_lines_of_the_log_that_are_not_about_checks(self):
        for line, wanted in (
                ("postfix/smtpd[1]: warning: Connection rate limit exceeded: 11 from x[192.0.2.1] for service smtpd",
                 r"smtpd_client_connection_rate_limit = 0\n"),
                ("too many errors after RCPT from unknown[192.0.2.1]", r"smtpd_hard_error_limit = "),
                ("improper command pipelining after EHLO from x[192.0.2.1]: MAIL", r"spoke before it was its turn"),
                ("proxy-reject: END-OF-MESSAGE: 550 5.7.1 no; from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<x>",
                 "smtpd_proxy_filter = \n"),
                ("warning: timeout talking to proxy 127.0.0.1:10024", "smtpd_proxy_timeout = 100s\n"),
                ("lost connection after DATA (120 bytes) from x[192.0.2.1]", "nothing was refused"),
                ("postfix/postscreen[1]: NOQUEUE: reject: RCPT from [192.0.2.1]:4000: 550 5.7.1 Service unavailable; client "
                 "[192.0.2.1] blocked using bl.example; from=<a@b.example>, to=<c@d.example>, proto=ESMTP, helo=<x>",
                 r"postscreen_dnsbl_threshold = 1\n"),
                ("postfix/postscreen[1]: NOQUEUE: reject: CONNECT from [192.0.2.1]:4000: too many connections",
                 r"postscreen_client_connection_count_limit = "),
                ("warning: hostname a.example does not resolve to address 192.0.2.1", "counts as unknown")):
            self.assertRegex(self.explain("--log", line), wanted)

    def test_each_command_and_the_size(self):
        told = self.explain("--to", postroad.address("ada"), "--to", "nosuch@example.org", "--size", "100000",
                            "--option", "smtpd_end_of_data_restrictions=check_sender_access inline:{ { <> = HOLD } }")
        self.assertEqual([l for l in told.splitlines() if l[:4] in ("EHLO", "MAIL", "RCPT", "DATA", "end ")],
                         ["EHLO localhost", "MAIL FROM:<> SIZE=100000", "RCPT TO:<%s>" % postroad.address("ada"),
                          "RCPT TO:<nosuch@example.org>", "DATA", "end of message, bytes: 100000"])
        self.assertIn("triggers HOLD action", told)
        self.assertIn("put on hold", told)
        told = self.explain("--to", "ada@example.org", "--size", "99999999")
        self.assertIn("the client hears: 552 5.3.4 Message size exceeds fixed limit", told)
        told = self.explain("--to", "ada@example.org", "--size", "2000", "--option", "message_size_limit=1900")
        self.assertIn("552 5.3.4", told)

    def test_the_way_to_the_mailbox(self):
        postroad.write(self.box.path("etc", "aliases"), "ada: %s\nlist: ada, joe@far.example, \"|/bin/cat\"\n"
                       % postroad.ACCOUNTS["ada"])
        self.box.run("postalias", "hash:" + self.box.path("etc", "aliases"), check=True)
        self.box.settings["virtual_alias_maps"] = "hash:" + self.box.path("etc", "virtual")
        postroad.write(self.box.path("etc", "virtual"), "sales@example.org list\n")
        self.box.run("postmap", "hash:" + self.box.path("etc", "virtual"), check=True)
        self.box.write_config()
        told = self.explain("--from", "u@y.example", "--to", "sales@example.org")
        self.assertIn("virtual, line 1: sales@example.org = list", told)
        self.assertIn("recipient  <list@example.org>, for <sales@example.org>", told)
        self.assertRegex(told, "aliases, line 2: list = ada, joe")
        self.assertRegex(told, "command    /bin/cat, as user nobody")
        self.assertRegex(told, "forward    to <joe@far.example>, as a new message\n")
        self.assertRegex(told, "where <joe@far.example> leads\n(.*\n)* +transport +smtp\n")
        told = self.explain("--to", postroad.address("ada"))
        self.assertIn("mailbox    %s/, as user %s" % (self.box.maildir("ada"), postroad.ACCOUNTS["ada"]), told)
        told = self.explain("--to", "ada@example.org", "--option", "content_filter=scan:[127.0.0.1]:10024")
        self.assertIn("filter     first all recipients go to scan:[127.0.0.1]:10024", told)

    def test_the_configuration_as_it_is_now_whether_or_not_anything_runs(self):
        for _ in range(2):
            told = self.explain("--client", "198.51.100.1", "--to", "joe@new.example")
            self.assertIn("454 4.7.1 <joe@new.example>: Relay access denied", told)
            told = self.explain("--client", "198.51.100.1", "--to", "joe@new.example", "--option", "relay_domains=new.example")
            self.assertIn("the client hears: 250 2.0.0 Ok: queued", told)
            self.assertIn("domain     relay (relay_domains)", told)
            told = self.explain("--to", "joe@x.example", "--option", "transport_maps=inline:{ x.example=error:5.1.2_gone }")
            self.assertIn("result     returned to its sender: 5.1.2_gone", told)
            self.box.stop()

    def test_a_service_with_its_options(self):
        self.box.master_cf += "%s:2526 inet n - n - - smtpd\n  -o smtpd_recipient_restrictions=reject\n" % self.box.address
        self.box.write_config()
        told = self.explain("--service", "2526", "--to", "ada@example.org")
        self.assertIn("service %s:2526, master.cf, line " % self.box.address, told)
        self.assertIn("554 5.7.1 <ada@example.org>: Recipient address rejected: Access denied", told)
        self.assertExit(self.box.run("postroad", "explain", "--service", "nosuch", "--to", "x"), 1)

    def test_a_probe(self):
        told = self.explain("--probe", "--option", "address_verify_poll_delay=1s", "--to", postroad.address("ada"))
        self.assertIn("a probe    arrives", told)
        self.assertEqual(self.box.mails("ada"), [])

    def test_mistakes(self):
        for arguments in (["--client", "nobody", "--to", "x"], ["--from", "x"], ["--log", "nothing"]):
            self.assertExit(self.box.run("postroad", "explain", *arguments), 1)
