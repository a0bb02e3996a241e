//! Paths that try to leave the folder, and things in it that are no files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::client::Client;
use crate::client::http2::{End, Http2, get};
use crate::server::Setup;

fn furnish(folder: &Path) {
    let public = folder.join("public");
    fs::write(folder.join("secret.txt"), "secret\n").unwrap();
    fs::create_dir(folder.join("outside")).unwrap();
    fs::write(folder.join("outside/secret.txt"), "secret\n").unwrap();
    fs::create_dir_all(public.join("sub/.hidden")).unwrap();
    fs::write(public.join("sub/page.txt"), "page\n").unwrap();
    fs::write(public.join("sub/.hidden/secret.txt"), "secret\n").unwrap();
    fs::write(public.join(".secret"), "secret\n").unwrap();
    fs::create_dir(public.join(".git")).unwrap();
    fs::write(public.join(".git/config"), "secret\n").unwrap();
    fs::create_dir(public.join(".well-known")).unwrap();
    fs::write(public.join(".well-known/security.txt"), "contact\n").unwrap();
    symlink("../secret.txt", public.join("link-out.txt")).unwrap();
    symlink(
        folder.join("secret.txt"),
        public.join("absolute-link-out.txt"),
    )
    .unwrap();
    symlink("../outside", public.join("folder-out")).unwrap();
    symlink("/proc/self/environ", public.join("environ")).unwrap();
    symlink("sub/page.txt", public.join("link-in.txt")).unwrap();
    symlink("sub", public.join("folder-in")).unwrap();
    symlink("loop", public.join("loop")).unwrap();
}

/// Paths that lead to nothing, however they are asked for.
const ESCAPES: &[&str] = &[
    "/../secret.txt",
    "/sub/../../secret.txt",
    "/..",
    "/./../secret.txt",
    "/%2e%2e/secret.txt",
    "/%2E%2E/secret.txt",
    "/.%2e/secret.txt",
    "/..%2fsecret.txt",
    "/..%2Fsecret.txt",
    "/%2e%2e%2fsecret.txt",
    "/sub%2f..%2f..%2fsecret.txt",
    "/%252e%252e/secret.txt",
    "/..%5csecret.txt",
    "/..\\secret.txt",
    "/\\..\\secret.txt",
    "/..;/secret.txt",
    "/..%00/secret.txt",
    "/index.html%00.txt",
    "/index.html%00",
    "/%c0%ae%c0%ae/secret.txt",
    "/%c0%afsecret.txt",
    "//etc/passwd",
    "/%2fetc/passwd",
    "//secret.txt",
    "/sub//page.txt",
    "/sub/./page.txt",
    "/sub/page.txt/",
    "/sub/page.txt/..",
    "/sub/page.txt/../page.txt",
    "/link-out.txt",
    "/absolute-link-out.txt",
    "/folder-out/secret.txt",
    "/folder-out/",
    "/environ",
    "/loop",
    "/.secret",
    "/%2esecret",
    "/.git/config",
    "/sub/.hidden/secret.txt",
    "/folder-in/.hidden/secret.txt",
    "/~root",
    "/%",
    "/%zz",
    "/%e",
];

#[test]
fn no_path_leaves_the_folder() {
    let server = Setup::new().folder(furnish).start();
    let mut client = Client::connect(&server);
    for path in ESCAPES {
        let response = client.get(path);
        assert!(
            [400, 404].contains(&response.status),
            "{path}: {}",
            response.status
        );
        assert!(!response.text().contains("secret\n"), "{path}");
    }
    for (path, body) in [
        ("/sub/page.txt", "page\n"),
        ("/%73ub/p%61ge.txt", "page\n"),
        ("/link-in.txt", "page\n"),
        ("/folder-in/page.txt", "page\n"),
        ("/.well-known/security.txt", "contact\n"),
    ] {
        let response = client.get(path);
        assert_eq!((response.status, response.text()), (200, body), "{path}");
    }
    for path in ["/folder-out", "/.git", "/sub/.hidden"] {
        let response = client.get(path);
        assert!(
            [308, 404].contains(&response.status),
            "{path}: {}",
            response.status
        );
        assert_eq!(client.get(&format!("{path}/")).status, 404, "{path}/");
    }
    // A redirect to a folder leads nowhere else.
    let response = client.get("/sub");
    assert_eq!(
        (response.status, response.field("location")),
        (308, Some("/sub/"))
    );
}

#[test]
fn no_path_leaves_the_folder_over_http2() {
    let server = Setup::new().folder(furnish).start();
    let mut client = Http2::connect(&server);
    let mut stream = 1;
    for path in ESCAPES {
        let end = client.ask(stream, &get(path));
        let refused = matches!(end, End::Status(_, 400 | 404) | End::Reset(..));
        assert!(refused, "{path}: {end:?}");
        stream += 2;
    }
    assert_eq!(
        client.ask(stream, &get("/link-in.txt")),
        End::Status(stream, 200)
    );
}

