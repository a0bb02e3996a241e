//! Initial packets: those of the RFCs, and those that Chromium sends.

use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::Duration;

use proptest::prelude::*;
use ravelin_lens::capture::quic::{Initials, Notice, Seen, Version};
use ravelin_lens::capture::{Closed, Notice as CaptureNotice, Transport};
use ravelin_lens::ledger::Side::{self, Client, Server};
use ravelin_wire::extension::Extension;
use ravelin_wire::handshake::{Agreed, Handshake, Joiner};

use super::packets::{CLIENT_PORT, Ear, ipv4, pcap};

/// RFC 9001, appendix A.2.
const CLIENT_INITIAL: &str = "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11
d242b123dc9bd8bab936b47d92ec356c0bab7df5976d27cd449f63300099f399
1c260ec4c60d17b31f8429157bb35a1282a643a8d2262cad67500cadb8e7378c
8eb7539ec4d4905fed1bee1fc8aafba17c750e2c7ace01e6005f80fcb7df6212
30c83711b39343fa028cea7f7fb5ff89eac2308249a02252155e2347b63d58c5
457afd84d05dfffdb20392844ae812154682e9cf012f9021a6f0be17ddd0c208
4dce25ff9b06cde535d0f920a2db1bf362c23e596d11a4f5a6cf3948838a3aec
4e15daf8500a6ef69ec4e3feb6b1d98e610ac8b7ec3faf6ad760b7bad1db4ba3
485e8a94dc250ae3fdb41ed15fb6a8e5eba0fc3dd60bc8e30c5c4287e53805db
059ae0648db2f64264ed5e39be2e20d82df566da8dd5998ccabdae053060ae6c
7b4378e846d29f37ed7b4ea9ec5d82e7961b7f25a9323851f681d582363aa5f8
9937f5a67258bf63ad6f1a0b1d96dbd4faddfcefc5266ba6611722395c906556
be52afe3f565636ad1b17d508b73d8743eeb524be22b3dcbc2c7468d54119c74
68449a13d8e3b95811a198f3491de3e7fe942b330407abf82a4ed7c1b311663a
c69890f4157015853d91e923037c227a33cdd5ec281ca3f79c44546b9d90ca00
f064c99e3dd97911d39fe9c5d0b23a229a234cb36186c4819e8b9c5927726632
291d6a418211cc2962e20fe47feb3edf330f2c603a9d48c0fcb5699dbfe58964
25c5bac4aee82e57a85aaf4e2513e4f05796b07ba2ee47d80506f8d2c25e50fd
14de71e6c418559302f939b0e1abd576f279c4b2e0feb85c1f28ff18f58891ff
ef132eef2fa09346aee33c28eb130ff28f5b766953334113211996d20011a198
e3fc433f9f2541010ae17c1bf202580f6047472fb36857fe843b19f5984009dd
c324044e847a4f4a0ab34f719595de37252d6235365e9b84392b061085349d73
203a4a13e96f5432ec0fd4a1ee65accdd5e3904df54c1da510b0ff20dcc0c77f
cb2c0e0eb605cb0504db87632cf3d8b4dae6e705769d1de354270123cb11450e
fc60ac47683d7b8d0f811365565fd98c4c8eb936bcab8d069fc33bd801b03ade
a2e1fbc5aa463d08ca19896d2bf59a071b851e6c239052172f296bfb5e724047
90a2181014f3b94a4e97d117b438130368cc39dbb2d198065ae3986547926cd2
162f40a29f0c3c8745c0f50fba3852e566d44575c29d39a03f0cda721984b6f4
40591f355e12d439ff150aab7613499dbd49adabc8676eef023b15b65bfc5ca0
6948109f23f350db82123535eb8a7433bdabcb909271a6ecbcb58b936a88cd4e
8f2e6ff5800175f113253d8fa9ca8885c2f552e657dc603f252e1a8e308f76f0
be79e2fb8f5d5fbbe2e30ecadd220723c8c0aea8078cdfcb3868263ff8f09400
54da48781893a7e49ad5aff4af300cd804a6b6279ab3ff3afb64491c85194aab
760d58a606654f9f4400e8b38591356fbf6425aca26dc85244259ff2b19c41b9
f96f3ca9ec1dde434da7d2d392b905ddf3d1f9af93d1af5950bd493f5aa731b4
056df31bd267b6b90a079831aaf579be0a39013137aac6d404f518cfd4684064
7e78bfe706ca4cf5e9c5453e9f7cfd2b8b4c8d169a44e55c88d4a9a7f9474241
e221af44860018ab0856972e194cd934";

