//! The keys of a file of tunnels as they are written, nothing judged yet: as `raw`, with which it shares the log and
//! the files of certificates.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::placed::{At, Key, TextOr, Time};
use super::raw::{CertificateFiles, Log};

/// The schema of the whole file (JSON Schema 2020-12).
pub(super) fn schema() -> Schema {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<File>()
}

/// Text, or a list of texts.
pub(super) type Texts = Key<TextOr<Vec<At<String>>>>;

/// The tunnels of a process, `tunnels.toml`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "tunnels.toml", rename = "Tunnels", extend("required" = ["tunnel"]))]
pub(super) struct File {
    /// How many threads carry octets. 0: one per core.
    #[schemars(range(min = 0, max = 1024), extend("default" = 0, "examples" = [4]))]
    pub(super) workers: Key<u32>,
    /// Where numbers for Prometheus are given at `/metrics` over plain HTTP, written as `listen` is. Whoever can
    /// connect can read them.
    #[schemars(extend("examples" = ["9100"]))]
    pub(super) metrics: Texts,
    /// How long connections may go on after the process was told to stop.
    #[schemars(extend("default" = "30s", "examples" = ["30s"]))]
    pub(super) drain_timeout: Key<Time>,
    /// The log, one line per connection. Without this table there is none.
    pub(super) log: Key<Log>,
    /// The CA that is asked for certificates over ACME, where a tunnel has `certificate = "acme"`.
    pub(super) acme: Key<Acme>,
    /// The tunnels.
    #[schemars(
        length(min = 1),
        extend("examples" = [[{"listen": "5433", "to": "5432", "tls": "terminate"}]])
    )]
    pub(super) tunnel: Key<Vec<At<Tunnel>>>,
}

/// The CA that is asked for certificates.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["agree_to_terms"]))]
pub(super) struct Acme {
    /// The address of the CA's directory. Not given: Let's Encrypt's.
    #[schemars(extend(
        "default" = "https://acme-v02.api.letsencrypt.org/directory",
        "examples" = ["https://acme-staging-v02.api.letsencrypt.org/directory"]
    ))]
    pub(super) directory: Key<String>,
    /// Whether you agree to the terms of service of the CA.
    #[schemars(extend("examples" = [true]))]
    pub(super) agree_to_terms: Key<bool>,
    /// Where the CA may write to, if it has something to say.
    #[schemars(extend("examples" = ["ada@example.org"]))]
    pub(super) contact: Texts,
    /// Where challenges are answered over plain HTTP, written as `listen` is; CAs connect to port 80. Not given: they
    /// are answered over TLS, on the tunnels themselves, to which CAs connect on port 443.
    #[schemars(extend("examples" = ["*:80"]))]
    pub(super) http: Texts,
    /// The account that the CA wants this one bound to, where it gave you an identifier and a key for that.
    #[schemars(extend("examples" = [{"id": "kid-1", "key": "eab.key"}]))]
    pub(super) external_account: Key<ExternalAccount>,
    /// The kind of certificate, where the CA has several: one of the profiles that its directory names.
    #[schemars(extend("examples" = ["shortlived"]))]
    pub(super) profile: Key<String>,
    /// The roots of the CA's own server: files, folders, `"system"` or `"local"`.
    #[schemars(extend("default" = "system", "examples" = ["company.pem"]))]
    pub(super) ca: Texts,
}

/// The account that one with a CA is bound to (EAB).
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["id", "key"]))]
pub(super) struct ExternalAccount {
    /// Its identifier, which the CA gives.
    #[schemars(extend("examples" = ["kid-1"]))]
    pub(super) id: Key<String>,
    /// The file with its key, in base64url as the CA gives it.
    #[schemars(extend("examples" = ["eab.key"]))]
    pub(super) key: Key<String>,
}

