"""slow - what slow senders and bots cost those who behave

Slow: ordinary mail by itself, and while thousands of sessions are in DATA at 1 KB a second each; the rates in
turn, so that what else the machine does meets both. The slow ones themselves cost CPU, on both sides of the
line, so the part of it that is not smtpd's is told too. Refusals: connect, EHLO, MAIL, RCPT to nobody, QUIT, by
few bots, by as many as Postfix has processes, and by twice as many; the floor beside them is bare-smtpd, which
does nothing but answer.
"""
import contextlib
import re
import resource
import statistics
import subprocess
import time
import types

import mail
import measure
import peers
import postroad

SESSIONS = 20


@contextlib.contextmanager
def slow_senders(peer, sessions):
    load = subprocess.Popen([mail.bench_program("smtp-slow"), "-s", str(sessions), "-n", "100000", "-t",
                             peers.ACCOUNTS[0] + "@example.org", "%s:%d" % (peer.address, peer.port)],
                            stdout=subprocess.PIPE, text=True)
    try:
        if load.stdout.readline() != "ready\n":
            raise AssertionError("the slow senders did not come to DATA")
        yield load
    finally:
        load.terminate()
        said = load.communicate()[0]
        if not said.startswith("0 of"):
            raise AssertionError(said)


def rate(peer, messages):
    started = time.monotonic()
    latencies = mail.to_maildir(peer, SESSIONS, messages)
    return (messages / (time.monotonic() - started), *latencies)


def beside_slow_senders(options):
    title = "mail beside slow senders"
    if options.only not in title:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, options.idle + 1000), hard))
    peer = peers.Postroad()
    alone, beside, memory, cost = [], [], [], []
    try:
        rate(peer, min(options.messages, 500))
        for _ in range(options.rounds):
            alone.append(rate(peer, options.messages))
            with slow_senders(peer, options.idle) as load:
                before, start = measure.stat_of(load.pid)[1] + measure.cpu(peer.master), time.monotonic()
                time.sleep(5)
                cost.append((measure.stat_of(load.pid)[1] + measure.cpu(peer.master) - before) / (time.monotonic() - start))
                beside.append(rate(peer, options.messages))
                memory.append(measure.pss(measure.program_pids(peer.master, "smtpd")) / 1024)
    finally:
        peer.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    a, b = (statistics.median(r[0] for r in rates) for rates in (alone, beside))
    print("%s\n  %d at 1 KB/s: %.0f/s, alone %.0f/s: %.0f %%; p99 %.1f ms, alone %.1f; the slow ones and their server take %.2f CPUs, "
          "smtpd %.0f MB" % (title, options.idle, b, a, b / a * 100, statistics.median(r[2] for r in beside),
                             statistics.median(r[2] for r in alone), statistics.median(cost), max(memory)), flush=True)


def refuse(peer, sessions, messages):
    done = subprocess.run([mail.bench_program("smtp-load"), "-q", "-c", "1", "-s", str(sessions), "-m", str(messages), "-t",
                           "nobody-here@example.org", "%s:%d" % (peer.address, peer.port)], capture_output=True, text=True)
    found = re.search(r"(\d+) refused, .*median ([\d.]+), 99% ([\d.]+)", done.stdout)
    if done.returncode != 0 or int(found.group(1)) != messages:
        raise AssertionError(done.stdout + done.stderr)
    return float(found.group(2)), float(found.group(3))


def answer_barely(sessions, messages):
    """The same bots at a server that does nothing but answer: its rate."""
    server = subprocess.Popen([mail.bench_program("bare-smtpd")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with server:
        bare = types.SimpleNamespace(address="127.0.0.1", port=int(server.stdout.readline()))
        started = time.monotonic()
        refuse(bare, sessions, messages)
        return messages / (time.monotonic() - started)


def main(options):
    for sessions in (1, 20, 100, 200):
        mail.compare("refusals at RCPT, %d bots" % sessions, options, refuse, sessions, floor=answer_barely, share=5, **{
            "local_recipient_maps": "inline:{games=x}"})
    beside_slow_senders(options)
