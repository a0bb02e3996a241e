//! Tests of the access log as a whole: what is sent is in the file, or counted.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Condvar, Mutex};
use std::time::{Instant, SystemTime};

use http::{HeaderValue, Method, StatusCode, Version};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

#[test]
fn a_json_line_tells_all_that_is_known() {
    assert_eq!(
        logged(LogFormat::Json, [entry()]),
        "{\"time\":\"2026-08-05T12:34:56.007Z\",\"host\":\"app.localhost\",\
         \"client\":\"192.0.2.7\",\"method\":\"GET\",\"path\":\"/a?b=c\",\"protocol\":\"HTTP/2\",\
         \"tls\":\"TLSv1.3\",\"suite\":\"TLS13_AES_128_GCM_SHA256\",\"group\":\"X25519MLKEM768\",\
         \"resumed\":false,\"status\":200,\"bytes\":1024,\"duration_us\":1500,\
         \"user_agent\":\"curl/8.5.0\",\"referer\":\"https://app.localhost/\"}\n"
    );
    let bare = Entry {
        tls: None,
        user_agent: None,
        referer: None,
        host: Text::None,
        ..entry()
    };
    assert_eq!(
        logged(LogFormat::Json, [bare]),
        "{\"time\":\"2026-08-05T12:34:56.007Z\",\"client\":\"192.0.2.7\",\"method\":\"GET\",\
         \"path\":\"/a?b=c\",\"protocol\":\"HTTP/2\",\"status\":200,\"bytes\":1024,\
         \"duration_us\":1500}\n"
    );
}

#[test]
fn a_combined_line_begins_as_apaches() {
    assert_eq!(
        logged(LogFormat::Combined, [entry()]),
        "192.0.2.7 - - [05/Aug/2026:12:34:56 +0000] \"GET /a?b=c HTTP/2\" 200 1024 \
         \"https://app.localhost/\" \"curl/8.5.0\" \"app.localhost\" TLSv1.3 \
         TLS13_AES_128_GCM_SHA256 X25519MLKEM768 full 1500\n"
    );
    let bare = Entry {
        tls: None,
        user_agent: None,
        referer: None,
        host: Text::None,
        client: "2001:db8::1".parse().unwrap(),
        version: Version::HTTP_11,
        ..entry()
    };
    assert_eq!(
        logged(LogFormat::Combined, [bare]),
        "2001:db8::1 - - [05/Aug/2026:12:34:56 +0000] \"GET /a?b=c HTTP/1.1\" 200 1024 \"-\" \
         \"-\" \"-\" - - - - 1500\n"
    );
}

#[test]
fn what_clients_send_cannot_forge_a_line_or_steer_a_terminal() {
    let nasty = b"a\"b\\c\x1b]0;x\x07\x7f\t\xff\xc3\xa9\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81\n{}";
    let nasty = Text::Shared(Arc::from(String::from_utf8_lossy(nasty)));
    let json = logged(
        LogFormat::Json,
        [Entry {
            path: nasty.clone(),
            ..entry()
        }],
    );
    assert!(
        json.contains(
            r#""path":"a\"b\\c\u001b]0;x\u0007\u007f\u0009�é\u009b\u202e\udb40\udc01\u000a{}""#
        ),
        "{json}"
    );
    let combined = logged(
        LogFormat::Combined,
        [Entry {
            path: nasty,
            ..entry()
        }],
    );
    assert!(
        combined.contains(
            r#"GET a\"b\\c\x1b]0;x\x07\x7f\x09\xef\xbf\xbd\xc3\xa9\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81\x0a{} HTTP"#
        ),
        "{combined}"
    );
    let raw = HeaderValue::from_bytes(b"caf\xe9 \xc3\xa9").unwrap();
    let json = logged(
        LogFormat::Json,
        [Entry {
            user_agent: Some(raw),
            ..entry()
        }],
    );
    assert!(json.contains(r#""user_agent":"caf\ufffd é""#), "{json}");
}

#[test]
fn a_long_field_is_cut() {
    let long = Text::Shared("x".repeat(100_000).into());
    let json = logged(
        LogFormat::Json,
        [Entry {
            path: long,
            ..entry()
        }],
    );
    let line: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(line["path"].as_str().unwrap().len(), queue::FIELD_BYTES);
    assert_eq!(line["referer"], "https://app.localhost/");
}

#[test]
fn all_that_was_sent_is_written_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let log = start(&path, None);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let sender = log.sender();
            scope.spawn(move || (0..1000).for_each(|_| sender.send(entry())));
        }
    });
    assert_eq!(log.dropped(), 0);
    log.shutdown();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 4000);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o037, 0);
}

