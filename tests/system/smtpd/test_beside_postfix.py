"""The same dialogues with postroad and with Postfix, word for word; and what smtpd logs of them.

Postfix runs as a private instance on a port of its own; where it is not installed these tests are skipped.
What differs on purpose stands in KEPT, with the reason.
"""
import os
import re
import socket
import sys
import unittest

import postroad

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import peers  # noqa: E402

SETTINGS = {
    "smtpd_error_sleep_time": "0", "smtpd_hard_error_limit": "1000", "smtpd_junk_command_limit": "1000",
    "smtpd_peername_lookup": "no", "smtpd_client_connection_count_limit": "0", "message_size_limit": "20000",
    "smtpd_banner": "$myhostname ESMTP", "smtpd_forbid_bare_newline": "yes",
    "mydestination": "example.org, localhost", "myorigin": "example.org", "relay_domains": "relay.example",
    "local_recipient_maps": "inline:{ada=x, nobody=x, postmaster=x}", "alias_maps": "",
    "relay_recipient_maps": "inline:{known@relay.example=x}", "relay_transport": "discard:", "local_transport": "discard:",
    "virtual_alias_domains": "virtual.example", "virtual_alias_maps": "inline:{ada@virtual.example=ada@example.org}",
    "default_transport": "error:nowhere", "notify_classes": "", "smtpd_recipient_limit": "3",
    "recipient_delimiter": "+", "smtputf8_enable": "yes", "disable_vrfy_command": "no", "mynetworks": "192.0.2.0/24",
    "append_dot_mydomain": "no", "smtpd_client_port_logging": "yes", "inet_interfaces": "127.0.0.1",
}

HELLO, FROM, TO = "EHLO client.example", "MAIL FROM:<a@example.net>", "RCPT TO:<ada@example.org>"
STATES = {"connected": [], "helo": ["HELO client.example"], "ehlo": [HELLO], "mail": [HELLO, FROM], "rcpt": [HELLO, FROM, TO]}

COMMANDS = [
    "", " ", "X", "NOOP", "NOOP x y", "noop", " NOOP", "RSET", "RSET x", "QUIT", "QUIT now", "HELP", "VRFY", "VRFY ada", "VRFY <ada@example.org>",
    "VRFY nobody-here", "VRFY a b", "EXPN ada", "ETRN", "ETRN example.net", "ETRN a b", "DATA", "DATA x", "BDAT", "BDAT x", "BDAT 1 2 3",
    "BDAT 0", "BDAT 0 LAST", "BDAT -1", "HELO", "HELO x", "HELO a b", "EHLO", "EHLO x", "STARTTLS", "AUTH", "AUTH PLAIN", "AUTH PLAIN AGEAYg==",
    "XCLIENT", "XCLIENT ADDR=192.0.2.1", "XFORWARD", "XFORWARD NAME=x", "MAIL", "RCPT", "MAIL FROM:<b@example.net>", "RCPT TO:<ada@example.org>",
    "GET / HTTP/1.0", "CONNECT x:25", "POST /", "From: me", "USER x", "LHLO x", "TURN", "SEND FROM:<a@b.example>", "\tNOOP", "NOOP\t", "DATA\t",
    "no\u00f6p",
]

