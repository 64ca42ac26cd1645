"""Signs that are made of lines, blocks and dots, drawn as such for ansi_to_svg.py: in a font they would not meet.

Frames, bars and curves then look the same whatever font a reader has. Standard library only.
"""

from typing import Iterator

# Arms of a sign from the middle of its cell: up, right, down, left.
ARMS = {
    "─": "rl", "│": "ud", "┌": "rd", "┐": "dl", "└": "ur", "┘": "ul", "├": "urd", "┤": "udl", "┬": "rdl", "┴": "url", "┼": "urdl",
}
# The corners that are round, and where their arms go.
ROUND = {"╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu"}
# How often a line is broken within a cell.
BROKEN = {"╌": ("rl", 2), "┊": ("ud", 4)}
THICK = {"━": "rl"}
# How much of what is behind them shades leave.
SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
LINE, THICK_LINE, RADIUS, DOT = 1.1, 2.2, 4.0, 2.0


def number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def kind_of(character: str) -> str:
    """How a sign is drawn; empty if it is left to a font."""
    if character in ARMS or character in ROUND:
        return "line"
    if character in THICK:
        return "thick"
    if character in BROKEN:
        return character
    if character in SHADES:
        return character
    if "▀" <= character <= "▏":
        return "block"
    if "⠀" <= character <= "⣿":
        return "braille"
    return ""


def draw(signs: list[tuple[int, str]], place: tuple[float, float], cell: tuple[float, float], colour: str, looks: str) -> str:
    """Signs of one kind, each with the column from `place` on at which it stands, as one element."""
    kind = kind_of(signs[0][1])
    data = "".join(part for begin, end, sign in stretches(signs) for part in path(kind, begin, end, sign, place, cell))
    if kind in SHADES or kind == "block":
        opacity = f' fill-opacity="{SHADES[kind]}"' if kind in SHADES else ""
        return f'<path d="{data}" fill="{colour}"{opacity} shape-rendering="crispEdges"{looks}/>'
    width = {"thick": THICK_LINE, "braille": DOT}.get(kind, LINE)
    cap = ' stroke-linecap="round"' if kind == "braille" else ""
    dashes = ""
    if kind in BROKEN:
        axis, count = BROKEN[kind]
        length = cell[0 if axis == "rl" else 1] / count / 2
        dashes = f' stroke-dasharray="{number(length)}"'
    return f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="{width}"{cap}{dashes}{looks}/>'


def stretches(signs: list[tuple[int, str]]) -> Iterator[tuple[int, int, str]]:
    """Neighbours that are equal, as the first column, the one behind the last, and the sign."""
    begin = 0
    for index in range(1, len(signs) + 1):
        if index == len(signs) or signs[index] != (signs[index - 1][0] + 1, signs[begin][1]):
            yield signs[begin][0], signs[index - 1][0] + 1, signs[begin][1]
            begin = index


def path(kind: str, begin: int, end: int, sign: str, place: tuple[float, float], cell: tuple[float, float]) -> Iterator[str]:
    """The data of one stretch."""
    (left, top), (width, height) = place, cell
    if kind == "block" or kind in SHADES:
        yield block(sign, left + begin * width, top, (end - begin) * width, cell)
        return
    arms = ARMS.get(sign) or THICK.get(sign) or BROKEN.get(sign, ("", 0))[0]
    if arms == "rl":
        yield f"M{number(left + begin * width)} {number(top + height / 2)}H{number(left + end * width)}"
        return
    for column in range(begin, end):
        x = left + column * width
        if kind == "braille":
            yield from dots(sign, x, top, cell)
        elif sign in ROUND:
            yield corner(ROUND[sign], x, top, cell)
        else:
            yield from lines(arms, x, top, cell)


def block(sign: str, x: float, y: float, length: float, cell: tuple[float, float]) -> str:
    """Eighths from below for ▁ to █, or from the left for ▉ to ▏, of which nobody puts two side by side; the upper half; a shade."""
    height = cell[1]
    index = 8 if sign in SHADES else ord(sign) - ord("▀")
    if index == 0:
        high = height / 2
        return f"M{number(x)} {number(y)}h{number(length)}v{number(high)}h{number(-length)}z"
    if index <= 8:
        high = height * index / 8
        return f"M{number(x)} {number(y + height - high)}h{number(length)}v{number(high)}h{number(-length)}z"
    wide = cell[0] * (16 - index) / 8
    return f"M{number(x)} {number(y)}h{number(wide)}v{number(height)}h{number(-wide)}z"


def lines(arms: str, x: float, y: float, cell: tuple[float, float]) -> Iterator[str]:
    middle, centre = x + cell[0] / 2, y + cell[1] / 2
    if "u" in arms or "d" in arms:
        begin, end = (y if "u" in arms else centre), (y + cell[1] if "d" in arms else centre)
        yield f"M{number(middle)} {number(begin)}V{number(end)}"
    if "l" in arms or "r" in arms:
        begin, end = (x if "l" in arms else middle), (x + cell[0] if "r" in arms else middle)
        yield f"M{number(begin)} {number(centre)}H{number(end)}"


def corner(arms: str, x: float, y: float, cell: tuple[float, float]) -> str:
    """From the side of a cell round to its upper or lower end."""
    middle, centre = x + cell[0] / 2, y + cell[1] / 2
    side, direction = (x + cell[0], 1) if arms[0] == "r" else (x, -1)
    end, turn = (y + cell[1], 1) if arms[1] == "d" else (y, -1)
    return (
        f"M{number(side)} {number(centre)}H{number(middle + direction * RADIUS)}"
        f"Q{number(middle)} {number(centre)} {number(middle)} {number(centre + turn * RADIUS)}V{number(end)}"
    )


def dots(sign: str, x: float, y: float, cell: tuple[float, float]) -> Iterator[str]:
    """Dots 1 to 3 and 7 go down on the left, 4 to 6 and 8 on the right."""
    pattern = ord(sign) - ord("⠀")
    for bit, (column, row) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]):
        if pattern >> bit & 1:
            yield f"M{number(x + cell[0] * (column * 2 + 1) / 4)} {number(y + cell[1] * (row * 2 + 1) / 8)}h0"
