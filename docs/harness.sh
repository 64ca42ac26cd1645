# Sourced by views.sh and panels.sh: runs the demo in a tmux of its own, presses keys, and takes pictures of the real screen.
# Needs tmux and python3, and builds the program if $PROGRAM does not name one and none is there.
#
#   apart "$0" "$@"             goes on where the machine is called ops-box and the demo lies in /srv, if that is allowed
#   begin COLUMNS ROWS          starts the demo on a screen of that size; returns once its app is deployed
#   second ARGUMENT...          opens the screen of the demo a second time, for the pictures that follow; first goes back
#   press KEY...                presses keys, in the names of tmux, or letters
#   until_live COUNT WHAT       waits until so many releases have gone live
#   until_shown TEXT            waits until that stands on the screen
#   settled                     waits until the screen has come to rest, as far as charts ever do
#   picture FILE TITLE          writes the screen as an SVG; the title is what a screen reader says
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PYTHONDONTWRITEBYTECODE=1

program=${PROGRAM:-$PWD/target/release/trainyard}
if [[ ! -x $program ]]; then
  [[ -z ${PROGRAM:-} ]] || { echo "there is no program at $PROGRAM" >&2; exit 1; }
  cargo build --release
fi
scratch=$(mktemp -d)
project=$scratch/wine-quality
# A server of its own, so that nobody's sessions are touched.
terminal=(tmux -u -L "trainyard-pictures-$$" -f "$scratch/tmux.conf")
columns= rows= session=
# The name that nobody is to see, if it could be hidden.
machine=

finish() {
  # The demo stops what it started when its screen is left; its folder must stay until it has done so.
  "${terminal[@]}" send-keys -t first C-c 2>/dev/null || true
  local deadline=$((SECONDS + 30))
  while "${terminal[@]}" has-session -t first 2>/dev/null && ((SECONDS < deadline)); do
    sleep 1
  done
  "${terminal[@]}" kill-server 2>/dev/null || true
  [[ -f $project/trainyard.toml ]] && "$program" -C "$project" down --all >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap finish EXIT

# Pictures name a machine and a folder; where that is allowed, not those of whoever makes them.
apart() {
  if [[ -z ${TRAINYARD_APART:-} ]]; then
    local way
    for way in "unshare --uts --mount" "unshare --user --map-root-user --uts --mount"; do
      if command -v hostname >/dev/null && $way true 2>/dev/null; then
        rm -rf "$scratch"
        TRAINYARD_APART=$(uname -n) exec $way bash "$@"
      fi
    done
    echo "the pictures will show the name of this machine ($(uname -n)) and of folders in it"
  else
    machine=$TRAINYARD_APART
    hostname ops-box
    mkdir "$scratch/srv"
    mount --bind "$scratch/srv" /srv
    project=/srv/wine-quality
  fi
  # Nobody's own preferences either, and no other projects.
  export XDG_CONFIG_HOME=$scratch/config XDG_CACHE_HOME=$scratch/cache XDG_RUNTIME_DIR=$scratch/run
  mkdir -m 0700 "$XDG_RUNTIME_DIR"
}

# Opens a session of tmux with a command in it.
open_session() {
  session=$1
  shift
  local command
  command=$(printf '%q ' env TZ=UTC LANG=C.UTF-8 LC_ALL=C.UTF-8 COLORTERM=truecolor TRAINYARD_OPERATOR=operator "$@")
  "${terminal[@]}" new-session -d -s "$session" -x "$columns" -y "$rows" "$command"
}

begin() {
  columns=$1 rows=$2
  cat >"$scratch/tmux.conf" <<'CONF'
set -g status off
set -g default-terminal tmux-256color
set -sg escape-time 0
CONF
  open_session first env TRAINYARD_THEME=dark "$program" demo --dir "$project" --port "${PORT:-18080}"
  until_live 1 "the app of the demo"
}

second() {
  open_session second env "$@" "$program" -C "$project"
}

first() {
  "${terminal[@]}" kill-session -t second
  session=first
}

press() {
  "${terminal[@]}" send-keys -t "$session" "$@"
}

# Tries a command every second, for 5 minutes at most.
until_true() {
  local what=$1 deadline=$((SECONDS + 300))
  shift
  until "$@"; do
    if ((SECONDS > deadline)) || ! "${terminal[@]}" has-session -t "$session" 2>/dev/null; then
      echo "waited in vain for $what" >&2
      "${terminal[@]}" capture-pane -p -t "$session" >&2 || true
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
  "${terminal[@]}" capture-pane -p -t "$session" | grep -qF -- "$1"
}

until_shown() {
  until_true "\`$1\` on the screen" shows "$1"
}

# Charts are asked for again at a new size, and a moment passes until they come.
settled() {
  sleep 4
}

picture() {
  local file=$1 title=$2
  shift 2
  "${terminal[@]}" capture-pane -e -p -t "$session" >"$scratch/screen.ansi"
  python3 docs/ansi_to_svg.py --columns "$columns" --rows "$rows" --title "$title" "$@" \
    <"$scratch/screen.ansi" >"$scratch/screen.svg"
  mv "$scratch/screen.svg" "$file"
  echo "wrote $file"
}
