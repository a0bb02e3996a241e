//! From the fields of a header block to the head of a request (RFC 9113, section 8.3).

use http::uri::{self, Authority, PathAndQuery, Scheme, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version, header};

use super::hpack::Field;
use crate::body::RequestBody;

/// What makes a header block no head of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Section 8.1.1: the stream is reset.
    Malformed,
    /// More or longer fields than we take: answered 431.
    TooLarge,
}

/// How much of a header block is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeadLimits {
    /// The header list's size, counted as in section 6.5.2.
    pub(super) size: usize,
    pub(super) fields: usize,
}

/// The fields of a header block, as far as they have come.
#[derive(Debug)]
pub(super) struct Head {
    limits: HeadLimits,
    method: Option<Method>,
    scheme: Option<Scheme>,
    authority: Option<Authority>,
    path: Option<PathAndQuery>,
    headers: HeaderMap,
    cookies: Vec<u8>,
    /// There is a `content-length`.
    measured: bool,
    /// Pseudo-fields come before all others.
    pseudo_over: bool,
    size: usize,
    flaw: Option<Flaw>,
}

impl Head {
    /// `expected` fields are made room for at once.
    pub(super) fn new(limits: HeadLimits, expected: usize) -> Self {
        Self {
            limits,
            method: None,
            scheme: None,
            authority: None,
            path: None,
            headers: HeaderMap::with_capacity(expected),
            cookies: Vec::new(),
            measured: false,
            pseudo_over: false,
            size: 0,
            flaw: None,
        }
    }

    /// Whether the answer is to have no body (RFC 9110, section 9.3.2).
    pub(super) fn is_head(&self) -> bool {
        self.method == Some(Method::HEAD)
    }

    pub(super) fn push(&mut self, field: Field, size: usize) {
        self.size += size;
        if self.size > self.limits.size {
            self.spoil(Flaw::TooLarge);
        }
        if self.flaw.is_some() {
            return;
        }
        let new = match field {
            Field::Regular(name, value) => return self.regular(name, value),
            _ if self.pseudo_over => false,
            Field::Method(method) => self.method.replace(method).is_none(),
            Field::Scheme(scheme) => self.scheme.replace(scheme).is_none(),
            Field::Authority(authority) => self.authority.replace(authority).is_none(),
            Field::Path(path) => self.path.replace(path).is_none(),
            Field::Malformed => false,
        };
        if !new {
            self.spoil(Flaw::Malformed);
        }
    }

    fn regular(&mut self, name: HeaderName, value: HeaderValue) {
        self.pseudo_over = true;
        if name == header::COOKIE {
            // Crumbs of one field (section 8.2.3).
            if !self.cookies.is_empty() {
                self.cookies.extend_from_slice(b"; ");
            }
            self.cookies.extend_from_slice(value.as_bytes());
            return;
        }
        if name == header::HOST && self.headers.contains_key(header::HOST) {
            // RFC 9112, section 3.2: whoever looked at the request before us may have gone by the
            // other one.
            return self.spoil(Flaw::Malformed);
        }
        self.measured |= name == header::CONTENT_LENGTH;
        let taken =
            self.headers.len() < self.limits.fields && self.headers.try_append(name, value).is_ok();
        if !taken {
            self.spoil(Flaw::TooLarge);
        }
    }

    fn spoil(&mut self, flaw: Flaw) {
        self.flaw.get_or_insert(flaw);
    }

    /// The request that these fields make, and the length that it says its body has.
    pub(super) fn into_request(mut self, body: RequestBody) -> Result<Request<RequestBody>, Flaw> {
        let (method, uri) = self.target()?;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = self.into_headers()?;
        Ok(request)
    }

    /// The fields of a trailer section (section 8.1), which has no pseudo-fields.
    pub(super) fn into_trailers(self) -> Result<HeaderMap, Flaw> {
        let pseudo = self.method.is_some()
            || self.scheme.is_some()
            || self.authority.is_some()
            || self.path.is_some();
        if pseudo {
            Err(Flaw::Malformed)
        } else {
            self.into_headers()
        }
    }

