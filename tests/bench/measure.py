"""measure - what a tree of processes costs"""
import contextlib
import os
import statistics

TICK = os.sysconf("SC_CLK_TCK")


def stat_of(pid):
    """(parent, CPU seconds of it and of its children that have ended), or None if it has ended."""
    with contextlib.suppress(OSError):
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return None if fields[0] == "Z" else (int(fields[1]), sum(map(int, fields[11:15])) / TICK)
    return None


def tree(root):
    """The living processes below root, and root."""
    parents = {}
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        found = stat_of(pid)
        if found:
            parents[pid] = found[0]
    members = {root}
    while True:
        more = {p for p, parent in parents.items() if parent in members} - members
        if not more:
            return members
        members |= more


def cpu(root):
    return sum(found[1] for found in map(stat_of, tree(root)) if found)


def cpu_by_program(root):
    """{program: CPU seconds} of the living processes."""
    found = {}
    for pid in tree(root):
        with contextlib.suppress(OSError):
            name = os.path.basename(os.readlink("/proc/%d/exe" % pid))
            found[name] = found.get(name, 0) + stat_of(pid)[1]
    return found


def pss(pids):
    """Proportional memory in KiB."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError), open("/proc/%d/smaps_rollup" % pid) as f:
            total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
    return total


def program_pids(root, program):
    found = []
    for pid in tree(root):
        with contextlib.suppress(OSError):
            if os.path.basename(os.readlink("/proc/%d/exe" % pid)) == program:
                found.append(pid)
    return found


def median(values):
    return statistics.median(values) if values else float("nan")


def switches(root):
    """Context switches of the living processes."""
    total = 0
    for pid in tree(root):
        with contextlib.suppress(OSError), open("/proc/%d/status" % pid) as f:
            total += sum(int(line.split()[1]) for line in f if "ctxt_switches" in line)
    return total
