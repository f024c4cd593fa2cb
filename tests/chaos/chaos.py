"""chaos - one run: a private system, load, a trouble, and the verdict

    verdict = chaos.run(chaos.options(trouble="kill", messages=300))

A verdict has figures, and complaints: a run is good when there are none.
"""
import argparse
import collections
import os
import random
import shutil
import signal
import time

import load
import postroad
import trouble

QUIET = 10          # seconds: all mail moves again so long after the last trouble
AWAY = 1            # seconds without a greeting...
AWAY_MASTER = 3     # ...and when master itself was killed
DIRECTORIES = ("maildrop", "incoming", "deferred", "hold", "corrupt", "bounce", "defer", "trace", "flush")


def options(**given):
    usual = {"trouble": "kill", "messages": 20000, "sessions": 20, "interval": 0.3, "stopped": 30.0, "pause": 5.0,
             "programs": "", "seed": 1, "slow": False}
    return argparse.Namespace(**{**usual, **given})


class World:
    """What a trouble sees: the system, its load, and time."""

    def __init__(self, options):
        self.options = options
        self.chance = random.Random(options.seed)
        self.done = []              # (program, signal, when)
        self.excused = []           # (from, until): master was killed and came again
        self.ends = []
        self.skipped = None
        self.arrived = Arrivals(self)
        self.far = load.far_host(postroad.Sink())
        self.at_end(self.far.close)
        self.box = postroad.System()
        self.box.settings.update(load.settings(self.far, self.box.directory))
        self.box.settings["default_process_limit"] = "20"
        self.box.allow("killed by signal 9|was stopped by signal|throttling")
        load.lay_out(self.box)
        if options.trouble == "log-full" and not trouble.lay_out_small_log(self):
            self.skipped = "cannot mount a tmpfs"

    def at_end(self, act):
        self.ends.append(act)

    def close(self):
        try:
            self.box.close()
        finally:
            for act in reversed(self.ends):
                act()

    # --- time

    def note(self, program, number):
        self.done.append((program, signal.Signals(number).name, time.monotonic()))

    def excuse(self, began):
        self.excused.append((began, time.monotonic() + AWAY_MASTER))

    def watch(self, seconds):
        """Let it go on for so long, or until the load is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.load.is_over():
            time.sleep(0.05)

    def wait_load(self):
        while not self.load.is_over():
            time.sleep(0.05)

    # --- processes

    def daemons(self):
        """Pids by program: what master runs, master included, postroad(1) not."""
        found = collections.defaultdict(list)
        for pid in self.box.processes():
            program = self.box.program_of(pid)
            if program and os.path.exists(postroad.BUILD + "/libexec/" + program):
                found[program].append(pid)
        return found

    def programs(self):
        wanted = self.options.programs.replace(",", " ").split()
        return sorted(p for p in self.daemons() if not wanted or p in wanted)

    def process_of(self, program):
        pids = self.daemons().get(program)
        return self.chance.choice(pids) if pids else None

    def choose(self):
        programs = self.programs()
        program = self.chance.choice(programs) if programs else None
        return self.process_of(program), program


class Arrivals:
    """What has arrived where, read as it comes: {(tag, place): how often}."""

    def __init__(self, world):
        self.world = world
        self.seen = set()
        self.count = collections.Counter()
        self.far_read = 0

    def look(self):
        """Read what is new; how many there are now."""
        for place in postroad.ACCOUNTS.values():
            folder = self.world.box.path("mail", place, "new")
            for name in os.listdir(folder):
                if (place, name) not in self.seen:
                    self.seen.add((place, name))
                    with open(os.path.join(folder, name), "rb") as f:
                        self.add(f.read(), place)
        messages = self.world.far.messages
        for _, _, content in messages[self.far_read:]:
            self.far_read += 1
            self.add(content, "far")
        return sum(self.count.values())

    def add(self, content, place):
        found = load.TAG.search(content)
        if found:
            self.count[found.group(1).decode(), place] += 1


def wanted(tag):
    return load.KINDS[tag.split("-")[0]].arrives


class Verdict:
    def __init__(self, world):
        self.complaints = []
        self.figures = {}
        self.world = world

    def blame(self, what, cases):
        cases = sorted(cases, key=str)
        if cases:
            self.complaints.append("%d %s: %s" % (len(cases), what, ", ".join(map(str, cases[:5]))))

    def wait_until_quiet(self):
        """All that was accepted arrives, and it never stands still for long."""
        world, arrived = self.world, self.world.arrived
        began = moved = time.monotonic()
        before = -1
        while True:
            now = arrived.look()
            missing = [(tag, place) for tag in world.load.accepted for place in wanted(tag)
                       if not arrived.count[tag, place]]
            if not missing and "Mail queue is empty" in world.box.run("postqueue", "-p").stdout:
                break
            if now != before:
                before, moved = now, time.monotonic()
            if time.monotonic() - moved > (postroad.PATIENCE if world.options.slow else QUIET):
                self.complaints.append("stuck: nothing moved for %d s\n%s" % (
                    time.monotonic() - moved, world.box.run("postqueue", "-p").stdout[-2000:]))
                break
            time.sleep(0.1)
        self.figures["quiet after"] = "%.1f s" % (time.monotonic() - began)
        self.blame("accepted and not delivered", missing)

    def count_mail(self):
        world, count = self.world, self.world.arrived.count
        self.blame("twice in a Maildir", [c for c, n in count.items() if n > 1 and c[1] != "far"])
        self.blame("refused and yet delivered", ["%s (%s)" % (tag, world.load.refused[tag])
                                                 for tag, _ in count if tag in world.load.refused])
        self.blame("delivered where it does not belong", [c for c in count if c[1] not in wanted(c[0])])
        self.blame("troubles of clients", world.load.troubles)
        self.figures["accepted"] = len(world.load.accepted)
        self.figures["in doubt"] = len(world.load.doubtful)
        self.figures["arrived"] = sum(count.values())
        self.figures["twice at the other host"] = sum(1 for c, n in count.items() if n > 1 and c[1] == "far")
        self.figures["replies"] = dict(world.load.replies)

    def measure_gaps(self, prober):
        worst = worst_master = 0
        for gap, end in prober.gaps:
            if any(a <= end <= b for a, b in self.world.excused):
                worst_master = max(worst_master, gap)
            else:
                worst = max(worst, gap)
        self.figures["away"] = "%.2f s" % worst
        self.figures["away with master"] = "%.2f s" % worst_master
        times = sorted(self.world.load.accepted.values())
        self.figures["nothing accepted"] = "%.2f s" % max([b - a for a, b in zip(times, times[1:])] or [0])
        if not self.world.options.slow:
            if worst > AWAY:
                self.complaints.append("nobody greeted for %.2f s" % worst)
            if worst_master > AWAY_MASTER:
                self.complaints.append("nobody greeted for %.2f s when master was killed" % worst_master)

    def look_for_debris(self):
        """What is finished is removed a moment after it is no longer listed."""
        until = time.monotonic() + QUIET
        while (left := self.find_files()) and time.monotonic() < until:
            time.sleep(0.1)
        self.blame("files left behind", left)

    def find_files(self):
        box, left = self.world.box, []
        places = [os.path.join(box.spool, d) for d in DIRECTORIES]
        places += [os.path.join(box.path("mail"), a, "tmp") for a in postroad.ACCOUNTS.values()]
        for place in places:
            for folder, _, names in os.walk(place):
                left += [os.path.join(folder, n)[len(box.directory) + 1:] for n in names]
        return left

    def compare_descriptors(self, before):
        """Once connections that were kept for reuse are closed, nobody holds many more than at the start."""
        deadline = time.monotonic() + QUIET
        while True:
            now = descriptors(self.world)
            more = ["%s: %d, was %d" % (p, now[p], before[p]) for p in now if p in before and now[p] > before[p] + 16]
            if not more or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        self.figures["descriptors"] = dict(now)
        self.blame("programs with more and more descriptors", more)

    def text(self):
        lines = ["  %-24s %s" % (k, v) for k, v in self.figures.items()]
        return "\n".join(lines + ["  WRONG: " + c for c in self.complaints])


def descriptors(world):
    """The most that a process of each program holds; of the processes that are there."""
    most = collections.Counter()
    for program, pids in world.daemons().items():
        for pid in pids:
            try:
                most[program] = max(most[program], len(os.listdir("/proc/%d/fd" % pid)))
            except OSError:
                pass
    return most


def warm_up(world):
    """One mail of each kind, so that what starts on demand is there to be hit."""
    first = world.load = load.Load(world.box, 0, 1, world.chance)
    first.waiting = iter([(1000000 + n, kind) for n, kind in enumerate(load.KINDS)])
    first.start()
    world.wait_load()


def seconds(world):
    """How long the load must last: while one program after the other is stopped; else as fast as it can."""
    if world.options.trouble != "stop":
        return 0
    return len(world.programs()) * (world.options.stopped + world.options.pause)


def run(options):
    world = World(options)
    verdict = Verdict(world)
    try:
        if world.skipped:
            verdict.figures["skipped"] = world.skipped
            return verdict
        world.box.start()
        warm_up(world)
        before = descriptors(world)
        first = world.load
        world.load = load.Load(world.box, options.messages, options.sessions, world.chance, seconds(world))
        world.load.accepted.update(first.accepted)
        prober = load.Prober(world.box).start()
        began = time.monotonic()
        world.load.start()
        trouble.TROUBLES[options.trouble](world)
        world.wait_load()
        verdict.figures["seconds"] = "%.0f" % (time.monotonic() - began)
        verdict.figures["struck"] = dict(collections.Counter("%s %s" % d[:2] for d in world.done))
        prober.stop()
        verdict.wait_until_quiet()
        verdict.count_mail()
        verdict.measure_gaps(prober)
        verdict.look_for_debris()
        verdict.compare_descriptors(before)
    finally:
        try:
            world.close()
        except AssertionError as e:
            verdict.complaints.append(str(e))
    return verdict
