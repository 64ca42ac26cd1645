"""Drives a screen in a pseudo-terminal and prints one row of benches/attach.sh: bytes a second and the time from key to screen."""

import argparse
import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import termios
import time

COLUMNS, ROWS = 120, 40
PATIENCE = 60.0
# A screen on which nothing comes for so long has come to rest; longer than a round trip.
REST = 0.6


class Screen:
    def __init__(self, command):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            # Before the program comes, for it asks only once.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.execvp(command[0], command)
        self.seen = b""

    def hear(self, until):
        """Takes in what comes next; false if nothing comes until then."""
        ready, _, _ = select.select([self.terminal], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self.terminal, 1 << 16)
        except OSError:
            data = b""
        if not data:
            sys.exit(f"the screen ended: {self.seen[-2000:].decode(errors='replace')}")
        self.seen = (self.seen + data)[-(1 << 20):]
        return True

    def rest(self, length=REST):
        deadline = time.monotonic() + PATIENCE
        while self.hear(time.monotonic() + length):
            if time.monotonic() > deadline:
                sys.exit("the screen does not come to rest")

    def listen(self, length):
        until = time.monotonic() + length
        while self.hear(until):
            pass

    def press(self, keys):
        self.seen = b""
        os.write(self.terminal, keys)
        return time.monotonic()

    def wait_for(self, text):
        deadline = time.monotonic() + PATIENCE
        while text not in self.seen:
            if not self.hear(deadline):
                sys.exit(f"waited in vain for {text!r}: {self.seen[-2000:].decode(errors='replace')}")

    def time_to(self, keys, text):
        """Milliseconds from a key to a text on the screen; without a text, to anything."""
        begun = self.press(keys)
        if text:
            self.wait_for(text)
        elif not self.hear(begun + PATIENCE):
            sys.exit(f"nothing followed the key {keys!r}")
        took = (time.monotonic() - begun) * 1000
        self.rest()
        return took


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--project", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--keys", type=int, required=True)
    parser.add_argument("--counters", nargs="+", required=True)
    parser.add_argument("command", nargs="+")
    wanted = parser.parse_args()

    def bytes_passed():
        return sum(int(open(counter).read()) for counter in wanted.counters)

    def rate(screen):
        before, begun = bytes_passed(), time.monotonic()
        screen.listen(wanted.seconds)
        return (bytes_passed() - before) / (time.monotonic() - begun)

    def trainyard(*words):
        subprocess.run([wanted.program, "-C", wanted.project, *words], check=True, stdout=subprocess.DEVNULL)

    # The log whose two ends are looked at is that of the last run.
    trainyard("run", "story", "--only", "--wait")
    screen = Screen(wanted.command)
    screen.wait_for(b"detach")
    screen.listen(3)

    # Views on which nothing happens by itself, so that whatever comes next is the answer to a key.
    screen.press(b"2")
    screen.rest()
    idle = rate(screen)
    views = []
    for _ in range(wanted.keys):
        views.append(screen.time_to(b"7", None))
        screen.time_to(b"2", None)

    screen.press(b"1")
    screen.listen(2)
    screen.press(b"3")
    screen.rest()
    screen.press(b"G")
    screen.rest()
    ends = []
    for _ in range(wanted.keys):
        ends.append(screen.time_to(b"g", b"QQQQQQQQ"))
        ends.append(screen.time_to(b"G", b"zzzzzzzz"))

    screen.press(b"1")
    trainyard("run", "noisy", "--only")
    screen.listen(3)
    screen.press(b"3")
    screen.listen(3)
    busy = rate(screen)
    trainyard("cancel")

    screen.press(b"6")
    screen.listen(5)
    charts = rate(screen)
    screen.press(b"q")
    os.waitpid(screen.pid, 0)

    def shown(times):
        times = sorted(times)
        return f"{statistics.median(times):.0f} ({times[int(len(times) * 0.9)]:.0f})"

    print(f"{wanted.name:<22} {idle:>10.0f} {busy:>10.0f} {charts:>10.0f} {shown(views):>16} {shown(ends):>16}", flush=True)


main()
