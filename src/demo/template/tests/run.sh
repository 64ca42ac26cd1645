#!/bin/sh
# The acceptance tests of this project: is the model fit for use, and does the page do what it should?
#
# Needs nothing but a POSIX shell and awk. What is tested comes from the contract of every stage: the data files are
# listed in $TRAINYARD_DATA, the model is in $TRAINYARD_MODEL, and the report goes to $TRAINYARD_REPORTS.
# A test is a function that says why it fails and returns another status than 0.
set -u
LC_ALL=C
export LC_ALL

: "${TRAINYARD_BIN:?is not set; these tests are run by trainyard: trainyard run test}"
: "${TRAINYARD_DATA:?is not set; these tests are run by trainyard: trainyard run test}"
: "${TRAINYARD_MODEL:?is not set; these tests are run by trainyard: trainyard run test}"
: "${TRAINYARD_REPORTS:?is not set; these tests are run by trainyard: trainyard run test}"

page=app/index.html
samples=app/samples.json
work=$TRAINYARD_REPORTS/work
mkdir -p "$work" || exit 1
trap 'rm -rf "$work"' EXIT

# Ends a test: `fail WHY; return`. Not `echo`, which takes a backslash for the start of an escape.
fail() {
    printf '%s\n' "$*"
    return 1
}

# ---- what the tests look at: one line "grade prediction" for each registered row -------------------------------------

predict() {
    "$TRAINYARD_BIN" predict --model "$TRAINYARD_MODEL" "$1" 2>"$work/said"
}

