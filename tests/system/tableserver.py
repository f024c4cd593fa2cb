"""A server of tcp: tables that is told what to answer, and when."""
import contextlib
import socketserver
import threading

import postroad


class Server:
    """Answers by what stands in the key: "dead@" is REJECT; "slow", or what else slow names, waits for
    release(); what else is in answers is
    sent as it stands, None closes the connection; all other keys are not there."""

    def __init__(self, answers=(), slow=("slow",)):
        self.asked = []
        self.answers = dict(answers)
        self.slow = slow
        self.released = threading.Event()
        server = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError):
                    self.answer_all()

            def answer_all(self):
                for line in self.rfile:
                    key = line.decode().split()[1]
                    server.asked.append(key)
                    if any(part in key for part in server.slow):
                        server.released.wait()
                    answer = server.answer(key)
                    if answer is None:
                        return
                    self.wfile.write(answer)

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 100
        self.listener = Listener((postroad.loopback_address(), 0), Session)
        self.place = "tcp:%s:%d" % self.listener.server_address
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def answer(self, key):
        if key in self.answers:
            return self.answers[key]
        return b"200 REJECT%20by%20tcp\n" if "dead@" in key else b"500 none\n"

    def wait_asked(self, part, story, count=1):
        postroad.wait_until(lambda: sum(part in key for key in self.asked) >= count, "a question for " + part, story)

    def release(self):
        """From now on nothing is slow."""
        self.released.set()

    def close(self):
        self.release()
        self.listener.shutdown()
        self.listener.server_close()
