#!/usr/bin/env bash
# A screen for a project on another machine, over a line with a round trip of 150 ms that loses one packet in a hundred:
# `trainyard attach`, which draws here, beside `ssh -t … trainyard`, which draws over there.
#
# As root, and where the kernel has netem, the other machine is a network namespace with an sshd of its own, and the bytes are
# those of its interface, with all headers. Else a relay on loopback delays what passes (benches/slow_line.py), a lost packet
# is a round trip more, and the bytes are those that ssh sends; the table says which it was. Measured for SECONDS_EACH: a view
# on which nothing happens, a log that gets 1000 lines a second, and charts of a page with 200 series. Keys: another view, and
# the other end of a log of 20000 lines, each KEYS times.
source "$(dirname "$0")/measure.sh"
seconds=${SECONDS_EACH:-20}
keys=${KEYS:-15}
half_trip=75
namespace=ty-far-$$
near=tyn$$
far=tyf$$
python=$(command -v python3) || { echo "python3 is not installed" >&2; exit 1; }
[[ -x /usr/sbin/sshd ]] || { echo "there is no /usr/sbin/sshd; install openssh-server" >&2; exit 1; }

short_runtime
finish_line() {
  finish
  ip netns del "$namespace" 2>/dev/null || true
}
trap finish_line EXIT

# ---- the project

mkdir -p "$project"
cat >"$project/story.awk" <<'AWK'
BEGIN {
  for (line = 1; line <= 20000; line++) {
    mark = line <= 500 ? "QQQQQQQQ" : line > 19500 ? "zzzzzzzz" : "mmmmmmmm"
    printf "%s %06d what a training prints in a line of its log\n", mark, line
  }
}
AWK
cat >"$project/noisy.py" <<'PY'
import time
number = 0
while True:
    for _ in range(100):
        number += 1
        print(f"epoch {number // 1000} batch {number} loss {1 / (1 + number % 977):.6f} accuracy {number % 1000 / 1000:.3f}")
    print(end="", flush=True)
    time.sleep(0.1)
