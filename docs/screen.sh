#!/usr/bin/env bash
# Makes docs/screen.svg from the real screen: runs the demo in tmux, waits until its app is deployed and its charts have
# moved, and takes the picture. Needs tmux and python3. Writes to $1 if given.
set -euo pipefail
cd "$(dirname "$0")/.."
picture=${1:-docs/screen.svg}
columns=120 rows=34
chart_seconds=${CHART_SECONDS:-90}
program=$PWD/target/release/trainyard
[[ -x $program ]] || cargo build --release

scratch=$(mktemp -d)
project=$scratch/wine-quality
# A server of its own, so that nobody's sessions are touched.
terminal=(tmux -u -L "trainyard-screen-$$" -f "$scratch/tmux.conf")
finish() {
  "${terminal[@]}" kill-server 2>/dev/null || true
  [[ -f $project/trainyard.toml ]] && "$program" -C "$project" down --all >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap finish EXIT

cat >"$scratch/tmux.conf" <<'CONF'
set -g status off
set -g default-terminal tmux-256color
set -sg escape-time 0
CONF

# The picture names a machine; where that is allowed, not this one.
name=()
if command -v hostname >/dev/null && unshare --uts true 2>/dev/null; then
  name=(unshare --uts sh -c 'hostname ops-box && exec "$@"' sh)
else
  echo "the picture will show the name of this machine ($(uname -n))"
fi

command=$(printf '%q ' env TZ=UTC LANG=C.UTF-8 LC_ALL=C.UTF-8 COLORTERM=truecolor TRAINYARD_THEME=dark \
  TRAINYARD_OPERATOR=operator "${name[@]}" "$program" demo --dir "$project" --port "${PORT:-18080}")
"${terminal[@]}" new-session -d -s screen -x "$columns" -y "$rows" "$command"

deadline=$((SECONDS + 300))
until "$program" -C "$project" releases --json 2>/dev/null | grep -q '"live"'; do
  if ((SECONDS > deadline)) || ! "${terminal[@]}" has-session -t screen 2>/dev/null; then
    echo "the demo did not deploy its app" >&2
    "${terminal[@]}" capture-pane -p -t screen >&2 || true
    exit 1
  fi
  sleep 1
done
echo "deployed; the charts get $chart_seconds s, then comes the next batch, and half of that again"
sleep "$chart_seconds"
"${terminal[@]}" send-keys -t screen B
sleep "$((chart_seconds / 2))"

"${terminal[@]}" capture-pane -e -p -t screen >"$scratch/screen.ansi"
python3 docs/ansi_to_svg.py --columns "$columns" --rows "$rows" \
  --title "The board of trainyard: the pipeline, the log of a stage, and the charts of the deployed app" \
  <"$scratch/screen.ansi" >"$scratch/screen.svg"
mv "$scratch/screen.svg" "$picture"
echo "wrote $picture"
