"""A table whose server does not answer holds up who needs it, and nobody else."""
import select
import socket

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

    # What is asked of a session's tables where no check is under way.

    def test_lists_of_clients_hold_up_that_client_alone(self):
        """Before the greeting: limits, XCLIENT, traces, rewriting, bare newlines."""
        for parameter in ("smtpd_client_event_limit_exceptions", "smtpd_authorized_xclient_hosts", "debug_peer_list",
                          "local_header_rewrite_clients", "smtpd_forbid_bare_newline_exclusions"):
            with self.subTest(parameter):
                server = Server({"127.0.0.9": b"200 ok\n"}, slow=("127.0.0.9",))
                self.addCleanup(server.close)
                box = self.system(**{parameter: "permit_inet_interfaces, " + server.place}, smtpd_forbid_bare_newline="reject")
                line = socket.create_connection((box.address, box.smtp_port), source_address=("127.0.0.9", 0))
                self.addCleanup(line.close)
                server.wait_asked("127.0.0.9", box.story)
                with box.smtp() as smtp:
                    self.assertEqual(smtp.ehlo()[0], 250)
                self.assertEqual(select.select([line], [], [], 0)[0], [])
                server.release()
                self.assertEqual(line.recv(3), b"220")
                if parameter == "smtpd_authorized_xclient_hosts":
                    line.recv(1000)
                    line.sendall(b"EHLO x.example\r\n")
                    self.assertIn(b"XCLIENT", line.recv(1000))

    def test_keywords_of_a_client_hold_up_him_alone(self):
        server = Server({"127.0.0.9": b"200 chunking\n"}, slow=("127.0.0.9",))
        self.addCleanup(server.close)
        box = self.system(smtpd_discard_ehlo_keyword_address_maps=server.place)
        line = box.smtp(source_address=("127.0.0.9", 0))
        self.addCleanup(line.close)
        line.putcmd("EHLO", "x.example")
        server.wait_asked("127.0.0.9", box.story)
        with box.smtp() as smtp:
            self.assertIn(b"CHUNKING", smtp.ehlo()[1])
        self.waits(line)
        server.release()
        self.assertNotIn(b"CHUNKING", line.getreply()[1])

    def test_words_of_a_refusal_hold_up_its_client_alone(self):
        """And what he says meanwhile is answered behind it, in its order."""
        box = self.system(smtpd_reject_filter_maps="pipemap:{regexp:{ {/<slow@/ slow} }, %s}" % self.server.place,
                          smtpd_reject_footer_maps="pipemap:{regexp:{ {/^5/ slow-footer} }, %s}" % self.server.place)
        self.server.answers.update({"slow": b"200 550%205.1.1%20not%20slow\n", "slow-footer": b"200 call%20us\n"})
        line = box.smtp()
        self.addCleanup(line.close)
        line.ehlo()
        line.mail("a@example.net")
        line.send(b"RCPT TO:<slow@example.org>\r\nRCPT TO:<ada@example.org>\r\nNOOP\r\n")
        self.server.wait_asked("slow", box.story)
        with box.smtp() as smtp:
            smtp.mail("a@example.net")
            self.assertEqual(smtp.rcpt("ada@example.org")[0], 250)
        self.waits(line)
        self.server.release()
        self.assertEqual(line.getreply(), (550, b"5.1.1 not slow\n5.1.1 call us"))
        self.assertEqual([line.getreply()[0] for _ in range(2)], [250, 250])

    def test_a_refusal_that_ends_the_session_is_said(self):
        box = self.system(smtpd_reject_footer_maps=self.server.place, smtpd_hard_error_limit="1")
        self.server.slow = ("421",)
        line = box.smtp()
        self.addCleanup(line.close)
        self.assertEqual(line.docmd("nonsense")[0], 500)
        line.send(b"more\r\n")
        self.server.wait_asked("421", box.story)
        self.waits(line)
        self.server.release()
        self.assertEqual(line.getreply()[0], 421)

    def test_a_client_that_leaves_while_his_refusal_waits(self):
        box = self.system(smtpd_reject_footer_maps=self.server.place)
        self.server.slow = ("",)
        line = box.smtp()
        line.send(b"nonsense\r\n")
        self.server.wait_asked("", box.story)
        line.close()
        self.server.release()
        box.send("ada@example.org")
        box.wait_mail("ada")

    def test_a_command_that_is_replaced_holds_up_its_client_alone(self):
        box = self.system(smtpd_command_filter=self.server.place)
        self.server.answers["slow%20x"] = b"200 NOOP\n"
        line = box.smtp()
        self.addCleanup(line.close)
        line.send(b"slow x\r\n")
        self.server.wait_asked("slow", box.story)
        with box.smtp() as smtp:
            self.assertEqual(smtp.ehlo()[0], 250)
        self.waits(line)
        self.server.release()
        self.assertEqual(line.getreply()[0], 250)
        self.assertEqual(line.docmd("HELO x.example")[0], 250)

    def test_a_command_that_may_be_forbidden_holds_up_its_client_alone(self):
        box = self.system(smtpd_forbidden_commands=self.server.place)
        self.server.answers["SLOW"] = b"200 yes\n"
        self.server.slow = ("SLOW",)
        line = box.smtp()
        self.addCleanup(line.close)
        line.send(b"SLOW x\r\n")
        self.server.wait_asked("SLOW", box.story)
        with box.smtp() as smtp:
            self.assertEqual(smtp.ehlo()[0], 250)
        self.waits(line)
        self.server.release()
        self.assertEqual(line.getreply()[0], 221)

    def test_what_permits_is_told_when_the_table_has(self):
        box = self.system(smtpd_log_access_permit_actions=self.server.place, smtpd_relay_restrictions="permit_mynetworks, reject")
        self.server.answers["permit_mynetworks"] = b"200 yes\n"
        self.server.slow = ("permit",)
        line = self.hang_on(box, "permit")
        self.server.release()
        self.assertEqual(line.getreply()[0], 250)
        box.wait_log("permit: RCPT .*action=permit_mynetworks")

    def hang_on(self, box, part):
        line = box.smtp()
        self.addCleanup(line.close)
        line.helo()
        line.mail("a@example.net")
        line.putcmd("RCPT", "TO:<ada@example.org>")
        self.server.wait_asked(part, box.story)
        self.waits(line)
        return line
