"""storm - what healthy mail suffers while much mail waits for a bad destination

A trickle of mail goes to a healthy host all the time. Meanwhile thousands of messages come for another one, which
refuses each recipient with 4xx, cannot be connected to, or takes a message and never answers; or, for comparison,
takes them all. Latency is from MAIL at our smtpd to RCPT at the healthy host: before the storm, while it comes (beside
what receiving and delivering so much costs), and while its mail waits. Every round has each kind once, on a system
of its own; the ratios are to the quiet of the same systems before their storms.
"""
import asyncio
import collections
import contextlib
import multiprocessing
import socket
import statistics
import subprocess
import time

import postroad

SPACING = 0.02      # seconds between two messages of the trickle
WAITING = 12        # seconds of it before the storm, and after it came


class Storm:
    """A bad host, in a process of its own."""

    def __init__(self, kind):
        self.listener = socket.create_server((postroad.loopback_address(), 0), backlog=0 if kind == "timeout" else 1024)
        self.address, self.port = self.listener.getsockname()
        self.held = []
        self.process = None
        if kind == "timeout":
            self.fill()
        else:
            self.process = multiprocessing.get_context("fork").Process(target=self.run, args=(kind,), daemon=True)
            self.process.start()

    def fill(self):
        """Nobody accepts, and the backlog is full: who comes next gets no answer at all."""
        while True:
            try:
                self.held.append(socket.create_connection((self.address, self.port), 0.2))
            except OSError:
                return

    def run(self, kind):
        async def serve(reader, writer):
            with contextlib.suppress(OSError):
                await self.talk(kind, reader, writer)
            writer.close()

        async def forever():
            async with await asyncio.start_server(serve, sock=self.listener) as server:
                await server.serve_forever()
        asyncio.run(forever())

    async def talk(self, kind, reader, writer):
        writer.write(b"220 storm.example\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go ahead\r\n" if kind == "hangs" else b"503 no recipients\r\n")
                if kind == "hangs":
                    await reader.readuntil(b"\r\n.\r\n")
                    await asyncio.sleep(3600)
            else:
                writer.write(b"450 4.2.1 not now\r\n" if verb == b"RCPT" and kind == "4xx" else b"250 Ok\r\n")
            if verb == b"QUIT":
                return

    def close(self):
        if self.process:
            self.process.kill()
            self.process.join()
        for held in [*self.held, self.listener]:
            held.close()


class Trickle:
    """Healthy mail all the time; how long each took."""

    def __init__(self, system, sink):
        self.system, self.sink = system, sink
        self.sent, self.arrived = {}, {}
        sink.answers["RCPT"] = self.on_recipient
        self.number = 0

    def on_recipient(self, line):
        self.arrived[int(line.split("<r")[1].split("@")[0])] = time.monotonic()
        return "250 2.1.5 Ok"

    def run(self, is_over):
        """The latencies in ms of what was sent until then."""
        first = self.number
        with self.system.smtp() as client:
            while not is_over():
                self.sent[self.number] = time.monotonic()
                self.system.send("r%d@healthy.example" % self.number, client=client)
                self.number += 1
                time.sleep(SPACING)
        wanted = range(first, self.number)
        postroad.wait_until(lambda: all(n in self.arrived for n in wanted), "all healthy mail", lambda: len(self.arrived), 120)
        return [(self.arrived[n] - self.sent[n]) * 1000 for n in wanted]

    def run_for(self, seconds):
        end = time.monotonic() + seconds
        return self.run(lambda: time.monotonic() > end)


def load(system, messages):
    return subprocess.Popen([postroad.BUILD + "/tests/bench/smtp-load", "-p", "-s", "10", "-m", str(messages), "-l", "2000",
                             "-f", "storm@example.net", "-t", "x@storm.example", "%s:%d" % (system.address, system.smtp_port)],
                            stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def taker():
    """A host that takes all; its port."""
    running = subprocess.Popen([postroad.BUILD + "/tests/bench/smtp-sink", "127.0.0.1", "0"], stdout=subprocess.PIPE, text=True)
    try:
        yield int(running.stdout.readline().split()[1])
    finally:
        running.kill()
        running.communicate()


def storm(kind, messages):
    """(before it, while it comes, while it waits): latencies in ms."""
    with contextlib.ExitStack() as stack:
        sink, system = postroad.Sink(), postroad.System()
        stack.callback(sink.close)
        stack.callback(system.close)
        if kind == "healthy":
            host, port = "127.0.0.1", stack.enter_context(taker())
        else:
            bad = Storm(kind)
            stack.callback(bad.close)
            host, port = bad.address, bad.port
        system.settings["transport_maps"] = "hash:" + system.path("etc", "transport")
        postroad.write(system.path("etc", "transport"), "storm.example smtp:[%s]:%d\nhealthy.example smtp:%s\n" % (
            host, port, sink.nexthop()))
        system.run("postmap", "hash:" + system.path("etc", "transport"), check=True)
        system.start()
        trickle = Trickle(system, sink)
        trickle.run_for(2)    # warm
        before = trickle.run_for(WAITING)
        coming = load(system, messages)
        during = trickle.run(lambda: coming.poll() is not None)
        return before, during, trickle.run_for(WAITING)


def figures(latencies):
    """Half of the messages took no longer than the first, one in a hundred took longer than the last."""
    return statistics.median(latencies), statistics.mean(latencies), sorted(latencies)[int(len(latencies) * 0.99)]


def line(what, columns):
    print("%-17s" % what + "".join("  %-21s" % c for c in columns).rstrip(), flush=True)


def main(options):
    messages = options.messages * 5
    kinds = [k for k in ("healthy", "4xx", "timeout", "hangs") if options.only in k]
    seen = collections.defaultdict(lambda: ([], [], []))
    for _ in range(options.rounds):
        for kind in kinds:
            for phase, latencies in zip(seen[kind], storm(kind, messages)):
                phase += latencies
    print("%d messages for a destination; healthy mail, ms: p50, mean, p99" % messages)
    line("destination", ["before", "while they come", "while they wait", "waiting to before"])
    for kind in kinds:
        phases = list(map(figures, seen[kind]))
        line(kind, ["%6.2f %6.2f %6.2f" % f for f in phases] + [" ".join("x%.2f" % (w / b) for w, b in zip(phases[2], phases[0]))])
