"""A table whose server answers late, never, or nonsense: cleanup and local go on with all other mail."""
import os

import postroad
from tableserver import Server


class Far(postroad.Test):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)

    def submit(self, box, *to):
        """A client that has sent its message and has not looked for the answer yet."""
        client = box.smtp()
        self.addCleanup(client.close)
        client.helo()
        client.mail("sender@example.net")
        for address in to:
            self.assertEqual(client.rcpt(address)[0], 250)
        client.putcmd("DATA")
        self.assertEqual(client.getreply()[0], 354)
        client.send(b"Subject: x\r\n\r\nHello.\r\n.\r\n")
        return client

    def refusal(self, client):
        code, text = client.getreply()
        return code, text.decode()


class Cleanup(Far):
    def box(self, **settings):
        settings.setdefault("virtual_alias_maps", self.server.place)
        settings.setdefault("smtpd_reject_unlisted_recipient", "no")
        settings.setdefault("virtual_alias_domains", "")  # else the route of any domain is asked there, too
        return self.system(**settings)

    def test_a_message_waits_alone_and_is_delivered(self):
        box = self.box()
        self.server.answers["slow@example.org"] = b"200 ada@example.org\n"
        client = self.submit(box, "slow@example.org")
        self.server.wait_asked("slow", box.story)
        box.send("test@example.org")
        box.wait_mail("test")
        self.server.release()
        self.assertEqual(self.refusal(client)[0], 250)
        box.wait_mail("ada")

    def test_what_is_asked_of_many_recipients_is_asked_at_once(self):
        box = self.box(virtual_alias_maps="inline:{ { list@example.org = %s } }, %s" % (", ".join(
            "slow%d@example.org" % n for n in range(60)), self.server.place))
        self.server.answers.update({"slow%d@example.org" % n: b"200 ada@example.org\n" for n in range(60)})
        client = self.submit(box, "list@example.org")
        self.server.wait_asked("slow", box.story, 20)
        self.server.release()
        self.assertEqual(self.refusal(client)[0], 250)
        box.wait_mail("ada")
        self.assertEqual(len([k for k in self.server.asked if "slow" in k]), 60)

    def test_a_hundred_messages_wait_and_one_does_not(self):
        box = self.box(smtpd_client_connection_count_limit="0",
                       virtual_alias_maps="inline:{ %s=%s }, %s" % (
                           postroad.address("test"), postroad.address("test"), self.server.place))
        self.server.answers.update({"slow%d@example.org" % n: b"200 ada@example.org\n" for n in range(100)})
        clients = [self.submit(box, "slow%d@example.org" % n) for n in range(100)]
        self.server.wait_asked("slow", box.story, 50)
        box.send(postroad.address("test"))
        box.wait_mail("test")
        self.server.release()
        answers = [self.refusal(client)[0] for client in clients]
        self.assertIn(250, answers)
        box.wait_mail("ada", answers.count(250))

    def test_a_copy_of_the_sender_is_looked_for_far_away(self):
        box = self.box(virtual_alias_maps="", sender_bcc_maps=self.server.place)
        self.server.answers["sender@example.net"] = b"200 test@example.org\n"
        box.send("ada@example.org")
        box.wait_mail("ada")
        box.wait_mail("test")

    def test_a_server_that_dies_in_the_middle(self):
        box = self.box()
        self.server.answers["slow@example.org"] = None
        client = self.submit(box, "slow@example.org")
        self.server.wait_asked("slow", box.story)
        self.server.release()
        self.assertEqual(self.refusal(client), (451, "4.3.0 Error: alias table lookup problem"))
        box.wait_log("tcp:.* is unavailable|lookup error for")
        box.send("ada@example.org")
        box.wait_mail("ada")

    def test_garbage_and_too_much(self):
        box = self.box()
        for answer in b"what?\n", b"200" + b"x" * 200000, b"\0\xff\n", b"400 not%20now\n":
            self.server.answers["odd@example.org"] = answer
            with self.subTest(answer[:10]):
                self.assertEqual(self.refusal(self.submit(box, "odd@example.org")),
                                 (451, "4.3.0 Error: alias table lookup problem"))
        box.send("ada@example.org")
        box.wait_mail("ada")

    def test_proxymap_dies_while_a_message_waits(self):
        box = self.box()
        box.allow("killed by signal 9")
        client = self.submit(box, "slow@example.org")
        self.server.wait_asked("slow", box.story)
        box.kill("proxymap")
        self.assertEqual(self.refusal(client)[0], 451)
        box.send("ada@example.org")
        box.wait_mail("ada")

    def test_cleanup_dies_while_a_message_waits(self):
        """smtpd hands it over again, and it is delivered once."""
        box = self.box()
        box.allow("killed by signal 9")
        self.server.answers["slow@example.org"] = b"200 ada@example.org\n"
        client = self.submit(box, "slow@example.org")
        self.server.wait_asked("slow", box.story)
        box.kill("cleanup")
        self.server.release()
        self.assertEqual(self.refusal(client)[0], 250)
        box.wait_empty()
        self.assertEqual(len(box.mails("ada")), 1)

    def test_the_client_goes_while_its_message_waits(self):
        box = self.box()
        self.server.answers["slow@example.org"] = b"200 ada@example.org\n"
        client = self.submit(box, "slow@example.org")
        self.server.wait_asked("slow", box.story)
        client.close()
        self.server.release()
        box.send("test@example.org")
        box.wait_mail("test")
        box.wait_empty()

    def test_a_reload_while_a_message_waits(self):
        box = self.box()
        self.server.answers["slow@example.org"] = b"200 ada@example.org\n"
        client = self.submit(box, "slow@example.org")
        self.server.wait_asked("slow", box.story)
        box.reload()
        self.server.release()
        self.assertEqual(self.refusal(client)[0], 250)
        box.wait_empty()
        self.assertEqual(len(box.mails("ada")), 1)


