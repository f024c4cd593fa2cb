"""agent - smtp(8) alone: started as master starts it, asked as qmgr asks (deliver.c), with DNS of its own

Records of the stub: {("example.net", "MX"): ["10 mx.example.net"], ("mx.example.net", "A"): ["127.0.0.2"]};
a value may also be "NXDOMAIN" or "SERVFAIL"; a name without records is NXDOMAIN.
"""
import contextlib
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import postroad

TYPES = {"A": 1, "CNAME": 5, "MX": 15, "AAAA": 28}


class Dns:
    """A name server on port 53 of a loopback address, over UDP."""

    def __init__(self, records):
        self.records = records
        self.questions = []
        self.address = postroad.loopback_address()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.address, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                question, client = self.socket.recvfrom(4096)
                self.socket.sendto(self.answer(question), client)

    def answer(self, question):
        at, labels = 12, []
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        name = ".".join(labels).lower()
        kind = struct.unpack("!H", question[at + 1:at + 3])[0]
        kind = {n: k for k, n in TYPES.items()}.get(kind, str(kind))
        self.questions.append((name, kind))
        found = self.records.get((name, kind))
        known = any(n == name for n, _ in self.records)
        code = 2 if found == "SERVFAIL" else 3 if found == "NXDOMAIN" or not known else 0
        data = [self.rdata(kind, v) for v in found] if isinstance(found, list) else []
        head = question[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, len(data), 0, 0)
        body = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", TYPES[kind], 1, 60, len(d)) + d for d in data)
        return head + question[12:at + 5] + body

    def rdata(self, kind, value):
        if kind == "A":
            return socket.inet_aton(value)
        if kind == "AAAA":
            return socket.inet_pton(socket.AF_INET6, value)
        preference, host = value.split(" ")
        return struct.pack("!H", int(preference)) + b"".join(
            bytes([len(l)]) + l.encode() for l in host.split(".") if l) + b"\0"

    def close(self):
        self.socket.close()


class Agent(postroad.System):
    """smtp(8) without the rest; settings are main.cf's."""

    def __init__(self, dns=None, **settings):
        defaults = {"disable_dns_lookups": "no" if dns else "yes", "smtp_host_lookup": "dns"}
        super().__init__(**{**defaults, **settings})
        self.dns = dns
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket_path = self.path("spool", "private", "smtp")
        self.listener.bind(self.socket_path)
        self.listener.listen(10)
        if postroad.ROOT:
            postroad.shutil.chown(self.socket_path, postroad.OWNER)
        self.records = b""
        self.start_agent()

    def start_agent(self):
        read_log, write_log = os.pipe2(os.O_NONBLOCK)
        os.set_blocking(read_log, True)
        lifeline, self.alive = os.pipe()
        command = [postroad.BUILD + "/libexec/smtp", "-n", "smtp", "-t", "unix", "-s", "1"]
        if self.dns:
            resolv = self.path("etc", "resolv.conf")
            postroad.write(resolv, "nameserver %s\noptions timeout:1 attempts:2\n" % self.dns.address)
            command = ["unshare", "-m", "sh", "-c",
                       'mount --bind "$0" /etc/resolv.conf && exec "$@"', resolv, *command]
        actions = [(os.POSIX_SPAWN_DUP2, fd, 40 + i)
                   for i, fd in enumerate((write_log, lifeline, self.listener.fileno()))]
        actions += [(os.POSIX_SPAWN_DUP2, 40 + i, 3 + i) for i in range(3)]
        actions += [(os.POSIX_SPAWN_CLOSE, 40 + i) for i in range(3)]
        self.pid = os.posix_spawnp(command[0], command, self.environment(), file_actions=actions)
        os.close(write_log)
        os.close(lifeline)
        self.reader = threading.Thread(target=self.read_log, args=(read_log,), daemon=True)
        self.reader.start()

    def read_log(self, fd):
        with contextlib.suppress(OSError):
            while data := os.read(fd, 65536):
                self.records += data
        os.close(fd)

    def log(self):
        """The records without level and time: 'postroad/smtp[pid]: text'."""
        return re.sub(r"(?m)^\d[0-9.]+ ", "", self.records.decode("utf-8", "replace"))

    def deliver(self, nexthop, *recipients, sender="sender@example.org", content="Subject: a note\n\nHello.\n",
                options=(), timeout=None):
        """Give the reports: one tuple (recipient, status, dsn, relay, remote_mta, text) a recipient."""
        if isinstance(content, str):
            content = content.encode()
        done = subprocess.run(
            [postroad.BUILD + "/tests/system/deliver", *options, self.socket_path, nexthop, sender,
             *(recipients or ("ada@example.net",))], input=content, capture_output=True, env=self.environment(),
            timeout=timeout or postroad.PATIENCE)
        if done.returncode != 0:
            raise AssertionError(done.stderr.decode() + self.story())
        return [tuple(l.split("\t")) for l in done.stdout.decode().splitlines()]

    def one(self, nexthop, *recipients, **options):
        """The same for a single recipient: "status dsn text"."""
        found = self.deliver(nexthop, *recipients, **options)
        assert len(found) == 1, found
        return "%s %s %s" % (found[0][1], found[0][2], found[0][5])

    def memory(self):
        """Resident bytes; 0 where a sanitizer needs most of them."""
        with open(postroad.BUILD + "/libexec/smtp", "rb") as program:
            if b"__asan_init" in program.read():
                return 0
        with open("/proc/%d/status" % self.pid) as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) * 1024

    def wait_end(self):
        wait = time.monotonic() + postroad.PATIENCE
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > wait:
                os.kill(self.pid, 9)
                os.waitpid(self.pid, 0)
                self.pid = 0
                raise AssertionError("smtp did not end")
            time.sleep(0.01)
        self.pid = 0
        self.reader.join(5)

    def stop(self):
        os.close(self.alive)
        self.listener.close()
        if self.pid:
            self.wait_end()


class Test(postroad.Test):
    def agent(self, dns=None, **settings):
        if dns is not None:
            dns = Dns(dns)
            self.addCleanup(dns.close)
        agent = Agent(dns=dns, **settings)
        self.__dict__.setdefault("systems", []).append(agent)
        self.addCleanup(agent.close)
        return agent
