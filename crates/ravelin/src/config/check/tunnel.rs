//! A file of tunnels: what its values mean, and whether they fit together and to the disk.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ravelin_pki::{Fingerprint, HostName, NameConstraints};
use ravelin_tls::starttls::Protocol;
use ravelin_tunnel::{Balance, Limits, Place, ProxyVersion, Target};

use super::super::fault::Fault;
use super::super::placed::{At, Key, TextOr};
use super::super::problem::Problems;
use super::super::tunnel::{
    CONNECT_TIMEOUT, DRAIN_TIMEOUT, clients_in_clear, is_local_place, is_local_target, place_of,
    servers_in_clear, target_of,
};
use super::super::tunnel_keys::{self as keys, Texts};
use super::super::unserved::Unserved;
use super::super::{
    CertificateSource, Mode, ServerSide, TunnelCertificate, TunnelConfig, TunnelsConfig,
};
use super::{Check, acme, certificate, host, server, value};
use crate::arguments::get::Pin;
use crate::certificates;

/// Checks the whole file. The config is of use only where no problem was noted.
pub(in super::super) fn config(
    raw: &keys::File,
    file: &Path,
    now: Option<SystemTime>,
    problems: &mut Problems,
) -> TunnelsConfig {
    let mut check = Check {
        folder: file.parent().unwrap_or(Path::new("")).to_owned(),
        now,
        listen: Vec::new(),
        local: NameConstraints::local(),
        local_names: Vec::new(),
        watched: vec![file.to_owned()],
        unserved: Unserved::default(),
        problems,
    };
    let mut taken = HashMap::new();
    let tunnels = raw.tunnel.value().into_iter().flatten();
    let tunnels = tunnels
        .filter_map(|at| tunnel(at, &raw.acme, &mut taken, &mut check))
        .collect();
    let metrics = places(&raw.metrics, &mut check);
    let metrics = metrics.into_iter().filter_map(|(_, place)| match place {
        Place::Tcp(address) => Some(address),
        Place::Unix(_) => None,
    });
    TunnelsConfig {
        tunnels,
        workers: raw.workers.copied_or(0) as usize,
        metrics: metrics.collect(),
        drain_timeout: value::time(&raw.drain_timeout, DRAIN_TIMEOUT, &mut check),
        log: server::log(&raw.log, &mut check),
        acme: acme::table(&raw.acme, &taken, &mut check),
        watched: check.watched,
    }
}

fn tunnel(
    at: &At<keys::Tunnel>,
    acme: &Key<keys::Acme>,
    taken: &mut HashMap<Place, Range<usize>>,
    check: &mut Check<'_>,
) -> Option<TunnelConfig> {
    let raw = &at.value;
    let listen = places(&raw.listen, check);
    for (place, of) in &listen {
        let any = matches!(of, Place::Tcp(address) if address.port() == 0);
        if any {
            continue;
        }
        match taken.get(of) {
            Some(earlier) => {
                let what = format!("{of} is given twice");
                let fault = fault(&what, "give each tunnel a place of its own");
                check.problems.again(place, earlier, fault);
            }
            None => {
                taken.insert(of.clone(), place.clone());
            }
        }
    }
    let mode = match raw.tls.value()? {
        keys::TlsMode::Terminate => Mode::Terminate,
        keys::TlsMode::Originate => Mode::Originate,
        keys::TlsMode::Both => Mode::Both,
        keys::TlsMode::Pass => Mode::Pass,
    };
    let to = targets(&raw.to, check);
    let routes = routes(raw, check);
    if raw.to.given().is_none() && raw.route.given().is_none() {
        let example = Some("to = \"localhost:5432\"".to_owned());
        let key = "to".to_owned();
        check
            .problems
            .add(&at.place, Fault::MissingKey { key, example });
    }
    misplaced(raw, mode, check);
    stays_here(raw, mode, (&listen, &to, &routes), check);
    let hosts = names(&raw.hosts, check);
    let name = raw.name.value().cloned();
    let first = raw
        .listen
        .texts()
        .first()
        .map(|(_, text)| (*text).to_owned());
    Some(TunnelConfig {
        name: name.or(first).unwrap_or_default(),
        listen: listen.into_iter().map(|(_, place)| place).collect(),
        mode,
        certificate: certificate_of(at, mode, acme, &hosts, check),
        hosts: match raw.hosts.given() {
            Some(_) => plain(hosts),
            None => certificates::usual_hosts(),
        },
        client_ca: files(&raw.client_ca, check),
        allow: rules(&raw.allow, check),
        starttls: raw.starttls.value().map(|protocol| protocol_of(*protocol)),
        alpn: texts(&raw.alpn),
        takes_proxy_header: raw.proxy_header.copied_or(false),
        to: plain(to),
        balance: match raw.balance.value() {
            Some(keys::BalanceBy::RoundRobin) => Balance::RoundRobin,
            Some(keys::BalanceBy::LeastConnections) => Balance::LeastConnections,
            Some(keys::BalanceBy::First) | None => Balance::First,
        },
        routes: routes
            .into_iter()
            .map(|(names, to)| (names, plain(to)))
            .collect(),
        server: server_side(raw, check),
        proxy_header: raw.to_proxy_header.value().map(|version| match version {
            keys::ProxyHeader::V1 => ProxyVersion::V1,
            keys::ProxyHeader::V2 => ProxyVersion::V2,
        }),
        connect_timeout: value::time(&raw.connect_timeout, CONNECT_TIMEOUT, check),
        limits: limits(&raw.limits, check),
    })
}

