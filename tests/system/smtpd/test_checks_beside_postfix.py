"""The check language with postroad and with Postfix: the same lists for the same clients, word for word.

The HELO name says which list a client asks for. What the DNS would have to say is in test_dns. Where Postfix is
not installed this is skipped; what differs on purpose stands in KEPT, with the reason.
"""
import os
import re
import sys
import unittest

import postroad

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")]
import peers  # noqa: E402
from test_beside_postfix import Line, logs, normal  # noqa: E402

USUAL = ("a@example.net", "ada@example.org")

# A list of restrictions, and who is checked: (sender, recipient), more of them, or a HELO name in front of the list's own.
CASES = [
    ("permit", USUAL), ("reject", USUAL), ("defer", USUAL), ("reject_unauth_destination", USUAL),
    ("reject_unauth_destination", ("a@example.net", "x@far.example")), ("defer_unauth_destination", ("a@example.net", "x@far.example")),
    ("permit_auth_destination, reject", USUAL, ("a@b.example", "x@far.example"), ("a@b.example", "known@relay.example")),
    ("permit_mynetworks, reject", USUAL), ("permit_inet_interfaces, reject", USUAL), ("permit_sasl_authenticated, reject", USUAL),
    ("permit_tls_clientcerts, reject", USUAL), ("permit_tls_all_clientcerts, reject", USUAL),
    ("reject_non_fqdn_sender", ("a", "ada@example.org"), ("a@b", "ada@example.org"), ("", "ada@example.org"), USUAL),
    ("reject_non_fqdn_recipient", ("a@b.example", "ada"), ("a@b.example", "ada@localhost"), ("a@b.example", "postmaster"), USUAL),
    ("reject_non_fqdn_helo_hostname", USUAL), ("reject_non_fqdn_hostname", USUAL), ("reject_invalid_helo_hostname", USUAL, "a_b.", "-a.", "a..b."),
    ("reject_invalid_hostname", USUAL, "[1.2.3.4]"), ("reject_unlisted_sender", ("missing@example.org", "ada@example.org"),
                                                      ("missing@virtual.example", "ada@example.org"), ("a@far.example", "ada@example.org"),
                                                      ("missing@relay.example", "ada@example.org"), ("", "ada@example.org")),
    ("reject_unlisted_recipient", ("a@b.example", "missing@example.org"), ("a@b.example", "missing@virtual.example"),
     ("a@b.example", "missing@relay.example"), ("a@b.example", "x@far.example")),
    ("reject_unauth_pipelining", USUAL), ("reject_multi_recipient_bounce", ("", "ada@example.org"), USUAL),
    ("reject_authenticated_sender_login_mismatch", ("owned@example.org", "ada@example.org")),
    ("reject_unauthenticated_sender_login_mismatch", ("owned@example.org", "ada@example.org"), USUAL),
    ("reject_sender_login_mismatch", ("owned@example.org", "ada@example.org"), USUAL),
    ("reject_known_sender_login_mismatch", ("owned@example.org", "ada@example.org"), USUAL), ("reject_plaintext_session", USUAL),
    ("reject_unknown_client_hostname", USUAL), ("reject_unknown_reverse_client_hostname", USUAL), ("reject_unknown_client", USUAL),
    ("permit_naked_ip_address", USUAL), ("sleep 0, reject", USUAL), ("warn_if_reject reject, permit", USUAL),
    ("warn_if_reject, reject_unauth_destination", ("a@b.example", "x@far.example")), ("defer_if_permit, permit", USUAL),
    ("defer_if_reject, reject", USUAL), ("defer_if_permit, reject", USUAL), ("defer_if_permit defer_if_reject reject", USUAL),
    ("defer_if_reject defer_if_permit permit", USUAL), ("nonsense", USUAL), ("nonsense foo", USUAL), ("check_client_access", USUAL),
    ("warn_if_reject defer", USUAL), ("warn_if_reject reject, reject", USUAL), ("a_class", USUAL), ("warn_if_reject a_class", USUAL),
    ("check_sender_access static:a_class, reject", USUAL), ("check_sender_access static:loop", USUAL),
] + [("check_sender_access inline:{ {a@example.net = %s} }, permit" % action, USUAL) for action in (
    "OK", "ok text", "250", "REJECT", "REJECT no thanks", "reject 5.7.9 no thanks", "REJECT 4.7.9 no thanks", "DEFER", "DEFER later", "DEFER_IF_PERMIT",
    "DEFER_IF_PERMIT perhaps", "DEFER_IF_REJECT", "DEFER_IF_REJECT perhaps", "DUNNO", "DUNNO text", "PERMIT", "permit_mynetworks", "450", "450 later",
    "450 4.2.1 later", "554 go", "554 5.1.0 go", "521 close", "421 close", "421 4.3.2 close", "599 odd", "600 odd", "44 odd", "4555 odd", "HOLD",
    "HOLD why", "DISCARD", "DISCARD why", "WARN", "WARN why", "INFO why", "PREPEND X-A: b", "PREPEND", "PREPEND nonsense", "REDIRECT x@example.org",
    "REDIRECT", "REDIRECT nonsense", "BCC x@example.org", "BCC", "FILTER smtp:[127.0.0.1]:1", "FILTER", "FILTER nonsense", "reject_non_fqdn_sender",
    "reject_unauth_destination, reject", "reject, permit", "nonsense", "restriction nonsense", "a_class", "warn_if_reject reject", "12345", "DELAY 1",
    "STRIP", "IGNORE", "ENCRYPT", "554 5.1.0", "450 4.1.0")] + [
    ("check_%s_access inline:{ {%s = REJECT %s} }" % (kind, key, key.replace("=", "")), USUAL) for kind, key in (
        ("client", "127.0.0.1"), ("client", "127.0.0"), ("client", "127"), ("client", "unknown"), ("client", "localhost"),
        ("reverse_client_hostname", "unknown"), ("sender", "a@"), ("sender", "example.net"), ("sender", ".net"), ("sender", "net"), ("sender", "@example.net"),
        ("sender", "<>"), ("recipient", "ada@"), ("recipient", "example.org"), ("recipient", "ada@example.org"), ("recipient", "org"), ("recipient", ".org"),
        ("helo", "example"), ("helo", ".example"))] + [
    ("check_sender_access inline:{ {<> = REJECT null} }", ("", "ada@example.org")), ("check_sender_access static:REJECT", ("", "ada@example.org")),
    ("check_recipient_access inline:{ {ada+x@example.org = REJECT whole}, {ada@example.org = REJECT without} }", ("a@b.example", "ada+x@example.org"),
     ("a@b.example", "ada+y@example.org"), ("a@b.example", "ADA@EXAMPLE.ORG")),
    ("check_recipient_access inline:{ {ada@ = REJECT local part} }", ("a@b.example", "ada+y@example.org"), USUAL),
    ("check_sender_access regexp:{ {/^(.*)@example/ 550 you are $$1} }", USUAL), ("check_sender_access cidr:{ {127.0.0.0/8 REJECT} }", USUAL),
    ("check_client_access cidr:{ {127.0.0.0/8 REJECT ours} }", USUAL), ("check_client_access cidr:{ {!127.0.0.0/8 REJECT ours} }", USUAL),
    ("check_sender_access hash:/nowhere", USUAL), ("check_sender_access nonsense:x", USUAL), ("inline:{ {ada@example.org = REJECT implied} }", USUAL),
]

