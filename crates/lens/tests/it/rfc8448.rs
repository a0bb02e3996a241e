//! The traces of RFC 8448, recomputed.

use ravelin_lens::digest::{Hash, Octets};
use ravelin_lens::ledger::{By, Ledger, QuantityId, Side, Standing};
use ravelin_lens::schedule::tls13::{Input, Schedule};

/// Section 3: a handshake of one round trip, from the shared secret down to the key of the ticket.
#[test]
fn the_secrets_of_the_simple_handshake_are_those_of_the_rfc() {
    let mut ledger = Ledger::default();
    let shared = "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d";
    let transcript = |ledger: &mut Ledger, through, hash: &str| {
        ledger.transcript(Hash::Sha256, through, Some(octets(hash)))
    };
    let hellos = transcript(
        &mut ledger,
        "server_hello",
        "860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8",
    );
    let finished = transcript(
        &mut ledger,
        "server finished",
        "9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13",
    );
    let whole = transcript(
        &mut ledger,
        "client finished",
        "209145a96ee8e2a122ff810047cc952684658d6049e86429426db87c54ad143d",
    );
    let mut schedule = Schedule::new(&mut ledger, Hash::Sha256, 16, 12, Input::Absent);
    schedule.handshake(&mut ledger, Input::Known(octets(shared)));
    let client = schedule.handshake_traffic(&mut ledger, Side::Client, hellos);
    let server = schedule.handshake_traffic(&mut ledger, Side::Server, hellos);
    schedule.main(&mut ledger);
    let client_data = schedule.application_traffic(&mut ledger, Side::Client, finished);
    let server_data = schedule.application_traffic(&mut ledger, Side::Server, finished);
    let exporter = schedule.exporter(&mut ledger, finished);
    let resumption = schedule.resumption(&mut ledger, whole);
    let psk = schedule.ticket_psk(&mut ledger, resumption, &[0, 0]);
    for (id, value) in [
        (
            client.secret,
            "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21",
        ),
        (
            server.secret,
            "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
        ),
        (server.key, "3fce516009c21727d0f2e4e86ee403bc"),
        (server.iv, "5d313eb2671276ee13000b30"),
        (
            client_data.secret,
            "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
        ),
        (
            server_data.secret,
            "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
        ),
        (
            exporter,
            "fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50",
        ),
        (
            resumption,
            "7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c",
        ),
        (
            psk,
            "4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3",
        ),
    ] {
        confirmed(&mut ledger, id, value);
    }
}

/// A key log knows traffic secrets and nothing above them: what is derived of them is known then.
#[test]
fn a_key_log_gives_what_is_derived_from_its_secrets() {
    let mut ledger = Ledger::default();
    let hellos = ledger.transcript(Hash::Sha256, "server_hello", Some(octets("00")));
    let secret = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38";
    let (name, side) = ("server_handshake_traffic_secret", Some(Side::Server));
    ledger.testify(name, side, octets(secret), By::KeyLog);
    let mut schedule = Schedule::new(&mut ledger, Hash::Sha256, 16, 12, Input::Absent);
    schedule.handshake(&mut ledger, Input::Unknown);
    let keys = schedule.handshake_traffic(&mut ledger, Side::Server, hellos);
    assert_eq!(ledger.get(keys.secret).standing, Standing::Stated);
    confirmed(&mut ledger, keys.key, "3fce516009c21727d0f2e4e86ee403bc");
}

/// Without the shared secret nothing below it is known, and that is what is said to be missing.
#[test]
fn what_is_missing_is_named_down_to_what_nothing_derives() {
    let mut ledger = Ledger::default();
    let hellos = ledger.transcript(Hash::Sha256, "server_hello", Some(octets("00")));
    let mut schedule = Schedule::new(&mut ledger, Hash::Sha256, 16, 12, Input::Absent);
    schedule.handshake(&mut ledger, Input::Unknown);
    let keys = schedule.handshake_traffic(&mut ledger, Side::Server, hellos);
    let Standing::NotDerivable(missing) = ledger.get(keys.key).standing.clone() else {
        panic!("{:?}", ledger.get(keys.key));
    };
    let names: Vec<_> = missing.iter().map(|id| ledger.get(*id).name).collect();
    assert_eq!(names, ["shared_secret"]);
}

#[test]
fn another_value_refutes_what_was_derived() {
    let mut ledger = Ledger::default();
    let given = ledger.given("PSK", None, Some(octets("0102")));
    ledger.witness(given, &[1, 3], By::KeyLog);
    assert_eq!(ledger.get(given).standing, Standing::Refuted(By::KeyLog));
    assert_eq!(ledger.value(given), Some(&[1, 2][..]));
    assert!(!format!("{ledger:?}").contains("[1, 2]"), "it is a secret");
}

fn confirmed(ledger: &mut Ledger, id: QuantityId, value: &str) {
    ledger.witness(id, &octets(value), By::KeyLog);
    let quantity = ledger.get(id);
    assert_eq!(
        quantity.standing,
        Standing::Confirmed(By::KeyLog),
        "{quantity:?}"
    );
}

pub(crate) fn octets(hex: &str) -> Octets {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    Octets::new(hex.as_bytes().chunks(2).map(pair).collect())
}