fn certificate_of(
    at: &At<keys::Tunnel>,
    mode: Mode,
    acme: &Key<keys::Acme>,
    hosts: &[Placed<HostName>],
    check: &mut Check<'_>,
) -> TunnelCertificate {
    let raw = &at.value;
    if !mode.terminates() {
        return TunnelCertificate::Given(CertificateSource::Local);
    }
    match raw.certificate.given() {
        Some(At {
            value: TextOr::Text(text),
            place,
        }) if text == "acme" => {
            acme::tunnel(at, place, hosts, acme, check);
            TunnelCertificate::Acme
        }
        _ => TunnelCertificate::Given(certificate::source(&raw.certificate, hosts, check)),
    }
}

/// Keys that mean nothing on the side where there is no TLS, or without each other.
fn misplaced(raw: &keys::Tunnel, mode: Mode, check: &mut Check<'_>) {
    let place = |key: &dyn Given| key.place();
    let of_clients: [(&str, &dyn Given); 6] = [
        ("certificate", &raw.certificate),
        ("hosts", &raw.hosts),
        ("client_ca", &raw.client_ca),
        ("allow", &raw.allow),
        ("starttls", &raw.starttls),
        ("alpn", &raw.alpn),
    ];
    let of_servers: [(&str, &dyn Given); 6] = [
        ("to_ca", &raw.to_ca),
        ("to_pin", &raw.to_pin),
        ("to_name", &raw.to_name),
        ("to_certificate", &raw.to_certificate),
        ("to_allow", &raw.to_allow),
        ("to_starttls", &raw.to_starttls),
    ];
    let mut refuse = |keys: &[(&str, &dyn Given)], mend: &str| {
        for (key, given) in keys {
            if let Some(at) = place(*given) {
                let what = format!("`{key}` means nothing where tls = {:?}", mode.word());
                check.problems.add(&at, fault(&what, mend));
            }
        }
    };
    if !mode.terminates() {
        let mend = "TLS with clients does not end here; keys about servers begin with `to_`";
        refuse(&of_clients, mend);
    }
    if !mode.originates() {
        let mend = "TLS with servers does not begin here; keys about clients have no `to_`";
        refuse(&of_servers, mend);
    }
    if let Some(at) = raw.route.given().filter(|_| mode == Mode::Originate) {
        let what = "clients without TLS name no server that they want".to_owned();
        let mend = "make a `[[tunnel]]` of its own for each server".to_owned();
        check.problems.add(&at.place, Fault::Tunnel { what, mend });
    }
    if let (Some(at), None) = (raw.allow.given(), raw.client_ca.given())
        && mode.terminates()
    {
        let what =
            "`allow` without `client_ca` lets nobody in: no client is asked for a certificate";
        let fault = fault(
            what,
            "name the CA of the clients: client_ca = \"clients-ca.pem\"",
        );
        check.problems.add(&at.place, fault);
    }
    if let Some(at) = raw.starttls.given()
        && let Some(route) = raw.route.given()
        && speaks_first(at.value)
    {
        let what = "a server that speaks first is connected to before any name is asked for";
        let fault = fault(what, "give the tunnel one `to`, or leave `starttls` out");
        check.problems.again(&route.place, &at.place, fault);
    }
}