RULES = {"c%d" % n: case[0] for n, case in enumerate(CASES)}
SETTINGS = {
    "smtpd_error_sleep_time": "0", "smtpd_hard_error_limit": "1000", "smtpd_peername_lookup": "no", "smtpd_client_connection_count_limit": "0",
    "smtpd_banner": "$myhostname ESMTP", "mydestination": "example.org, localhost", "myorigin": "example.org", "inet_interfaces": "127.0.0.1",
    "relay_domains": "relay.example", "local_recipient_maps": "inline:{ada=x, owned=x, postmaster=x}", "alias_maps": "",
    "relay_recipient_maps": "inline:{known@relay.example=x}", "relay_transport": "discard:", "local_transport": "discard:",
    "virtual_alias_domains": "virtual.example", "virtual_alias_maps": "inline:{ada@virtual.example=ada@example.org}",
    "default_transport": "error:nowhere", "notify_classes": "", "recipient_delimiter": "+", "mynetworks": "192.0.2.0/24",
    "append_dot_mydomain": "no", "smtpd_client_port_logging": "yes", "smtpd_sender_login_maps": "inline:{owned@example.org=somebody}",
    "smtpd_relay_restrictions": "check_client_access static:OK, reject", "parent_domain_matches_subdomains": "smtpd_access_maps",
    "smtpd_reject_unlisted_recipient": "no", "smtpd_sasl_auth_enable": None,
    "smtpd_restriction_classes": "a_class, loop, " + ", ".join(RULES), "a_class": "reject_non_fqdn_sender, reject", "loop": "check_sender_access static:loop",
    "smtpd_recipient_restrictions": "check_helo_access inline:{ %s }, permit" % ", ".join("{ %s.example = %s }" % (c, c) for c in RULES),
    **RULES,
}

KEPT = [
    # (the dialogue's name, as a pattern; why)
    (r": reject_unlisted_sender: a@example.net", "a sender who is not known does not become known by the second recipient"),
]


