# Runs a stage in a container whose files come and go through `exec`. $0 is the folder of the stage, "$@" its command.
# Nothing but a POSIX shell and `sleep` is asked of the image.
root=$0
child=
stopped=
step=1
ticks=0

# A fifth of a second where `sleep` can do that, else a whole one. $ticks counts fifths.
pause() {
  if [ "$step" = 1 ] && sleep 0.2 2>/dev/null; then
    ticks=$((ticks + 1))
  else
    step=5
    ticks=$((ticks + 5))
    sleep 1
  fi
}

# Waits for the file $1, at most $2 fifths of a second: files that come through `exec` announce themselves in no other way.
await() {
  ticks=0
  until [ -e "$root/$1" ]; do
    [ -z "$stopped" ] && [ "$ticks" -lt "$2" ] || return 1
    pause
  done
}

# The first process of a container ignores what it does not ask for.
trap 'stopped=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT

if ! await .start 18000; then
  [ -n "$stopped" ] || echo "trainyard: nobody started this stage within an hour" >&2
  exit 125
fi
cd "$root/source" || exit 125
"$@" &
child=$!
[ -z "$stopped" ] || kill -TERM "$child" 2>/dev/null
while :; do
  wait "$child"
  code=$?
  # A signal ends `wait` before it ends the command.
  kill -0 "$child" 2>/dev/null || break
done

note=
if [ "$code" = 137 ]; then
  for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
    [ -r "$file" ] || continue
    while read -r key value; do
      [ "$key" = oom_kill ] && [ "$value" -gt 0 ] && note=' oom'
    done <"$file"
  done
fi
echo "$code$note" >"$root/.exit"
[ -n "$stopped" ] || await .collected 3000
exit "$code"
