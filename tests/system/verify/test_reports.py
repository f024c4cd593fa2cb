"""sendmail -bv and -v: the sender hears by mail what would become of a message, or what became of it."""
import postroad

ADA = postroad.address("ada")
TEST = postroad.address("test")


class Reports(postroad.Test):
    def start(self, **main_cf):
        self.far = self.sink()
        self.far.answers["RCPT"] = lambda line: "550 5.1.1 no such user" if "<no" in line else \
            "450 4.2.1 later" if "<later" in line else "250 2.1.5 Ok"
        return self.system(relayhost=self.far.nexthop(), **main_cf)

    def sendmail(self, system, *arguments, input="Subject: s\n\nbody\n"):
        return system.run("sendmail", "-f", ADA, *arguments, input=input)

    def report(self, system, count=1):
        """{recipient: (action, status)} of the last report, and its text."""
        mail = system.wait_mail("ada", count)[-1]
        self.assertEqual(mail["Subject"], "Mail Delivery Status Report")
        parts = mail.get_payload()
        found = {}
        for block in parts[1].get_payload()[1:]:
            found[block["Final-Recipient"].split("; ")[1]] = (block["Action"], block["Status"])
        return found, parts[0].get_payload()

    def test_what_would_become_of_it(self):
        system = self.start(virtual_alias_maps="inline:{ { team@far.example = bob@far.example, no@far.example } }")
        done = self.sendmail(system, "-bv", TEST, "nosuch@example.org", "team@far.example", "later@far.example", input="")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, "Mail Delivery Status Report will be mailed to <%s>.\n" % ADA, ""))
        found, text = self.report(system)
        self.assertEqual(found, {
            TEST: ("deliverable", "2.0.0"), "nosuch@example.org": ("undeliverable", "5.1.1"),
            "bob@far.example": ("deliverable", "2.1.5"), "no@far.example": ("undeliverable", "5.1.1"),
            "later@far.example": ("undeliverable", "4.2.1")})
        self.assertIn("delivers to maildir", text)
        system.wait_log("to=<no@far.example>, orig_to=<team@far.example>.*dsn=5.1.1, status=undeliverable ")
        system.wait_empty()
        self.assertEqual((self.far.messages, system.mails("test"), len(system.mails("ada"))), ([], [], 1))

    def test_what_became_of_it(self):
        system = self.start()
        done = self.sendmail(system, "-v", TEST, "bob@far.example")
        self.assertEqual(done.stdout, "Mail Delivery Status Report will be mailed to <%s>.\n" % ADA)
        found, text = self.report(system)
        self.assertEqual({r: a for r, (a, s) in found.items()}, {TEST: "delivered", "bob@far.example": "relayed"})
        self.far.wait(1)
        system.wait_mail("test")
        system.wait_empty()
        self.assertEqual(len(system.mails("ada")), 1)

    def test_only_the_first_try_is_reported(self):
        system = self.start(minimal_backoff_time="1h", maximal_backoff_time="1h")
        self.sendmail(system, "-v", "later@far.example")
        found, text = self.report(system)
        self.assertEqual(found, {"later@far.example": ("delayed", "4.2.1")})
        system.wait_deferred()
        system.run("postqueue", "-f", check=True)
        postroad.wait_until(lambda: system.log().count("to=<later@far.example>") == 2, "a second try", system.story)
        system.wait_deferred()
        self.far.answers["RCPT"] = "250 2.1.5 Ok"
        system.run("postqueue", "-f", check=True)
        self.far.wait(1)
        system.wait_empty()
        self.assertEqual(len(system.mails("ada")), 1)
        self.assertEqual(system.log().count("sender delivery status notification"), 1)

    def test_a_failure_is_told_once_with_v(self):
        system = self.start()
        self.sendmail(system, "-v", "no@far.example")
        system.wait_mail("ada", 2)
        system.wait_empty()
        self.assertEqual(sorted(m["Subject"] for m in system.mails("ada")),
                         ["Mail Delivery Status Report", "Undelivered Mail Returned to Sender"])

    def test_what_does_not_go_together(self):
        system = self.start()
        for arguments, said in ((["-bv", "-t"], "-t option cannot be used with -bv"),
                                (["-bv", "-N", "never", TEST], "-N option cannot be used with -bv"),
                                (["-bv", "-R", "hdrs", TEST], "-R option cannot be used with -bv"),
                                (["-bv", "-v", TEST], "-v option cannot be used with -bv"),
                                (["-bs", "-t"], "-t can be used only in delivery mode")):
            done = self.sendmail(system, *arguments)
            self.assertEqual((done.returncode, done.stderr), (75, "sendmail: fatal: %s\n" % said))
