"""screen - what it costs a client who has passed that others are tested

The same sessions (connect, EHLO, MAIL, RCPT to nobody, QUIT) at a port of smtpd and at one of postscreen, by a
client that is an old one there. The difference is what the tests cost him: microseconds, and no wait.
"""
import contextlib
import statistics
import time

import measure
import peers
import postroad
import slow

SETTINGS = {"local_recipient_maps": "inline:{games=x}", "mynetworks": "192.0.2.0/24", "postscreen_greet_wait": "1s"}
SCREENED = "smtpd pass - - n - - smtpd\ndnsblog unix - - n - 0 dnsblog\ntlsproxy unix - - n - 0 tlsproxy\n"


class ScreenedPostfix(peers.Postfix):
    port_line = "inet n - n - 1 postscreen"
    more_lines = SCREENED


def ours(screened):
    lines = postroad.MASTER_CF
    if screened:
        lines = lines.replace("inet n - n - - smtpd", "inet n - n - 1 postscreen") + SCREENED
    return peers.Postroad(master_cf=lines, **SETTINGS)


def main(options):
    sessions, visits = 20, options.messages * 5
    kinds = {"postroad smtpd": lambda: ours(False), "postroad screened": lambda: ours(True)}
    if peers.Postfix.installed():
        kinds["postfix smtpd"] = lambda: peers.Postfix(**SETTINGS)
        kinds["postfix screened"] = lambda: ScreenedPostfix(**SETTINGS)
    rounds = {kind: [] for kind in kinds}
    with contextlib.ExitStack() as stack:
        running = {}
        for kind, start in kinds.items():
            running[kind] = start()
            stack.callback(running[kind].close)
            slow.refuse(running[kind], 1, 1)        # who waits has passed
        for _ in range(options.rounds):
            for kind, peer in running.items():
                before, started = measure.cpu(peer.master), time.monotonic()
                median = slow.refuse(peer, sessions, visits)[0]
                rounds[kind].append((visits / (time.monotonic() - started),
                                     (measure.cpu(peer.master) - before) / visits * 1e6, median))
    print("visits of an old client, %d at once" % sessions)
    for kind, figures in rounds.items():
        rate, cpu, median = map(statistics.median, zip(*figures))
        print("  %-18s %8.0f/s %7.1f us of CPU each, p50 %.2f ms" % (kind, rate, cpu, median), flush=True)
