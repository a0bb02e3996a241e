//! s
use super::table::code_points;
code_points! {
    /// stub
    HashAlgorithm(u8), "HashAlgorithm", None;
}
code_points! {
    /// stub
    SignatureAlgorithm(u8), "SignatureAlgorithm", None;
}
code_points! {
    /// stub
    SignatureScheme(u16), "SignatureScheme", None;
}
