//! The config file as users meet it: each case is a file in `tests/config/`, the text of a config,
//! a line of ten hyphens, and the report on it (or `ok`).
//!
//! `RAVELIN_BLESS=1 cargo nextest run -p ravelin config` rewrites the reports: read them before you
//! commit them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use ravelin_pki::{Authority, HostName, NameConstraints, PrivateKey};
use ravelin_server::site::{Handler, PathPattern};
use tempfile::TempDir;

use super::*;

#[test]
fn every_mistake_has_a_report_with_its_line_and_a_way_out() {
    let place = Place::new();
    let read = |text: &str| place.read(text).err();
    assert!(reports("tests/config", &place, read) > 50);
}

#[test]
fn every_mistake_of_tunnels_has_one_too() {
    let place = Place::new();
    let read = |text: &str| place.read_tunnels(text).err();
    assert!(reports("tests/tunnels", &place, read) > 10);
}

/// Compares the reports on all cases of a folder with those that are kept beside them. How many there are.
fn reports(folder: &str, place: &Place, read: impl Fn(&str) -> Option<Report>) -> usize {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut names: Vec<_> = fs::read_dir(&cases)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    names.sort();
    let mut stale = Vec::new();
    for case in &names {
        let text = fs::read_to_string(case).unwrap();
        let (input, expected) = text.split_once(RULE).unwrap_or((&text, ""));
        let report = match read(input) {
            None => "ok\n".to_owned(),
            Some(report) => place.anonymous(&report.render(false)),
        };
        if report == expected {
            continue;
        }
        if blessing() {
            fs::write(case, format!("{input}{RULE}{report}")).unwrap();
        } else {
            stale.push(format!("{}:\n{report}", case.display()));
        }
    }
    assert!(
        stale.is_empty(),
        "other reports than expected; RAVELIN_BLESS=1 cargo nextest run -p ravelin config \
         rewrites the files\n\n{}",
        stale.join("\n")
    );
    names.len()
}

#[test]
fn the_examples_of_tunnels_in_the_docs_are_right() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tunnel.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```toml\n").skip(1);
    let tunnels = blocks.map(|rest| {
        let text = rest.split_once("```").unwrap().0;
        let config = Place::new().read_tunnels(text).unwrap();
        let mut tunnels = config.tunnels.iter();
        assert!(tunnels.all(|tunnel| !tunnel.listen.is_empty()));
        config.tunnels.len()
    });
    assert_eq!(tunnels.collect::<Vec<_>>(), [4, 1]);
}

#[test]
fn the_defaults_of_tunnels_are_those_of_the_docs() {
    let place = Place::new();
    let bare = "[[tunnel]]\nlisten = \"5433\"\nto = \"5432\"\ntls = \"both\"\n";
    let spelled_out = "workers = 0\ndrain_timeout = \"30s\"\n[[tunnel]]\nlisten = \"5433\"\nto = \"5432\"\n\
        tls = \"both\"\ncleartext = false\ncertificate = \"local\"\nproxy_header = false\nbalance = \"first\"\n\
        hosts = [\"localhost\", \"127.0.0.1\", \"::1\"]\nconnect_timeout = \"5s\"\n\
        limits = { handshake_timeout = \"10s\", idle_timeout = \"1h\" }\n";
    let shown = |text: &str| format!("{:#?}", place.read_tunnels(text).unwrap());
    assert_eq!(shown(bare), shown(spelled_out));
}

#[test]
fn ten_mistakes_are_reported_at_once_in_the_order_of_the_file() {
    let report = Place::new().read(TEN_MISTAKES).unwrap_err();
    assert_eq!(report.len(), 10, "{}", report.render(false));
    let shown = report.render(false);
    let lines: Vec<usize> = shown
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("--> ravelin.toml:"))
        .map(|place| place.split(':').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(lines, [2, 3, 4, 6, 9, 10, 12, 13, 16, 18], "{shown}");
    assert!(shown.ends_with("10 problems in ravelin.toml\n"), "{shown}");
}

#[test]
fn addresses_are_written_as_on_the_command_line() {
    let text = |listen: &str, redirect: &str| {
        format!(
            "[server]\nlisten = [{listen}]\nredirect = [{redirect}]\n\
             [[site]]\nhosts = [\"app.localhost\"]\nroute = [{{ files = \"public\" }}]\n"
        )
    };
    let config = Place::new().read(&text("\"8443\"", "\"*:80\"")).unwrap();
    assert_eq!(config.listen, default_listen());
    let everyone = ["0.0.0.0:80", "[::]:80"].map(|address| address.parse().unwrap());
    assert_eq!(config.redirect, everyone);
}