#[test]
fn lines_are_written_while_the_server_runs() {
    let (log, sink) = gated(LogFormat::Json);
    let sender = log.sender();
    for count in 1..20 {
        sender.send(entry());
        sink.wait_for(|state| state.lines() == count);
    }
}

#[test]
fn a_log_that_exists_is_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    fs::write(&path, "before\n").unwrap();
    let log = start(&path, None);
    log.sender().send(entry());
    log.shutdown();
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("before\n{") && text.lines().count() == 2,
        "{text}"
    );
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/access.log");
    let error = AccessLog::start(options(&path, None), |_| {}).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot open the access log \"{}\"", path.display())
    );
    assert!(AccessLog::start(options(folder.path(), None), |_| {}).is_err());
}

#[test]
fn a_long_log_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let rotation = Rotation {
        bytes: 2000,
        keep: 2,
    };
    for round in 0..6 {
        // A log of its own each round, so that each round is one write.
        let log = start(&path, Some(rotation));
        let sender = log.sender();
        for _ in 0..3 {
            sender.send(Entry {
                bytes: round,
                ..entry()
            });
        }
        log.shutdown();
    }
    let rounds = |name: &str| -> Vec<u64> {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.len() <= 2000);
        text.lines()
            .map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["bytes"]
                    .as_u64()
                    .unwrap()
            })
            .collect()
    };
    let newest = rounds("access.log");
    assert_eq!(newest.last(), Some(&5));
    assert!(rounds("access.log.1").last() < newest.first());
    assert!(rounds("access.log.2").last() < rounds("access.log.1").first());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn a_log_of_which_nothing_is_kept_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    for _ in 0..3 {
        let log = start(&path, Some(Rotation { bytes: 1, keep: 0 }));
        log.sender().send(entry());
        log.shutdown();
    }
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_log_that_was_removed_is_begun_anew_and_costs_no_old_one() {
    for keep in [0, 2] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let old = |number: u32| folder.path().join(format!("access.log.{number}"));
        for number in 1..=keep {
            fs::write(old(number), number.to_string()).unwrap();
        }
        let mut file = LogFile::open(&path, Some(Rotation { bytes: 10, keep })).unwrap();
        let mut write = |line: &[u8]| {
            file.make_room(line.len() as u64).unwrap();
            assert_eq!(file.write(line).unwrap(), line.len());
        };
        write(b"removed\n");
        fs::remove_file(&path).unwrap();
        write(b"first\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "first\n");
        for number in 1..=keep {
            let text = fs::read_to_string(old(number)).unwrap();
            assert_eq!(text, number.to_string());
        }
        // From there on all is as before.
        write(b"second\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "second\n");
        if keep > 0 {
            assert_eq!(fs::read_to_string(old(1)).unwrap(), "first\n");
            assert_eq!(fs::read_to_string(old(2)).unwrap(), "1");
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1 + keep as usize);
    }
}

#[test]
fn a_log_for_which_no_new_file_can_be_made_leaves_the_old_ones_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let old = folder.path().join("access.log.1");
    fs::write(&old, "old").unwrap();
    // In the way of the new file.
    fs::create_dir(folder.path().join("access.log.new")).unwrap();
    let rotation = Rotation { bytes: 10, keep: 2 };
    let mut file = LogFile::open(&path, Some(rotation)).unwrap();
    for (number, line) in [b"first\n", b"again\n", b"third\n"].iter().enumerate() {
        let made = file.make_room(line.len() as u64);
        assert_eq!(made.is_err(), number > 0, "{made:?}");
        assert_eq!(file.write(*line).unwrap(), line.len());
    }
    assert_eq!(fs::read_to_string(&old).unwrap(), "old");
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, "first\nagain\nthird\n");
    fs::remove_dir(folder.path().join("access.log.new")).unwrap();
    file.make_room(10).unwrap();
    assert_eq!(file.write(b"after\n").unwrap(), 6);
    assert_eq!(fs::read_to_string(&old).unwrap(), text);
    assert_eq!(fs::read_to_string(&path).unwrap(), "after\n");
}