SENDERS = [
    "FROM:<>", "FROM: <>", "FROM:", "FROM: ", "FROM:<", "FROM:>", "FROM:<a@example.net", "FROM:a@example.net", "FROM: a@example.net",
    "FROM: <a@example.net>", "FROM:<a@example.net> ", "FROM : <a@example.net>", "from:<a@example.net>", "FROM <a@example.net>", "TO:<a@example.net>",
    "FROM:<a@example.net> SIZE=100", "FROM:<a@example.net> SIZE=0", "FROM:<a@example.net> SIZE=99999", "FROM:<a@example.net> SIZE=x",
    "FROM:<a@example.net> SIZE=-1", "FROM:<a@example.net> SIZE=", "FROM:<a@example.net> SIZE", "FROM:<a@example.net> size=10",
    "FROM:<a@example.net> SIZE=99999999999999999999999", "FROM:<a@example.net> BODY=8BITMIME", "FROM:<a@example.net> BODY=7BIT",
    "FROM:<a@example.net> BODY=BINARYMIME", "FROM:<a@example.net> BODY=x", "FROM:<a@example.net> body=8bitmime", "FROM:<a@example.net> RET=FULL",
    "FROM:<a@example.net> RET=HDRS", "FROM:<a@example.net> RET=x", "FROM:<a@example.net> RET=FULL RET=HDRS", "FROM:<a@example.net> ENVID=x",
    "FROM:<a@example.net> ENVID=", "FROM:<a@example.net> ENVID=x+0A", "FROM:<a@example.net> ENVID=x+2By", "FROM:<a@example.net> ENVID=x+ZZ",
    "FROM:<a@example.net> ENVID=a ENVID=b", "FROM:<a@example.net> AUTH=<>", "FROM:<a@example.net> AUTH=x", "FROM:<a@example.net> X=y",
    "FROM:<a@example.net> XVERP", "FROM:<a@example.net> SMTPUTF8", "FROM:<a@example.net> SMTPUTF8=1", "FROM:<a@example.net>SIZE=1",
    "FROM:<a@example.net> x", "FROM:<a@example.net> b@example.net", "FROM:<a@example.net><b@example.net>", "FROM:<a>", "FROM:<@example.net>", "FROM:<@example.org>", "FROM:<a@example.net>>", "FROM:<a@example.net>> SIZE=3", "FROM:<>>",
    "FROM:<a@>", "FROM:<a@b@example.net>", "FROM:<a b@example.net>", "FROM:<\"a b\"@example.net>", "FROM:<a..b@example.net>",
    "FROM:<.a@example.net>", "FROM:<a.@example.net>", "FROM:<a@example..net>", "FROM:<a@.example.net>", "FROM:<a@example.net.>",
    "FROM:<a@-example.net>", "FROM:<a@exa_mple.net>", "FROM:<a@[192.0.2.1]>", "FROM:<a@[192.0.2]>", "FROM:<a@[IPv6:2001:db8::1]>",
    "FROM:<a@[IPv6:x]>", "FROM:<a@192.0.2.1>", "FROM:<@relay.example:a@example.net>", "FROM:<@a.example,@b.example:c@example.net>",
    "FROM:<@relay.example:>", "FROM:<a%b@example.net>", "FROM:<x!a>", "FROM:<x!a@example.net>", "FROM:Ada <a@example.net>",
    "FROM:<a@example.net> (comment)", "FROM:(comment)<a@example.net>", "FROM:<a(comment)@example.net>", "FROM:<<a@example.net>>",
    "FROM:<\"\"@example.net>", "FROM:<\"a\\\"b\"@example.net>", "FROM:<a\\@b@example.net>", "FROM:<\"a@b\"@example.net>", "FROM:<a;b@example.net>",
    "FROM:<a,b@example.net>", "FROM:<a:b@example.net>", "FROM:<-a@example.net>", "FROM:<|a@example.net>", "FROM:</a@example.net>",
    "FROM:<gr\u00fcn@example.net>", "FROM:<gr\u00fcn@example.net> SMTPUTF8", "FROM:<a@gr\u00fcn.example>", "FROM:<a@gr\u00fcn.example> SMTPUTF8",
    "FROM:<a@xn--grn-hoa.example>", "FROM:<" + "a" * 64 + "@example.net>", "FROM:<" + "a" * 300 + "@example.net>",
    "FROM:<" + "a" * 1000 + "@example.net>", "FROM:<a@" + "b" * 64 + ".example>", "FROM:<a@" + "b." * 130 + "example>",
    "FROM:<double-bounce@mail.example.org>", "FROM:<ada@example.org>", "FROM:<missing@example.org>", "FROM:<missing@virtual.example>",
]

