"""mail - SMTP to Maildir, accepting only, and idle sessions: postroad beside Postfix

Load is tests/bench/smtp-load where it is built, else Postfix's smtp-source. Needs root: Postfix does.
"""
import contextlib
import os
import pwd
import resource
import shutil
import socket
import subprocess
import tempfile
import time

import measure
import postroad

ACCOUNTS = ["games", "daemon", "bin", "sys"]
SIZE = 4096


class Postroad:
    name = "postroad"

    @staticmethod
    def installed():
        return os.path.exists(postroad.BUILD + "/libexec/smtpd")

    def __init__(self, **settings):
        postroad.ACCOUNTS = {name: name for name in ACCOUNTS}
        self.system = postroad.System(local_recipient_maps="", smtpd_client_connection_count_limit=0,
                                      smtpd_banner="$myhostname ESMTP", **settings)
        self.system.start()
        self.address, self.port = self.system.address, self.system.smtp_port
        self.mail = self.system.path("mail")
        self.master = self.system.master.pid

    def close(self):
        with contextlib.suppress(AssertionError):
            self.system.close()


class Postfix:
    name = "postfix"

    @staticmethod
    def installed():
        return os.geteuid() == 0 and shutil.which("postfix", path="/usr/sbin") is not None

    def __init__(self, **settings):
        self.directory = tempfile.mkdtemp(prefix="postroad-bench-postfix-")
        os.chmod(self.directory, 0o755)
        self.address = postroad.loopback_address()
        self.port = postroad.free_port(self.address)
        self.mail = self.directory + "/mail"
        for account in ACCOUNTS:
            entry = pwd.getpwnam(account)
            for folder in ("", "cur", "new", "tmp"):
                path = os.path.join(self.mail, account, folder)
                os.makedirs(path, exist_ok=True)
                os.chown(path, entry.pw_uid, entry.pw_gid)
        etc = self.directory + "/etc"
        os.makedirs(etc)
        values = {
            "compatibility_level": "3.6", "queue_directory": self.directory + "/spool",
            "data_directory": self.directory + "/lib", "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin", "maillog_file": self.directory + "/mail.log",
            "maillog_file_prefixes": self.directory, "myhostname": "mail.example.org",
            "mydestination": "example.org", "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8", "alias_maps": "", "alias_database": "", "local_recipient_maps": "",
            "mail_spool_directory": self.mail + "/", "smtpd_peername_lookup": "no", "biff": "no",
            "smtpd_client_connection_count_limit": "0", **settings}
        with open(etc + "/main.cf", "w") as f:
            f.writelines("%s = %s\n" % pair for pair in values.items())
        with open("/usr/share/postfix/master.cf.dist") as stock, open(etc + "/master.cf", "w") as f:
            for line in stock:
                if line.startswith("smtp      inet"):
                    line = "%s:%d inet n - n - - smtpd\n" % (self.address, self.port)
                f.write(line.replace("  y   ", "  n   "))
            f.write("postlog unix-dgram n - n - 1 postlogd\n")
        os.makedirs(values["queue_directory"])
        os.makedirs(values["data_directory"])
        shutil.chown(values["data_directory"], "postfix")
        self.etc = etc
        subprocess.run(["postfix", "-c", etc, "start"], check=True, capture_output=True)
        with open(values["queue_directory"] + "/pid/master.pid") as f:
            self.master = int(f.read())
        postroad.wait_until(lambda: not socket.socket().connect_ex((self.address, self.port)), "Postfix listens")

    def close(self):
        subprocess.run(["postfix", "-c", self.etc, "abort"], capture_output=True)
        postroad.wait_until(lambda: measure.stat_of(self.master) is None, "the end of Postfix")
        shutil.rmtree(self.directory, ignore_errors=True)


