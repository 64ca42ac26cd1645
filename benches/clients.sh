#!/usr/bin/env bash
# A stage that prints LINES_PRINTED lines of 80 bytes while nobody looks, while eight screens look, and while eight look of which
# one never reads. Does it take longer, does the daemon grow, what is each sent, and what becomes of the one that never reads?
#
# The screens run in pseudo-terminals, which are read; half of them show the Board and half the log. Each speaks through a relay
# of its own, which counts. The one that never reads holds a stream of events as a screen does. The cases alternate ROUNDS times;
# after each round the log must have every line. The command notes its own beginning and end, and the daemon's memory is its
# resident set before and after, and the highest in between, as the kernel keeps it.
source "$(dirname "$0")/measure.sh"
python=$(command -v python3) || { echo "python3 is not installed" >&2; exit 1; }
rounds=${ROUNDS:-3}
lines=${LINES_PRINTED:-2000000}

short_runtime

cat >"$scratch/flood.sh" <<SH
date +%s%N > "\$1.begin"
awk 'BEGIN { for (line = 1; line <= $lines; line++) printf "%079d\n", line }'
date +%s%N > "\$1.end"
SH

start_project <<TOML
[project]
name = "flood"

[source]
trigger = "manual"

[stages.flood]
command = ["sh", "$scratch/flood.sh", "$scratch/flood"]
TOML

# One that does not count: it fills the caches and, in the daemon, what is allocated once.
run=$(first_run flood)
await_file "$project/.trainyard/runs/$run/flood.1/exit.json" 300
rm -f "$project/.trainyard/runs/$run/flood.1/log"

"$python" "$repository/benches/clients.py" --program "$program" --project "$project" --runtime "$runtime" \
  --times "$scratch/flood" --lines "$lines" --rounds "$rounds"
