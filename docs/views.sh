#!/usr/bin/env bash
# Makes docs/screen.svg and docs/view-*.svg from the real screen, for README.md and docs/tour.md: runs the demo in tmux, registers
# a second batch of data, makes a bad release, and takes a picture of each view. Needs tmux and python3, and eight minutes.
# Writes into the folder $1 if given.
source "$(dirname "$0")/harness.sh"
apart "$0" "$@"
folder=${1:-docs}
chart_seconds=${CHART_SECONDS:-200}

# Takes the picture of a view once the screen has come to rest.
view() {
  settled
  picture "$folder/view-$1.svg" "${@:2}"
}

# Goes back to where one came from. An escape and a letter in one breath would be another key.
back() {
  press Escape
  sleep 1
}

theme() {
  press :
  press -l "theme $1"
  press Enter
  until_shown "theme $1;"
}

begin 120 34
echo "deployed; the charts get $chart_seconds s, then comes the next batch, and half of that again"
sleep "$chart_seconds"
press B
until_live 2 "the release of the next batch"
sleep "$((chart_seconds / 2))"
# The log that has most to tell.
press Left Left Left
settled
picture "$folder/screen.svg" "The board: the pipeline, the log of a stage, and the charts of the deployed app"

# The same in other colours, and without any.
theme light
view light "The board in the light theme" --light
theme dark
second NO_COLOR=1 TRAINYARD_ASCII=1
until_shown "Pipeline"
press Left Left Left
view ascii "The board without colours and with ASCII signs only"
first

press 2 c
until_shown "Run 1 beside run 2"
view runs "The runs, and two of them beside each other: their data, durations and metrics"
back

press 3 a
until_shown "all stages"
press /
press -l "accuracy"
press Enter
until_shown "/accuracy"
view logs "The log of all stages of a run, with the places where a search found something"
back
press G f

press 4 i
until_shown "[i importance]"
view models "The models, and what each column is worth to the one that is live"
press c o
until_shown "[o confusion]"
view confusion "Two models beside each other: which grades were taken for which"
back
back

press 1 E
until_live 3 "the bad release"
until_live 4 "the alert, which brings the release before back"
# Until the errors are out of the window of the alert, and it is over.
sleep 25
press 6 Left Left Left
view metrics "The charts of the app over a bad release: refusals, the alert, and the release that came back"
press 7
view events "What happened, in sentences: a release, the alert that it raised, and the way back"
press 5 Down , .
until_shown "[release 3]"
view releases "The releases, and below them the way from a commit to what it does live"

press 1 C-t
until_shown "Time line"
# What came behind the bad release, then that itself.
press S-Left S-Left S-Left
sleep 2
press Enter
until_shown "PAST"
press C-t
until_shown "Time line"
view past "The board as it was, and the line of time on which that moment lies"
back
press C-n

press :
press -l "depl"
view palette "The command palette, with what fits a few letters"
back
press ?
view help "The keys of the present view, which can be searched"
back
