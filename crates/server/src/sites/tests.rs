//! Sites as an app: what a request gets, without a network.

use std::path::Path;
use std::time::Duration;

use http::HeaderName;
use http_body_util::BodyExt;

use super::*;

/// A site of these routes on a folder of its own.
struct Served {
    folder: tempfile::TempDir,
    current: Arc<ArcSwap<Sites>>,
    place: Place,
    app: SiteApp,
    runtime: tokio::runtime::Runtime,
}

/// A response with its body.
struct Got {
    /// Whether it was there at once.
    ready: bool,
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Served {
    /// A folder at `/`.
    fn folder() -> Self {
        Self::new(|root| {
            vec![route(
                "/*",
                Handler::Files(Arc::new(Files::new(root.into()))),
            )]
        })
    }

    fn new(routes: impl FnOnce(&Path) -> Vec<Route>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sites = Sites::new(vec![site("a.test", routes(folder.path()))], None).unwrap();
        let current = Arc::new(ArcSwap::from_pointee(sites));
        let place = Place {
            turn: crate::worker::Turn::default(),
            room: Rc::default(),
        };
        let app = SiteApp::new(current.clone(), &place);
        Self {
            folder,
            current,
            place,
            app,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        }
    }

    /// Makes a file, and the folders above it.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Serves these routes from now on.
    fn reload(&self, routes: impl FnOnce(&Path) -> Vec<Route>) {
        let sites = vec![site("a.test", routes(self.folder.path()))];
        let sites = Sites::new(sites, Some(&self.current.load())).unwrap();
        self.current.store(Arc::new(sites));
    }

    /// Waits until a change of what was written would show: until the file system's clock has gone
    /// on by more than its ticks.
    fn settle(&self) {
        let changed = || {
            self.write("probe", "");
            let probe = std::fs::metadata(self.folder.path().join("probe"));
            probe.unwrap().modified().unwrap()
        };
        let written = changed();
        while changed() < written + Duration::from_millis(60) {
            std::thread::yield_now();
        }
    }

    fn get(&self, path: &str) -> Got {
        self.ask(path, &[])
    }

    fn ask(&self, path: &str, fields: &[(HeaderName, &str)]) -> Got {
        let answer = self.call(path, fields);
        let ready = matches!(answer, Answer::Ready(_));
        self.runtime.block_on(async {
            let mut response = match answer {
                Answer::Ready(response) => response,
                Answer::Later(later) => later.await,
            };
            let mut headers = std::mem::take(response.headers_mut());
            response.body_mut().unprepare(&mut headers);
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let body = String::from_utf8_lossy(&body).into_owned();
            Got {
                ready,
                status,
                headers,
                body,
            }
        })
    }

    /// Asks in a turn of its own.
    fn call(&self, path: &str, fields: &[(HeaderName, &str)]) -> Answer {
        let mut request = Request::get(path).header(header::HOST, "a.test");
        for (name, value) in fields {
            request = request.header(name, *value);
        }
        let request = request.body(RequestBody::none()).unwrap();
        let connection = Arc::new(Connection {
            peer: ([192, 0, 2, 7], 1).into(),
            local: ([192, 0, 2, 1], 443).into(),
            tls: None,
        });
        self.place.turn.begin();
        self.app.call(request, &connection)
    }
}

impl Got {
    fn field(&self, name: impl header::AsHeaderName) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }
}

fn site(host: &str, routes: Vec<Route>) -> Site {
    Site {
        hosts: vec![host.parse().unwrap()],
        headers: Vec::new(),
        hsts: None,
        routes,
    }
}

fn route(path: &str, handler: Handler) -> Route {
    Route {
        path: match path.strip_suffix('*') {
            Some(prefix) => PathPattern::Prefix(prefix.to_owned()),
            None => PathPattern::Exact(path.to_owned()),
        },
        headers: Vec::new(),
        rewrite: None,
        auth: None,
        rate_limit: None,
        body_limit: 0,
        handler,
    }
}

/// How many files this process has open. Each test is a process of its own.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// A route that serves a folder, looking up `rewrite` instead of its own path.
fn rewritten(path: &str, rewrite: &str, files: Files) -> Route {
    Route {
        rewrite: Some(Template::parse(rewrite).unwrap()),
        ..route(path, Handler::Files(Arc::new(files)))
    }
}