RECIPIENTS = [
    "TO:<>", "TO: <>", "TO:", "TO:<", "TO:<ada@example.org", "TO:ada@example.org", "TO: ada@example.org", "TO: <ada@example.org>",
    "TO :<ada@example.org>", "to:<ADA@EXAMPLE.ORG>", "TO <ada@example.org>", "FROM:<ada@example.org>", "TO:<ada@example.org> NOTIFY=NEVER",
    "TO:<ada@example.org> NOTIFY=SUCCESS,FAILURE,DELAY", "TO:<ada@example.org> NOTIFY=NEVER,DELAY", "TO:<ada@example.org> NOTIFY=",
    "TO:<ada@example.org> NOTIFY=x", "TO:<ada@example.org> NOTIFY=NEVER NOTIFY=DELAY", "TO:<ada@example.org> ORCPT=rfc822;ada@example.org",
    "TO:<ada@example.org> ORCPT=rfc822;", "TO:<ada@example.org> ORCPT=x", "TO:<ada@example.org> ORCPT=", "TO:<ada@example.org> ORCPT=rfc822;a+0A",
    "TO:<ada@example.org> ORCPT=rfc822;a ORCPT=rfc822;b", "TO:<ada@example.org> ORCPT=utf-8;\\x{fc}", "TO:<ada@example.org> SIZE=3",
    "TO:<ada@example.org> x", "TO:<ada>", "TO:<postmaster>", "TO:<Postmaster>", "TO:postmaster", "TO:<postmaster@example.org>",
    "TO:<postmaster@example.net>", "TO:<postmaster@>", "TO:<missing@example.org>", "TO:<missing>", "TO:<missing@virtual.example>",
    "TO:<ada@virtual.example>", "TO:<ada+x@virtual.example>", "TO:<known@relay.example>", "TO:<missing@relay.example>", "TO:<ada@example.net>",
    "TO:<ada+x@example.org>", "TO:<+x@example.org>", "TO:<@example.org>", "TO:<@relay.example>", "TO:<@virtual.example>",
    "TO:<@example.net>", "TO:<@>", "TO:<@[127.0.0.1]>", "TO:<ada@example.org>>", "TO:<ada@example.org>>>", "TO:<ada@example.org>x",
    "TO:<ada@example.org> >", "TO:<ada@example.org>>NOTIFY=NEVER", "TO:<ada@>", "TO:<ada@example.org.>", "TO:<ada@.example.org>",
    "TO:<ada@example..org>", "TO:<ada@localhost>", "TO:<ada@sub.example.org>", "TO:<ada@[127.0.0.1]>", "TO:<ada@[192.0.2.1]>", "TO:<ada@127.0.0.1>",
    "TO:ada@127.0.0.1", "TO:<ada@[IPv6:::1]>", "TO:<ada@[x]>", "TO:<ada@[]>", "TO:<@example.org:ada@example.org>", "TO:<@x.example:ada@example.org>",
    "TO:<@x.example,@y.example:ada@example.net>", "TO:<ada%example.net@example.org>", "TO:<ada%example.org@example.org>", "TO:<known%relay.example@example.org>", "TO:<relay.example!known@example.org>",
    "TO:<ada%virtual.example@example.org>", "TO:<known%example.org@relay.example>", "TO:<missing%example.org@example.org>", "TO:<ada%example.net>",
    "TO:<example.net!ada>", "TO:<example.net!ada@example.org>", "TO:<example.org!ada@example.org>", "TO:<ada@example.net@example.org>",
    "TO:<\"ada@example.net\"@example.org>", "TO:<\"ada\"@example.org>", "TO:<\"a da\"@example.org>", "TO:<a da@example.org>", "TO:<ada @example.org>",
    "TO:< ada@example.org >", "TO:<\"\"@example.org>", "TO:<\"ada\\@example.net\"@example.org>", "TO:<ada\\@example.net@example.org>",
    "TO:<|id@example.org>", "TO:</tmp/x@example.org>", "TO:<-f@example.org>", "TO:<$(id)@example.org>", "TO:<ada..b@example.org>",
    "TO:<.ada@example.org>", "TO:<ada.@example.org>", "TO:Ada <ada@example.org>", "TO:<ada@example.org>, <nobody@example.org>",
    "TO:<ada@example.org,nobody@example.org>", "TO:<<ada@example.org>>", "TO:<ada@example.org> (comment)", "TO:<ada;nobody@example.org>",
    "TO:<gr\u00fcn@example.org>", "TO:<ada@gr\u00fcn.example>", "TO:<" + "a" * 300 + "@example.org>", "TO:<ada@" + "b" * 64 + ".example>",
    "TO:<ada@example.org\\x00>", "TO:<ada\u0001@example.org>",
]

DIALOGUES = {}
for state, before in STATES.items():
    for command in COMMANDS:
        DIALOGUES["%s: %r" % (state, command)] = before + [command, "." if state == "rcpt" and command.strip() == "DATA" else "NOOP"]
