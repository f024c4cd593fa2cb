"""trouble - what happens to the system while it carries mail

Each trouble is a function of a World that returns when the load is over, or when it has done its worst.
The log of what it did (program, when) is in world.done; world.excused are times when master was away.
"""
import contextlib
import os
import random
import signal
import subprocess
import time

RESTART = 0.1       # seconds until systemd starts master again (RestartSec)


def kill(world):
    """SIGKILL to a process of a random program, again and again; master is started again as systemd does."""
    while not world.load.is_over():
        time.sleep(world.options.interval)
        pid, program = world.choose()
        if program == "master":
            restart_master(world)
        elif pid is not None:
            strike(world, pid, program, signal.SIGKILL)


def stop(world):
    """SIGSTOP to one process after the other, for a long time; then SIGCONT, or SIGKILL."""
    for number, program in enumerate(world.programs()):
        if program == "master" and "master" not in world.options.programs:
            continue        # nothing can take its place; it has a run of its own
        pid = world.process_of(program)
        if pid is None or not strike(world, pid, program, signal.SIGSTOP):
            continue
        world.watch(world.options.stopped)
        strike(world, pid, program, signal.SIGKILL if number % 2 else signal.SIGCONT)
        world.watch(world.options.pause)
    world.load.enough()


def log_killed(world):
    """The log has no reader for most of the time: postlogd dies as soon as it is seen."""
    while not world.load.is_over():
        pid = world.process_of("postlogd")
        if pid is not None:
            strike(world, pid, "postlogd", signal.SIGKILL)
        time.sleep(0.05)


def log_stopped(world):
    """The log's reader is there and does not read."""
    while not world.load.is_over():
        pid = world.process_of("postlogd")
        if pid is not None:
            strike(world, pid, "postlogd", signal.SIGSTOP)
        time.sleep(1)


def log_full(world):
    """The log's file system is full from the beginning (see lay_out_small_log)."""
    world.wait_load()


def log_directory(world):
    """A directory has taken the log file's place, and a reload makes everybody look."""
    os.rename(world.box.log_file, world.box.log_file + ".before")
    os.mkdir(world.box.log_file)
    world.box.run("postroad", "reload")
    world.wait_load()
    os.rmdir(world.box.log_file)


def none(world):
    """No trouble: what the same load does by itself."""
    world.wait_load()


TROUBLES = {f.__name__.replace("_", "-"): f for f in (
    kill, stop, log_killed, log_stopped, log_full, log_directory, none)}


def strike(world, pid, program, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        world.note(program, number)
        return True
    return False


def restart_master(world):
    """Master dies. systemd kills what is left of its group; who has no systemd sees the children leave by themselves."""
    box, began = world.box, time.monotonic()
    strike(world, box.master.pid, "master", signal.SIGKILL)
    box.master.wait()
    if random.Random(len(world.done)).random() < 0.5:
        for pid in sum(world.daemons().values(), []):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    time.sleep(RESTART)
    box.start(wait=False)
    world.excuse(began)


def lay_out_small_log(world):
    """A log of 64 KiB; False where nothing can be mounted."""
    small = world.box.path("small")
    os.makedirs(small)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True)
    if done.returncode != 0:
        return False
    world.at_end(lambda: subprocess.run(["umount", "-l", small]))
    world.box.log_file = small + "/mail.log"
    world.box.settings["maillog_file"] = world.box.log_file
    return True
