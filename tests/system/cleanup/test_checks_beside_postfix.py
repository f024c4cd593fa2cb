"""header_checks, body_checks, MIME parts and strict_...: the same messages through postroad and Postfix.

What the client hears, what cleanup logs, and what lies in the mailbox must be the same. Without Postfix
what it did is taken from the rows of test_checks.py, which stand for themselves.
"""
import os
import re
import sys
import unittest

import postroad

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import peers  # noqa: E402

HEADER = r"""
/^Subject: reject$/	REJECT
/^Subject: reject (.*)/	REJECT no $1 here
/^Subject: later/	REJECT 4.7.9 come again
/^Subject: status/	REJECT 5.7.9 not this
/^Subject: good/	REJECT 2.0.0 what
/^X-Drop:/	IGNORE
/^X-Strip:/	STRIP gone
/^X-Note:/	WARN noted
/^X-Noted: long/	INFO
/^X-Old: (.*)/	REPLACE X-New: $1
/^X-Bad:/	REPLACE no field
/^X-None:/	REPLACE
/^X-Before:/	PREPEND X-Prepended: yes
/^X-Before2:/	PREPEND none
/^X-Fold:.*second/	WARN folded
/^X-From:/	REPLACE From: x@replaced.example
/^X-Unknown:/	FROBNICATE this
/^X-Filter:/	FILTER nothing
/^X-Redirect:/	REDIRECT nobody
/^X-Elsewhere:/	REDIRECT daemon@example.org
/^X-Copy:/	BCC daemon@example.org
/^X-NoCopy:/	BCC nobody
/^X-Ok:/	OK
/^X-Dunno:/	DUNNO
/^Content-Type:.*name=.*\.exe/	REJECT no programs
/^X-Discard:/	DISCARD away with it
/^X-Hold:/	HOLD wait
/^Received: .*drop-me/	IGNORE
""".lstrip()

BODY = r"""
/^bad$/	REJECT
/^bad (.*)/	REJECT no $1
/^away/	IGNORE
/^strip/	STRIP
/^old (.*)/	REPLACE new $1
/^before/	PREPEND it comes
/^note/	WARN
/^--/	INFO boundary
/^Subject: nested/	WARN nested as body
/LONG$/	WARN end of a long line
""".lstrip()

NESTED = "/^Subject: nested/	WARN nested header\n/^X-In:/	IGNORE\n/^Content-Type: text/	WARN never\n"
MIME = "/^Content-Type: .*exe/	REJECT\n/^Content-Type:/	WARN a type\n/^X-Part:/	REPLACE X-Part: new\n/^Mime-Version/	WARN a version\n/^Content-Id/	INFO\n"


def multipart(*parts, boundary="cut", end="--cut--\r\n", header=""):
    return ("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=%s\r\n%s\r\npreamble\r\n" % (boundary, header)
            + "".join("--cut\r\n" + part + "\r\n" for part in parts) + end + "epilogue\r\n")