def load(peer, sessions, messages):
    """Send messages to the accounts in turn, over that many sessions at once; 0 seconds to wait for."""
    accounts = ACCOUNTS[:min(len(ACCOUNTS), sessions)]
    own = postroad.BUILD + "/tests/bench/smtp-load"
    commands = []
    for account in accounts:
        share, each = sessions // len(accounts), messages // len(accounts)
        if os.path.exists(own):
            commands.append([own, "-p", "-s", str(share), "-m", str(each), "-l", str(SIZE), "-t", account + "@example.org",
                             "%s:%d" % (peer.address, peer.port)])
        else:
            commands.append(["smtp-source", "-s", str(share), "-m", str(each), "-l", str(SIZE), "-f", "a@example.net",
                             "-t", account + "@example.org", "inet:%s:%d" % (peer.address, peer.port)])
    running = [subprocess.Popen(c, stdout=subprocess.DEVNULL) for c in commands]
    for child in running:
        if child.wait() != 0:
            raise AssertionError("%s: exit %d" % (" ".join(child.args), child.returncode))
    return messages // len(accounts) * len(accounts)


def count(peer):
    return sum(len(os.listdir(os.path.join(peer.mail, a, "new"))) for a in ACCOUNTS)


def to_maildir(peer, sessions, messages):
    before, cpu_before, started = count(peer), measure.cpu(peer.master), time.monotonic()
    sent = load(peer, sessions, messages)
    postroad.wait_until(lambda: count(peer) >= before + sent, "%d mails" % sent,
                        lambda: "%d" % (count(peer) - before), 300)
    seconds = time.monotonic() - started
    return sent / seconds, (measure.cpu(peer.master) - cpu_before) / sent * 1000


def accept(peer, sessions, messages):
    cpu_before, started = measure.cpu(peer.master), time.monotonic()
    sent = load(peer, sessions, messages)
    seconds = time.monotonic() - started
    time.sleep(1)       # the rest of the work, whose CPU counts
    return sent / seconds, (measure.cpu(peer.master) - cpu_before) / sent * 1000


def compare(title, classes, settings, work, options, sessions):
    """Alternate rounds on peers that stay up; print medians and ratios."""
    if options.only not in title:
        return
    peers, figures = [], {}
    try:
        for cls in classes:
            peers.append(cls(**settings))
            work(peers[-1], sessions, min(options.messages, 200))       # warm
        for _ in range(options.rounds):
            for peer in peers:
                figures.setdefault(peer.name, []).append(work(peer, sessions, options.messages))
        print(title)
        result = {}
        for name, rows in figures.items():
            result[name] = [measure.median([r[i] for r in rows]) for i in (0, 1)]
            print("  %-9s %8.0f msgs/s %8.3f CPU-s per 1,000   (%s)" % (
                name, *result[name], ", ".join("%.0f" % r[0] for r in rows)))
        if len(result) == 2:
            ours, theirs = result["postroad"], result["postfix"]
            print("  ratio     %8.2f x      %8.2f of the CPU" % (ours[0] / theirs[0], ours[1] / theirs[1]))
        for peer in peers:
            shares = sorted(measure.cpu_by_program(peer.master).items(), key=lambda p: -p[1])
            print("  %-9s CPU by program: %s" % (peer.name, ", ".join("%s %.2f" % s for s in shares[:8])), flush=True)
    finally:
        for peer in peers:
            peer.close()


def idle(cls, wanted, options):
    title = "idle sessions"
    if options.only not in title:
        return
    peer = cls(default_process_limit=wanted + 50 if cls is Postfix else 100)
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
    classes = [c for c in (Postroad, Postfix) if c.installed()]
    for sessions in (1, 20, 100):
        compare("to Maildir, %d sessions" % sessions, classes, {}, to_maildir, options, sessions)
    compare("accept only, 20 sessions", classes, {"local_transport": "discard:"}, accept, options, 20)
    for cls in classes:
        idle(cls, options.idle if cls is Postroad else 100, options)