class Local(Far):
    def box(self, **settings):
        return self.system(local_recipient_maps="", alias_maps="%s" % self.server.place, **settings)

    def test_a_recipient_waits_alone_and_is_delivered(self):
        box = self.box()
        self.server.answers["slow"] = b"200 games\n"
        box.send("slow@example.org")
        self.server.wait_asked("slow", box.story)
        box.send(postroad.address("test"))
        box.wait_mail("test")
        self.assertEqual(box.mails("ada"), [])
        self.server.release()
        box.wait_mail("ada")
        box.wait_empty()

    def test_many_wait_and_others_are_delivered(self):
        box = self.box(default_destination_concurrency_limit="100", local_destination_concurrency_limit="100")
        self.server.answers.update({"slow%d" % n: b"200 games\n" for n in range(15)})
        for n in range(15):
            box.send("slow%d@example.org" % n)
        self.server.wait_asked("slow", box.story, 15)
        box.send(postroad.address("test"))
        box.wait_mail("test")
        self.server.release()
        box.wait_mail("ada", 15)

    def test_a_server_that_dies_puts_off(self):
        box = self.box()
        self.server.answers["slow"] = None
        box.send("slow@example.org")
        self.server.wait_asked("slow", box.story)
        self.server.release()
        box.wait_log(r"dsn=4.3.0, status=deferred \(alias database unavailable")
        box.send(postroad.address("test"))
        box.wait_mail("test")

    def test_local_dies_while_a_recipient_waits(self):
        box = self.box()
        box.allow("killed by signal 9")
        self.server.answers["slow"] = b"200 games\n"
        box.send("slow@example.org")
        self.server.wait_asked("slow", box.story)
        box.kill("local")
        self.server.release()
        box.wait_mail("ada")
        box.wait_empty()
        self.assertEqual(len(box.mails("ada")), 1)

    def test_an_owner_that_is_not_known_is_not_left_out(self):
        """Were it said "none", the list's bounces would go to who wrote."""
        box = self.box()
        self.server.answers.update({"list": b"200 daemon,%20x@example.net\n", "owner-list": None})
        box.send("list@example.org")
        box.wait_log(r"to=<list@example.org>.*status=deferred \(alias database unavailable")