#[test]
fn a_folder_redirect_stays_in_its_route_and_tells_nothing_of_the_rewriting() {
    let served = Served::new(|root| {
        vec![
            rewritten("/download/*", "/{rest}", Files::new(root.into())),
            rewritten("/gallery/*", "/photos?x=y", Files::new(root.into())),
        ]
    });
    served.write("photos/index.html", "photos");
    for (path, location) in [
        ("/download/photos", "/download/photos/"),
        ("/download/photos?a=b", "/download/photos/?a=b"),
        ("/download/%70hotos", "/download/%70hotos/"),
        ("/gallery/any?a=b", "/gallery/any/?a=b"),
    ] {
        let got = served.get(path);
        assert_eq!(
            (got.status, got.field(header::LOCATION)),
            (308, Some(location)),
            "{path}"
        );
    }
    // Whoever follows arrives.
    assert_eq!(served.get("/download/photos/").body, "photos");
    assert_eq!(served.get("/gallery/any/").body, "photos");
}

#[test]
fn a_folder_redirect_leads_to_no_other_host() {
    let served = Served::new(|root| vec![rewritten("/*", "/photos", Files::new(root.into()))]);
    served.write("photos/index.html", "photos");
    let got = served.get("/\\elsewhere.example");
    assert_eq!(
        (got.status, got.field(header::LOCATION)),
        (308, Some("/%5Celsewhere.example/"))
    );
}

#[test]
fn a_listing_names_the_folders_that_the_client_asked_for() {
    let served = Served::new(|root| {
        let files = Files {
            listing: true,
            ..Files::new(root.into())
        };
        vec![rewritten("/staff/*", "/folder/{rest}", files)]
    });
    served.write("folder/within/a.txt", "a");
    let page = served.get("/staff/").body;
    assert!(page.contains("<title>/staff/"), "{page}");
    assert!(!page.contains("folder/</title>"), "{page}");
    let page = served.get("/staff/within/").body;
    assert!(page.contains("<title>/staff/within/"), "{page}");
    assert!(page.contains("href=\"./a.txt\""), "{page}");
}

#[test]
fn new_content_with_the_time_and_length_of_the_old_is_new_content() {
    let served = Served::folder();
    // Kept in memory, and not.
    for length in [1000, 300_000] {
        let tag = |letter: &str| {
            served.write("new", letter.repeat(length));
            let new = served.folder.path().join("new");
            let file = std::fs::File::options().write(true).open(&new).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1))
                .unwrap();
            std::fs::rename(new, served.folder.path().join("file.bin")).unwrap();
            served
                .get("/file.bin")
                .field(header::ETAG)
                .unwrap()
                .to_owned()
        };
        let (old, new) = (tag("a"), tag("b"));
        let known = |tag: &str| {
            served
                .ask("/file.bin", &[(header::IF_NONE_MATCH, tag)])
                .status
        };
        assert_eq!((known(&old), known(&new)), (200, 304));
        let half = [(header::RANGE, "bytes=0-9"), (header::IF_RANGE, &*old)];
        assert_eq!(served.ask("/file.bin", &half).status, 200);
    }
}

#[test]
fn what_compression_makes_no_shorter_is_tried_once_and_has_the_plain_tag() {
    let served = Served::folder();
    // A multiplicative generator's output has nothing to find in it.
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005) + 1;
        (state >> 56) as u8
    });
    served.write("noise.txt", noise.take(2000).collect::<Vec<_>>());
    served.settle();
    let brotli = (header::ACCEPT_ENCODING, "br");
    let plain = served.ask("/noise.txt", &[(header::RANGE, "bytes=0-")]);
    let tag = plain.field(header::ETAG).unwrap();
    // The precondition is tested against what is sent, which is not known yet.
    let first = served.ask("/noise.txt", &[brotli.clone(), (header::IF_MATCH, tag)]);
    assert_eq!((first.status, first.ready), (200, false));
    assert_eq!(first.field(header::CONTENT_ENCODING), None);
    assert_eq!(first.field(header::ETAG), Some(tag));
    assert_eq!(first.field(header::VARY), Some("accept-encoding"));
    let known = served.ask(
        "/noise.txt",
        &[brotli.clone(), (header::IF_NONE_MATCH, tag)],
    );
    assert_eq!((known.status, known.ready), (304, true));
    assert!(served.ask("/noise.txt", &[brotli]).ready);
}

#[test]
fn a_file_from_the_future_is_kept_as_any_other() {
    let served = Served::folder();
    served.write("a.txt", "a".repeat(1000));
    let file = std::fs::File::options()
        .write(true)
        .open(served.folder.path().join("a.txt"));
    let future = std::time::SystemTime::now() + Duration::from_secs(86_400);
    file.unwrap().set_modified(future).unwrap();
    served.settle();
    let brotli = [(header::ACCEPT_ENCODING, "br")];
    assert!(!served.ask("/a.txt", &brotli).ready);
    let again = served.ask("/a.txt", &brotli);
    assert!(again.ready, "compressed anew");
    assert_eq!(again.field(header::CONTENT_ENCODING), Some("br"));
}