#[test]
fn the_example_of_the_docs_means_what_it_says() {
    let config = Place::new().read(&reference::example()).unwrap();
    assert_eq!(config.listen, default_listen());
    assert_eq!(config.redirect, ["127.0.0.1:8080".parse().unwrap()]);
    assert_eq!(config.sites.len(), 2);
    let site = &config.sites[0];
    assert_eq!(site.certificate, CertificateSource::Local);
    let paths: Vec<_> = site.site.routes.iter().map(|route| &route.path).collect();
    assert_eq!(*paths[0], PathPattern::Prefix("/old/".into()));
    assert_eq!(*paths[1], PathPattern::Exact("/hello".into()));
    assert_eq!(*paths[2], PathPattern::Prefix("/".into()));
    let Handler::Files(files) = &site.site.routes[2].handler else {
        panic!("{:?}", site.site.routes[2]);
    };
    assert!(files.root.ends_with("public"));
    assert_eq!(files.fallback.as_deref(), Some("index.html"));
    let CertificateSource::Files { cert, key, staple } = &config.sites[1].certificate else {
        panic!("{:?}", config.sites[1].certificate);
    };
    assert!(config.watched.contains(cert) && config.watched.contains(key));
    assert_eq!(*staple, None);
}

#[test]
fn the_smallest_file_is_a_site_on_this_machine_alone() {
    let config = Place::new()
        .read("[[site]]\nhosts = [\"localhost\"]\nroute = [{ files = \"public\" }]\n")
        .unwrap();
    assert_eq!(config.listen, default_listen());
    assert_eq!(config.limits, Limits::default());
    assert!(config.redirect.is_empty() && config.log.is_none());
    let route = &config.sites[0].site.routes[0];
    assert_eq!(route.path, PathPattern::Prefix("/".into()));
    assert_eq!(route.body_limit, DEFAULT_BODY_LIMIT);
}

#[test]
fn the_defaults_in_the_docs_are_the_defaults() {
    let place = Place::new();
    let bare = reference::with_what_is_required();
    let spelled_out = reference::with_defaults_spelled_out();
    let shown = |text: &str| match place.read(text) {
        Ok(config) => format!("{config:#?}"),
        Err(report) => panic!("{}\n{text}", report.render(false)),
    };
    assert_eq!(shown(&bare), shown(&spelled_out), "{spelled_out}");
}

#[test]
fn no_report_shows_a_password_or_a_hash() {
    const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA";
    let place = Place::new();
    for secret in ["hunter2", HASH] {
        for text in [
            format!("auth = {{ users = {{ ada = \"{secret}\" }}, x = 1 }}"),
            format!("auth = {{ user = {{ ada = \"{secret}\" }} }}"),
            format!("auth = {{ users = \"{secret}\" }}"),
            format!("auth = \"{secret}\""),
            format!("auth = {{ users = {{ ada = [\"{secret}\"] }} }}"),
            format!("auth = {{ users = {{ ada = \"{secret} }} }}"),
            format!("auth = {{ users = {{ ada = {secret} }} }}"),
            format!("auth = {{ users = {{\n ada = \"{secret}\",\n bob = \"{secret} }} }}"),
            format!("password = \"{secret}\""),
            format!("users = {{ ada = \"{secret}\" }}"),
            format!("[site.route.auth.users]\nada = \"{secret}\"\nada = \"{secret}\""),
            format!("[site.route.auth.users]\nada \"{secret}\""),
            format!("[site.route.auth]\nrealm = \"x\nusers.ada = \"{secret}\""),
        ] {
            let whole = format!("[[site]]\nhosts = [\"a.test\"]\n[[site.route]]\n{text}\n");
            let report = place.read(&whole).unwrap_err();
            for shown in [
                report.render(false),
                report.render(true),
                format!("{report:?}"),
            ] {
                assert!(!shown.contains(secret), "{whole}\n{shown}");
            }
        }
    }
}

#[test]
fn styled_reports_are_plain_ones_with_colours() {
    let report = Place::new().read("x = 1").unwrap_err();
    let styled = report.render(true);
    assert!(styled.contains("\u{1b}["));
    assert_eq!(
        anstream::adapter::strip_str(&styled).to_string(),
        report.render(false)
    );
}

#[test]
fn what_is_not_text_has_a_report() {
    let report = read(
        b"a = 1\nb = \"\xff\"\n",
        Path::new("ravelin.toml"),
        Some(now()),
        None,
    )
    .unwrap_err();
    let shown = report.render(false);
    assert!(shown.contains("ravelin.toml:2:1"), "{shown}");
    assert!(shown.contains("not UTF-8"), "{shown}");
}

#[test]
fn a_file_that_is_not_there_is_no_mistake_in_it() {
    let error = load(Path::new("/nonexistent/ravelin.toml"), None, None).unwrap_err();
    assert!(matches!(error, LoadError::Unreadable { .. }), "{error:?}");
}

