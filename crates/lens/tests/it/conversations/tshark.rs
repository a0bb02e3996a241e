//! tshark as judge: connections of others, recorded, and every field that it and we both name.
//!
//! Each record and each message that tshark shows has to be one of the story, in the same order. Each of its
//! fields has to be a range of our tree, under a name that `names` has for it, with the same octets, the same
//! number and the same name of a code point.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::process::Command;

use ravelin_lens::connection::Limits;
use ravelin_lens::ledger::Side;
use ravelin_lens::story::{Step, Story, What};
use ravelin_lens::tickets::Memory;
use ravelin_wire::record::Record;
use ravelin_wire::registry::HandshakeType;

use super::Recording;
use comparison::{Subject, Tally};
use pdml::Element;

mod capture;
mod comparison;
mod names;
mod nginx;
mod openssl;
mod others;
mod pdml;
mod rustls;

/// The body of a key update, which tshark puts beside the message.
const KEY_UPDATE: &str = "tls.handshake.key_update.request_update";

/// Holds what tshark says of these connections against what we say. One in which hardly anything was
/// compared is no judgement: so many fields there have to be at least.
fn judge(family: &str, recordings: &[Recording], least_fields: usize) {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    std::fs::write(&keys, key_log(recordings)).unwrap();
    let opens = format!("tls.keylog_file:{}", keys.display());
    judge_told(family, recordings, &tell(recordings), &opens, least_fields);
}

/// The same, where the stories are told by other means, and tshark decrypts with this preference.
fn judge_told(
    family: &str,
    recordings: &[Recording],
    stories: &[Story],
    opens: &str,
    least_fields: usize,
) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("capture");
    std::fs::write(&file, capture::capture(recordings)).unwrap();
    let tshark = |arguments: &[&str]| {
        let output = Command::new("tshark")
            .arg("-r")
            .arg(&file)
            .args(["-o", opens])
            .args(arguments)
            .output()
            .expect("tshark is installed");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let document = tshark(&["-2", "-Y", "tls", "-T", "pdml", "-J", "tcp tls"]);
    let mut seen: HashMap<usize, Vec<(Side, Element)>> = HashMap::new();
    for packet in Element::read(&document).elements {
        let stream = packet.find("tcp.stream").and_then(|it| it.number("show"));
        let from = packet.find("tcp.srcport").map(|it| it.attribute("show"));
        let side = if from == Some("443") {
            Side::Server
        } else {
            Side::Client
        };
        let records = seen.entry(stream.unwrap()).or_default();
        for protocol in packet.elements.into_iter().filter(|it| it.name() == "tls") {
            let all = protocol.elements.into_iter();
            let is_record = |element: &Element| element.name() == "tls.record";
            records.extend(all.filter(is_record).map(|record| (side, record)));
        }
    }
    let mut tally = Tally::default();
    for (number, story) in stories.iter().enumerate() {
        let theirs = seen.remove(&number).unwrap_or_default();
        compare_records(number, story, &theirs, &mut tally);
        compare_messages(number, story, &theirs, &mut tally);
    }
    let follow: Vec<_> = (0..recordings.len())
        .flat_map(|number| ["-z".to_owned(), format!("follow,tls,raw,{number}")])
        .collect();
    let mut arguments = vec!["-q"];
    arguments.extend(follow.iter().map(String::as_str));
    compare_data(stories, &tshark(&arguments), &mut tally);
    assert!(tally.differences.is_empty(), "{family}: {tally:#?}");
    assert!(tally.fields >= least_fields, "{family}: {tally:?}");
}

/// The stories of connections, of which some may go on from others, as they do for tshark.
fn tell(recordings: &[Recording]) -> Vec<Story> {
    let mut memory = Memory::new(64);
    let mut tell = |recording: &Recording| {
        let story = recording.tell_to((&recording.known, &memory), limits());
        memory.remember(&story);
        story
    };
    recordings.iter().map(&mut tell).collect()
}

/// Nothing is cut.
fn limits() -> Limits {
    Limits {
        data_octets: 1 << 24,
        message_octets: 1 << 24,
        ..Limits::default()
    }
}

fn key_log(recordings: &[Recording]) -> String {
    let hex = |octets: &[u8]| {
        octets.iter().fold(String::new(), |mut text, octet| {
            let _ = write!(text, "{octet:02x}");
            text
        })
    };
    let mut log = String::new();
    for recording in recordings {
        for ((random, label), secret) in &recording.known.lines {
            let _ = writeln!(log, "{label} {} {}", hex(random), hex(secret));
        }
    }
    log
}

