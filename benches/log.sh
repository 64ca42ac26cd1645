#!/usr/bin/env bash
# A stage that prints LINES lines of 80 bytes against the same command redirected to a file.
#
# The command notes its own beginning and end, so what is compared is what the stage itself feels. Both cases alternate in
# one run, ROUNDS times. After each round the log must be the file, byte for byte. The daemon's memory is read before the
# first round and after the last.
source "$(dirname "$0")/measure.sh"
rounds=${ROUNDS:-5}
lines=${LINES_PRINTED:-2000000}

cat >"$scratch/noisy.sh" <<SH
date +%s%N > "\$1.begin"
yes "\$(printf '%079d' 7)" | head -n $lines
date +%s%N > "\$1.end"
SH

took() { echo $(($(<"$1.end") - $(<"$1.begin"))); }

redirected() {
  sh "$scratch/noisy.sh" "$scratch/redirected" >"$scratch/redirected.log"
  took "$scratch/redirected" >>"$scratch/redirected.times"
}

supervised() {
  local run folder begun
  rm -f "$scratch/supervised.begin" "$scratch/supervised.end"
  begun=${EPOCHREALTIME/./}
  run=$(first_run noisy)
  folder=$project/.trainyard/runs/$run/noisy.1
  await_file "$folder/exit.json" 120
  echo $(((${EPOCHREALTIME/./} - begun) * 1000)) >>"$scratch/whole.times"
  took "$scratch/supervised" >>"$scratch/supervised.times"
  cmp "$scratch/redirected.log" "$folder/log" || { echo "the log of run $run is not what the command printed" >&2; return 1; }
  # The disk need not hold all rounds at once.
  rm -f "$folder/log"
}

memory() { awk -v what="$1:" '$1 == what { printf "%.1f MiB", $2 / 1024 }' "/proc/$daemon/status"; }

start_project <<TOML
[source]
trigger = "manual"

[stages.noisy]
command = ["sh", "$scratch/noisy.sh", "$scratch/supervised"]
TOML
daemon=$(sed 's/.*"pid":\([0-9]*\).*/\1/' "$project/.trainyard/daemon.json")

# One round of each that does not count: it fills the caches and, in the daemon, what is allocated once.
redirected
supervised
rm -f "$scratch"/*.times
before=$(memory VmRSS)
for ((number = 0; number < rounds; number++)); do
  redirected
  supervised
done

plain=$(median <"$scratch/redirected.times")
ours=$(median <"$scratch/supervised.times")
echo "$lines lines of 80 bytes, median of $rounds"
printf '%-34s %12s\n' "trainyard, as the stage feels it" "$(milliseconds "$ours")"
row "redirected to a file" "$plain" "$ours"
printf '%-34s %12s\n' "trainyard, from run to exit file" "$(milliseconds "$(median <"$scratch/whole.times")")"
echo "every log was byte for byte the redirected file ($(stat -c %s "$scratch/redirected.log") bytes)"
echo "memory of the daemon: $before before, $(memory VmRSS) after, $(memory VmHWM) at the most"
