//! Where a key is: a PKCS#11 URI (RFC 7512), as people copy it from `p11tool` and `pkcs11-tool`.
//!
//! There is no secret in one: a `pin-value` is refused, as URIs end up in files, arguments and logs.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::TokenError;

/// A key in a token, or a token.
///
/// ```
/// use ravelin_certs::token::TokenUri;
///
/// let text = "pkcs11:token=vault;object=root?module-path=/usr/lib/softhsm/libsofthsm2.so";
/// let uri: TokenUri = text.parse().unwrap();
/// assert_eq!(uri.token(), Some("vault"));
/// assert_eq!(uri.to_string(), text);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenUri {
    module: PathBuf,
    /// By the places of [`TOKEN_ATTRIBUTES`].
    token: [Option<String>; 4],
    slot: Option<u64>,
    object: Option<String>,
    id: Option<Vec<u8>>,
    pin_source: Option<PathBuf>,
}

/// Why a text is not the URI of a token. It is not repeated here: somebody may have put a PIN in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenUriError {
    /// It is something else.
    #[error("a key in a token is named by a URI that begins with \"pkcs11:\" (RFC 7512)")]
    Scheme,
    /// It is longer than any that is meant.
    #[error("the URI is longer than {MOST_OCTETS} octets")]
    Long,
    /// The PIN is in it.
    #[error("the URI has the PIN in it, as \"pin-value\", where others can read it")]
    PinValue,
    /// An attribute is not known, or not used to choose keys here. It could not be ignored: it may
    /// be what tells two keys apart.
    #[error("the attribute \"{name}\" is not supported; there are: {there_are}")]
    Unknown {
        /// Its name.
        name: String,
        /// Those that there are.
        there_are: String,
    },
    /// An attribute is there twice (RFC 7512, section 2.3).
    #[error("the attribute \"{name}\" is there twice")]
    Twice {
        /// Its name.
        name: &'static str,
    },
    /// The value of an attribute cannot be.
    #[error("the value of \"{name}\" is {problem}")]
    Value {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Nothing says which program speaks with the token.
    #[error("the URI does not say the PKCS#11 module, as \"module-path\"")]
    NoModule,
}

