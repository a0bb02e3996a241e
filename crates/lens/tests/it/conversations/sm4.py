"""Both ends of a handshake of TLS 1.3 with the suites of RFC 8998, without a certificate but by a key that both have:
hash, HKDF and ciphers by cryptography. Prints for each suite what passed, the lines of a key log, and what was derived."""

import json, struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import CTR, ECB, GCM
from cryptography.hazmat.primitives.hashes import SM3, Hash
from cryptography.hazmat.primitives.hmac import HMAC

SUITES = {0x00C6: "GCM", 0x00C7: "CCM"}
PSK = bytes.fromhex("a1a2a3a4a5a6a7a8a9aaabacadaeafb0")


def sm3(*parts):
    digest = Hash(SM3())
    for part in parts:
        digest.update(part)
    return digest.finalize()


def hmac(key, *parts):
    mac = HMAC(key, SM3())
    for part in parts:
        mac.update(part)
    return mac.finalize()


def expand_label(secret, label, context, octets):
    label = b"tls13 " + label.encode()
    info = struct.pack(">HB", octets, len(label)) + label + bytes([len(context)]) + context
    return hmac(secret, info, b"\1")[:octets]


def block(key, octets):
    return Cipher(SM4(key), ECB()).encryptor().update(octets)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def ccm(key, nonce, content, header):
    """NIST SP 800-38C with tags of 16 octets and lengths of three."""
    mac = block(key, b"\x7a" + nonce + len(content).to_bytes(3, "big"))
    for octets in (struct.pack(">H", len(header)) + header, content):
        octets += bytes(-len(octets) % 16)
        for at in range(0, len(octets), 16):
            mac = block(key, xor(mac, octets[at : at + 16]))
    start = b"\2" + nonce + bytes(3)
    stream = Cipher(SM4(key), CTR(start)).encryptor()
    tag = stream.update(mac)
    return stream.update(content) + tag


def gcm(key, nonce, content, header):
    cipher = Cipher(SM4(key), GCM(nonce)).encryptor()
    cipher.authenticate_additional_data(header)
    return cipher.update(content) + cipher.finalize() + cipher.tag


class Keys:
    def __init__(self, suite, secret):
        self.seal = {"GCM": gcm, "CCM": ccm}[SUITES[suite]]
        self.key = expand_label(secret, "key", b"", 16)
        self.iv = expand_label(secret, "iv", b"", 12)
        self.number = 0

    def record(self, kind, content):
        content += bytes([kind])
        header = struct.pack(">BHH", 23, 0x0303, len(content) + 16)
        nonce = xor(self.iv, self.number.to_bytes(12, "big"))
        self.number += 1
        return header + self.seal(self.key, nonce, content, header)


def clear(content):
    return struct.pack(">BHH", 22, 0x0303, len(content)) + content


def message(kind, body):
    return struct.pack(">B", kind) + struct.pack(">I", len(body))[1:] + body


def opaque(octets):
    return struct.pack(">H", len(octets)) + octets


def talk(suite, random):
    derive = lambda stage, label, transcript: expand_label(stage, label, sm3(transcript), 32)
    early = hmac(bytes(32), PSK)
    extensions = [(43, b"\2\3\4"), (45, b"\1\0")]
    identities = opaque(opaque(b"friend") + bytes(4))
    joined = b"".join(struct.pack(">H", code) + opaque(body) for code, body in extensions)
    # The binder is over the hello up to it: its length and that of its list are behind.
    shared = struct.pack(">HH", 41, len(identities) + 2 + 33) + identities
    body = b"\3\3" + random + b"\0" + opaque(struct.pack(">H", suite)) + b"\1\0"
    body += struct.pack(">H", len(joined) + len(shared) + 35) + joined + shared
    partial = b"\1" + struct.pack(">I", len(body) + 35)[1:] + body
    finished = expand_label(derive(early, "ext binder", b""), "finished", b"", 32)
    hello = partial + opaque(b"\x20" + hmac(finished, sm3(partial)))
    joined = struct.pack(">HHHHHH", 43, 2, 0x0304, 41, 2, 0)
    answer = message(2, b"\3\3" + bytes(range(32)) + b"\0" + struct.pack(">H", suite) + b"\0" + opaque(joined))
    transcript = hello + answer
    passed = [[0, clear(hello).hex()], [1, clear(answer).hex()]]

    stage = hmac(derive(early, "derived", b""), bytes(32))
    secrets = {
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET": derive(stage, "c hs traffic", transcript),
        "SERVER_HANDSHAKE_TRAFFIC_SECRET": derive(stage, "s hs traffic", transcript),
    }
    client, server = (Keys(suite, secret) for secret in secrets.values())
    of = lambda secret: hmac(expand_label(secret, "finished", b"", 32), sm3(transcript))
    transcript += message(8, opaque(b""))
    done = message(20, of(secrets["SERVER_HANDSHAKE_TRAFFIC_SECRET"]))
    passed.append([1, server.record(22, message(8, opaque(b"")) + done).hex()])
    transcript += done
    stage = hmac(derive(stage, "derived", b""), bytes(32))
    secrets["CLIENT_TRAFFIC_SECRET_0"] = derive(stage, "c ap traffic", transcript)
    secrets["SERVER_TRAFFIC_SECRET_0"] = derive(stage, "s ap traffic", transcript)
    done = message(20, of(secrets["CLIENT_HANDSHAKE_TRAFFIC_SECRET"]))
    passed.append([0, client.record(22, done).hex()])
    client = Keys(suite, secrets["CLIENT_TRAFFIC_SECRET_0"])
    server = Keys(suite, secrets["SERVER_TRAFFIC_SECRET_0"])
    for side, keys, data in ((0, client, b"GET / HTTP/1.0\r\n\r\n"), (1, server, b"HTTP/1.0 200 OK\r\n\r\npong")):
        passed.append([side, keys.record(23, data).hex()])
        passed.append([side, keys.record(21, b"\1\0").hex()])
    lines = (f"{label} {random.hex()} {secret.hex()}" for label, secret in secrets.items())
    return {"passed": passed, "key_log": "\n".join(lines)}


print(json.dumps([talk(suite, bytes([n + 1]) * 32) for n, suite in enumerate(SUITES)]))
