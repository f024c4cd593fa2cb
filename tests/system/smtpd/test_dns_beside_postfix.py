"""The restrictions that ask the DNS, with postroad and with Postfix: every name, many domains, word for word.

The test runs itself again in namespaces of its own, where resolv.conf names named-lite. The sender's local part
says which restriction a client asks for. Where Postfix is not installed this is skipped.
"""
import json
import os
import re
import socket
import subprocess
import sys
import unittest

import postroad

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import peers  # noqa: E402

HEAD = "$TTL 60\n@ SOA ns.test. host.test. 1 60 60 60 60\n@ NS ns.test.\n"
ZONES = {
    "test": HEAD + """ns A 127.0.0.1
good MX 10 mx.good
good A 192.0.2.3
mx.good A 192.0.2.7
two MX 5 mx.good
two MX 10 mx.bad
mx.bad A 192.0.2.66
null MX 0 .
lost MX 10 nowhere
local MX 10 loop
loop A 127.0.0.1
address A 192.0.2.2
six AAAA 2001:db8::6
text TXT "no mail here"
alias CNAME good
chain CNAME alias
dangling CNAME nowhere
sub NS ns.lame.example.
owned NS ns.bad.example.
client A 127.0.0.2
client MX 10 mx.bad
liar A 192.0.2.1
four A 127.0.0.4
late MX 10 mx.refused.example.
*.wild MX 10 mx.good
""",
    "list": HEAD + """2.0.0.127 A 127.0.0.2
2.0.0.127 TXT "see http://list.example/"
3.0.0.127 A 127.0.0.10
good.test A 127.0.0.2
good.test TXT "good is listed"
client.test A 127.0.0.3
address.test A 127.0.0.9
liar.test A 127.0.0.2
""",
    "0.0.127.in-addr.arpa": HEAD + "2 PTR client.test.\n3 PTR liar.test.\n4 PTR four.test.\n5 PTR nowhere.test.\n",
}
CLIENTS = ["127.0.0.2", "127.0.0.3", "127.0.0.5", "127.0.0.9"]
NAMES = ["good.test", "two.test", "null.test", "lost.test", "local.test", "address.test", "six.test", "text.test", "alias.test", "chain.test",
         "dangling.test", "x.wild.test", "nowhere.test", "refused.example", "late.test", "a.b.good.test", "[192.0.2.7]", "[127.0.0.1]", "test"]
BAD = "inline:{ {192.0.2.7 = REJECT seven}, {192.0.2.66 = 450 sixty six}, {mx.good.test = REJECT by name}, {192.0.2.2 = REJECT two}, {127 = REJECT loop}, " \
    "{ns.test = REJECT by server}, {127.0.0.2 = REJECT client}, {192.0.2.1 = REJECT liar} }"

# A list of restrictions, and whose names are tried with it.
RULES = [("check_%s_%s_access %s" % (kind, what, BAD), kind) for kind in ("client", "reverse_client_hostname", "helo", "sender", "recipient")
         for what in ("a", "mx", "ns")] + [
    ("check_sender_mx_access inline:{ {mx.good.test = OK} }", "sender"), ("check_sender_mx_access inline:{ {mx.bad.test = DUNNO}, {mx.good.test = REJECT} }", "sender"),
    ("check_client_access inline:{ {client.test = REJECT name}, {test = REJECT parent} }", "client"),
    ("check_reverse_client_hostname_access inline:{ {liar.test = REJECT name}, {nowhere.test = REJECT nobody} }", "client"),
    ("reject_unknown_client_hostname", "client"), ("reject_unknown_reverse_client_hostname", "client"), ("reject_unknown_helo_hostname", "helo"),
    ("reject_unknown_hostname", "helo"), ("reject_unknown_sender_domain", "sender"), ("reject_unknown_address", "sender"),
    ("reject_unknown_recipient_domain", "recipient"), ("reject_rbl_client list", "client"), ("reject_rbl_client list=127.0.0.10", "client"),
    ("reject_rbl_client list=127.0.0.[2;4..8]", "client"), ("reject_rbl_client refused.example", "client"), ("reject_maps_rbl", "client"),
    ("reject_rhsbl_client list", "client"), ("reject_rhsbl_reverse_client list", "client"), ("reject_rhsbl_helo list", "helo"),
    ("reject_rhsbl_sender list", "sender"), ("reject_rhsbl_recipient list", "recipient"), ("reject_rhsbl_sender list=127.0.0.9", "sender"),
    ("permit_dnswl_client list, reject", "client"), ("permit_rhswl_client list, reject", "client"), ("permit_dnswl_client refused.example, reject", "client"),
    ("permit_mx_backup, reject", "recipient"), ("warn_if_reject reject_unknown_sender_domain, permit", "sender"),
    ("warn_if_reject reject_rbl_client list", "client"), ("defer_if_reject, reject_rbl_client list", "client"),
]
SETTINGS = {
    "smtpd_peername_lookup": "yes", "mynetworks": "192.0.2.0/24", "inet_interfaces": "127.0.0.1", "smtpd_client_port_logging": "yes",
    "smtpd_error_sleep_time": "0", "smtpd_client_connection_count_limit": "0", "notify_classes": "", "maps_rbl_domains": "list", "in_flow_delay": "0",
    "smtpd_relay_restrictions": "check_client_access static:OK, reject", "smtpd_reject_unlisted_recipient": "no", "local_recipient_maps": "",
    "permit_mx_backup_networks": "192.0.2.7", "smtpd_banner": "$myhostname ESMTP", "mydestination": "example.org", "relay_domains": "",
    "parent_domain_matches_subdomains": "smtpd_access_maps", "smtpd_restriction_classes": ", ".join("c%d" % n for n in range(len(RULES))),
    "smtpd_recipient_restrictions": "check_sender_access inline:{ %s }" % ", ".join("{ c%d@ = c%d }" % (n, n) for n in range(len(RULES))),
    **{"c%d" % n: rule for n, (rule, kind) in enumerate(RULES)},
}
# Here it is for all that is asked; in Postfix not for addresses of hosts, nor where it only matters whether a name is there.
FILTERED = {"smtpd_dns_reply_filter": "regexp:{ {/ MX 10 mx.bad/ IGNORE}, {/^2.0.0.127.list. .* A / IGNORE}, {/ TXT good is/ IGNORE}, {/^client.test. .* MX/ nonsense} }"}


