//! The config file as it is written: every key with its meaning, nothing judged yet.
//!
//! These types are the one definition of the file. `shape` holds a document against their schema,
//! editors complete from it, and the table in `docs/config.md` is made of it: the comments on the
//! fields are that table's text. What a value means is for `check` to say.
//!
//! No type here is `Debug`: the file holds password hashes.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::placed::{At, Key, Named, Size, Switch, TextOr, Time};

/// The schema of the whole file (JSON Schema 2020-12).
pub(super) fn schema() -> Schema {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<File>()
}

/// The configuration of a Ravelin server, `ravelin.toml`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "ravelin.toml", extend("required" = ["site"]))]
pub(super) struct File {
    /// What holds for all sites.
    pub(super) server: Server,
    /// The access log, one line per request. Without this table there is none.
    pub(super) log: Key<Log>,
    /// The sites, each with its names, its certificate and its routes.
    #[schemars(
        length(min = 1),
        extend("examples" = [[{"hosts": ["app.localhost"], "route": [{"files": "./public"}]}]])
    )]
    pub(super) site: Key<Vec<At<Site>>>,
}

/// What holds for all sites.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Server {
    /// Where HTTPS is served: a port alone, `8443`, for this machine; `*:443` for everyone; or an
    /// address with its port. Port 0 is any free one.
    #[schemars(
        length(min = 1),
        extend("default" = ["8443"], "examples" = [["*:443"]])
    )]
    pub(super) listen: Key<Vec<At<String>>>,
    /// Where plain HTTP is answered with a redirect to HTTPS, written as in `listen`.
    #[schemars(extend("default" = [], "examples" = [["*:80"]]))]
    pub(super) redirect: Key<Vec<At<String>>>,
    /// How many threads serve requests. 0: one per core.
    #[schemars(range(min = 0, max = 1024), extend("default" = 0, "examples" = [4]))]
    pub(super) workers: Key<u32>,
    /// Names beyond `localhost`, `*.localhost`, `*.test`, `*.internal`, `*.home.arpa` and private
    /// addresses that the local certificate authority may sign for, each with all names below it.
    #[schemars(extend("default" = [], "examples" = [["nas", "dev.example.com"]]))]
    pub(super) local_names: Key<Vec<At<String>>>,
    /// What one client may take of the server.
    pub(super) limits: Limits,
}

/// What one client may take of the server.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Limits {
    /// The longest that a TLS handshake may take.
    #[schemars(extend("default" = "10s", "examples" = ["10s"]))]
    pub(super) handshake_timeout: Key<Time>,
    /// The longest that the header of a request may take, from its first byte on.
    #[schemars(extend("default" = "10s", "examples" = ["10s"]))]
    pub(super) header_timeout: Key<Time>,
    /// How long a connection may stay open with nothing asked on it.
    #[schemars(extend("default" = "75s", "examples" = ["75s"]))]
    pub(super) idle_timeout: Key<Time>,
    /// How much of a body must flow in a second, either way, measured over ten seconds; a slower
    /// client is cut off. 0 switches the rule off.
    #[schemars(extend("default" = "256B", "examples" = ["256B"]))]
    pub(super) min_body_rate: Key<Size>,
    /// The longest request header; a longer one is answered 431. From 8KiB to 16MiB.
    #[schemars(extend("default" = "32KiB", "examples" = ["32KiB"]))]
    pub(super) header_bytes: Key<Size>,
    /// The most fields that a request header may have.
    #[schemars(range(min = 1, max = 10_000), extend("default" = 100, "examples" = [100]))]
    pub(super) header_fields: Key<u32>,
    /// Streams that an HTTP/2 connection may have open at once.
    #[schemars(range(min = 1, max = 10_000), extend("default" = 128, "examples" = [128]))]
    pub(super) http2_streams: Key<u32>,
    /// Connections that the whole server holds at once. Not given: what the system's limit on open
    /// files allows.
    #[schemars(range(min = 1, max = 100_000_000), extend("examples" = [20000]))]
    pub(super) connections: Key<u32>,
    /// Connections that one address may hold at once; an IPv6 client is its /64. Not given: 1000,
    /// and no limit for loopback addresses.
    #[schemars(range(min = 1, max = 100_000_000), extend("examples" = [1000]))]
    pub(super) connections_per_address: Key<u32>,
    /// How long running requests may take to end after the server was told to stop.
    #[schemars(extend("default" = "30s", "examples" = ["30s"]))]
    pub(super) drain_timeout: Key<Time>,
}

