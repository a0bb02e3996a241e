"""What pkilint's lint_pkix_cert says of each certificate in the folders of a folder: lines of
"folder<TAB>file<TAB>SEVERITY<TAB>code<TAB>message", from NOTICE up; with a second argument, each
certificate is also held against its issuer."""

import pathlib
import sys

from pkilint import loader
from pkilint.bin import lint_pkix_signer_signee_cert_chain as chain
from pkilint.pkix import certificate, extension, name
from pkilint.validation import ValidationFindingSeverity

validator = certificate.create_pkix_certificate_validator_container(
    certificate.create_decoding_validators(
        name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS
    ),
    [
        certificate.create_issuer_validator_container([]),
        certificate.create_validity_validator_container(),
        certificate.create_subject_validator_container([]),
        certificate.create_extensions_validator_container([]),
        certificate.create_spki_validator_container([]),
    ],
)



def tell(folder, file, results):
    for result in results:
        for description in result.finding_descriptions:
            finding = description.finding
            if finding.severity <= ValidationFindingSeverity.NOTICE:
                message = " ".join((description.message or "").split())
                print(folder, file, finding.severity.name, finding.code, message, sep="\t")


def load(file, *more):
    return loader.RFC5280CertificateDocumentLoader().load_pem_document(file.read_text(), *more)


for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    for name in ("leaf.pem", "intermediate.pem", "root.pem"):
        file = folder / name
        if file.exists():
            tell(folder.name, name, validator.validate(load(file, name).root))
    # And each with its issuer, as lint_pkix_signer_signee_cert_chain does it.
    for subject, issuer in (("leaf.pem", "intermediate.pem"), ("intermediate.pem", "root.pem")):
        if len(sys.argv) > 2 and (folder / issuer).exists():
            both = {}
            both["issuer"] = load(folder / issuer, issuer, "issuer", both)
            both["subject"] = load(folder / subject, subject, "subject", both)
            results = []
            for document in both.values():
                results += chain.create_decoder_validation_container().validate(document.root)
            results += chain.create_issuer_validation_container().validate(both["issuer"].root)
            results += chain.create_subject_validation_container().validate(both["subject"].root)
            tell(folder.name, f"{subject} below {issuer}", results)
