"""A table whose server does not answer holds up who needs it, and nobody else."""
import select

import postroad
from tableserver import Server


class Slow(postroad.Test):
    def system(self, **settings):
        box = super().system(**settings)
        box.allow("killed by signal 9")
        return box

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)

    def hang(self, box, sender, recipient):
        """A client whose RCPT waits."""
        client = box.smtp()
        self.addCleanup(client.close)
        client.helo()
        client.mail(sender)
        asked = len(self.server.asked)
        client.putcmd("RCPT", "TO:<%s>" % recipient)
        postroad.wait_until(lambda: any("slow" in key for key in self.server.asked[asked:]), "a question", box.story)
        return client

    def waits(self, client):
        self.assertEqual(select.select([client.sock], [], [], 0)[0], [])

    def test_a_check_waits_alone(self):
        box = self.system(smtpd_sender_restrictions="check_sender_access pipemap:{%s}, check_sender_access %s"
                          % (self.server.place, self.server.place))
        line = self.hang(box, "slow@example.net", "ada@example.org")
        for sender, wanted in (("a@example.net", 250), ("dead@example.net", 554)) * 5:
            with box.smtp() as smtp:
                smtp.mail(sender)
                self.assertEqual(smtp.rcpt("ada@example.org")[0], wanted)
        self.waits(line)

    def test_a_route_waits_alone(self):
        box = self.system(transport_maps=self.server.place, virtual_alias_domains="v.example",
                          virtual_alias_maps="inline:{ { ann@v.example = ada@example.org } }")
        line = self.hang(box, "a@example.net", "x@slow.example")
        for recipient in ("ann@v.example", "x@quick.example", "ada@example.org"):
            with box.smtp() as smtp:
                smtp.mail("a@example.net")
                self.assertEqual(smtp.rcpt(recipient)[0], 250)
        box.send("ann@v.example")
        box.wait_mail("ada")
        self.waits(line)

    def test_who_answers_is_asked_by_many_at_once(self):
        box = self.system(smtpd_sender_restrictions="check_sender_access " + self.server.place)
        lines = [self.hang(box, "slow%d@example.net" % n, "ada@example.org") for n in range(19)]
        with box.smtp() as smtp:
            smtp.mail("a@example.net")
            self.assertEqual(smtp.rcpt("ada@example.org")[0], 250)
        self.waits(lines[-1])

    def test_proxymap_dies_while_somebody_waits(self):
        box = self.system(smtpd_sender_restrictions="check_sender_access " + self.server.place, transport_maps=self.server.place)
        waiting = [self.hang(box, "slow@example.net", "ada@example.org"), self.hang(box, "a@example.net", "x@slow.example")]
        box.kill("proxymap")
        # A check that was not made is 451; a route that was not found, too.
        self.assertEqual([client.getreply()[0] for client in waiting], [451, 451])
        with box.smtp() as smtp:
            smtp.mail("dead@example.net")
            self.assertEqual(smtp.rcpt("ada@example.org")[0], 554)

    def test_trivial_rewrite_dies_while_a_route_waits(self):
        box = self.system(transport_maps=self.server.place)
        client = self.hang(box, "a@example.net", "x@slow.example")
        box.kill("trivial-rewrite")
        self.assertIn(client.getreply()[0], (250, 451))
        box.send("ada@example.org")
        box.wait_mail("ada")
