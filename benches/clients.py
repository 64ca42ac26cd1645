"""Eight clients on one daemon under a flood of log lines; prints the tables of benches/clients.sh."""

import argparse
import fcntl
import itertools
import json
import os
import pathlib
import pty
import selectors
import signal
import socket
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time

COLUMNS, ROWS = 120, 40
CLIENTS = 8
PATIENCE = 300.0
# More events than the daemon keeps for those who lag (4096), and than fit into what lies between.
EVENTS = 6000
LOG = b"3"
RUN = {"run": {"from": "flood", "only": True, "force": True}}
NUMBERS = itertools.count()


def until(what, found, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while not (value := found()):
        if time.monotonic() > deadline:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.02)
    return value


class Daemon:
    """What is asked of the daemon over its socket, and what the kernel says of its process."""

    def __init__(self, project, runtime):
        self.pid = json.loads((project / ".trainyard/daemon.json").read_text())["pid"]
        self.socket = next(runtime.glob("trainyard/*/daemon.sock"))

    def connect(self):
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.connect(str(self.socket))
        return stream

    def ask(self, method, path, body=None):
        stream = self.connect()
        text = json.dumps(body).encode() if body is not None else b""
        head = f"{method} /v1/{path} HTTP/1.1\r\nhost: daemon\r\nconnection: close\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
        stream.sendall(head.encode() + text)
        answer = b""
        while piece := stream.recv(1 << 16):
            answer += piece
        stream.close()
        return json.loads(answer.split(b"\r\n\r\n", 1)[1])

    def sequence(self):
        return self.ask("GET", "hello")["sequence"]

    def attached(self):
        return len(self.ask("GET", "snapshot")["live"]["operators"])

    def memory(self, what):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) / 1024
        sys.exit(f"the kernel does not tell {what}")

    def forget_the_highest(self):
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")


class Relay(threading.Thread):
    """Stands between a screen and the daemon, at the place where the screen looks, and counts what the daemon sends."""

    def __init__(self, daemon, folder):
        super().__init__(daemon=True)
        self.real, self.sent, self.folder = daemon.socket, 0, folder
        # As the screen finds it, and as it must be: closed to others.
        place = folder / "trainyard" / daemon.socket.parent.name
        for path in (folder, folder / "trainyard", place):
            path.mkdir(mode=0o700)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(place / "daemon.sock"))
        self.listener.listen(64)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.start()

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    near, _ = self.listener.accept()
                    far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    far.connect(str(self.real))
                    self.selector.register(near, selectors.EVENT_READ, (far, False))
                    self.selector.register(far, selectors.EVENT_READ, (near, True))
                    continue
                other, is_answer = key.data
                if key.fileobj.fileno() < 0 or other.fileno() < 0:
                    continue
                try:
                    data = key.fileobj.recv(1 << 16)
                    other.sendall(data)
                except OSError:
                    data = b""
                if is_answer:
                    self.sent += len(data)
                if not data:
                    for end in (key.fileobj, other):
                        self.selector.unregister(end)
                        end.close()


class Screen:
    """A screen in a pseudo-terminal of its own, which a thread reads."""

    def __init__(self, number, program, project, folder):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.environ.update(
                XDG_RUNTIME_DIR=str(folder), TRAINYARD_OPERATOR=f"operator {number}", TERM="xterm-256color", LC_ALL="C.UTF-8"
            )
            os.execv(program, [program, "-C", str(project)])
        self.seen = b""
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            try:
                data = os.read(self.terminal, 1 << 16)
            except OSError:
                return
            if not data:
                return
            self.seen = (self.seen + data)[-(1 << 18):]

    def press(self, keys):
        os.write(self.terminal, keys)

    def close(self):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


class NeverReads:
    """Follows the daemon as a screen does, and reads nothing before it is told to."""

    def __init__(self, daemon):
        self.after = daemon.sequence()
        self.stream = daemon.connect()
        # What lies between is the kernel's, and small.
        self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        path = f"/v1/events?after={self.after}&session=1&view=Logs&pace=50"
        self.stream.sendall(f"GET {path} HTTP/1.1\r\nhost: daemon\r\ntrainyard-operator: never-reads\r\n\r\n".encode())

    def read(self):
        """All there is to read, and whether the last of it is that it must begin anew."""
        self.stream.settimeout(30)
        got = b""
        while b'"behind"' not in got[-4096:]:
            try:
                piece = self.stream.recv(1 << 16)
            except TimeoutError:
                break
            if not piece:
                break
            got += piece
        return len(got), b'"behind"' in got


