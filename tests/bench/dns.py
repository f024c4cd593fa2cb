"""dns - answers by UDP and TCP: named-lite beside NSD, Knot and BIND, one server core each

The server is held to the first core, the generator (tests/bench/dns) to the others. Two zones: a small
one, and one of many names (MILLION=100000 for less). Every server answers from the same files: by UDP, over
connections that stay with one question in flight, and with 16; --only "large UDP" is one of these six. The
floor is a server that sends questions back: what the system calls cost.

"large load" is a start with nobody else there, up to the first answer: user and system time of all of the
server's processes, those that have ended included. In a virtual machine that gives memory back to its host
(free page reporting), who gets such memory first pays for its way back: 2 ms a MB, more than the load itself.
So before each start as much as any of them needs is touched and freed again.
"""
import contextlib
import mmap
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import measure

NAMES = int(os.environ.get("MILLION", "1000000"))
SECONDS = float(os.environ.get("SECONDS", "4"))
WINDOW = 16
MEMORY = 1 << 30        # octets, more than any server of the large zone has
SOA = "$TTL 3600\n@ SOA ns1 host 1 3600 900 604800 300\n@ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\nns2 A 192.0.2.2\n"


def write_zones(where):
    with open(os.path.join(where, "small.zone"), "w") as f:
        f.write(SOA + "@ MX 10 mail\nmail A 192.0.2.3\nwww A 192.0.2.4\n")
        f.writelines("h%d A 10.0.0.%d\n" % (i, i % 250) for i in range(100))
    with open(os.path.join(where, "large.zone"), "w") as f:
        f.write(SOA)
        f.writelines("host-%07d A 10.%d.%d.%d\n" % (i, i >> 16 & 255, i >> 8 & 255, i & 255) for i in range(NAMES))
    with open(os.path.join(where, "small"), "w") as f:
        f.writelines("h%d.small.test A\n" % i for i in range(100))
    state = 12345
    with open(os.path.join(where, "large"), "w") as f:
        for _ in range(200000):
            state = (state * 1103515245 + 12345) % 2**31
            f.write("host-%07d.large.test A\n" % (state % NAMES))


CONFIGS = {
    "named-lite": ("named.conf", """options {{ directory "{d}"; listen-on port {p} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; }};
zone "{z}.test" {{ type master; file "{z}.zone"; }};
"""),
    "named": ("bind.conf", """options {{ directory "{d}"; listen-on port {p} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no;
pid-file none; session-keyfile none; dnssec-validation no; allow-transfer {{ none; }}; notify no; minimal-responses no-auth-recursive; }};
controls {{ }};
zone "{z}.test" {{ type master; file "{z}.zone"; }};
"""),
    "nsd": ("nsd.conf", """server:
  ip-address: 127.0.0.1
  port: {p}
  server-count: 1
  username: ""
  zonesdir: "{d}"
  database: ""
  pidfile: "{d}/nsd.pid"
  xfrdfile: "{d}/xfrd"
  zonelistfile: "{d}/zonelist"
  logfile: "{d}/nsd.log"
  minimal-responses: yes
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: {z}.test
  zonefile: {z}.zone
"""),
    "knotd": ("knot.conf", """server:
    rundir: "{d}"
    listen: 127.0.0.1@{p}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "{d}/knot"
template:
  - id: default
    storage: "{d}"
    file: "%s.zone"
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
zone:
  - domain: {z}.test
    file: {z}.zone
"""),
}


def command(name, build, config):
    return {
        "named-lite": [os.path.join(build, "libexec", "named-lite"), "-g", "-4", "-n", "1", "-c", config],
        "named": ["named", "-g", "-4", "-n", "1", "-U", "1", "-c", config],
        "nsd": ["nsd", "-d", "-c", config],
        "knotd": ["knotd", "-c", config],
        "floor": [os.path.join(build, "tests/bench/dns"), "floor", config],
    }[name]


