"""Runs a program on a terminal of its own and types a passphrase wherever it asks for one.

    typed_passphrase.py PASSPHRASE PROGRAM ARGUMENT...
"""

import os
import pty
import sys

passphrase, command = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)

said = b""
while True:
    try:
        read = os.read(terminal, 1024)
    except OSError:  # Linux says that the other side was closed
        read = b""
    if not read:
        break
    said += read
    # "Enter passphrase:", "Enter passphrase (leave empty …):", "Confirm passphrase:"
    if said.rstrip().endswith(b":"):
        os.write(terminal, passphrase.encode() + b"\n")
        said = b""
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
