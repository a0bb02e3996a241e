use std::io::{ErrorKind, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use proptest::prelude::*;
use ravelin_pki::{Authority, NameConstraints, PrivateKey};
use ravelin_tls::client::{ClientOptions, Trust, config};
use rustls::{AlertDescription, ProtocolVersion, ServerConfig, ServerConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf, duplex};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream as ServerStream;

use super::*;

/// A client and a server that have shaken hands, with so much room on the way between them.
async fn pair(
    version: ProtocolVersion,
    room: usize,
) -> (TlsStream<DuplexStream>, ServerStream<DuplexStream>) {
    let (config, server) = configs(version);
    let (client, far) = duplex(room);
    let (client, server) = tokio::join!(
        shake_hands(config, client),
        TlsAcceptor::from(server).accept(far)
    );
    (client.unwrap(), server.unwrap())
}

async fn shake_hands(
    config: Arc<ClientConfig>,
    stream: DuplexStream,
) -> io::Result<TlsStream<DuplexStream>> {
    let name = "localhost".try_into().unwrap();
    let movement = Arc::new(Movement::new());
    TlsStream::connect(config, name, stream, movement, |call| call()).await
}

fn configs(version: ProtocolVersion) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let now = SystemTime::now();
    let key = PrivateKey::generate().unwrap();
    let root = Authority::root("root", key, &NameConstraints::local(), now).unwrap();
    let leaf = root.leaf(&["localhost".parse().unwrap()], now).unwrap();
    let versions: &[_] = match version {
        ProtocolVersion::TLSv1_2 => &[&rustls::version::TLS12],
        _ => &[&rustls::version::TLS13],
    };
    let server = ServerConfig::builder_with_provider(ravelin_tls::policy::provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(leaf.chain.clone(), leaf.key.clone_key())
        .unwrap();
    let trust = Trust::roots([root.certificate().der().clone()]);
    let client = config(&trust, ClientOptions::default()).unwrap();
    (client, Arc::new(server))
}

/// Octets of which none is like another near it.
fn octets(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 / 7) as u8).collect()
}

fn version() -> impl Strategy<Value = ProtocolVersion> {
    prop_oneof![
        Just(ProtocolVersion::TLSv1_2),
        Just(ProtocolVersion::TLSv1_3)
    ]
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// In whatever pieces it is written, however little there is room for on the way and in what it is read to.
    #[test]
    fn what_is_written_is_what_is_read_both_ways(
        version in version(),
        (room, pieces) in prop_oneof![
            (1_usize..300, prop::collection::vec(0_usize..2000, 1..6)),
            (10_000_usize..400_000, prop::collection::vec(prop_oneof![0_usize..20, 0_usize..70_000], 1..6)),
        ],
        read in prop_oneof![10_usize..100, 1_000_usize..100_000],
    ) {
        let all = octets(pieces.iter().sum());
        let came = block_on(async {
            let (config, server) = configs(version);
            let (near, far) = duplex(room);
            let echo = async {
                let server = TlsAcceptor::from(server).accept(far).await.unwrap();
                let (mut reader, mut writer) = tokio::io::split(server);
                tokio::io::copy(&mut reader, &mut writer).await.unwrap();
                writer.shutdown().await.unwrap();
            };
            let client = async {
                let client = shake_hands(config, near).await.unwrap();
                let (reader, writer) = tokio::io::split(client);
                tokio::join!(write(writer, &all, &pieces), read_all(reader, read)).1
            };
            tokio::join!(echo, client).1
        });
        prop_assert!(came == all);
    }
}

/// Writes octets in slices of these lengths, and says that there are no more.
async fn write(mut to: WriteHalf<TlsStream<DuplexStream>>, all: &[u8], lengths: &[usize]) {
    let mut left = all;
    let slices = lengths.iter().map(|length| {
        let (slice, behind) = left.split_at(*length);
        left = behind;
        IoSlice::new(slice)
    });
    let mut slices: Vec<_> = slices.collect();
    let mut slices = &mut slices[..];
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        let written = to.write_vectored(slices).await.unwrap();
        IoSlice::advance_slices(&mut slices, written);
    }
    to.shutdown().await.unwrap();
}

/// Reads all there is, so much at a time.
async fn read_all(mut from: ReadHalf<TlsStream<DuplexStream>>, most: usize) -> Vec<u8> {
    let mut came = Vec::new();
    let mut piece = vec![0; most];
    loop {
        match from.read(&mut piece).await.unwrap() {
            0 => return came,
            octets => came.extend_from_slice(&piece[..octets]),
        }
    }
}

/// What comes while nobody reads is deciphered on the way to where something can be written, and kept in its order.
#[tokio::test]
async fn what_came_before_something_is_written_is_read_behind_it() {
    let (mut client, mut server) = pair(ProtocolVersion::TLSv1_3, 1 << 20).await;
    let all = octets(100_000);
    server.write_all(&all).await.unwrap();
    server.flush().await.unwrap();
    let mut came = vec![0; all.len()];
    client.read_exact(&mut came[..10]).await.unwrap();
    client.write_all(b"in between").await.unwrap();
    client.read_exact(&mut came[10..]).await.unwrap();
    assert!(came == all);
    let mut between = [0; 10];
    server.read_exact(&mut between).await.unwrap();
    assert_eq!(&between, b"in between");
}

/// RFC 8446, section 4.6.3, asked for by either side, again and again.
#[tokio::test]
async fn keys_are_updated() {
    let (mut client, mut server) = pair(ProtocolVersion::TLSv1_3, 1 << 20).await;
    for round in 0..10_u8 {
        server.get_mut().1.refresh_traffic_keys().unwrap();
        server.write_all(&[round; 3000]).await.unwrap();
        server.flush().await.unwrap();
        let mut came = [0; 3000];
        client.read_exact(&mut came).await.unwrap();
        assert_eq!(came, [round; 3000]);
        client.write_all(&came).await.unwrap();
        let mut back = [0; 3000];
        server.read_exact(&mut back).await.unwrap();
        assert_eq!(back, came);
    }
}

