"""Runs a program in a real pseudo-terminal, presses keys as a person would, and keeps what it sends as an asciicast (version 2,
https://docs.asciinema.org/manual/asciicast/v2/). Standard library only.

The row below the program's screen is the recorder's own: it says which key is pressed and what for. Questions that the program
asks its terminal are answered here and left out, or the terminal of whoever plays the recording would answer them.
"""

import codecs
import errno
import fcntl
import json
import os
import pty
import re
import select
import struct
import termios
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

from emulator import Terminal, whole

# Nothing is to be seen for longer than that.
IDLE = 2.0
# Between two letters that somebody types, and before a key that somebody thinks about.
LETTER, THOUGHT = 0.09, 0.5
# No wait is longer; in seconds of the clock on the wall.
PATIENCE = 240
# What only the terminal of the moment can answer, and the clipboard, which is nobody else's business.
PRIVATE = re.compile(
    r"\x1b\]1[01];\?(?:\x07|\x1b\\)|\x1b\[\?\d+\$p|\x1b\[[>=]?0?[cq]|\x1b\[[56]n|\x1bP\+q[0-9A-Fa-f;]*\x1b\\"
    r"|\x1b\]52;[^\x07\x1b]*(?:\x07|\x1b\\)"
)
# A dark ground, frames that are held back until they are whole, and a terminal of the usual kind.
ANSWERS = b"\x1b]11;rgb:1010/1515/1c1c\x1b\\\x1b[?2026;2$y\x1b[?62;22c"
# The colours of the pictures.
THEME = {
    "fg": "#c8d1dc",
    "bg": "#10151c",
    "palette": "#1c232d:#f0787c:#7fc98f:#e3b566:#5fa8d3:#c792ea:#6fc3df:#c8d1dc:"
    "#74808f:#ff9b9e:#a3e0b0:#f2cf8f:#8fc7e8:#dcb3f5:#97dcf0:#f2f6fa",
}


