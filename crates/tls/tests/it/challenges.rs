//! ACME servers that look whether a name leads here (RFC 8737).

use std::time::{Duration, SystemTime};

use ravelin_pki::authority::self_signed_certificate;
use ravelin_pki::{GeneralName, HostName, PrivateKey, Template};
use ravelin_tls::client::{ClientOptions, config};
use ravelin_tls::{Challenges, ClientAuth, ServerOptions, ServerTls, Trust};

use crate::{World, shake_hands};

/// What is agreed on by ALPN with a client that offers these, and believes everybody.
fn agreed(server: &ServerTls, name: &'static str, offered: &[&[u8]]) -> Option<Vec<u8>> {
    let options = ClientOptions {
        alpn: offered.iter().map(|name| name.to_vec()).collect(),
        ..ClientOptions::default()
    };
    let client = config(&Trust::everyone(), options).unwrap();
    let agreed = shake_hands(&client, server, name).ok()?;
    Some(agreed.alpn)
}

#[test]
fn an_acme_server_is_shown_what_it_looks_for_and_nobody_else_is() {
    let world = World::new();
    let challenges = Challenges::new().unwrap();
    let with = |client_auth| {
        let options = ServerOptions {
            alpn: vec![b"h2".to_vec()],
            client_auth,
            challenges: Some(challenges.clone()),
            ..ServerOptions::default()
        };
        ServerTls::with(world.certificates.clone(), &world.tickets, &options).unwrap()
    };
    let key = PrivateKey::generate().unwrap();
    let name: HostName = "a.test".parse().unwrap();
    // What is in it is for the ACME server: clients refuse the extension that they do not know.
    let template = Template::leaf(vec![GeneralName::from(&name)]);
    let day = Duration::from_secs(24 * 60 * 60);
    let made = self_signed_certificate(&template, &key, day, SystemTime::now()).unwrap();
    // It has no certificate of its own to show, whatever other clients are asked for.
    let strict = with(ClientAuth::Required(vec![made.clone()]));
    let looks = |name| agreed(&strict, name, &[b"acme-tls/1"]);
    assert_eq!(looks("a.test"), None, "there is nothing to be proved");
    challenges.answer(&name, made, key.der().unwrap()).unwrap();
    assert_eq!(looks("a.test").unwrap(), b"acme-tls/1");
    assert_eq!(looks("x.b.test"), None);
    // Whoever offers more is a client like others.
    let open = with(ClientAuth::Nobody);
    assert_eq!(
        agreed(&open, "a.test", &[b"acme-tls/1", b"h2"]).unwrap(),
        b"h2"
    );
    assert_eq!(agreed(&strict, "a.test", &[b"acme-tls/1", b"h2"]), None);
    challenges.withdraw(&name);
    assert_eq!(looks("a.test"), None);
}
