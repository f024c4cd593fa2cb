"""pop3 - login, STAT, QUIT; and RETR of 4 KB messages: postroad beside Dovecot, tuned to the most

Load is tests/bench/pop3-load. Dovecot runs with long-lived login and session processes and an
authentication cache, which is the fastest that it can be set to. Needs root: both become users.
"""
import contextlib
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile

import measure
import postroad

ACCOUNT = "games"
MESSAGES = 50
LINE = "line of text of some sixty octets, as in usual mails here.\n"
BODY = "Subject: a note\nFrom: sender@example.net\n\n" + LINE * 69

DOVECOT = """\
base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/log
protocols = pop3
listen = {address}
ssl = no
disable_plaintext_auth = no
auth_cache_size = 10M
first_valid_uid = 1
mail_location = maildir:%h
mail_max_userip_connections = 0
passdb {{
  driver = passwd-file
  args = {d}/users
}}
userdb {{
  driver = passwd-file
  args = {d}/users
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
  service_count = 0
  client_limit = 1000
  process_min_avail = 1
  process_limit = 2
}}
service pop3 {{
  service_count = 10000
  process_min_avail = 20
  process_limit = 200
}}
"""


def fill(maildir):
    """Messages whose names tell their sizes, as both servers write them."""
    entry = pwd.getpwnam(ACCOUNT)
    for folder in ("", "cur", "new", "tmp"):
        os.makedirs(os.path.join(maildir, folder), exist_ok=True)
        os.chown(os.path.join(maildir, folder), entry.pw_uid, entry.pw_gid)
    for n in range(MESSAGES):
        path = "%s/new/%d.M%06d.host,S=%d,W=%d" % (maildir, 1700000000 + n, n, len(BODY), len(BODY) + BODY.count("\n"))
        with open(path, "w") as f:
            f.write(BODY)
        os.chown(path, entry.pw_uid, entry.pw_gid)


class Postroad:
    name = "postroad"

    @staticmethod
    def installed():
        return os.path.exists(postroad.BUILD + "/libexec/pop3d")

    def __init__(self):
        postroad.ACCOUNTS = {"ada": ACCOUNT}
        self.system = postroad.System(mail_max_userip_connections=0, pop3d_client_connection_count_limit=0)
        fill(self.system.maildir("ada"))
        self.system.start()
        self.address, self.port = self.system.address, self.system.pop3_port
        self.master = self.system.master.pid

    def close(self):
        with contextlib.suppress(AssertionError):
            self.system.close()


class Dovecot:
    name = "dovecot"

    @staticmethod
    def installed():
        return os.geteuid() == 0 and shutil.which("dovecot", path="/usr/sbin") is not None

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="postroad-bench-dovecot-")
        os.chmod(self.directory, 0o755)
        self.address = postroad.loopback_address()
        self.port = postroad.free_port(self.address)
        fill(self.directory + "/mail")
        entry = pwd.getpwnam(ACCOUNT)
        postroad.write(self.directory + "/users", "ada:{PLAIN}secret:%d:%d::%s/mail::\n" % (
            entry.pw_uid, entry.pw_gid, self.directory))
        postroad.write(self.directory + "/dovecot.conf", DOVECOT.format(
            d=self.directory, address=self.address, port=self.port))
        self.process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", self.directory + "/dovecot.conf"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.master = self.process.pid
        postroad.wait_until(lambda: not socket.socket().connect_ex((self.address, self.port)), "Dovecot listens")

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def load(peer, sessions, retrieved):
    """One run of the load; (units a second, CPU milliseconds a unit)."""
    before = measure.cpu(peer.master)
    done = subprocess.run([postroad.BUILD + "/tests/bench/pop3-load", "-c", "20", "-n", str(sessions), "-r",
                           str(retrieved), peer.address, str(peer.port)], check=True, capture_output=True, text=True)
    units = sessions * max(retrieved, 1)
    rate = re.search(r" messages_rate=(\S+)" if retrieved else r" rate=(\S+)", done.stdout).group(1)
    return float(rate), (measure.cpu(peer.master) - before) / units * 1000


def main(options):
    peers = [cls() for cls in (Postroad, Dovecot) if cls.installed()]
    try:
        for title, sessions, retrieved in (("login, STAT, QUIT", options.messages, 0),
                                           ("RETR, 4 KB", options.messages // 10, MESSAGES)):
            if options.only not in title:
                continue
            for peer in peers:
                load(peer, 200, retrieved)      # warm
            rows = {}
            for _ in range(options.rounds):
                for peer in peers:
                    rows.setdefault(peer.name, []).append(load(peer, sessions, retrieved))
            print(title)
            middle = {n: [measure.median([r[i] for r in found]) for i in (0, 1)] for n, found in rows.items()}
            for name, (rate, cost) in middle.items():
                print("  %-9s %8.0f a second %8.3f CPU-ms each" % (name, rate, cost))
            if len(middle) == 2:
                (ours, our_cost), (theirs, their_cost) = middle["postroad"], middle["dovecot"]
                print("  ratio     %8.2f x        %8.2f of the CPU" % (ours / theirs, our_cost / their_cost), flush=True)
    finally:
        for peer in peers:
            peer.close()