#[tokio::test]
async fn who_said_close_notify_can_still_be_written_to() {
    for version in [ProtocolVersion::TLSv1_2, ProtocolVersion::TLSv1_3] {
        let (mut client, mut server) = pair(version, 1 << 20).await;
        server.write_all(b"last words").await.unwrap();
        server.get_mut().1.send_close_notify();
        server.flush().await.unwrap();
        let mut came = Vec::new();
        assert_eq!(client.read_to_end(&mut came).await.unwrap(), 10);
        assert_eq!(client.read(&mut [0; 10]).await.unwrap(), 0);
        client.write_all(b"an answer").await.unwrap();
        client.shutdown().await.unwrap();
        let error = client.write(b"more").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        let mut heard = Vec::new();
        // An end that nobody said would be an error.
        server.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"an answer");
    }
}

#[tokio::test]
async fn an_end_without_close_notify_is_an_error_behind_what_came() {
    let (mut client, mut server) = pair(ProtocolVersion::TLSv1_3, 1 << 20).await;
    server.write_all(b"half").await.unwrap();
    server.flush().await.unwrap();
    drop(server);
    let mut came = [0; 4];
    client.read_exact(&mut came).await.unwrap();
    assert_eq!(&came, b"half");
    let error = client.read(&mut came).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

/// What was right is read, what is wrong is told behind it, remembered, and told to the server.
#[tokio::test]
async fn what_was_changed_on_the_way_is_an_error_behind_what_came() {
    let (mut client, mut server) = pair(ProtocolVersion::TLSv1_3, 1 << 20).await;
    server.write_all(b"all is well").await.unwrap();
    server.flush().await.unwrap();
    // A record of application data that nobody has encrypted.
    let changed = [&[23, 3, 3, 0, 40][..], &[7; 40]].concat();
    server.get_mut().0.write_all(&changed).await.unwrap();
    let mut came = [0; 11];
    client.read_exact(&mut came[..1]).await.unwrap();
    // It is met on the way to where something can be written.
    let error = client.write(b"?").await.unwrap_err();
    assert_eq!(rustls_of(&error), Some(&Error::DecryptError));
    client.read_exact(&mut came[1..]).await.unwrap();
    assert_eq!(&came, b"all is well");
    let error = client.read(&mut came).await.unwrap_err();
    assert_eq!(rustls_of(&error), Some(&Error::DecryptError));
    assert_eq!(client.movement.tls_error(), Some(Error::DecryptError));
    client.shutdown().await.unwrap();
    let error = server.read(&mut [0; 10]).await.unwrap_err();
    let told = Error::AlertReceived(AlertDescription::BadRecordMac);
    assert_eq!(rustls_of(&error), Some(&told));
}

/// Whoever does not read what is written leaves no more behind than there is room for.
#[tokio::test]
async fn what_cannot_be_sent_is_bounded() {
    let (client, _server) = pair(ProtocolVersion::TLSv1_3, 1000).await;
    let mut client = Box::pin(client);
    let mut cx = Context::from_waker(Waker::noop());
    let all = octets(1 << 20);
    let mut taken = 0;
    while let Poll::Ready(written) = client.as_mut().poll_write(&mut cx, &all[taken..]) {
        taken += written.unwrap();
    }
    assert!((MOST_OUTGOING / 2..2 * MOST_OUTGOING).contains(&taken));
    assert!(client.as_mut().poll_flush(&mut cx).is_pending());
    assert!(client.records.outgoing.len() < 2 * MOST_OUTGOING);
}

/// A message of the handshake that does not end does not fill the memory.
#[tokio::test]
async fn a_handshake_without_end_is_an_error() {
    let (config, _) = configs(ProtocolVersion::TLSv1_3);
    let (client, mut far) = duplex(1 << 16);
    let flood = async {
        // A ServerHello of 16 MiB less one octet, in records of 1 KiB.
        let mut record = [&[22, 3, 3, 4, 0][..], &[0; 1024]].concat();
        record[5..9].copy_from_slice(&[2, 0xff, 0xff, 0xff]);
        for _ in 0..1000 {
            if far.write_all(&record).await.is_err() {
                return;
            }
            record[5..].fill(0);
        }
        panic!("a MiB of a message was taken");
    };
    let (shaken, ()) = tokio::join!(shake_hands(config, client), flood);
    let error = shaken.err().unwrap();
    assert!(matches!(rustls_of(&error), Some(Error::InvalidMessage(_))));
}

#[tokio::test]
async fn whoever_leaves_in_the_handshake_is_told_of() {
    let (config, server) = configs(ProtocolVersion::TLSv1_3);
    for length in [0, 50, 1000] {
        let (client, mut far) = duplex(1 << 16);
        let cut = async {
            let mut hello = vec![0; 1 << 14];
            let read = far.read(&mut hello).await.unwrap();
            let mut server = ServerConnection::new(server.clone()).unwrap();
            server.read_tls(&mut &hello[..read]).unwrap();
            server.process_new_packets().unwrap();
            let mut answer = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut answer).unwrap();
            }
            far.write_all(&answer[..length]).await.unwrap();
            drop(far);
        };
        let (shaken, ()) = tokio::join!(shake_hands(config.clone(), client), cut);
        let error = shaken.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error}");
    }
}

fn rustls_of(error: &io::Error) -> Option<&Error> {
    crate::error::rustls_error(error)
}
