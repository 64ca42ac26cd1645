#!/usr/bin/env bash
# The screen beside other programs of the terminal: mprocs (runs and shows processes), bottom and btop (monitors), lnav (reads
# logs). Start to the first frame that is of use, processor and bytes of a screen on which nothing happens, from key to frame
# while a log grows by thousands of lines a second, and memory with a log of LOG_LINES lines open.
#
# Peers are installed once below target/bench: mprocs and bottom from crates.io, btop and lnav from Debian, unpacked and not
# installed. PEERS=no installs nothing. What is not there is said and left out, and so is what a peer does not do: a monitor has
# no log, and mprocs keeps a thousand lines of one. Monitors draw every second or two by purpose, so their idle figures say what
# that costs and not that they are wasteful. ROUNDS starts of each, SECONDS_EACH of rest, LOG_LINES lines.
source "$(dirname "$0")/measure.sh"
rounds=${ROUNDS:-11}
seconds=${SECONDS_EACH:-30}
log_lines=${LOG_LINES:-10000000}
python=$(command -v python3) || { echo "python3 is not installed" >&2; exit 1; }
drive=("$python" "$repository/benches/screen.py")
debian=$bench/debian
PATH=$PATH:$debian/usr/bin
export LD_LIBRARY_PATH=$debian/usr/lib/$(uname -m)-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

# ---- the peers

install_peers() {
  local name
  has mprocs || cargo install --quiet --locked --root "$bench/cargo" mprocs >"$bench/mprocs.log" 2>&1 ||
    echo "could not install mprocs (see target/bench/mprocs.log)"
  has btm || cargo install --quiet --locked --root "$bench/cargo" bottom >"$bench/bottom.log" 2>&1 ||
    echo "could not install bottom (see target/bench/bottom.log)"
  mkdir -p "$debian"
  for name in btop lnav; do
    has "$name" && continue
    # What lnav is linked with may not be here; what is not found is said below by its failure to start.
    { (cd "$debian" && apt-get download -qq "$name") && dpkg -x "$debian/${name}"_*.deb "$debian"; } >"$bench/$name.log" 2>&1 ||
      echo "could not unpack $name (see target/bench/$name.log)"
  done
}
[[ ${PEERS:-yes} == no ]] || install_peers

# ---- what is shown

short_runtime
export XDG_CONFIG_HOME=$runtime HOME=$runtime

cat >"$scratch/flood.py" <<'PY'
import sys
import time

with open(sys.argv[1], "w") if len(sys.argv) > 1 else sys.stdout as out:
    number = 0
    while True:
        for _ in range(500):
            number += 1
            print(f"2026-11-29 10:00:00 INFO epoch {number // 1000} batch {number} loss {1 / (1 + number % 977):.6f}", file=out)
        out.flush()
        time.sleep(0.05)
PY
cat >"$scratch/long.awk" <<'AWK'
BEGIN {
  for (line = 1; line <= count; line++) printf "2026-11-29 10:00:00 INFO %08d what a training prints in a line of its log\n", line
}
AWK
awk -v count="$log_lines" -f "$scratch/long.awk" </dev/null >"$scratch/long.log"

mkdir -p "$project/data"
printf 'length,kind\n1,a\n2,b\n' >"$project/data/first.csv"
start_project <<TOML
[source]
trigger = "manual"

[stages.quiet]
command = ["true"]

[stages.long]
command = ["cat", "$scratch/long.log"]
needs = ["quiet"]

[stages.flood]
command = ["$python", "$scratch/flood.py"]
needs = ["long"]
TOML
passed() {
  local deadline=$((SECONDS + 600))
  until "$program" -C "$project" runs "$1" --json 2>/dev/null | grep -q '"result": "'; do
    ((SECONDS < deadline)) || { echo "run $1 did not end" >&2; return 1; }
    sleep 0.5
  done
}
quiet=$(first_run quiet --only)
passed "$quiet"

cat >"$scratch/mprocs.yaml" <<YAML
procs:
  flood:
    shell: "$python $scratch/flood.py"
YAML
cat >"$scratch/mprocs-idle.yaml" <<YAML
procs:
  quiet:
    shell: "sleep 100000"
