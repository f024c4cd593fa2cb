"""A named-lite of the test's own: a directory, a port, zones, a log."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import wire

os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")     # commands leave their memory to the system
BUILD = os.environ.get("BUILD", ".")
PROGRAM = os.path.join(BUILD, "libexec", "named-lite")
PATIENCE = float(os.environ.get("PATIENCE", "60"))
SOA = "$TTL 3600\n@ SOA ns host %d 3600 900 604800 300\n@ NS ns\nns A 192.0.2.1\n"


def wait_until(true, what, told=lambda: ""):
    until = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > until:
            raise AssertionError("waited for %s\n%s" % (what, told()))
        time.sleep(0.02)


def free_port():
    """One that is free for UDP and TCP, and none that connections of others begin at."""
    while True:
        address = ("127.0.0.1", random.randrange(10000, 32768))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, socket.socket() as t:
            try:
                u.bind(address)
                t.bind(address)
                return address[1]
            except OSError:
                continue


class Server:
    def __init__(self, zones, options="", more="", arguments=(), start=True):
        self.directory = tempfile.mkdtemp(prefix="named-lite-")
        os.chmod(self.directory, 0o755)
        self.port = free_port()
        self.options, self.more = options, more
        self.arguments = list(arguments)
        self.zones = dict(zones)
        self.process = None
        self.configure()
        for name, text in self.zones.items():
            if text is not None:
                self.write(name + ".zone", text)
        if start:
            self.start()
            wait_until(lambda: "running" in self.log() or self.process.poll() is not None, "running", self.log)
            if "Address already in use" in self.log():      # somebody was quicker than we
                self.process.wait(PATIENCE)
                self.output.close()
                self.port = free_port()
                self.configure()
                self.start()
            self.wait("running")

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w") as f:
            f.write(text)

    def configure(self):
        if "controls" not in self.more:
            self.more += "controls { };\n"     # none: port 953 is the system's
        self.write("named.conf", "options { directory \"%s\"; listen-on port %d { 127.0.0.1; }; %s };\n%s\n" % (
            self.directory, self.port, self.options, self.more) + "".join(
            "zone \"%s\" { type master; file \"%s.zone\"; };\n" % (name, name) for name in self.zones))

    def start(self):
        self.run([PROGRAM, "-g", "-4", "-c", os.path.join(self.directory, "named.conf")] + self.arguments)

    def run(self, command):
        if self.process:
            self.output.close()
        self.output = open(os.path.join(self.directory, "log"), "wb")
        self.process = subprocess.Popen(command, stdout=self.output, stderr=self.output)

    def log(self):
        with open(os.path.join(self.directory, "log")) as f:
            return f.read()

    def wait(self, text, times=1):
        wait_until(lambda: self.log().count(text) >= times or self.process.poll() is not None, text, self.log)
        if self.log().count(text) < times:
            raise AssertionError("named-lite ended\n" + self.log())

    def reload(self):
        times = self.log().count("served as they are now") + 1
        self.process.send_signal(signal.SIGHUP)
        self.wait("served as they are now", times)

    def processes(self, title):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % pid) as f:
                    if int(f.read().rsplit(")", 1)[1].split()[1]) != self.process.pid:
                        continue
                with open("/proc/%s/cmdline" % pid) as f:
                    if title in f.read():
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def children(self):
        """The processes that answer."""
        return self.processes("answering")

    def kill_envoy(self):
        wait_until(lambda: self.processes("envoy"), "the envoy", self.log)
        os.kill(self.processes("envoy")[0], signal.SIGKILL)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)
        if self.process:
            self.output.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def udp(self, name, kind="A", **how):
        octets = wire.ask_udp(self.port, wire.question(name, kind, **how))
        return octets and wire.Answer(octets)

    def tcp(self, name, kind="A", **how):
        octets = wire.ask_tcp(self.port, wire.question(name, kind, **how))
        return octets and wire.Answer(octets)


class Test(unittest.TestCase):
    maxDiff = None

    def server(self, zones, *args, **kwargs):
        server = Server(zones, *args, **kwargs)
        self.addCleanup(server.close)
        return server
