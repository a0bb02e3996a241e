//! Keys and certificates, with openssl as judge: what it makes is read, what is made it verifies.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod authority;
mod chains;
mod contents;
mod counts;
mod damage;
mod encrypted_keys;
mod examples;
mod identity;
mod jks;
mod keys;
mod lint;
mod lists;
mod mailboxes;
mod ocsp;
mod openssl;
mod outside;
mod peers;
mod pem;
mod pkcs12;
mod pkcs7;
mod pkits;
mod revocation_list;
mod rsa_pss;
mod rules;
mod vectors;
mod verdicts;
mod wycheproof;
