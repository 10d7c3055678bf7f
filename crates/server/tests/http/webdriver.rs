//! As much of the WebDriver protocol as one test needs, spoken to the system's chromedriver.

use crate::client::{raw, request};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A headless browser with a profile of its own. Ends when dropped.
pub struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    // Removed after the browser has ended.
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts a browser with a window of this size, as a phone if wanted; `None` when there is no chromedriver here.
    pub fn start(width: u32, height: u32, phone: bool) -> Option<Browser> {
        let (driver, port) = driver()?;
        let profile = tempfile::tempdir().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut browser = Browser { driver, address, session: String::new(), _profile: profile };
        let mut arguments: Vec<String> = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run \
            --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars \
            --disable-dev-shm-usage"
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        arguments.push(format!("--user-data-dir={}", browser._profile.path().display()));
        arguments.push(format!("--window-size={width},{height}"));
        let mut options = json!({"args": arguments});
        if phone {
            let metrics = json!({"width": width, "height": height, "pixelRatio": 2.0, "touch": true, "mobile": true});
            options["mobileEmulation"] = json!({"deviceMetrics": metrics});
        }
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        browser.session = browser.call("POST", "/session", Some(wanted))["sessionId"].as_str().unwrap().to_owned();
        Some(browser)
    }

    fn call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let sent = request(method, path, &[("content-type", "application/json")], body.as_bytes());
        let answer = raw(self.address, &sent);
        assert_eq!(answer.status, 200, "{method} {path} {body}: {}", answer.text());
        answer.json()["value"].take()
    }

    fn within(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.call(method, &format!("/session/{}{path}", self.session), body)
    }

    /// Goes to an address.
    pub fn open(&self, url: &str) {
        self.within("POST", "/url", Some(json!({"url": url})));
    }

    /// The address that is open.
    pub fn url(&self) -> String {
        self.within("GET", "/url", None).as_str().unwrap().to_owned()
    }

    /// Goes back in the history.
    pub fn back(&self) {
        self.within("POST", "/back", Some(json!({})));
    }

    /// The value of a script.
    pub fn run(&self, script: &str) -> Value {
        self.within("POST", "/execute/sync", Some(json!({"script": script, "args": []})))
    }

    /// Waits until an expression is true.
    pub fn wait(&self, expression: &str) {
        let until = Instant::now() + Duration::from_secs(15);
        while self.run(&format!("return !!({expression})")) != true {
            assert!(
                Instant::now() < until,
                "never true: {expression}\nat {}\n{}",
                self.url(),
                self.complaints().join("\n")
            );
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    fn element(&self, selector: &str) -> String {
        let found = self.within("POST", "/element", Some(json!({"using": "css selector", "value": selector})));
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    /// Clicks the first element of a selector, as a mouse does.
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.within("POST", &format!("/element/{element}/click"), Some(json!({})));
    }

    /// Types into the first element of a selector. `\u{E007}` is Enter.
    pub fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.within("POST", &format!("/element/{element}/value"), Some(json!({"text": text})));
    }

    /// What the browser complained about: errors of scripts, refused contents, missing files.
    pub fn complaints(&self) -> Vec<String> {
        let lines = self.within("POST", "/se/log", Some(json!({"type": "browser"})));
        let severe = lines.as_array().unwrap().iter().filter(|line| line["level"] == "SEVERE");
        severe.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Looks with other eyes: `prefers-color-scheme: dark`, a mouse that hovers, and so on.
    pub fn emulate(&self, features: &[(&str, &str)]) {
        let features: Vec<Value> = features.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let command = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
        self.within("POST", "/goog/cdp/execute", Some(command));
    }

    /// A picture of the window, as PNG bytes.
    pub fn screenshot(&self) -> Vec<u8> {
        decode(self.within("GET", "/screenshot", None).as_str().unwrap())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let path = format!("/session/{}", self.session);
            let _ = raw(self.address, &request("DELETE", &path, &[], b""));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A running chromedriver and its port; `None` only when there is none on this machine.
fn driver() -> Option<(Child, u16)> {
    for _ in 0..5 {
        let mut command = Command::new("chromedriver");
        let mut driver = command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        if let Some(port) = port {
            return Some((driver, port));
        }
        let _ = driver.kill();
        let _ = driver.wait();
        std::thread::sleep(Duration::from_millis(300));
    }
    panic!("chromedriver is on this machine but does not start");
}

fn decode(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u32> = text.bytes().filter(|byte| *byte != b'=').map(|byte| u32::from(value(byte))).collect();
    let groups = digits.chunks(4).flat_map(|group| {
        let bits = (0..4).fold(0, |bits, at| bits << 6 | group.get(at).copied().unwrap_or(0));
        bits.to_be_bytes()[1..group.len()].to_vec()
    });
    groups.collect()
}
