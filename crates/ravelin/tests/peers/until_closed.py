"""Asks for /word over kept connections, as fast as it goes, until the server goes away.

    until_closed.py PORT ROOT

Says "under way" when each thread has had a hundred answers, and in the end how many there were in
all. An answer that began and did not end, or is not whole, is an error.
"""

import ssl
import sys
import threading

import httpx

THREADS = 4


def main():
    port, root = sys.argv[1:3]
    context = ssl.create_default_context(cafile=root)
    url = f"https://localhost:{port}/word"
    begun = threading.Barrier(THREADS + 1)
    answered = [0] * THREADS
    errors = []

    def ask(index):
        http = httpx.Client(verify=context, timeout=30)
        try:
            while True:
                response = http.get(url)
                if (response.status_code, response.text) != (200, "one"):
                    errors.append(f"{response.status_code} {response.text!r}")
                    return
                answered[index] += 1
                if answered[index] == 100:
                    begun.wait(60)
        except (httpx.ConnectError, httpx.RemoteProtocolError) as error:
            # Refused, or closed without a byte of an answer.
            if "incomplete" in str(error) or "peer closed connection without sending" in str(error):
                errors.append(repr(error))
        except Exception as error:
            if not (isinstance(error, (httpx.ReadError, httpx.WriteError)) and answered[index]):
                errors.append(repr(error))

    threads = [threading.Thread(target=ask, args=[index]) for index in range(THREADS)]
    for thread in threads:
        thread.start()
    begun.wait(60)
    print("under way", flush=True)
    for thread in threads:
        thread.join(60)
    if errors:
        sys.exit("; ".join(errors))
    print(sum(answered), flush=True)


main()
