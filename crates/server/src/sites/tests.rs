//! Sites as an app: what a request gets, without a network.

use std::path::Path;

use http::HeaderName;
use http_body_util::BodyExt;

use super::*;

/// A site of these routes on a folder of its own.
struct Served {
    folder: tempfile::TempDir,
    place: Place,
    app: SiteApp,
}

/// A response with its body.
struct Got {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Served {
    fn new(routes: impl FnOnce(&Path) -> Vec<Route>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sites = Sites::new(vec![site("a.test", routes(folder.path()))]).unwrap();
        let current = Arc::new(ArcSwap::from_pointee(sites));
        let place = Place {
            turn: Rc::default(),
        };
        let app = SiteApp::new(current, &place);
        Self { folder, place, app }
    }

    /// Makes a file, and the folders above it.
    fn write(&self, name: &str, content: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn get(&self, path: &str) -> Got {
        self.ask(path, &[])
    }

    fn ask(&self, path: &str, fields: &[(HeaderName, &str)]) -> Got {
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
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            self.place.turn.set(self.place.turn.get() + 1);
            let mut response = match self.app.call(request, &connection) {
                Answer::Ready(response) => response,
                Answer::Later(later) => later.await,
            };
            let mut headers = std::mem::take(response.headers_mut());
            response.body_mut().unprepare(&mut headers);
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let body = String::from_utf8(body.to_vec()).unwrap();
            Got {
                status,
                headers,
                body,
            }
        })
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

fn files(root: &Path) -> Files {
    Files {
        root: root.to_owned(),
        index: "index.html".to_owned(),
        listing: false,
        fallback: None,
        precompressed: true,
        compress: true,
        cache_control: None,
    }
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
            rewritten("/download/*", "/{rest}", files(root)),
            rewritten("/gallery/*", "/photos?x=y", files(root)),
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
    let served = Served::new(|root| vec![rewritten("/*", "/photos", files(root))]);
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
            ..files(root)
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