class Forwarded(Far):
    """What local forwards and what bounce sends goes through cleanup, which may have to wait for a table."""

    def box(self, **settings):
        self.server.answers["slow@far.example"] = b"200 games@example.org\n"
        settings.setdefault("relayhost", self.sink().nexthop())
        settings.setdefault("alias_maps", "inline:{ { list = slow@far.example } { other = quick@far.example } }")
        return self.system(virtual_alias_maps=self.server.place, virtual_alias_domains="", local_recipient_maps="", **settings)

    def test_what_is_forwarded_waits_alone(self):
        box = self.box()
        box.send("list@example.org")
        self.server.wait_asked("slow", box.story)
        box.send("other@example.org")
        box.wait_log("to=<other@example.org>.*status=sent .forwarded as")
        box.send(postroad.address("test"))
        box.wait_mail("test")
        self.assertEqual(box.mails("ada"), [])
        self.server.release()
        box.wait_mail("ada")
        box.wait_empty()
        self.assertEqual(len(box.mails("ada")), 1)

    def test_more_than_are_under_way_at_a_time(self):
        box = self.box(local_destination_concurrency_limit="200", local_initial_destination_concurrency="200")
        for n in range(70):
            box.send("list@example.org")
        self.server.wait_asked("slow", box.story, 20)
        self.server.release()
        box.wait_mail("ada", 70)
        box.wait_empty()

    def test_cleanup_dies_while_it_has_what_is_forwarded(self):
        box = self.box()
        box.allow("killed by signal 9")
        box.send("list@example.org")
        self.server.wait_asked("slow", box.story)
        box.kill("cleanup")
        self.server.release()
        box.wait_mail("ada")
        box.wait_empty()
        self.assertEqual(len(box.mails("ada")), 1)

    def test_local_dies_while_cleanup_has_what_it_forwards(self):
        box = self.box()
        box.allow("killed by signal 9")
        box.send("list@example.org")
        self.server.wait_asked("slow", box.story)
        box.kill("local")
        self.server.release()
        box.wait_mail("ada")
        box.wait_empty()
        self.assertEqual(len(box.mails("ada")), 1)

    def test_a_notice_waits_alone(self):
        box = self.box(alias_maps="")
        box.send("unknown@example.org", sender="slow@far.example")
        self.server.wait_asked("slow", box.story)
        box.send("unknown@example.org", sender=postroad.address("test"))
        box.wait_mail("test")
        self.assertEqual(box.mails("ada"), [])
        self.server.release()
        box.wait_mail("ada")
        box.wait_empty()

    def test_bounce_dies_while_cleanup_has_its_notice(self):
        box = self.box(alias_maps="")
        box.allow("killed by signal 9")
        box.send("unknown@example.org", sender="slow@far.example")
        self.server.wait_asked("slow", box.story)
        box.kill("bounce")
        self.server.release()
        box.wait_mail("ada")
        box.wait_empty()
        self.assertEqual(len(box.mails("ada")), 1)


class Flush(Far):
    def test_a_site_waits_alone(self):
        far = self.sink()
        far.answers["RCPT"] = "450 4.2.0 away"
        box = self.system(relayhost=far.nexthop(), fast_flush_domains="away.example, " + self.server.place,
                          minimal_backoff_time="1h", maximal_backoff_time="1h")
        self.server.answers["slow.example"] = b"200 x\n"
        queue_id = box.send("bob@away.example")
        box.wait_log(queue_id + ": to=.*status=deferred")
        postroad.wait_until(lambda: os.path.exists(box.path("spool", "flush", "away.example")), "a list", box.story)
        with box.smtp() as late, box.smtp() as client:
            late.ehlo()
            late.send(b"ETRN slow.example\r\n")
            self.server.wait_asked("slow", box.story)
            client.ehlo()
            self.assertEqual(client.docmd("ETRN", "away.example"), (250, b"Queuing started"))
            self.server.release()
            self.assertEqual(late.getreply(), (250, b"Queuing started"))


class NotHere(Far):
    """Where mail would wait for a server none is asked: postroad check says so, and smtp goes on."""

    def test_check(self):
        for name in ("smtp_reply_filter", "smtp_header_checks", "smtp_dns_reply_filter", "smtpd_dns_reply_filter",
                     "smtp_connection_cache_destinations", "debug_peer_list", "postscreen_allowlist_interfaces"):
            with self.subTest(name):
                box = self.system(start=False, **{name: "inline:{x=y}, proxy:" + self.server.place})
                box.write_config()
                box.run("sendmail", "-bi", check=True)
                done = box.run("postroad", "check")
                self.assertExit(done, 1)
                self.assertIn("error: %s: proxy:%s: a table of a server is not used here" % (name, self.server.place),
                              done.stderr)

    def test_smtp_goes_on(self):
        far = self.sink()
        self.server.slow = ("",)
        box = self.system(relayhost=far.nexthop(), smtp_reply_filter=self.server.place,
                          smtp_connection_cache_destinations=self.server.place)
        box.allow("nothing here waits for a server")
        box.send("bob@far.example")
        far.wait(1)
        self.assertEqual(self.server.asked, [])
