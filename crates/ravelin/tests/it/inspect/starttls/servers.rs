//! Servers that people use: Dovecot, slapd, Prosody, aiosmtpd, pyftpdlib and mysql-mimic.

use rustix::process::getuid;

use super::super::{Peer, certify, expect, inspect};
use crate::foreign::{python, run};
use crate::server::Place;

/// What holds of a handshake behind this protocol, which leads to the root of [`certify`].
fn is_told(place: &Place, peer: &Peer, protocol: &str) {
    let ran = inspect(
        place,
        &[&peer.name(), "--starttls", protocol, "--ca", "root.pem"],
    );
    let sound = [
        "✓ The Finished message of the server",
        "✓ The Finished message of the client",
        "✓ The certificates of the server lead to an authority",
    ];
    expect(&ran, 0, &sound);
    assert!(!ran.1.contains('✗'), "{}", ran.1);
}

/// A server of the programs in `starttls.py`.
fn of_python(protocol: &str) {
    let place = Place::new();
    certify(&place);
    let (python, script) = python("starttls.py");
    let [python, script] = [python, script].map(|path| path.display().to_string());
    let peer = Peer::start(&place, &python, |port| {
        [&script, protocol, port].map(str::to_owned).to_vec()
    });
    is_told(&place, &peer, protocol);
}

#[test]
fn smtp_of_aiosmtpd() {
    of_python("smtp");
}

#[test]
fn ftp_of_pyftpdlib() {
    of_python("ftp");
}

#[test]
fn mysql_of_mysql_mimic() {
    of_python("mysql");
}

/// Starts a server that has a config file, by a line of a shell: those that are for root are not on every path.
/// Prosody takes no file of another name.
fn with_config(place: &Place, command: &str, config: impl FnOnce(&str) -> String) -> Peer {
    certify(place);
    Peer::start(place, "sh", |port| {
        place.write("config.lua", config(port));
        let here = place.path("").display().to_string();
        let line = format!("PATH=$PATH:/usr/sbin; cd {here}; exec {command}").replace("PORT", port);
        ["-c".to_owned(), line].to_vec()
    })
}

#[test]
fn ldap_of_openldap() {
    let place = Place::new();
    let command = "slapd -h ldap://127.0.0.1:PORT -f config.lua -d 0";
    let peer = with_config(&place, command, |_| {
        "include /etc/ldap/schema/core.schema\n\
         TLSCertificateFile c.pem\nTLSCertificateKeyFile k.pem\n"
            .to_owned()
    });
    is_told(&place, &peer, "ldap");
}

#[test]
fn xmpp_of_prosody() {
    let place = Place::new();
    let here = place.path("").display().to_string();
    let command = "prosody -F --config $PWD/config.lua";
    let peer = with_config(&place, command, |port| {
        format!(
            "run_as_root = true\npidfile = '{here}prosody.pid'\ndata_path = '{here}'\n\
             certificates = '{here}'\nmodules_enabled = {{ 'tls' }}\n\
             modules_disabled = {{ 's2s' }}\nc2s_ports = {{ {port} }}\n\
             c2s_interfaces = {{ '127.0.0.1' }}\nVirtualHost 'localhost'\n\
             ssl = {{ certificate = '{here}c.pem', key = '{here}k.pem' }}\n"
        )
    });
    is_told(&place, &peer, "xmpp");
}

/// Dovecot with one of its protocols, whose login process and its port have other names.
fn of_dovecot(protocol: &str, service: &str) {
    let place = Place::new();
    let here = place.path("").display().to_string();
    let without_root = if getuid().is_root() {
        String::new()
    } else {
        let [user, group] = ["-un", "-gn"].map(|what| run(&place, "id", &[what]).text());
        format!(
            "default_internal_user = {user}\ndefault_login_user = {user}\n\
             default_internal_group = {group}\nservice anvil {{\n chroot =\n}}\n\
             service {service}-login {{\n chroot =\n}}\n"
        )
    };
    let peer = with_config(&place, "dovecot -F -c $PWD/config.lua", |port| {
        format!(
            "base_dir = {here}run\nstate_dir = {here}state\nlog_path = /dev/stderr\n\
             protocols = {protocol}\nssl = yes\nssl_cert = <{here}c.pem\nssl_key = <{here}k.pem\n\
             service {service}-login {{\n inet_listener {protocol} {{\n  address = 127.0.0.1\n\
             port = {port}\n }}\n inet_listener {protocol}s {{\n  port = 0\n }}\n}}\n\
             passdb {{\n driver = static\n}}\n{without_root}"
        )
    });
    is_told(&place, &peer, protocol);
}

#[test]
fn imap_of_dovecot() {
    of_dovecot("imap", "imap");
}

#[test]
fn pop3_of_dovecot() {
    of_dovecot("pop3", "pop3");
}

#[test]
fn sieve_of_dovecot() {
    of_dovecot("sieve", "managesieve");
}
