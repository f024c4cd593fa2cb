"""cuts - recordings, the images that power cuts make of them, and the account after each"""
import collections
import random
import time

from disk import Disk, MODELS, SEEDLESS
import ledger
import lives
import road as roads

LOAD_SECONDS = 1.5
HEAVY_SECONDS = 4
SMALL = 4 << 20                 # files of this size at most: then segments of the journal are filled, freed, used again
TWICE = 4                       # every so many images of a load the recovery is cut, too


class Test:
    def __init__(self, arguments, directory):
        self.arguments = arguments
        self.models = arguments.model or MODELS
        self.chance = random.Random(arguments.seed)
        self.disk = Disk(arguments.build, directory, not arguments.no_tmpfile)
        self.far = roads.Far(self.disk)
        self.road = roads.Road(self.disk, directory, self.far)
        self.findings = []
        self.counts = collections.Counter()

    def close(self):
        self.far.sink.close()
        self.disk.__exit__()

    # --- one cut, and the account

    def recover(self, world, where):
        """The image is in place: start on it, and see whether world was kept."""
        self.far.begin(world)
        try:
            self.road.start()
            found = self.road.collect()
            found.arrived = set(self.far.taken)
            found.not_held = world.all("held") - found.held_files - world.all("begun released")
            wrong = self.far.world.judge(found)
        except AssertionError as e:
            wrong = ["STUCK %s" % e]
        if wrong:
            self.findings.append((where, wrong))
            if not self.arguments.self_test:
                print("FOUND at %s\n    %s" % (where, "\n    ".join(w[:400] for w in wrong)), flush=True)
            with open(self.road.path("finding-%d.log" % len(self.findings)), "w") as f:
                f.write("%s\n%s\n\n%s" % (where, "\n".join(wrong), self.road.log()))
        self.road.power_off()

    # --- lives, cut after every change

    def record_life(self, life):
        """Lived once, alone and slowly; gives the book and the tape's length."""
        book = ledger.Ledger()
        self.far.begin(book)
        self.road.start()
        self.road.wait_settled()
        self.disk.tell("record")
        self.disk.tell("delay", 500)
        day = lives.Day(self.road, book, alone=True)
        if life in lives.ASLEEP:
            self.road.power_off()
        life(day)
        if life in lives.ASLEEP:
            self.road.start()
        self.road.wait_settled()
        time.sleep(1.3)         # the marks become durable
        self.road.power_off()
        self.disk.tell("delay", 0)
        return book, self.disk.keep()

    def cut_life(self, life):
        begun = time.monotonic()
        self.clean()
        book, length = self.record_life(life)
        if self.arguments.show:
            for at in range(length):
                print(self.disk.describe(at), [what for position, what, _ in book.facts if position == at + 1])
        worlds = self.cut_everywhere(life, book, [
            (at, model, seed) for at in range(0, length + 1, self.arguments.step)
            for model in self.models if model not in lives.NOT_IN.get(life, ())
            for seed in range(1 if model in SEEDLESS else self.arguments.seeds)])
        self.disk.tell("drop")
        print("%s: %d changes, %d different worlds, %.1f s" % (
            life.__name__, length, worlds, time.monotonic() - begun), flush=True)

    def cut_everywhere(self, life, book, cuts, enough=None):
        """Images of the tape kept last; until enough(), if that is given. Gives how many differed."""
        seen = set()
        for at, model, seed in cuts:
            if enough is not None and enough():
                break
            world = book.until(at)
            # The same disk and the same promises: the same outcome.
            key = self.disk.image(at, model, seed), tuple(sorted(what for _, what, _ in world.facts))
            if key not in seen:
                seen.add(key)
                self.counts[model] += 1
                self.recover(world, "%s:%s:%d:%d (%s)" % (
                    life.__name__, model, seed, at, self.disk.describe(at - 1) if at else "before all"))
        return len(seen)

    def cut_one(self, life, model, seed, at):
        self.clean()
        book, _ = self.record_life(life)
        self.cut_everywhere(life, book, [(at, model, seed)])

    def clean(self):
        """The first tape is of a disk on which there are only directories."""
        self.disk.image(0, "strict", 0)

    # --- loads, cut at random

    def cut_load(self, cuts, heavy):
        book = ledger.Ledger()
        self.far.begin(book)
        self.disk.tell("limit", SMALL if heavy else 0)
        self.road.start()
        self.disk.tell("record")
        day = lives.Day(self.road, book, alone=False)
        crowd = lives.Crowd(day, self.arguments.sessions, self.chance.randrange(1 << 30), heavy)
        time.sleep((HEAVY_SECONDS if heavy else LOAD_SECONDS) * self.chance.uniform(0.3, 1))
        day.over.set()
        self.road.power_off()
        crowd.end()
        length = self.disk.keep()
        for trouble in crowd.troubles[:3]:
            print("in the load: " + trouble)
        done = 0
        while done < cuts:
            done += self.cut_once(book, length, done % TWICE == TWICE - 1)
        self.disk.tell("drop")
        self.counts["accepted"] += len(book.all("accepted"))

    def choose(self, length):
        at = self.chance.randrange(length + 1)
        model, seed = self.chance.choice(self.models), self.chance.randrange(1 << 30)
        self.counts[model] += 1
        self.disk.image(at, model, seed)
        return at, "%s:%d:%d of %d" % (model, seed, at, length)

    def cut_once(self, book, length, twice):
        """An image of the tape kept last; with twice, its recovery is cut in turn. Gives the number of cuts."""
        at, where = self.choose(length)
        world = book.until(at)
        done = 1
        while twice and done < 4:
            self.far.begin(world)
            self.road.start()
            time.sleep(self.chance.uniform(0, 0.3))
            self.road.power_off()
            at, again = self.choose(self.disk.keep())
            world = self.far.world.until(at)
            self.disk.tell("drop")
            where += ", then " + again
            done += 1
            twice = self.chance.random() < 0.5
        self.recover(world, "load " + where)
        return done


