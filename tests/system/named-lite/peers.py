"""BIND, Knot and NSD as primaries and secondaries, each in a directory of its own; and transfers read by hand."""

import os
import shutil
import socket
import struct
import subprocess
import tempfile

import server
import wire

SECRET = "c2VjcmV0IHNlY3JldCBzZWNyZXQ="
KEY = 'key "k" { algorithm hmac-sha256; secret "%s"; };\n' % SECRET


def find(name):
    path = "/usr/sbin/" + name
    return shutil.which(name) or (path if os.path.exists(path) else None)


class Peer:
    def __init__(self, zones, port=None):
        self.directory = tempfile.mkdtemp(prefix="peer-")
        self.port = port or server.free_port()
        self.process = None
        for name, text in zones.items():
            if text is not None:
                self.write(name + ".zone", text)

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w") as f:
            f.write(text)

    def run(self, command):
        self.output = open(os.path.join(self.directory, "log"), "ab")
        self.process = subprocess.Popen(command, stdout=self.output, stderr=self.output, cwd=self.directory)
        server.wait_until(lambda: self.soa("version.bind") is not None or self.process.poll() is not None,
                          command[0], self.log)
        if self.process.poll() is not None:
            raise AssertionError(self.log())

    def log(self):
        with open(os.path.join(self.directory, "log"), errors="replace") as f:
            return f.read()

    def soa(self, zone):
        return wire.ask_udp(self.port, wire.question(zone, "SOA"), 0.3)

    def reload(self):
        self.process.send_signal(1)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(server.PATIENCE)
        if self.process:
            self.output.close()

    def close(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class Bind(Peer):
    PROGRAM = find("named")

    def __init__(self, zones, statements, port=None, options=""):
        super().__init__(zones, port)
        self.write("named.conf", "options { directory \"%s\"; listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; };\n"
                   "recursion no; pid-file none; session-keyfile none; lock-file none; dnssec-validation no;\n"
                   "managed-keys-directory \"%s\"; empty-zones-enable no; notify-delay 0; min-retry-time 1;\n"
                   "max-retry-time 1; %s };\ncontrols { };\n%s%s\n" % (
                       self.directory, self.port, self.directory, options, KEY, statements))
        self.run([self.PROGRAM, "-g", "-4", "-n", "1", "-U", "1", "-c", self.directory + "/named.conf"])


class Knot(Peer):
    PROGRAM = find("knotd")

    def __init__(self, zones, remotes, zone_lines, port=None):
        super().__init__(zones, port)
        self.write("knot.conf", "server:\n  rundir: \"%s\"\n  listen: 127.0.0.1@%d\n"
                   "database:\n  storage: \"%s/db\"\n"
                   "key:\n  - id: k\n    algorithm: hmac-sha256\n    secret: %s\n%s"
                   "template:\n  - id: default\n    storage: \"%s\"\n    file: \"%%s.zone\"\n    zonefile-load: whole\n"
                   "zone:\n%s" % (self.directory, self.port, self.directory, SECRET, remotes, self.directory, zone_lines))
        self.run([self.PROGRAM, "-c", self.directory + "/knot.conf"])

    def reload(self):
        subprocess.run([find("knotc"), "-s", self.directory + "/knot.sock", "zone-reload"], check=True,
                       capture_output=True, timeout=server.PATIENCE)


class Nsd(Peer):
    PROGRAM = find("nsd")

    def __init__(self, zones, zone_lines, port=None):
        super().__init__(zones, port)
        self.write("nsd.conf", "server:\n  ip-address: 127.0.0.1\n  port: %d\n  server-count: 1\n  username: \"\"\n"
                   "  database: \"\"\n  zonesdir: \"%s\"\n  pidfile: \"%s/pid\"\n  xfrdfile: \"%s/xfrd\"\n  xfrdir: \"%s\"\n"
                   "  zonelistfile: \"%s/list\"\n  xfrd-reload-timeout: 0\n  verbosity: 2\n"
                   "remote-control:\n  control-enable: no\nkey:\n  name: k\n  algorithm: hmac-sha256\n  secret: \"%s\"\nzone:\n%s" % (
                       (self.port,) + (self.directory,) * 5 + (SECRET, zone_lines)))
        self.run([self.PROGRAM, "-d", "-c", self.directory + "/nsd.conf"])


def messages(port, question):
    """The messages of a transfer."""
    with socket.create_connection(("127.0.0.1", port), server.PATIENCE) as s:
        s.sendall(struct.pack(">H", len(question)) + question)
        soas, found = 0, []
        while soas < 2:
            octets = wire.read_tcp(s)
            if octets is None:
                return found
            found.append(wire.Answer(octets))
            soas += sum(record[1] == "SOA" for record in found[-1].answer)
            if found[-1].rcode != 0 or (question[-4 - 0:-2] == b"\0\xfb" and soas == 1):
                return found
        return found


def transfer(port, zone):
    """All records of a zone, by AXFR."""
    return [record for message in messages(port, wire.question(zone, "AXFR")) for record in message.answer]


def serial(octets):
    """Of an answer to a question for a SOA; None if there is none."""
    answer = octets and wire.Answer(octets)
    if not answer or not answer.answer:
        return None
    return int(answer.answer[0][3].split()[2][:8], 16)
