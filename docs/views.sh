#!/usr/bin/env bash
# Makes docs/screen.svg and docs/view-*.svg from the real screen, for README.md and docs/tour.md: runs the demo in tmux, registers
# a second batch of data, makes a bad release, and takes a picture of each view. Needs tmux and python3, and four to six minutes.
# Writes into the folder $1 if given.
source "$(dirname "$0")/harness.sh"
apart "$0" "$@"
folder=${1:-docs}
chart_seconds=${CHART_SECONDS:-90}

begin 120 34
echo "deployed; the charts get $chart_seconds s, then comes the next batch, and half of that again"
sleep "$chart_seconds"
press B
until_live 2 "the release of the next batch"
sleep "$((chart_seconds / 2))"
picture "$folder/screen.svg" "The board: the pipeline, the log of a stage, and the charts of the deployed app"
