//! Files and folders that change or go while they are served.

use std::fs::{self, File};

use crate::client::http2::{DATA, Frame, Http2, RST_STREAM, get};
use crate::client::{Client, is_cut, read};
use crate::server::{Server, Setup, wait_until};

/// More than fits between a server and a client that does not read.
const LARGE: u64 = 256 << 20;

fn with_large_file() -> Server {
    Setup::new()
        .folder(|folder| {
            File::create(folder.join("public/large.bin"))
                .unwrap()
                .set_len(LARGE)
                .unwrap();
        })
        .start()
}

/// Leaves the first 1000 bytes of the large file.
fn shrink(server: &Server) {
    let large = File::options()
        .write(true)
        .open(server.place.path("public/large.bin"));
    large.unwrap().set_len(1000).unwrap();
}

/// Begins to download the large file, and waits for the first bytes of it.
fn begin_download(server: &Server) -> Client {
    let mut client = Client::connect(server);
    client.send("GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let n = read(&mut client.tls, &mut [0; 1000]).unwrap();
    assert!(n > 0);
    client
}

/// How many bytes come until the end, and whether the end was decent.
fn drain(client: &mut Client) -> (u64, bool) {
    let mut total = 0;
    let mut piece = vec![0; 1 << 20];
    loop {
        match read(&mut client.tls, &mut piece) {
            Ok(0) => return (total, true),
            Ok(n) => total += n as u64,
            Err(error) if is_cut(&error) => return (total, false),
            Err(error) => panic!("{error} after {total} bytes"),
        }
    }
}

#[test]
fn a_file_that_shrinks_while_it_is_downloaded_cuts_the_connection_and_is_not_padded() {
    let server = with_large_file();
    let mut client = begin_download(&server);
    shrink(&server);
    let (received, _) = drain(&mut client);
    assert!(received < LARGE, "{received}");
    // Who comes next gets the file as it is now.
    assert_eq!(Client::connect(&server).get("/large.bin").body.len(), 1000);
    server.assert_serves_others();
}

#[test]
fn a_file_that_shrinks_while_it_is_downloaded_resets_the_http2_stream_only() {
    let server = with_large_file();
    let mut client = Http2::connect_with(&server, &[(4, 1 << 20)]);
    client.send(&crate::client::http2::headers(1, &get("/large.bin")));
    let mut received: Vec<Frame> = Vec::new();
    while !received.iter().any(|frame| frame.kind == DATA) {
        received.extend(client.next());
    }
    shrink(&server);
    // More room than the windows of before.
    for stream in [0, 1] {
        let increment = 0x3000_0000_u32.to_be_bytes();
        client.send(&crate::client::http2::frame(
            crate::client::http2::WINDOW_UPDATE,
            0,
            stream,
            &increment,
        ));
    }
    let end = loop {
        let frame = client.next().expect("the connection lives on");
        assert!(
            !(frame.kind == DATA && frame.flags & 1 == 1),
            "the body ends as if it were whole"
        );
        if frame.kind == RST_STREAM {
            break frame.stream;
        }
    };
    assert_eq!(end, 1);
    assert_eq!(
        client.ask(3, &get("/index.html")),
        crate::client::http2::End::Status(3, 200)
    );
}

#[test]
fn a_file_that_is_deleted_or_replaced_while_it_is_downloaded_is_sent_as_it_was() {
    let server = with_large_file();
    let large = server.place.path("public/large.bin");
    let mut deleted = begin_download(&server);
    fs::remove_file(&large).unwrap();
    assert_eq!(Client::connect(&server).get("/large.bin").status, 404);
    let new = server.place.path("public/new.bin");
    fs::write(&new, "new\n").unwrap();
    fs::rename(&new, &large).unwrap();
    assert_eq!(Client::connect(&server).get("/large.bin").text(), "new\n");
    let mut received = 1000;
    let mut piece = vec![0; 1 << 20];
    while received < LARGE {
        let n = read(&mut deleted.tls, &mut piece).unwrap();
        assert!(n > 0 && piece[..n].iter().all(|byte| *byte == 0 || received < 2000));
        received += n as u64;
    }
}

#[test]
fn a_file_that_changes_is_served_changed() {
    let server = Setup::new().start();
    let file = server.place.path("public/file.txt");
    let mut client = Client::connect(&server);
    for version in 0..200 {
        let text = format!("version {version}\n");
        fs::write(&file, &text).unwrap();
        assert_eq!(client.get("/file.txt").text(), text);
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(client.get("/file.txt").status, 404);
}

#[test]
fn a_folder_that_is_deleted_and_made_anew_is_served_again() {
    let server = Setup::new().start();
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/index.html").status, 200);
    fs::remove_dir_all(server.place.path("public")).unwrap();
    let gone = client.get("/index.html").status;
    assert!([404, 500, 503].contains(&gone), "{gone}");
    fs::create_dir(server.place.path("public")).unwrap();
    fs::write(server.place.path("public/index.html"), "anew\n").unwrap();
    wait_until("the new folder", || {
        client.get("/index.html").body == b"anew\n"
    });
}

#[test]
fn a_folder_behind_a_link_that_is_turned_is_the_new_one() {
    // How releases are switched: `current` is a link to one of several folders.
    let server = Setup::new()
        .folder(|folder| {
            fs::rename(folder.join("public"), folder.join("first")).unwrap();
            fs::create_dir(folder.join("second")).unwrap();
            fs::write(folder.join("second/index.html"), "second\n").unwrap();
            std::os::unix::fs::symlink("first", folder.join("public")).unwrap();
        })
        .start();
    let mut client = Client::connect(&server);
    assert_eq!(client.get("/index.html").text(), "hello\n");
    let next = server.place.path("next");
    std::os::unix::fs::symlink("second", &next).unwrap();
    fs::rename(&next, server.place.path("public")).unwrap();
    wait_until("the other folder", || {
        client.get("/index.html").body == b"second\n"
    });
}
