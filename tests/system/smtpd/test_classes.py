"""A domain belongs to one class; two are an error when checked, and told in Postfix's words when mail comes."""
import postroad


class Classes(postroad.Test):
    ALIAS, MAILBOX, RELAY = "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains"
    PAIRS = (("mydestination", ALIAS), ("mydestination", MAILBOX), (ALIAS, MAILBOX), (ALIAS, RELAY), (MAILBOX, RELAY))

    def settings(self, one, other, listed):
        main_cf = {self.ALIAS: "", self.MAILBOX: "", self.RELAY: "", "virtual_transport": "discard"}
        main_cf[one] = "two.example" if one != "mydestination" else "$myhostname, $mydomain, two.example"
        main_cf[other] = listed
        return main_cf

    def test_two_are_an_error_when_checked(self):
        box = self.system(start=False)
        box.run("postalias", "hash:" + box.path("etc", "aliases"), check=True)
        for one, other in self.PAIRS:
            for listed in ("two.example", "inline:{two.example=x}"):
                box.settings.update(self.settings(one, other, listed))
                box.write_config()
                done = box.run("postroad", "check")
                self.assertIn("error: do not list domain two.example in BOTH %s and %s\n" % (one, other), done.stderr)
                self.assertExit(done, 1)

    def test_what_is_local_may_be_relayed(self):
        box = self.system(start=False, relay_domains="$mydestination")
        box.run("postalias", "hash:" + box.path("etc", "aliases"), check=True)
        self.assertNotIn("in BOTH", box.run("postroad", "check").stderr)

    def test_two_are_told_when_mail_comes(self):
        for one, other in self.PAIRS:
            box = self.system(settings=self.settings(one, other, "inline:{two.example=x}"))
            for _ in range(2):
                with box.smtp() as smtp:
                    smtp.mail("a@example.net")
                    smtp.rcpt("nobody@two.example")
            box.wait_log("trivial-rewrite.*warning: do not list domain two.example in BOTH %s and %s" % (one, other))
            box.stop()
            self.assertEqual(box.log().count("in BOTH"), 1)

    def test_a_bare_name_is_of_our_origin(self):
        """virtual(5): "user" is user@$myorigin, whatever class that domain has."""
        box = self.system(settings={"mydestination": "localhost", "virtual_alias_domains": "example.org other.example",
                                    "virtual_alias_maps": "inline:{abuse=ada@localhost}"})
        with box.smtp() as smtp:
            smtp.mail("a@example.net")
            self.assertEqual(smtp.rcpt("abuse@example.org")[0], 250)
            self.assertEqual(smtp.rcpt("abuse@other.example")[0], 550)
