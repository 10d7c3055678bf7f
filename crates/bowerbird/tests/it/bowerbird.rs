//! Runs the binary, as a command or as a server.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A folder of its own for a test, and the binary working in it.
pub(crate) struct House {
    folder: tempfile::TempDir,
}

/// What a command did.
pub(crate) struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl House {
    pub(crate) fn new() -> House {
        House { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bowerbird"));
        command.current_dir(self.folder.path()).arg("--data").arg(self.data()).args(words);
        command.env_remove("BOWERBIRD_CONFIG").env("BOWERBIRD_LOG", "warn").stdin(Stdio::null());
        command
    }

    /// Runs a verb to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Done {
        Done::of(self.command(words).output().expect("the binary runs"))
    }

    /// Runs a verb that must succeed; gives its JSON.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let done = self.run(&[words, &["--json"]].concat());
        assert_eq!(done.code, 0, "{words:?}: {}", done.err);
        serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{words:?}: {error}: {}", done.out))
    }

    /// Runs a verb that must fail; gives what it says.
    pub(crate) fn fails(&self, words: &[&str]) -> String {
        let done = self.run(words);
        assert_eq!(done.code, 1, "{words:?}: {}{}", done.out, done.err);
        assert_eq!(done.err.matches("error: ").count(), 1, "told once: {}", done.err);
        done.err
    }

    /// Starts a server on a free port and waits until it is ready.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[], None)
    }

    /// The same with more words on its command line, and told the time if there is one to tell (ms, UTC).
    pub(crate) fn serve_with(&self, words: &[&str], now_ms: Option<u64>) -> Server {
        let mut command = self.command(&[&["serve", "--address", "127.0.0.1:0"], words].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary runs");
        let address = word_after(child.stdout.take().expect("piped"), "http://");
        let server = Server { child, address };
        for _ in 0..600 {
            if let Some(now_ms) = now_ms {
                server.post("/v1/clock", &format!("{{\"now\":{now_ms}}}"));
            }
            if server.get("/health/ready").0 == 200 {
                return server;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server is not ready");
    }

    /// Runs a verb that serves until a line of stderr holds `mark`, and asks it to end; gives its stdout.
    pub(crate) fn until_told(&self, words: &[&str], mark: &str) -> String {
        let mut command = self.command(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let mut told = false;
        for line in lines.map(|line| line.expect("text")) {
            if line.contains(mark) {
                told = true;
                signal(&child, "-TERM");
            }
        }
        assert!(told, "it ended without saying '{mark}'");
        Done::of(child.wait_with_output().expect("it ends")).out
    }

    /// Starts a server and does not wait until its data is opened.
    pub(crate) fn start(&self) -> Server {
        let mut command = self.command(&["serve", "--address", "127.0.0.1:0"]);
        command.env("BOWERBIRD_LOG", "info").env("NO_COLOR", "1").stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary runs");
        let address = word_after(child.stderr.take().expect("piped"), "address=");
        Server { child, address }
    }
}

impl Done {
    fn of(output: Output) -> Done {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Done { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

fn signal(child: &Child, name: &str) {
    let killed = Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(killed.expect("kill runs").success());
}

/// The word that follows `mark` where a line has it.
fn word_after(output: impl Read, mark: &str) -> String {
    let lines = BufReader::new(output).lines().map(|line| line.expect("text"));
    let mut rest = lines.filter_map(|line| line.split_once(mark).map(|(_, rest)| rest.to_owned()));
    let rest = rest.next().unwrap_or_else(|| panic!("it ended without saying '{mark}'"));
    rest.split_whitespace().next().unwrap_or_default().to_owned()
}

/// A running `bowerbird serve`.
pub(crate) struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Status and body of a GET.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"))
    }

    /// The JSON of a GET that must succeed.
    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }

    /// Status and body of a POST of JSON; status 0 when no answer came.
    pub(crate) fn post(&self, path: &str, body: &str) -> (u16, String) {
        self.send(&posting(path, body))
    }

    /// Status and JSON of a POST of a PNG.
    pub(crate) fn post_picture(&self, path: &str, png: &[u8]) -> (u16, Value) {
        self.send_picture("POST", path, png)
    }

    /// Status and JSON of a PNG that is sent.
    pub(crate) fn send_picture(&self, method: &str, path: &str, png: &[u8]) -> (u16, Value) {
        let length = png.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: image/png\r\n\
             content-length: {length}\r\n\r\n"
        );
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        stream.write_all(&[head.as_bytes(), png].concat()).expect("sent");
        let (status, body) = answer(stream);
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    /// Sends a POST of JSON but for its last byte.
    pub(crate) fn begin_post(&self, path: &str, body: &str) -> UnderWay {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        let request = posting(path, body);
        let (first, last) = request.split_at(request.len() - 1);
        stream.write_all(first.as_bytes()).expect("sent");
        UnderWay { stream, last: last.to_owned() }
    }

    /// Whether it takes new connections.
    pub(crate) fn listens(&self) -> bool {
        TcpStream::connect(&self.address).is_ok()
    }

    fn send(&self, request: &str) -> (u16, String) {
        let Ok(mut stream) = TcpStream::connect(&self.address) else { return (0, String::new()) };
        if stream.write_all(request.as_bytes()).is_err() {
            return (0, String::new());
        }
        answer(stream)
    }

    /// Asks the server to end as an operator would.
    pub(crate) fn terminate(&self) {
        signal(&self.child, "-TERM");
    }

    /// Ends the server at once, in the middle of whatever it does.
    pub(crate) fn kill(&self) {
        signal(&self.child, "-KILL");
    }

    /// Waits until the server has ended; gives its exit code.
    pub(crate) fn ended(mut self) -> i32 {
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }

    /// Asks the server to end, and waits until it has.
    pub(crate) fn end(self) -> i32 {
        self.terminate();
        self.ended()
    }
}

/// A request whose last byte was not sent yet.
pub(crate) struct UnderWay {
    stream: TcpStream,
    last: String,
}

impl UnderWay {
    /// Sends the last byte; gives status and body of the answer.
    pub(crate) fn finish(mut self) -> (u16, String) {
        self.stream.write_all(self.last.as_bytes()).expect("sent");
        answer(self.stream)
    }
}

fn posting(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}

fn answer(mut stream: TcpStream) -> (u16, String) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let mut answer = Vec::new();
    if stream.read_to_end(&mut answer).is_err() {
        return (0, String::new());
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    (status, if chunked { unchunked(body) } else { body.to_owned() })
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn unchunked(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || rest.len() < size {
            break;
        }
        text.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    text
}

/// Whether a folder holds a file at `name`.
pub(crate) fn there(folder: &Path, name: &str) -> bool {
    folder.join(name).exists()
}
