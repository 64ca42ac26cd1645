#!/usr/bin/env bash
# Makes every picture of the documents and the cast of the demo from the real screen, one after the other. Needs tmux and python3,
# and twenty minutes. $PROGRAM names the program, $PORT the port of the demo's app, both if they are to be others.
set -euo pipefail
folder=$(dirname "$0")
for part in views panels cast; do
  "$folder/$part.sh"
done