#[test]
fn many_sites_are_read_in_a_moment() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for number in 0..10_000 {
        write!(
            text,
            "[[site]]\nhosts = [\"h{number}.test\"]\n[[site.route]]\nrespond = {{ body = \"x\" }}\n"
        )
        .unwrap();
    }
    assert_eq!(Place::new().read(&text).unwrap().sites.len(), 10_000);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        check_report(&text, read(text.as_bytes(), Path::new("ravelin.toml"), Some(now()), None));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in any::<Vec<u8>>()) {
        check_report("", read(&bytes, Path::new("ravelin.toml"), Some(now()), None));
    }

    // Text that is nearly right comes further than noise.
    #[test]
    fn no_slip_in_a_good_file_makes_the_reader_panic(
        at in any::<prop::sample::Index>(),
        cut in 0_usize..12,
        slip in "[\\[\\]{}\"'#=,.*/%é\n\r\u{0}a-z0-9-]{0,6}",
    ) {
        let good = reference::example();
        let mut text: Vec<char> = good.chars().chain(TEN_MISTAKES.chars()).collect();
        let at = at.index(text.len());
        let end = (at + cut).min(text.len());
        text.splice(at..end, slip.chars());
        let text: String = text.into_iter().collect();
        check_report(&text, read(text.as_bytes(), Path::new("ravelin.toml"), Some(now()), None));
    }
}

fn check_report(text: &str, result: Result<Config, Report>) {
    if let Err(report) = result {
        assert!(report.len() > 0, "{text:?}");
        report.render(true);
        report.render(false);
    }
}

/// A folder with a site, certificates and keys in it.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("public/index.html", "<h1>hello</h1>");
        write("public/.secret", "");
        write("public/folder/page.html", "");
        write("staff/index.html", "");
        write("mixed/index.html", "");
        write("store/ca/root.pem", "");
        write("store/public/index.html", "");
        write("empty.pem", "");
        // Roots are looked into when tunnels start.
        write("clients-ca.pem", "");
        write("company.pem", "");
        write(
            "garbage.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        );
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("public/outside")).unwrap();

        let (cert, key) = certificate(&["example.org", "*.example.org"], now());
        write("fullchain.pem", &cert);
        write("key.pem", &key);
        write("mixed/key.pem", &key);
        write(
            "other-key.pem",
            &PrivateKey::generate().unwrap().to_pem().unwrap(),
        );
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_800);
        let (cert, key) = certificate(&["example.org"], long_ago);
        write("expired.pem", &cert);
        write("expired-key.pem", &key);
        let (cert, key) = certificate(&["example.org"], now() + Duration::from_secs(40 * 86400));
        write("future.pem", &cert);
        write("future-key.pem", &key);
        Self { folder }
    }

    fn read_tunnels(&self, text: &str) -> Result<TunnelsConfig, Report> {
        let file = self.folder.path().join("tunnels.toml");
        fs::write(&file, text).unwrap();
        read_tunnels(text.as_bytes(), &file, Some(now())).map_err(|mut report| {
            report.file = PathBuf::from("tunnels.toml");
            report
        })
    }

    fn read(&self, text: &str) -> Result<Config, Report> {
        let file = self.folder.path().join("ravelin.toml");
        fs::write(&file, text).unwrap();
        let mut result = read(
            text.as_bytes(),
            &file,
            Some(now()),
            Some(&self.folder.path().join("store")),
        );
        if let Err(report) = &mut result {
            report.file = PathBuf::from("ravelin.toml");
        }
        result
    }

    /// The text without the name of the folder, which is another each time.
    fn anonymous(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

fn certificate(names: &[&str], at: SystemTime) -> (String, String) {
    let names: Vec<HostName> = names.iter().map(|name| name.parse().unwrap()).collect();
    let constraints = names
        .iter()
        .fold(NameConstraints::local(), NameConstraints::and);
    let root = Authority::root("Test", PrivateKey::generate().unwrap(), &constraints, at).unwrap();
    let leaf = root
        .intermediate("Test", PrivateKey::generate().unwrap(), at)
        .unwrap()
        .leaf(&names, at)
        .unwrap();
    (leaf.chain_pem(), leaf.key_pem())
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

/// Whether the expected texts are to be rewritten.
pub(super) fn blessing() -> bool {
    std::env::var_os("RAVELIN_BLESS").is_some()
}

const RULE: &str = "----------\n";

const TEN_MISTAKES: &str = r#"[server]
listen = ["example.org:8443"]
redirect = ["127.0.0.1"]
workers = 5000
[server.limits]
idle_timeout = "0s"

[[site]]
hosts = ["https://app.localhost/"]
colour = "blue"
[[site.route]]
path = "old/*"
redirect = { to = "/new/{tail}" }
[[site.route]]
path = "/secret"
auth = { users = { ada = "hunter2" } }
respond = { status = 200 }
headers = { Date = "now" }
"#;
