//! What is random, in all its forms.

use super::{place, seal, sealed};

#[test]
fn every_form_has_the_length_that_was_asked_for() {
    let place = place();
    for (arguments, length) in [
        (&[][..], 65),
        (&["16"], 33),
        (&["100000", "--as", "base64"], 133_337),
        (&["5", "--as", "base64url"], 8),
        (&["100000", "--as", "raw"], 100_000),
        (&["--as", "uuid"], 37),
    ] {
        let arguments = [&["random"][..], arguments].concat();
        let (one, other) = (seal(&place, &arguments), seal(&place, &arguments));
        assert_eq!(one.stdout.len(), length, "{arguments:?}");
        assert_ne!(one.stdout, other.stdout);
    }
    let words = seal(&place, &["random", "6", "--as", "words"]);
    assert_eq!(words.text().trim().split('-').count(), 6);
    assert!(words.stderr.contains("66 bits"));
    assert_eq!(sealed(&place, &["random", "0"]).code, 2);
}