def dialogues():
    for n, (rule, kind) in enumerate(RULES):
        for name in CLIENTS if "client" in kind else NAMES:
            source = name if "client" in kind else "127.0.0.9"
            yield "%s: %s" % (rule, name), source, [
                "EHLO " + (name if kind == "helo" else "x.example"), "MAIL FROM:<c%d@%s>" % (n, name if kind == "sender" else "example.net"),
                "RCPT TO:<ada@%s>" % (name if kind == "recipient" else "example.org"), "QUIT"]


PORTS = iter(range(20000, 32768))     # by these the sessions are told apart in the log


def speak(party, source, commands):
    """(replies, the client's port)"""
    port = next(PORTS)
    line = socket.create_connection((party.address, party.smtp_port if isinstance(party, postroad.System) else party.port), postroad.PATIENCE,
                                    (source, port))
    replies = []
    with line, line.makefile("rb") as said:
        for command in [None] + commands:
            if command:
                line.sendall(command.encode() + b"\r\n")
            reply = said.readline().decode()
            while reply[3:4] == "-":
                reply = said.readline().decode()
            replies.append(re.sub(r":\d+\]|\]:\d+", "]", reply.rstrip()))
    return replies, port


def told(log, port):
    """What a log has of a session."""
    lines = [re.sub(r"^.*?/smtpd\[\d+\]: ", "", line).replace(":%d" % port, "") for line in log.splitlines()
             if "/smtpd[" in line and "]:%d" % port in line]
    return [line for line in lines if not re.match(r"connect from|disconnect from|\w+: client=", line)]


def inside(settings):
    """Lay out the DNS, start both systems, ask; print what was heard."""
    box = postroad.System(settings=settings)
    for name, text in ZONES.items():
        postroad.write(box.path(name), text)
    postroad.write(box.path("named.conf"), "options { directory \"%s\"; listen-on { 127.0.0.1; }; };\n" % box.directory + "".join(
        "zone \"%s\" { type master; file \"%s\"; };\n" % (name, name) for name in ZONES))
    postroad.write(box.path("resolv.conf"), "nameserver 127.0.0.1\n")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--bind", box.path("resolv.conf"), "/etc/resolv.conf"], check=True)
    named = subprocess.Popen([postroad.BUILD + "/libexec/named-lite", "-g", "-4", "-c", box.path("named.conf")], stderr=subprocess.PIPE, text=True)
    for line in named.stderr:
        if line.rstrip().endswith("running"):
            break
    postfix = None
    try:
        box.start()
        postfix = peers.Postfix(**settings)
        heard = {name: [speak(party, source, commands) for party in (box, postfix)] for name, source, commands in dialogues()}
        logs = []
        for party, path in (box, box.log_file), (postfix, postfix.directory + "/mail.log"):
            port = list(heard.values())[-1][len(logs)][1]

            def read(path=path):
                with open(path, errors="replace") as f:
                    return f.read()
            postroad.wait_until(lambda: re.search(r"disconnect from .*\]:%d " % port, read()), "the last session is logged", read)
            logs.append(read())
        print(json.dumps({name: [(replies, told(log, port)) for (replies, port), log in zip(pair, logs)] for name, pair in heard.items()}))
    finally:
        if postfix is not None:
            postfix.close()
        named.kill()
        box.close()


@postroad.need_root
@postroad.need_program("unshare", "ip", "mount")
@unittest.skipUnless(peers.Postfix.installed(), "no Postfix beside us")
class DnsBesidePostfix(postroad.Test):
    def compare(self, which):
        if subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True).returncode:
            raise unittest.SkipTest("needs namespaces")
        done = subprocess.run(["unshare", "-n", "-m", sys.executable, __file__, which], capture_output=True, text=True, timeout=postroad.PATIENCE * 6,
                              env=dict(os.environ, PYTHONPATH=os.path.dirname(postroad.__file__)))
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        differences = []
        for name, (ours, theirs) in json.loads(done.stdout.splitlines()[-1]).items():
            if ours != theirs:
                differences.append("%s\n  ours    %s\n  theirs  %s" % (name, *(
                    [a for a, b in zip(*pair) if a != b] or pair[0] for pair in ((ours, theirs), (theirs, ours)))))
        self.assertEqual(differences, [], "\n" + "\n".join(differences))

    def test_what_the_dns_says(self):
        self.compare("plain")

    def test_what_is_left_of_it(self):
        """smtpd_dns_reply_filter"""
        self.compare("filtered")


if __name__ == "__main__":
    inside(dict(SETTINGS, **(FILTERED if sys.argv[1] == "filtered" else {})))
