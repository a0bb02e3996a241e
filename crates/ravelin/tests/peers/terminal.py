"""Runs a program on a terminal, and answers each of its questions.

    terminal.py ANSWER|ANSWER... PROGRAM ARGUMENT...

A question is what ends in ": " and waits. Prints what was seen on the terminal, and ends with the
program's exit code.
"""

import os
import pty
import sys
import termios
import time

answers = sys.argv[1].split("|")
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen = fresh = b""
while True:
    try:
        read = os.read(terminal, 4096)
    except OSError:  # EIO: the program has ended.
        break
    if not read:
        break
    seen += read
    fresh += read
    if fresh.endswith(b": ") and answers:
        # The echo is turned off just after the question.
        while termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.005)
        os.write(terminal, answers.pop(0).encode() + b"\n")
        fresh = b""
sys.stdout.buffer.write(seen)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
