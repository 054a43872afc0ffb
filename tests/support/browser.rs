//! A real browser, driven through a pipe by the Chrome `DevTools` protocol: messages are JSON, each
//! followed by a zero byte. The browser reads from its descriptor 3 and writes to 4; a shell connects
//! those to the pipes that the standard library gives a child.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than any step takes on a slow machine.
const PATIENCE: Duration = Duration::from_mins(1);
const REDIRECT: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
];

pub struct Browser {
    child: Child,
    to: Option<ChildStdin>,
    from: Receiver<Value>,
    session: String,
    last: u64,
    /// What the browser complained about: errors of scripts, and what the policy forbade.
    complaints: Vec<String>,
    _profile: TempDir,
}

impl Browser {
    /// Starts the browser with one page, as large as a small phone's.
    ///
    /// # Panics
    /// Without a browser: `tests/run` installs one.
    pub fn start() -> Self {
        let program = std::env::var("MANYHANDS_TEST_CHROMIUM")
            .unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
        let is_there = Command::new(&program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(
            is_there.is_ok_and(|status| status.success()),
            "{program} does not start. Run tests/run, which installs Chromium, or name a browser in MANYHANDS_TEST_CHROMIUM."
        );
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", REDIRECT, &program])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let (sender, from) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|n| n > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else {
                    break;
                };
                if sender.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let mut browser = Self {
            child,
            to,
            from,
            session: String::new(),
            last: 0,
            complaints: Vec::new(),
            _profile: profile,
        };
        browser.open_page();
        browser
    }

    fn open_page(&mut self) {
        let target = self.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.call("Target.attachToTarget", &attach);
        self.session = attached["sessionId"].as_str().map(str::to_owned).unwrap();
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            self.call(domain, &json!({}));
        }
        let phone = json!({ "width": 360, "height": 640, "deviceScaleFactor": 2, "mobile": true });
        self.call("Emulation.setDeviceMetricsOverride", &phone);
    }

    /// Calls a method of the protocol and gives its result.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        let answer = self.try_call(method, params);
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_call(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        self.last += 1;
        let id = self.last;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let to = self.to.as_mut().unwrap();
        to.write_all(message.to_string().as_bytes()).unwrap();
        to.write_all(&[0]).unwrap();
        to.flush().unwrap();
        let by = Instant::now() + PATIENCE;
        loop {
            let answer = self
                .from
                .recv_timeout(by.saturating_duration_since(Instant::now()));
            let answer = answer.unwrap_or_else(|_| panic!("no answer to {method}"));
            if answer["id"] == id {
                let error = &answer["error"];
                return if error.is_null() {
                    Ok(answer["result"].clone())
                } else {
                    Err(error.clone())
                };
            }
            self.note(&answer);
        }
    }

    fn note(&mut self, event: &Value) {
        let entry = &event["params"]["entry"];
        let is_bad = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            // What the server answered is no complaint: a page may say 404.
            Some("Log.entryAdded") => entry["level"] == "error" && entry["source"] != "network",
            _ => false,
        };
        if is_bad {
            self.complaints.push(event["params"].to_string());
        }
    }

    /// What the browser complained about so far.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// The value of an expression in the page.
    pub fn eval(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true });
        let result = self.call("Runtime.evaluate", &params);
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {result}"
        );
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true in whichever page is loaded.
    pub fn wait(&mut self, expression: &str) {
        let by = Instant::now() + PATIENCE;
        let params = json!({ "expression": format!("document.readyState == 'complete' && !!({expression})"), "returnByValue": true });
        loop {
            // While a page is being exchanged for the next, there may be no place to evaluate in.
            let result = self.try_call("Runtime.evaluate", &params);
            if result.is_ok_and(|r| r["result"]["value"] == true) {
                return;
            }
            assert!(
                Instant::now() < by,
                "never true: {expression}\n{}",
                self.eval("document.body.innerText")
            );
        }
    }

    /// Opens an address in an empty page.
    pub fn open(&mut self, url: &str) {
        self.call("Page.navigate", &json!({ "url": "about:blank" }));
        self.wait("location.href == 'about:blank'");
        self.call("Page.navigate", &json!({ "url": url }));
        self.wait("location.protocol == 'http:'");
    }

    /// Does something that loads another page, and waits for that page.
    pub fn go(&mut self, action: &str) {
        self.eval("window.isOld = true");
        self.eval(&format!("({action}, true)"));
        self.wait("!window.isOld");
    }

    /// What is on the page, as a person reads it.
    pub fn text(&mut self) -> String {
        self.eval("document.body.innerText")
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Keeps a picture of the page under the name given, for people to look at.
    pub fn picture(&mut self, name: &str) {
        let height =
            self.eval("Math.ceil(document.documentElement.getBoundingClientRect().height)");
        let clip = json!({ "x": 0, "y": 0, "width": 360, "height": height, "scale": 1 });
        let shot = self.call(
            "Page.captureScreenshot",
            &json!({ "captureBeyondViewport": true, "clip": clip }),
        );
        let png = base64::engine::general_purpose::STANDARD
            .decode(shot["data"].as_str().unwrap())
            .unwrap();
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(format!("{name}.png")), png).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The end of its input is its signal to end; the profile is removed after it has.
        self.to.take();
        let _ = self.child.wait();
    }
}
