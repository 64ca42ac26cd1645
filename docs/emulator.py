"""A terminal as small as the screen of trainyard needs it: what stands where, and which modes are on.

It understands what the program sends (places, colours, erasing, modes), takes everything else as a sequence without effect, and
is used by cast.py to know what a person would see. Standard library only.
"""

import re
import unicodedata

# A whole escape sequence: CSI, a string (OSC, DCS) up to its end, or two bytes.
SEQUENCE = re.compile(
    r"\x1b\[(?P<parameters>[0-9;:?<>=!]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b[\]P](?P<string>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b[()*+][0-9A-Za-z]|\x1b(?P<short>[^\[\]P()*+])"
)


def whole(text: str) -> int:
    """How much of a text can be taken in without cutting a sequence in two."""
    position = 0
    while (begin := text.find("\x1b", position)) >= 0:
        found = SEQUENCE.match(text, begin)
        if not found:
            return begin
        position = found.end()
    return len(text)


def width_of(character: str) -> int:
    """How many cells a character takes."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


class Terminal:
    """A screen of fixed size; texts are fed to it as a program sends them."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        # Private modes that are on, by number; 25 is the cursor.
        self.modes = {25, 7}
        self.style = ""
        self.row = self.column = 0
        self.saved = (0, 0, "")
        self.cells: list[list[tuple[str, str]]] = []
        self.erase(0, rows)

    def erase(self, begin: int, end: int) -> None:
        """Makes rows empty."""
        blank = [[(" ", "")] * self.columns for _ in range(end - begin)]
        self.cells[begin:end] = blank

    def feed(self, text: str) -> None:
        """Takes in what a program sends; no sequence may be cut at its ends."""
        position = 0
        while position < len(text):
            found = SEQUENCE.match(text, position)
            if found:
                self.obey(found)
                position = found.end()
                continue
            self.write(text[position])
            position += 1

    def write(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            if self.row + 1 == self.rows:
                self.cells = [*self.cells[1:], [(" ", "")] * self.columns]
            self.row = min(self.row + 1, self.rows - 1)
        elif character == "\b":
            self.column = max(self.column - 1, 0)
        elif character >= " ":
            self.put(character)

    def put(self, character: str) -> None:
        width = width_of(character)
        line = self.cells[self.row]
        if width == 0:
            before = max(self.column - 1, 0)
            line[before] = (line[before][0] + character, line[before][1])
        elif self.column + width <= self.columns:
            line[self.column] = (character, self.style)
            if width == 2:
                line[self.column + 1] = ("", self.style)
            self.column += width

    def obey(self, found: re.Match[str]) -> None:
        final, parameters = found.group("final"), found.group("parameters") or ""
        if found.group("short") == "7":
            self.saved = (self.row, self.column, self.style)
        elif found.group("short") == "8":
            self.row, self.column, self.style = self.saved
        elif final is None or found.group("between"):
            return
        elif final in "hl" and parameters.startswith("?"):
            self.switch({int(number) for number in parameters[1:].split(";") if number.isdigit()}, final == "h")
        elif final == "m":
            self.dip(parameters)
        elif final == "H":
            row, column = [*(int(number or 1) for number in parameters.split(";")), 1][:2]
            self.row, self.column = min(row, self.rows) - 1, min(column, self.columns) - 1
        elif final == "J" and parameters in ("2", "3"):
            self.erase(0, self.rows)
        elif final == "K":
            self.cells[self.row][self.column :] = [(" ", self.style)] * (self.columns - self.column)

    def switch(self, modes: set[int], is_on: bool) -> None:
        """The alternate screen comes empty, and goes with what was on it."""
        if 1049 in modes:
            self.erase(0, self.rows)
            self.row = self.column = 0
        self.modes = self.modes | modes if is_on else self.modes - modes

    def dip(self, parameters: str) -> None:
        """Colours are kept as they were sent."""
        if parameters in ("", "0"):
            self.style = ""
        elif parameters.startswith("0;"):
            self.style = f"\x1b[{parameters}m"
        else:
            self.style += f"\x1b[{parameters}m"

    def text(self) -> str:
        """What can be read."""
        return "\n".join("".join(character for character, _ in line).rstrip() for line in self.cells)

    def ansi(self) -> str:
        """The same with its colours, as ansi_to_svg.py takes it."""
        lines = []
        for line in self.cells:
            drawn, before = "", ""
            for character, style in line:
                drawn += character if style == before else f"\x1b[0m{style}{character}"
                before = style
            lines.append(drawn + "\x1b[0m")
        return "\n".join(lines)
