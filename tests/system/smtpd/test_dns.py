"""What smtpd asks the DNS: the client's name, and whether domains take mail. Our own server answers.

The test runs itself again in namespaces of its own, where resolv.conf names named-lite."""
import json
import os
import socket
import subprocess
import sys
import unittest

import postroad

HEAD = "$TTL 60\n@ SOA ns.test. host.test. 1 60 60 60 60\n@ NS ns.test.\n"
ZONE = HEAD + """ns A 127.0.0.1
good MX 10 mx.good.test.
client A 127.0.0.2
liar A 192.0.2.1
null MX 0 .
address A 192.0.2.2
text TXT "no mail here"
mx.good A 192.0.2.7
ours MX 5 mx.good.test.
ours MX 10 backup.test.
backup A 127.0.0.1
"""
# 4: refuses to answer; 5: both; 6: an address that no list gives.
LIST = HEAD + """2.0.0.127 A 127.0.0.2
2.0.0.127 TXT "see http://list.example/"
3.0.0.127 A 127.0.0.10
4.0.0.127 A 127.255.255.254
5.0.0.127 A 127.255.255.255
5.0.0.127 A 127.0.0.2
6.0.0.127 A 192.0.2.1
good.test A 127.0.0.2
"""
REVERSE = HEAD + "2 PTR client.test.\n3 PTR liar.test.\n"
NAMED = """options { directory "%s"; listen-on { 127.0.0.1; }; };
zone "test" { type master; file "test.zone"; };
zone "list" { type master; file "list.zone"; };
zone "0.0.127.in-addr.arpa" { type master; file "reverse.zone"; };
"""
CLASSES = {
    "rbl": "reject_rbl_client list",
    "some": "reject_rbl_client list=127.0.0.[3;9..11]",
    "allow": "permit_dnswl_client list=127.0.0.2, reject",
    "rhsbl": "reject_rhsbl_sender list",
    "mx": "check_sender_mx_access inline:{ { 192.0.2.7 = REJECT bad exchanger } }",
    "ns": "check_sender_ns_access inline:{ { ns.test = REJECT bad server } }",
    "open": "check_sender_mx_access inline:{ { mx.good.test = OK } }",
    "unknown": "reject_unknown_helo_hostname",
    "unseen": "reject_unknown_client_hostname",
}
# (source, HELO name, sender's domain, recipient)
CASES = [
    ("127.0.0.2", "rbl", "good.test"), ("127.0.0.3", "rbl", "good.test"), ("127.0.0.4", "rbl", "good.test"),
    ("127.0.0.4", "rbl", "good.test"), ("127.0.0.5", "rbl", "good.test"), ("127.0.0.6", "rbl", "good.test"),
    ("127.0.0.7", "rbl", "good.test"), ("127.0.0.2", "some", "good.test"), ("127.0.0.3", "some", "good.test"),
    ("127.0.0.2", "allow", "good.test"), ("127.0.0.3", "allow", "good.test"), ("127.0.0.9", "rhsbl", "good.test"),
    ("127.0.0.9", "rhsbl", "address.test"), ("127.0.0.9", "mx", "good.test"), ("127.0.0.9", "mx", "address.test"),
    ("127.0.0.9", "ns", "address.test"), ("127.0.0.9", "open", "good.test"), ("127.0.0.9", "unknown", "good.test"),
    ("127.0.0.2", "unseen", "good.test"), ("127.0.0.3", "unseen", "good.test"),
    ("127.0.0.9", "x", "good.test", "x@ours.test"), ("127.0.0.9", "x", "good.test", "x@good.test"),
]
SETTINGS = {
    "smtpd_peername_lookup": "yes", "mynetworks": "192.0.2.0/24", "inet_interfaces": "127.0.0.1",
    "smtpd_relay_restrictions": "permit_mx_backup, reject_unauth_destination",
    "smtpd_sender_restrictions": "reject_unknown_sender_domain",
    # The HELO name says which checks a client asks for.
    "smtpd_restriction_classes": ", ".join(CLASSES),
    "smtpd_helo_restrictions": "check_helo_access inline:{ %s }" % ", ".join("{ %s = %s }" % (c, c) for c in CLASSES),
    **CLASSES,
}


def inside():
    """Lay out the DNS, start the system, ask; print what was heard."""
    box = postroad.System(settings=SETTINGS)
    for name, text in (("test.zone", ZONE), ("reverse.zone", REVERSE), ("list.zone", LIST), ("named.conf", NAMED % box.directory),
                       ("resolv.conf", "nameserver 127.0.0.1\n")):
        postroad.write(box.path(name), text)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--bind", box.path("resolv.conf"), "/etc/resolv.conf"], check=True)
    named = subprocess.Popen([postroad.BUILD + "/libexec/named-lite", "-g", "-4", "-c", box.path("named.conf")],
                             stderr=subprocess.PIPE, text=True)
    for line in named.stderr:
        if line.rstrip().endswith("running"):
            break
    try:
        box.start()
        heard = {d: ask(box, "127.0.0.2", d) for d in ("good.test", "null.test", "address.test", "text.test",
                                                       "nowhere.test")}
        cases = [ask(box, case[0], case[2], case[1], *case[3:]) for case in CASES]
        ask(box, "127.0.0.3", "good.test")
        ask(box, "127.0.0.4", "good.test")
        box.wait_log(r"disconnect from unknown\[127\.0\.0\.4\]")
        print(json.dumps({"heard": heard, "cases": cases, "log": box.log()}))
    finally:
        named.kill()
        box.close()


