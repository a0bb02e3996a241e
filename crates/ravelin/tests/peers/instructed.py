"""Does what "ravelin cert new" printed: a server that asks for certificates, and two clients.

    instructed.py ROOT

The lines are in server.txt, requests.txt, trusting.txt and proving.txt. Prints the mailbox that each
client proved to be.
"""

import http.server
import os
import ssl
import subprocess
import sys
import threading

import requests

ROOT = sys.argv[1]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        names = self.connection.getpeercert()["subjectAltName"]
        body = names[0][1].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


scope = {"ssl": ssl}
exec(open("server.txt").read(), scope)
context = scope["context"]
context.verify_mode = ssl.CERT_REQUIRED
context.load_verify_locations(ROOT)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"https://localhost:{server.server_address[1]}/"

os.environ["REQUESTS_CA_BUNDLE"] = ROOT
line = open("requests.txt").read().replace("https://…", url)
print(eval(line, {"requests": requests}).text)

# Whom to trust is said by the server's line, and who one is by the client's.
trusting = open("trusting.txt").read().removesuffix("https://localhost")
proving = open("proving.txt").read().removeprefix("curl ").replace("https://…", url)
print(subprocess.check_output(f"{trusting} -sS -4 {proving}", shell=True, text=True))