#[test]
fn a_precompressed_file_is_served_from_the_moment_it_is_there() {
    let served = Served::folder();
    served.write("a.js", "plain");
    // A link that leads nowhere yet, and then somewhere without a change of its own folder.
    served.write("elsewhere/other", "");
    std::os::unix::fs::symlink("elsewhere/later", served.folder.path().join("a.js.gz")).unwrap();
    served.settle();
    let get = |coding| {
        let got = served.ask("/a.js", &[(header::ACCEPT_ENCODING, coding)]);
        assert_eq!(got.status, 200);
        got.body
    };
    for coding in ["br", "gzip"] {
        assert_eq!([get(coding), get(coding)], ["plain", "plain"]);
    }
    served.write("elsewhere/later", "gzip");
    assert_eq!(get("gzip"), "gzip");
    served.write("a.js.br", "brotli");
    assert_eq!(get("br"), "brotli");
    std::fs::remove_file(served.folder.path().join("a.js.br")).unwrap();
    assert_eq!(get("br"), "plain");
}

#[test]
fn a_precompressed_file_may_have_the_time_of_the_plain_one_in_whole_seconds() {
    let served = Served::folder();
    let write = |name: &str, nanoseconds: u64| {
        served.write(name, name);
        let time = std::time::SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds);
        let file = std::fs::File::options()
            .write(true)
            .open(served.folder.path().join(name));
        file.unwrap().set_modified(time).unwrap();
    };
    write("a.js", 1_000_999_999_999);
    write("a.js.br", 1_000_000_000_000);
    let brotli = [(header::ACCEPT_ENCODING, "br")];
    assert_eq!(served.ask("/a.js", &brotli).body, "a.js.br");
    write("a.js.br", 999_999_999_999);
    assert_eq!(served.ask("/a.js", &brotli).body, "a.js");
}

#[test]
fn clients_that_come_together_share_one_compression() {
    let served = Served::folder();
    served.write("a.txt", "a".repeat(1000));
    served.settle();
    let later = || match served.call("/a.txt", &[(header::ACCEPT_ENCODING, "br")]) {
        Answer::Later(later) => later,
        Answer::Ready(_) => panic!("nobody has asked for it before"),
    };
    let (one, other) = (later(), later());
    let (one, other) = served.runtime.block_on(async { tokio::join!(one, other) });
    let bytes = |mut response: Response<Body>| response.body_mut().take_ready().unwrap();
    assert_eq!(bytes(one).as_ptr(), bytes(other).as_ptr());
}

#[test]
fn however_many_folders_are_served_what_a_worker_holds_of_them_is_bounded() {
    let served = Served::new(|root| {
        let folder = |number: u32| {
            let files = Arc::new(Files::new(root.join(number.to_string())));
            route(&format!("/{number}/*"), Handler::Files(files))
        };
        (0..400).map(folder).collect()
    });
    let before = open_files();
    // Beyond what is kept in memory: each is an open file.
    for number in 0..400 {
        let name = format!("{number}/{number}/large.bin");
        served.write(&name, "");
        let file = std::fs::File::options()
            .write(true)
            .open(served.folder.path().join(name));
        file.unwrap().set_len(300 * 1024).unwrap();
    }
    served.settle();
    for number in 0..400 {
        let got = served.ask(
            &format!("/{number}/large.bin"),
            &[(header::RANGE, "bytes=0-0")],
        );
        assert_eq!(got.status, 206);
    }
    let held = open_files() - before;
    assert!((256..=520).contains(&held), "{held}");
    // What was closed is opened again.
    assert_eq!(served.get("/0/large.bin").status, 200);
}

#[test]
fn a_reload_keeps_what_is_known_of_folders_that_stay() {
    let folder = |root: &Path, name: &str| {
        let files = Arc::new(Files::new(root.join(name)));
        route(&format!("/{name}/*"), Handler::Files(files))
    };
    let served = Served::new(|root| vec![folder(root, "goes"), folder(root, "stays")]);
    let file_server = |number: usize| served.app.prepared().servers[number].get().cloned();
    for path in ["/goes/x", "/stays/x"] {
        assert_eq!(served.get(path).status, 500);
    }
    let (goes, stays) = (file_server(0).unwrap(), file_server(1).unwrap());
    served.reload(|root| vec![folder(root, "stays"), folder(root, "comes")]);
    assert!(Rc::ptr_eq(&file_server(0).unwrap(), &stays));
    assert!(file_server(1).is_none());
    assert_eq!(Rc::strong_count(&goes), 1);
}

#[test]
fn a_redirect_keeps_the_query_where_a_query_may_stand() {
    for (to, location) in [
        ("/docs", "/docs?a=b"),
        ("/docs#install", "/docs?a=b#install"),
        ("/docs?own#install", "/docs?own#install"),
        ("/docs#/route?own", "/docs?a=b#/route?own"),
        ("/docs#{rest}", "/docs?a=b#x"),
    ] {
        let to = Template::parse(to).unwrap();
        let status = StatusCode::PERMANENT_REDIRECT;
        let served = Served::new(|_| vec![route("/old/*", Handler::Redirect { to, status })]);
        let got = served.get("/old/x?a=b");
        assert_eq!(got.field(header::LOCATION), Some(location));
    }
}

