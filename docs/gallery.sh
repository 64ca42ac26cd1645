#!/usr/bin/env bash
# Makes pictures of every view at every size in every way of drawing, to be looked at, into the folder $1: an SVG and a PNG of
# each frame, and sheets/WIDTHxHEIGHT-N.png with the five ways of a view side by side. The frames come from the tests that keep
# their snapshots (src/tui/views/matrix_tests.rs), as a terminal is sent them; with a second folder, from there.
#
# Needs cargo, and python3 for the SVGs. The PNGs need cairosvg (`pip install cairosvg`, which needs the library libcairo2) and
# the sheets Pillow (`pip install pillow`); without them there are none. Signs and Korean need fonts that have them, such as
# fonts-dejavu-core and fonts-noto-cjk.
set -euo pipefail
if (($# < 1 || $# > 2)); then
  echo "usage: docs/gallery.sh FOLDER [FRAMES]" >&2
  exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
frames=${2:+$(cd "$2" && pwd)}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -z $frames ]]; then
  frames=$folder/frames
  # Snapshots that differ are no reason against pictures: they show what is drawn now.
  TRAINYARD_PICTURES=$frames INSTA_UPDATE=no INSTA_FORCE_PASS=1 cargo test --lib matrix_tests::everything ||
    echo "not all frames were drawn; the pictures are of those that were" >&2
fi

# Without .pyc files beside the script that it uses.
exec python3 -B - "$frames" "$folder" <<'PYTHON'
import re
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, "docs")
import ansi_to_svg

try:
    import cairosvg
except (ImportError, OSError):
    # An OSError is a cairosvg without its library.
    cairosvg = None
try:
    from PIL import Image
except ImportError:
    Image = None

NAME = re.compile(r"(?P<case>.+)-(?P<columns>\d+)x(?P<rows>\d+)-(?P<way>[^-]+)\.ansi")
WAYS = ["dark", "light", "16", "none", "ascii"]
# Views on one sheet: five ways beside each other, and so many below each other, can still be read.
ROWS_OF_SHEET = 4
# A row of a sheet is as wide as this, whatever the size of its frames.
WIDTH_OF_SHEET = 4000
# Of the pixels of a PNG, so that small letters can be read.
SCALE = 1.5


def draw(frame, folder):
    """The SVG and, where it can be made, the PNG of a frame."""
    found = NAME.fullmatch(frame.name)
    if not found:
        return None
    own = ansi_to_svg.LIGHT if found["way"] == "light" else ansi_to_svg.DARK
    text = frame.read_text(encoding="utf-8")
    looks = (text, int(found["columns"]), int(found["rows"]), frame.stem, own)
    (folder / f"{frame.stem}.svg").write_text(ansi_to_svg.picture(*looks), encoding="utf-8")
    if cairosvg is None:
        return None
    png = folder / f"{frame.stem}.png"
    # cairosvg does not stretch text to its length.
    svg = ansi_to_svg.picture(*looks, stretches=False)
    cairosvg.svg2png(bytestring=svg.encode("utf-8"), write_to=str(png), scale=SCALE)
    return found, png


def sheet(cases, target):
    """The ways of some views, each view a row."""
    width = WIDTH_OF_SHEET // len(WAYS)
    rows = []
    for ways in cases:
        pictures = []
        for way in WAYS:
            if way in ways:
                with Image.open(ways[way]) as picture:
                    height = round(picture.height * width / picture.width)
                    pictures.append((way, picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)))
        rows.append(pictures)
    height = sum(max(picture.height for _, picture in row) for row in rows)
    whole = Image.new("RGB", (width * len(WAYS), height), "#808080")
    top = 0
    for row in rows:
        for way, picture in row:
            whole.paste(picture, (WAYS.index(way) * width, top))
        top += max(picture.height for _, picture in row)
    whole.save(target)


def sheets(drawn, folder):
    """Some views a sheet, size by size."""
    sizes = defaultdict(lambda: defaultdict(dict))
    for found, png in drawn:
        sizes[f"{found['columns']}x{found['rows']}"][found["case"]][found["way"]] = png
    folder.mkdir(exist_ok=True)
    for size, cases in sizes.items():
        ordered = [ways for _, ways in sorted(cases.items())]
        for number, first in enumerate(range(0, len(ordered), ROWS_OF_SHEET), start=1):
            sheet(ordered[first : first + ROWS_OF_SHEET], folder / f"{size}-{number}.png")


def main():
    frames, folder = (Path(argument) for argument in sys.argv[1:])
    all_frames = sorted(frames.glob("*.ansi"))
    if not all_frames:
        sys.exit(f"no frame (*.ansi) lies in {frames}; docs/gallery.sh FOLDER draws them")
    drawn = [picture for picture in (draw(frame, folder) for frame in all_frames) if picture]
    print(f"{len(all_frames)} frames, {len(drawn)} PNGs in {folder}")
    if cairosvg is None:
        print("no PNGs: `pip install cairosvg` makes them possible")
    elif Image is None:
        print("no sheets: `pip install pillow` makes them possible")
    else:
        sheets(drawn, folder / "sheets")


main()
PYTHON