PY
cat >"$scratch/page.py" <<'PY'
import http.server, math, random, sys, time
begun = time.time()
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        age = time.time() - begun
        lines = ["# TYPE requests_total counter", "# TYPE queue_length gauge"]
        lines += [f'requests_total{{path="/{n}"}} {int(age * (n + 1) + random.random() * 5)}' for n in range(100)]
        lines += [f'queue_length{{worker="{n}"}} {50 + 40 * math.sin(age / 7 + n) + random.random():.3f}' for n in range(100)]
        body = ("\n".join(lines) + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
PY
page_port=$(free_port)
"$python" "$scratch/page.py" "$page_port" &
peers+=($!)
await_answer "http://127.0.0.1:$page_port/metrics" 20
start_project <<TOML
[project]
name = "faraway"

[source]
trigger = "manual"

[stages.story]
command = ["awk", "-f", "story.awk"]

[stages.noisy]
command = ["$python", "noisy.py"]

[monitor]
[[monitor.targets]]
name = "page"
url = "http://127.0.0.1:$page_port/metrics"

[[monitor.panels]]
title = "requests"
expr = "sum(rate(requests_total[15s]))"
[[monitor.panels]]
title = "busiest"
expr = "topk(5, rate(requests_total[15s]))"
[[monitor.panels]]
title = "queues"
expr = "avg(queue_length)"
[[monitor.panels]]
title = "workers"
expr = "queue_length{worker=~\"[0-4]\"}"
TOML
run=$(first_run story --only)
await_file "$project/.trainyard/runs/$run/story.1/exit.json" 60

# ---- the line

ssh=$scratch/ssh
mkdir -m 700 "$ssh"
for key in host_key key; do ssh-keygen -q -t ed25519 -N '' -f "$ssh/$key"; done
cp "$ssh/key.pub" "$ssh/authorized_keys"

# Makes the other machine as a namespace behind a slow line; fails, and leaves nothing, where that is not possible.
far_namespace() {
  ((EUID == 0)) || { echo "not root: no network namespace" >&2; return 1; }
  ip netns add "$namespace" || return 1
  ip link add "$near" type veth peer name "$far" netns "$namespace" &&
    ip address add 10.99.77.1/30 dev "$near" && ip link set "$near" up &&
    ip -n "$namespace" address add 10.99.77.2/30 dev "$far" && ip -n "$namespace" link set "$far" up &&
    ip -n "$namespace" link set lo up &&
    tc qdisc add dev "$near" root netem delay "${half_trip}ms" loss 1% &&
    tc -n "$namespace" qdisc add dev "$far" root netem delay "${half_trip}ms" loss 1%
}

if far_namespace 2>"$scratch/namespace.log"; then
  how="network namespace, netem delay ${half_trip} ms and loss 1 % each way; bytes with all headers"
  host=10.99.77.2
  port=22
  listen=$host
  sshd=(ip netns exec "$namespace" /usr/sbin/sshd)
  counters=("/sys/class/net/$near/statistics/rx_bytes" "/sys/class/net/$near/statistics/tx_bytes")
else
  echo "no network namespace with netem here ($(head -n 1 "$scratch/namespace.log")): a relay on loopback delays instead"
  ip netns del "$namespace" 2>/dev/null || true
  how="relay on loopback, ${half_trip} ms each way, one packet in 100 a round trip late; bytes without headers of TCP and IP"
  host=127.0.0.1
  listen=$host
  server_port=$(free_port)
  port=$(free_port)
  sshd=(/usr/sbin/sshd)
  counters=("$scratch/relayed")
  "$python" "$repository/benches/slow_line.py" "$port" "$server_port" "$half_trip" 0.01 "$scratch/relayed" &
  peers+=($!)
fi

((EUID != 0)) || mkdir -p /run/sshd
cat >"$ssh/sshd.conf" <<CONF
Port ${server_port:-$port}
ListenAddress $listen
HostKey $ssh/host_key
AuthorizedKeysFile $ssh/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
SetEnv XDG_RUNTIME_DIR=$runtime LC_ALL=C.UTF-8
CONF
echo "[$host]:$port $(cut -d ' ' -f 1,2 "$ssh/host_key.pub")" >"$ssh/known_hosts"
((port != 22)) || echo "$host $(cut -d ' ' -f 1,2 "$ssh/host_key.pub")" >"$ssh/known_hosts"
cat >"$ssh/config" <<CONF
Host box
  HostName $host
  Port $port
  User $(id -un)
  IdentityFile $ssh/key
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile $ssh/known_hosts
  GlobalKnownHostsFile /dev/null
CONF
"${sshd[@]}" -D -e -f "$ssh/sshd.conf" 2>"$ssh/sshd.log" &
peers+=($!)
tries=0
until ssh -F "$ssh/config" -o BatchMode=yes box true 2>"$ssh/first.log"; do
  ((++tries < 20)) || { cat "$ssh/first.log" "$ssh/sshd.log" >&2; exit 1; }
  sleep 0.5
done

# ---- the measurement

export TRAINYARD_SSH="ssh -F $ssh/config" TRAINYARD_REMOTE_PROGRAM=$program TERM=xterm-256color LC_ALL=C.UTF-8

measured() {
  local name=$1
  shift
  "$python" "$repository/benches/attach_screen.py" --name "$name" --program "$program" --project "$project" \
    --seconds "$seconds" --keys "$keys" --counters "${counters[@]}" -- "$@"
}

echo "$how"
echo "bytes a second, both ways together; from a key to the screen in ms, the median (and the slowest of nine in ten) of $keys"
printf '%-22s %10s %10s %10s %16s %16s\n' "" idle "busy log" charts "another view" "end of the log"
measured "trainyard attach" "$program" attach "box:$project"
measured "ssh -t" ssh -F "$ssh/config" -t box "$program -C $project"
measured "ssh -t, compressed" ssh -F "$ssh/config" -o Compression=yes -t box "$program -C $project"
