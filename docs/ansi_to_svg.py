#!/usr/bin/env python3
"""Turns a screen full of text with ANSI colours (standard input) into an SVG picture (standard output).

The input is what `tmux capture-pane -e -p` prints. Every character lies in a cell of fixed size, whatever font the reader has:
a run of equal characters is stretched to the width of its cells, wide characters (Korean, emoji) take two, and frames, bars
and curves are drawn by shapes.py. Only what a screen of ours uses is understood (SGR colours and attributes); other escape
sequences are left out. Standard library only.

    tmux capture-pane -e -p | python3 docs/ansi_to_svg.py --columns 120 --rows 34 > screen.svg
"""

import argparse
import re
import sys
import unicodedata
from dataclasses import dataclass, replace
from typing import Iterator, NamedTuple, Optional, Union
from xml.sax.saxutils import escape

import shapes
from shapes import number


class Ground(NamedTuple):
    """The terminal's own colours: what a screen shows where it says nothing of colours, and its sixteen by number."""

    foreground: str
    background: str
    sixteen: tuple[str, ...]

    def shown(self, colour: "Colour") -> str:
        """A colour as this terminal shows it."""
        return self.sixteen[colour] if isinstance(colour, int) else colour


# One of the sixteen by its number, of which every terminal decides what it looks like, or red, green and blue in hexadecimal.
Colour = Union[int, str]

DARK = Ground(
    "#c8d1dc",
    "#10151c",
    (
        "#1c232d", "#f0787c", "#7fc98f", "#e3b566", "#5fa8d3", "#c792ea", "#6fc3df", "#c8d1dc",
        "#74808f", "#ff9b9e", "#a3e0b0", "#f2cf8f", "#8fc7e8", "#dcb3f5", "#97dcf0", "#f2f6fa",
    ),
)
# Terminals with a light ground have darker ones, or nobody could read them.
LIGHT = Ground(
    "#2b3440",
    "#fbfaf7",
    (
        "#2b3440", "#b3261e", "#1f7a3a", "#8f5a00", "#0b6398", "#7a2fa8", "#006d8f", "#868e95",
        "#56616d", "#c93a31", "#27803f", "#a06700", "#1f76ad", "#8f45bd", "#0d7a9d", "#a9b0b7",
    ),
)
WIDE_FONT = "'Noto Sans Mono CJK KR','D2Coding',monospace"
FONT = "'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,'D2Coding','Noto Sans Mono CJK KR',monospace"
FONT_SIZE = 14
CELL_WIDTH = 8.4
CELL_HEIGHT = 17
# Where letters stand in a cell, from its top.
BASELINE = 13.2
MARGIN = 14

# CSI with its final byte, OSC up to its end, a charset choice, or any other two-byte escape.
ESCAPE = re.compile(r"\x1b\[([0-9;:?<>=!]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-9A-Za-z]|\x1b.")


@dataclass(frozen=True)
class Style:
    """How a cell looks. A colour of None is the one that the terminal has where nothing is said."""

    foreground: Optional[Colour] = None
    background: Optional[Colour] = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underlined: bool = False
    reversed: bool = False

    def colours(self, ground: Ground) -> tuple[str, str]:
        """Foreground and background as they are shown."""
        foreground = ground.foreground if self.foreground is None else ground.shown(self.foreground)
        background = ground.background if self.background is None else ground.shown(self.background)
        return (background, foreground) if self.reversed else (foreground, background)


class Cell(NamedTuple):
    """One character, with those that combine with it."""

    column: int
    text: str
    width: int
    style: Style


