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
