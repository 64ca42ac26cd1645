# Sourced by screen.sh and panels.sh: runs the demo in a tmux of its own, presses keys, and takes pictures of the real screen.
# Needs tmux and python3, and builds the program if it is not there.
#
#   begin COLUMNS ROWS          starts the demo on a screen of that size; returns once its app is deployed
#   press KEY...                presses keys, in the names of tmux
#   until_live COUNT WHAT       waits until so many releases have gone live
#   until_shown TEXT            waits until that stands on the screen
#   picture FILE TITLE          writes the screen as an SVG; the title is what a screen reader says
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program=$PWD/target/release/trainyard
[[ -x $program ]] || cargo build --release
scratch=$(mktemp -d)
project=$scratch/wine-quality
# A server of its own, so that nobody's sessions are touched.
terminal=(tmux -u -L "trainyard-pictures-$$" -f "$scratch/tmux.conf")
columns= rows=

finish() {
  "${terminal[@]}" kill-server 2>/dev/null || true
  [[ -f $project/trainyard.toml ]] && "$program" -C "$project" down --all >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap finish EXIT

begin() {
  columns=$1 rows=$2
  cat >"$scratch/tmux.conf" <<'CONF'
set -g status off
set -g default-terminal tmux-256color
set -sg escape-time 0
CONF
  # The picture names a machine; where that is allowed, not this one.
  local name=()
  if command -v hostname >/dev/null && unshare --uts true 2>/dev/null; then
    name=(unshare --uts sh -c 'hostname ops-box && exec "$@"' sh)
  else
    echo "the picture will show the name of this machine ($(uname -n))"
  fi
  local command
  command=$(printf '%q ' env TZ=UTC LANG=C.UTF-8 LC_ALL=C.UTF-8 COLORTERM=truecolor TRAINYARD_THEME=dark \
    TRAINYARD_OPERATOR=operator "${name[@]}" "$program" demo --dir "$project" --port "${PORT:-18080}")
  "${terminal[@]}" new-session -d -s screen -x "$columns" -y "$rows" "$command"
  until_live 1 "the app of the demo"
}

press() {
  "${terminal[@]}" send-keys -t screen "$@"
}

# Tries a command every second, for 5 minutes at most.
until_true() {
  local what=$1 deadline=$((SECONDS + 300))
  shift
  until "$@"; do
    if ((SECONDS > deadline)) || ! "${terminal[@]}" has-session -t screen 2>/dev/null; then
      echo "waited in vain for $what" >&2
      "${terminal[@]}" capture-pane -p -t screen >&2 || true
      exit 1
    fi
    sleep 1
  done
}

has_live() {
  local events
  events=$("$program" -C "$project" events --limit 1000 2>/dev/null) || return 1
  (($(grep -cE 'release [0-9]+ is live' <<<"$events" || true) >= $1))
}

until_live() {
  until_true "$2" has_live "$1"
}

shows() {
  "${terminal[@]}" capture-pane -p -t screen | grep -qF -- "$1"
}

until_shown() {
  until_true "\`$1\` on the screen" shows "$1"
}

picture() {
  "${terminal[@]}" capture-pane -e -p -t screen >"$scratch/screen.ansi"
  python3 docs/ansi_to_svg.py --columns "$columns" --rows "$rows" --title "$2" <"$scratch/screen.ansi" >"$scratch/screen.svg"
  mv "$scratch/screen.svg" "$1"
  echo "wrote $1"
}