/// One tunnel: where clients come in, where they get, and on which side TLS is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["listen", "tls"]))]
pub(super) struct Tunnel {
    /// What it is called in logs and metrics. Not given: the first text of `listen`.
    #[schemars(extend("examples" = ["database"]))]
    pub(super) name: Key<String>,
    /// Where clients come in: a port alone, `5433`, for this machine; `*:5433` for everyone; an address with its
    /// port; or `unix:` and the path of a socket.
    #[schemars(extend("examples" = ["5433"]))]
    pub(super) listen: Texts,
    /// Where they get: a port of this machine, a host and port, or `unix:` and the path of a socket; of several,
    /// `balance` says which.
    #[schemars(extend("examples" = ["db.example.org:5432"]))]
    pub(super) to: Texts,
    /// `"terminate"`: TLS with clients ends here; `"originate"`: TLS with servers begins here; `"both"`; or `"pass"`:
    /// TLS goes through as it is, and only the name that is asked for is read.
    #[schemars(extend("examples" = ["terminate"]))]
    pub(super) tls: Key<TlsMode>,
    /// Whether the side without TLS may be on a network, where everybody on the way can read and change what is sent.
    #[schemars(extend("default" = false, "examples" = [true]))]
    pub(super) cleartext: Key<bool>,

    /// What clients are shown. `"local"`: from the certificate authority that Ravelin makes on this machine; `"acme"`:
    /// from the CA of `[acme]`; or the PEM files of a certificate from elsewhere.
    #[schemars(
        schema_with = "source",
        extend("default" = "local", "examples" = [{"cert": "fullchain.pem", "key": "key.pem"}])
    )]
    pub(super) certificate: Key<TextOr<CertificateFiles>>,
    /// The names that the local certificate authority, or the CA of `[acme]`, signs for.
    #[schemars(extend(
        "default" = ["localhost", "127.0.0.1", "::1"], "examples" = [["db.internal"]]
    ))]
    pub(super) hosts: Texts,
    /// The CAs of clients: files, or `"local"`. Each client then has to show a certificate of one of them.
    #[schemars(extend("examples" = ["clients-ca.pem"]))]
    pub(super) client_ca: Texts,
    /// Which clients may pass: those whose certificate one of these rules fits. Not given: all that `client_ca` lets in.
    #[schemars(extend("examples" = [[{"ou": "backup"}, {"uri": "spiffe://example.org/web/*"}]]))]
    pub(super) allow: Key<Vec<At<Rule>>>,
    /// Clients begin in clear, as this protocol does: TLS is required of them before anything else.
    #[schemars(extend("examples" = ["postgres"]))]
    pub(super) starttls: Key<Starttls>,
    /// The protocols of ALPN that are spoken, best first.
    #[schemars(extend("examples" = [["postgresql"]]))]
    pub(super) alpn: Texts,
    /// Whether each connection begins with a header of the PROXY protocol, which says who the client is. Whoever can
    /// connect can claim to be anybody.
    #[schemars(extend("default" = false, "examples" = [true]))]
    pub(super) proxy_header: Key<bool>,

    /// The roots of servers: files, folders, `"system"` or `"local"`; `"none"` asks no CA, so that `to_pin` alone counts.
    #[schemars(extend("default" = ["local", "system"], "examples" = ["company.pem"]))]
    pub(super) to_ca: Texts,
    /// The keys of servers, of which each has to have one: `sha256/` and the base64 of the SHA-256 of its public key.
    #[schemars(extend("examples" = ["sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]))]
    pub(super) to_pin: Texts,
    /// The name that servers' certificates have to be for. Not given: the host of `to`.
    #[schemars(extend("examples" = ["db.example.org"]))]
    pub(super) to_name: Key<String>,
    /// The certificate and key that servers are shown where they ask for one.
    #[schemars(extend("examples" = [{"cert": "client.pem", "key": "client-key.pem"}]))]
    pub(super) to_certificate: Key<CertificateFiles>,
    /// Which servers are taken: those whose certificate one of these rules fits. Not given: all that are believed.
    #[schemars(extend("examples" = [[{"uri": "spiffe://example.org/db"}]]))]
    pub(super) to_allow: Key<Vec<At<Rule>>>,
    /// Servers begin in clear, as this protocol does.
    #[schemars(extend("examples" = ["smtp"]))]
    pub(super) to_starttls: Key<Starttls>,
    /// Servers are told who the client is, by a header of the PROXY protocol in this version. They have to expect it.
    #[schemars(extend("examples" = ["v2"]))]
    pub(super) to_proxy_header: Key<ProxyHeader>,
    /// Which server of `to` is asked: the `"first"` that answers, the others standing by; each in turn,
    /// `"round-robin"`; or the one with the `"least-connections"`. One that did not answer is asked last for a while.
    #[schemars(extend("default" = "first", "examples" = ["round-robin"]))]
    pub(super) balance: Key<BalanceBy>,
    /// How long one server may take to answer, TLS and all, before the next is asked.
    #[schemars(extend("default" = "5s", "examples" = ["5s"]))]
    pub(super) connect_timeout: Key<Time>,

    /// Servers for clients that ask for some names. Those of `to` are for all others; without `to` others are refused.
    #[schemars(
        length(min = 1),
        extend("examples" = [[{"names": "db.example.org", "to": "5432"}]])
    )]
    pub(super) route: Key<Vec<At<Route>>>,
    /// What clients may take.
    pub(super) limits: Limits,
}

