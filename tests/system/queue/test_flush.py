"""Mail for a site that was away is tried when somebody says that it is back."""
import os

import postroad


class Flush(postroad.Test):
    def away(self, **main_cf):
        """A system with mail for two sites that are away."""
        self.far = self.sink()
        self.far.answers["RCPT"] = "450 4.2.0 away"
        settings = dict(relayhost=self.far.nexthop(), fast_flush_domains="away.example",
                        minimal_backoff_time="1h", maximal_backoff_time="1h")
        system = self.system(**dict(settings, **main_cf))
        self.first = system.send("bob@away.example", "eve@AWAY.example", "ann@sub.away.example")
        self.second = system.send("tom@other.example")
        for queue_id in (self.first, self.second):
            system.wait_log(queue_id + ": to=.*status=deferred")
        return system

    def listed(self, system, site, wanted=True):
        path = system.path("spool", "flush", site)
        postroad.wait_until(lambda: os.path.exists(path) == wanted, "flush/%s: %s" % (site, wanted),
                            lambda: os.listdir(system.path("spool", "flush")))

    def test_postqueue_s_wakes_the_mail_of_that_site(self):
        system = self.away()
        self.listed(system, "away.example")
        self.listed(system, "sub.away.example")
        del self.far.answers["RCPT"]
        system.run("postqueue", "-s", "away.example", check=True)
        self.far.wait(1)
        system.wait_log(self.first + ": removed")
        self.listed(system, "away.example", False)
        self.assertEqual(list(system.queue()), [self.second])

    def test_a_site_without_a_list_is_refused(self):
        system = self.away()
        done = system.run("postqueue", "-s", "other.example")
        self.assertEqual((done.returncode, done.stderr), (69, 'postqueue: fatal: Flush service is not configured '
                                                          'for destination "other.example"\n'))
        done = system.run("sendmail", "-qRother.example")
        self.assertEqual(done.returncode, 69)
        done = system.run("postqueue", "-s", "-x-")
        self.assertIn("invalid destination", done.stderr)
        self.assertEqual(done.returncode, 69)

    def test_etrn_wakes_it_too(self):
        system = self.away()
        self.listed(system, "away.example")
        del self.far.answers["RCPT"]
        with system.smtp() as client:
            client.ehlo()
            self.assertTrue(client.has_extn("etrn"))
            self.assertEqual(client.docmd("ETRN", "away.example"), (250, b"Queuing started"))
            self.assertEqual(client.docmd("ETRN", "other.example"),
                             (459, b"<other.example>: service unavailable"))
        self.far.wait(1)
        system.wait_log("reject: ETRN other.example... from ")

    def test_what_is_deferred_again_is_listed_again(self):
        system = self.away()
        self.listed(system, "away.example")
        system.run("postqueue", "-s", "away.example", check=True)
        postroad.wait_until(lambda: system.log().count(self.first + ": to=<bob@away.example>") == 2, "a second try",
                            system.log)
        self.listed(system, "away.example")

    def test_a_list_that_was_on_its_way_is_sent_again(self):
        system = self.away(relay_domains="away.example", fast_flush_domains="$relay_domains")
        self.listed(system, "away.example")
        system.stop()
        path = system.path("spool", "flush", "away.example")
        os.rename(path, path + "~")
        del self.far.answers["RCPT"]
        system.start()
        # flush answers when qmgr is there.
        postroad.wait_until(lambda: system.run("postqueue", "-s", "sub.away.example").returncode == 0, "a flush", system.log)
        self.far.wait(1)
        self.listed(system, "away.example~", False)

    def test_an_old_list_is_tried_unasked(self):
        system = self.away(fast_flush_refresh_time="1s")
        self.listed(system, "away.example")
        del self.far.answers["RCPT"]
        def asked():
            system.run("postkick", "public", "flush", "")
            return self.far.messages
        postroad.wait_until(asked, "a delivery", system.log)