/// The hello in it.
const CLIENT_HELLO: &str = "010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47
f06a2b69484c00000413011302010000c000000010000e00000b6578616d706c
652e636f6dff01000100000a00080006001d0017001800100007000504616c70
6e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559f
edba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d001000
0e0403050306030203080408050806002d00020101001c000240010039003204
08ffffffffffffffff05048000ffff07048000ffff0801100104800075300901
100f088394c8f03e51570806048000ffff";

/// Appendix A.3 there, and in RFC 9369. They answer the same client.
const SERVER_INITIALS: [&str; 2] = [
    "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a
5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3
dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84
022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc4
2158407dd074ee",
    "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698
baeea26b91eb761d9b89237bbf87263017915358230035f7fd3945d88965cf17
f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2
c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca8
4bed8521e2e140",
];

const SERVER_HELLO: &str = "020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5
430b9a045a1200130100002e00330024001d00209d3c940d89690b84d08a6099
3c144eca684d1081287c834d5311bcf32bb9da1a002b00020304";

/// Appendix A.4 of both.
const RETRIES: [&str; 2] = [
    "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba",
    "cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6",
];

fn octets(hex: &str) -> Vec<u8> {
    crate::rfc8448::octets(&hex.replace('\n', "")).to_vec()
}

#[derive(Debug, Default)]
struct Told {
    crypto: Vec<u8>,
    notices: Vec<Notice>,
}

fn receive(initials: &mut Initials, side: Side, datagram: &[u8]) -> Told {
    let mut told = Told::default();
    initials.receive(side, &mut datagram.to_vec(), |seen| match seen {
        Seen::Crypto(octets) => told.crypto.extend(octets),
        Seen::Notice(notice) => told.notices.push(notice),
    });
    told
}

#[test]
fn the_packets_of_the_rfcs_open_and_hold_their_hellos() {
    let client = octets(CLIENT_INITIAL);
    let mut initials = Initials::begin(&client).expect("an Initial packet");
    assert_eq!(initials.version(), Version::V1);
    let told = receive(&mut initials, Client, &client);
    assert_eq!(told.crypto, octets(CLIENT_HELLO));
    assert_eq!(told.notices, []);
    // A server may go on in the other version (RFC 9368).
    for server in SERVER_INITIALS {
        let mut initials = Initials::begin(&client).expect("an Initial packet");
        let told = receive(&mut initials, Server, &octets(server));
        assert_eq!(told.crypto, octets(SERVER_HELLO));
        assert_eq!(told.notices, []);
    }
}

#[test]
fn packets_that_were_changed_do_not_open_and_that_is_told() {
    let client = octets(CLIENT_INITIAL);
    let mut initials = Initials::begin(&client).expect("an Initial packet");
    for at in 0..client.len() {
        let mut changed = client.clone();
        changed[at] ^= 1;
        // Another destination has other keys.
        assert!(Initials::begin(&changed).is_none(), "{at}");
        let told = receive(&mut initials, Client, &changed);
        assert_eq!(told.crypto, b"", "{at}");
    }
    let mut server = octets(SERVER_INITIALS[0]);
    server[100] ^= 1;
    let told = receive(&mut initials, Server, &server);
    let destination = Vec::new();
    assert_eq!(told.notices, [Notice::Undecryptable { destination }]);
    let told = receive(&mut initials, Server, &server[..90]);
    assert_eq!(told.notices, [Notice::Truncated]);
}

#[test]
fn retries_are_told_and_forged_ones_too() {
    for retry in RETRIES {
        let mut initials = Initials::begin(&octets(CLIENT_INITIAL)).expect("an Initial packet");
        let mut forged = octets(retry);
        forged[16] ^= 1;
        for (packet, expected) in [(forged, false), (octets(retry), true)] {
            let told = receive(&mut initials, Server, &packet);
            let notice = Notice::Retry {
                token_octets: 5,
                authentic: expected,
            };
            assert_eq!(told.notices, [notice]);
        }
    }
}

