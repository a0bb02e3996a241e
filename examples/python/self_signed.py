"""Makes a certificate that vouches for itself, with all names by which a server is reached: cert.pem, key.pem.

    python self_signed.py localhost 127.0.0.1 ::1        (pip install cryptography)

In Rust: ../self_signed.rs
"""

import datetime
import hashlib
import ipaddress
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def general_name(name):
    # An address among the DNS names covers nothing.
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def write(file, rights, octets):
    # With its rights from the beginning: a key that is open for a moment was open.
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, rights), "wb") as opened:
        opened.write(octets)


names = sys.argv[1:]
if not names:
    sys.exit("usage: self_signed.py NAME...")
key = ec.generate_private_key(ec.SECP256R1())
subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
now = datetime.datetime.now(datetime.timezone.utc)
usage = {"digital_signature": True, "content_commitment": False, "key_encipherment": False, "data_encipherment": False,
         "key_agreement": False, "key_cert_sign": False, "crl_sign": False, "encipher_only": False,
         "decipher_only": False}
certificate = (
    x509.CertificateBuilder()
    .subject_name(subject)
    .issuer_name(subject)
    .public_key(key.public_key())
    .serial_number(x509.random_serial_number())
    # Clocks differ a little.
    .not_valid_before(now - datetime.timedelta(hours=1))
    .not_valid_after(now + datetime.timedelta(days=90))
    # Many tutorials stop here. Clients have not looked at the common name for years.
    .add_extension(x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False)
    # No CA: whoever trusts it trusts these names alone, and nothing that its key might sign.
    .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    .add_extension(x509.KeyUsage(**usage), critical=True)
    .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    .sign(key, hashes.SHA256())
)
pem = serialization.Encoding.PEM
pkcs8 = serialization.PrivateFormat.PKCS8
write("key.pem", 0o600, key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
write("cert.pem", 0o644, certificate.public_bytes(pem))
public = key.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
print(f"cert.pem and key.pem, for {names[0]}")
print(f"its key, for who pins it: {hashlib.sha256(public).hexdigest()}")
