"""talk - dialogues that anyone who knows the RFC can read and write

    # What the dialogue shows (the first comment is its name in a report).
    ! smtpd_helo_required = yes         a setting of main.cf; dialogues with the same settings share a system
    @ pop3                              which service to talk to: smtp (the default; pop3 in a folder pop3*)
    S: 220 *                            a line that the server must send; * stands for any text
    C: EHLO client.example.net          a line to send, CRLF is added
    C-raw: MAIL FROM:<a@b>\\r\\n\\x00      bytes to send as they stand, with Python's escapes
    C-repeat: 3 NOOP                    the same line, several times
    S-closed                            the server must close the connection
    C-close                             the client does

Where a reply has several lines and the pattern is for its last one ("S: 250 *"), lines before it
("250-...") that no pattern claims are passed over. An empty line means nothing; a pattern ends at the
line's end.
"""
import os
import re
import socket
import unittest

import postroad


class Dialogue:
    def __init__(self, path):
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.settings = {}
        self.service = "pop3" if os.path.basename(os.path.dirname(path)).startswith("pop3") else "smtp"
        self.steps = []                 # (line number, what, text)
        with open(path) as f:
            for number, line in enumerate(f, 1):
                self.read_line(number, line.rstrip("\n"))

    def read_line(self, number, line):
        if not line.strip() or line.startswith("#"):
            return
        if line.startswith("!"):
            name, value = line[1:].split("=", 1)
            self.settings[name.strip().removeprefix("main.cf ").strip()] = value.strip()
        elif line.startswith("@"):
            self.service = line[1:].strip()
        elif re.match(r"(S-closed|C-close)\s*$", line):
            self.steps.append((number, line.strip(), ""))
        else:
            step = re.match(r"(S|C|C-raw|C-repeat):(?: (.*))?$", line)
            if not step:
                raise ValueError("%s:%d: not a line of a dialogue: %s" % (self.path, number, line))
            self.steps.append((number, step.group(1), step.group(2) or ""))


class Talk(unittest.TestCase):
    """One dialogue as a test; the systems are shared by all dialogues of the run."""

    def __init__(self, dialogue, systems):
        super().__init__("speak")
        self.dialogue = dialogue
        self.systems = systems

    # unittest takes tests of one method for equal.
    __eq__, __hash__ = object.__eq__, object.__hash__

    def id(self):
        return "talk." + self.dialogue.name

    def story(self):
        return "--- log\n" + self.system.story() if hasattr(self, "system") else ""

    def speak(self):
        key = tuple(sorted(self.dialogue.settings.items()))
        if key not in self.systems:
            self.systems[key] = postroad.System(settings=self.dialogue.settings)
            self.systems[key].start()
        self.system = self.systems[key]
        port = self.system.pop3_port if self.dialogue.service == "pop3" else self.system.smtp_port
        self.lines = []
        with self.system.connect(port) as self.line:
            self.buffer = b""
            for number, what, text in self.dialogue.steps:
                try:
                    self.step(what, text)
                except (AssertionError, OSError) as e:
                    said = "\n".join(self.lines[-12:])
                    self.fail("%s:%d: %s: %s\n%s\nthe dialogue so far:\n%s" % (
                        self.dialogue.path, number, what, text, e, said))

    def step(self, what, text):
        if what == "S":
            self.expect(text)
        elif what == "S-closed":
            left = self.receive()
            if left is not None:
                raise AssertionError("wanted the end of the connection, seen: %s" % left)
        elif what == "C-close":
            self.line.shutdown(socket.SHUT_WR)
        else:
            count, text = text.split(" ", 1) if what == "C-repeat" else (1, text)
            data = text.encode("utf-8")
            if what == "C-raw":
                data = data.decode("unicode_escape").encode("latin-1")
            else:
                data = (data + b"\r\n") * int(count)
            self.lines.append("C: " + text)
            self.line.sendall(data)

    def expect(self, pattern):
        wanted = re.compile(".*".join(re.escape(p) for p in pattern.split("*")), re.S)
        while True:
            seen = self.receive()
            if seen is None:
                raise AssertionError("wanted: %s\nseen: the end of the connection" % pattern)
            if wanted.fullmatch(seen):
                return
            if not (re.match(r"\d{3}-", seen) and re.match(r"\d{3} ", pattern) and seen[:3] == pattern[:3]):
                raise AssertionError("wanted: %s\nseen:   %s" % (pattern, seen))

    def receive(self):
        """One line without its CRLF; None at the end."""
        while b"\n" not in self.buffer:
            self.line.settimeout(postroad.PATIENCE)
            try:
                data = self.line.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return self.buffer.decode(errors="replace") if self.buffer else None
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        text = line.decode("utf-8", "replace").removesuffix("\r")
        self.lines.append("S: " + text)
        return text


class CloseSystems(unittest.TestCase):
    """After the last dialogue: the systems end, and none of them crashed."""

    def __init__(self, systems):
        super().__init__("end_without_a_crash")
        self.systems = systems

    def id(self):
        return "talk.end_without_a_crash"

    def end_without_a_crash(self):
        trouble = []
        for system in self.systems.values():
            try:
                system.close()
            except AssertionError as e:
                trouble.append("%s\n%s" % (e, system.story()))
        self.assertEqual(trouble, [])


def suite(paths):
    systems = {}
    tests = unittest.TestSuite(Talk(Dialogue(path), systems) for path in paths)
    tests.addTest(CloseSystems(systems))
    return tests
