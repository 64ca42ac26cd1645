#!/usr/bin/env bash
# Makes docs/panels-*.svg from the real screen: runs the demo in tmux with the panels that docs/metrics.md shows in its
# chapter Panels, and takes pictures of all of them, of each alone, of the explorer, of two releases beside each other, and
# of the alert that a bad release raises. Needs tmux and python3, and six to eight minutes. Writes into the folder $1 if
# given.
source "$(dirname "$0")/harness.sh"
apart "$0" "$@"
folder=${1:-docs}
chart_seconds=${CHART_SECONDS:-150}
# In the order of the page.
kinds=(line area stat gauge heatmap table)

# The examples between the heading of the chapter and the next one.
panels() {
  awk '/^## /{inside = $0 == "## Panels"} inside && /^```/{copies = $0 == "```toml"; next} inside && copies' docs/metrics.md
}

begin 120 40
# The examples take the place of the demo's own panels, which end its configuration. The daemon reads that again when it is
# saved; in one step, so that nobody sees half of it.
{ sed '/^\[\[monitor\.panels\]\]/,$d' "$project/trainyard.toml"; echo; panels; } >"$project/.trainyard/trainyard.toml"
mv "$project/.trainyard/trainyard.toml" "$project/trainyard.toml"
press 6
until_shown "drift by feature"
echo "deployed; the charts get $chart_seconds s, then comes the next batch, and a third of that again"
sleep "$chart_seconds"
press B
until_live 2 "the release of the next batch"
sleep "$((chart_seconds / 3))"

press g
settled
picture "$folder/panels-grid.svg" "The Metrics view with a panel of each kind"
for kind in "${kinds[@]}"; do
  press z
  settled
  picture "$folder/panels-$kind.svg" "A panel of the kind $kind"
  press z
  press Down
done

press g c
until_shown "beside release"
settled
picture "$folder/panels-comparison.svg" "The latency of two releases, laid together at their deploys"
press c

press e
until_shown "Explore"
press -l "sum by (status) (rate(predict_"
settled
picture "$folder/panels-explorer.svg" "The explorer: an expression, and the metrics that fit"
press Escape
# An escape and a letter in one breath would be another key.
settled

press E
until_live 3 "the bad release"
until_live 4 "the alert, which brings the release before back"
# Until the errors are out of the window of the alert, and it is over.
sleep 25
press g Down z
settled
picture "$folder/panels-alert.svg" "A bad release, the alert that it raised, and the release that came back"
