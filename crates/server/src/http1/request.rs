//! From a header block that was judged to a request.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

use crate::framing::Head;

/// The request that `block` holds; `None` where its target is not one (RFC 9112, section 3.2).
pub(super) fn build(block: &[u8], head: &Head) -> Option<Request<()>> {
    let mut headers = HeaderMap::with_capacity(head.fields.len());
    // One copy of the block, which all values share.
    let shared = Bytes::copy_from_slice(block);
    for (name, value) in &head.fields {
        let name = HeaderName::from_bytes(&block[name.start as usize..name.end as usize]).ok()?;
        let value = shared.slice(value.start as usize..value.end as usize);
        headers.append(name, HeaderValue::from_maybe_shared(value).ok()?);
    }
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(&block[head.method.clone()]).ok()?;
    *request.uri_mut() = Uri::from_maybe_shared(shared.slice(head.target.clone())).ok()?;
    *request.version_mut() = if head.minor_version == 0 {
        Version::HTTP_10
    } else {
        Version::HTTP_11
    };
    *request.headers_mut() = headers;
    Some(request)
}
