"""The administrator's safety nets: soft_bounce, defer_transports, hold."""
import postroad


class SafetyNets(postroad.Test):
    def relay(self, **main_cf):
        self.far = self.sink()
        self.far.answers["RCPT"] = "550 5.1.1 no such user"
        return self.system(relayhost=self.far.nexthop(), **main_cf)

    def test_soft_bounce_is_for_all(self):
        system = self.relay(soft_bounce="yes", transport_maps="inline:{ { gone.example = error:5.1.6 gone } }")
        with system.smtp() as client:
            client.ehlo()
            client.mail("ada@example.net")
            self.assertEqual(client.rcpt("nosuch@example.org")[0], 450)
            self.assertEqual(client.docmd("NONSENSE"), (400, b"4.5.2 Error: command not recognized"))
        queue_id = system.send("bob@far.example")
        system.wait_log(queue_id + r": to=<bob@far.example>, .*dsn=4\.1\.1, status=SOFTBOUNCE \(host .* 550 5\.1\.1 no")
        user = system.run("sendmail", "-f", "ada@example.org", "nosuch@example.org", "x@gone.example", input="\nx\n")
        self.assertEqual(user.returncode, 0)
        system.wait_log(r'to=<nosuch@example.org>, relay=local, .*dsn=4\.1\.1, status=SOFTBOUNCE \(unknown user')
        system.wait_log(r'to=<x@gone.example>, relay=none, .*dsn=4\.1\.6, status=SOFTBOUNCE \(gone\)')
        postroad.wait_until(lambda: len(system.queue()) == 2, "both waiting", system.log)
        self.assertEqual(system.mails("ada"), [])

    def test_what_cleanup_refuses_stays_in_maildrop(self):
        system = self.relay(soft_bounce="yes", hopcount_limit=3)
        looping = "Received: x\n" * 4 + "Subject: x\n\nx\n"
        self.assertEqual(system.run("sendmail", "-f", "ada@example.org", "bob@far.example", input=looping).returncode, 0)
        system.wait_log("not taken: 554 5.4.0 Error: too many hops")
        self.assertEqual(len(system.run("postqueue", "-j").stdout.splitlines()), 1)
        self.assertNotIn("non-delivery", system.log())

    def test_soft_bounce_of_one_service_is_not_the_others(self):
        system = self.relay()
        system.master_cf = system.master_cf.replace("- - smtpd\n", "- - smtpd -o soft_bounce=yes\n")
        system.reload()
        def soft():
            with system.smtp() as client:
                client.ehlo()
                return client.docmd("NONSENSE")[0] == 400
        postroad.wait_until(soft, "a soft smtpd")
        queue_id = system.send("bob@far.example", sender="")
        system.wait_log(queue_id + r": to=<bob@far.example>, .*dsn=5\.1\.1, status=bounced")

    def test_deferred_transports_wait_for_a_flush(self):
        system = self.relay(defer_transports="smtp")
        del self.far.answers["RCPT"]
        for count, asked in enumerate((["-f"], ["-i"]), 1):
            queue_id = system.send("bob@far.example")
            system.wait_log(queue_id + r": to=<bob@far.example>, relay=none, .*dsn=4\.3\.2, status=deferred \(deferred transport\)")
            system.wait_deferred(queue_id)
            system.run("postqueue", *asked, *[queue_id] * (asked == ["-i"]), check=True)
            self.far.wait(count)

    def test_transports_that_are_deferred_no_longer(self):
        system = self.relay(defer_transports="smtp")
        del self.far.answers["RCPT"]
        system.wait_deferred(system.send("bob@far.example"))
        system.settings["defer_transports"] = ""
        system.reload()
        # The first flush may find the process that the reload is about to replace.
        postroad.wait_until(lambda: system.run("postqueue", "-f", check=True) and self.far.messages, "a mail",
                            system.story)

    def test_hold_is_what_an_access_table_says(self):
        system = self.relay(smtpd_recipient_restrictions="check_client_access static:hold")
        del self.far.answers["RCPT"]
        queue_id = system.send("bob@far.example")
        self.assertEqual(system.queue()[queue_id][0], "!")
        system.wait_log(r"NOQUEUE: hold: RCPT from ")
        system.run("postsuper", "-H", queue_id, check=True)
        self.far.wait(1)