/// The access log, one line per request.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Log {
    /// `"combined"`, as Apache and nginx write it, with host, TLS and duration behind; or `"json"`,
    /// one object a line.
    #[schemars(extend("default" = "combined", "examples" = ["json"]))]
    pub(super) format: Key<LogFormat>,
    /// `"stdout"`, or the path of a file.
    #[schemars(extend("default" = "stdout", "examples" = ["access.log"]))]
    pub(super) to: Key<String>,
    /// The size at which the file is rotated: `access.log` becomes `access.log.1`.
    #[schemars(extend("default" = "100MiB", "examples" = ["100MiB"]))]
    pub(super) rotate_size: Key<Size>,
    /// How many rotated files are kept.
    #[schemars(range(min = 0, max = 1000), extend("default" = 5, "examples" = [5]))]
    pub(super) keep: Key<u32>,
}

/// How a line of the access log is written.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum LogFormat {
    Combined,
    Json,
}

/// One site: its names, its certificate and its routes.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["hosts", "route"]))]
pub(super) struct Site {
    /// The names and addresses that the site answers to. `*.example.org` stands for every name that
    /// has one label more than `example.org`.
    #[schemars(length(min = 1), extend("examples" = [["app.localhost", "*.app.localhost"]]))]
    pub(super) hosts: Key<Vec<At<String>>>,
    /// `"local"`: from the certificate authority that Ravelin makes on this machine; or the PEM
    /// files of a certificate from elsewhere.
    #[schemars(
        schema_with = "local_or_files",
        extend("default" = "local", "examples" = [{"cert": "fullchain.pem", "key": "key.pem"}])
    )]
    pub(super) certificate: Key<TextOr<CertificateFiles>>,
    /// Headers added to every response of the site that has none of that name yet.
    #[schemars(extend("default" = {}, "examples" = [{"X-Frame-Options": "DENY"}]))]
    pub(super) headers: Key<Named<String>>,
    /// The `Strict-Transport-Security` header (RFC 6797), sent where the host asked for is public;
    /// `false` for none.
    #[schemars(extend("default" = "max-age=31536000", "examples" = [false]))]
    pub(super) hsts: Key<Switch>,
    /// The routes. Of those that take a path, an exact one wins, then the longest prefix.
    #[schemars(length(min = 1), extend("examples" = [[{"files": "./public"}]]))]
    pub(super) route: Key<Vec<At<Route>>>,
}

/// The PEM files of a certificate from elsewhere.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["cert", "key"]))]
pub(super) struct CertificateFiles {
    /// The certificate and the intermediates up to its root, in this order.
    #[schemars(extend("examples" = ["fullchain.pem"]))]
    pub(super) cert: Key<String>,
    /// The private key of the certificate.
    #[schemars(extend("examples" = ["key.pem"]))]
    pub(super) key: Key<String>,
    /// An OCSP response for the certificate, in DER, that is stapled to it while it is current. Not
    /// needed where the local certificate authority issued it.
    #[schemars(extend("examples" = ["staple.der"]))]
    pub(super) staple: Key<String>,
}

/// One route: the paths that it takes, and one of `files`, `redirect`, `respond` and `handshake`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend(
    "oneOf" = [
        {"required": ["files"]}, {"required": ["redirect"]}, {"required": ["respond"]},
        {"required": ["handshake"]},
    ]
))]
pub(super) struct Route {
    /// The path that the route takes; with `/*` at the end, everything below it too.
    #[schemars(extend("default" = "/*", "examples" = ["/docs/*"]))]
    pub(super) path: Key<String>,
    /// Serves the files of a folder. Text alone is the `root`.
    #[schemars(extend("examples" = ["./public"]))]
    pub(super) files: Key<TextOr<Files>>,
    /// Sends the client elsewhere. Text alone is the `to`.
    #[schemars(extend("examples" = [{"to": "/new/{rest}", "status": 308}]))]
    pub(super) redirect: Key<TextOr<Redirect>>,
    /// Always answers the same.
    #[schemars(extend("examples" = [{"status": 200, "body": "hello\n"}]))]
    pub(super) respond: Key<Respond>,
    /// Shows each visitor the TLS handshake of their own connection, decrypted and explained.
    #[schemars(extend("enum" = [true], "examples" = [true]))]
    pub(super) handshake: Key<bool>,
    /// Headers added to every response of the route that has none of that name yet, before those
    /// of the site.
    #[schemars(extend("default" = {}, "examples" = [{"Cache-Control": "no-store"}]))]
    pub(super) headers: Key<Named<String>>,
    /// The path that `files` sees instead of the one asked for. `{rest}` is what the `*` of the
    /// route stands for, `{path}` the whole path, `{host}` the host.
    #[schemars(extend("examples" = ["/v2/{rest}"]))]
    pub(super) rewrite: Key<String>,
    /// Who may come in, by name and password (RFC 7617).
    #[schemars(extend("examples" = [{"users": {"ada": "$argon2id$v=19$m=19456,t=2,p=1$..."}}]))]
    pub(super) auth: Key<Auth>,
    /// How often one client address may come.
    #[schemars(extend("examples" = [{"requests": 100, "per": "1m", "burst": 20}]))]
    pub(super) rate_limit: Key<RateLimit>,
    /// The longest request body; one that is announced as longer is answered 413.
    #[schemars(extend("default" = "1MiB", "examples" = ["1MiB"]))]
    pub(super) body_limit: Key<Size>,
}

