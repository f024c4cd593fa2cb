"""Who gets a message in the end: blind copies, duplicates, expansions that have no end."""
import re

import postroad


class Recipients(postroad.Test):
    def relay(self, **main_cf):
        """All mail for far.example arrives at self.far, with its recipients."""
        self.far = self.sink()
        return self.system(relayhost=self.far.nexthop(), **main_cf)

    def arrived(self, system, count):
        """RCPT commands of so many recipients, in their order, as soon as the queue is empty."""
        def all_there():
            found = [c for c in self.far.commands if c.startswith("RCPT")]
            return found if len(found) >= count else None
        found = postroad.wait_until(all_there, "%d recipients" % count, system.log)
        system.wait_empty()
        return [c for c in self.far.commands if c.startswith("RCPT")] if found else []

    def addresses(self, system, count):
        return sorted(re.search("<(.*?)>", c).group(1) for c in self.arrived(system, count))

    def test_always_bcc_and_its_failure_is_not_told(self):
        system = self.relay(always_bcc="archive@far.example")
        system.send("bob@far.example", sender="ada@example.org")
        commands = self.arrived(system, 2)
        self.assertIn("RCPT TO:<bob@far.example> ORCPT=rfc822;bob@far.example", commands)
        self.assertIn("RCPT TO:<archive@far.example> ORCPT=rfc822;archive@far.example NOTIFY=NEVER", commands)

    def test_a_local_user_is_copied_too_and_a_notice_is_not(self):
        system = self.relay(always_bcc="archive@far.example")
        system.run("sendmail", "-f", "ada@example.org", "nosuch@example.org", input="Subject: x\n\nx\n", check=True)
        self.assertEqual(self.addresses(system, 1), ["archive@far.example"])
        system.wait_mail("ada")

    def test_by_sender_and_by_recipient(self):
        system = self.relay(sender_bcc_maps="inline:{boss@example.net=watch@far.example, @example.net=no@far.example}",
                            recipient_bcc_maps="inline:{bob@far.example=audit@far.example}",
                            recipient_delimiter="+", virtual_alias_maps="inline:{audit@far.example=law@far.example}")
        system.send("bob+x@far.example", "tom@far.example", sender="boss@example.net")
        self.assertEqual(self.addresses(system, 4),
                         ["bob+x@far.example", "law@far.example", "tom@far.example", "watch@far.example"])
        self.assertIn("NOTIFY=NEVER", [c for c in self.far.commands if "law@" in c][0])

    def test_who_has_it_gets_no_second_one(self):
        system = self.relay(always_bcc="BOB@far.example")
        system.send("bob@far.example", "bob@far.example")
        self.assertEqual(self.addresses(system, 1), ["bob@far.example"])

    def test_no_address_mappings_no_copies(self):
        system = self.relay(always_bcc="archive@far.example", receive_override_options="no_address_mappings")
        system.send("bob@far.example")
        self.assertEqual(self.addresses(system, 1), ["bob@far.example"])

    def test_a_table_that_does_not_answer_puts_off(self):
        system = self.relay(recipient_bcc_maps="hash:/nonexistent/bcc")
        with system.smtp() as client:
            client.ehlo()
            client.mail("ada@example.org")
            client.rcpt("bob@far.example")
            self.assertEqual(client.data("Subject: x\r\n\r\n")[0], 451)

    def aliases(self, **main_cf):
        return self.relay(virtual_alias_maps="inline:{one@far.example=bob@far.example, two@far.example=Bob@far.example}",
                          **main_cf)

    def test_duplicates_are_told_apart_by_the_original(self):
        system = self.aliases()
        system.send("one@far.example", "two@far.example", "one@far.example")
        self.assertEqual([a.lower() for a in self.addresses(system, 2)], ["bob@far.example"] * 2)

    def test_without_originals_an_address_is_an_address(self):
        system = self.aliases(enable_original_recipient="no")
        system.send("one@far.example", "two@far.example", "bob@far.example")
        self.assertEqual(self.addresses(system, 1), ["bob@far.example"])
        self.assertNotIn("orig_to=", system.log())

    def refused(self, system, recipient):
        with system.smtp() as client:
            client.ehlo()
            client.mail("ada@example.org")
            client.rcpt(recipient)
            return client.data("Subject: x\r\n\r\n")

    def test_an_expansion_without_an_end_is_put_off(self):
        system = self.relay(virtual_alias_maps="inline:{ { a@far.example = b@far.example, c@far.example },"
                            " { b@far.example = a@far.example, d@far.example } }", virtual_alias_recursion_limit=20)
        self.assertEqual(self.refused(system, "a@far.example"), (451, b"4.6.0 Alias expansion error"))
        system.wait_log("unreasonable virtual_alias_maps map expansion size for a@far.example")

    def test_aliases_that_meet_again_and_again_are_put_off(self):
        rows = ["{ %s%d@far.example = a%d@far.example, b%d@far.example }" % (side, n, n + 1, n + 1)
                for n in range(40) for side in "ab"]
        system = self.relay(virtual_alias_maps="inline:{ %s }" % ", ".join(rows))
        self.assertEqual(self.refused(system, "a0@far.example"), (451, b"4.6.0 Alias expansion error"))

    def test_an_address_that_grows_is_put_off(self):
        system = self.relay(virtual_alias_maps="inline:{a@far.example=a+long-extension@far.example}",
                            recipient_delimiter="+", virtual_alias_address_length_limit="100")
        self.assertEqual(self.refused(system, "a+x@far.example"), (451, b"4.6.0 Alias expansion error"))
        system.wait_log("unreasonable virtual_alias_maps map result length for a")

    def test_too_many_recipients_of_an_alias_are_put_off(self):
        system = self.relay(virtual_alias_maps="inline:{ { a@far.example = %s } }" % ",".join(
            "u%d@far.example" % n for n in range(30)), virtual_alias_expansion_limit="20")
        self.assertEqual(self.refused(system, "a@far.example"), (451, b"4.6.0 Alias expansion error"))