impl TokenUriError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::PinValue => {
                "put the PIN into a file of your own, and its path into the URI: \
                 pin-source=file:/path/to/pin"
            }
            Self::NoModule => {
                "end it with ?module-path= and the path of the module, such as \
                 /usr/lib/softhsm/libsofthsm2.so"
            }
            Self::Scheme => {
                "such as pkcs11:token=vault;object=root?module-path=/usr/lib/softhsm/libsofthsm2.so"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl TokenUri {
    /// All that is in a module.
    #[must_use]
    pub fn of_module(module: &Path) -> Self {
        Self {
            module: module.to_owned(),
            token: Default::default(),
            slot: None,
            object: None,
            id: None,
            pin_source: None,
        }
    }

    /// The PKCS#11 module: a library that is loaded into this process.
    #[must_use]
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// The label of the token.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token[0].as_deref()
    }

    /// The label of the key: `CKA_LABEL`.
    #[must_use]
    pub fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    /// The identifier of the key: `CKA_ID`.
    #[must_use]
    pub fn id(&self) -> Option<&[u8]> {
        self.id.as_deref()
    }

    /// The file with the PIN.
    #[must_use]
    pub fn pin_source(&self) -> Option<&Path> {
        self.pin_source.as_deref()
    }

    /// Whether it names a key, and not a token alone.
    #[must_use]
    pub fn names_key(&self) -> bool {
        self.object.is_some() || self.id.is_some()
    }

    /// Whether this is what another URI says, with or without a key in it added.
    #[must_use]
    pub fn is_in(&self, other: &Self) -> bool {
        let fits = |wanted: bool, is: bool| !wanted || is;
        fits(other.object.is_some(), self.object == other.object)
            && fits(other.id.is_some(), self.id == other.id)
            && *self == other.clone().with_key(self.object(), self.id())
    }

    /// The same token, and a key in it.
    #[must_use]
    pub fn with_key(mut self, object: Option<&str>, id: Option<&[u8]>) -> Self {
        self.object = object.map(str::to_owned);
        self.id = id.map(<[u8]>::to_vec);
        self
    }

    /// The same token, and a key in it that is still to be made: with this label where none is said,
    /// and a random identifier, so that it cannot be taken for another.
    ///
    /// # Errors
    ///
    /// The system gave no randomness.
    pub fn for_new_key(mut self, label: &str) -> Result<Self, TokenError> {
        self.object.get_or_insert_with(|| label.to_owned());
        if self.id.is_none() {
            let mut id = vec![0; 16];
            aws_lc_rs::rand::fill(&mut id).map_err(|_| TokenError::Random)?;
            self.id = Some(id);
        }
        Ok(self)
    }

    /// The same module and PIN, and one token: its label, manufacturer, model and serial number.
    pub(super) fn with_token(mut self, token: [&str; 4]) -> Self {
        self.token = token.map(|value| Some(value.to_owned()));
        self.slot = None;
        self
    }

    /// Whether a token is one that this names.
    pub(super) fn fits(&self, token: [&str; 4], slot: u64) -> bool {
        self.slot.is_none_or(|wanted| wanted == slot)
            && self
                .token
                .iter()
                .zip(token)
                .all(|(wanted, is)| wanted.as_deref().is_none_or(|wanted| wanted == is))
    }

    fn set_in_path(&mut self, name: &str, value: &str) -> Result<(), TokenUriError> {
        if let Some(place) = TOKEN_ATTRIBUTES.iter().position(|known| *known == name) {
            let text = text(TOKEN_ATTRIBUTES[place], value)?;
            return once(TOKEN_ATTRIBUTES[place], &mut self.token[place], text);
        }
        match name {
            "object" => once("object", &mut self.object, text("object", value)?),
            "id" => once("id", &mut self.id, octets("id", value)?),
            "slot-id" => {
                let problem = "not the number of a slot";
                let number = value.parse().map_err(|_| wrong("slot-id", problem))?;
                once("slot-id", &mut self.slot, number)
            }
            "type" if value == "private" => Ok(()),
            "type" => Err(wrong("type", "not \"private\": only private keys sign")),
            _ => Err(unknown(name)),
        }
    }

    fn set_in_query(
        &mut self,
        module: &mut Option<PathBuf>,
        name: &str,
        value: &str,
    ) -> Result<(), TokenUriError> {
        match name {
            "module-path" => once("module-path", module, path("module-path", value)?),
            "pin-source" => {
                let value = value.strip_prefix("file:").unwrap_or(value);
                // An authority that is empty: this machine (RFC 8089).
                let value = match value.strip_prefix("//") {
                    Some(rest) if rest.starts_with('/') => rest,
                    _ => value,
                };
                once(
                    "pin-source",
                    &mut self.pin_source,
                    path("pin-source", value)?,
                )
            }
            "pin-value" => Err(TokenUriError::PinValue),
            _ => Err(unknown(name)),
        }
    }
}

impl FromStr for TokenUri {
    type Err = TokenUriError;