def flood(wanted, daemon, shown):
    """Runs the stage once; how many seconds it took by its own clock. Every second screen turns to its log."""
    runs = wanted.project / ".trainyard/runs"
    for end in ("begin", "end"):
        pathlib.Path(f"{wanted.times}.{end}").unlink(missing_ok=True)
    reply = daemon.ask("POST", "commands", {"command": RUN})
    number = reply.get("Ok")
    if number is None:
        sys.exit(f"no run was started: {reply}")
    folder = runs / str(number) / "flood.1"
    until("the begin of the stage", pathlib.Path(f"{wanted.times}.begin").exists)
    for screen in shown[1::2]:
        screen.press(LOG)
    until("the end of the stage", (folder / "exit.json").exists)
    begin, end = (int(pathlib.Path(f"{wanted.times}.{end}").read_text()) for end in ("begin", "end"))
    log = folder / "log"
    if log.stat().st_size != 80 * wanted.lines:
        sys.exit(f"the log of run {number} has {log.stat().st_size} bytes and should have {80 * wanted.lines}")
    # The disk need not hold all rounds at once.
    log.unlink()
    return (end - begin) / 1e9


def flood_of_events(daemon):
    """So many commands that are refused, each of which is an event."""
    for _ in range(EVENTS):
        daemon.ask("POST", "commands", {"message": "why " * 64, "command": "unlock"})


def case(wanted, daemon, name, screens, never_reads, figures):
    relays = [Relay(daemon, wanted.runtime / f"r{next(NUMBERS)}") for _ in range(screens)]
    shown = [Screen(number, wanted.program, wanted.project, relay.folder) for number, relay in enumerate(relays)]
    silent = NeverReads(daemon) if never_reads else None
    until("everybody to be attached", lambda: daemon.attached() == screens + never_reads)
    for screen in shown:
        until("the Board", lambda screen=screen: b"detach" in screen.seen)
    time.sleep(1)
    before = daemon.memory("VmRSS")
    daemon.forget_the_highest()
    sent = [relay.sent for relay in relays]
    took = flood(wanted, daemon, shown)
    # The last of it is still on its way.
    time.sleep(1)
    figure = {
        "took": took,
        "before": before,
        "after": daemon.memory("VmRSS"),
        "peak": daemon.memory("VmHWM"),
        "sent": [relay.sent - earlier for relay, earlier in zip(relays, sent)],
    }
    if silent:
        flood_of_events(daemon)
        figure["flooded"] = daemon.memory("VmRSS")
        figure["highest"] = daemon.memory("VmHWM")
        figure["unread"], figure["is_behind"] = silent.read()
        figure["events"] = daemon.sequence() - silent.after
        silent.stream.close()
    for screen in shown:
        screen.close()
    until("everybody to be gone", lambda: daemon.attached() == 0)
    figures.setdefault(name, []).append(figure)


def main():
    parser = argparse.ArgumentParser()
    for name in ("program", "times"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("project", "runtime"):
        parser.add_argument(f"--{name}", required=True, type=pathlib.Path)
    for name in ("lines", "rounds"):
        parser.add_argument(f"--{name}", required=True, type=int)
    wanted = parser.parse_args()
    daemon = Daemon(wanted.project, wanted.runtime)
    figures = {}
    cases = [("nobody", 0, False), ("eight screens", CLIENTS, False), ("eight, one never reads", CLIENTS - 1, True)]
    for _ in range(wanted.rounds):
        for name, screens, never_reads in cases:
            case(wanted, daemon, name, screens, never_reads, figures)

    def median(name, what):
        return statistics.median(figure[what] for figure in figures[name])

    alone = median("nobody", "took")
    print(f"{wanted.lines} lines of 80 bytes, median of {wanted.rounds}; memory of the daemon in MiB, bytes sent to a client")
    print(f"{'who looks':<24} {'seconds':>8} {'ratio':>6} {'before':>8} {'after':>8} {'highest':>8} {'a Board':>10} {'a log':>10}")
    for name, screens, _ in cases:
        took = median(name, "took")
        sent = [[count for figure in figures[name] for count in figure["sent"][first::2]] for first in (0, 1)]
        each = [f"{statistics.median(counts):.0f}" if counts else "–" for counts in sent]
        memory = [f"{median(name, what):.1f}" for what in ("before", "after", "peak")]
        print(f"{name:<24} {took:>8.3f} {took / alone:>6.2f} {memory[0]:>8} {memory[1]:>8} {memory[2]:>8} {each[0]:>10} {each[1]:>10}")
    slow = figures[cases[2][0]]
    last = slow[-1]
    told = "told to begin anew" if all(figure["is_behind"] for figure in slow) else "NOT told to begin anew"
    print(
        f"the one that never read: of {last['events']} events it was sent {last['unread']} bytes, then it was {told}; "
        f"the daemon had {last['flooded']:.1f} MiB then, {last['highest']:.1f} at the most"
    )


main()