class Loops(postroad.Test):
    def test_too_many_hops(self):
        system = self.system(hopcount_limit=5)
        with system.smtp() as client:
            client.ehlo()
            client.mail("ada@example.net")
            client.rcpt("test@example.org")
            reply = client.data("Received: x\r\n" * 5 + "Subject: x\r\n\r\nx\r\n")
        self.assertEqual(reply[0], 554)
        self.assertIn(b"5.4.0 Error: too many hops", reply[1])


class Header(postroad.Test):
    def taken(self, message, **main_cf):
        system = self.system(**main_cf)
        system.send("test@example.org", message=message)
        return system.wait_mail("test")[0]

    def test_fields_that_do_not_travel_are_the_administrators(self):
        mail = self.taken("From: a@example.net\r\nBcc: b@example.net\r\nX-Secret: x\r\nSubject: x\r\n\r\nx\r\n",
                          message_drop_headers="x-secret, bcc")
        self.assertEqual((mail["X-Secret"], mail["Bcc"], mail["Subject"]), (None, None, "x"))

    def test_a_field_without_end_is_cut(self):
        mail = self.taken("Subject: x\r\nX-Long: %s\r\n y\r\nX-Next: z\r\n\r\nbody\r\n" % "\r\n ".join(["y" * 70] * 50),
                          header_size_limit=1000)
        self.assertEqual(mail["X-Next"], "z")
        self.assertLessEqual(len(mail["X-Long"]), 1000)
        self.assertGreater(len(mail["X-Long"]), 900)
        self.assertEqual(mail.get_payload(), "body\n")

    def test_strangers_lack_what_they_lack(self):
        mail = self.taken("Subject: x\r\n\r\nx\r\n", local_header_rewrite_clients="")
        self.assertEqual((mail["Message-Id"], mail["Date"], mail["From"], mail["To"]), (None,) * 4)

    def test_whose_mail_is_completed_a_table_may_say(self):
        mail = self.taken("To: bob\r\n\r\nx\r\n", local_header_rewrite_clients="check_address_map static:all")
        self.assertTrue(mail["Message-Id"])
        self.assertEqual(mail["To"], "bob@example.org")

    def test_unless_it_is_always_added(self):
        mail = self.taken("Subject: x\r\n\r\nx\r\n", local_header_rewrite_clients="", always_add_missing_headers="yes",
                          undisclosed_recipients_header="To: undisclosed-recipients:;")
        self.assertRegex(mail["Message-Id"], r"<\d+\.\w+@mail\.example\.org>")
        self.assertTrue(mail["Date"])
        self.assertEqual(mail["From"], "sender@example.net")
        self.assertIn("undisclosed-recipients:;", mail["To"])

    def test_short_addresses_of_strangers_get_the_domain_for_them(self):
        mail = self.taken("From: ada\r\nTo: bob@here\r\n\r\nx\r\n", local_header_rewrite_clients="",
                          remote_header_rewrite_domain="domain.invalid")
        self.assertEqual((mail["From"], mail["To"]), ("ada@domain.invalid", "bob@here"))
