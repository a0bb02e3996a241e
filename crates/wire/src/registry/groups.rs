//! s
use super::table::code_points;
code_points! {
    /// stub
    EcCurveType(u8), "EcCurveType", None;
    NAMED_CURVE = 3, Special, "x";
}
code_points! {
    /// stub
    EcPointFormat(u8), "EcPointFormat", None;
}
code_points! {
    /// stub
    NamedGroup(u16), "NamedGroup", None;
}
