"""hosts - four hosts on one wire, each in namespaces of its own (root), or side by side on loopback

A host has its own network, processes, /etc and /var: accounts, resolv.conf and mail that the machine
itself never sees. All of it ends with the process that holds the namespaces.
"""
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

import postroad

NAMES = {"dns": "172.19.0.3", "smtp": "172.19.0.4", "app": "172.19.0.5", "client": "172.19.0.6"}


def namespaces_work():
    if not postroad.ROOT or not shutil.which("unshare") or not shutil.which("ip"):
        return False
    trial = "ip link add bridge0 type bridge && mount --bind /etc /mnt"
    return subprocess.run(["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "sh", "-c", trial],
                          capture_output=True).returncode == 0


class Hub:
    """The wire: a bridge in a network namespace that nothing else is in."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="postroad-hosts-")
        os.chmod(self.directory, 0o755)
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c",
                                        "ip link add br0 type bridge && ip link set br0 up && echo && exec sleep 9999"],
                                       stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        self.hosts = {}

    def host(self, name):
        self.hosts[name] = Host(self, name, NAMES[name])
        return self.hosts[name]

    def close(self):
        for host in self.hosts.values():
            host.holder.kill()
            host.holder.wait()
            host.holder.stdout.close()
            if host.daemon:
                host.daemon.wait()
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Host:
    def __init__(self, hub, name, address):
        self.name, self.address = name, address
        self.daemon = None
        self.directory = os.path.join(hub.directory, name)
        self.etc, self.var = self.path("etc"), self.path("var")
        shutil.copytree("/etc", self.etc, symlinks=True, ignore_dangling_symlinks=True,
                        ignore=shutil.ignore_patterns("shadow*", "gshadow*", "ssl", "alternatives"))
        for folder in ("mail", "log", "spool", "lib", "cache/bind", "tmp"):
            os.makedirs(os.path.join(self.var, folder))
        self.write("etc/hosts", "127.0.0.1 localhost\n")
        with_dns = "nameserver %s\noptions timeout:1 attempts:2\n" % NAMES["dns"]
        if os.path.islink(self.etc + "/resolv.conf"):
            os.unlink(self.etc + "/resolv.conf")
        self.write("etc/resolv.conf", with_dns)
        self.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n")
        script = ("%s mount --bind %s /etc && mount --rbind %s /var && hostname %s && ip link set lo up"
                  " && echo && exec sleep 9999" % (self.keep_in_sight(), self.etc, self.var, name))
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc",
             "sh", "-c", script], stdout=subprocess.PIPE)
        if not self.holder.stdout.readline():
            raise OSError("cannot make host " + name)
        with open("/proc/%d/task/%d/children" % (self.holder.pid, self.holder.pid)) as f:
            self.pid = f.read().split()[0]
        wire = "v-" + name
        for command in (["ip", "link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", self.pid],
                        ["ip", "link", "set", wire, "master", "br0", "up"]):
            subprocess.run(["nsenter", "-t", str(hub.holder.pid), "-n", *command], check=True)
        for command in ("ip addr add %s/16 dev eth0" % address, "ip link set eth0 up"):
            self.run(*command.split(), check=True)

    def keep_in_sight(self):
        """What is tested may lie below /var, which is the host's own: shell text that binds it there."""
        text = ""
        for place in {postroad.BUILD, postroad.SOURCE}:
            if place.startswith("/var/"):
                inside = self.var + place[len("/var"):]
                text += "mkdir -p %s && mount --bind %s %s && " % (inside, place, inside)
        return text

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def write(self, path, text, mode=0o644):
        postroad.write(self.path(path), text, mode)

    def add_account(self, name, uid, home):
        with open(self.etc + "/passwd", "a") as f:
            f.write("%s:x:%d:%d::%s:/bin/sh\n" % (name, uid, uid, home))
        with open(self.etc + "/group", "a") as f:
            f.write("%s:x:%d:\n" % (name, uid))
        if home.startswith("/var/"):
            os.makedirs(self.path(home[1:]), exist_ok=True)
            os.chown(self.path(home[1:]), uid, uid)

    def inside(self, *command):
        return ["nsenter", "-t", self.pid, "--net", "--mount", "--uts", "--pid", "--", *command]

    def environment(self):
        return {"PATH": postroad.BUILD + "/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
                "MAIL_CONFIG": "/etc/postfix", "ASAN_OPTIONS": "detect_leaks=0"}

    def run(self, *command, check=False, input=None):
        done = subprocess.run(self.inside(*command), capture_output=True, text=True, input=input,
                              timeout=postroad.PATIENCE * 2, env=self.environment())
        if check and done.returncode != 0:
            raise AssertionError("%s: %s: exit %d\n%s%s" % (
                self.name, " ".join(command), done.returncode, done.stdout, done.stderr))
        return done

    def python(self, script, *arguments):
        """Run a few lines of Python on this host; give what it printed."""
        return self.run(sys.executable, "-c", script, *arguments, check=True).stdout

    def start(self, *command):
        """Start a daemon in the foreground; what it prints is in output."""
        with open(self.path("output"), "ab") as output:
            self.daemon = subprocess.Popen(self.inside(*command), stdin=subprocess.DEVNULL, stdout=output,
                                           stderr=output, env=self.environment())

    def output(self):
        text = ""
        for name in ("output", "var/log/mail.log"):
            if os.path.exists(self.path(name)):
                with open(self.path(name), errors="replace") as f:
                    text += f.read()
        return text

    def wait_port(self, port):
        """Wait until something on this host listens there, TCP."""
        def listens():
            if self.daemon.poll() is not None:
                raise AssertionError("%s: the daemon ended with %d\n%s" % (
                    self.name, self.daemon.returncode, self.output()))
            text = ""
            for table in ("tcp", "tcp6"):
                with open("/proc/%s/net/%s" % (self.pid, table)) as f:
                    text += f.read()
            return re.search(r":%04X 0+:0000 0A" % port, text)
        postroad.wait_until(listens, "%s listens on port %d" % (self.name, port), self.output)


def ask(server, name, rtype="A", port=53, patience=5):
    """One DNS question over UDP: (flags as a set, rcode, the answers' addresses, authority count)."""
    types = {"A": 1, "NS": 2, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16}
    question = b"".join(bytes([len(l)]) + l.encode() for l in name.rstrip(".").split(".")) + b"\0"
    packet = struct.pack("!6H", 4711, 0x0100, 1, 0, 0, 0) + question + struct.pack("!2H", types[rtype], 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(patience)
        line.sendto(packet, (server, port))
        reply = line.recv(4096)
    number, bits, _, answers, authority, _ = struct.unpack("!6H", reply[:12])
    assert number == 4711
    flags = {f for f, b in {"qr": 0x8000, "aa": 0x400, "tc": 0x200, "rd": 0x100, "ra": 0x80}.items() if bits & b}
    addresses, at = [], 12 + len(question) + 4
    for _ in range(answers):
        while reply[at] and reply[at] < 0xC0:
            at += 1 + reply[at]
        at += 2 if reply[at] >= 0xC0 else 1
        kind, _, _, length = struct.unpack("!2HIH", reply[at:at + 10])
        if kind == 1:
            addresses.append(socket.inet_ntoa(reply[at + 10:at + 14]))
        at += 10 + length
    return flags, bits & 15, addresses, authority
