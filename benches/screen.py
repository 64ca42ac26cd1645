"""Drives a program of the terminal in a pseudo-terminal and prints one number for benches/screen.sh.

The terminal answers what real ones answer (device attributes, the colour of the background), so that no program waits for an
answer in vain, and keeps the cells, so that a text is found however it was sent.
"""

import argparse
import fcntl
import os
import pty
import queue
import re
import signal
import statistics
import struct
import sys
import termios
import threading
import time
import unicodedata

COLUMNS, ROWS = 120, 40
PATIENCE = 120.0
# So long nothing comes before what came is looked at, and so long at most that is put off.
PAUSE, LONGEST = 0.02, 0.06
# Nothing for so long: the program has come to rest, or what it shows goes on for ever.
REST = 1.0
# An escape alone is none of these: what belongs to it comes with the next piece.
SEQUENCE = re.compile(
    rb"\x1b\[([0-9;:?<=>]*)[ -/]*([@-~])|\x1b[\]PX^_].*?(?:\x07|\x1b\\)|\x1b[ -/]*[0-Z\\^-~]|[\x00-\x1a\x1c-\x1f]", re.DOTALL
)
ANSWERS = [(b"\x1b[c", b"\x1b[?62;22c"), (b"\x1b[0c", b"\x1b[?62;22c"), (b"\x1b]11;?", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
           (b"\x1b[6n", b"\x1b[1;1R")]


class Cells:
    """As much of a terminal as is needed to know what stands on it."""

    def __init__(self):
        self.rows = [[" "] * COLUMNS for _ in range(ROWS)]
        self.row = self.column = 0
        self.rest = b""

    def text(self):
        return "\n".join("".join(row) for row in self.rows)

    def take(self, data):
        data = self.rest + data
        at = 0
        for found in SEQUENCE.finditer(data):
            self.write(data[at : found.start()].decode(errors="ignore"))
            self.obey(found)
            at = found.end()
        # What may go on in the next piece.
        begun = data.rfind(b"\x1b", at)
        end = begun if begun >= 0 and len(data) - begun < 4096 else len(data)
        self.write(data[at:end].decode(errors="ignore"))
        self.rest = data[end:]

    def write(self, text):
        is_plain = text.isascii()
        for letter in text:
            wide = 1 if is_plain else 0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
            if not wide:
                continue
            if self.column + wide > COLUMNS:
                self.column = 0
                self.down()
            self.rows[self.row][self.column] = letter
            if wide == 2 and self.column + 1 < COLUMNS:
                self.rows[self.row][self.column + 1] = ""
            self.column += wide

    def down(self):
        if self.row + 1 < ROWS:
            self.row += 1
        else:
            self.rows.append([" "] * COLUMNS)
            del self.rows[0]

    def obey(self, found):
        whole, end = found.group(0), found.group(2)
        if whole == b"\n":
            self.down()
        elif whole == b"\r":
            self.column = 0
        elif whole == b"\b":
            self.column = max(0, self.column - 1)
        if end is None:
            return
        numbers = [int(part) for part in re.findall(rb"\d+", found.group(1))]
        first = numbers[0] if numbers else 0
        second = numbers[1] if len(numbers) > 1 else 0
        step = max(1, first)
        if end in b"Hf":
            self.row, self.column = min(ROWS, max(1, first)) - 1, min(COLUMNS, max(1, second)) - 1
        elif end == b"A":
            self.row = max(0, self.row - step)
        elif end == b"B":
            self.row = min(ROWS - 1, self.row + step)
        elif end == b"C":
            self.column = min(COLUMNS - 1, self.column + step)
        elif end == b"D":
            self.column = max(0, self.column - step)
        elif end == b"G":
            self.column = min(COLUMNS, step) - 1
        elif end == b"d":
            self.row = min(ROWS, step) - 1
        elif end == b"J":
            first_row = 0 if first >= 2 else self.row
            for row in range(first_row, ROWS):
                self.rows[row] = [" "] * COLUMNS
        elif end == b"K":
            begin, stop = (self.column, COLUMNS) if first == 0 else (0, self.column + 1) if first == 1 else (0, COLUMNS)
            self.rows[self.row][begin:stop] = [" "] * (stop - begin)
        elif end == b"X":
            stop = min(COLUMNS, self.column + step)
            self.rows[self.row][self.column : stop] = [" "] * (stop - self.column)


class Screen:
    """A program in a terminal. A thread of its own reads, so that what is slow here is not measured as the program's."""

    def __init__(self, command):
        self.cells, self.received = Cells(), 0
        self.pieces = queue.SimpleQueue()
        self.begun = time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LC_ALL="C.UTF-8")
            os.execvp(command[0], command)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            try:
                data = os.read(self.terminal, 1 << 16)
            except OSError:
                data = b""
            self.pieces.put((time.monotonic(), data))
            if not data:
                return
            for question, answer in ANSWERS:
                if question in data:
                    os.write(self.terminal, answer)

    def piece(self, patience):
        """The next piece and when it came; None if none comes for so long."""
        try:
            return self.pieces.get(timeout=max(0.0, patience))
        except queue.Empty:
            return None

    def take(self, data):
        if not data:
            sys.exit("the program ended: " + self.cells.text()[-500:].strip())
        self.received += len(data)
        self.cells.take(data)

    def wait_for(self, pattern, gone=False):
        """When what shows it, or shows it no more, came. Only in a pause it is looked at, or the looking would be measured."""
        deadline = time.monotonic() + PATIENCE
        came = time.monotonic() if bool(re.search(pattern, self.cells.text())) != gone else None
        while came is None:
            piece = self.piece(deadline - time.monotonic())
            if piece is None:
                sys.exit(f"waited in vain for {pattern!r}:\n{self.cells.text()}")
            pieces, until = [piece], time.monotonic() + LONGEST
            while time.monotonic() < until and (piece := self.piece(PAUSE)) is not None:
                pieces.append(piece)
            for at, data in pieces:
                self.take(data)
                if came is None and bool(re.search(pattern, self.cells.text())) != gone:
                    came = at
        return came

    def listen(self, length):
        before, until = self.received, time.monotonic() + length
        while (left := until - time.monotonic()) > 0 and (piece := self.piece(left)) is not None:
            self.take(piece[1])
        return self.received - before

    def press(self, keys):
        os.write(self.terminal, keys)

    def family(self):
        """This process and all that it has started."""
        parents = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat") as file:
                    parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                pass
        found = {self.pid}
        while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
            found |= more
        return found

    def ticks(self):
        with open(f"/proc/{self.pid}/stat") as file:
            return sum(int(field) for field in file.read().rpartition(")")[2].split()[11:13])

    def memory(self):
        with open(f"/proc/{self.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024

    def end(self):
        for pid in self.family():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.waitpid(self.pid, 0)
        # A number that is closed too early may be that of the next terminal.
        self.reader.join()
        os.close(self.terminal)


def keys_of(text):
    return text.encode().decode("unicode_escape").encode("latin-1")


def main():
    parser = argparse.ArgumentParser(usage="%(prog)s WHAT OPTIONS -- COMMAND")
    parser.add_argument("what", choices=["first", "idle", "key", "memory"])
    parser.add_argument("--ready", required=True, help="what stands on the screen once it is of use")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--before", default="", help="keys that lead to what is measured")
    parser.add_argument("--then", default="", help="what stands on the screen after them")
    parser.add_argument("--key", default="", help="the key that is measured")
    parser.add_argument("--shows", default="", help="what it shows")
    parser.add_argument("--back", default="", help="the key that takes it away")
    # A rest that argparse gathers would begin at the first option.
    begin = sys.argv.index("--")
    asked, command = parser.parse_args(sys.argv[1:begin]), sys.argv[begin + 1 :]

    if asked.what == "first":
        times = []
        for _ in range(asked.rounds):
            screen = Screen(command)
            times.append((screen.wait_for(asked.ready) - screen.begun) * 1000)
            screen.end()
        print(f"{statistics.median(times):.1f}")
        return

    screen = Screen(command)
    screen.wait_for(asked.ready)
    if asked.before:
        screen.press(keys_of(asked.before))
    if asked.then:
        screen.wait_for(asked.then)
    if asked.what == "idle":
        screen.listen(3)
        ticks = screen.ticks()
        received = screen.listen(asked.seconds)
        share = 100 * (screen.ticks() - ticks) / os.sysconf("SC_CLK_TCK") / asked.seconds
        print(f"{share:.2f} {received}")
    elif asked.what == "key":
        # Some take no key while they start.
        screen.listen(REST)
        times = []
        for _ in range(asked.rounds):
            begun = time.monotonic()
            screen.press(keys_of(asked.key))
            times.append((screen.wait_for(asked.shows) - begun) * 1000)
            screen.press(keys_of(asked.back))
            screen.wait_for(asked.shows, gone=True)
            screen.listen(0.2)
        times.sort()
        print(f"{statistics.median(times):.1f} {times[-1]:.1f}")
    else:
        screen.listen(REST * 5)
        print(f"{screen.memory():.1f}")
    screen.end()


if __name__ == "__main__":
    main()