#[test]
fn a_device_is_never_renamed() {
    let mut file =
        LogFile::open(Path::new("/dev/null"), Some(Rotation { bytes: 1, keep: 1 })).unwrap();
    for _ in 0..3 {
        file.make_room(1000).unwrap();
        assert_eq!(file.write(b"line\n").unwrap(), 5);
    }
    assert!(!Path::new("/dev/null.1").exists());
}

#[test]
fn a_log_moved_away_is_gone_on_with_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let moved = folder.path().join("moved.log");
    let log = start(&path, None);
    let sender = log.sender();
    sender.send(entry());
    while fs::metadata(&path).unwrap().len() == 0 {
        std::thread::yield_now();
    }
    fs::rename(&path, &moved).unwrap();
    log.reopen().unwrap();
    sender.send(entry());
    log.shutdown();
    for path in [&path, &moved] {
        assert_eq!(fs::read_to_string(path).unwrap().lines().count(), 1);
    }
}

#[test]
fn a_reopening_that_fails_leaves_the_log_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs/access.log");
    fs::create_dir(path.parent().unwrap()).unwrap();
    let log = start(&path, None);
    let moved = folder.path().join("moved");
    fs::rename(path.parent().unwrap(), &moved).unwrap();
    assert!(log.reopen().is_err());
    log.sender().send(entry());
    log.shutdown();
    assert_eq!(
        fs::read_to_string(moved.join("access.log"))
            .unwrap()
            .lines()
            .count(),
        1
    );
}

#[test]
fn a_target_that_takes_nothing_stops_nobody() {
    let (log, sink) = gated(LogFormat::Json);
    let sender = log.sender();
    sink.set(|state| state.closed = true);
    let sent = 10 * queue::QUEUE_ENTRIES as u64;
    for _ in 0..sent {
        sender.send(entry());
    }
    let dropped = log.dropped();
    assert!(dropped > 0 && dropped < sent);
    sink.set(|state| state.closed = false);
    sink.wait_for(|state| state.reported() == dropped);
    log.shutdown();
    let state = sink.state.lock().unwrap();
    // The loss may be told of in more than one line, when the writer wakes in its midst.
    let reports = state.text.matches("\"dropped\":").count() as u64;
    assert_eq!(state.lines() - reports + dropped, sent);
}

#[test]
fn a_full_disk_costs_lines_and_says_so() {
    let (log, sink, notices) = told(LogFormat::Combined);
    let sender = log.sender();
    sender.send(entry());
    sink.wait_for(|state| state.lines() == 1);
    // Room for a part of a line.
    sink.set(|state| state.room = Some(state.text.len() + 10));
    sender.send(entry());
    let patience = Duration::from_secs(20);
    let Ok(LogNotice::Failing(why)) = notices.recv_timeout(patience) else {
        panic!("nobody is told")
    };
    assert!(why.contains("No space left on device"), "{why}");
    sink.set(|state| state.room = None);
    sink.wait_for(|state| state.text.contains("dropped 1 lines\n"));
    sender.send(entry());
    sink.wait_for(|state| state.lines() == 4);
    assert_eq!(log.dropped(), 1);
    let recovered = notices.recv_timeout(patience);
    assert_eq!(recovered, Ok(LogNotice::Recovered { lost: 1 }));
    // What fails and recovers by turns is not told of each time.
    sink.set(|state| (state.room, state.failures) = (Some(state.text.len()), 0));
    sender.send(entry());
    sink.wait_for(|state| state.failures > 0);
    sink.set(|state| state.room = None);
    sink.wait_for(|state| state.lines() == 5);
    log.shutdown();
    assert!(notices.try_recv().is_err());
    let state = sink.state.lock().unwrap();
    let lines: Vec<_> = state.text.lines().collect();
    assert_eq!(lines[1], &lines[0][..10]);
    assert!(lines[2].starts_with("# [") && lines[2].ends_with("] dropped 1 lines"));
    assert_eq!(lines[3], lines[0]);
}

#[test]
fn a_full_device_is_borne() {
    let log = start(Path::new("/dev/full"), None);
    log.sender().send(entry());
    log.shutdown();
}

#[test]
fn what_is_sent_after_the_end_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let log = start(&folder.path().join("access.log"), None);
    let sender = log.sender();
    log.shutdown();
    sender.send(entry());
    assert_eq!(sender.dropped(), 1);
}