/// Servers for clients that ask for some names.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "TunnelRoute", extend("required" = ["names", "to"]))]
pub(super) struct Route {
    /// The names; `*.example.org` stands for every name that has one label more than `example.org`. The first route
    /// that fits is taken.
    #[schemars(extend("examples" = ["db.example.org"]))]
    pub(super) names: Texts,
    /// Where they get, written as `to` of the tunnel.
    #[schemars(extend("examples" = ["5432"]))]
    pub(super) to: Texts,
}

/// What a certificate has to have: all that is given here.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Rule {
    /// The common name of the subject.
    #[schemars(extend("examples" = ["Ada"]))]
    pub(super) cn: Key<String>,
    /// One of the organizational units of the subject.
    #[schemars(extend("examples" = ["backup"]))]
    pub(super) ou: Key<String>,
    /// One of the DNS names.
    #[schemars(extend("examples" = ["web.internal"]))]
    pub(super) dns: Key<String>,
    /// One of the URIs, a SPIFFE ID for one; `*` stands for a segment of the path, and at the end for all that follow.
    #[schemars(extend("examples" = ["spiffe://example.org/web/*"]))]
    pub(super) uri: Key<String>,
    /// The key: `sha256/` and the base64 of the SHA-256 of the public key.
    #[schemars(extend("examples" = ["sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]))]
    pub(super) pin: Key<String>,
}

/// What clients of a tunnel may take.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "TunnelLimits")]
pub(super) struct Limits {
    /// The longest that all may take that comes before a client's first octet for the server.
    #[schemars(extend("default" = "10s", "examples" = ["10s"]))]
    pub(super) handshake_timeout: Key<Time>,
    /// How long a connection may lie still.
    #[schemars(extend("default" = "1h", "examples" = ["10m"]))]
    pub(super) idle_timeout: Key<Time>,
    /// Connections that the tunnel holds at once. Not given: what the system's limit on open files allows.
    #[schemars(range(min = 1, max = 100_000_000), extend("examples" = [1000]))]
    pub(super) connections: Key<u32>,
    /// Connections that one address may hold at once; an IPv6 client is its /64. Not given: 1000, and no limit for
    /// loopback addresses.
    #[schemars(range(min = 1, max = 100_000_000), extend("examples" = [100]))]
    pub(super) connections_per_address: Key<u32>,
}

/// Where TLS is.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum TlsMode {
    Terminate,
    Originate,
    Both,
    Pass,
}

/// A protocol that begins in clear.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Starttls {
    Smtp,
    Imap,
    Pop3,
    Ldap,
    Postgres,
    Mysql,
}

/// A version of the PROXY protocol.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum ProxyHeader {
    V1,
    V2,
}

/// Which of several servers is asked.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum BalanceBy {
    First,
    RoundRobin,
    LeastConnections,
}

fn source(generator: &mut SchemaGenerator) -> Schema {
    let files = generator.subschema_for::<CertificateFiles>();
    json_schema!({ "anyOf": [{ "type": "string", "enum": ["local", "acme"] }, files] })
}
