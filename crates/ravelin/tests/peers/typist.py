"""Runs a program on a terminal, and types when it has said what is waited for.

    typist.py STEPS PROGRAM ARGUMENT...

STEPS is a list in JSON, of what to wait for and what to type then. Prints JSON: what was seen, the exit code (minus the
signal's number where one ended it), and whether the terminal's settings are what they were.
"""

import fcntl
import json
import os
import select
import subprocess
import sys
import termios
import time

PATIENCE = 30

terminal, inner = os.openpty()
termios.tcsetwinsize(inner, (24, 80))
before = termios.tcgetattr(inner)
child = subprocess.Popen(
    sys.argv[2:], stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
    # Its own, so that Ctrl-C is one also before the program takes it for itself.
    preexec_fn=lambda: fcntl.ioctl(inner, termios.TIOCSCTTY, 0),
    env={**os.environ, "TERM": "xterm"},
)
end = os.pidfd_open(child.pid)
seen = fresh = b""
steps = [(wanted.encode(), keys.encode()) for wanted, keys in json.loads(sys.argv[1])]
deadline = time.monotonic() + PATIENCE
while True:
    while steps and steps[0][0] in fresh:
        wanted, keys = steps.pop(0)
        fresh = fresh.partition(wanted)[2]
        os.write(terminal, keys)
    ready, _, _ = select.select([terminal, end], [], [], max(0, deadline - time.monotonic()))
    if terminal in ready:
        read = os.read(terminal, 65536)
        seen += read
        fresh += read
    elif end in ready:
        break
    else:
        child.kill()
        sys.exit(f"nothing more came at {steps[:1]}: {seen!r}")
code = child.wait()
same = termios.tcgetattr(inner) == before
print(json.dumps({"seen": seen.decode(), "code": code, "same": same}))