MESSAGES = {
    "nothing": "Subject: x\r\n\r\nhello\r\n",
    "no body": "Subject: x\r\n",
    "empty body": "Subject: x\r\n\r\n",
    "body at once": "hello\r\nold friend\r\n",
    "not a header": "Subject: x\r\nold friend\r\n\r\naway\r\nhello\r\n",
    "reject": "Subject: reject\r\n\r\nx\r\n",
    "reject with text": "Subject: reject spam\r\n\r\nx\r\n",
    "reject for now": "Subject: later\r\n\r\nx\r\n",
    "reject with status": "Subject: status\r\n\r\nx\r\n",
    "reject with a good status": "Subject: good\r\n\r\nx\r\n",
    "drop": "X-Drop: 1\r\n 2\r\nSubject: x\r\nX-Strip: y\r\n\r\nx\r\n",
    "only dropped": "X-Drop: 1\r\n\r\nx\r\n",
    "warn": "X-Note: a\tb\r\nX-Noted: long\r\n\r\nx\r\n",
    "replace": "X-Old: this\r\nX-Bad: x\r\nX-None: y\r\n\r\nx\r\n",
    "replace folded": "X-Old: this\r\n and that\r\n\r\nx\r\n",
    "prepend": "Subject: x\r\nX-Before: a\r\nX-Before2: b\r\n\r\nx\r\n",
    "fold": "X-Fold: first\r\n\tsecond\r\n\r\nx\r\n",
    "unknown": "X-Unknown: a\r\nX-Filter: b\r\nX-Redirect: c\r\nX-NoCopy: d\r\nX-Ok: e\r\nX-Dunno: f\r\n\r\nx\r\n",
    "redirect": "X-Elsewhere: a\r\n\r\nx\r\n",
    "copy": "X-Copy: a\r\n\r\nx\r\n",
    "discard": "X-Discard: a\r\nSubject: reject\r\n\r\nx\r\n",
    "hold": "X-Hold: a\r\nX-Hold: b\r\n\r\nx\r\n",
    "received": "Received: from drop-me\r\n\tby x; y\r\nSubject: x\r\n\r\nx\r\n",
    "reject after warn": "X-Note: a\r\nSubject: reject\r\nX-Note: b\r\n\r\nbad\r\n",
    "body rejected": "Subject: x\r\n\r\nhello\r\nbad\r\nbad too\r\n",
    "body rejected with text": "Subject: x\r\n\r\nbad words\r\n",
    "body changed": "Subject: x\r\n\r\naway\r\nold friend\r\nbefore\r\nstrip me\r\nnote\r\nlast\r\n",
    "all away": "Subject: x\r\n\r\naway\r\naway 2\r\n",
    "first and last": "Subject: x\r\n\r\nbefore\r\nx\r\nbefore\r\n",
    "long lines": "Subject: x\r\n\r\n" + "y" * 3000 + "LONG\r\n" + "z" * 2044 + "LONG\r\nx\r\n",
    "large": "Subject: x\r\n\r\n" + "old line\r\n" * 10 + ("a" * 70 + "\r\n") * 2000 + "old line\r\naway\r\n",
    "parts": multipart("Content-Type: text/plain\r\n\r\nold friend\r\n", "Subject: reject\r\nX-Part: a\r\n\r\naway\r\n"),
    "program": multipart("Content-Type: application/octet-stream;\r\n name=x.exe\r\n\r\nx\r\n"),
    "parts of a large message": multipart("\r\n" + ("a" * 70 + "\r\n") * 2000, "X-Drop: y\r\n\r\nold friend\r\naway\r\n"),
    "part limits": multipart("\r\n" + ("a" * 70 + "\r\n") * 800 + "old line\r\n", "\r\nold friend\r\n"),
    "nested": multipart("Content-Type: message/rfc822\r\n\r\nSubject: nested\r\nX-In: a\r\nContent-Id: <x>\r\n\r\nold friend\r\n"),
    "message": "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\nSubject: nested\r\nX-In: a\r\n\r\naway\r\n",
    "digest": "Content-Type: multipart/digest; boundary=\"cut\"\r\n\r\n--cut\r\n\r\nSubject: nested\r\n\r\nold x\r\n--cut\r\n\r\nSubject: nested 2\r\n\r\n--cut--\r\n",
    "multipart within": multipart("Content-Type: multipart/alternative; boundary=in\r\n\r\n--in\r\nX-Part: b\r\n\r\nold 1\r\n--in--\r\nold 2\r\n"),
    "unclosed": multipart("Content-Type: multipart/alternative; boundary=in\r\n\r\n--in\r\nX-Part: b\r\n\r\nold 1\r\n", "X-Part: c\r\n\r\nx\r\n"),
    "no boundary": "Content-Type: multipart/mixed\r\n\r\n--cut\r\nX-Part: a\r\n\r\nold 1\r\n",
    "quoted boundary": "Content-Type: multipart/mixed; x=y; boundary=\"c u;t\" (no)\r\n\r\n--c u;t\r\nX-Part: a\r\n\r\nold 1\r\n--c u;t--\r\n",
    "comment": "Content-Type: (a) multipart (b) / (c) mixed ; (d) boundary (e) = (f) cut\r\n\r\n--cut\r\nX-Part: a\r\n\r\n--cut--\r\n",
    "header ends early": multipart("X-Part: a\r\nold 1\r\n\r\nold 2\r\n"),
    "delivery status": multipart("Content-Type: message/delivery-status\r\n\r\nX-In: a\r\n\r\nX-In: b\r\n"),
    "external": multipart("Content-Type: message/external-body\r\n\r\nX-In: a\r\n\r\nold b\r\n"),
    "partial": multipart("Content-Type: message/partial\r\n\r\nX-In: a\r\n\r\nold b\r\n"),
    "encoded multipart": multipart("\r\nx\r\n", header="Content-Transfer-Encoding: base64\r\n"),
    "8 bits in the header": "Subject: gr\u00fcn\r\n\r\nx\r\n",
    "8 bits in the body": "Subject: x\r\n\r\nx\r\ngr\u00fcn\r\n",
    "8 bits announced": "Subject: x\r\nContent-Transfer-Encoding: 8bit\r\n\r\ngr\u00fcn\r\n",
    "8 bits in one part": multipart("Content-Transfer-Encoding: 8bit\r\n\r\ngr\u00fcn\r\n", "\r\ngr\u00fcn again\r\n"),
    "8 bits in the header of a part": multipart("X-Part: gr\u00fcn\r\n\r\nx\r\n"),
    "deep": "Content-Type: multipart/mixed; boundary=cut\r\n\r\n"
            + "".join("--cut%s\r\nContent-Type: multipart/mixed; boundary=cut%d\r\n\r\n" % (i or "", i + 1) for i in range(7)),
}

