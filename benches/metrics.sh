#!/usr/bin/env bash
# The same load on trainyard and on Prometheus, at the same time: SERIES series, scraped every second for DURATION
# seconds.
#
# Each scrapes an endpoint process of its own that serves the same page. After half of the time one after the other is
# killed with -9 and started again at once, so processor and memory are those of two lives: all processor seconds over
# all seconds alive, the larger of the two peaks. Starting and reading the log again belong to them.
source "$(dirname "$0")/measure.sh"
duration=${DURATION:-3600}
series=${SERIES:-10000}
# Seconds after a restart before samples are looked for.
settle=20
# A series near the end of the page.
watched='load_latency_seconds_count{route="0"}'
endpoint=$(example metrics_endpoint)
for tool in prometheus curl; do
  has "$tool" || { echo "$tool is not installed: skipped"; exit 0; }
done
sides=(trainyard prometheus)
prometheus_data=$scratch/prometheus

# What is known of each side; `used`, `lived` and `peak` add up over its lives.
declare -A pid started killed seen kept first resident samples disk
declare -A used=([trainyard]=0 [prometheus]=0) lived=([trainyard]=0 [prometheus]=0) peak=([trainyard]=0 [prometheus]=0)

calculate() { awk "BEGIN { printf \"%.6f\", ($1) }"; }

# Processor seconds of a process and its threads since its start.
processor() { sed 's/.*) //' "/proc/$1/stat" | awk -v ticks="$(getconf CLK_TCK)" '{ printf "%.6f", ($12 + $13) / ticks }'; }

kilobytes() { awk -v what="$2:" '$1 == what { print $2 }' "/proc/$1/status"; }

# Starts an endpoint that writes its address into a file.
start_endpoint() {
  local deadline=$((SECONDS + 10))
  "$endpoint" "$series" >"$1" &
  peers+=($!)
  until [[ -s $1 ]]; do
    ((SECONDS < deadline)) || { echo "the endpoint did not say its address within 10 s" >&2; return 1; }
    sleep 0.02
  done
}

start_trainyard() {
  "$program" -C "$project" up >/dev/null
  pid[trainyard]=$(sed 's/.*"pid":\([0-9]*\).*/\1/' "$project/.trainyard/daemon.json")
}

start_prometheus() {
  prometheus --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$prometheus_data" \
    --web.listen-address="127.0.0.1:$port" --web.enable-admin-api --log.level=warn >>"$scratch/prometheus.log" 2>&1 &
  pid[prometheus]=$!
  peers+=($!)
  await_answer "http://127.0.0.1:$port/-/ready" 300 || { tail -n 5 "$scratch/prometheus.log" >&2; return 1; }
}

# When the samples of the watched series were taken, in the last minutes: seconds, one a line, the oldest first.
moments() {
  local now=$EPOCHSECONDS
  case $1 in
    trainyard)
      "$program" -C "$project" export csv "timestamp($watched)" --range 4m --step 250ms --milliseconds |
        awk -F, 'NR > 1 && NF == 2 && $2 != "" { print $2 }'
      ;;
    prometheus)
      curl -s -S -f -G "http://127.0.0.1:$port/api/v1/query_range" --data-urlencode "query=timestamp($watched)" \
        -d "start=$((now - 240))" -d "end=$((now + 1))" -d step=0.25 | { grep -oE '"[0-9.]+"\]' || true; } | tr -d '"]'
      ;;
  esac | sort -n -u
}

# Adds up what a side has used until now; called before its process ends.
account() {
  local side=$1 high
  used[$side]=$(calculate "${used[$side]} + $(processor "${pid[$side]}")")
  lived[$side]=$(calculate "${lived[$side]} + $EPOCHREALTIME - ${started[$side]}")
  high=$(kilobytes "${pid[$side]}" VmHWM)
  ((high <= peak[$side])) || peak[$side]=$high
}

# A process that is gone is not ours any more: its number may be another's.
forget() {
  local left=() peer
  for peer in "${peers[@]}"; do [[ $peer == "$1" ]] || left+=("$peer"); done
  peers=("${left[@]}")
}

# Samples that this life of the server has taken.
appended() {
  curl -s -S -f "http://127.0.0.1:$port/metrics" |
    awk '/^prometheus_tsdb_head_samples_appended_total/ { sum += $2 } END { printf "%.0f", sum }'
}

kill_and_restart() {
  local side=$1 old=${pid[$1]} deadline
  [[ $side == trainyard ]] || samples[$side]=$(appended)
  account "$side"
  seen[$side]=$(moments "$side" | tail -n 1)
  [[ -n ${seen[$side]} ]] || { echo "$side has no sample of $watched" >&2; return 1; }
  killed[$side]=$EPOCHREALTIME
  kill -9 "$old"
  wait "$old" 2>/dev/null || true
  # The daemon is no child of this shell, and a dead process may stay in the table: it has no program any more.
  deadline=$((SECONDS + 10))
  while readlink "/proc/$old/exe" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || { echo "$side is not gone 10 s after kill -9" >&2; return 1; }
    sleep 0.01
  done
  forget "$old"
  started[$side]=$EPOCHREALTIME
  "start_$side"
}

