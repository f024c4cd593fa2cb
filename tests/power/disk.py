"""disk - a forgetfs that is mounted for as long as a "with" lasts; see forgetfs.c for what it can be told"""
import contextlib
import mmap
import os
import struct
import subprocess

MODELS = ["ext4", "ext4-random", "perfile", "strict", "random", "split"]
SEEDLESS = {"perfile", "strict"}        # what was not synced is lost: one image a change


class Disk:
    def __init__(self, build, directory, tmpfile=True):
        self.path, self.has_tmpfile = os.path.join(directory, "disk"), tmpfile
        os.makedirs(self.path)
        position = os.path.join(directory, "position")
        program = [os.path.join(build, "tests/power/forgetfs")] + ([] if tmpfile else ["-n"])
        self.process = subprocess.Popen(program + [self.path, position], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, start_new_session=True)
        answer = self.process.stdout.readline()
        if answer != "ok mounted\n":
            raise OSError("forgetfs did not start: " + answer)
        with open(position, "r+b") as f:
            self.counter = mmap.mmap(f.fileno(), 8)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def tell(self, *words):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer.startswith("ok"):
            raise OSError("forgetfs: %s: %s" % (" ".join(map(str, words)), answer or "it is gone"))
        return answer[3:]

    @property
    def position(self):
        """How many changes there were until now."""
        return struct.unpack("Q", self.counter[:8])[0]

    def keep(self):
        return int(self.tell("keep"))

    def image(self, at, model, seed):
        return self.tell("image", at, model, seed)

    def describe(self, at):
        return self.tell("describe", at)