class Recorder:
    """A program in a terminal, and the recording of it."""

    def __init__(self, columns: int, rows: int, title: str) -> None:
        self.size = (columns, rows)
        self.header = {
            "version": 2,
            "width": columns,
            "height": rows + 1,
            "idle_time_limit": IDLE,
            "title": title,
            "env": {"TERM": "xterm-256color", "SHELL": "/bin/sh"},
            "theme": THEME,
        }
        self.events: list[tuple[float, str, str]] = []
        self.terminal = Terminal(columns, rows + 1)
        self.caption = ""
        # How much faster than the clock on the wall the recording goes.
        self.speed = 1
        # Where the recording is, and when that was by the clock on the wall.
        self.shown, self.seen = 0.0, time.monotonic()
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.pending = ""
        self.process = self.master = -1

    def start(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        """Starts a program."""
        columns, rows = self.size
        process, master = pty.fork()
        if process == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        self.process, self.master = process, master

    def advance(self) -> None:
        """Lets the recording catch up with the clock on the wall."""
        now = time.monotonic()
        self.shown += min((now - self.seen) / self.speed, IDLE)
        self.seen = now

    def pause(self, seconds: float) -> None:
        """Lets time pass in the recording only."""
        self.advance()
        self.shown += seconds

    def keep(self, kind: str, data: str) -> None:
        self.advance()
        # Several short waits, with a pause between them, are one wait to whoever looks.
        last = self.events[-1][0] if self.events else 0.0
        self.shown = min(self.shown, last + IDLE)
        self.events.append((round(self.shown, 3), kind, data))

    def show(self, text: str) -> None:
        """Shows something, from the program or not."""
        self.terminal.feed(text)
        self.keep("o", text)

    def say(self, caption: str) -> None:
        """Says something in the row below the program's screen."""
        self.caption = caption
        columns, rows = self.size
        speed = f"{self.speed} × as fast " if self.speed > 1 else ""
        text = f" {caption}".ljust(columns - len(speed))[: columns - len(speed)] + speed
        self.show(f"\x1b7\x1b[{rows + 1};1H\x1b[0;7m{text}\x1b[0m\x1b8")

    def hear(self, seconds: float) -> bool:
        """Takes in what the program sends for so long; false once it has ended."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([self.master], [], [], left)
            if ready and not self.take():
                return False
        return True

    def take(self) -> bool:
        try:
            read = os.read(self.master, 1 << 16)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return False
        self.pending += self.decoder.decode(read)
        length = whole(self.pending)
        text, self.pending = self.pending[:length], self.pending[length:]
        if "\x1b[c" in text:
            os.write(self.master, ANSWERS)
        text = PRIVATE.sub("", text)
        if text:
            self.show(text)
        if "\x1b[2J" in text and 1049 in self.terminal.modes:
            self.say(self.caption)
        return bool(read)

    def press(self, keys: str, caption: str = "", pause: float = THOUGHT, stay: float = LETTER) -> None:
        """Presses one key, after a moment of thought and having said what for, and looks for a while at what comes of it."""
        if caption:
            self.say(caption)
            self.keep("m", caption)
        self.hear(pause)
        os.write(self.master, keys.encode())
        self.hear(stay)

    def type(self, text: str) -> None:
        """Types letters as a person would."""
        for letter in text:
            self.press(letter, pause=LETTER)

    def until(self, what: str, shows: Callable[[str], Any], speed: int = 1) -> None:
        """Waits for something on the screen, with the time made short if it is long."""
        self.advance()
        self.speed = speed
        if speed > 1:
            self.say(self.caption)
        deadline = time.monotonic() + PATIENCE
        while not shows(self.terminal.text()):
            if not self.hear(0.1) or time.monotonic() > deadline:
                raise SystemExit(f"waited in vain for {what}; the screen shows\n{self.terminal.text()}")
        self.advance()
        self.speed = 1
        if speed > 1:
            self.say(self.caption)

    def end(self) -> int:
        """Waits until the program has ended; its exit code."""
        while self.hear(1):
            pass
        return self.hang_up()

    def hang_up(self) -> int:
        """Takes the terminal away, and waits until the program has ended; its exit code."""
        os.close(self.master)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

    def lines(self) -> Iterator[str]:
        """The recording as it is written."""
        for line in [self.header, *(list(event) for event in self.events)]:
            yield json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"


def read(path: Path) -> tuple[dict[str, Any], list[tuple[float, str, str]]]:
    """The header and the events of a recording."""
    header, *events = [json.loads(line) for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n")]
    return header, [(float(at), str(kind), str(data)) for at, kind, data in events]


def faults(path: Path, names: list[str], longest: float, largest: int) -> Iterator[str]:
    """What is wrong with a recording; `names` must be seen nowhere in it."""
    header, events = read(path)
    if header.get("version") != 2 or not header.get("width") or not header.get("height"):
        yield f"its header is not one of version 2: {header}"
        return
    if path.stat().st_size > largest:
        yield f"it is larger than {largest} bytes: {path.stat().st_size}"
    if not events or events[-1][0] > longest:
        yield f"it lasts longer than {longest} s: {events[-1][0] if events else 'no event'}"
    terminal = Terminal(header["width"], header["height"])
    before, was_taken, last = set(terminal.modes), False, 0.0
    told: set[str] = set()
    # A short name may be part of a word.
    patterns = {name: re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])") for name in names}
    for at, kind, data in events:
        if not last <= at <= last + IDLE + 0.01:
            yield f"time goes from {last} to {at}"
        last = at
        if kind == "o":
            if found := PRIVATE.search(data):
                yield f"at {at} a terminal is asked: {found.group()!r}"
            terminal.feed(data)
            was_taken = was_taken or 1049 in terminal.modes
            text = terminal.text() + data
            told.update(name for name, pattern in patterns.items() if pattern.search(text))
        elif kind != "m":
            yield f"at {at} is an event of the unknown kind {kind!r}"
    yield from (f"it names {name!r}" for name in sorted(told))
    if not was_taken:
        yield "no screen is seen"
    if terminal.modes != before:
        yield f"it leaves the terminal with other modes: {sorted(terminal.modes ^ before)}"


def screen_at(path: Path, seconds: float) -> Optional[str]:
    """What is seen at that time, as ansi_to_svg.py takes it."""
    header, events = read(path)
    terminal = Terminal(header["width"], header["height"])
    for at, kind, data in events:
        if at > seconds:
            break
        if kind == "o":
            terminal.feed(data)
    return terminal.ansi()
