#!/usr/bin/env bash
# Makes docs/demo.cast: records the demo in a pseudo-terminal while cast.py presses keys, and checks the recording. Needs python3
# and three minutes. Writes to $1 if given.
source "$(dirname "$0")/harness.sh"
apart "$0" "$@"
file=${1:-docs/demo.cast}

python3 docs/cast.py record --program "$program" --folder "$(dirname "$project")" --port "${PORT:-18080}" "$file"
# Where nothing could be set apart, it names this machine, and was said to.
python3 docs/cast.py check "$file" --names "$scratch" "$PWD" ${machine:+"$machine"}
