//! Chromium, told what to do through its pipe for developer tools. One that is missing fails the test.
//!
//! The tests of the program open its pages with it too.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _profile: tempfile::TempDir,
    session: Option<String>,
    sent: u64,
    events: Vec<Value>,
}

/// How Chromium is started where nobody looks on: without a window, and without calls of its own to others.
pub(crate) const UNATTENDED: [&str; 7] = [
    "--headless",
    "--no-sandbox", // as root it has none
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

impl Browser {
    pub(crate) fn open() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let home = profile.path().to_owned();
        Self::start(profile, &home)
    }

    /// One that trusts whom the owner of this home folder trusts.
    #[allow(dead_code, reason = "pages from files need nobody's trust")]
    pub(crate) fn at_home(home: &Path) -> Self {
        Self::start(tempfile::tempdir().unwrap(), home)
    }

    fn start(profile: tempfile::TempDir, home: &Path) -> Self {
        // The pipe is on the descriptors 3 and 4.
        let script = r#"exec chromium "$@" 3<&0 4>&1 0</dev/null 1>/dev/null"#;
        let mut child = Command::new("sh")
            .args(["-c", script, "sh"])
            .args(UNATTENDED)
            .args([
                "--remote-debugging-pipe",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--force-color-profile=srgb",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .env("HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut browser = Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            _profile: profile,
            session: None,
            sent: 0,
            events: Vec::new(),
        };
        let target = browser.ask("Target.createTarget", &json!({"url": "about:blank"}));
        let target = &target["targetId"];
        let attached = browser.ask(
            "Target.attachToTarget",
            &json!({"targetId": target, "flatten": true}),
        );
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), &json!({}));
        }
        browser.screen(1440, 1000, false);
        browser.scheme("light", "screen");
        browser
    }

    /// Sends a command, and waits for what it comes to.
    pub(crate) fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut message = serde_json::to_vec(&message).unwrap();
        message.push(0);
        self.input.write_all(&message).unwrap();
        self.input.flush().unwrap();
        loop {
            let message = self.next();
            if message["id"] == self.sent {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn next(&mut self) -> Value {
        let mut message = Vec::new();
        self.output.read_until(0, &mut message).unwrap();
        assert_eq!(
            message.pop(),
            Some(0),
            "chromium must be installed, which ./test does, and it must not end by itself"
        );
        serde_json::from_slice(&message).unwrap()
    }

    /// Loads a page, whole.
    pub(crate) fn load(&mut self, url: &str) {
        self.events.clear();
        let went = self.ask("Page.navigate", &json!({"url": url}));
        assert!(went["errorText"].is_null(), "{url}: {went}");
        while !self
            .events
            .iter()
            .any(|event| event["method"] == "Page.loadEventFired")
        {
            let event = self.next();
            self.events.push(event);
        }
    }

    /// The value of an expression in the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let parameters =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.ask("Runtime.evaluate", &parameters);
        let problem = &result["exceptionDetails"];
        assert!(problem.is_null(), "{expression}: {problem}");
        result["result"]["value"].clone()
    }

    /// Presses a key and lets it go.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            "Escape" => (27, ""),
            "Home" => (36, ""),
            "End" => (35, ""),
            "ArrowLeft" => (37, ""),
            "ArrowUp" => (38, ""),
            "ArrowRight" => (39, ""),
            "ArrowDown" => (40, ""),
            _ => (
                u32::from(
                    key.to_ascii_uppercase()
                        .as_bytes()
                        .first()
                        .copied()
                        .unwrap(),
                ),
                key,
            ),
        };
        let mut event = json!({
            "type": "keyDown", "key": key, "windowsVirtualKeyCode": code,
        });
        if !text.is_empty() {
            event["text"] = json!(text);
        }
        self.ask("Input.dispatchKeyEvent", &event);
        event["type"] = json!("keyUp");
        self.ask("Input.dispatchKeyEvent", &event);
    }

    /// Moves the mouse to the middle of what the selector finds first, once that is in sight.
    pub(crate) fn point_at(&mut self, selector: &str) -> (f64, f64) {
        let middle = self.value(&format!(
            "(() => {{
                const found = document.querySelector({selector:?});
                found.scrollIntoView({{block: 'center', behavior: 'instant'}});
                const box = found.getClientRects()[0];
                return [box.left + box.width / 2, box.top + box.height / 2];
            }})()"
        ));
        let (x, y) = (middle[0].as_f64().unwrap(), middle[1].as_f64().unwrap());
        let moved = json!({"type": "mouseMoved", "x": x, "y": y});
        self.ask("Input.dispatchMouseEvent", &moved);
        (x, y)
    }

    /// Clicks on the middle of what the selector finds first.
    pub(crate) fn click(&mut self, selector: &str) {
        let (x, y) = self.point_at(selector);
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
            self.ask("Input.dispatchMouseEvent", &event);
        }
    }

    /// The size of the screen, in CSS pixels.
    pub(crate) fn screen(&mut self, width: u32, height: u32, mobile: bool) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile,
        });
        self.ask("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Dark or light, on a screen or on paper; always without motion, which tests would have to wait for.
    pub(crate) fn scheme(&mut self, scheme: &str, media: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        let emulated = json!({"media": media, "features": features});
        self.ask("Emulation.setEmulatedMedia", &emulated);
    }

    /// Whether pages may run scripts, from the next that is loaded on.
    pub(crate) fn scripts(&mut self, run: bool) {
        let value = json!({"value": !run});
        self.ask("Emulation.setScriptExecutionDisabled", &value);
    }

    /// What a screen reader is told: the roles, names and properties of all that it does not pass over.
    pub(crate) fn accessible(&mut self) -> Vec<Value> {
        let tree = self.ask("Accessibility.getFullAXTree", &json!({}));
        let nodes = tree["nodes"].as_array().unwrap().iter();
        nodes
            .filter(|node| node["ignored"] == false)
            .cloned()
            .collect()
    }

    /// What is on the screen, as PNG.
    pub(crate) fn picture(&mut self) -> Vec<u8> {
        let picture = self.ask("Page.captureScreenshot", &json!({"format": "png"}));
        STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()
    }

    /// The page as PDF.
    pub(crate) fn paper(&mut self) -> Vec<u8> {
        let printed = self.ask("Page.printToPDF", &json!({"printBackground": true}));
        STANDARD.decode(printed["data"].as_str().unwrap()).unwrap()
    }

    /// What the browser had to complain of since the page was loaded: exceptions, errors, warnings,
    /// what a policy refused; and all that was asked of the network besides the page.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        // Whatever is under way is told before the answer to this.
        self.value("new Promise(done => requestAnimationFrame(() => setTimeout(done)))");
        let complaint = |event: &Value| {
            let parameters = &event["params"];
            let is_one = match event["method"].as_str()? {
                "Runtime.exceptionThrown" | "Log.entryAdded" => true,
                "Runtime.consoleAPICalled" => {
                    matches!(
                        parameters["type"].as_str(),
                        Some("error" | "warning" | "assert")
                    )
                }
                "Network.requestWillBeSent" => {
                    let url = parameters["request"]["url"].as_str()?;
                    parameters["type"] != "Document" && !url.starts_with("data:")
                }
                _ => false,
            };
            is_one.then(|| event.to_string())
        };
        self.events.iter().filter_map(complaint).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address of a file.
pub(crate) fn address(file: &Path) -> String {
    format!("file://{}", file.display())
}
