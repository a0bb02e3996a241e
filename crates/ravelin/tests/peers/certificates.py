"""Reads keys, certificates and requests with Python's cryptography, and makes some.

    certificates.py pairs ROOT STEM...     STEM.key fits STEM.pem, whose chain leads to ROOT
    certificates.py chain ROOT FILE        each certificate of FILE is signed by the next, the last by ROOT
    certificates.py keys FILE...           prints the SHA-256 of each key's public half
    certificates.py make-keys              writes keys of all kinds and forms, and prints the same of them
    certificates.py request FILE           the request's signature is good; prints its names
    certificates.py make-request KIND      writes KIND.csr
"""

import datetime
import hashlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

PASSPHRASE = b"correct horse"


def digest(key):
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(spki).hexdigest()


def read_key(file):
    text = open(file, "rb").read()
    load = (
        serialization.load_pem_private_key
        if text.startswith(b"-----")
        else serialization.load_der_private_key
    )
    encrypted = b"ENCRYPTED" in text or file.endswith(".enc")
    return load(text, PASSPHRASE if encrypted else None)


def chain(root, file):
    root = x509.load_pem_x509_certificate(open(root, "rb").read())
    certificates = x509.load_pem_x509_certificates(open(file, "rb").read())
    for certificate, issuer in zip(certificates, [*certificates[1:], root]):
        certificate.verify_directly_issued_by(issuer)
        assert certificate.not_valid_after_utc <= issuer.not_valid_after_utc, file
        assert certificate.serial_number.bit_length() <= 159
    now = datetime.datetime.now(datetime.timezone.utc)
    assert certificates[0].not_valid_before_utc <= now
    return certificates[0]


def pairs(root, *stems):
    for stem in stems:
        key = read_key(f"{stem}.key")
        assert chain(root, f"{stem}.pem").public_key() == key.public_key(), stem


def keys(*files):
    for file in files:
        print(file, digest(read_key(file)))


def make_keys():
    pkcs8 = serialization.PrivateFormat.PKCS8
    traditional = serialization.PrivateFormat.TraditionalOpenSSL
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    plain = serialization.NoEncryption()
    encrypted = serialization.BestAvailableEncryption(PASSPHRASE)
    made = {
        "p256": ec.generate_private_key(ec.SECP256R1()),
        "p384": ec.generate_private_key(ec.SECP384R1()),
        "p521": ec.generate_private_key(ec.SECP521R1()),
        "rsa": rsa.generate_private_key(65537, 2048),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
        "mldsa44": mldsa.MLDSA44PrivateKey.generate(),
        "mldsa65": mldsa.MLDSA65PrivateKey.generate(),
        "mldsa87": mldsa.MLDSA87PrivateKey.generate(),
    }
    for kind, key in made.items():
        forms = [("pkcs8", pkcs8)]
        if kind[0] in "pr":
            forms.append(("traditional", traditional))
        for form, format in forms:
            for name, encoding in (("pem", pem), ("der", der)):
                write(f"py-{kind}-{form}.{name}", key, encoding, format, plain)
        write(f"py-{kind}.enc", key, pem, pkcs8, encrypted)


def write(file, key, encoding, format, protection):
    with open(file, "wb") as to:
        to.write(key.private_bytes(encoding, format, protection))
    print(file, digest(key))


def request(file):
    read = x509.load_pem_x509_csr(open(file, "rb").read())
    assert read.is_signature_valid, file
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    print(*(str(name.value) for name in names))


def make_request(kind):
    key = {
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "mldsa65": mldsa.MLDSA65PrivateKey.generate,
        "ed25519": ed25519.Ed25519PrivateKey.generate,
    }[kind]()
    algorithm = hashes.SHA384() if kind == "p384" else None
    names = [x509.DNSName(f"{kind}.test"), x509.DNSName(f"*.{kind}.test")]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
    made = builder.sign(key, algorithm)
    open(f"{kind}.csr", "wb").write(made.public_bytes(serialization.Encoding.PEM))


globals()[sys.argv[1].replace("-", "_")](*sys.argv[2:])
