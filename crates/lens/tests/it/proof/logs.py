"""Makes a certificate with timestamps of a log, as a CA and a log would; what was signed is worked out by
cryptography, which reads the timestamps back."""

import base64, datetime, hashlib, json, pathlib, struct, sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

folder = pathlib.Path(sys.argv[1])
PUBLIC = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
DER = serialization.Encoding.DER
SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
TIMESTAMP = 1_700_000_000_123
start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
logs = [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)]


def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def certificate(subject, public_key, extensions):
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name("CA"))
        .public_key(public_key)
        .serial_number(4711 if subject == "leaf" else 1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=300))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(ca_key, hashes.SHA256())


def signature(log, signed):
    if isinstance(log, rsa.RSAPrivateKey):
        return b"\x04\x01", log.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return b"\x04\x03", log.sign(signed, ec.ECDSA(hashes.SHA256()))


def timestamp(log, entry, extensions=b""):
    log_id = hashlib.sha256(log.public_key().public_bytes(*PUBLIC)).digest()
    suffix = struct.pack(">H", len(extensions)) + extensions
    signed = b"\0\0" + struct.pack(">Q", TIMESTAMP) + entry + suffix
    scheme, made = signature(log, signed)
    return (
        b"\0" + log_id + struct.pack(">Q", TIMESTAMP) + suffix + scheme
        + struct.pack(">H", len(made)) + made
    )


def listed(timestamps):
    body = b"".join(struct.pack(">H", len(each)) + each for each in timestamps)
    body = struct.pack(">H", len(body)) + body
    assert len(body) >= 128
    return b"\x04\x82" + struct.pack(">H", len(body)) + body


def opaque24(octets):
    return struct.pack(">I", len(octets))[1:] + octets


def leaf(extension):
    return certificate(
        "leaf",
        key.public_key(),
        [
            (x509.SubjectAlternativeName([x509.DNSName("localhost")]), False),
            (x509.UnrecognizedExtension(SCT_LIST, extension), False),
            (x509.BasicConstraints(False, None), True),
        ],
    )


ca = certificate("CA", ca_key.public_key(), [(x509.BasicConstraints(True, None), True)])
placeholder = listed([timestamp(logs[0], b"")] * 2)
tbs = leaf(placeholder).tbs_precertificate_bytes
issuer = hashlib.sha256(ca_key.public_key().public_bytes(*PUBLIC)).digest()
precertificate = b"\0\1" + issuer + opaque24(tbs)
made = leaf(listed([timestamp(logs[0], precertificate), timestamp(logs[1], precertificate, b"more")]))
assert made.tbs_precertificate_bytes == tbs
read = made.extensions.get_extension_for_class(
    x509.PrecertificateSignedCertificateTimestamps
).value
assert [each.log_id for each in read] == [
    hashlib.sha256(log.public_key().public_bytes(*PUBLIC)).digest() for log in logs
]
assert {int(each.timestamp.timestamp()) for each in read} == {TIMESTAMP // 1000}

(folder / "leaf.der").write_bytes(made.public_bytes(DER))
(folder / "ca.der").write_bytes(ca.public_bytes(DER))
final = b"\0\0" + opaque24(made.public_bytes(DER))
(folder / "handshake").write_bytes(timestamp(logs[0], final))
keys = [base64.b64encode(log.public_key().public_bytes(*PUBLIC)).decode() for log in logs]
USABLE = {"usable": {"timestamp": "2025-02-03T00:00:00Z"}}
RETIRED = {"retired": {"timestamp": "2026-01-02T00:00:00Z"}}
text = {
    "version": "88.1",
    "operators": [
        {
            "name": "Example",
            "email": ["ct@example.org"],
            "logs": [{"description": "Example 2026", "log_id": "AAAA", "key": keys[0], "mmd": 86400, "state": USABLE}],
            "tiled_logs": [{"description": "Tiles 2026", "key": keys[1], "mmd": 60, "state": RETIRED}],
        }
    ],
}
(folder / "logs.json").write_text(json.dumps(text))

# What openssl takes: certificates and keys in PEM, the same logs in a form of its own, and the timestamp for the
# handshake as an extension, for the hello of TLS 1.2 and the certificate of 1.3.
PEM = serialization.Encoding.PEM
secret = (PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
(folder / "leaf.pem").write_bytes(made.public_bytes(PEM))
(folder / "ca.pem").write_bytes(ca.public_bytes(PEM))
(folder / "leaf.key").write_bytes(key.private_bytes(*secret))
(folder / "ca.key").write_bytes(ca_key.private_bytes(*secret))
sections = [f"[log{at}]\ndescription = log {at}\nkey = {key}\n" for at, key in enumerate(keys)]
(folder / "logs.cnf").write_text("enabled_logs = log0,log1\n" + "".join(sections))
promise = (folder / "handshake").read_bytes()
listed = struct.pack(">H", len(promise)) + promise
listed = struct.pack(">H", len(listed)) + listed
extension = base64.encodebytes(struct.pack(">IHH", 0x11C0, 18, len(listed)) + listed).decode()
label = "SERVERINFOV2 FOR CT"
(folder / "serverinfo.pem").write_text(f"-----BEGIN {label}-----\n{extension}-----END {label}-----\n")