    /// The body's length, where the client has said it; several times, as long as it is the same.
    pub(super) fn content_length(&self) -> Result<Option<u64>, Flaw> {
        let mut length = None;
        if !self.measured {
            return Ok(length);
        }
        for value in self.headers.get_all(header::CONTENT_LENGTH) {
            let digits = value.to_str().map_err(|_| Flaw::Malformed)?;
            let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
            let number = digits
                .parse()
                .ok()
                .filter(|_| plain)
                .ok_or(Flaw::Malformed)?;
            if *length.get_or_insert(number) != number {
                return Err(Flaw::Malformed);
            }
        }
        Ok(length)
    }

    /// What is wrong so far.
    pub(super) fn flaw(&self) -> Option<Flaw> {
        self.flaw
    }

    /// Whether the client waits for word before it sends the body (RFC 9110, section 10.1.1).
    pub(super) fn expects_continue(&self) -> bool {
        let expect = self.headers.get(header::EXPECT);
        expect.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
    }

    pub(super) fn fields(&self) -> usize {
        self.headers.len()
    }

    fn into_headers(mut self) -> Result<HeaderMap, Flaw> {
        if !self.cookies.is_empty() {
            let cookies = HeaderValue::from_maybe_shared(bytes::Bytes::from(self.cookies));
            let cookies = cookies.map_err(|_| Flaw::Malformed)?;
            let added = self.headers.try_append(header::COOKIE, cookies);
            added.map_err(|_| Flaw::TooLarge)?;
        }
        match self.flaw {
            Some(flaw) => Err(flaw),
            None => Ok(self.headers),
        }
    }

