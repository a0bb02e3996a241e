"""An HTTPS GET: with the roots that come with requests, with a CA of one's own, or with nobody looking.

    python https_get.py https://example.org/ [--ca ROOT.pem | --insecure]        (pip install requests)

In Rust: ../https_get.rs
"""

import sys

import requests

match sys.argv[1:]:
    case [url]:
        # The roots of the package certifi, and not those of the system, unless REQUESTS_CA_BUNDLE says so.
        verify = True
    case [url, "--ca", file]:
        verify = file
    case [url, "--insecure"]:
        # Whoever is on the way reads and changes all of it. It is what most answers to "certificate verify failed"
        # recommend, and the warning that comes of it is what the rest of them switch off.
        verify = False
    case _:
        sys.exit("usage: https_get.py URL [--ca ROOT.pem | --insecure]")
try:
    # Without a timeout a server that says nothing is waited for for ever.
    response = requests.get(url, verify=verify, timeout=10)
except requests.exceptions.SSLError as error:
    sys.exit(f"{url} is not believed: {error}")
print(response.status_code, response.reason, file=sys.stderr)
sys.stdout.write(response.text)
