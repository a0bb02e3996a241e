//! Peers that speak no TLS, or stop: what was seen is told, and why it came to nothing.

use std::io::Write as _;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use super::{Peer, certify, inspect, read_some, scripted};
use crate::server::{Place, free_port};

#[test]
fn plain_http_is_told_as_such() {
    let place = Place::new();
    let (address, server) = scripted(|mut stream| {
        read_some(&stream);
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            .unwrap();
    });
    let (code, told, said) = inspect(&place, &[&address.to_string()]);
    server.join().unwrap();
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("is no TLS: it is plain HTTP"), "{said}");
    assert!(said.contains("hint: HTTPS is at another port"), "{said}");
    assert!(told.contains("ClientHello"), "{told}");
}

/// As servers answer that take a hello for a request of HTTP/0.9.
#[test]
fn a_page_without_a_status_line_is_plain_http_too() {
    let place = Place::new();
    let (address, server) = scripted(|mut stream| {
        read_some(&stream);
        stream.write_all(b"<!DOCTYPE HTML>\n<html>").unwrap();
    });
    let (code, _, said) = inspect(&place, &[&address.to_string()]);
    server.join().unwrap();
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("is no TLS: it is plain HTTP"), "{said}");
}

#[test]
fn a_greeting_leads_to_starttls() {
    let place = Place::new();
    let (address, server) = scripted(|mut stream| {
        stream.write_all(b"220 mail.test ESMTP\r\n").unwrap();
        read_some(&stream);
    });
    let (code, _, said) = inspect(&place, &[&address.to_string()]);
    server.join().unwrap();
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("--starttls smtp"), "{said}");
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let place = Place::new();
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let (address, server) = scripted(move |stream| {
        read_some(&stream);
        // Until the test is done.
        let _ = receiver.recv();
    });
    let (code, told, said) = inspect(&place, &[&address.to_string(), "--timeout", "1s"]);
    drop(sender);
    server.join().unwrap();
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("did not answer within 1 second"), "{said}");
    assert!(told.contains("ClientHello"), "{told}");
}

#[test]
fn a_reset_and_an_end_are_told_apart() {
    let place = Place::new();
    let (address, server) = scripted(|stream| {
        read_some(&stream);
        // Closed so, it is reset.
        set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    });
    let (code, told, said) = inspect(&place, &[&address.to_string()]);
    server.join().unwrap();
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("the server reset the connection"), "{said}");
    assert!(told.contains("ClientHello"), "{told}");

    let (address, server) = scripted(|stream| {
        read_some(&stream);
    });
    let (code, _, said) = inspect(&place, &[&address.to_string()]);
    server.join().unwrap();
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("the server ended the connection"), "{said}");
}

#[test]
fn an_alert_is_named_and_what_led_to_it_is_told() {
    let place = Place::new();
    // One that speaks nothing that is offered.
    let peer = Peer::s_server(&place, &["-www", "-tls1_2"]);
    let (code, told, said) = inspect(&place, &[&peer.name(), "--tls", "1.3"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("by the alert protocol_version"), "{said}");
    assert!(
        told.contains("ClientHello") && told.contains("Alert"),
        "{told}"
    );

    let peer = Peer::s_server(&place, &["-www", "-alpn", "h2"]);
    let (code, _, said) = inspect(&place, &[&peer.name(), "--alpn", "gopher"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("no_application_protocol"), "{said}");
    assert!(said.contains("--alpn"), "{said}");
}

#[test]
fn nobody_there_is_a_failure_of_the_network_and_a_bad_command_one_of_the_command() {
    let place = Place::new();
    let nobody = format!("127.0.0.1:{}", free_port());
    let (code, told, said) = inspect(&place, &[&nobody]);
    assert_eq!((code, told.as_str()), (3, ""), "{said}");
    assert!(said.contains("cannot connect"), "{said}");
    assert!(said.contains("hint: nothing listens there"), "{said}");
    for wrong in [
        &["a b"][..],
        &["localhost", "--group", "ffdhe2048"],
        &["localhost", "--starttls", "gopher"],
        &["localhost", "--listen", "8443"],
        &["localhost", "--cert", "c.pem"],
        &[],
    ] {
        assert_eq!(inspect(&place, wrong).0, 2, "{wrong:?}");
    }
    // A key of somebody else.
    certify(&place);
    let arguments = ["localhost:1", "--cert", "c.pem", "--key", "root.key"];
    assert_eq!(inspect(&place, &arguments).0, 2);
}

/// What failed, on what, why, and what may help: each line of it, and in the language that was asked for.
#[test]
fn errors_and_hints_are_in_the_language_of_the_explorer() {
    let place = Place::new();
    let nobody = format!("127.0.0.1:{}", free_port());
    place.write("text", "no capture\n");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let cases: [(&[&str], i32, [&str; 2]); 6] = [
        (
            &[&nobody],
            3,
            ["错误：无法连接“127.0.0.1:", "提示：那里没有程序在监听"],
        ),
        (
            &["a b"],
            2,
            ["错误：服务器不可能叫“a b”", "提示：服务器写作 HOST"],
        ),
        (
            &["--pcap", "text"],
            2,
            ["错误：“text”：这不是抓包", "提示：tcpdump -w FILE"],
        ),
        (
            &["--listen", &port],
            4,
            ["错误：无法监听 127.0.0.1:", "提示：已有程序在那里监听"],
        ),
        (
            &["--pcap", "-", "--step"],
            2,
            ["错误：--step 的按键来自标准输入", "提示：请把抓包写入文件"],
        ),
        (
            &["localhost:1", "--ct-logs", "text"],
            2,
            ["错误：“text”中没有可用的日志", "提示：这样的列表在"],
        ),
    ];
    for (arguments, code, lines) in cases {
        let (ended, _, said) = inspect(&place, &[arguments, &["--lang", "zh"]].concat());
        assert_eq!(ended, code, "{said}");
        assert_eq!(said.lines().count(), 2, "{said}");
        for (line, begins) in said.lines().zip(lines) {
            assert!(line.starts_with(begins), "{line}");
        }
    }
}

#[test]
fn why_the_answer_is_no_is_said_with_what_may_help() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-www"]);
    let name = peer.name();
    let untrusted = inspect(&place, &[&name, "--ca", "system"]);
    let other = ["--ca", "root.pem", "--sni", "other.test"];
    let other = inspect(&place, &[&[&*name][..], &other].concat());
    for ((code, _, said), why, hint) in [
        (
            untrusted,
            "the certificate of its issuer",
            "hint: --ca FILE",
        ),
        (
            other,
            "“other.test” is not one of its names",
            "hint: --sni NAME",
        ),
    ] {
        assert_eq!(code, 1, "{said}");
        assert!(
            said.contains(&format!("this does not hold of \"{name}\"")),
            "{said}"
        );
        assert!(said.contains(why) && said.contains(hint), "{said}");
    }
}

#[test]
fn a_version_that_is_not_offered_is_told_why() {
    let (code, _, said) = inspect(&Place::new(), &["localhost", "--tls", "1.1"]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("1.2 and 1.3 are offered here: what is older is broken"),
        "{said}"
    );
}