fn speaks_first(protocol: keys::Starttls) -> bool {
    use keys::Starttls::{Imap, Mysql, Pop3, Smtp};
    matches!(protocol, Smtp | Imap | Pop3 | Mysql)
}

/// What is sent in clear stays on this machine, unless it is said that it may not.
fn stays_here(
    raw: &keys::Tunnel,
    mode: Mode,
    (listen, to, routes): (&[Placed<Place>], &[Placed<Target>], &[Routed]),
    check: &mut Check<'_>,
) {
    let mend = "write cleartext = true where that network is one that you trust";
    if raw.cleartext.copied_or(false) {
        return;
    }
    if mode == Mode::Originate {
        let mut before = None;
        for (place, of) in listen.iter().filter(|(_, of)| !is_local_place(of)) {
            // One text stands for addresses of IPv4 and IPv6.
            if before.replace(place) != Some(place) {
                let fault = fault(&clients_in_clear(of), mend);
                check.problems.add(place, fault);
            }
        }
    }
    if mode == Mode::Terminate {
        let all = to.iter().chain(routes.iter().flat_map(|(_, to)| to));
        for (place, target) in all.filter(|(_, target)| !is_local_target(target)) {
            let what = servers_in_clear(target);
            let mend = format!("tls = \"both\" encrypts it; {mend}");
            check.problems.add(place, fault(&what, &mend));
        }
    }
    if mode.originates() && raw.to_name.given().is_none() {
        for (place, _) in to.iter().filter(|(_, to)| matches!(to, Target::Unix(_))) {
            let what = "a Unix socket has no name that a certificate could be for";
            let fault = fault(
                what,
                "say which it has to be for: to_name = \"db.example.org\"",
            );
            check.problems.add(place, fault);
        }
    }
}

type Placed<T> = (Range<usize>, T);
type Routed = (Vec<HostName>, Vec<Placed<Target>>);

pub(super) fn places(texts: &Texts, check: &mut Check<'_>) -> Vec<Placed<Place>> {
    let mut all = Vec::new();
    for (at, text) in texts.texts() {
        let places = place_of(text, |path| check.path(path)).map_err(|mend| Fault::Listen {
            text: text.to_owned(),
            mend,
        });
        if let Some(places) = check.problems.take(at, places) {
            all.extend(places.into_iter().map(|place| (at.clone(), place)));
        }
    }
    all
}

fn targets(texts: &Texts, check: &mut Check<'_>) -> Vec<Placed<Target>> {
    let mut all = Vec::new();
    for (at, text) in texts.texts() {
        let target = target_of(text, |path| check.path(path)).map_err(|why| {
            let (what, mend) = why.split_once(": ").unwrap_or((&why, ""));
            fault(what, mend)
        });
        if let Some(target) = check.problems.take(at, target) {
            all.push((at.clone(), target));
        }
    }
    all
}

fn routes(raw: &keys::Tunnel, check: &mut Check<'_>) -> Vec<Routed> {
    let routes = raw.route.value().into_iter().flatten();
    routes
        .map(|at| {
            let names = plain(names(&at.value.names, check));
            (names, targets(&at.value.to, check))
        })
        .collect()
}

fn names(texts: &Texts, check: &mut Check<'_>) -> Vec<Placed<HostName>> {
    let mut names = Vec::new();
    for (at, text) in texts.texts() {
        if let Some(name) = check.problems.take(at, host::parse(text)) {
            names.push((at.clone(), name));
        }
    }
    names
}

