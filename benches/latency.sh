#!/usr/bin/env bash
# From saving a source file to the start of the command that it triggers: trainyard beside entr and watchexec.
#
# The command is the same for all: it writes the moment of its start into a pipe that this script reads, so nothing is
# polled while it is measured. Each tool gets one round to warm up and then ROUNDS rounds, with a pause between them.
source "$(dirname "$0")/measure.sh"
rounds=${ROUNDS:-20}

pipe=$scratch/started
mkfifo "$pipe"
exec 3<>"$pipe"
stamp="date +%s%N > '$pipe'"

# Saves the file and adds the latency to a list of nanoseconds.
round() {
  local file=$1 list=$2 saved started=0
  saved=${EPOCHREALTIME/./}000
  echo "saved at $saved" >"$file"
  # A tool that started twice for the save before may have left a moment in the pipe.
  while ((started < saved)); do
    if ! read -r -t 20 started <&3; then
      echo "saving $file started nothing within 20 s" >&2
      return 1
    fi
  done
  echo $((started - saved)) >>"$list"
  # What is still being written down or debounced belongs to this round.
  sleep 0.5
}

measure() {
  local file=$1 list=$2
  round "$file" /dev/null
  for ((number = 0; number < rounds; number++)); do round "$file" "$list"; done
}

measure_trainyard() {
  mkdir -p "$project"
  echo "first" >"$project/source.txt"
  start_project <<TOML
[stages.stamp]
command = ["sh", "-c", "$stamp"]
TOML
  # The first start of a daemon is a run of its own.
  read -r -t 30 _ <&3 || { echo "the first start ran nothing within 30 s" >&2; return 1; }
  sleep 1
  measure "$project/source.txt" "$scratch/trainyard"
}

measure_peer() {
  local name=$1 file=$scratch/peer/source.txt peer
  shift
  mkdir -p "$scratch/peer"
  echo "first" >"$file"
  (cd "$scratch/peer" && exec "$@") < <(echo source.txt) >/dev/null 2>&1 3>&- &
  peer=$!
  peers+=("$peer")
  sleep 1
  measure "$file" "$scratch/$name"
  kill "$peer" 2>/dev/null || true
  wait "$peer" 2>/dev/null || true
  row "$name" "$(median <"$scratch/$name")" "$ours"
}

measure_trainyard
ours=$(median <"$scratch/trainyard")
echo "save -> command started, median of $rounds"
printf '%-34s %12s\n' trainyard "$(milliseconds "$ours")"
if has entr; then measure_peer entr entr -n -p sh -c "$stamp"; else echo "entr is not installed: skipped"; fi
if has watchexec; then
  measure_peer watchexec watchexec --postpone --quiet --watch . -- sh -c "$stamp"
else
  echo "watchexec is not installed: skipped"
fi
