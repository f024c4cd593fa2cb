"""BIND over the zones of a named-lite, and what the two of them say differently."""

import os
import shutil
import subprocess

import server
import wire

NAMED = shutil.which("named") or (os.path.exists("/usr/sbin/named") and "/usr/sbin/named")


class Bind:
    """named with the zones and options of a server.Server, in its directory."""

    def __init__(self, ours):
        self.port = server.free_port()
        self.ours = ours
        config = os.path.join(ours.directory, "bind.conf")
        with open(config, "w") as f:
            f.write("options { directory \"%s\"; listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; };\n"
                    "recursion no; pid-file none; session-keyfile none; lock-file none; dnssec-validation no;\n"
                    "managed-keys-directory \"%s\"; empty-zones-enable no; notify no; %s };\ncontrols { };\n%s\n" % (
                        ours.directory, self.port, ours.directory, ours.options, ours.more) + "".join(
                        "zone \"%s\" { type master; file \"%s.zone\"; };\n" % (n, n) for n in ours.zones))
        self.log = open(os.path.join(ours.directory, "bind.log"), "wb")
        self.process = subprocess.Popen([NAMED, "-g", "-4", "-n", "1", "-U", "1", "-c", config],
                                        stdout=self.log, stderr=self.log)
        server.wait_until(self.is_running, "BIND", self.told)

    def told(self):
        with open(os.path.join(self.ours.directory, "bind.log")) as f:
            return f.read()

    def is_running(self):
        if self.process.poll() is not None:
            raise AssertionError("named ended\n" + self.told())
        return any(line.endswith(" running") for line in self.told().splitlines())

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(server.PATIENCE)
        self.log.close()


def show(octets):
    if octets is None:
        return "no answer"
    a = wire.Answer(octets)
    lines = ["%s flags %04x, %d octets, question %s, opt %s" % (a.status, a.flags, len(octets), a.question, a.opt)]
    for name, section in (("answer", a.answer), ("authority", a.authority), ("additional", a.additional)):
        lines += ["    %-10s %s %s %d %s" % (name, *record) for record in sorted(section, key=str)]
    return "\n".join(lines)


def canonical(octets):
    """
    The case of an owner is not looked at: BIND has one for each RRset and gives what a wildcard makes the case of
    the wildcard; we have one for each name, and what a wildcard makes keeps that of the question.
    """
    if octets is None:
        return None
    answer = wire.Answer(octets)
    for section in answer.sections:
        section[:] = [(owner.lower(), *rest) for owner, *rest in section]
    if answer.has("tc"):        # what still fitted in is nobody's business
        return "truncated", answer.question
    return answer.same()


def is_excused(ours, theirs):
    """We compress more, so that less is truncated; RFC 9471: a referral has all of its glue or TC. BIND 9.18 has not."""
    a, b = wire.Answer(ours), wire.Answer(theirs)
    if b.has("tc") and not a.has("tc"):
        return a.status == b.status
    if (a.status, sorted(a.answer), sorted(a.authority)) == (b.status, sorted(b.answer), sorted(b.authority)) and {
            str(r).lower() for r in b.additional} < {str(r).lower() for r in a.additional}:
        return b.size > a.size - 200    # it has left something out for want of room
    if (a.question[0][1], a.status, b.status) == (43, "SERVFAIL", "REFUSED"):
        return True     # DS of a broken zone: BIND looks for the zone above only
    if a.question[0][1] in (255, 46) and a.status == b.status and all(
            len({r[1] for r in x.answer} - {"RRSIG"}) <= 1 and sum(r[1] == "RRSIG" for r in x.answer) <= 1
            for x in (a, b)):
        return True     # minimal-any: which RRset is the one is free
    return a.has("tc") and not b.has("tc") and not b.answer and {r[1] for r in b.authority} <= {"NS", "DS", "RRSIG", "NSEC", "NSEC3"}


def ask(port, message, tcp):
    """Without patience where both should keep silent: whoever answers does so on loopback at once."""
    if len(message) < 12 or message[2] & 0x80:
        return None if tcp else wire.ask_udp(port, message, 0.1)
    return wire.ask_tcp(port, message) if tcp else wire.ask_udp(port, message)


def compare(ours, bind, messages, tcp=False, same=canonical, most=20, excused=is_excused):
    """Ask both. A text that shows where they differ, "" if nowhere."""
    differences, count = [], 0
    for message in messages:
        a, b = (ask(port, message, tcp) for port in (ours.port, bind.port))
        if ours.process.poll() is not None or "killed by signal" in ours.log():
            return "no answer to %s\n%s" % (message.hex(), ours.log())
        if same(a) != same(b) and not (a and b and excused and excused(a, b)):
            count += 1
            if len(differences) < most:
                differences.append("%s\n  ours %s\n  BIND %s\n" % (message.hex(), show(a), show(b)))
    return "%d differences\n" % count + "\n".join(differences) if count else ""