YAML
printf '2026-11-29 10:00:00 INFO the first line\n' >"$scratch/short.log"

# ---- measuring

# One figure into a file named by what and who, or the reason why there is none.
figure() {
  local what=$1 name=$2
  shift 2
  if ! "${drive[@]}" "$what" "$@" >"$scratch/$what.$name" 2>"$scratch/$what.$name.why"; then
    echo "$name: no figure for \`$what\`: $(head -c 300 "$scratch/$what.$name.why" | tr '\n' ' ')"
    rm -f "$scratch/$what.$name"
  fi
}

names=(trainyard)
for peer in mprocs:mprocs bottom:btm btop:btop lnav:lnav; do
  if has "${peer#*:}"; then names+=("${peer%%:*}"); else echo "${peer%%:*} is not there: left out"; fi
done

# The command of a program and what stands on its screen once that is of use.
command_of() {
  case $1 in
    trainyard) ready='q detach'; command=("$program" -C "$project") ;;
    mprocs) ready='quiet'; command=(mprocs --config "$scratch/mprocs-idle.yaml") ;;
    bottom) ready='(?s)CPU.*Mem'; command=(btm) ;;
    btop) ready='Total: +\d'; command=(btop --utf-force) ;;
    lnav) ready='the first line'; command=(lnav -N "$scratch/short.log"); lnav -h 2>&1 | grep -q -- ' -N' || command=(lnav "$scratch/short.log") ;;
  esac
}

for name in "${names[@]}"; do
  command_of "$name"
  figure first "$name" --ready "$ready" --rounds "$rounds" -- "${command[@]}"
  figure idle "$name" --ready "$ready" --seconds "$seconds" -- "${command[@]}"
done

long=$(first_run long --only)
passed "$long"
figure memory trainyard --ready 'q detach' --before 3 --then "$(printf '%08d' "$log_lines")" -- "$program" -C "$project"
has lnav && figure memory lnav --ready "$(printf '%08d' "$log_lines")" -- lnav "$scratch/long.log"

first_run flood --only >/dev/null
figure key trainyard --ready 'q detach' --before 3 --then 'batch \d' --key '?' --shows 'closes' --back '\x1b' \
  --rounds 40 -- "$program" -C "$project"
"$python" "$scratch/flood.py" "$scratch/flood.log" &
peers+=($!)
await_file "$scratch/flood.log" 10
has lnav && figure key lnav --ready 'batch \d' --key '?' --shows 'HELP ❭' --back 'q' --rounds 40 -- lnav "$scratch/flood.log"
has mprocs && figure key mprocs --ready 'batch \d' --key 'p' --shows 'force-quit' --back '\x1b' --rounds 40 -- \
  mprocs --config "$scratch/mprocs.yaml"
"$program" -C "$project" cancel >/dev/null 2>&1 || true

# ---- the table: each figure, and ours divided by it

field() { [[ -s $scratch/$1.$2 ]] && cut -d ' ' -f "$3" <"$scratch/$1.$2" || echo -; }
against() {
  local ours=$1 theirs=$2
  [[ $ours == - || $theirs == - ]] && { echo -; return; }
  awk -v ours="$ours" -v theirs="$theirs" 'BEGIN { if (theirs + 0 == 0) print (ours + 0 == 0 ? "1.00" : "-"); else printf "%.2f", ours / theirs }'
}

echo
echo "120 x 40, medians; in brackets trainyard divided by this one; - is not measured or not done"
printf '%-10s %20s %20s %22s %24s %20s\n' program 'first frame ms' 'idle CPU %' "bytes in ${seconds%.*} s" 'key ms (worst)' 'memory MiB'
for name in "${names[@]}"; do
  cell() { printf '%s (%s)' "$(field "$1" "$name" "$2")" "$(against "$(field "$1" trainyard "$2")" "$(field "$1" "$name" "$2")")"; }
  printf '%-10s %20s %20s %22s %24s %20s\n' "$name" "$(cell first 1)" "$(cell idle 1)" "$(cell idle 2)" \
    "$(field key "$name" 1) ($(field key "$name" 2))" "$(cell memory 1)"
done
