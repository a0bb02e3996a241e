//! httpbin, which tells what it was asked in its own words.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::get;
use crate::inspect::certify;
use crate::server::{Ended, Place};

/// httpbin behind gunicorn over TLS, killed when dropped.
struct Httpbin {
    child: Child,
    url: String,
}

impl Httpbin {
    fn start(place: &Place) -> Self {
        certify(place);
        let (python, _) = crate::foreign::python("");
        let mut command = Command::new(python.with_file_name("gunicorn"));
        place.furnish(&mut command);
        let mut child = command
            .args([
                "--bind",
                "127.0.0.1:0",
                "--certfile",
                "c.pem",
                "--keyfile",
                "k.pem",
            ])
            .args(["--worker-class", "gthread", "--threads", "2", "httpbin:app"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("gunicorn must be in .venv: ./test makes it");
        let said = BufReader::new(child.stderr.take().unwrap());
        let mut lines = said.lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, rest) = line.split_once("Listening at: https://127.0.0.1:")?;
            Some(rest.split(' ').next()?.to_owned())
        });
        // What it says later has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        let url = format!(
            "https://localhost:{}",
            port.expect("gunicorn does not listen")
        );
        Self { child, url }
    }

    fn ask(&self, place: &Place, method: &str, path: &str, more: &[&str]) -> Ended {
        let url = format!("{}{path}", self.url);
        let all: Vec<&str> = [method, &url, "--ca", "root.pem"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        place.run(&all)
    }

    fn json(&self, place: &Place, method: &str, path: &str, more: &[&str]) -> Value {
        let seen = self.ask(place, method, path, more);
        seen.expect(0, &[]);
        serde_json::from_str(&seen.stdout).unwrap()
    }
}

impl Drop for Httpbin {
    fn drop(&mut self) {
        // Its worker ends with it: gunicorn's workers look for their parent.
        let pid = rustix::process::Pid::from_raw(self.child.id().cast_signed()).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

#[test]
fn httpbin_is_asked_what_the_command_says() {
    let place = Place::new();
    let httpbin = Httpbin::start(&place);
    place.write("file.txt", "in a file");
    let got = httpbin.json(&place, "get", "/get", &["a==1 & 2", "X-Own:kept"]);
    assert_eq!(got["args"], json!({"a": "1 & 2"}));
    assert_eq!(got["headers"]["X-Own"], "kept");
    let got = httpbin.json(&place, "post", "/post", &["s=text", "n:=[1,{\"k\":null}]"]);
    assert_eq!(got["json"], json!({"s": "text", "n": [1, {"k": null}]}));
    let got = httpbin.json(&place, "put", "/put", &["--form", "a=1", "a=2&"]);
    assert_eq!(got["form"], json!({"a": ["1", "2&"]}));
    let got = httpbin.json(&place, "patch", "/patch", &["up@file.txt", "k=\"v\""]);
    assert_eq!(
        (&got["files"], &got["form"]),
        (&json!({"up": "in a file"}), &json!({"k": "\"v\""}))
    );
    let got = httpbin.json(&place, "delete", "/delete", &["--body", "file.txt"]);
    assert_eq!(got["data"], "in a file");
    for coding in ["gzip", "brotli"] {
        let got = httpbin.json(&place, "get", &format!("/{coding}"), &[]);
        assert!(got["gzipped"] == true || got["brotli"] == true, "{got}");
    }
}

#[test]
fn httpbin_lets_in_who_logs_in_and_leads_on() {
    let place = Place::new();
    let httpbin = Httpbin::start(&place);
    let in_ = json!({"authenticated": true, "user": "ada"});
    let user = ["--user", "ada:p:w"];
    let got = httpbin.json(&place, "get", "/basic-auth/ada/p:w", &user);
    assert_eq!(got, in_);
    for algorithm in ["MD5", "SHA-256"] {
        let path = format!("/digest-auth/auth/ada/p:w/{algorithm}");
        let got = httpbin.json(&place, "get", &path, &["--user", "ada:p:w", "--digest"]);
        assert_eq!(got, in_, "{algorithm}");
        httpbin
            .ask(
                &place,
                "get",
                &path,
                &["--user", "ada:no", "--digest", "--fail"],
            )
            .expect(1, &["401"]);
    }
    let got = httpbin.json(&place, "get", "/bearer", &["--bearer", "t0ken"]);
    assert_eq!(got["token"], "t0ken");
    let got = httpbin.json(&place, "get", "/cookies/set/k/v", &[]);
    assert_eq!(got, json!({"cookies": {"k": "v"}}));
    let got = httpbin.json(&place, "get", "/redirect/3", &[]);
    assert!(got["url"].as_str().unwrap().ends_with("/get"));
    let url = format!("{}/status/418", httpbin.url);
    get(&place, &[&url, "--ca", "root.pem", "--fail"]).expect(1, &["418"]);
}
