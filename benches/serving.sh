#!/usr/bin/env bash
# The model server beside FastAPI + uvicorn + scikit-learn: wrk posts records to /predict over loopback.
#
# Both serve a model of the same kind, with the same hyper-parameters, learned from wine quality. The peer
# has one worker, then two. Single records come over 1, 16 and 64 connections, batches of a hundred over 16. A server is
# measured alone, DURATION seconds a case after two that do not count. trainyard's answers are counted in its metrics and its
# drift as always; the peer has neither.
source "$(dirname "$0")/measure.sh"
duration=${DURATION:-10}
kinds=(logistic boosting)
data=$repository/sample-data/wine-quality
target=quality
for tool in wrk curl; do has "$tool" || { echo "$tool is not installed: skipped"; exit 0; }; done
learning_python || exit 1
export PYTHONDONTWRITEBYTECODE=1
# A prediction of some rows is over before threads would have begun with it.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

serving() { "$python" "$repository/benches/serving.py" "$@"; }

# Trains one algorithm, without a search, in a project of its own, by its first run; the folder of the model in `model`.
train() {
  local deadline=$((SECONDS + 300)) found
  project=$scratch/$1
  mkdir -p "$project/data"
  cp "$data"/*.csv "$project/data"
  start_project <<TOML
[stages.train]
uses = "train"
target = "$target"
task = "classification"
algorithms = ["$1"]
search = { trials = 1 }
TOML
  until found=("$project"/.trainyard/runs/*/train.1/exit.json) && [[ -e ${found[0]} ]]; do
    ((SECONDS < deadline)) || { echo "$1 was not learned within 300 s" >&2; return 1; }
    sleep 0.1
  done
  found=("$project"/.trainyard/models/*/model.json)
  [[ -e ${found[0]} ]] || { echo "$1 gave no model: $(tail -n 3 "$project"/.trainyard/runs/*/train.1/log)" >&2; return 1; }
  model=$(dirname "${found[0]}")
  "$program" -C "$project" down --all >/dev/null
}

# Starts a server, command and arguments; its number in `server`, its address in `address`.
begin() {
  "$@" >"$scratch/server.log" 2>&1 &
  server=$!
  peers+=("$server")
  await_answer "$address/healthz" 60 || { tail -n 5 "$scratch/server.log" >&2; return 1; }
}

end() {
  kill "$server"
  wait "$server" 2>/dev/null || true
  peers=()
}

begin_trainyard() {
  port=$(free_port)
  address=http://127.0.0.1:$port
  begin "$program" serve --model "$model" --listen "127.0.0.1:$port"
}

begin_peer() {
  port=$(free_port)
  address=http://127.0.0.1:$port
  MODEL=$scratch/peer.pickle begin "$python" -m uvicorn serving_peer:app --app-dir "$repository/benches" \
    --host 127.0.0.1 --port "$port" --workers "$1" --no-access-log --log-level warning
}

load() {
  BODIES=$1 wrk --threads 1 --connections "$2" --duration "${3}s" --timeout 10s --script "$repository/benches/serving.lua" \
    "$address" 2>&1 >"$scratch/wrk.log"
}

# All cases of the server that runs; $1 is the kind of model, $2 what the server is called.
measure() {
  local case shape connections figures
  for case in single:1 single:16 single:64 batch:16; do
    shape=${case%:*} connections=${case#*:}
    load "$scratch/$shape.txt" "$connections" 2 >/dev/null
    figures=$(load "$scratch/$shape.txt" "$connections" "$duration")
    [[ $figures == '"rate"'* ]] || { echo "wrk said: $figures $(cat "$scratch/wrk.log")" >&2; return 1; }
    [[ $shape == single ]] || shape="100 records"
    echo "{\"model\":\"$1\",\"server\":\"$2\",\"shape\":\"$shape\",\"connections\":$connections,$figures}" >>"$scratch/results"
    echo "$1, $2: $shape over $connections done" >&2
  done
}

memory() { awk '$1 == "VmHWM:" { printf "%.1f MiB", $2 / 1024 }' "/proc/$server/status"; }

serving bodies "$data" "$target" "$scratch"
for kind in "${kinds[@]}"; do
  train "$kind"
  serving model "$data" "$target" "$model/model.json" "$scratch/peer.pickle"

  # Side by side only to see that they serve the same.
  begin_trainyard
  ours=$address ours_server=$server
  begin_peer 1
  agreed+=("$kind $(serving agree "$scratch" "$ours" "$address")")
  kill "$ours_server"
  wait "$ours_server" 2>/dev/null || true
  end

  begin_trainyard
  measure "$kind" trainyard
  kept+=("trainyard with $kind $(memory)")
  end
  begin_peer 1
  measure "$kind" "FastAPI, 1 worker"
  kept+=("FastAPI with $kind and 1 worker $(memory)")
  end
  begin_peer 2
  measure "$kind" "FastAPI, 2 workers"
  end
done

serving table "$scratch/results"
join() { local IFS=';'; echo "$*" | sed 's/;/; /g'; }
echo "same predictions for: $(join "${agreed[@]}")"
echo "memory at the most: $(join "${kept[@]}")"
