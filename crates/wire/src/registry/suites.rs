//! s
use super::table::code_points;
code_points! {
    /// stub
    CipherSuite(u16), "CipherSuite", None;
    TLS_RSA_WITH_AES_128_CBC_SHA = 47, Special, "x";
    TLS_DH_ANON_WITH_AES_128_CBC_SHA = 52, Special, "x";
    TLS_DHE_PSK_WITH_AES_128_CBC_SHA = 144, Special, "x";
    TLS_RSA_PSK_WITH_AES_128_CBC_SHA = 148, Special, "x";
    TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA = 49182, Special, "x";
    TLS_DHE_RSA_WITH_AES_128_CBC_SHA = 51, Special, "x";
    TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA = 49171, Special, "x";
}

#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyExchange {
    Rsa,
    Dh,
    Dhe,
    Ecdh,
    Ecdhe,
    Psk,
    DhePsk,
    EcdhePsk,
    RsaPsk,
    Srp,
    Any,
}
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    Rsa,
    Psk,
    Anonymous,
}
pub struct Cipher;
pub struct Mac;
impl CipherSuite {
    pub fn key_exchange(self) -> Option<KeyExchange> {
        match self.0 {
            0x2f => Some(KeyExchange::Rsa),
            0x33 => Some(KeyExchange::Dhe),
            0xc013 => Some(KeyExchange::Ecdhe),
            _ => None,
        }
    }
    pub fn authentication(self) -> Option<Authentication> {
        Some(Authentication::Rsa)
    }
}
impl super::ProtocolVersion {
    pub fn draft(self) -> Option<u8> {
        (self.0 >> 8 == 0x7f).then_some(self.0 as u8)
    }
}
