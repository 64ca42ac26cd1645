"""Asks the daemon, and the screen, for parts of a large log and prints how long each takes; for benches/large_log.sh."""

import argparse
import glob
import http.client
import json
import re
import socket
import statistics
import sys
import time
import urllib.parse

from screen import Screen, keys_of


class Daemon(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("daemon")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, path, **query):
        self.request("GET", f"{path}?{urllib.parse.urlencode(query)}")
        answer = self.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"{path} {query}: {answer.status} {text[:300]}")
        return json.loads(text)


def timed(action):
    begun = time.monotonic()
    result = action()
    return (time.monotonic() - begun) * 1000, result


def row(what, times, note=""):
    times = sorted(times)
    print(f"  {what:<34} {statistics.median(times):>10.1f} ms   at the most {times[-1]:>10.1f} ms   {note}")


def memory(pid, what):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(what)) / 1024


def steps(ask):
    """Asks on and on, as a screen does; the answers, and the longest time of one step."""
    answers, longest, at = [], 0.0, 0
    while at is not None:
        took, answer = timed(lambda: ask(at))
        longest = max(longest, took)
        answers.append(answer)
        at = None if answer.get("hit") is not None else answer["next"]
    return answers, longest


def requests(asked, project, log):
    paths = glob.glob(f"{asked.runtime}/**/daemon.sock", recursive=True)
    if len(paths) != 1:
        sys.exit(f"the daemon's socket was not found below {asked.runtime}: {paths}")
    daemon = Daemon(paths[0])
    pid = json.load(open(f"{project}/.trainyard/daemon.json"))["pid"]
    took, tail = timed(lambda: daemon.ask(log, count=80))
    row("the very first window, the end", [took], f"{tail['total']} lines")
    total = tail["total"]
    middle = total // 2
    first, last = tail["lines"][0]["at"], tail["lines"][-1]["at"]
    begin = daemon.ask(log, first=0, count=1)["lines"][0]["at"]
    rounds = range(asked.rounds)
    row("the end", [timed(lambda: daemon.ask(log, count=80))[0] for _ in rounds])
    row("the beginning", [timed(lambda: daemon.ask(log, first=0, count=120))[0] for _ in rounds])
    # Never the same place twice.
    places = [middle + number * 977 % max(1, total // 3) for number in rounds]
    row("a window in the middle", [timed(lambda: daemon.ask(log, first=at, count=120))[0] for at in places])
    moments = [begin + (last - begin) * number // asked.rounds for number in rounds]
    row("the line of a moment", [timed(lambda: daemon.ask(f"{log}/line", at=at))[0] for at in moments])
    row("the log as it was at a moment",
        [timed(lambda: daemon.ask(f"/v1/past{log.removeprefix('/v1')}", at=at, count=80))[0] for at in moments])
    took, (answers, longest) = timed(
        lambda: steps(lambda at: daemon.ask(f"{log}/search", pattern="needle", **{"from": at}, backward="false"))
    )
    row("a search to the middle", [took], f"{len(answers)} steps, the longest {longest:.1f} ms, line {answers[-1]['hit']}")
    for pattern in ["needle", "mille", "x"]:
        took, (answers, longest) = timed(lambda: steps(lambda at: daemon.ask(f"{log}/scan", pattern=pattern, **{"from": at})))
        rows = sum(stretch["rows"] for answer in answers for stretch in answer["stretches"])
        row(f"all lines with {pattern!r}", [took], f"{rows} rows, {len(answers)} steps, the longest {longest:.1f} ms")
    print(f"  memory of the daemon: {memory(pid, 'VmRSS:'):.1f} MiB, at the most {memory(pid, 'VmHWM:'):.1f} MiB")


def screen(asked, project, log):
    screen = Screen([asked.program, "-C", project])
    screen.wait_for("q detach")

    def shows(keys, text):
        begun = time.monotonic()
        screen.press(keys_of(keys))
        came = screen.wait_for(text)
        screen.listen(0.3)
        return (came - begun) * 1000

    total = asked.lines
    row("screen: the log from the Board", [shows("3", rf"(?s)Log . {re.escape(asked.stage)} . run.*(INFO|####)")])
    # Of the others all lines are on the screen at once.
    if total > 1_000:
        end, half = f"{total:09d} INFO", f"{total // 2 + 1:09d} INFO"
        times = [shows(key, text) for _ in range(asked.rounds) for key, text in [("g", "000000001 INFO"), ("G", end)]]
        row("screen: to its beginning, to its end", times)
        times = [shows(keys, text) for _ in range(asked.rounds) for keys, text in [(r"@50%\r", half), ("g", "000000001 INFO")]]
        row("screen: to half of it and back", times)
        row("screen: a search to the middle", [shows(r"/needle\r", "INFO needle")])
    screen.listen(3)
    print(f"  memory of the screen: {screen.memory():.1f} MiB")
    screen.end()


def main():
    parser = argparse.ArgumentParser()
    for name in ["--program", "--project", "--runtime", "--stage", "--run"]:
        parser.add_argument(name, required=True)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--lines", type=int, default=0, help="how many the log has, as its lines say")
    parser.add_argument("what", choices=["requests", "screen"])
    asked = parser.parse_args()
    log = f"/v1/logs/{asked.run}/{asked.stage}/1"
    {"requests": requests, "screen": screen}[asked.what](asked, asked.project, log)


main()
