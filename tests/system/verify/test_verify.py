"""Address verification: smtpd asks verify(8), which finds out by messages that are never delivered."""
import glob
import os
import signal
import threading

import postroad


class Verify(postroad.Test):
    def asks(self, what="recipient", **main_cf):
        self.far = self.sink()
        settings = dict(relayhost=self.far.nexthop(), address_verify_poll_delay="1s",
                        address_verify_poll_count=int(postroad.PATIENCE), max_idle="100s",
                        smtpd_recipient_restrictions="reject_unverified_" + what)
        return self.system(**dict(settings, **main_cf))

    def rcpt(self, system, recipient="bob@far.example", sender="ada@example.org"):
        with system.smtp() as client:
            client.ehlo()
            client.mail(sender)
            code, text = client.rcpt(recipient)
            return code, text.decode()

    def probes(self):
        return [c for c in self.far.commands if c.startswith("MAIL")]

    def test_a_good_recipient_is_asked_once(self):
        system = self.asks()
        for _ in range(3):
            self.assertEqual(self.rcpt(system), (250, "2.1.5 Ok"))
        self.assertEqual(len(self.probes()), 1)
        self.assertIn("MAIL FROM:<double-bounce@example.org>", self.probes()[0])
        system.wait_log(r"to=<bob@far.example>, relay=.*dsn=2.1.5, status=deliverable \(250 2.1.5 ")
        self.assertNotIn("DATA", self.far.commands)
        system.wait_empty()
        self.assertEqual(self.far.messages, [])
        self.assertEqual(len(glob.glob(system.path("lib", "verify_cache.db"))), 1)

    def test_a_bad_recipient_is_put_off_with_what_his_host_said(self):
        system = self.asks()
        self.far.answers["RCPT"] = "550 5.1.1 never heard of him"
        wanted = ("4.1.1 <bob@far.example>: Recipient address rejected: unverified address: host %s[%s] said: 550 5.1.1 "
                  "never heard of him (in reply to RCPT TO command)" % (self.far.address, self.far.address))
        self.assertEqual(self.rcpt(system), (450, wanted))
        system.wait_log("status=undeliverable")
        self.assertEqual(self.rcpt(system), (450, wanted))
        self.assertEqual(len(self.probes()), 1)
        system.wait_empty()
        self.assertNotRegex(system.log(), "non-delivery|status=bounced")

    def test_or_refused(self):
        system = self.asks(unverified_recipient_reject_code=550, unverified_recipient_reject_reason="Not here")
        self.far.answers["RCPT"] = "550 5.1.1 never heard of him"
        self.assertEqual(self.rcpt(system), (550, "5.1.1 <bob@far.example>: Recipient address rejected: undeliverable "
                                             "address: Not here"))

    def test_who_does_not_answer_in_time_is_put_off(self):
        system = self.asks(address_verify_poll_count=1)
        self.far.answers["RCPT"] = lambda line: (self.released.wait(postroad.PATIENCE), "250 2.1.5 Ok")[1]
        self.released = threading.Event()
        self.assertEqual(self.rcpt(system), (450, "4.1.1 <bob@far.example>: Recipient address rejected: unverified "
                                             "address: Address verification in progress"))
        self.released.set()
        system.wait_log("status=deliverable")
        postroad.wait_until(lambda: self.rcpt(system)[0] == 250, "a good recipient", system.log)
        self.assertEqual(len(self.probes()), 1)

    def test_a_sender(self):
        system = self.asks("sender", unverified_sender_reject_code=550)
        self.far.answers["RCPT"] = lambda line: "550 5.1.1 no" if "evil" in line else "250 2.1.5 Ok"
        self.assertEqual(self.rcpt(system, "test@example.org", sender="good@far.example")[0], 250)
        code, text = self.rcpt(system, "test@example.org", sender="evil@far.example")
        self.assertEqual(code, 550)
        self.assertTrue(text.startswith("5.1.7 <evil@far.example>: Sender address rejected: undeliverable address: host"),
                        text)
        self.assertEqual(self.rcpt(system, "test@example.org", sender="")[0], 250)

    def test_recipients_of_our_own(self):
        system = self.asks(local_recipient_maps="", virtual_alias_maps="inline:{role@far.example=test@example.org}")
        self.assertEqual(self.rcpt(system, postroad.address("ada"))[0], 250)
        system.wait_log(r"status=deliverable \(delivers to maildir\)")
        self.assertEqual(self.rcpt(system, "role@far.example")[0], 250)
        code, text = self.rcpt(system, "nosuch@example.org")
        self.assertEqual(code, 450)
        self.assertIn('unknown user: "nosuch"', text)
        system.wait_empty()
        self.assertEqual(system.mails("ada") + system.mails("test"), [])

    def test_probes_have_a_way_of_their_own(self):
        system = self.asks(address_verify_transport_maps="inline:{ { far.example = error:5.1.6 moved } }",
                           address_verify_sender="<>")
        self.assertIn("unverified address: moved", self.rcpt(system)[1])
        self.assertEqual(self.probes(), [])

    def test_the_cache_outlives_a_stop(self):
        system = self.asks()
        self.assertEqual(self.rcpt(system)[0], 250)
        system.stop()
        system.start()
        self.assertEqual(self.rcpt(system, "BOB@far.example")[0], 250)
        self.assertEqual(len(self.probes()), 1)

    def test_a_killed_one_knows_no_less_than_nothing(self):
        system = self.asks()
        system.allow("verify.*killed by signal 9")
        self.assertEqual(self.rcpt(system)[0], 250)
        system.kill("verify", signal.SIGKILL)
        self.assertEqual(self.rcpt(system)[0], 250)
        self.assertNotIn("broken", system.log())

    def test_a_broken_cache_is_moved_away(self):
        system = self.asks()
        self.assertEqual(self.rcpt(system)[0], 250)
        system.stop()
        path = system.path("lib", "verify_cache.db")
        with open(path, "r+b") as cache:
            cache.write(os.urandom(os.path.getsize(path)))
        with open(path + ".open", "w") as mark:
            mark.write("open\n")
        system.start()
        self.assertEqual(self.rcpt(system)[0], 250)
        system.wait_log("verify_cache: broken by a stop; moved to .*verify_cache.db.broken")
        self.assertTrue(os.path.exists(path + ".broken"))
        self.assertEqual(len(self.probes()), 2)

    def test_old_results_are_swept_out(self):
        system = self.asks(address_verify_map="", address_verify_positive_expire_time="3s",
                           address_verify_positive_refresh_time="3s", address_verify_cache_cleanup_interval="2s")
        self.assertEqual(self.rcpt(system)[0], 250)
        system.wait_log(r"full cleanup: retained=\d+ dropped=1 entries")
        before = len(self.probes())
        self.assertEqual(self.rcpt(system)[0], 250)
        self.assertGreater(len(self.probes()), before)

    def test_a_probe_sender_of_the_hour(self):
        system = self.asks(address_verify_sender_ttl="10h")
        self.assertEqual(self.rcpt(system)[0], 250)
        sender = self.probes()[0].split("<")[1].split(">")[0]
        self.assertRegex(sender, r"^double-bounce[0-9b-z]{2,}@example\.org$")
        self.assertEqual(self.rcpt(system, sender)[0], 250)
