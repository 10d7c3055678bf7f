//! Receivers on real sockets: a small HTTP server that drops keys it has seen, and a sink that speaks SMTP.

#![allow(dead_code)] // each test binary uses its part

use notifications::{ChannelKind, Key, Message, Zone};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const NOW: u64 = 1_780_000_000_000;
pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

pub(crate) fn message(n: u64, channel: ChannelKind) -> Message {
    Message {
        key: Key::new("ann", "ideas", n),
        pinner: "ann".to_owned(),
        kind: "ideas".to_owned(),
        channel,
        address: "ann@example.com".to_owned(),
        pin: format!("pin-{n}"),
        title: "Fünf Ideen".to_owned(),
        body: "Für dein Board.\n.\nEnde".to_owned(),
        link: "https://pins.example/p/1".to_owned(),
        unsubscribe: "https://pins.example/u/abc.def".to_owned(),
        zone: Zone::UTC,
        at_ms: NOW,
        expires_ms: NOW + 86_400_000_000,
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// What a receiver does with the request of this number (from 0), after it has taken it in.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Answers with this status line and these headers.
    Status(&'static str, &'static str),
    /// Waits so many milliseconds, then accepts.
    Slow(u64),
    /// Ends the connection without a word.
    Hang,
    /// Says nothing and keeps the connection.
    Silent,
}

/// A receiver of webhooks: everything that came, and what was new by its `Idempotency-Key`.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    pub(crate) all: Arc<Mutex<Vec<Received>>>,
    pub(crate) once: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Receiver {
    pub(crate) async fn open(answer: impl Fn(usize) -> Answer + Send + Sync + 'static) -> (Receiver, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let receiver = Receiver::default();
        let (ours, answer) = (receiver.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (receiver, answer) = (ours.clone(), answer.clone());
                tokio::spawn(async move { receiver.talk(stream, &*answer).await });
            }
        });
        (receiver, address)
    }

    async fn talk(self, stream: TcpStream, answer: &(dyn Fn(usize) -> Answer + Send + Sync)) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let received = read(&mut stream).await?;
            let number = {
                let key = received.headers.get("idempotency-key").cloned().unwrap_or_default();
                *self.once.lock().expect("unpoisoned").entry(key).or_default() += 1;
                let mut all = self.all.lock().expect("unpoisoned");
                all.push(received);
                all.len() - 1
            };
            let answer = match answer(number) {
                Answer::Slow(wait_ms) => {
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                    Answer::Status("200 OK", "")
                }
                answer => answer,
            };
            match answer {
                Answer::Status(status, headers) => {
                    let text = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n{headers}\r\n");
                    stream.get_mut().write_all(text.as_bytes()).await.ok()?;
                }
                Answer::Hang | Answer::Slow(_) => return None,
                Answer::Silent => std::future::pending::<()>().await,
            }
        }
    }

    pub(crate) fn taken(&self) -> Vec<Received> {
        self.all.lock().expect("unpoisoned").clone()
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut headers = BTreeMap::new();
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|&read| read > 0)?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|&read| read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { headers, body })
}

/// What the sink does with the mail of this number (from 0).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mood {
    /// Takes it.
    Take,
    /// Takes it, and says so after so many milliseconds.
    Slow(u64),
    /// Refuses the recipient for good, or for now.
    Recipient(&'static str),
    /// Takes the whole mail, then answers with this.
    After(&'static str),
    /// Takes the whole mail, then ends the connection without a word.
    Hang,
    /// Takes the connection and ends it at once.
    Deaf,
}

/// A mail server: every mail whose end it has seen, as it came.
#[derive(Clone, Default)]
pub(crate) struct Sink {
    pub(crate) mails: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
}

impl Sink {
    pub(crate) async fn open(mood: impl Fn(usize) -> Mood + Send + Sync + 'static) -> (Sink, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (sink, mood) = (Sink::default(), Arc::new(mood));
        let ours = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut connections = ours.connections.lock().expect("unpoisoned");
                    *connections += 1;
                    *connections - 1
                };
                tokio::spawn(ours.clone().talk(stream, mood(number)));
            }
        });
        (sink, address)
    }

    async fn talk(self, stream: TcpStream, mood: Mood) -> Option<()> {
        if mood == Mood::Deaf {
            return None;
        }
        let mut stream = BufReader::new(stream);
        say(&mut stream, "220 sink ESMTP").await?;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.ok().filter(|&read| read > 0)?;
            let verb = line.split([' ', '\r']).next().unwrap_or_default().to_ascii_uppercase();
            match (verb.as_str(), mood) {
                ("EHLO", _) => say(&mut stream, "250-sink\r\n250 8BITMIME").await?,
                ("RCPT", Mood::Recipient(answer)) => say(&mut stream, answer).await?,
                ("MAIL" | "RCPT" | "RSET" | "NOOP", _) => say(&mut stream, "250 fine").await?,
                ("DATA", _) => {
                    say(&mut stream, "354 go on").await?;
                    let mail = data(&mut stream).await?;
                    self.mails.lock().expect("unpoisoned").push(mail);
                    match mood {
                        Mood::After(answer) => say(&mut stream, answer).await?,
                        Mood::Hang => return None,
                        Mood::Slow(wait_ms) => {
                            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                            say(&mut stream, "250 taken").await?;
                        }
                        _ => say(&mut stream, "250 taken").await?,
                    }
                }
                ("QUIT", _) => return say(&mut stream, "221 bye").await,
                _ => say(&mut stream, "502 what").await?,
            }
        }
    }

    pub(crate) fn taken(&self) -> Vec<String> {
        self.mails.lock().expect("unpoisoned").clone()
    }
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) -> Option<()> {
    stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.ok()
}

/// A mail up to the dot that stands alone; doubled dots are single again.
async fn data(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut mail = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|&read| read > 0)?;
        if line == ".\r\n" {
            return Some(mail);
        }
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
