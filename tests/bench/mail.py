"""mail - SMTP and sendmail to Maildir, accepting only, relaying, and idle sessions: postroad beside Postfix

The floor beside them is tests/bench/floor: what the same disk gives for the durable operations of our own
protocol and nothing else. Latency is from MAIL to the answer after the final dot, or where the title says so from the
connection to it.
"""
import collections
import contextlib
import functools
import os
import re
import resource
import socket
import statistics
import subprocess
import time

import measure
import peers
import postroad

SIZE = 4096
AGED_FILES = 40000
ROUND = collections.namedtuple("Round", "rate cpu switches p50 p99")


def bench_program(name):
    return postroad.BUILD + "/tests/bench/" + name


def smtp_load(peer, sessions, messages, to, *more):
    """Send the messages; the latencies (p50, p99) in ms."""
    done = subprocess.run([bench_program("smtp-load"), "-p", "-s", str(sessions), "-m", str(messages), "-l", str(SIZE), "-t", to,
                           *more, "%s:%d" % (peer.address, peer.port)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return tuple(map(float, re.search(r"median ([\d.]+), 99% ([\d.]+)", done.stdout).groups()))


def to_accounts(sessions):
    return ",".join(a + "@example.org" for a in peers.ACCOUNTS[:min(len(peers.ACCOUNTS), sessions)])


def count(peer):
    return sum(len(os.listdir(os.path.join(peer.mail, a, "new"))) for a in peers.ACCOUNTS)


def wait_mails(peer, wanted):
    postroad.wait_until(lambda: count(peer) >= wanted, "%d mails" % wanted, lambda: "%d" % count(peer), 300)


# --- workloads: each does its messages on a peer and gives the latencies, or None

def to_maildir(peer, sessions, messages):
    before = count(peer)
    latencies = smtp_load(peer, sessions, messages, to_accounts(sessions))
    wait_mails(peer, before + messages)
    return latencies


def whole_dialogue(peer, sessions, messages):
    before = count(peer)
    latencies = smtp_load(peer, sessions, messages, to_accounts(sessions), "-w")
    wait_mails(peer, before + messages)
    return latencies


def accept(peer, sessions, messages):
    return smtp_load(peer, sessions, messages, to_accounts(sessions))


def to_one_list(peer, sessions, messages):
    """The messages are recipients of one message."""
    before = count(peer)
    smtp_load(peer, 1, 1, peers.ACCOUNTS[0] + "+%d@example.org", "-r", str(messages))
    wait_mails(peer, before + messages)


def relay(peer, sessions, messages):
    before = peer.sink.messages()
    latencies = smtp_load(peer, sessions, messages, "somebody@example.com")
    postroad.wait_until(lambda: peer.sink.messages() >= before + messages, "%d mails relayed" % messages, peer.sink.messages, 300)
    return latencies


def by_sendmail(peer, shells, messages):
    before = count(peer)
    script = 'i=0; while [ $i -lt %d ]; do "$0" -f load@example.net "$1" <"$2" || exit 1; i=$((i + 1)); done' % (messages // shells)
    mail = os.path.join(peer.directory, "mail.txt")
    postroad.write(mail, "Subject: load\n\n" + "A line of a message that is as long as such lines usually are.\n" * (SIZE // 64))
    running = [subprocess.Popen(["sh", "-c", script, peer.sendmail, peers.ACCOUNTS[i % 4] + "@example.org", mail], env=peer.environment)
               for i in range(shells)]
    if any([child.wait() for child in running]):
        raise AssertionError("%s failed" % peer.sendmail)
    wait_mails(peer, before + messages // shells * shells)


class Sink:
    """tests/bench/smtp-sink for one peer; its counter is read by SIGUSR1."""

    def __init__(self):
        self.address = postroad.loopback_address()
        self.process = subprocess.Popen([bench_program("smtp-sink"), self.address, "0"], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def messages(self):
        self.process.send_signal(10)
        return int(self.process.stdout.readline().split()[1])

    def close(self):
        self.process.terminate()
        self.process.communicate()


def age(directory):
    """Files made and deleted, as a busy day leaves the file system."""
    place = os.path.join(directory, "aged")
    os.makedirs(place)
    for i in range(AGED_FILES):
        with open(os.path.join(place, str(i)), "wb") as f:
            f.write(b"x" * 64)
    os.sync()
    for i in range(AGED_FILES):
        os.unlink(os.path.join(place, str(i)))
    os.rmdir(place)


def one_round(peer, work, sessions, messages, settle):
    cpu, switches, started = measure.cpu(peer.master), measure.switches(peer.master), time.monotonic()
    latencies = work(peer, sessions, messages) or (float("nan"), float("nan"))
    seconds = time.monotonic() - started
    time.sleep(settle)       # the rest of the work, whose CPU counts
    return ROUND(messages / seconds, (measure.cpu(peer.master) - cpu) / messages * 1000,
                 (measure.switches(peer.master) - switches) / messages, *latencies)


def disk_floor(kind, sessions, messages):
    done = subprocess.run([bench_program("floor"), kind, str(sessions), str(messages), str(SIZE),
                           os.environ.get("TMPDIR", "/var/tmp")], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[0])


accepting_barely = functools.partial(disk_floor, "accept")
delivering_barely = functools.partial(disk_floor, "maildir")


def compare(title, options, work, sessions, floor=None, settle=0, share=1, aged=False, **settings):
    """Alternate rounds on peers that stay up; print medians and ratios. share: of options.messages;
    floor: given sessions and messages, the rate of the least that could be done."""
    if options.only not in title:
        return
    messages = int(options.messages * share)
    running, figures, floors = [], {}, []
    with contextlib.ExitStack() as stack:
        for cls in peers.installed():
            sink = Sink() if work is relay else None
            if sink:
                stack.callback(sink.close)
                settings["relayhost"] = "[%s]:%d" % (sink.address, sink.port)
            running.append(cls(**settings))
            stack.callback(running[-1].close)
            running[-1].sink = sink
            work(running[-1], sessions, min(messages, 200))       # warm
        for _ in range(options.rounds):
            for peer in running:
                if aged:
                    age(peer.directory)
                figures.setdefault(peer.name, []).append(one_round(peer, work, sessions, messages, settle))
            if floor:
                floors.append(floor(sessions, messages))
        report(title, figures, floors)
        for peer in running:
            shares = sorted(measure.cpu_by_program(peer.master).items(), key=lambda p: -p[1])
            print("  %-9s CPU by program: %s" % (peer.name, ", ".join("%s %.2f" % s for s in shares[:8])), flush=True)


def report(title, figures, floors):
    print(title)
    result = {}
    for name, rounds in figures.items():
        r = result[name] = ROUND(*map(statistics.median, zip(*rounds)))
        print("  %-9s %8.0f/s %7.3f CPU-s per 1,000 %6.1f switches each; ms: p50 %.1f p99 %.1f   (%s)" % (
            name, *r, ", ".join("%.0f" % x.rate for x in rounds)))
    if len(result) == 2:
        ours, theirs = result["postroad"], result["postfix"]
        print("  ratio     %8.2f x  %7.2f of the CPU; our p50 is %.2f of theirs, our p99 %.2f of their p50, "
              "%.2f of their p99" % (ours.rate / theirs.rate, ours.cpu / theirs.cpu, ours.p50 / theirs.p50,
                                     ours.p99 / theirs.p50, ours.p99 / theirs.p99))
    if floors:
        print("  floor     %8.0f/s: %.2f of it reached" % (statistics.median(floors), result["postroad"].rate / statistics.median(floors)))


def idle(cls, wanted, options):
    title = "idle sessions"
    if options.only not in title:
        return
    peer = cls(default_process_limit=wanted + 50 if cls is peers.Postfix else 100)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted + 1000), hard))
    lines = []
    try:
        def talk():
            line = socket.create_connection((peer.address, peer.port), 60)
            banner = line.recv(512)
            if not banner.startswith(b"220"):
                raise AssertionError("seen: %r" % banner)
            line.sendall(b"EHLO client.example.net\r\n")
            if not line.recv(4096).startswith(b"250"):
                raise AssertionError("no EHLO reply")
            return line
        before = measure.pss(measure.program_pids(peer.master, "smtpd"))
        for _ in range(wanted):
            lines.append(talk())
        pids = measure.program_pids(peer.master, "smtpd")
        memory = measure.pss(pids)
        started = time.monotonic()
        lines.append(talk())
        print("%s\n  %-9s %d sessions: %d processes, %.1f MB PSS (%.2f KiB each), a new client served in %.1f ms" % (
            title, peer.name, wanted, len(pids), memory / 1024, (memory - before) / wanted,
            (time.monotonic() - started) * 1000), flush=True)
    finally:
        for line in lines:
            line.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        peer.close()


def main(options):
    for sessions in (1, 20, 100):
        compare("to Maildir, %d sessions" % sessions, options, to_maildir, sessions, delivering_barely)
    for sessions in (1, 100):
        compare("from connect to 250, %d session%s" % (sessions, "s"[sessions == 1:]), options, whole_dialogue, sessions)
    compare("to Maildir, 20 sessions, aged file system", options, to_maildir, 20, aged=True)
    for sessions in (20, 100):
        compare("accept only, %d sessions" % sessions, options, accept, sessions, accepting_barely, settle=1, local_transport="discard:")
    compare("relay to one sink, 20 sessions", options, relay, 20, accepting_barely)
    compare("one message to many recipients", options, to_one_list, 1, share=1000 / options.messages)
    compare("sendmail from 4 shells", options, by_sendmail, 4, share=0.2)
    for cls in peers.installed():
        idle(cls, options.idle if cls is peers.Postroad else 100, options)
