"""A plugin of age (C2SP age-plugin) that hides nothing: it turns the bits of file keys over.

What it is told to do by the one octet in a recipient or an identity: 1 its work, 2 to refuse, 3 to die, 4 to ask for
a secret before it works.
"""

import base64
import sys

LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
SECRET = b"correct horse"


def read():
    """One stanza: its words, and what it holds."""
    line = sys.stdin.readline()
    if not line:
        sys.exit(1)
    words = line.removeprefix("-> ").split()
    body = ""
    while True:
        part = sys.stdin.readline().rstrip("\n")
        body += part
        if len(part) < 64:
            return words, base64.b64decode(body + "=" * (-len(body) % 4))


def say(*words, body=b""):
    text = base64.b64encode(body).decode().rstrip("=")
    parts = [text[at : at + 64] for at in range(0, len(text) + 1, 64)]
    print("-> " + " ".join(words), *parts, sep="\n", flush=True)
    return read()


def octet(bech32):
    """The first octet of what Bech32 holds."""
    high, low = bech32.lower().rpartition("1")[2][:2]
    return LETTERS.index(high) << 3 | LETTERS.index(low) >> 2


def turned(octets):
    return bytes(octet ^ 0xFF for octet in octets)


def told():
    stanzas = []
    while True:
        words, body = read()
        if words[0] == "done":
            return stanzas
        stanzas.append((words, body))


def main():
    wraps = sys.argv[1] == "--age-plugin=recipient-v1"
    stanzas = told()
    kind = "recipient" if wraps else "identity"
    keys = [words[1] for words, _ in stanzas if words[0] == f"add-{kind}"]
    work = octet(keys[0])
    if work == 3:
        sys.exit(1)
    if work == 2:
        say("error", kind, "0", body=b"the card is \x1b[31mnot there")
    elif work == 4 and say("request-secret", body=b"PIN of the card") != (["ok"], SECRET):
        say("error", kind, "0", body=b"nobody knows the PIN")
    else:
        say("msg", body=b"touch \x1b[31mit")
        for words, body in stanzas:
            if wraps and words[0] == "wrap-file-key":
                say("recipient-stanza", "0", "scripted", str(len(keys)), body=turned(body))
            elif words[:3] == ["recipient-stanza", "0", "scripted"]:
                say("file-key", "0", body=turned(body))
                break
    print("-> done\n", flush=True)


main()