/// A route that lets so many requests through an hour, and asks for ada's password.
fn guarded(path: &str, requests: u32, hash: &str) -> Route {
    let respond = Handler::Respond {
        status: StatusCode::OK,
        body: bytes::Bytes::new(),
        content_type: None,
    };
    let users = vec![("ada".to_owned(), hash.to_owned())];
    let requests = std::num::NonZeroU32::new(requests).unwrap();
    Route {
        rate_limit: Some(crate::site::RateLimit {
            requests,
            per: Duration::from_secs(3600),
            burst: requests,
        }),
        auth: Some(Arc::new(crate::site::BasicAuth {
            realm: "Staff".to_owned(),
            users,
        })),
        ..route(path, respond)
    }
}

#[test]
fn a_reload_gives_nobody_a_fresh_limit() {
    // A hash that no password has: that it is none is found out at once.
    let routes = || vec![guarded("/few", 5, "none"), guarded("/many", 999, "none")];
    let served = Served::new(|_| routes());
    // ada:wrong
    let wrong = [(header::AUTHORIZATION, "Basic YWRhOndyb25n")];
    let taken = |path| {
        let asked = (0..100).map(|_| served.ask(path, &wrong).status);
        asked.take_while(|status| *status == 401).count()
    };
    assert_eq!(taken("/few"), 5);
    // Sixty passwords at once, and one a second.
    assert!((60..90).contains(&taken("/many")));
    served.reload(|_| routes().into_iter().rev().collect());
    assert_eq!(taken("/few"), 0);
    assert!(taken("/many") < 30);
    // What has changed begins anew.
    served.reload(|_| vec![guarded("/few", 6, "none"), guarded("/many", 999, "other")]);
    assert_eq!(taken("/few"), 6);
    assert!(taken("/many") >= 60);
}

#[test]
fn an_answer_without_a_body_says_no_length() {
    for (status, length) in [(200, Some("1")), (204, None), (304, None), (404, Some("1"))] {
        let respond = Handler::Respond {
            status: StatusCode::from_u16(status).unwrap(),
            body: bytes::Bytes::from_static(b"x"),
            content_type: None,
        };
        let got = Served::new(|_| vec![route("/", respond)]).get("/");
        assert_eq!(got.field(header::CONTENT_LENGTH), length, "{status}");
        assert_eq!(got.body.len(), usize::from(length.is_some()), "{status}");
    }
}

#[test]
fn an_error_tells_caches_that_browsers_get_another_form_of_it() {
    let served = Served::folder();
    for (accept, kind) in [("text/html", "text/html"), ("*/*", "text/plain")] {
        let got = served.ask("/nothing", &[(header::ACCEPT, accept)]);
        let content_type = got.field(header::CONTENT_TYPE).unwrap();
        assert!(content_type.starts_with(kind), "{content_type}");
        assert_eq!(got.field(header::VARY), Some("accept"));
    }
}

#[test]
fn a_listing_is_compressed_for_those_who_take_it() {
    let served = Served::new(|root| {
        let files = Files {
            listing: true,
            ..Files::new(root.into())
        };
        vec![route("/*", Handler::Files(Arc::new(files)))]
    });
    for number in 0..200 {
        served.write(&format!("folder/{number}"), "");
    }
    let plain = served.get("/folder/");
    assert_eq!(plain.field(header::CONTENT_ENCODING), None);
    assert_eq!(plain.field(header::VARY), Some("accept-encoding"));
    for coding in ["br", "zstd", "gzip"] {
        let coded = served.ask("/folder/", &[(header::ACCEPT_ENCODING, coding)]);
        assert_eq!(coded.field(header::CONTENT_ENCODING), Some(coding));
        let length = |got: &Got| -> usize { got.field("content-length").unwrap().parse().unwrap() };
        assert!(4 * length(&coded) < length(&plain));
    }
}

#[test]
fn an_image_that_is_compressed_by_itself_is_told_so_and_left_so() {
    let served = Served::folder();
    let content = "what gzip has made of an image".repeat(100);
    served.write("a.svgz", &content);
    served.write("a.svgz.br", "br");
    for taken in ["br, gzip", "gzip", "identity"] {
        let got = served.ask("/a.svgz", &[(header::ACCEPT_ENCODING, taken)]);
        assert_eq!(got.field(header::CONTENT_TYPE), Some("image/svg+xml"));
        assert_eq!(got.field(header::CONTENT_ENCODING), Some("gzip"));
        assert_eq!(got.field(header::VARY), None);
        assert_eq!(got.body, content);
    }
}