    fn from_str(text: &str) -> Result<Self, TokenUriError> {
        if text.len() > MOST_OCTETS {
            return Err(TokenUriError::Long);
        }
        let rest = text.strip_prefix(SCHEME).ok_or(TokenUriError::Scheme)?;
        // Before all else: whatever else is wrong, it is the PIN that matters.
        if rest
            .split([';', '?', '&'])
            .any(|part| part.starts_with("pin-value"))
        {
            return Err(TokenUriError::PinValue);
        }
        let (in_path, in_query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self::of_module(Path::new(""));
        let mut module = None;
        for (name, value) in attributes(in_path, ';') {
            uri.set_in_path(name, value)?;
        }
        for (name, value) in attributes(in_query, '&') {
            uri.set_in_query(&mut module, name, value)?;
        }
        uri.module = module.ok_or(TokenUriError::NoModule)?;
        // What is written must be read again, and may be longer, as all is percent-encoded there.
        if uri.to_string().len() > MOST_OCTETS {
            return Err(TokenUriError::Long);
        }
        Ok(uri)
    }
}

/// The whole URI, on one line and in ASCII.
impl fmt::Display for TokenUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCHEME)?;
        let mut separator = "";
        let mut attribute = |name: &str, value: &[u8], plain| {
            write!(f, "{separator}{name}={}", percent_encode(value, plain))?;
            separator = ";";
            Ok(())
        };
        for (name, value) in TOKEN_ATTRIBUTES.iter().zip(&self.token) {
            if let Some(value) = value {
                attribute(name, value.as_bytes(), PATH)?;
            }
        }
        if let Some(slot) = self.slot {
            attribute("slot-id", slot.to_string().as_bytes(), PATH)?;
        }
        if let Some(object) = &self.object {
            attribute("object", object.as_bytes(), PATH)?;
        }
        if let Some(id) = &self.id {
            // Every octet, as RFC 7512, section 2.3, asks for.
            let id = id.iter().fold(String::new(), |mut text, octet| {
                let _ = write!(text, "%{octet:02X}");
                text
            });
            write!(f, "{separator}id={id}")?;
        }
        let module = percent_encode(self.module.as_os_str().as_encoded_bytes(), QUERY);
        write!(f, "?module-path={module}")?;
        if let Some(file) = &self.pin_source {
            let file = percent_encode(file.as_os_str().as_encoded_bytes(), QUERY);
            write!(f, "&pin-source=file:{file}")?;
        }
        Ok(())
    }
}

const SCHEME: &str = "pkcs11:";

/// Far more than the longest labels and paths need.
const MOST_OCTETS: usize = 8192;

/// The attributes that name a token, in the order of [`TokenUri::fits`].
const TOKEN_ATTRIBUTES: [&str; 4] = ["token", "manufacturer", "model", "serial"];

const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const QUERY: &AsciiSet = &PATH.remove(b'/').remove(b':');

fn attributes(text: &str, separator: char) -> impl Iterator<Item = (&str, &str)> {
    text.split(separator)
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
}

fn once<T>(name: &'static str, place: &mut Option<T>, value: T) -> Result<(), TokenUriError> {
    if place.replace(value).is_some() {
        return Err(TokenUriError::Twice { name });
    }
    Ok(())
}

fn octets(name: &'static str, value: &str) -> Result<Vec<u8>, TokenUriError> {
    // The decoder takes a percent sign that begins nothing for itself.
    let mut after = value.split('%');
    after.next();
    let hexadecimal = |part: &str| {
        let digits = part.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !after.all(hexadecimal) {
        return Err(wrong(name, "wrongly percent-encoded"));
    }
    Ok(percent_decode_str(value).collect())
}

fn text(name: &'static str, value: &str) -> Result<String, TokenUriError> {
    String::from_utf8(octets(name, value)?).map_err(|_| wrong(name, "not UTF-8"))
}

/// An absolute path: what is loaded into the process, or read as a PIN, must not depend on where it
/// was started, nor be looked for.
fn path(name: &'static str, value: &str) -> Result<PathBuf, TokenUriError> {
    let octets = octets(name, value)?;
    let path = path_of(octets).ok_or_else(|| wrong(name, "not a path"))?;
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(wrong(name, "not a path that begins with \"/\""))
    }
}

/// Octets as a path, where they can be one: any but zeros on Unix, UTF-8 elsewhere.
fn path_of(octets: Vec<u8>) -> Option<PathBuf> {
    if octets.contains(&0) {
        return None;
    }
    #[cfg(unix)]
    let path: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(octets);
    #[cfg(not(unix))]
    let path = std::ffi::OsString::from(String::from_utf8(octets).ok()?);
    Some(PathBuf::from(path))
}

fn wrong(name: &'static str, problem: &'static str) -> TokenUriError {
    TokenUriError::Value { name, problem }
}

