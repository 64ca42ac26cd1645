#!/usr/bin/env bash
# Large logs through real stages: LOG_LINES lines of 100 bytes, GIGABYTES times a million lines of 1 000 bytes, LONG_LINES lines of
# 10 MB, and a progress bar of BAR_MB megabytes that never ends its line.
#
# Of each: how long the stage took, and then, on an idle daemon and once more on one that was started anew, the median of ROUNDS
# first windows, ends, windows in the middle, jumps to a time; a search for what stands once in the middle, and the count of
# what passes, which reads all of it; the memory of the daemon. Then the screen itself: from a key to what it shows, and its
# memory. The index must be the same file before and after: it is written by the stage and never made anew.
source "$(dirname "$0")/measure.sh"
python=$(command -v python3) || { echo "python3 is not installed" >&2; exit 1; }
log_lines=${LOG_LINES:-10000000}
gigabytes=${GIGABYTES:-1}
long_lines=${LONG_LINES:-20}
bar=${BAR_MB:-100}
rounds=${ROUNDS:-11}

short_runtime
export XDG_CONFIG_HOME=$runtime HOME=$runtime

cat >"$scratch/lines.awk" <<'AWK'
BEGIN {
  while (length(filler) < width - 22) filler = filler "x"
  middle = int(count / 2)
  for (line = 1; line <= count; line++) printf "%09d INFO %s %s\n", line, line == middle ? "needle" : line % 1000 ? "straw " : "mille ", filler
}
AWK
cat >"$scratch/long.py" <<'PY'
import sys

for number in range(int(sys.argv[1])):
    word = "needle" if number == int(sys.argv[1]) // 2 else "straw"
    print(f"{number + 1:09d} INFO {word} " + "x" * 10_000_000)
PY
cat >"$scratch/bar.py" <<'PY'
import sys

print("000000001 INFO begin")
step = "\r" + "#" * 60 + " {:>9}/999999999"
wanted, written = int(sys.argv[1]) * 1_000_000, 0
while written < wanted:
    text = step.format(written)
    written += sys.stdout.write(text)
PY

start_project <<TOML
[project]
name = "large"

[source]
trigger = "manual"

[stages.lines]
command = ["awk", "-v", "count=$log_lines", "-v", "width=100", "-f", "$scratch/lines.awk"]

[stages.gigabyte]
command = ["awk", "-v", "count=$((gigabytes * 1000000))", "-v", "width=1000", "-f", "$scratch/lines.awk"]

[stages.long]
command = ["$python", "$scratch/long.py", "$long_lines"]

[stages.bar]
command = ["$python", "$scratch/bar.py", "$bar"]
TOML

large() {
  "$python" "$repository/benches/large_log.py" --program "$program" --project "$project" --runtime "$runtime" --rounds "$rounds" "$@"
}

for stage in lines gigabyte long bar; do
  begun=${EPOCHREALTIME/./}
  run=$(first_run "$stage" --only)
  folder=$project/.trainyard/runs/$run/$stage.1
  await_file "$folder/exit.json" 600
  echo
  echo "$stage: $(stat -c %s "$folder/log") bytes, an index of $(stat -c %s "$folder/index") bytes, written in $(milliseconds $(((${EPOCHREALTIME/./} - begun) * 1000)))"
  before=$(stat -c '%i %Y %s' "$folder/index")
  large --stage "$stage" --run "$run" requests
  "$program" -C "$project" down >/dev/null
  "$program" -C "$project" up >/dev/null
  echo "with a daemon that was started anew:"
  large --stage "$stage" --run "$run" requests
  [[ $before == "$(stat -c '%i %Y %s' "$folder/index")" ]] || echo "the index was written again"
  case $stage in lines) count=$log_lines ;; gigabyte) count=$((gigabytes * 1000000)) ;; *) count=0 ;; esac
  large --stage "$stage" --run "$run" --lines "$count" screen
done
