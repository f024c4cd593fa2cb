"""deferred - a queue of a million files that wait: does new mail notice them?

FILES files lie in deferred/ when the system starts. Printed: from the start to the first delivery of new mail,
to the first line of mailq and to its end, the memory of all queue managers, and how fast postsuper
deletes. Environment: FILES (default 1,000,000), DUE=1: their time has come, and
their host refuses; ALONE=1: without Postfix.
"""
import glob
import os
import smtplib
import subprocess
import time

import measure
import peers
import postroad

FILES = int(os.environ.get("FILES", "1000000"))
DUE = os.environ.get("DUE", "") != ""


class Refuser:
    """A port where nobody listens."""
    address = "127.0.0.1"

    def __init__(self):
        self.port = postroad.free_port(self.address)


def send(peer, to):
    with smtplib.SMTP(peer.address, peer.port, timeout=300) as client:
        client.sendmail("load@example.net", [to], "Subject: one\r\n\r\nbody\r\n")


def when(condition, limit=900):
    until = time.monotonic() + limit
    while not condition():
        if time.monotonic() > until:
            return float("nan")
        time.sleep(0.01)
    return time.monotonic()


class Ours(peers.Postroad):
    def stop(self):
        self.system.stop()

    def start(self):
        self.system.start(wait=False)
        self.master = self.system.master.pid

    def spool(self):
        return self.system.spool

    def command(self, name, *args):
        return [postroad.BUILD + "/bin/" + name, *args]


class Theirs(peers.Postfix):
    def stop(self):
        subprocess.run(["postfix", "-c", self.etc, "stop"], capture_output=True)
        when(lambda: measure.stat_of(self.master) is None)

    def start(self):
        subprocess.run(["postfix", "-c", self.etc, "start"], check=True, capture_output=True)
        with open(self.spool() + "/pid/master.pid") as f:
            self.master = int(f.read())

    def spool(self):
        return self.directory + "/spool"

    def command(self, name, *args):
        return ["/usr/sbin/" + name, *args]


def fill(peer, kind):
    """One mail that is refused is the model of the others."""
    send(peer, "nobody@elsewhere.example")
    found = []
    when(lambda: found.extend(glob.glob(peer.spool() + "/deferred/?/*")) or found)
    peer.stop()
    began = time.monotonic()
    subprocess.run([postroad.BUILD + "/tests/bench/fill-queue", kind, found[0], str(FILES), "-10" if DUE else "3600"],
                   cwd=peer.spool(), check=True)
    os.sync()
    print("  %-9s %d files made in %.0f s" % (peer.name, FILES, time.monotonic() - began), flush=True)


def first_delivery(peer):
    """Seconds from the start until the first new mail lies in its Maildir."""
    new = os.path.join(peer.mail, peers.ACCOUNTS[0], "new")
    began = time.monotonic()
    peer.start()

    def sent():
        try:
            send(peer, peers.ACCOUNTS[0] + "@example.org")
            return True
        except OSError:
            return False
    when(sent)
    return when(lambda: os.listdir(new)) - began


def listing(peer):
    """Seconds to the first line of mailq, and to the last."""
    began = time.monotonic()
    running = subprocess.Popen(peer.command("postqueue", "-p"), env=peer.environment, stdout=subprocess.PIPE)
    running.stdout.readline(), running.stdout.readline()
    first = time.monotonic() - began
    for _ in running.stdout:
        pass
    running.wait()
    return first, time.monotonic() - began


def memory(peer):
    return measure.pss(measure.program_pids(peer.master, "qmgr")) / 1024


def delete(peer):
    began = time.monotonic()
    subprocess.run(peer.command("postsuper", "-d", "ALL"), env=peer.environment, capture_output=True, check=True)
    return FILES / (time.monotonic() - began)


def one(cls, kind):
    refuser = Refuser()
    peer = cls(relayhost="[%s]:%d" % (refuser.address, refuser.port), minimal_backoff_time="300s", disable_dns_lookups="yes")
    try:
        fill(peer, kind)
        first = first_delivery(peer)
        time.sleep(3)
        most = memory(peer)
        line, end = listing(peer)
        most = max(most, memory(peer))
        print("  %-9s first new mail after %.2f s; mailq begins after %.2f s, ends after %.1f s; qmgr has %.0f MB" % (
            peer.name, first, line, end, most), flush=True)
        print("  %-9s postsuper -d ALL: %.0f a second; qmgr has %.0f MB" % (peer.name, delete(peer), memory(peer)), flush=True)
    finally:
        peer.close()


def main(options):
    one(Ours, "postroad")
    if os.environ.get("ALONE", "") == "" and Theirs.installed():
        one(Theirs, "postfix")
