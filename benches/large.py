"""Training on large files by the real stage, watched from outside, for benches/large.sh.

    large.py make FOLDER FILES ROWS|SIZE            files of so many rows, or of about so many bytes (10MB)
    large.py watch PROGRAM PROJECT FILES            starts the daemon and looks at the run until training is over
    large.py peer FOLDER CARD                       pandas and HistGradientBoosting, with the hyper-parameters of CARD
    large.py table FACTS                            Markdown, from what the others printed, one JSON object a line

Memory is what the kernel counts: the most that was resident at any moment (VmHWM), by which a process is looked at every
few hundredths of a second until it ends.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import large_data

# Share held out, on either side.
HELD_OUT = 0.2
LOOK = 0.05
# A training that takes longer has failed.
PATIENCE = 3 * 3600


def main():
    match sys.argv[1:]:
        case ["make", folder, files, size]:
            tell(make(Path(folder), int(files), size))
        case ["watch", program, project, files]:
            tell(watch(program, Path(project), int(files)))
        case ["peer", folder, card]:
            tell(peer(Path(folder), json.loads(Path(card).read_text())))
        case ["table", facts]:
            table([json.loads(line) for line in Path(facts).read_text().splitlines()])
        case _:
            sys.exit(__doc__)


def tell(facts):
    print(json.dumps(facts))


def make(folder, files, size):
    folder.mkdir(parents=True, exist_ok=True)
    rows = int(int(size[:-2]) * 1_000_000 / large_data.bytes_a_row()) if size.endswith("MB") else int(size)
    written, best = large_data.write(folder, files, rows)
    return {"what": "data", "files": files, "rows": files * rows, "bytes": written, "best_accuracy": best}


def peak(pid):
    """Bytes that a process has had at the most; `None` when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return 1024 * int(found[0].split()[1]) if found else None


def children(pid):
    """All that a process has started, and that which they have."""
    try:
        own = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return own + [below for child in own for below in children(child)]


class Attempt:
    """An attempt of the stage, as its folder and its processes tell of it."""

    def __init__(self, folder):
        self.folder = folder
        self.peak = 0
        self.heard = []
        self.read = 0

    def files(self):
        data = self.folder / "data.txt"
        return len(data.read_text().split()) if data.exists() else 0

    def is_over(self):
        return (self.folder / "exit.json").exists()

    def look(self):
        supervision = self.folder / "supervisor.json"
        if supervision.exists():
            for pid in children(json.loads(supervision.read_text())["supervisor"]["pid"]):
                self.peak = max(self.peak, peak(pid) or 0)
        self.hear()

    def hear(self):
        """Notes when lines of progress came."""
        output = self.folder / "output.jsonl"
        if not output.exists() or output.stat().st_size == self.read:
            return
        with output.open("rb") as file:
            file.seek(self.read)
            lines = file.read()
        whole = lines.rfind(b"\n") + 1
        self.read += whole
        now = time.monotonic()
        self.heard += [now for line in lines[:whole].splitlines() if b'"progress"' in line]

    def facts(self):
        ended = json.loads((self.folder / "exit.json").read_text())
        if ended.get("code") != 0:
            last = (self.folder / "log").read_text().splitlines()[-5:]
            sys.exit(f"training failed: {ended}\n" + "\n".join(last))
        began = json.loads((self.folder / "supervisor.json").read_text())["at"]
        silences = [after - before for before, after in zip(self.heard, self.heard[1:])]
        return {
            "seconds": (ended["at"] - began) / 1000,
            "peak": self.peak,
            "progress_lines": len(self.heard),
            "longest_silence": max(silences, default=0.0),
        }


