"""canonical, masquerade, virtual, generic, relocated, sender_dependent_...: what becomes of addresses.

Each row was answered by Postfix; with BESIDE=1 it is asked again, which takes half a minute.
"""
import os
import re
import smtplib
import subprocess
import sys
import unittest

import postroad

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import peers  # noqa: E402

DAEMONS = ("smtpd", "cleanup", "trivial-rewrite", "smtp")
COMMON = {"myorigin": "example.org", "mydestination": "example.org", "alias_maps": "", "local_recipient_maps": "",
          "recipient_delimiter": "+", "smtpd_peername_lookup": "no", "mynetworks": "127.0.0.0/8",
          "local_header_rewrite_clients": "permit_mynetworks", "smtpd_banner": "$myhostname ESMTP",
          "virtual_alias_domains": "", "smtp_destination_recipient_limit": "50"}

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import CASES  # noqa: E402


def header_of(content):
    """The fields of a message that hold addresses, each on a line."""
    text = re.sub(r"\r?\n[ \t]+", " ", content.decode("utf-8", "replace").replace("\r\n", "\n").split("\n\n")[0])
    return [line for line in text.split("\n") if not re.match("(Received|(Resent-)?(Message-I[dD]|Date)|Subject):", line)]


class Party:
    """One of the two systems, whose mail goes to a sink."""

    def __init__(self, box, sink):
        self.box, self.sink = box, sink

    def settle(self, settings):
        values = {"relayhost": self.sink.nexthop(), **settings}
        if hasattr(self.box, "system"):
            system = self.box.system
            system.settings.update(values)
            system.write_config()
            old = {pid for name in DAEMONS for pid in system.processes(name)}
            system.run("postroad", "-c", system.config, "reload", check=True)
            postroad.wait_until(lambda: not old & set(system.processes()), "those of before are gone", system.log)
        else:
            subprocess.run(["postconf", "-c", self.box.etc, "-e"] + ["%s=%s" % pair for pair in values.items()], check=True)
            old = self.children()
            subprocess.run(["postfix", "-c", self.box.etc, "reload"], check=True, capture_output=True)
            postroad.wait_until(lambda: not old & self.children(), "those of before are gone", self.log)

    def children(self):
        """Of Postfix, those that know the settings."""
        listing = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(self.box.master)], capture_output=True, text=True, check=False)
        return {line for line in listing.stdout.split("\n") if line.split()[1:] and line.split()[1] in DAEMONS}

    def log(self):
        with open(self.box.directory + "/mail.log", errors="replace") as f:
            return f.read()

    def story(self, sender, recipients, header):
        """What the client hears that is no 250; the envelopes and headers that arrive; what is returned."""
        mark, before = len(self.log()), len(self.sink.messages)
        refused = []
        with smtplib.SMTP(self.box.address, self.box.port, timeout=postroad.PATIENCE,
                          local_hostname="client.example.net") as client:
            client.ehlo()
            refused += [client.mail(sender)]
            for recipient in recipients:
                refused += [client.rcpt(recipient)]
            taken = 250 in [code for code, _ in refused[1:]]
            if taken:
                refused += [client.data(("".join(line + "\r\n" for line in header) + "Subject: x\r\n\r\nx\r\n").encode())]
        found = ["%d %s" % (code, text.decode()) for code, text in refused if code != 250]
        queued = re.search(rb"queued as (\w+)", refused[-1][1])
        if queued:
            self.wait_gone(queued.group(1).decode(), mark)
        for sent_by, to, content in self.sink.messages[before:]:
            if "multipart/report" not in content.decode("utf-8", "replace"):
                found.append("%s -> %s" % (sent_by, " ".join(sorted(to))))
                found += header_of(content) if header else []
        found += ["waits: " + re.sub(r"connect to (\S+): .*", r"\1", text) for text in re.findall(r"status=deferred \((.*)\)", self.log()[mark:])]
        found += ["returned: " + text for text in re.findall(r"status=bounced \((.*)\)", self.log()[mark:])
                  if "host 127" not in text]
        return found

    def wait_gone(self, queue_id, mark):
        """Removed, with the notice that it left behind."""
        def gone():
            log = self.log()[mark:]
            ids = [queue_id] + re.findall(r"sender (?:non-)?delivery (?:status )?notification: (\w+)", log)
            return all(re.search("%s: (removed|hold|.*status=deferred)" % name, log) for name in ids)
        postroad.wait_until(gone, queue_id + " is gone", lambda: self.log()[mark:])


class BesidePostfix(postroad.Test):
    def run_cases(self, box):
        self.addCleanup(box.close)
        sink, names, differences = self.sink(), {}, []
        for settings, _ in CASES.values():
            names.update(dict.fromkeys(settings))
        party = Party(box, sink)
        usual = dict(re.findall(r"^(\S+) = ?(.*)$", subprocess.run(
            ["postconf", "-d"] + list(names), capture_output=True, text=True, check=False,
            env=box.environment).stdout, re.M)) if not hasattr(box, "system") else dict(re.findall(
                r"^(\S+) = ?(.*)$", box.system.run("postconf", "-d", *names).stdout, re.M))
        only = os.environ.get("ONLY", "")
        for title, (settings, rows) in CASES.items():
            if only not in title:
                continue
            party.settle({**usual, **COMMON, **settings})
            for sender, recipients, header, expected in rows:
                seen = party.story(sender, recipients.split(), header)
                if seen != expected:
                    differences.append("%s: <%s> to %s\n  seen   %r\n  wanted %r" % (title, sender, recipients, seen, expected))
        self.assertFalse(differences, "\n" + "\n".join(differences))

    def test_postroad(self):
        self.run_cases(peers.Postroad(**COMMON))

    @unittest.skipUnless(os.environ.get("BESIDE") and peers.Postfix.installed(), "BESIDE=1 asks Postfix, too")
    def test_postfix(self):
        self.run_cases(peers.Postfix(**COMMON))