def colour_256(number: int) -> Colour:
    """A colour of the xterm palette: the sixteen, a cube of 6 × 6 × 6, and 24 greys."""
    if number < 16:
        return number
    if number < 232:
        steps = (0, 95, 135, 175, 215, 255)
        cube = number - 16
        return hexadecimal(steps[cube // 36], steps[cube // 6 % 6], steps[cube % 6])
    grey = 8 + 10 * (min(number, 255) - 232)
    return hexadecimal(grey, grey, grey)


def hexadecimal(red: int, green: int, blue: int) -> str:
    return "#" + "".join(f"{min(part, 255):02x}" for part in (red, green, blue))


def extended(numbers: list[int]) -> tuple[Optional[Colour], int]:
    """The colour behind 38 or 48, and how many numbers it takes."""
    if numbers[:1] == [5] and len(numbers) >= 2:
        return colour_256(numbers[1]), 2
    if numbers[:1] == [2] and len(numbers) >= 4:
        return hexadecimal(*numbers[1:4]), 4
    return None, len(numbers)


# Attributes that need no argument.
SIMPLE = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underlined": True},
    7: {"reversed": True},
    21: {"underlined": True},
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underlined": False},
    27: {"reversed": False},
    39: {"foreground": None},
    49: {"background": None},
}


def apply_one(style: Style, code: int, rest: list[int]) -> tuple[Style, int]:
    """The style after one SGR code, and how many of the numbers behind it belong to it."""
    if code == 0:
        return Style(), 0
    if code in SIMPLE:
        return replace(style, **SIMPLE[code]), 0
    if code in (38, 48, 58):
        colour, taken = extended(rest)
        part = {38: "foreground", 48: "background"}.get(code)
        return (replace(style, **{part: colour}) if part else style), taken
    for first, part, offset in ((30, "foreground", 0), (40, "background", 0), (90, "foreground", 8), (100, "background", 8)):
        if first <= code < first + 8:
            return replace(style, **{part: code - first + offset}), 0
    return style, 0


def apply_sgr(style: Style, parameters: str) -> Style:
    """The style after an SGR sequence."""
    plain: list[int] = []
    for parameter in parameters.split(";"):
        if ":" not in parameter:
            plain.append(int(parameter) if parameter.isdigit() else 0)
            continue
        # The form with colons carries its arguments inside, with an empty one for the colour space.
        code, *arguments = [int(number) if number.isdigit() else None for number in parameter.split(":")]
        if code == 4:
            style = replace(style, underlined=arguments[:1] != [0])
        elif code in (38, 48):
            style, _ = apply_one(style, code, [number for number in arguments if number is not None])
    index = 0
    # An empty sequence means 0; one that held only the form with colons has been dealt with.
    while index < len(plain):
        style, taken = apply_one(style, plain[index], plain[index + 1 :])
        index += 1 + taken
    return style


def width_of(character: str) -> int:
    """How many cells a character takes."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def cells_of(line: str, style: Style) -> tuple[list[Cell], Style]:
    """The cells of one line, and the style at its end, which goes on in the next."""
    cells: list[Cell] = []
    column = position = 0
    while position < len(line):
        found = ESCAPE.match(line, position)
        if found:
            if found.group(2) == "m":
                style = apply_sgr(style, found.group(1))
            position = found.end()
            continue
        character = line[position]
        position += 1
        if unicodedata.category(character) == "Cc":
            continue
        width = width_of(character)
        if width == 0:
            if cells:
                last = cells[-1]
                cells[-1] = last._replace(text=last.text + character)
            continue
        cells.append(Cell(column, character, width, style))
        column += width
    return cells, style


def kind_of(cell: Cell) -> tuple[Style, int, bool, str]:
    """What must be equal in one run. Signs beyond ASCII may come from another font, whose advance is not that of the letters."""
    return cell.style, cell.width, cell.text.isascii(), shapes.kind_of(cell.text) if len(cell.text) == 1 else ""


def runs_of(cells: list[Cell]) -> Iterator[list[Cell]]:
    """Neighbours of one kind, which can be drawn at once."""
    run: list[Cell] = []
    for cell in cells:
        if run and kind_of(cell) != kind_of(run[0]):
            yield run
            run = []
        run.append(cell)
    if run:
        yield run


def draw_run(run: list[Cell], row: int, ground: Ground) -> Iterator[str]:
    """The background of a run, then its letters."""
    style, columns = run[0].style, sum(cell.width for cell in run)
    left, top = MARGIN + run[0].column * CELL_WIDTH, MARGIN + row * CELL_HEIGHT
    foreground, background = style.colours(ground)
    if background != ground.background:
        yield (
            f'<rect x="{number(left)}" y="{number(top)}" width="{number(columns * CELL_WIDTH)}" '
            f'height="{CELL_HEIGHT}" fill="{background}"/>'
        )
    text = "".join(cell.text for cell in run)
    if not text.strip() and not style.underlined:
        return
    if kind_of(run[0])[3]:
        signs = [(cell.column - run[0].column, cell.text) for cell in run]
        looks = ' opacity="0.65"' if style.dim else ""
        yield shapes.draw(signs, (left, top), (CELL_WIDTH, CELL_HEIGHT), foreground, looks)
        return
    looks = [f'fill="{foreground}"'] if foreground != ground.foreground else []
    # Whoever draws with the first font alone needs one that has wide letters.
    looks += [f'font-family="{WIDE_FONT}"'] if any(cell.width > 1 for cell in run) else []
    looks += ['font-weight="bold"'] if style.bold else []
    looks += ['font-style="italic"'] if style.italic else []
    looks += ['opacity="0.65"'] if style.dim else []
    looks += ['text-decoration="underline"'] if style.underlined else []
    yield (
        f'<text x="{number(left)}" y="{number(top + BASELINE)}" textLength="{number(columns * CELL_WIDTH)}" '
        f'lengthAdjust="spacingAndGlyphs"{"".join(" " + look for look in looks)}>{escape(text)}</text>'
    )


def trimmed(run: list[Cell], ground: Ground) -> list[Cell]:
    """Without the blanks at both ends, where nothing would be seen of them."""
    style = run[0].style
    if style.underlined or style.colours(ground)[1] != ground.background:
        return run
    inked = [index for index, cell in enumerate(run) if cell.text.strip()]
    return run[inked[0] : inked[-1] + 1] if inked else []


def picture(
    text: str, columns: Optional[int], rows: Optional[int], title: str, ground: Ground = DARK, stretches: bool = True
) -> str:
    """The whole SVG. For whoever draws it and does not stretch text to its length, each character stands by itself."""
    style, lines = Style(), []
    for line in text.rstrip("\n").split("\n"):
        cells, style = cells_of(line, style)
        lines.append(cells)
    used = max((cells[-1].column + cells[-1].width for cells in lines if cells), default=1)
    width = number(2 * MARGIN + max(used, columns or 0) * CELL_WIDTH)
    height = number(2 * MARGIN + max(len(lines), rows or 0) * CELL_HEIGHT)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{ground.background}"/>',
        f'<g font-family="{FONT}" font-size="{FONT_SIZE}" fill="{ground.foreground}" xml:space="preserve">',
    ]
    for row, cells in enumerate(lines):
        for run in runs_of(cells) if stretches else ([cell] for cell in cells):
            seen = trimmed(run, ground)
            if seen:
                drawn.extend(draw_run(seen, row, ground))
    return "\n".join([*drawn, "</g>", "</svg>", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--columns", type=int, help="the width of the screen, where its lines do not show it")
    parser.add_argument("--rows", type=int, help="its height")
    parser.add_argument("--title", default="The screen of trainyard", help="what a screen reader says")
    parser.add_argument("--light", action="store_true", help="the terminal has dark letters on a light ground")
    arguments = parser.parse_args()
    ground = LIGHT if arguments.light else DARK
    text = sys.stdin.buffer.read().decode("utf-8", errors="replace")
    drawn = picture(text, arguments.columns, arguments.rows, arguments.title, ground)
    sys.stdout.buffer.write(drawn.encode("utf-8"))


if __name__ == "__main__":
    main()
