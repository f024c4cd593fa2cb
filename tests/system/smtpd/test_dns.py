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
"""
REVERSE = HEAD + "2 PTR client.test.\n3 PTR liar.test.\n"
NAMED = """options { directory "%s"; listen-on { 127.0.0.1; }; };
zone "test" { type master; file "test.zone"; };
zone "0.0.127.in-addr.arpa" { type master; file "reverse.zone"; };
"""
SETTINGS = {
    "smtpd_peername_lookup": "yes", "mynetworks": "192.0.2.0/24", "inet_interfaces": "127.0.0.1",
    "smtpd_relay_restrictions": "reject_unauth_destination",
    "smtpd_sender_restrictions": "reject_unknown_sender_domain",
}


def inside():
    """Lay out the DNS, start the system, ask; print what was heard."""
    box = postroad.System(settings=SETTINGS)
    for name, text in (("test.zone", ZONE), ("reverse.zone", REVERSE), ("named.conf", NAMED % box.directory),
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
        ask(box, "127.0.0.3", "good.test")
        ask(box, "127.0.0.4", "good.test")
        box.wait_log(r"disconnect from unknown\[127\.0\.0\.4\]")
        print(json.dumps({"heard": heard, "log": box.log()}))
    finally:
        named.kill()
        box.close()


def ask(box, source, domain):
    line = socket.create_connection((box.address, box.smtp_port), postroad.PATIENCE, (source, 0))
    with line, line.makefile("rb") as said:
        said.readline()
        for command in ("HELO x.example", "MAIL FROM:<a@%s>" % domain, "RCPT TO:<ada@example.org>"):
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

    def test_a_name_that_leads_back(self):
        self.assertRegex(self.seen["log"], r"connect from client\.test\[127\.0\.0\.2\]")

    def test_a_name_that_does_not(self):
        self.assertIn("hostname liar.test does not resolve to address 127.0.0.3", self.seen["log"])
        self.assertIn("connect from unknown[127.0.0.3]", self.seen["log"])

    def test_no_name(self):
        self.assertIn("connect from unknown[127.0.0.4]", self.seen["log"])


if __name__ == "__main__":
    inside()