def run(arguments, directory, begun):
    test = Test(arguments, directory)
    try:
        # What is durable from the start: the directories.
        test.disk.tell("record")
        test.disk.keep()
        if arguments.only:
            life, model, seed, at = arguments.only.split(":")
            test.cut_one(getattr(lives, life), model, int(seed), int(at))
        elif arguments.self_test:
            return self_test(test)
        else:
            run_lives(test, arguments)
            run_loads(test, arguments)
    finally:
        test.close()
    return report(test, begun)


def run_lives(test, arguments):
    wanted = arguments.life or ["deliver", "defer", "bounce", "delete"]
    for life in lives.LIVES:
        if "all" in wanted or life.__name__ in wanted:
            test.cut_life(life)


def run_loads(test, arguments):
    left, loads = arguments.cuts, 0
    while left > 0:
        cuts = min(left, arguments.per_load)
        test.disk.image(0, "strict", 0)         # empty again
        test.cut_load(cuts, heavy=loads % 2 == 0)
        left -= cuts
        loads += 1


# What a disk that lies must be found out by: where its syncs do nothing, a life, a model, and the finding.
LIES = [
    ("directories", lives.deliver, "strict", "LOST"),
    ("directories", lives.large, "strict", "LOST"),
    ("directories", lives.hold, "strict", "LOST"),
    ("spool/journal", lives.deliver, "strict", "LOST"),
    ("spool/journal", lives.virtual, "ext4-random", "LOST"),
    ("spool/journal", lives.bounce, "random", "LOST"),
    ("spool/incoming", lives.large, "perfile", "LOST"),
    ("spool/deferred", lives.defer, "strict", "LOST"),
    ("spool/maildrop", lives.maildrop, "strict", "LOST"),
    ("mail/games/tmp", lives.deliver, "ext4-random", "TORN"),
    ("mail/games/new", lives.deliver, "strict", "LOST"),
]


def self_test(test):
    missed = 0
    for place, life, model, wanted in LIES:
        test.findings.clear()
        test.clean()
        test.disk.tell("lie", place)
        book, length = test.record_life(life)
        test.disk.tell("truth")

        def found():
            return any(word.startswith(wanted) for _, wrong in test.findings for word in wrong)
        test.cut_everywhere(life, book, [(at, model, seed) for seed in range(1 if model in SEEDLESS else 10)
                                         for at in range(length + 1)], found)
        test.disk.tell("drop")
        missed += not found()
        print("lie %s, %s, %s: %s" % (place, life.__name__, model, "found" if found() else "NOT FOUND"), flush=True)
    print("%d passed, %d failed" % (len(LIES) - missed, missed))
    return 1 if missed else 0


def report(test, begun):
    seconds = time.monotonic() - begun
    cuts = sum(test.counts[model] for model in MODELS)
    print("power: %s" % ", ".join("%s %d" % (model, test.counts[model]) for model in MODELS if test.counts[model]))
    print("power: %d cuts, %d accepted in loads, %d restarts, slowest first 220 after %.2f s, %d after more than 1 s, "
          "%.0f s (%.0f cuts a minute)" % (cuts, test.counts["accepted"], test.road.restarts, test.road.slowest,
                                           test.road.late, seconds, cuts * 60 / seconds))
    failed = len(test.findings)
    print("%d passed, %d failed" % (cuts - failed, failed))
    return 1 if failed or not cuts else 0