/// Serves the files of a folder.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["root"]))]
pub(super) struct Files {
    /// The folder. Nothing outside it is served, whatever links lie in it, and nothing whose name
    /// starts with a dot but `/.well-known/`.
    #[schemars(extend("examples" = ["./public"]))]
    pub(super) root: Key<String>,
    /// The file that stands for a folder.
    #[schemars(extend("default" = "index.html", "examples" = ["index.html"]))]
    pub(super) index: Key<String>,
    /// Whether a folder without an index shows a page that lists it.
    #[schemars(extend("default" = false, "examples" = [true]))]
    pub(super) listing: Key<bool>,
    /// The file, relative to the root, served where nothing was found: for applications of a single
    /// page.
    #[schemars(extend("examples" = ["index.html"]))]
    pub(super) fallback: Key<String>,
    /// Whether `NAME.br`, `NAME.zst` and `NAME.gz` beside a file are served in its place to clients
    /// that take them.
    #[schemars(extend("default" = true, "examples" = [false]))]
    pub(super) precompressed: Key<bool>,
    /// Whether compressible types are compressed while they are served.
    #[schemars(extend("default" = true, "examples" = [false]))]
    pub(super) compress: Key<bool>,
    /// The `Cache-Control` header of the files.
    #[schemars(extend("examples" = ["public, max-age=3600"]))]
    pub(super) cache_control: Key<String>,
}

/// Sends the client elsewhere.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["to"]))]
pub(super) struct Redirect {
    /// The path or URL to go to. `{rest}` is what the `*` of the route stands for, `{path}` the
    /// whole path, `{host}` the host, `{query}` the query with its `?`; without any `?` in it, the
    /// query is kept.
    #[schemars(extend("examples" = ["/new/{rest}"]))]
    pub(super) to: Key<String>,
    /// 301 or 308: for good; 302 or 307: for now; 303: fetch the answer there with GET.
    #[schemars(extend("enum" = [301, 302, 303, 307, 308], "default" = 308, "examples" = [308]))]
    pub(super) status: Key<u16>,
}

/// Always answers the same.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Respond {
    /// The status of the response.
    #[schemars(range(min = 200, max = 599), extend("default" = 200, "examples" = [200]))]
    pub(super) status: Key<u16>,
    /// The whole body.
    #[schemars(extend("default" = "", "examples" = ["hello\n"]))]
    pub(super) body: Key<String>,
    /// The `Content-Type` of the body.
    #[schemars(extend("default" = "text/plain; charset=utf-8", "examples" = ["text/html; charset=utf-8"]))]
    pub(super) content_type: Key<String>,
}

/// Who may come in, by name and password (RFC 7617).
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["users"]))]
pub(super) struct Auth {
    /// What browsers call the place when they ask for the password.
    #[schemars(extend("default" = "Restricted", "examples" = ["Restricted"]))]
    pub(super) realm: Key<String>,
    /// The argon2 hash of each user's password, `$argon2id$...`.
    #[schemars(
        extend("minProperties" = 1, "examples" = [{"ada": "$argon2id$v=19$m=19456,t=2,p=1$..."}])
    )]
    pub(super) users: Key<Named<String>>,
}

/// How often one client address may come; an IPv6 client is its /64.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["requests", "per"]))]
pub(super) struct RateLimit {
    /// How many requests are let through in the time of `per`.
    #[schemars(range(min = 1, max = 1_000_000_000), extend("examples" = [100]))]
    pub(super) requests: Key<u32>,
    /// The time that `requests` are counted in.
    #[schemars(extend("examples" = ["1m"]))]
    pub(super) per: Key<Time>,
    /// How many may come at once after a quiet time. Not given: as many as `requests`.
    #[schemars(range(min = 1, max = 1_000_000_000), extend("examples" = [20]))]
    pub(super) burst: Key<u32>,
}

fn local_or_files(generator: &mut SchemaGenerator) -> Schema {
    let files = generator.subschema_for::<CertificateFiles>();
    json_schema!({ "anyOf": [{ "type": "string", "enum": ["local"] }, files] })
}