#[test]
fn names_too_long_for_the_system_are_not_there() {
    let server = Setup::new().start();
    let mut client = Client::connect(&server);
    assert_eq!(client.get(&format!("/{}", "a".repeat(300))).status, 404);
    assert_eq!(client.get(&format!("/{}", "a/".repeat(4000))).status, 404);
    assert_eq!(client.get("/index.html").status, 200);
}

#[test]
fn things_that_are_no_files_are_not_there_and_nobody_waits_for_them() {
    let server = Setup::new()
        .files("listing = true")
        .folder(|folder| {
            let public = folder.join("public");
            let fifo = public.join("fifo");
            let made = std::process::Command::new("mkfifo")
                .arg(&fifo)
                .status()
                .unwrap();
            assert!(made.success());
            let socket = std::os::unix::net::UnixListener::bind(public.join("socket")).unwrap();
            drop(socket);
            symlink("/dev/zero", public.join("zero")).unwrap();
            if rustix::process::geteuid().is_root() {
                let made = std::process::Command::new("mknod")
                    .arg(public.join("device"))
                    .args(["c", "1", "5"])
                    .status()
                    .unwrap();
                assert!(made.success());
            }
        })
        .start();
    let mut client = Client::connect(&server);
    for path in [
        "/fifo",
        "/socket",
        "/zero",
        "/device",
        "/fifo/",
        "/socket/x",
    ] {
        assert_eq!(client.get(path).status, 404, "{path}");
    }
    server.assert_serves_others();
}

#[test]
fn a_fallback_that_may_not_be_read_is_forbidden_and_not_missing() {
    let server = Setup::new()
        .without_rights()
        .files("fallback = \"closed.txt\"")
        .folder(|folder| {
            let closed = folder.join("public/closed.txt");
            fs::write(&closed, "secret\n").unwrap();
            fs::set_permissions(closed, PermissionsExt::from_mode(0o000)).unwrap();
            fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
        })
        .start();
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/nothing").status, 403);
}

#[test]
fn what_the_server_may_not_read_is_forbidden_and_not_half_told() {
    let server = Setup::new()
        .without_rights()
        .folder(|folder| {
            let public = folder.join("public");
            fs::create_dir(public.join("closed")).unwrap();
            fs::write(public.join("closed/file.txt"), "secret\n").unwrap();
            fs::write(public.join("closed.txt"), "secret\n").unwrap();
            fs::set_permissions(public.join("closed"), PermissionsExt::from_mode(0o000)).unwrap();
            fs::set_permissions(public.join("closed.txt"), PermissionsExt::from_mode(0o000))
                .unwrap();
            fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
        })
        .start();
    let mut client = Client::connect(&server);
    for path in [
        "/closed/",
        "/closed/file.txt",
        "/closed/nothing",
        "/closed.txt",
    ] {
        let response = client.get(path);
        assert_eq!(response.status, 403, "{path}");
        assert!(
            !response.text().contains("Permission"),
            "{}",
            response.text()
        );
    }
    // A file that was readable, and in the cache, until now.
    assert_eq!(client.get("/index.html").status, 200);
    let index = server.place.path("public/index.html");
    fs::set_permissions(&index, PermissionsExt::from_mode(0o000)).unwrap();
    assert_eq!(client.get("/index.html").status, 403);
    fs::set_permissions(&index, PermissionsExt::from_mode(0o644)).unwrap();
    server.assert_serves_others();
}

#[test]
fn a_listing_shows_nothing_that_is_not_served_and_escapes_names() {
    let server = Setup::new()
        .folder(furnish)
        .folder(|folder| {
            fs::create_dir(folder.join("public/list")).unwrap();
            fs::write(
                folder.join("public/list/<img src=x onerror=alert(1)>.txt"),
                "",
            )
            .unwrap();
            fs::write(folder.join("public/list/.hidden"), "").unwrap();
            symlink("../../secret.txt", folder.join("public/list/out")).unwrap();
        })
        .sites(
            "[[site.route]]\npath = \"/list/*\"\nfiles = { root = \"./public\", listing = true }",
        )
        .start();
    let page = Client::connect(&server).get("/list/");
    assert_eq!(page.status, 200);
    let page = page.text();
    assert!(!page.contains("<img"), "{page}");
    assert!(page.contains("onerror"), "{page}");
    assert!(
        !page.contains("hidden\"") && !page.contains(">out<"),
        "{page}"
    );
}
