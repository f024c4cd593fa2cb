"""The PROXY protocol: the header says whose session it is, and nothing else is believed."""
import socket
import struct

import postroad


class Proxy(postroad.Test):
    def setUp(self):
        self.box = self.system(smtpd_upstream_proxy_protocol="haproxy", mynetworks="127.0.0.0/8",
                               smtpd_relay_restrictions="permit_mynetworks, reject_unauth_destination",
                               smtpd_client_restrictions="check_client_access inline:{ { 192.0.2.9 = REJECT bad } }")

    def heard(self, header, recipient="ada@example.org", pieces=1):
        """The reply to RCPT, or what came before the end of the connection."""
        with self.box.connect() as line, line.makefile("rb") as lines:
            size = max(1, len(header) // pieces)
            for at in range(0, len(header), size):
                line.sendall(header[at:at + size])
            said = lines.readline()
            for command in ("HELO x.example", "MAIL FROM:<a@example.net>", "RCPT TO:<%s>" % recipient):
                if not said.startswith(b"2"):
                    break
                line.sendall(command.encode() + b"\r\n")
                said = lines.readline()
            return said.decode().strip()

    def binary(self, client):
        return (b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", 12) + socket.inet_aton(client)
                + socket.inet_aton("192.0.2.25") + struct.pack(">HH", 4711, 25))

    def test_the_client_is_whom_the_header_names(self):
        refused = "554 5.7.1 <unknown[192.0.2.9]>: Client host rejected: bad"
        self.assertEqual(self.heard(b"PROXY TCP4 192.0.2.9 192.0.2.25 4711 25\r\n"), refused)
        self.assertEqual(self.heard(self.binary("192.0.2.9")), refused)
        self.assertEqual(self.heard(self.binary("192.0.2.9"), pieces=28), refused)
        self.assertEqual(self.heard(self.binary("192.0.2.1")), "250 2.1.5 Ok")
        self.box.wait_log(r"connect from unknown\[192\.0\.2\.1\]")

    def test_he_has_no_rights_of_the_balancer(self):
        self.assertIn("Relay access denied", self.heard(self.binary("192.0.2.1"), "x@far.example"))
        self.assertEqual(self.heard(b"PROXY UNKNOWN\r\n", "x@far.example"), "250 2.1.5 Ok")

    def test_without_a_header_nobody_is_served(self):
        self.assertEqual(self.heard(b"EHLO x.example\r\n"), "")
        self.box.wait_log("not a header of the PROXY protocol")

    def test_a_header_that_does_not_come(self):
        box = self.system(smtpd_upstream_proxy_protocol="haproxy", smtpd_upstream_proxy_timeout="1s")
        with box.connect() as line:
            line.settimeout(postroad.PATIENCE)
            self.assertIn(line.recv(1000)[:3], (b"", b"421"))
        box.wait_log(r"timeout after CONNECT from unknown\[127\.")