for path in SENDERS:
    DIALOGUES["MAIL " + path] = [HELLO, "MAIL " + path, "RCPT TO:<ada@example.org>", "NOOP"]
for path in RECIPIENTS:
    DIALOGUES["RCPT " + path] = [HELLO, FROM, "RCPT " + path, "RSET"]
DIALOGUES.update({
    "a message": [HELLO, FROM, TO, "DATA", "Subject: x\r\n\r\nx\r\n.", FROM, TO, "QUIT"],
    "a message by HELO": ["HELO x", FROM, TO, "DATA", "Subject: x\r\n\r\nx\r\n."],
    "a message in chunks": [HELLO, FROM, TO, "BDAT 6\r\nA: b\r\n".rstrip("\r\n") + "\r\n", "BDAT 0 LAST", "NOOP"],
    "too large": [HELLO, FROM, TO, "DATA", "Subject: x\r\n\r\n" + "x" * 70 + "\r\n" * 12000 + ".", "NOOP"],
    "too many recipients": [HELLO, FROM] + [TO] * 5 + ["DATA", "x\r\n.", "NOOP"],
    "all recipients refused": [HELLO, FROM, "RCPT TO:<missing@example.org>", "DATA", "BDAT 1\r\n", "RSET", "DATA"],
    "two senders": [HELLO, FROM, FROM, TO, FROM], "EHLO again": [HELLO, FROM, TO, HELLO, "DATA", TO],
    "HELO after EHLO": [HELLO, "HELO x", FROM + " SIZE=3", FROM], "MAIL without HELO": [FROM, TO, "DATA"],
    "null sender to two": [HELLO, "MAIL FROM:<>", TO, TO, "DATA", "x\r\n."], "a long line": ["NOOP " + "x" * 3000, "NOOP"],
    "odd names": ["EHLO [192.0.2.1]", "EHLO [x", "EHLO -", "EHLO a_b", "HELO <x>", "EHLO " + "x" * 300],
})

KEPT = [
    # (the dialogue's name, as a pattern; why)
    (r"'HELP'", "who types by hand is told where to read"),
    (r"'VRFY nobody-here'", "VRFY tells nobody who exists"),
    (r"FROM:>|\(comment\)|<a:b|<ada @|TO:<ada@example.org>,|\\x00|\x01|\$\(id\)", "what is no address is refused, not guessed at"),
    (r"FROM:<a{1000}@", "an address has a greatest length"),
    (r"ORCPT=rfc822;($|a.0A)|\{fc\}", "parameters are read as RFC 3461 and RFC 6533 have them; no control character comes in by xtext"),
]

KEPT_IN_LOG = [
    # (a line, as a pattern; why)
    (r"^ID: client=", "the queue id is known when the message is accepted"),
    (r"command: (<|<a@example\.net|<ada@example\.org)$", "an address without its > is one that is none"),
    (r"END-OF-MESSAGE .* message file too big", "it is smtpd that counts"),
    (r"rcpt=(3/)?5 ", "recipients beyond the limit do not succeed"),
    (r"request longer than", "a line of 2048 octets is no news"),
]


class Line:
    """A session from a port that none had before: by it the log is told apart."""
    ports = iter(range(10000 + os.getpid() % 8 * 2500, 32768))

    def __init__(self, address, port):
        self.socket = socket.socket()
        self.port = next(p for p in self.ports if self.bind(p))
        self.socket.settimeout(postroad.PATIENCE)
        self.socket.connect((address, port))
        self.buffer = b""

    def bind(self, port):
        try:
            self.socket.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False

    def reply(self):
        while not re.search(rb"^\d{3}( [^\n]*)?\r?\n", self.buffer, re.M):
            piece = self.socket.recv(65536)
            if not piece:
                break
            self.buffer += piece
        said, self.buffer = self.buffer.decode("utf-8", "replace"), b""
        return said or "(closed)"

    def speak(self, commands):
        replies = [self.reply()]
        for command in commands:
            try:
                self.socket.sendall(command.replace("\\x00", "\0").encode() + b"\r\n")
                replies.append(self.reply())
            except OSError:
                replies.append("(closed)")
        self.socket.close()
        return replies


def normal(reply):
    return re.sub(r"queued as \w+", "queued as ID", reply)