fn compare_records(number: usize, story: &Story, theirs: &[(Side, Element)], tally: &mut Tally) {
    let count = (theirs.len(), story.records.len());
    if count.0 != count.1 {
        tally.differs(format!(
            "connection {number}: (theirs, ours) records {count:?}"
        ));
    }
    for ((side, theirs), ours) in theirs.iter().zip(&story.records) {
        if *side != ours.side {
            tally.differs(format!("connection {number}: a record of another side"));
            continue;
        }
        let (tree, record) = Record::dissect(&ours.bytes);
        assert!(record.is_ok(), "{record:?}");
        let base = position(
            theirs,
            &["tls.record.opaque_type", "tls.record.content_type"],
        );
        let subject = Subject::new(&ours.bytes, &tree, base);
        let is_opaque = theirs.find("tls.record.opaque_type").is_some();
        for field in &theirs.elements {
            let opened = ours.opening.as_ref().map(|it| it.content_octets);
            match field.name() {
                KEY_UPDATE => continue,
                // In a renegotiation it is encrypted: tshark shows its octet where it is not.
                "tls.change_cipher_spec" if opened == Some(1) => continue,
                _ => {}
            }
            if is_opaque && field.name() == "tls.record.content_type" {
                // It is in what was decrypted, and its place is not said.
                let opened = ours.opening.as_ref().map(|it| it.content_type.0);
                if field.number("show") != opened {
                    tally.differs(format!(
                        "content type {}, ours {opened:?}",
                        field.attribute("show")
                    ));
                }
                tally.fields += 1;
                continue;
            }
            subject.compare(field, tally);
        }
        tally.records += 1;
    }
}

fn position(element: &Element, names: &[&str]) -> usize {
    let first = names.iter().find_map(|name| element.find(name));
    first.and_then(|it| it.number("pos")).unwrap_or_default()
}

/// The messages of tshark are in the records that complete them.
fn compare_messages(number: usize, story: &Story, theirs: &[(Side, Element)], tally: &mut Tally) {
    let is_message = |element: &&Element| {
        let name = element.name();
        let is_whole = element.find("tls.handshake.type").is_some();
        name == "tls.handshake" && is_whole
            || name == "tls.alert_message" && !element.elements.is_empty()
    };
    let theirs = theirs.iter().flat_map(|(side, record)| {
        let messages = record.elements.iter().filter(is_message);
        let outside = record.elements.iter().find(|it| it.name() == KEY_UPDATE);
        messages.map(move |message| (*side, message, outside))
    });
    let ours = story.steps.iter().filter(|step| is_compared(step));
    let (theirs, ours): (Vec<_>, Vec<_>) = (theirs.collect(), ours.collect());
    if theirs.len() != ours.len() {
        let names: Vec<_> = theirs
            .iter()
            .map(|(_, it, _)| it.attribute("showname"))
            .collect();
        let steps: Vec<_> = ours.iter().map(|step| step.what).collect();
        tally.differs(format!(
            "connection {number}: messages {names:?}, ours {steps:?}"
        ));
    }
    for ((side, theirs, outside), ours) in theirs.into_iter().zip(ours) {
        let kind = theirs
            .find("tls.handshake.type")
            .and_then(|it| it.number("show"));
        let what = kind.map_or(What::Alert, |kind| What::Handshake(HandshakeType(kind)));
        if (side, what) != (ours.side, ours.what) {
            tally.differs(format!(
                "connection {number}: {side:?} {what:?}, ours {:?} {:?}",
                ours.side, ours.what
            ));
            break;
        }
        let (tree, value) = ours.dissect();
        if let Err(error) = value {
            tally.differs(format!("connection {number}: {what:?}: {error}"));
        }
        let base = position(theirs, &["tls.handshake.type", "tls.alert_message.level"]);
        let subject = Subject::new(&ours.bytes, &tree, base);
        if theirs.number("size") != Some(ours.octets) {
            tally.differs(format!(
                "{what:?}: {} octets, ours {}",
                theirs.attribute("size"),
                ours.octets
            ));
        }
        for field in &theirs.elements {
            subject.compare(field, tally);
        }
        if let (Some(field), HandshakeType::KEY_UPDATE) =
            (outside, HandshakeType(kind.unwrap_or(0)))
        {
            // It counts from where tshark says that the message is, on the wire.
            let base = position(theirs, &["tls.handshake"]);
            Subject::new(&ours.bytes, &tree, base).compare(field, tally);
        }
        tally.messages += 1;
    }
}

fn is_compared(step: &Step) -> bool {
    matches!(step.what, What::Handshake(_) | What::Alert)
}

/// What tshark prints of the decrypted data of each connection: lines of digits, those of the second side
/// behind a tab.
fn compare_data(stories: &[Story], printed: &str, tally: &mut Tally) {
    let border = "===================================================================";
    let connections: Vec<_> = printed.split(border).collect();
    for (number, story) in stories.iter().enumerate() {
        let mut theirs: [Vec<u8>; 2] = Default::default();
        let filter = format!("Filter: tcp.stream eq {number}\n");
        let mut texts = connections.iter().filter(|it| it.contains(&filter));
        let text = texts.next().expect("tshark follows each connection");
        let first_is_server = text.contains("Node 0: 10.0.0.1:");
        for line in text.lines() {
            let is_second = line.starts_with('\t');
            let digits = line.trim();
            if !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_hexdigit()) {
                let side = usize::from(is_second != first_is_server);
                theirs[side].extend_from_slice(&crate::rfc8448::octets(digits));
            }
        }
        for side in [Side::Client, Side::Server] {
            let steps = story.steps.iter();
            let data = steps.filter(|it| it.side == side && it.what == What::ApplicationData);
            let ours: Vec<u8> = data.flat_map(|step| step.bytes.to_vec()).collect();
            let theirs = &theirs[side as usize];
            if ours != *theirs {
                tally.differs(format!(
                    "connection {number}: data of {side:?}: {} octets, ours {}",
                    theirs.len(),
                    ours.len()
                ));
            }
        }
    }
}
