#!/usr/bin/env bash
# Makes docs/screen.svg from the real screen: runs the demo in tmux, waits until its app is deployed and its charts have
# moved, and takes the picture. Needs tmux and python3. Writes to $1 if given.
source "$(dirname "$0")/pictures.sh"
file=${1:-docs/screen.svg}
chart_seconds=${CHART_SECONDS:-90}

begin 120 34
echo "deployed; the charts get $chart_seconds s, then comes the next batch, and half of that again"
sleep "$chart_seconds"
press B
sleep "$((chart_seconds / 2))"
picture "$file" "The board of trainyard: the pipeline, the log of a stage, and the charts of the deployed app"
