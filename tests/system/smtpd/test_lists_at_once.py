"""Lists in the DNS that stand one behind the other are asked at once; their answers count in the order of the lists."""
import os
import re
import socket
import subprocess
import sys
import threading
import unittest

import postroad

LISTS = ["a.list", "b.list", "c.list", "d.list"]
SETTINGS = {
    "inet_interfaces": "127.0.0.1", "mynetworks": "192.0.2.0/24", "smtpd_peername_lookup": "no", "smtpd_delay_reject": "yes",
    "smtpd_client_restrictions": ", ".join("reject_rbl_client " + name for name in LISTS[:2]) +
                                 ", reject_rhsbl_helo c.list, permit_dnswl_client d.list",
}


class Lists(threading.Thread):
    """A DNS server that answers nothing before it was asked for all four lists: who asks them in turn waits in vain."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.waiting = {}

    def run(self):
        while True:
            question, client = self.socket.recvfrom(512)
            name, at = [], 12
            while question[at]:
                name.append(question[at + 1:at + 1 + question[at]].decode())
                at += 1 + question[at]
            self.waiting[".".join(name[-2:]), question[at + 2]] = question, at + 5, client
            if {n for n, kind in self.waiting if kind == 1} >= set(LISTS):
                for (domain, kind), (question, end, client) in self.waiting.items():
                    self.answer(domain if kind == 1 else "", question, end, client)

    def answer(self, domain, question, end, client):
        """b.list and c.list list everybody; the others nobody."""
        found = domain in ("b.list", "c.list")
        head = question[:2] + (b"\x81\x80" if found else b"\x81\x83") + b"\0\1" + (b"\0\1" if found else b"\0\0") + b"\0" * 4
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x0a\0\4\x7f\0\0\2" if found else b""
        self.socket.sendto(head + question[12:end] + record, client)


def inside():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    box = postroad.System(settings=SETTINGS)
    postroad.write(box.path("resolv.conf"), "nameserver 127.0.0.1\n")
    subprocess.run(["mount", "--bind", box.path("resolv.conf"), "/etc/resolv.conf"], check=True)
    Lists().start()
    try:
        box.start()
        with box.connect() as line, line.makefile("rb") as said:
            line.settimeout(postroad.PATIENCE)
            said.readline()
            for command in ("HELO x.example", "MAIL FROM:<a@good.test>", "RCPT TO:<ada@example.org>"):
                line.sendall(command.encode() + b"\r\n")
                reply = said.readline().decode().rstrip()
            print(reply)
    finally:
        box.close()


@postroad.need_root
@postroad.need_program("unshare", "ip", "mount")
class ListsAtOnce(unittest.TestCase):
    def test_all_are_asked_before_the_first_answers(self):
        if subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True).returncode:
            self.skipTest("needs namespaces")
        done = subprocess.run(["unshare", "-n", "-m", sys.executable, __file__], capture_output=True, text=True,
                              timeout=postroad.PATIENCE * 4,
                              env=dict(os.environ, PYTHONPATH=os.path.dirname(postroad.__file__)))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, re.escape("554 5.7.1 Service unavailable; Client host [127.0.0.1] blocked using b.list"))


if __name__ == "__main__":
    inside()