proptest! {
    #[test]
    fn any_bytes_make_one_line(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = Text::Shared(String::from_utf8_lossy(&bytes).into());
        let user_agent = HeaderValue::from_bytes(&bytes).ok();
        let entry = Entry { path: text.clone(), host: text, user_agent, ..entry() };
        let json = logged(LogFormat::Json, [entry.clone()]);
        prop_assert_eq!(json.matches('\n').count(), 1);
        prop_assert!(serde_json::from_str::<Value>(&json).is_ok());
        prop_assert!(!json.trim_end().contains(char::is_control));
        let combined = logged(LogFormat::Combined, [entry]);
        prop_assert!(combined.trim_end().bytes().all(|byte| matches!(byte, b' '..=b'~')));
    }
}

fn entry() -> Entry {
    Entry {
        time: SystemTime::UNIX_EPOCH + Duration::from_millis(1_785_933_296_007),
        host: "app.localhost".into(),
        client: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
        method: Some(Method::GET),
        path: http::uri::PathAndQuery::from_static("/a?b=c").into(),
        version: Version::HTTP_2,
        tls: Some(Tls {
            version: "TLSv1.3",
            suite: "TLS13_AES_128_GCM_SHA256",
            group: Some("X25519MLKEM768"),
            resumed: false,
        }),
        status: StatusCode::OK,
        bytes: 1024,
        duration: Duration::from_micros(1500),
        user_agent: Some(HeaderValue::from_static("curl/8.5.0")),
        referer: Some(HeaderValue::from_static("https://app.localhost/")),
    }
}

fn options(path: &Path, rotation: Option<Rotation>) -> LogOptions {
    let target = LogTarget::File {
        path: path.to_owned(),
        rotation,
    };
    LogOptions {
        format: LogFormat::Json,
        target,
    }
}

fn start(path: &Path, rotation: Option<Rotation>) -> AccessLog {
    AccessLog::start(options(path, rotation), |_| {}).unwrap()
}

/// What the log writes of `entries`.
fn logged<const N: usize>(format: LogFormat, entries: [Entry; N]) -> String {
    let (log, sink) = gated(format);
    let sender = log.sender();
    for entry in entries {
        sender.send(entry);
    }
    log.shutdown();
    let state = sink.state.lock().unwrap();
    state.text.clone()
}

fn gated(format: LogFormat) -> (AccessLog, Arc<Gate>) {
    let (log, gate, _) = told(format);
    (log, gate)
}

/// What [`gated`] gives, and what the operator is told.
fn told(format: LogFormat) -> (AccessLog, Arc<Gate>, mpsc::Receiver<LogNotice>) {
    let gate = Arc::new(Gate::default());
    let (sender, notices) = mpsc::channel();
    let tell = Box::new(move |notice| drop(sender.send(notice)));
    let log = AccessLog::start_with(format, Box::new(Arc::clone(&gate)), None, tell).unwrap();
    (log, gate, notices)
}

/// A target that can be shut and filled.
#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    text: String,
    closed: bool,
    room: Option<usize>,
    failures: usize,
}

impl State {
    fn lines(&self) -> u64 {
        self.text.lines().count() as u64
    }

    fn reported(&self) -> u64 {
        self.text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).unwrap()["dropped"].as_u64())
            .sum()
    }
}

impl Gate {
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    fn wait_for(&self, condition: impl Fn(&State) -> bool) {
        let state = self.state.lock().unwrap();
        let start = Instant::now();
        let patience = Duration::from_secs(20);
        let wait = |state: &mut State| !condition(state) && start.elapsed() < patience;
        let (state, _) = self
            .changed
            .wait_timeout_while(state, patience, wait)
            .unwrap();
        assert!(condition(&state), "{}", state.text);
    }
}

impl Sink for Arc<Gate> {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let state = self.state.lock().unwrap();
        let mut state = self
            .changed
            .wait_while(state, |state| state.closed)
            .unwrap();
        let room = state
            .room
            .map_or(usize::MAX, |room| room - state.text.len());
        let written = lines.len().min(room);
        state
            .text
            .push_str(str::from_utf8(&lines[..written]).unwrap());
        self.changed.notify_all();
        if written == 0 {
            state.failures += 1;
            return Err(io::Error::from_raw_os_error(28));
        }
        Ok(written)
    }
}