fn server_side(raw: &keys::Tunnel, check: &mut Check<'_>) -> ServerSide {
    let mut pins = Vec::new();
    for (at, text) in raw.to_pin.texts() {
        pins.extend(check.problems.take(at, pin(text)));
    }
    let identity = raw.to_certificate.value().map(|files| {
        let mut path = |key: &Key<String>| {
            let path = key.value().map(|text| check.path(text)).unwrap_or_default();
            check.watch(&path);
            path
        };
        (path(&files.cert), path(&files.key))
    });
    let name = raw.to_name.given().and_then(|at| {
        let name = at.value.parse::<HostName>().map_err(|error| Fault::Host {
            text: at.value.clone(),
            mend: error.to_string(),
        });
        check.problems.take(&at.place, name)
    });
    let ca = files(&raw.to_ca, check);
    let asks_nobody = ca.iter().any(|place| place.as_os_str() == "none");
    if let Some(at) = raw.to_ca.given().filter(|_| asks_nobody && pins.is_empty()) {
        let what = "`to_ca = \"none\"` without `to_pin` believes nobody";
        check.problems.add(
            &at.place,
            fault(what, "name the keys of the servers: to_pin = \"sha256/…\""),
        );
    }
    ServerSide {
        ca,
        pins,
        name: name.map(|name| name.to_string()),
        identity,
        starttls: raw
            .to_starttls
            .value()
            .map(|protocol| protocol_of(*protocol)),
        allow: rules(&raw.to_allow, check),
    }
}

/// Files and folders of roots, and the words that stand for some.
pub(super) fn files(texts: &Texts, check: &mut Check<'_>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (at, text) in texts.texts() {
        if ["local", "system", "none"].contains(&text) {
            files.push(PathBuf::from(text));
            continue;
        }
        let path = check.path(text);
        if !path.exists() {
            check.problems.add(at, Fault::FileMissing(path.clone()));
        }
        check.watch(&path);
        files.push(path);
    }
    files
}

fn rules(key: &Key<Vec<At<keys::Rule>>>, check: &mut Check<'_>) -> Vec<ravelin_tunnel::Rule> {
    let mut rules = Vec::new();
    for at in key.value().into_iter().flatten() {
        let raw = &at.value;
        let text = |key: &Key<String>| key.value().cloned();
        let pin = raw.pin.given().and_then(|at| {
            let pin = pin(&at.value);
            check.problems.take(&at.place, pin)
        });
        let rule = ravelin_tunnel::Rule {
            cn: text(&raw.cn),
            ou: text(&raw.ou),
            dns: text(&raw.dns),
            uri: text(&raw.uri),
            pin,
        };
        if rule == ravelin_tunnel::Rule::default() && raw.pin.given().is_none() {
            let fault = fault(
                "a rule that asks for nothing lets nobody in",
                "name one of cn, ou, dns, uri and pin",
            );
            check.problems.add(&at.place, fault);
        }
        rules.push(rule);
    }
    rules
}

fn limits(raw: &keys::Limits, check: &mut Check<'_>) -> Limits {
    let default = Limits::default();
    Limits {
        handshake_timeout: value::time(&raw.handshake_timeout, default.handshake_timeout, check),
        idle_timeout: value::time(&raw.idle_timeout, default.idle_timeout, check),
        connections: raw.connections.value().map(|most| *most as usize),
        connections_per_address: raw
            .connections_per_address
            .value()
            .map(|most| *most as usize),
    }
}

fn pin(text: &str) -> Result<Fingerprint, Fault> {
    text.parse().map(|Pin(pin)| pin).map_err(|mend: String| {
        let (what, mend) = mend.split_once(": ").unwrap_or((&mend, ""));
        fault(what, mend)
    })
}

fn protocol_of(key: keys::Starttls) -> Protocol {
    match key {
        keys::Starttls::Smtp => Protocol::Smtp,
        keys::Starttls::Imap => Protocol::Imap,
        keys::Starttls::Pop3 => Protocol::Pop3,
        keys::Starttls::Ldap => Protocol::Ldap,
        keys::Starttls::Postgres => Protocol::Postgres,
        keys::Starttls::Mysql => Protocol::Mysql,
    }
}

fn texts(texts: &Texts) -> Vec<String> {
    let texts = texts.texts();
    texts.iter().map(|(_, text)| (*text).to_owned()).collect()
}

fn plain<T>(placed: Vec<Placed<T>>) -> Vec<T> {
    placed.into_iter().map(|(_, value)| value).collect()
}

fn fault(what: &str, mend: &str) -> Fault {
    Fault::Tunnel {
        what: what.to_owned(),
        mend: mend.to_owned(),
    }
}

/// A key of any type, for where it stands alone.
trait Given {
    fn place(&self) -> Option<Range<usize>>;
}

impl<T> Given for Key<T> {
    fn place(&self) -> Option<Range<usize>> {
        self.given().map(|at| at.place.clone())
    }
}