# Predictions come in the order of the rows, so they are put beside the column `quality`.
beside='
    { sub(/\r$/, "") }
    FNR == NR { if (FNR > 1) prediction[FNR] = $1; next }
    FNR == 1 {
        for (column = 1; column <= NF; column++) { gsub(/"/, "", $column); if ($column == "quality") grade = column }
        next
    }
    NF > 0 { print $grade, (FNR in prediction) ? prediction[FNR] : "none" }
'

gather() {
    : >"$work/pairs"
    : >"$work/unpredicted"
    while IFS= read -r file; do
        if predict "$file" >"$work/predictions"; then
            awk -F '[,;]' "$beside" "$work/predictions" "$file" >>"$work/pairs"
        else
            printf '%s: %s\n' "${file##*/}" "$(cat "$work/said")" >>"$work/unpredicted"
        fi
    done <"$TRAINYARD_DATA"
}

# The columns of the data without the grade, one a line: what the model needs and the page asks for.
features() {
    IFS= read -r first <"$TRAINYARD_DATA"
    awk -F '[,;]' '{
        sub(/\r$/, ""); gsub(/"/, "")
        for (column = 1; column <= NF; column++) if ($column != "quality") print $column
        exit
    }' "$first"
}

# ---- the model ------------------------------------------------------------------------------------------------------

the_model_predicts_every_registered_row() {
    if [ -s "$work/unpredicted" ]; then
        fail "$(cat "$work/unpredicted")"
        return
    fi
    awk '$2 == "none" { without++ }
         END {
             if (NR == 0) { print "no row is registered"; exit 1 }
             if (without) { print without " of " NR " rows have no prediction"; exit 1 }
         }' "$work/pairs"
}

predictions_are_grades_from_3_to_8() {
    awk '$2 !~ /^[3-8]$/ { if (!wrong++) example = $2 }
         END {
             if (NR == 0) { print "there is no prediction"; exit 1 }
             if (wrong) { print wrong " predictions are no grade, the first is " example; exit 1 }
         }' "$work/pairs"
}

predictions_are_not_all_the_same() {
    awk '!seen[$2]++ { kinds++ } END { if (kinds < 2) { print "every row has the prediction " $2; exit 1 } }' "$work/pairs"
}

the_model_beats_always_saying_the_usual_grade() {
    awk '$1 == $2 { right++ }
         { rows[$1]++ }
         END {
             for (grade in rows) if (rows[grade] > usual) usual = rows[grade]
             if (right <= usual) {
                 print right + 0 " of " NR " rows are right, " usual + 0 " if every row had the usual grade"
                 exit 1
             }
         }' "$work/pairs"
}

# ---- the page -------------------------------------------------------------------------------------------------------

the_page_asks_for_every_feature_and_has_places_for_the_answer() {
    for id in $(features) wine samples prediction probabilities model; do
        if ! grep -q "id=\"$id\"" "$page"; then
            fail "$page has no element with the id $id"
            return
        fi
    done
}

# One sample a line in the file, so awk can read it.
the_model_predicts_the_samples_that_the_page_offers() {
    if ! grep -q '"samples.json"' "$page"; then
        fail "$page does not use samples.json"
        return
    fi
    features | awk '
        FNR == NR { names[++count] = $0; header = header (count > 1 ? "," : "") $0; next }
        /"name"/ {
            if (!printed++) print header
            row = ""
            for (i = 1; i <= count; i++) {
                if (!match($0, "\"" names[i] "\": *-?[0-9.]+")) { exit 1 }
                value = substr($0, RSTART, RLENGTH); sub(/^[^:]*: */, "", value)
                row = row (i > 1 ? "," : "") value
            }
            print row
        }' - "$samples" >"$work/samples.csv" || {
        fail "a sample in $samples lacks a feature"
        return
    }
    if grep -q '"quality"' "$samples"; then
        fail "$samples gives away the grade"
        return
    fi
    if ! predict "$work/samples.csv" >"$work/predictions"; then
        fail "$(cat "$work/said")"
        return
    fi
    offered=$(grep -c '"name"' "$samples")
    predicted=$(awk 'NR > 1 && $1 ~ /^[3-8],?/ { rows++ } END { print rows + 0 }' "$work/predictions")
    if [ "$offered" -lt 1 ] || [ "$offered" -ne "$predicted" ]; then
        fail "$predicted of $offered samples have a prediction"
    fi
}

# Text from data or from a request that was taken for markup could run a script in the browser of whoever looks at it.
the_page_writes_answers_as_text() {
    if found=$(grep -n -E 'innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(' "$page"); then
        fail "$page takes what it shows for markup, in line $found"
        return
    fi
    if ! grep -q 'textContent' "$page"; then
        fail "$page does not write with textContent"
    fi
}

the_page_needs_no_other_server() {
    if found=$(grep -n -E 'https?://|(src|href)="//' "$page"); then
        fail "$page loads from elsewhere, in line $found"
    fi
}

# ---- running them ---------------------------------------------------------------------------------------------------

# One line that is fit for an attribute in XML.
escaped() {
    printf '%s' "$1" | tr '\n\t\r' '   ' | tr -d '\000-\037' |
        sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g'
}

run=0
failed=0
check() {
    run=$((run + 1))
    name=$(printf '%s' "$1" | tr _ ' ')
    if message=$("$1" 2>&1); then
        echo "ok      $name"
        verdict=
    else
        failed=$((failed + 1))
        printf 'FAILED  %s: %s\n' "$name" "$message"
        verdict="<failure message=\"$(escaped "$message")\"/>"
    fi
    printf '  <testcase classname="acceptance" name="%s">%s</testcase>\n' "$name" "$verdict" >>"$work/cases"
}

gather
check the_model_predicts_every_registered_row
check predictions_are_grades_from_3_to_8
check predictions_are_not_all_the_same
check the_model_beats_always_saying_the_usual_grade
check the_page_asks_for_every_feature_and_has_places_for_the_answer
check the_model_predicts_the_samples_that_the_page_offers
check the_page_writes_answers_as_text
check the_page_needs_no_other_server

# Renamed into place, so that a report is whole or not there.
{
    echo '<?xml version="1.0" encoding="UTF-8"?>'
    echo "<testsuite name=\"acceptance\" tests=\"$run\" failures=\"$failed\">"
    cat "$work/cases"
    echo '</testsuite>'
} >"$work/junit.xml" && mv "$work/junit.xml" "$TRAINYARD_REPORTS/junit.xml" || exit 1

echo "$((run - failed)) of $run tests passed"
[ "$failed" -eq 0 ]
