"""Both ends of connections with suites that were weakened for export, which no program speaks any more: the derivation
by hashlib, the ciphers by cryptography. Prints for each what passed, and the line of a key log."""

import hashlib, hmac, json, struct, sys

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4, RC2, TripleDES
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.serialization import Encoding

certificate = x509.load_pem_x509_certificate(open(sys.argv[1], "rb").read())
SERVER_RANDOM = bytes(range(101, 133))
# Octets of key, key in use, block; the hash of the MAC.
SUITES = {
    0x0003: (5, 16, 0, "md5"),  # RC4_40
    0x0006: (5, 16, 8, "md5"),  # RC2_CBC_40
    0x0008: (5, 8, 8, "sha1"),  # DES40_CBC
    0x0064: (7, 16, 0, "sha1"),  # RC4_56
}


def md5(*parts):
    return hashlib.md5(b"".join(parts)).digest()


def sha1(*parts):
    return hashlib.sha1(b"".join(parts)).digest()


def p_hash(name, secret, seed, octets):
    out, a = b"", seed
    while len(out) < octets:
        a = hmac.digest(secret, a, name)
        out += hmac.digest(secret, a + seed, name)
    return out[:octets]


class Tls10:
    version = 0x0301

    def __init__(self, client_random):
        self.client_random = client_random

    def expand(self, secret, label, seed, octets):
        half = (len(secret) + 1) // 2
        halves = secret[:half], secret[len(secret) - half :]
        first = p_hash("md5", halves[0], label + seed, octets)
        second = p_hash("sha1", halves[1], label + seed, octets)
        return bytes(a ^ b for a, b in zip(first, second))

    def stretch(self, keys, key_octets, iv_octets):
        both = self.client_random + SERVER_RANDOM
        labels = b"client write key", b"server write key"
        final = [self.expand(key, label, both, key_octets) for key, label in zip(keys, labels)]
        ivs = self.expand(b"", b"IV block", both, 2 * iv_octets)
        return final, [ivs[:iv_octets], ivs[iv_octets:]]

    def finished(self, main, transcript, side):
        label = b"server finished" if side else b"client finished"
        return self.expand(main, label, md5(transcript) + sha1(transcript), 12)

    def mac(self, name, key, number, kind, content):
        head = struct.pack(">QBHH", number, kind, self.version, len(content))
        return hmac.digest(key, head + content, name)

    def exchange(self, encrypted):
        return struct.pack(">H", len(encrypted)) + encrypted


class Ssl3(Tls10):
    version = 0x0300
    pads = {"md5": 48, "sha1": 40}

    def expand(self, secret, label, seed, octets):
        letters = (bytes([65 + n]) * (n + 1) for n in range(26))
        return b"".join(md5(secret, sha1(each, secret, seed)) for each in letters)[:octets]

    def stretch(self, keys, key_octets, iv_octets):
        there, back = self.client_random + SERVER_RANDOM, SERVER_RANDOM + self.client_random
        final = [md5(keys[0], there)[:key_octets], md5(keys[1], back)[:key_octets]]
        return final, [md5(there)[:iv_octets], md5(back)[:iv_octets]]

    def twice(self, name, secret, before, after):
        pad = self.pads[name]
        make = lambda *parts: hashlib.new(name, b"".join(parts)).digest()
        return make(secret, b"\x5c" * pad, make(before, secret, b"\x36" * pad, after))

    def finished(self, main, transcript, side):
        before = transcript + (b"SRVR" if side else b"CLNT")
        return b"".join(self.twice(name, main, before, b"") for name in ("md5", "sha1"))

    def mac(self, name, key, number, kind, content):
        head = struct.pack(">QBH", number, kind, len(content))
        return self.twice(name, key, b"", head + content)

    def exchange(self, encrypted):
        return encrypted


class End:
    """What one side encrypts."""

    def __init__(self, protocol, suite, mac_key, key, iv):
        _, _, self.block, self.hash = SUITES[suite]
        self.protocol, self.mac_key, self.number = protocol, mac_key, 0
        if not self.block:
            cipher = Cipher(ARC4(key), None)
        elif suite == 0x0006:
            cipher = Cipher(RC2(key), CBC(iv))
        else:
            # One DES is three with the same key.
            cipher = Cipher(TripleDES(key * 3), CBC(iv))
        self.cipher = cipher.encryptor()

    def record(self, kind, content):
        mac = self.protocol.mac(self.hash, self.mac_key, self.number, kind, content)
        self.number += 1
        content += mac
        if self.block:
            pad = self.block - 1 - len(content) % self.block
            content += bytes([pad]) * (pad + 1)
        return record(self.protocol, kind, self.cipher.update(content))


def record(protocol, kind, content):
    return struct.pack(">BHH", kind, protocol.version, len(content)) + content


def message(kind, body):
    return struct.pack(">B", kind) + struct.pack(">I", len(body))[1:] + body


def talk(protocol, suite):
    passed, transcript = [], b""

    def say(side, kind, *messages):
        nonlocal transcript
        octets = b"".join(messages)
        if kind == 22:
            transcript += octets
        passed.append([side, record(protocol, kind, octets).hex()])

    version = struct.pack(">H", protocol.version)
    random = protocol.client_random
    hello = version + random + b"\0" + struct.pack(">HH", 2, suite) + b"\1\0"
    say(0, 22, message(1, hello))
    answer = message(2, version + SERVER_RANDOM + b"\0" + struct.pack(">H", suite) + b"\0")
    der = certificate.public_bytes(Encoding.DER)
    one = struct.pack(">I", len(der))[1:] + der
    shown = message(11, struct.pack(">I", len(one))[1:] + one)
    say(1, 22, answer, shown, message(14, b""))
    premaster = version + bytes(range(46))
    encrypted = certificate.public_key().encrypt(premaster, padding.PKCS1v15())
    say(0, 22, message(16, protocol.exchange(encrypted)))

    main = protocol.expand(premaster, b"master secret", random + SERVER_RANDOM, 48)
    key, final, block, name = SUITES[suite]
    mac = hashlib.new(name).digest_size
    keys = protocol.expand(main, b"key expansion", SERVER_RANDOM + random, 2 * (mac + key))
    macs, keys = [keys[:mac], keys[mac : 2 * mac]], [keys[2 * mac :][:key], keys[2 * mac + key :]]
    keys, ivs = protocol.stretch(keys, final, block)
    ends = [End(protocol, suite, *parts) for parts in zip(macs, keys, ivs)]
    for side in (0, 1):
        say(side, 20, b"\1")
        finished = message(20, protocol.finished(main, transcript, side))
        transcript += finished
        passed.append([side, ends[side].record(22, finished).hex()])
    for side, data in ((0, b"GET / HTTP/1.0\r\n\r\n"), (1, b"HTTP/1.0 200 OK\r\n\r\npong")):
        passed.append([side, ends[side].record(23, data).hex()])
        passed.append([side, ends[side].record(21, b"\1\0").hex()])
    return {"passed": passed, "key_log": f"CLIENT_RANDOM {random.hex()} {main.hex()}"}


pairs = [(protocol, suite) for protocol in (Tls10, Ssl3) for suite in SUITES]
print(json.dumps([talk(protocol(bytes([n]) * 32), suite) for n, (protocol, suite) in enumerate(pairs)]))