def free_port():
    """A port that is free for UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError):
                tcp.bind(udp.getsockname())
                return udp.getsockname()[1]


def is_answering(port, zone):
    question = b"\0\1\0\0\0\1\0\0\0\0\0\0\3ns1\5" + zone.encode() + b"\4test\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.2)
        with contextlib.suppress(OSError):
            s.sendto(question, ("127.0.0.1", port))
            return s.recv(4096)[3] & 15 == 0
    return False


class Server:
    def __init__(self, name, build, where, zone):
        self.name, self.port = name, free_port()
        config = str(self.port)
        if name in CONFIGS:
            file, text = CONFIGS[name]
            config = os.path.join(where, file)
            os.makedirs(os.path.join(where, "knot"), exist_ok=True)
            with open(config, "w") as f:
                f.write(text.format(d=where, p=self.port, z=zone))
        self.log = open(os.path.join(where, name + ".out"), "w")
        started = time.monotonic()
        self.process = subprocess.Popen(["taskset", "-c", "0"] + command(name, build, config),
                                        stdout=self.log, stderr=self.log, start_new_session=True)
        while not is_answering(self.port, zone):
            if self.process.poll() is not None or time.monotonic() - started > 60:
                self.stop()
                raise RuntimeError("%s does not answer; see %s" % (name, self.log.name))
        self.load_seconds = time.monotonic() - started

    def cpu(self):
        return measure.cpu(self.process.pid)

    def memory(self):
        """In MB. What is in memory files counts whole, touched or not."""
        pids, files = measure.tree(self.process.pid), {}
        for pid in pids:
            with contextlib.suppress(OSError):
                for fd in os.listdir("/proc/%d/fd" % pid):
                    if os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith("/memfd:"):
                        found = os.stat("/proc/%d/fd/%s" % (pid, fd))
                        files[found.st_ino] = found.st_blocks / 2048
        return max(measure.pss(pids) / 1024, sum(files.values()))

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()


WAYS = {"UDP": [str(WINDOW)], "TCP": ["1", "tcp"], "TCP, 16": ["16", "tcp"]}


def generate(build, port, questions, way):
    cores = ",".join(map(str, range(1, os.cpu_count()))) or "0"
    out = subprocess.run(["taskset", "-c", cores, os.path.join(build, "tests/bench/dns"), "127.0.0.1", str(port),
                          questions, str(SECONDS)] + WAYS[way], check=True, capture_output=True, text=True).stdout
    words = out.split()
    if int(words[6]) > int(words[0]) / 1000:
        raise RuntimeError("errors in the answers: " + out)
    return int(words[0]), float(words[4])


def run_way(zone, way, servers, build, where, rounds):
    rates, costs = {}, {}
    for _ in range(rounds):
        for name, server in servers.items():
            before = server.cpu()
            answers, rate = generate(build, server.port, os.path.join(where, zone), way)
            rates.setdefault(name, []).append(rate)
            costs.setdefault(name, []).append((server.cpu() - before) * 1e6 / max(answers, 1))
    ours, floor = (measure.median(rates[name]) for name in ("named-lite", "floor"))
    for name in servers:
        rate = measure.median(rates[name])
        print("%-6s %-8s %-11s %8.0f answers/s  %5.2f CPU us/answer  ours/its %5.2f  its/floor %.2f"
              % (zone, way, name, rate, measure.median(costs[name]), ours / rate, rate / floor), flush=True)


def touch_memory():
    with mmap.mmap(-1, MEMORY) as memory:
        with contextlib.suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
        memory[::mmap.PAGESIZE] = bytes(MEMORY // mmap.PAGESIZE)


def run_load(zone, names, build, where, rounds):
    """Prints the medians; a server that has answered has reaped who loaded its zones a moment later."""
    loads = {name: [] for name in names if name != "floor"}
    for _ in range(rounds):
        for name, costs in loads.items():
            touch_memory()
            server = Server(name, build, where, zone)
            time.sleep(0.1)
            costs.append((server.load_seconds, server.cpu(), server.memory()))
            server.stop()
    costs = {name: [measure.median(column) for column in zip(*rows)] for name, rows in loads.items()}
    for name, (seconds, cpu, memory) in costs.items():
        _, our_cpu, our_memory = costs["named-lite"]
        print("%-6s load     %-11s %.2f s  %.2f CPU s  %4.0f MB  ours/its CPU %.2f  memory %.2f"
              % (zone, name, seconds, cpu, memory, our_cpu / cpu, our_memory / memory), flush=True)


def run_zone(zone, ways, names, build, where, rounds):
    servers = {}
    try:
        for name in names:
            servers[name] = Server(name, build, where, zone)
        for way in ways:
            run_way(zone, way, servers, build, where, rounds)
    finally:
        for server in servers.values():
            server.stop()


def main(options):
    build = os.environ["BUILD"]
    names = ["named-lite", "floor"] + [n for n in ("nsd", "knotd", "named") if shutil.which(n)]
    with tempfile.TemporaryDirectory() as where:
        os.chmod(where, 0o755)
        write_zones(where)
        for zone in ("small", "large"):
            ways = [way for way in WAYS if options.only.lower() in (zone + " " + way).lower()]
            if zone == "large" and options.only.lower() in "large load":
                run_load(zone, names, build, where, options.rounds)
            if ways:
                run_zone(zone, ways, names, build, where, options.rounds)
