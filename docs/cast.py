#!/usr/bin/env python3
"""Records the demo as docs/demo.cast, checks the recording, or shows one moment of it. Run by cast.sh; standard library only.

    python3 docs/cast.py record --program target/release/trainyard --folder /srv demo.cast
    python3 docs/cast.py check docs/demo.cast --names "$(uname -n)"
    python3 docs/cast.py show docs/demo.cast 42 | python3 docs/ansi_to_svg.py > moment.svg
"""

import argparse
import os
import re
import sys
from pathlib import Path

from recorder import Recorder, faults, screen_at

COLUMNS, ROWS = 120, 34
TITLE = "trainyard: from data to a live model and back, in one terminal"
# Seconds and bytes.
LONGEST, LARGEST = 100, 700_000
ESCAPE, ENTER, LEFT, RIGHT, UP, DOWN = "\x1b", "\r", "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"
SHIFT_LEFT, CONTROL_N, CONTROL_T = "\x1b[1;2D", "\x0e", "\x14"


def prompt(demo: Recorder, command: str) -> None:
    """What somebody types into a shell, which is not there."""
    demo.show("$ ")
    for letter in command:
        demo.pause(0.06)
        demo.show(letter)
    demo.pause(0.6)
    demo.show("\r\n")


def course(demo: Recorder) -> None:
    """What is pressed, in the order of the story."""


def record(arguments: argparse.Namespace) -> None:
    demo = Recorder(COLUMNS, ROWS, TITLE)
    environment = {
        **os.environ,
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TRAINYARD_THEME": "dark",
        "TRAINYARD_OPERATOR": "operator",
    }
    # What is around this terminal is not around the recorded one.
    for name in ("TMUX", "STY", "SSH_TTY", "SSH_CONNECTION", "NO_COLOR", "COLORFGBG", "TERM_PROGRAM"):
        environment.pop(name, None)
    prompt(demo, "trainyard demo --dir wine-quality")
    command = [arguments.program, "demo", "--dir", "wine-quality", "--port", str(arguments.port)]
    demo.start(command, Path(arguments.folder), environment)
    course(demo)
    code = demo.end()
    demo.pause(0.5)
    demo.show("$ ")
    demo.pause(1.5)
    demo.show("")
    Path(arguments.file).write_text("".join(demo.lines()), encoding="utf-8")
    if code != 0:
        raise SystemExit(f"the demo ended with {code}")


def check(arguments: argparse.Namespace) -> None:
    found = list(faults(Path(arguments.file), arguments.names, LONGEST, LARGEST))
    if found:
        raise SystemExit("\n".join([f"{arguments.file} is not as it should be:", *found]))
    print(f"{arguments.file} is as it should be")


def show(arguments: argparse.Namespace) -> None:
    sys.stdout.write(screen_at(Path(arguments.file), arguments.seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    ways = parser.add_subparsers(required=True)
    way = ways.add_parser("record")
    way.add_argument("--program", required=True)
    way.add_argument("--folder", required=True, help="where the folder of the demo is made")
    way.add_argument("--port", type=int, default=18080)
    way.set_defaults(do=record)
    way.add_argument("file")
    way = ways.add_parser("check")
    way.add_argument("file")
    way.add_argument("--names", nargs="*", default=[], help="what must be seen nowhere in it")
    way.set_defaults(do=check)
    way = ways.add_parser("show")
    way.add_argument("file")
    way.add_argument("seconds", type=float)
    way.set_defaults(do=show)
    arguments = parser.parse_args()
    arguments.do(arguments)


if __name__ == "__main__":
    main()