def watch(program, project, files):
    before = time.monotonic()
    subprocess.run([program, "-C", project, "up"], check=True, stdout=subprocess.DEVNULL)
    daemon = json.loads((project / ".trainyard/daemon.json").read_text())["pid"]
    attempts, daemon_peak, registered = {}, 0, None
    while time.monotonic() - before < PATIENCE:
        for folder in (project / ".trainyard/runs").glob("*/train.*"):
            attempts.setdefault(folder, Attempt(folder))
        daemon_peak = max(daemon_peak, peak(daemon) or 0)
        for attempt in attempts.values():
            # Its last lines are read once more when it is over.
            over = attempt.is_over()
            attempt.look()
            if attempt.files() == files and registered is None:
                registered = time.monotonic() - before
            if over and attempt.files() == files:
                model = newest_model(project)
                card = json.loads((model / "model.json").read_text())
                return attempt.facts() | {
                    "what": "trainyard",
                    "registered": registered,
                    "daemon_peak": daemon_peak,
                    "runs": len(attempts),
                    "accuracy": card["metrics"]["accuracy"],
                    "learner": card["learner"]["algorithm"],
                    "profile": (model / "profile.json").exists(),
                    "card": str(model / "model.json"),
                }
        time.sleep(LOOK)
    sys.exit(f"no training on {files} files was over within {PATIENCE} s; runs: {[str(folder) for folder in attempts]}")


def newest_model(project):
    models = [path.parent for path in (project / ".trainyard/models").glob("*/model.json")]
    if not models:
        sys.exit("the training passed and left no model.json")
    return max(models, key=lambda folder: (folder / "model.json").stat().st_mtime)


def peer(folder, card):
    # Here, for the others need neither.
    import peers
    from sklearn.metrics import accuracy_score
    from sklearn.model_selection import train_test_split

    before = time.perf_counter()
    frame = large_data.read(folder)
    read = time.perf_counter() - before
    labels = frame.pop(large_data.TARGET)
    columns, unseen, labels, truth = train_test_split(frame, labels, test_size=HELD_OUT, random_state=1)
    # With the whole frame beside its parts the peer would be charged with what nobody needs.
    del frame
    model, _ = peers.same(card["learner"], columns, True, "classification", card["seed"])
    model.fit(columns, labels)
    accuracy = accuracy_score(truth, model.predict(unseen))
    seconds = time.perf_counter() - before
    own = int(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")).split()[1])
    return {"what": "pandas", "seconds": seconds, "read": read, "peak": 1024 * own, "accuracy": accuracy,
            "rounds": int(model.n_iter_)}


def table(all_facts):
    facts = {of["what"]: of for of in all_facts}
    data, ours, theirs = facts["data"], facts["trainyard"], facts.get("pandas")
    size = data["bytes"]
    print(f"{data['files']} files, {grouped(data['rows'])} rows, {grouped(size // 1_000_000)} MB; the best of all rules "
          f"is right in {data['best_accuracy']:.4f}\n")
    print("| | trainyard | pandas + HistGradientBoosting | trainyard / peer |\n|---|---|---|---|")
    row("memory at the most", ours["peak"], theirs and theirs["peak"], lambda count: f"{count / 2**20:.0f} MiB")
    row("of the size of the files", ours["peak"] / size, theirs and theirs["peak"] / size, lambda share: f"{share:.2f}")
    row("from reading to the model", ours["seconds"], theirs and theirs["seconds"], lambda count: f"{count:.1f} s")
    row("accuracy on held-out rows", ours["accuracy"], theirs and theirs["accuracy"], lambda share: f"{share:.4f}")
    print(f"\n{ours['learner']}; {ours['progress_lines']} lines of progress, at the most {ours['longest_silence']:.1f} s "
          f"between two; registered {ours['registered']:.1f} s after the start in {ours['runs']} run(s); memory of the "
          f"daemon at the most {ours['daemon_peak'] / 2**20:.0f} MiB; {'a' if ours['profile'] else 'no'} profile is kept")
    if theirs:
        print(f"the peer reads for {theirs['read']:.1f} s and learns {theirs['rounds']} rounds")


def grouped(count):
    return f"{count:,}".replace(",", " ")


def row(name, ours, theirs, shown):
    beside = f"{shown(theirs)} | {ours / theirs:.2f}" if theirs else "– | –"
    print(f"| {name} | {shown(ours)} | {beside} |")


if __name__ == "__main__":
    main()
