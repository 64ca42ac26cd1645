#!/usr/bin/env bash
# Range queries of 200 columns over a day of one sample a second: trainyard beside Prometheus, over the very same
# samples.
#
# The example writes the samples as OpenMetrics, `promtool` makes blocks of them, and a server on that folder is asked
# through its HTTP API with curl. trainyard is asked as a library, so the first expression, which reads nothing, shows
# what HTTP and JSON take of Prometheus' time. Each expression is asked once without counting; then the median of ROUNDS
# counts (the example has 10). One side is measured after the other, each alone.
source "$(dirname "$0")/measure.sh"
rounds=${ROUNDS:-10}
bench_program=$(example promql_bench)
missing=
for tool in prometheus promtool curl; do has "$tool" || missing=$tool; done
# The temporary folder may lie in memory.
export TMPDIR=$scratch
if [[ -n $missing ]]; then
  echo "$missing is not installed: trainyard alone"
  "$bench_program"
  exit 0
fi

"$bench_program" --plain >"$scratch/ours"
"$bench_program" --openmetrics "$scratch/samples.txt"
promtool tsdb create-blocks-from --quiet openmetrics "$scratch/samples.txt" "$scratch/data" >"$scratch/promtool.log" 2>&1 ||
  { echo "promtool made no blocks: $(tail -n 3 "$scratch/promtool.log")" >&2; exit 1; }
rm "$scratch/samples.txt"
their_bytes=$(disk_bytes "$scratch/data")

port=$(free_port)
echo "global: {}" >"$scratch/prometheus.yml"
# Equal durations: blocks are not merged while they are asked.
prometheus --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/data" --storage.tsdb.retention.time=10y \
  --storage.tsdb.min-block-duration=2h --storage.tsdb.max-block-duration=2h \
  --web.listen-address="127.0.0.1:$port" --log.level=warn >"$scratch/prometheus.log" 2>&1 &
peers+=($!)
await_answer "http://127.0.0.1:$port/-/ready" 60 || { tail -n 5 "$scratch/prometheus.log" >&2; exit 1; }

# Asks the server: expression, where the answer goes; prints seconds.
ask() {
  curl -s -S -f -o "$2" -w '%{time_total}\n' -G "http://127.0.0.1:$port/api/v1/query_range" \
    --data-urlencode "query=$1" -d "start=$start" -d "end=$end" -d "step=$step"
}

# Expression, nanoseconds of ours in memory and in a folder, points of ours.
compare() {
  local expression=$1 memory=$2 folder=$3 points=$4 number theirs found
  ask "$expression" "$scratch/answer" >/dev/null
  found=$({ grep -oE '\[[0-9.e+]+,"[^"]*"\]' "$scratch/answer" || true; } | wc -l)
  ((found == points)) || { echo "$expression: $points points here, $found in Prometheus" >&2; return 1; }
  rm -f "$scratch/times"
  for ((number = 0; number < rounds; number++)); do ask "$expression" /dev/null >>"$scratch/times"; done
  theirs=$(median <"$scratch/times" | awk '{ printf "%.0f", $1 * 1e9 }')
  printf '%-60s %12s %12s %12s %10s %8s\n' "$expression" "$(milliseconds "$memory")" "$(milliseconds "$folder")" \
    "$(milliseconds "$theirs")" "$(ratio "$folder" "$theirs")" "$points"
}

echo "a day of one sample a second, 200 columns, median of $rounds"
printf '%-60s %12s %12s %12s %10s %8s\n' "" "in memory" "in a folder" Prometheus "ratio" points
while IFS=$'\t' read -r kind one two three four; do
  case $kind in
    range) start=$one end=$two step=$three ;;
    bytes) our_memory=$one our_folder=$two ;;
    query) compare "$one" "$two" "$three" "$four" ;;
  esac
done <"$scratch/ours"
their_bytes=$(awk -v bytes="$their_bytes" 'BEGIN { printf "%.3f", bytes / (86400 * 22) }')
printf '%-60s %10.2f B %10.2f B %10.2f B %10s\n' "a sample" "$our_memory" "$our_folder" "$their_bytes" \
  "$(ratio "$our_folder" "$their_bytes")"
echo "ratio: trainyard in a folder / Prometheus"
