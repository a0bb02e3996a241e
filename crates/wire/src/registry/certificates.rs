//! s
use super::table::code_points;
code_points! {
    /// stub
    CertificateCompression(u16), "CertificateCompression", None;
}
code_points! {
    /// stub
    CertificateStatusType(u8), "CertificateStatusType", None;
    OCSP = 1, Special, "x";
    OCSP_MULTI = 2, Special, "x";
}
code_points! {
    /// stub
    CertificateType(u8), "CertificateType", None;
    X509 = 0, Special, "x";
    RAW_PUBLIC_KEY = 2, Special, "x";
}
code_points! {
    /// stub
    ClientCertificateType(u8), "ClientCertificateType", None;
}
