//! What is signed, as certificates, requests, CRLs and OCSP responses are: bytes, an algorithm, and the
//! signature over the bytes (RFC 5280, section 4.1.1). Read, written and verified in one way; what the
//! bytes say is the business of those who have them.

use std::ops::Range;

use crate::der::{Element, FieldError, Fields, Tag, Writer};
use crate::key::{SignError, Signer};
use crate::public_key::PublicKey;
use crate::signature::{AlgorithmIdentifier, SignatureError};

/// Something signed, in the DER that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed<D = Vec<u8>> {
    der: D,
    /// What is signed, and the signature, within the DER.
    message: Range<usize>,
    signature: Range<usize>,
    algorithm: AlgorithmIdentifier,
}

impl<D: AsRef<[u8]>> Signed<D> {
    /// The whole in DER.
    #[must_use]
    pub fn der(&self) -> &D {
        &self.der
    }

    /// The whole in DER, and nothing else.
    #[must_use]
    pub fn into_der(self) -> D {
        self.der
    }

    /// The part of the DER that is signed.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.der.as_ref()[self.message.clone()]
    }

    /// The algorithm of the signature: the one beside it. Certificates and CRLs repeat it in what is
    /// signed.
    #[must_use]
    pub fn algorithm(&self) -> &AlgorithmIdentifier {
        &self.algorithm
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.der.as_ref()[self.signature.clone()]
    }

    /// Checks the signature with a key.
    ///
    /// # Errors
    ///
    /// It is wrong, or of an algorithm that is not known or not the key's.
    pub fn verify(&self, key: &PublicKey) -> Result<(), SignatureError> {
        self.algorithm.verify(key, self.message(), self.signature())
    }
}

/// Writes a message, signs it, and puts both together, with what `behind` writes behind the signature.
///
/// # Errors
///
/// The key does not sign.
pub(crate) fn sign<D: From<Vec<u8>>, K: Signer + ?Sized>(
    signer: &K,
    room: usize,
    message: impl FnOnce(&mut Writer),
    behind: impl FnOnce(&mut Writer),
) -> Result<Signed<D>, SignError> {
    let algorithm = signer.algorithm();
    let mut writer = Writer::with_capacity(room);
    // Counted from the end, as the beginning moves when the length of the whole is put in.
    let (message, signature, end) = writer.sequence(|w| {
        let start = w.bytes().len();
        w.sequence(message);
        let message = start..w.bytes().len();
        let signature = signer.sign(&w.bytes()[message.clone()])?;
        algorithm.write(w);
        w.octet_bits(&signature);
        let after = w.bytes().len();
        behind(w);
        Ok((message, after - signature.len()..after, w.bytes().len()))
    })?;
    let der = writer.into_bytes();
    let moved = der.len() - end;
    let within = |range: Range<usize>| range.start + moved..range.end + moved;
    Ok(Signed {
        der: D::from(der),
        message: within(message),
        signature: within(signature),
        algorithm: algorithm.identifier(),
    })
}

/// Something signed as it is read, piece by piece.
pub(crate) struct Envelope<'b> {
    whole: Element<'b>,
    /// What is signed: a SEQUENCE.
    message: Element<'b>,
    /// The algorithm beside the signature.
    pub(crate) algorithm: AlgorithmIdentifier,
    signature: Element<'b>,
    /// What stands behind the signature: something in OCSP alone.
    pub(crate) behind: Fields<'b>,
}

impl<'b> Envelope<'b> {
    /// Reads what is around a message. The standards call it and the signature by different names,
    /// which errors are to tell.
    pub(crate) fn read(
        whole: Element<'b>,
        [message, signature]: [&'static str; 2],
    ) -> Result<Self, FieldError> {
        let mut fields = Fields::of(&whole);
        Ok(Self {
            message: fields.read(message, |reader| reader.expect(Tag::SEQUENCE))?,
            algorithm: fields.next("signatureAlgorithm", AlgorithmIdentifier::read)?,
            signature: fields.read(signature, |reader| {
                let bits = reader.expect(Tag::BIT_STRING)?;
                bits.octet_bits().map(|_| bits)
            })?,
            behind: fields,
            whole,
        })
    }

    /// [`Self::read`], where nothing may stand behind the signature.
    pub(crate) fn read_whole(
        whole: Element<'b>,
        names: [&'static str; 2],
    ) -> Result<Self, FieldError> {
        let mut envelope = Self::read(whole, names)?;
        envelope.behind.finish("end")?;
        Ok(envelope)
    }

    /// The fields of what is signed.
    pub(crate) fn fields(&self) -> Fields<'b> {
        Fields::of(&self.message)
    }

    /// Keeps it: the bytes of the whole, and where in them everything is.
    pub(crate) fn keep<D: From<Vec<u8>>>(self) -> Signed<D> {
        let within = |element: &Element<'_>| {
            let start = element.at - self.whole.at;
            start..start + element.whole.len()
        };
        let signature = within(&self.signature);
        // Without tag and length, and without the count of unused bits.
        let octets = self.signature.content.len() - 1;
        Signed {
            message: within(&self.message),
            signature: signature.end - octets..signature.end,
            algorithm: self.algorithm,
            der: D::from(self.whole.whole.to_vec()),
        }
    }
}