def ask(box, source, domain, helo="x.example", recipient="ada@example.org"):
    line = socket.create_connection((box.address, box.smtp_port), postroad.PATIENCE, (source, 0))
    with line, line.makefile("rb") as said:
        said.readline()
        for command in ("HELO " + helo, "MAIL FROM:<a@%s>" % domain, "RCPT TO:<%s>" % recipient):
            line.sendall(command.encode() + b"\r\n")
            reply = said.readline().decode().rstrip()
        return reply


@postroad.need_root
@postroad.need_program("unshare", "ip", "mount")
class Dns(postroad.Test):
    @classmethod
    def setUpClass(cls):
        if subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True).returncode:
            raise unittest.SkipTest("needs namespaces")
        done = subprocess.run(["unshare", "-n", "-m", sys.executable, __file__], capture_output=True, text=True,
                              timeout=postroad.PATIENCE * 4,
                              env=dict(os.environ, PYTHONPATH=os.path.dirname(postroad.__file__)))
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        cls.seen = json.loads(done.stdout.splitlines()[-1])

    def test_domains_of_senders(self):
        self.assertEqual(self.seen["heard"], {
            "good.test": "250 2.1.5 Ok",
            "address.test": "250 2.1.5 Ok",
            "null.test": "550 5.7.27 <a@null.test>: Sender address rejected: "
                         "Domain null.test does not accept mail (nullMX)",
            "text.test": "450 4.1.8 <a@text.test>: Sender address rejected: Domain not found",
            "nowhere.test": "450 4.1.8 <a@nowhere.test>: Sender address rejected: Domain not found",
        })

    def heard(self, source, helo, domain="good.test", recipient=()):
        case = (source, helo, domain) + ((recipient,) if recipient else ())
        return self.seen["cases"][CASES.index(case)]

    def test_block_lists(self):
        refused = "554 5.7.1 Service unavailable; Client host [%s] blocked using list%s"
        self.assertEqual(self.heard("127.0.0.2", "rbl"), refused % ("127.0.0.2", "; see http://list.example/"))
        self.assertEqual(self.heard("127.0.0.3", "rbl"), refused % ("127.0.0.3", ""))
        self.assertEqual(self.heard("127.0.0.7", "rbl"), "250 2.1.5 Ok")
        self.assertEqual(self.heard("127.0.0.2", "some"), "250 2.1.5 Ok")
        self.assertEqual(self.heard("127.0.0.3", "some"), refused % ("127.0.0.3", ""))
        self.assertEqual(self.heard("127.0.0.9", "rhsbl"),
                         "554 5.7.1 Service unavailable; Sender address [a@good.test] blocked using list")
        self.assertEqual(self.heard("127.0.0.9", "rhsbl", "address.test"), "250 2.1.5 Ok")

    def test_a_list_that_refuses_to_answer_refuses_nobody(self):
        self.assertEqual(self.heard("127.0.0.4", "rbl"), "250 2.1.5 Ok")
        self.assertEqual(self.heard("127.0.0.6", "rbl"), "250 2.1.5 Ok")
        self.assertEqual(self.heard("127.0.0.5", "rbl")[:3], "554")     # the other answer counts
        self.assertEqual(self.seen["log"].count("DNS list list: 127.255.255.254: the list does not answer public"), 1)

    def test_allow_lists(self):
        self.assertEqual(self.heard("127.0.0.2", "allow"), "250 2.1.5 Ok")
        self.assertEqual(self.heard("127.0.0.3", "allow"), "554 5.7.1 <allow>: Helo command rejected: Access denied")

    def test_servers_of_a_domain(self):
        self.assertEqual(self.heard("127.0.0.9", "mx"),
                         "554 5.7.1 <a@good.test>: Sender address rejected: bad exchanger")
        self.assertEqual(self.heard("127.0.0.9", "mx", "address.test"), "250 2.1.5 Ok")
        self.assertEqual(self.heard("127.0.0.9", "ns", "address.test"),
                         "554 5.7.1 <a@address.test>: Sender address rejected: bad server")
        self.assertEqual(self.heard("127.0.0.9", "open"), "451 4.3.5 Server configuration error")

    def test_names_of_clients(self):
        self.assertEqual(self.heard("127.0.0.2", "unseen"), "250 2.1.5 Ok")
        self.assertEqual(self.heard("127.0.0.3", "unseen"),
                         "450 4.7.25 Client host rejected: cannot find your hostname, [127.0.0.3]")
        self.assertRegex(self.heard("127.0.0.9", "unknown"), "450 4.7.1 <unknown>: Helo command rejected: Host not found")

    def test_backup_of_a_domain(self):
        self.assertEqual(self.heard("127.0.0.9", "x", recipient="x@ours.test"), "250 2.1.5 Ok")
        self.assertEqual(self.heard("127.0.0.9", "x", recipient="x@good.test")[:3], "554")

    def test_a_name_that_leads_back(self):
        self.assertRegex(self.seen["log"], r"connect from client\.test\[127\.0\.0\.2\]")

    def test_a_name_that_does_not(self):
        self.assertIn("hostname liar.test does not resolve to address 127.0.0.3", self.seen["log"])
        self.assertIn("connect from unknown[127.0.0.3]", self.seen["log"])

    def test_no_name(self):
        self.assertIn("connect from unknown[127.0.0.4]", self.seen["log"])


if __name__ == "__main__":
    inside()
