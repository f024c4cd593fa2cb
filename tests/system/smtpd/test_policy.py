"""Policy services: what they are asked, what they may answer, and that nobody waits for a slow one."""
import os
import smtplib
import socketserver
import threading

import postroad


class Service:
    """Answers by the sender's local part; keeps what it was asked."""

    answers = {"refuse": "REJECT by policy", "mark": "PREPEND X-Policy: seen", "code": "550 5.7.23 spf says no",
               "later": "DEFER_IF_PERMIT Greylisted", "hold": "HOLD by policy"}

    def __init__(self, path=None, once=False):
        self.asked = []
        self.connections = 0
        self.go = threading.Event()     # "slow" senders wait for this
        service = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self):
                service.connections += 1
                request = {}
                for line in self.rfile:
                    name, _, value = line.decode().rstrip("\n").partition("=")
                    if name:
                        request[name] = value
                        continue
                    service.asked.append(request)
                    user = request["sender"].split("@")[0]
                    if user == "slow":
                        service.go.wait(postroad.PATIENCE)
                    self.wfile.write(b"action=%s\n\n" % service.answers.get(user, "dunno").encode())
                    request = {}
                    if once:
                        return

        class Tcp(socketserver.ThreadingTCPServer):
            daemon_threads = True

        class Unix(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
        if path:
            self.server = Unix(path, Session)
            os.chmod(path, 0o666)
        else:
            self.server = Tcp((postroad.loopback_address(), 0), Session)
            self.endpoint = "inet:%s:%d" % self.server.server_address
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.go.set()
        self.server.shutdown()
        self.server.server_close()


class Policy(postroad.Test):
    def service(self, **options):
        service = Service(**options)
        self.addCleanup(service.close)
        return service

    def rcpt(self, box, sender, recipient="ada@example.org", client=None):
        with (client or box.smtp()) as smtp:
            smtp.ehlo()
            smtp.mail(sender + "@example.net")
            code, text = smtp.rcpt(recipient)
            return "%d %s" % (code, text.decode())

    def test_answers_over_tcp_on_one_connection(self):
        service = self.service()
        box = self.system(smtpd_recipient_restrictions="check_policy_service " + service.endpoint)
        self.assertEqual(self.rcpt(box, "refuse"),
                         "554 5.7.1 <ada@example.org>: Recipient address rejected: by policy")
        self.assertEqual(self.rcpt(box, "code"), "550 5.7.23 <ada@example.org>: Recipient address rejected: spf says no")
        self.assertEqual(self.rcpt(box, "later"), "450 4.7.1 <ada@example.org>: Recipient address rejected: Greylisted")
        self.assertEqual(self.rcpt(box, "anybody"), "250 2.1.5 Ok")
        self.assertEqual(service.connections, 1)

    def test_what_is_asked(self):
        service = self.service()
        check = "check_policy_service " + service.endpoint
        box = self.system(smtpd_recipient_restrictions=check, smtpd_data_restrictions=check,
                          smtpd_end_of_data_restrictions=check, smtpd_policy_service_policy_context="here")
        box.send("ada@example.org", sender="a=b@example.net", options=["SIZE=500"],
                 message="Subject: x\r\n\r\nbody\r\n")
        rcpt, data, end = service.asked
        wanted = {"request": "smtpd_access_policy", "protocol_state": "RCPT", "protocol_name": "ESMTP",
                  "client_address": "127.0.0.1", "client_name": "unknown", "reverse_client_name": "unknown",
                  "server_address": box.address, "server_port": str(box.smtp_port), "helo_name": "client.example.net",
                  "sender": "a=b@example.net", "recipient": "ada@example.org", "recipient_count": "0", "size": "500",
                  "queue_id": "", "policy_context": "here", "encryption_keysize": "0", "sasl_username": ""}
        self.assertEqual({name: rcpt.get(name) for name in wanted}, wanted)
        self.assertEqual(list(rcpt)[:5], ["request", "protocol_state", "protocol_name", "client_address", "client_name"])
        self.assertEqual([r["protocol_state"] for r in service.asked], ["RCPT", "DATA", "END-OF-MESSAGE"])
        self.assertEqual((data["recipient_count"], end["size"]), ("1", str(len("Subject: x\r\n\r\nbody\r\n"))))
        self.assertEqual(len({r["instance"] for r in service.asked}), 1)

    def test_actions_reach_the_message(self):
        service = self.service()
        box = self.system(smtpd_recipient_restrictions="check_policy_service " + service.endpoint)
        box.send("ada@example.org", "user@example.org", sender="mark@example.net")
        self.assertEqual(box.wait_mail("ada")[0].get_all("X-Policy"), ["seen"])

    @postroad.need_root
    def test_a_unix_socket_that_smtpd_cannot_see(self):
        """smtpd is in a chroot: proxymap connects for it."""
        box = self.system(start=False)
        os.makedirs(box.path("policy"))
        service = self.service(path=box.path("policy", "socket"))
        box.settings["smtpd_recipient_restrictions"] = "check_policy_service unix:" + box.path("policy", "socket")
        box.start()
        self.assertEqual(self.rcpt(box, "refuse"),
                         "554 5.7.1 <ada@example.org>: Recipient address rejected: by policy")
        self.assertEqual(len(service.asked), 1)

    def test_a_service_that_closes_after_each_answer(self):
        service = self.service(once=True)
        box = self.system(smtpd_recipient_restrictions="check_policy_service " + service.endpoint)
        for _ in range(5):
            self.assertEqual(self.rcpt(box, "refuse")[:3], "554")

    def test_more_than_one_answer_is_not_for_the_next_client(self):
        service = self.service()
        service.answers = dict(service.answers, twice="dunno\n\naction=REJECT what nobody asked")
        box = self.system(smtpd_recipient_restrictions="check_policy_service " + service.endpoint)
        for sender in "twice", "anybody", "twice", "anybody":
            self.assertEqual(self.rcpt(box, sender), "250 2.1.5 Ok")

    def test_a_service_that_is_down(self):
        box = self.system(smtpd_policy_service_retry_delay="1s", smtpd_policy_service_try_limit="1",
                          smtpd_recipient_restrictions="check_policy_service inet:127.0.0.1:1",
                          smtpd_restriction_classes="soft")
        self.assertEqual(self.rcpt(box, "a"), "451 4.3.5 <ada@example.org>: Recipient address rejected: "
                                              "Server configuration problem")
        box.wait_log("warning: problem talking to server inet:127.0.0.1:1: Connection refused")
        box.settings["smtpd_recipient_restrictions"] = \
            "check_policy_service { inet:127.0.0.1:1, default_action = DUNNO, try_limit = 1 }"
        box.reload()
        postroad.wait_until(lambda: self.rcpt(box, "a") == "250 2.1.5 Ok", "the default action")

    def test_a_slow_answer_holds_nobody_else(self):
        service = self.service()
        box = self.system(smtpd_recipient_restrictions="check_policy_service " + service.endpoint)
        with box.connect() as line:
            line.sendall(b"HELO x\r\n")
            lines = line.makefile("rb")
            lines.readline(), lines.readline()
            line.sendall(b"MAIL FROM:<slow@example.net>\r\n")
            lines.readline()
            line.sendall(b"RCPT TO:<ada@example.org>\r\n")
            postroad.wait_until(lambda: service.asked, "the question")
            for _ in range(3):
                self.assertEqual(self.rcpt(box, "anybody"), "250 2.1.5 Ok")
            service.go.set()
            self.assertEqual(lines.readline(), b"250 2.1.5 Ok\r\n")

    def test_a_client_that_leaves_while_the_service_thinks(self):
        service = self.service()
        box = self.system(smtpd_recipient_restrictions="check_policy_service " + service.endpoint)
        for _ in range(3):
            with box.connect() as line:
                line.sendall(b"HELO x\r\n")
                line.recv(100)
                line.sendall(b"MAIL FROM:<slow@example.net>\r\n")
                line.recv(100)
                line.sendall(b"RCPT TO:<ada@example.org>\r\n")
        service.go.set()
        self.assertEqual(self.rcpt(box, "refuse")[:3], "554")


class Actions(postroad.Test):
    """What access tables do to a message."""

    def send(self, action):
        box = self.system(smtpd_recipient_restrictions="check_sender_access inline:{ { x@example.net = %s } }" % action)
        return box, box.send("ada@example.org", sender="x@example.net")

    def test_redirect(self):
        box, _ = self.send("REDIRECT user@example.org")
        self.assertEqual(len(box.wait_mail("user")), 1)
        self.assertEqual(box.mails("ada"), [])
        box.wait_log("NOQUEUE: redirect: RCPT from unknown.*<x@example.net>: Sender address triggers REDIRECT user@")

    def test_copy(self):
        box, _ = self.send("BCC user@example.org")
        self.assertEqual((len(box.wait_mail("user")), len(box.wait_mail("ada"))), (1, 1))

    def test_prepend(self):
        box, _ = self.send("PREPEND X-Checked: yes")
        self.assertEqual(box.wait_mail("ada")[0]["X-Checked"], "yes")

    def test_hold(self):
        box, queue_id = self.send("HOLD for a look")
        postroad.wait_until(lambda: box.queue().get(queue_id, "  ")[0] == "!", "a message on hold", box.queue)

    def test_discard(self):
        box, queue_id = self.send("DISCARD")
        box.wait_log("NOQUEUE: discard: RCPT from unknown.*triggers DISCARD action")
        box.wait_empty()
        self.assertEqual(box.mails("ada"), [])

    def test_what_permits_is_told(self):
        box = self.system(smtpd_log_access_permit_actions="permit_mynetworks, OK",
                          smtpd_sender_restrictions="check_sender_access inline:{ { x@example.net = OK } }")
        box.send("ada@example.org", sender="x@example.net")
        box.wait_log("NOQUEUE: permit: RCPT from unknown.*: action=OK for Sender address=x@example.net from inline:.*; from=")
        box.wait_log("NOQUEUE: permit: RCPT from unknown.*: action=permit_mynetworks for Client host=unknown.127.0.0.1. ;")
