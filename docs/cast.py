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
from typing import Any, Callable

from recorder import Recorder, faults, screen_at

COLUMNS, ROWS = 120, 34
TITLE = "trainyard: from data to a live model and back, in one terminal"
# Seconds and bytes.
LONGEST, LARGEST = 100, 700_000
ESCAPE, ENTER, LEFT, DOWN, SHIFT_LEFT = "\x1b", "\r", "\x1b[D", "\x1b[B", "\x1b[1;2D"
CONTROL_N, CONTROL_T = "\x0e", "\x14"


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
    chain(demo)
    next_batch(demo)
    looks(demo)
    bad_release(demo)
    walk(demo)
    past(demo)
    demo.press("q", "q · leave; without the demo the daemon would go on, and the app anyway", pause=1.5)


def has_passed(run: int, release: int) -> Callable[[str], Any]:
    """Whether the board shows that run as passed and that release as live."""
    return re.compile(rf"Pipeline · run {run} ·.* passed.*Release {release} · model", re.DOTALL).search


def chain(demo: Recorder) -> None:
    demo.say("the first data are registered, and by themselves follow train → test → build → deploy")
    demo.until("the first run", lambda text: "running" in text)
    demo.hear(4)
    demo.until("the first release", has_passed(1, 1), speed=4)
    demo.say("release 1 is live; the demo asks it for predictions, and its charts begin to move")
    demo.until("charts", re.compile("latency +[▁-█]").search, speed=2)
    demo.hear(3)


def next_batch(demo: Recorder) -> None:
    demo.press("B", "B · register the next batch of data: a new model is trained, tested, packed and deployed")
    demo.until("the second run", lambda text: "run 2" in text)
    demo.press("3", "3 · its log, while it is written", stay=2)
    demo.press("1", "1 · the board")
    demo.until("the second release", has_passed(2, 2), speed=4)
    demo.say("release 2 has taken over, and no request has failed")
    demo.hear(3)


def looks(demo: Recorder) -> None:
    demo.press("2", "2 · runs", stay=1)
    demo.press("c", "c · the last run beside the one before: data, durations, metrics", stay=2.5)
    demo.press(ESCAPE)
    demo.press("3", "3 · the log")
    demo.press("a", "a · all stages of the run on one time line", stay=0.5)
    demo.press("/", "/ · search all of it")
    demo.type("accuracy")
    demo.press(ENTER)
    demo.press("n", "n · the next match", stay=1)
    demo.press("f", "f · follow the end again")
    demo.press("4", "4 · models", stay=1)
    demo.press("b", "b · what was tried", stay=1.5)
    demo.press("i", "i · what each column is worth", stay=1.5)
    demo.press("o", "o · which classes were taken for which", stay=1.5)
    demo.press("6", "6 · metrics, with a mark for each deploy", stay=1.5)
    demo.press(LEFT, "← · the crosshair reads all charts at one moment")
    for _ in range(3):
        demo.press(LEFT, pause=0.3)
    demo.hear(1)
    demo.press(ESCAPE)


def bad_release(demo: Recorder) -> None:
    demo.press("1")
    demo.press("E", "E · a bad release: its model demands a column that clients do not send")
    demo.until("the third run", lambda text: "run 3" in text)
    demo.hear(1)
    demo.until("the bad release", has_passed(3, 3), speed=4)
    demo.say("all tests passed, and it is live; now it refuses its clients")
    demo.hear(2)
    demo.until("the alert", lambda text: "alert ErrorRate fires" in text, speed=4)
    demo.say("the alert ErrorRate fires, and the release before comes back by itself")
    demo.until("the way back", has_passed(4, 4))
    demo.hear(3)
    demo.press("7", "7 · events tell the story", stay=3)


def walk(demo: Recorder) -> None:
    demo.press("5", "5 · releases, and among them the bad one")
    demo.press(DOWN, stay=1)
    for made_by in ("what made it: its image", "its tests", "its model", "its run"):
        demo.press(",", f", · {made_by}", pause=0.2, stay=1)
    demo.press(".", ". · and the same way forward", pause=0.2, stay=1.5)


def past(demo: Recorder) -> None:
    demo.press("1")
    demo.press(CONTROL_T, "Ctrl-T · the line of time: what happened when", stay=1.5)
    for _ in range(3):
        demo.press(SHIFT_LEFT, "Shift-← · back by deploys", pause=0.3, stay=0.4)
    demo.press(ENTER, "Enter · everything as it was at that moment", stay=2.5)
    demo.press(CONTROL_N, "Ctrl-N · back to now", stay=1.5)


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
    try:
        course(demo)
    except BaseException:
        # What it started is stopped before the folder goes.
        demo.hang_up()
        raise
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
