"""sink - a mail server at the other end, which does as a test tells it."""
import contextlib
import re
import socket
import socketserver
import threading

from ground import loopback_address, wait_until


class Sink:
    """A mail server that does as it is told: answers["RCPT"] = "450 4.2.0 later" changes a reply.

    A value may be a function of the command line that gives the reply; "" closes the connection."""

    def __init__(self, address=None, port=0):
        self.answers = {}
        self.messages = []          # (sender, [recipients], content)
        self.connections = 0
        self.commands = []
        sink = self

        class Session(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self):
                with contextlib.suppress(OSError):
                    sink.serve(self.rfile, self.wfile)

        class Server(socketserver.ThreadingTCPServer):
            address_family = socket.AF_INET6 if ":" in (address or "") else socket.AF_INET
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 1024

        self.server = Server((address or loopback_address(), port), Session)
        self.address, self.port = self.server.server_address[:2]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def serve(self, lines, out):
        self.connections += 1
        sender, recipients = None, []
        if not self.reply(out, "CONNECT", "", "220 sink.example.net ESMTP"):
            return
        for raw in lines:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            verb = line.split(" ")[0].upper()
            self.commands.append(line)
            usual = {"EHLO": "250-sink.example.net\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n"
                             "250-8BITMIME\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES", "HELO": "250 sink.example.net",
                     "MAIL": "250 2.1.0 Ok", "RSET": "250 2.0.0 Ok",
                     "NOOP": "250 2.0.0 Ok", "QUIT": "221 2.0.0 Bye",
                     "RCPT": "250 2.1.5 Ok" if sender is not None else "503 5.5.1 need MAIL",
                     "DATA": "354 go ahead" if recipients else "554 5.5.1 no valid recipients"}
            said = self.reply(out, verb, line, usual.get(verb, "500 5.5.2 what?"))
            if not said or verb == "QUIT":
                return
            if verb in ("MAIL", "RSET"):
                sender, recipients = line[5:] if verb == "MAIL" and said.startswith("2") else None, []
            elif verb == "RCPT" and said.startswith("2") and sender is not None:
                recipients.append(re.search("<(.*?)>", line).group(1))
            elif verb == "DATA" and said.startswith("354"):
                content = []
                for raw in lines:
                    if raw == b".\r\n":
                        break
                    content.append(raw[1:] if raw.startswith(b".") else raw)
                else:
                    return
                message = re.search("<(.*?)>", sender).group(1), recipients, b"".join(content)
                said = self.judge(*message)
                if said.startswith("2"):    # taken before it says so
                    self.messages.append(message)
                if not self.say(out, said):
                    return

    def judge(self, sender, recipients, content):
        """The reply to the final dot."""
        return self.choose(".", "", "250 2.0.0 Ok: taken")

    def reply(self, out, verb, line, usual):
        return self.say(out, self.choose(verb, line, usual))

    def choose(self, verb, line, usual):
        said = self.answers.get(verb, usual)
        return (said(line) if callable(said) else said) or ""

    def say(self, out, said):
        if said:
            out.write(said.encode() + b"\r\n")
            out.flush()
        return said

    def nexthop(self):
        return "[%s]:%d" % (self.address, self.port)

    def wait(self, count=1, patience=None):
        wait_until(lambda: len(self.messages) >= count, "%d mails at the sink" % count,
                   lambda: "%d mails, commands %r" % (len(self.messages), self.commands[-20:]), patience)
        return self.messages

    def close(self):
        self.server.shutdown()
        self.server.server_close()