fn unknown(name: &str) -> TokenUriError {
    TokenUriError::Unknown {
        name: name.chars().take(40).collect(),
        there_are: TOKEN_ATTRIBUTES.join(", ")
            + ", slot-id, object, id, type, module-path, pin-source",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_p11tool_prints_is_read() {
        let text = "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=1a2b;\
                    token=a%20vault;id=%00%FF;object=root%3b;type=private\
                    ?module-path=/usr/lib/libsofthsm2.so&pin-source=file:///etc/my%20pin";
        let uri: TokenUri = text.parse().unwrap();
        assert_eq!(uri.token(), Some("a vault"));
        assert_eq!(uri.object(), Some("root;"));
        assert_eq!(uri.id(), Some(&[0, 0xff][..]));
        assert_eq!(uri.module(), Path::new("/usr/lib/libsofthsm2.so"));
        assert_eq!(uri.pin_source(), Some(Path::new("/etc/my pin")));
        assert!(uri.fits(["a vault", "SoftHSM project", "SoftHSM v2", "1a2b"], 7));
        assert!(!uri.fits(["a vault", "SoftHSM project", "SoftHSM v2", "1a2c"], 7));
        assert_eq!(uri.to_string().parse(), Ok(uri));
    }

    #[test]
    fn a_pin_in_the_uri_is_refused_and_not_repeated() {
        for text in [
            "pkcs11:token=a?pin-value=1234&module-path=/m",
            "pkcs11:token=a?module-path=/m&pin-source=file:/p&pin-value=1234",
            "pkcs11:pin-value=1234?module-path=/m",
            "pkcs11:colour=1234;token=a?pin-value=1234",
            "token=a?pin-value=1234",
            "pkcs11:token=a?module-path=/m&pin=1234",
            "pkcs11:token=a?module-path=/m&pin-source=1234",
        ] {
            let error = text.parse::<TokenUri>().unwrap_err();
            let shown = format!("{error} {error:?} {:?}", error.hint());
            assert!(!shown.contains("1234"), "{shown}");
        }
        let error = "pkcs11:?pin-value=1".parse::<TokenUri>().unwrap_err();
        assert_eq!(error, TokenUriError::PinValue);
        assert!(error.hint().unwrap().contains("pin-source=file:"));
    }

    #[test]
    fn what_could_choose_another_key_is_refused() {
        for (text, said) in [
            ("pkcs11:colour=red?module-path=/m", "\"colour\""),
            ("pkcs11:token=a;token=b?module-path=/m", "twice"),
            ("pkcs11:id=%0?module-path=/m", "percent-encoded"),
            ("pkcs11:token=%ff?module-path=/m", "UTF-8"),
            ("pkcs11:type=cert?module-path=/m", "private"),
            ("pkcs11:slot-id=-1?module-path=/m", "slot"),
            ("pkcs11:token=a", "module-path"),
            ("pkcs11:token=a?module-path=libhsm.so", "begins with \"/\""),
            (
                "pkcs11:?module-path=/m&pin-source=%7ccat%20/pin",
                "begins with \"/\"",
            ),
            ("https://example.org", "pkcs11:"),
        ] {
            let error = text.parse::<TokenUri>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        let long = format!("pkcs11:token={}?module-path=/m", "a".repeat(MOST_OCTETS));
        assert_eq!(long.parse::<TokenUri>(), Err(TokenUriError::Long));
        let long = format!("pkcs11:token={}?module-path=/m", "\u{fc}".repeat(3000));
        assert_eq!(long.parse::<TokenUri>(), Err(TokenUriError::Long));
    }

    proptest! {
        #[test]
        fn whatever_is_in_it_is_written_on_one_line_and_read_back(
            token in ".{0,20}",
            object in proptest::option::of(".{0,20}"),
            id in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)),
            file in "/[^\0]{0,20}",
        ) {
            let mut uri = TokenUri::of_module(Path::new("/m"))
                .with_token([&token, "", "a;b?c&d=e%", "\n"])
                .with_key(object.as_deref(), id.as_deref());
            uri.pin_source = Some(PathBuf::from(file));
            let text = uri.to_string();
            prop_assert!(text.bytes().all(|octet| octet.is_ascii_graphic()), "{}", text);
            prop_assert_eq!(text.parse(), Ok(uri));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*", rest in ".*") {
            let _ = text.parse::<TokenUri>();
            let _ = format!("pkcs11:{rest}").parse::<TokenUri>();
        }
    }
}
