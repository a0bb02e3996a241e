"""Starts a server the way systemd does: with sockets that listen already (sd_listen_fds(3)).

    activate.py NAME... -- COMMAND...

Prints the port of each socket, then becomes the command.
"""

import os
import socket
import sys

# Where systemd puts the first one.
FIRST = 3

at = sys.argv.index("--")
names, command = sys.argv[1:at], sys.argv[at + 1 :]
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
for listening in sockets:
    print(listening.getsockname()[1], flush=True)
# First out of the way, then into place: the numbers may overlap.
copies = [os.dup2(listening.fileno(), 100 + index) for index, listening in enumerate(sockets)]
for index, copy in enumerate(copies):
    os.dup2(copy, FIRST + index)
    os.close(copy)
os.environ["LISTEN_FDS"] = str(len(names))
os.environ["LISTEN_FDNAMES"] = ":".join(names)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(command[0], command)