    /// Sections 8.3.1 and 8.5.
    fn target(&mut self) -> Result<(Method, Uri), Flaw> {
        if let Some(flaw) = self.flaw {
            return Err(flaw);
        }
        let method = self.method.take().ok_or(Flaw::Malformed)?;
        let mut parts = uri::Parts::default();
        parts.authority = self.authority.take();
        if method == Method::CONNECT {
            if self.scheme.is_some() || self.path.is_some() || parts.authority.is_none() {
                return Err(Flaw::Malformed);
            }
        } else {
            let path = self.path.take().ok_or(Flaw::Malformed)?;
            let scheme = self.scheme.take().ok_or(Flaw::Malformed)?;
            if path.as_str() == "*" && method != Method::OPTIONS {
                return Err(Flaw::Malformed);
            }
            parts.path_and_query = Some(path);
            // Without an authority, Host alone says where to.
            parts.scheme = parts.authority.is_some().then_some(scheme);
        }
        let uri = Uri::from_parts(parts).map_err(|_| Flaw::Malformed)?;
        Ok((method, uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http2::hpack::Decoder;

    const LIMITS: HeadLimits = HeadLimits {
        size: 500,
        fields: 5,
    };

    fn head(fields: &[(&str, &str)]) -> Head {
        let mut block = Vec::new();
        for (name, value) in fields {
            for text in [&["\0"], &[*name][..], &[*value]]
                .concat()
                .iter()
                .enumerate()
            {
                if text.0 > 0 {
                    block.push(text.1.len() as u8);
                }
                block.extend_from_slice(text.1.as_bytes());
            }
        }
        let mut head = Head::new(LIMITS, 0);
        let decoded = Decoder::default().decode(&block, |field, size| head.push(field, size));
        assert_eq!(decoded, Ok(()));
        head
    }

    fn request(fields: &[(&str, &str)]) -> Result<Request<RequestBody>, Flaw> {
        head(fields).into_request(RequestBody::none())
    }

    const METHOD: (&str, &str) = (":method", "GET");
    const SCHEME: (&str, &str) = (":scheme", "https");
    const AUTHORITY: (&str, &str) = (":authority", "a.test");
    const PATH: (&str, &str) = (":path", "/x?y");

    #[test]
    fn a_request_has_what_its_fields_say() {
        let fields = [
            METHOD,
            SCHEME,
            AUTHORITY,
            PATH,
            ("accept", "a"),
            ("cookie", "a=b"),
            ("cookie", "c=d"),
        ];
        let request = request(&fields).unwrap();
        assert_eq!(request.method(), Method::GET);
        assert_eq!(request.uri(), "https://a.test/x?y");
        assert_eq!(request.version(), Version::HTTP_2);
        assert_eq!(request.headers()[header::ACCEPT], "a");
        assert_eq!(request.headers()[header::COOKIE], "a=b; c=d");
        assert_eq!(request.headers().len(), 2);
    }

    #[test]
    fn a_host_field_can_stand_for_the_authority() {
        let request = request(&[METHOD, SCHEME, PATH, ("host", "b.test")]).unwrap();
        assert_eq!(request.uri(), "/x?y");
        assert_eq!(request.headers()[header::HOST], "b.test");
    }

    #[test]
    fn a_host_is_named_once() {
        for second in ["a.test", "b.test", ""] {
            let fields = [METHOD, SCHEME, PATH, ("host", "a.test"), ("host", second)];
            assert_eq!(request(&fields).unwrap_err(), Flaw::Malformed, "{second}");
        }
    }

    #[test]
    fn pseudo_fields_come_once_and_first_and_are_complete() {
        for fields in [
            &[METHOD, SCHEME][..],
            &[METHOD, PATH],
            &[SCHEME, PATH],
            &[METHOD, METHOD, SCHEME, PATH],
            &[METHOD, SCHEME, PATH, PATH],
            &[METHOD, SCHEME, PATH, AUTHORITY, AUTHORITY],
            &[METHOD, SCHEME, ("a", "b"), PATH],
            &[METHOD, SCHEME, PATH, (":status", "200")],
            &[METHOD, SCHEME, PATH, ("Accept", "a")],
            &[METHOD, SCHEME, PATH, ("connection", "close")],
            &[METHOD, SCHEME, (":path", "*")],
            &[(":method", "CONNECT"), SCHEME, PATH, AUTHORITY],
            &[(":method", "CONNECT")],
        ] {
            assert_eq!(request(fields).unwrap_err(), Flaw::Malformed, "{fields:?}");
        }
        assert!(request(&[(":method", "CONNECT"), (":authority", "a.test:1")]).is_ok());
        assert!(request(&[(":method", "OPTIONS"), SCHEME, AUTHORITY, (":path", "*")]).is_ok());
    }

    #[test]
    fn too_many_and_too_long_fields_are_refused() {
        let mut fields = vec![METHOD, SCHEME, PATH];
        fields.extend([("a", "b"); 5]);
        assert!(request(&fields).is_ok());
        fields.push(("a", "b"));
        assert_eq!(request(&fields).unwrap_err(), Flaw::TooLarge);
        let long = "x".repeat(120);
        let fields = [
            METHOD,
            SCHEME,
            PATH,
            ("a", &long),
            ("cookie", &long),
            ("cookie", &long),
        ];
        assert_eq!(request(&fields).unwrap_err(), Flaw::TooLarge);
    }

    #[test]
    fn contradicting_lengths_are_malformed() {
        let length = |values: &[&str]| {
            let fields: Vec<_> = values
                .iter()
                .map(|value| ("content-length", *value))
                .collect();
            head(&fields).content_length()
        };
        assert_eq!(length(&[]), Ok(None));
        assert_eq!(length(&["5"]), Ok(Some(5)));
        assert_eq!(length(&["5", "5"]), Ok(Some(5)));
        for values in [
            &["5", "6"][..],
            &["+5"],
            &["5, 5"],
            &[""],
            &["99999999999999999999"],
        ] {
            assert_eq!(length(values), Err(Flaw::Malformed), "{values:?}");
        }
    }

    #[test]
    fn trailers_have_no_pseudo_fields() {
        assert_eq!(head(&[("a", "b")]).into_trailers().unwrap().len(), 1);
        assert_eq!(head(&[PATH]).into_trailers(), Err(Flaw::Malformed));
    }
}