def dialogues():
    for n, (rules, *whom) in enumerate(CASES):
        for who in whom:
            sender, recipient = USUAL if isinstance(who, str) else who
            helo = (who if isinstance(who, str) and who.endswith(".") else "") + "c%d.example" % n
            yield "%s: %s %s -> %s" % (rules, helo, sender, recipient), [
                "EHLO " + helo, "MAIL FROM:<%s>" % sender, "RCPT TO:<%s>" % recipient, "DATA", ".", "NOOP"]


# What may stand in the lists of each stage; with smtpd_delay_reject = no each is looked at when it is its turn.
AT_STAGES = [
    "reject", "defer", "permit", "defer_if_permit", "defer_if_reject, reject", "warn_if_reject reject", "reject_non_fqdn_helo_hostname",
    "reject_invalid_helo_hostname", "reject_non_fqdn_sender", "reject_non_fqdn_recipient", "reject_unauth_destination, reject",
    "permit_auth_destination, reject", "reject_multi_recipient_bounce", "reject_unlisted_sender", "reject_unlisted_recipient", "reject_unauth_pipelining",
    "reject_unknown_client_hostname", "reject_unknown_reverse_client_hostname", "reject_plaintext_session", "reject_sender_login_mismatch",
    "check_client_access static:REJECT", "check_helo_access static:REJECT", "check_sender_access static:REJECT", "check_recipient_access static:REJECT",
    "check_etrn_access static:REJECT", "static:REJECT", "check_client_access static:421", "check_client_access {static:521 5.1.0 bye}", "nonsense",
] + ["check_client_access {static:%s}" % action for action in (
    "HOLD", "DISCARD", "FILTER x:y", "REDIRECT x@example.org", "BCC x@example.org", "PREPEND X-A: b", "WARN x", "DEFER_IF_PERMIT x", "DEFER", "OK", "421 4.0.0 x")]
STAGES = ["client", "helo", "sender", "relay", "recipient", "data", "end_of_data", "etrn"]


def stage_settings(delay):
    settings = {k: v for k, v in SETTINGS.items() if k not in RULES}
    classes = {"%s%d" % (stage.replace("_", ""), n): words for stage in STAGES for n, words in enumerate(AT_STAGES)}
    settings.update(classes, smtpd_delay_reject=delay, smtpd_restriction_classes=", ".join(classes))
    for stage in STAGES:
        settings["smtpd_%s_restrictions" % stage] = "check_%s_access inline:{ %s }%s" % (
            "helo",
            ", ".join("{ %s.example = %s }" % (c, c) for c in classes if c.rstrip("0123456789") == stage.replace("_", "")),
            ", check_client_access static:OK, reject" if stage in ("relay", "recipient") else "")
    return settings


def stage_dialogues():
    for stage in STAGES[1:]:
        for n, words in enumerate(AT_STAGES):
            for sender, recipient in (USUAL, ("", "missing@example.org")):
                yield "%s: %s: %s -> %s" % (stage, words, sender, recipient), [
                    "EHLO %s%d.example" % (stage.replace("_", ""), n), "ETRN example.net", "MAIL FROM:<%s>" % sender, "RCPT TO:<%s>" % recipient,
                    "RCPT TO:<owned@example.org>", "DATA", ".", "NOOP"]


def without_port(reply):
    return re.sub(r"\]:\d+", "]", normal(reply))


@unittest.skipUnless(peers.Postfix.installed(), "no Postfix beside us")
class ChecksBesidePostfix(postroad.Test):
    def compare(self, settings, dialogues):
        box = self.system(settings=settings)
        postfix = peers.Postfix(**{k: v for k, v in settings.items() if v is not None})
        self.addCleanup(postfix.close)
        differences, ports = [], {}
        for name, commands in dialogues:
            if any(re.search(kept, name) for kept, why in KEPT):
                continue
            lines = Line(box.address, box.smtp_port), Line(postfix.address, postfix.port)
            ours, theirs = (line.speak(commands) for line in lines)
            ports[name] = [line.port for line in lines]
            for command, a, b in zip(["connect"] + commands, ours, theirs):
                if without_port(a) != without_port(b):
                    differences.append("%s\n  at      %s\n  ours    %s\n  theirs  %s" % (name[:150], command[:150], a.strip()[:300], b.strip()[:300]))
                    break
        ours, theirs = logs(box, postfix, list(ports.values())[-1])
        for name, (a, b) in ports.items():
            if ours[a] != theirs[b]:
                differences.append("log of %s\n  ours    %s\n  theirs  %s" % (name[:150], ours[a], theirs[b]))
        self.assertEqual(differences, [], "\n" + "\n".join(differences))

    def test_what_is_decided(self):
        self.compare(SETTINGS, dialogues())

    def test_at_each_stage(self):
        self.compare(stage_settings("no"), stage_dialogues())

    def test_at_each_stage_when_all_wait_for_rcpt(self):
        self.compare(stage_settings("yes"), stage_dialogues())