# The newest sample before the kill that is still there, and the first one after it.
look_around_kill() {
  local side=$1 deadline=$((SECONDS + 120)) found
  while :; do
    found=$(moments "$side" | awk -v killed="${killed[$side]}" '
      $1 + 0 <= killed + 0 { kept = $1 }
      $1 + 0 > killed + 0 && first == "" { first = $1 }
      END { if (kept != "" && first != "") print kept, first }')
    [[ -z $found ]] || break
    ((SECONDS < deadline)) || { echo "$side has no samples on both sides of the kill" >&2; return 1; }
    sleep 2
  done
  read -r "kept[$side]" "first[$side]" <<<"$found"
}

# One line of the table: name, format of a number, ours, theirs.
line() {
  awk -v name="$1" -v form="$2" -v ours="$3" -v theirs="$4" 'BEGIN {
    share = theirs + 0 > 0 ? sprintf("%.2f", ours / theirs) : ""
    printf "%-46s %16s %16s %10s\n", name, sprintf(form, ours), sprintf(form, theirs), share
  }'
}

# The same, of an expression in which SIDE stands for either side.
line_of() {
  local name=$1 form=$2 ours theirs
  ours=$(calculate "$("$3" trainyard)")
  theirs=$(calculate "$("$3" prometheus)")
  line "$name" "$form" "$ours" "$theirs"
}

share_of_core() { echo "100 * ${used[$1]} / ${lived[$1]}"; }
mebibytes_at_end() { echo "${resident[$1]} / 1024"; }
mebibytes_at_most() { echo "${peak[$1]} / 1024"; }
taken() { echo "${samples[$1]}"; }
disk_for_sample() { echo "${disk[$1]} / ${samples[$1]}"; }
memory_for_sample() { echo "${resident[$1]} * 1024 / ${samples[$1]}"; }
before_kill() { echo "${killed[$1]} - ${kept[$1]}"; }
lost() { echo "(${seen[$1]} > ${kept[$1]}) ? ${seen[$1]} - ${kept[$1]} : 0"; }
away() { echo "${first[$1]} - ${kept[$1]}"; }

room=$((series * 2 > 50000 ? series * 2 : 50000))
start_endpoint "$scratch/endpoint.trainyard"
start_endpoint "$scratch/endpoint.prometheus"
own_port=$(free_port)
begun=$EPOCHREALTIME
started[trainyard]=$EPOCHREALTIME
start_project <<TOML
[source]
trigger = "manual"

[stages.nothing]
command = ["true"]

[monitor]
scrape = "1s"
listen = "127.0.0.1:$own_port"
max_series = $room
sample_limit = $room

[[monitor.targets]]
name = "load"
url = "$(<"$scratch/endpoint.trainyard")"
TOML
start_trainyard
port=$(free_port)
address=$(<"$scratch/endpoint.prometheus")
address=${address#http://}
cat >"$scratch/prometheus.yml" <<YAML
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: load
    static_configs:
      - targets: ["${address%/metrics}"]
YAML
started[prometheus]=$EPOCHREALTIME
start_prometheus
end=$(calculate "$begun + $duration")
echo "$series series every second; the table comes at $(date -d "@${end%.*}" +%H:%M:%S)" >&2

sleep "$(calculate "$duration / 2")"
for side in "${sides[@]}"; do kill_and_restart "$side"; done
sleep "$settle"
for side in "${sides[@]}"; do look_around_kill "$side"; done
left=$(calculate "$end - $EPOCHREALTIME")
[[ $left == -* ]] || sleep "$left"

for side in "${sides[@]}"; do
  account "$side"
  resident[$side]=$(kilobytes "${pid[$side]}" VmRSS)
done
disk[trainyard]=$(disk_bytes "$project/.trainyard/series")
disk[prometheus]=$(disk_bytes "$prometheus_data")
samples[trainyard]=$(curl -s -S -f "http://127.0.0.1:$own_port/metrics" | awk '$1 == "trainyard_stored_samples" { print $2 }')
samples[prometheus]=$((samples[prometheus] + $(appended)))

echo "$series series every second for $duration s, with a kill -9 and a restart after half of it"
printf '%-46s %16s %16s %10s\n' "" trainyard Prometheus ratio
line_of "processor, of one core" "%.2f %%" share_of_core
line_of "resident memory at the end" "%.1f MiB" mebibytes_at_end
line_of "resident memory at the most" "%.1f MiB" mebibytes_at_most
line_of "samples taken" "%.0f" taken
line_of "disk for a sample" "%.2f B" disk_for_sample
# The server keeps the newest hours in its log and in memory; a snapshot writes them as the block that they become.
if name=$(curl -s -S -f -X POST "http://127.0.0.1:$port/api/v1/admin/tsdb/snapshot" | sed 's/.*"name":"\([^"]*\)".*/\1/'); then
  disk[prometheus]=$(disk_bytes "$prometheus_data/snapshots/$name")
  line_of "disk for a sample, Prometheus as a block" "%.2f B" disk_for_sample
else
  echo "Prometheus made no snapshot"
fi
line_of "resident memory for a sample" "%.2f B" memory_for_sample
line_of "newest sample kept, before the kill" "%.2f s" before_kill
line_of "of what a query had shown, lost" "%.2f s" lost
line_of "from there to the first sample after the kill" "%.2f s" away