CHECKS = {"header_checks": "regexp:%s/header", "body_checks": "regexp:%s/body"}
ALL = dict(CHECKS, mime_header_checks="regexp:%s/mime", nested_header_checks="regexp:%s/nested")
SETTINGS = {
    "plain": CHECKS,
    "all": ALL,
    "no parts": dict(ALL, disable_mime_input_processing="yes"),
    "short": dict(ALL, body_checks_size_limit="20", mime_nesting_limit="5", mime_boundary_length_limit="1"),
    "strict": {"strict_8bitmime": "yes", "strict_mime_encoding_domain": "yes"},
    "strict bodies": {"strict_8bitmime_body": "yes"},
    "strict headers": {"strict_7bit_headers": "yes"},
    "no checks": dict(CHECKS, receive_override_options="no_header_body_checks"),
}
COMMON = {"myorigin": "example.org", "mydestination": "example.org", "alias_maps": "", "local_recipient_maps": "",
          "smtpd_peername_lookup": "no", "mynetworks": "192.0.2.0/24", "local_header_rewrite_clients": "permit_mynetworks", "smtpd_banner": "$myhostname ESMTP"}


KEPT = {
    # (the message, what): why
    ("short: deep", "logged"): "what is behind the level that is one too many is read, too",
}


class Party:
    """One of the two systems, and what it did with each message."""
    def __init__(self, box, directory, mail, address, port, log):
        self.box, self.directory, self.mail, self.address, self.port, self.log = box, directory, mail, address, port, log

    def hear(self, content):
        import smtplib
        client = smtplib.SMTP(self.address, self.port, timeout=postroad.PATIENCE, local_hostname="client.example.net")
        client.ehlo()
        client.mail("sender@example.net")
        client.rcpt("games@example.org")
        code, text = client.data(content.encode())
        client.close()
        queue_id = re.search(rb"queued as (\w+)", text)
        return "%d %s" % (code, re.sub(r"queued as \w+", "queued as ID", text.decode())), queue_id and queue_id.group(1).decode()

    def read(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def lines(self, mark):
        """What cleanup said since, without its numbers and paths."""
        found = []
        for line in self.read()[mark:].splitlines():
            said = re.search(r"/cleanup\[\d+\]: (.*)", line)
            if said and "message-id=" not in said.group(1):
                text = re.sub(r"^[0-9A-F]{8,}", "ID", said.group(1)).replace(self.directory, "DIR")
                found.append(re.sub(r"from \S*\[127[\d.]+\]", "from CLIENT", text))
        return found

    def story(self, content):
        mark = len(self.read())
        heard, queue_id = self.hear(content)
        if not queue_id:
            postroad.wait_until(lambda: re.search("reject: ", self.read()[mark:]), "a word of what was refused")
        else:
            postroad.wait_until(lambda: re.search("%s: (removed|hold|discard)" % queue_id, self.read()[mark:]),
                                queue_id + " is gone", lambda: self.read()[mark:])
        return heard, self.lines(mark), self.boxes()

    def boxes(self):
        found = []
        for account in ("games", "daemon"):
            folder = os.path.join(self.mail, account, "new")
            for name in os.listdir(folder):
                with open(os.path.join(folder, name), errors="replace") as f:
                    text = f.read()
                os.unlink(os.path.join(folder, name))
                text = text.split("for <games@example.org>", 1)[-1].split("\n", 1)[-1]
                found.append((account, text))
        return sorted(found)


@unittest.skipUnless(peers.Postfix.installed(), "no Postfix beside us")
class ChecksBesidePostfix(postroad.Test):
    def parties(self, settings):
        ours = peers.Postroad(**COMMON)
        self.addCleanup(ours.close)
        theirs = peers.Postfix(**COMMON)
        self.addCleanup(theirs.close)
        for directory in (ours.directory, theirs.directory):
            for name, text in (("header", HEADER), ("body", BODY), ("mime", MIME), ("nested", NESTED)):
                postroad.write("%s/%s" % (directory, name), text)
        return (Party(ours, ours.directory, ours.mail, ours.address, ours.port, ours.system.log_file),
                Party(theirs, theirs.directory, theirs.mail, theirs.address, theirs.port, theirs.directory + "/mail.log"))

    def settle(self, party, settings):
        import subprocess
        values = {k: v % party.directory if "%s" in v else v for k, v in settings.items()}
        if hasattr(party.box, "system"):
            party.box.system.settings.update(values)
            party.box.system.write_config()
            party.box.system.run("postroad", "-c", party.box.system.config, "reload", check=True)
        else:
            subprocess.run(["postconf", "-c", party.box.etc, "-e"] + ["%s=%s" % pair for pair in values.items()], check=True)
            subprocess.run(["postfix", "-c", party.box.etc, "reload"], check=True, capture_output=True)

    def test_the_same(self):
        parties = self.parties({})
        differences, names = [], set().union(*SETTINGS.values())
        only = os.environ.get("ONLY", "")
        for title, settings in SETTINGS.items():
            for party in parties:
                self.settle(party, {**dict.fromkeys(names, ""), **{
                    "disable_mime_input_processing": "no", "body_checks_size_limit": "51200", "mime_nesting_limit": "100",
                    "mime_boundary_length_limit": "2048", "strict_8bitmime": "no", "strict_mime_encoding_domain": "no",
                    "strict_8bitmime_body": "no", "strict_7bit_headers": "no"}, **({
                    "mime_header_checks": "$header_checks", "nested_header_checks": "$header_checks"}), **settings})
            for name, content in MESSAGES.items():
                if only not in title + ": " + name:
                    continue
                ours, theirs = [party.story(content) for party in parties]
                for what, a, b in zip(("heard", "logged", "kept"), ours, theirs):
                    if (title + ": " + name, what) in KEPT:
                        continue
                    if a != b:
                        if isinstance(a, list):     # what differs is enough
                            a, b = [x for x in a if x not in b] or a, [x for x in b if x not in a] or b
                        differences.append("%s: %s\n  %s\n  ours   %s\n  theirs %s" % (title, name, what, repr(a)[:700], repr(b)[:700]))
        self.assertFalse(differences, "\n" + "\n".join(differences))
