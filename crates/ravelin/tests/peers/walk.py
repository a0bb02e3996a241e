"""Runs a program on a terminal, presses keys, and tells what is on the screen after each.

    walk.py COLUMNSxROWS ACTION,ACTION,... PROGRAM ARGUMENT...

An action is the name of a key, a character, `size:COLUMNSxROWS`, `signal:NAME`, or `hang-up`, which closes the
terminal. A screen is whole when the program ends its synchronized update. Prints JSON: the screens, each with
its lines, the lines that are marked, and whether colours were used; what came after the last screen; the exit code (minus the signal's
number where one ended it); and whether the terminal's settings are what they were.
"""

import fcntl
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unicodedata

PATIENCE = 30
WHOLE = b"\x1b[?2026l"
KEYS = {
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "home": "\x1b[H", "end": "\x1b[F", "page-up": "\x1b[5~", "page-down": "\x1b[6~",
    "tab": "\t", "enter": "\r", "escape": "\x1b", "space": " ",
    "ctrl-c": "\x03", "ctrl-l": "\x0c",
}
SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


class Screen:
    """As much of a terminal as is needed to see what was drawn."""

    def __init__(self, columns, rows):
        self.resize(columns, rows)
        self.marked = self.drawn = self.coloured = False
        self.x = self.y = 0

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.clear()

    def clear(self):
        self.cells = [[(" ", False)] * self.columns for _ in range(self.rows)]

    def feed(self, text):
        at = 0
        while at < len(text):
            sequence = SEQUENCE.match(text, at)
            if sequence:
                self.control(*sequence.groups())
                at = sequence.end()
            else:
                self.put(text[at])
                at += 1

    def control(self, values, kind):
        if kind == "H":
            y, x = (int(value) for value in (values or "1;1").split(";"))
            self.y, self.x = y - 1, x - 1
        elif kind == "J":
            self.clear()
        elif kind == "m":
            self.coloured |= re.match("3[0-8]|4[0-8]|9[0-7]", values) is not None
            for value in (values or "0").split(";"):
                self.marked = value == "7" or self.marked and value not in ("0", "27")
        elif values == "?1049":
            self.drawn = kind == "h"
            self.clear()

    def put(self, character):
        if not self.drawn or ord(character) < 32:
            return
        self.cells[self.y][self.x] = (character, self.marked)
        self.x += 1
        if unicodedata.east_asian_width(character) in "WF":
            self.cells[self.y][self.x] = ("", self.marked)
            self.x += 1

    def seen(self):
        return {
            "coloured": self.coloured,
            "lines": ["".join(cell for cell, _ in row).rstrip() for row in self.cells],
            "marked": [
                "".join(cell for cell, marked in row if marked) for row in self.cells if any(m for _, m in row)
            ],
        }


def size(text):
    return tuple(int(part) for part in text.split("x"))


def set_size(terminal, columns, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def become_leader():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def read(terminal, end, what):
    """Reads until a screen is whole, or the program has ended."""
    got = b""
    deadline = time.monotonic() + PATIENCE
    while not got.endswith(WHOLE):
        ready, _, _ = select.select([terminal, end], [], [], max(0, deadline - time.monotonic()))
        if terminal in ready:
            got += os.read(terminal, 65536)
        elif end in ready:
            break
        else:
            sys.exit(f"nothing more came at {what}: {got!r}")
    return got


def main():
    columns, rows = size(sys.argv[1])
    terminal, inner = os.openpty()
    set_size(terminal, columns, rows)
    before = termios.tcgetattr(inner)
    child = subprocess.Popen(
        sys.argv[3:], stdin=inner, stdout=inner, stderr=inner, preexec_fn=become_leader,
        env={"TERM": "xterm-256color", **os.environ},
    )
    screen = Screen(columns, rows)
    end = os.pidfd_open(child.pid)
    screens, rest = [], b""
    actions = sys.argv[2].split(",")
    for action in ["start", *actions]:
        kind, _, value = action.partition(":")
        last = action == actions[-1]
        if kind == "size":
            screen.resize(*size(value))
            set_size(terminal, *size(value))
        elif kind == "signal":
            child.send_signal(getattr(signal, f"SIG{value}"))
        elif kind == "hang-up":
            os.close(terminal)
            terminal = None
        elif action != "start":
            os.write(terminal, KEYS.get(action, action).encode())
        if last:
            break
        got = read(terminal, end, action)
        if not got.endswith(WHOLE):
            rest = got
            break
        screen.feed(got.decode())
        screens.append(screen.seen())
    code = child.wait(PATIENCE)
    same = terminal is None or termios.tcgetattr(inner) == before
    if terminal is not None:
        os.close(inner)
        try:
            while read_now := os.read(terminal, 65536):
                rest += read_now
        except OSError:  # EIO: all has been read.
            pass
    print(json.dumps({"screens": screens, "rest": rest.decode(), "code": code, "same": same}))


main()