def by_port(log):
    """{client's port: what smtpd logged of it, without the port}"""
    found = {}
    for line in log.splitlines():
        said = re.search(r"/smtpd\[\d+\]: (.*\[127\.0\.0\.1\]):(\d+)(.*)", line)
        if said:
            text = re.sub(r"\b[0-9A-F]{8,}:|NOQUEUE:", "ID:", said.group(1) + said.group(3)).replace(":" + said.group(2), "")
            if not any(re.search(kept, text) for kept, why in KEPT_IN_LOG):
                found.setdefault(int(said.group(2)), []).append(text)
    return found


def logs(box, postfix, last_ports):
    """Both logs by port, once the last sessions are in them."""
    def read(path):
        with open(path, errors="replace") as f:
            return f.read()
    files = box.log_file, postfix.directory + "/mail.log"
    for path, port in zip(files, last_ports):
        line = "disconnect from unknown[127.0.0.1]:%d " % port
        postroad.wait_until(lambda: line in read(path), line, lambda: read(path)[-2000:])
    return [by_port(read(path)) for path in files]


@unittest.skipUnless(peers.Postfix.installed(), "no Postfix beside us")
class BesidePostfix(postroad.Test):
    settings, dialogues = SETTINGS, DIALOGUES

    @classmethod
    def setUpClass(cls):
        cls.box = postroad.System(settings=cls.settings).start()
        cls.addClassCleanup(cls.box.close)
        cls.postfix = peers.Postfix(**cls.settings)
        cls.addClassCleanup(cls.postfix.close)
        cls.heard = {}          # name: (ours, theirs), each (port, replies)
        for name, commands in cls.dialogues.items():
            lines = Line(cls.box.address, cls.box.smtp_port), Line(cls.postfix.address, cls.postfix.port)
            cls.heard[name] = [(line.port, line.speak(commands)) for line in lines]

    def story(self):
        return self.box.story()

    def compared(self):
        return {name: pair for name, pair in self.heard.items() if not any(re.search(kept, name) for kept, why in KEPT)}

    def test_what_is_said(self):
        differences = []
        for name, ((_, ours), (_, theirs)) in self.compared().items():
            for command, a, b in zip(["connect"] + self.dialogues[name], ours, theirs):
                if normal(a) != normal(b):
                    differences.append("%s\n  at      %s\n  ours    %s\n  theirs  %s"
                                       % (name[:150], command[:150], a.strip()[:300], b.strip()[:300]))
                    break
        self.assertEqual(differences, [], "\n" + "\n".join(differences))

    def test_what_is_logged(self):
        ours, theirs = logs(self.box, self.postfix, [port for port, _ in list(self.heard.values())[-1]])
        differences = []
        for name, ((a, _), (b, _)) in self.compared().items():
            if ours.get(a) != theirs.get(b):
                differences.append("%s\n  ours    %s\n  theirs  %s" % (name[:150], ours.get(a), theirs.get(b)))
        self.assertEqual(differences, [], "\n" + "\n".join(differences))


class Unusual(BesidePostfix):
    """What only some servers are told to do: XVERP for known clients, no refusal for ever."""
    settings = dict(SETTINGS, soft_bounce="yes", smtpd_authorized_verp_clients="127.0.0.0/8")
    dialogues = dict({"%s: MAIL %s" % (" ".join(before) or "nothing", path): before + ["MAIL " + path, TO, "NOOP"]
                      for before in ([], ["HELO x"], [HELLO], [HELLO, "RSET"])
                      for path in ("FROM:<a@example.net> XVERP", "FROM:<a@example.net> XVERP=+-", "FROM:<a@example.net> XVERP=",
                                   "FROM:<a@example.net> XVERP=+", "FROM:<a@example.net> XVERP=aa", "FROM:<a@example.net> XVERP=+=-",
                                   "FROM:<> XVERP", "FROM:<a@example.net> SIZE=99999", "FROM:<a@example.net> SIZE=" + "9" * 30,
                                   "FROM:<a@example.net> BODY=x", "FROM:<x y@example.net>", "FROM:<missing@example.org>")},
                     **{"RCPT " + path: [HELLO, FROM, "RCPT TO:" + path, "NOOP"]
                        for path in ("<missing@example.org>", "<missing@virtual.example>", "<ada@example.net>", "<x@example.net> y", "<>")})