#[test]
fn versions_that_a_server_offers_are_told() {
    let mut initials = Initials::begin(&octets(CLIENT_INITIAL)).expect("an Initial packet");
    let packet = octets("80000000000008f067a5502a4262b56b3343cf00000001");
    let told = receive(&mut initials, Server, &packet);
    let versions = vec![0x6b33_43cf, 1];
    assert_eq!(told.notices, [Notice::VersionNegotiation { versions }]);
}

fn udp(side: Side, datagram: &[u8]) -> Vec<u8> {
    let mut ports = [CLIENT_PORT, 443];
    if side == Server {
        ports.reverse();
    }
    let mut udp = ports.map(u16::to_be_bytes).concat();
    udp.extend((datagram.len() as u16 + 8).to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(datagram);
    ipv4(side, 17, &udp)
}

#[test]
fn hellos_come_out_of_a_capture() {
    // Another packet behind the server's, in the same datagram.
    let server = [
        &octets(SERVER_INITIALS[0])[..],
        b"\xe0\0\0\0\x01\0\0\x05hello",
    ]
    .concat();
    let noise = udp(Client, b"\x80\0\0\0\x01 this is no QUIC");
    let packets = [
        noise,
        udp(Client, &octets(CLIENT_INITIAL)),
        udp(Server, &server),
    ];
    let heard = Ear::only(&pcap(101, &packets));
    let opening = heard.opening.expect("it was opened");
    assert_eq!(opening.transport, Transport::Quic(Version::V1));
    assert_eq!(opening.packet, 2);
    assert_eq!(heard.octets, [CLIENT_HELLO, SERVER_HELLO].map(octets));
    assert_eq!(heard.notices, Vec::<CaptureNotice>::new());
    assert_eq!(heard.closed, Some(Closed::EndOfCapture));
}

#[test]
fn the_hello_of_chromium_is_put_together_from_its_packets() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket
        .set_read_timeout(Some(Duration::from_secs(15)))
        .expect("a time");
    let address = socket.local_addr().expect("an address").to_string();
    let home = tempfile::tempdir().expect("a folder");
    let mut chromium = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-quic",
        ])
        .arg(format!("--user-data-dir={}", home.path().display()))
        .arg(format!("--origin-to-force-quic-on={address}"))
        .args(["--dump-dom", &format!("https://{address}/")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromium runs");
    let mut initials = None;
    let mut joiner = Joiner::new(1 << 16);
    let mut datagram = [0; 2000];
    let mut name = None;
    while name.is_none() {
        let Ok((octets, _)) = socket.recv_from(&mut datagram) else {
            break;
        };
        let datagram = &datagram[..octets];
        let Some(initials) = initials.get_or_insert_with(|| Initials::begin(datagram)) else {
            break;
        };
        joiner.push(&receive(initials, Client, datagram).crypto);
        if let Some(message) = joiner.next_message().expect("of a length") {
            let message = Handshake::decode(message.bytes, Agreed::default());
            let Ok(Handshake::ClientHello(hello)) = message else {
                panic!("{message:?}");
            };
            let extensions = hello.extensions.expect("extensions");
            let is_quic = |extension: &Extension<'_>| {
                matches!(extension, Extension::QuicTransportParameters(..))
            };
            name = Some(extensions.0.iter().any(is_quic));
        }
    }
    chromium.kill().expect("it ran");
    chromium.wait().expect("it ended");
    assert_eq!(
        name,
        Some(true),
        "a hello with transport parameters of QUIC"
    );
}

proptest! {
    #[test]
    fn whatever_a_datagram_holds_nothing_panics(
        beginning in 0_usize..24,
        datagram in prop::collection::vec(any::<u8>(), 0..100),
        is_client in any::<bool>(),
    ) {
        let client = octets(CLIENT_INITIAL);
        let mut initials = Initials::begin(&client).expect("an Initial packet");
        let side = if is_client { Client } else { Server };
        receive(&mut initials, side, &[&client[..beginning], &datagram].concat());
        let _ = Initials::begin(&datagram);
    }
}
