//! A process that is killed while it sends: what arrives, over real sockets, with a journal in a file.

mod support;

use domain::Rng;
use notifications::{
    Channel, ChannelKind, DeliverParams, Delivery, Entry, Gate, Journal, Key, Outbox, Smtp, SmtpParams, SmtpTls, State,
    Webhook, WebhookParams,
};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::{Answer, Mood, NOW, Receiver, SECRET, Sink, message};

/// Half of them webhooks, half mails.
const MESSAGES: u64 = 60;

/// Entries as lines of JSON, each batch on disk before `append` returns.
struct Lines(File);

/// The entries of a file, and the file to go on with. A line that was cut by the end of the process is taken away.
fn lines(path: &Path) -> (Vec<Entry>, Lines) {
    let text = std::fs::read(path).unwrap_or_default();
    let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let text = std::str::from_utf8(&text[..whole]).expect("JSON is UTF-8");
    let entries = text.lines().map(|line| serde_json::from_str(line).expect("an entry")).collect();
    let file = OpenOptions::new().create(true).append(true).open(path).expect("a file");
    file.set_len(whole as u64).expect("it can be cut");
    (entries, Lines(file))
}

impl Journal for Lines {
    fn append(&mut self, entries: &[Entry]) -> Result<(), String> {
        let lines = entries.iter().map(|entry| serde_json::to_string(entry).map(|line| line + "\n"));
        let text = lines.collect::<Result<String, _>>().map_err(|error| error.to_string())?;
        self.0.write_all(text.as_bytes()).and_then(|()| self.0.sync_data()).map_err(|error| error.to_string())
    }
}

fn keys(channel: ChannelKind) -> impl Iterator<Item = Key> {
    let half = MESSAGES / 2;
    let numbers = if channel == ChannelKind::Email { half..MESSAGES } else { 0..half };
    numbers.map(move |n| message(n, channel).key)
}

/// Plans everything again (known keys are passed over) and sends until nothing is open.
async fn send_all(path: &Path, hook: &str, port: u16) {
    let webhook = WebhookParams { url: hook.to_owned(), plain: false };
    let smtp = SmtpParams {
        host: "127.0.0.1".to_owned(),
        port,
        tls: SmtpTls::None,
        from: "ideas@pins.example".to_owned(),
        domain: "pins.example".to_owned(),
        ..SmtpParams::default()
    };
    let channels: Vec<Box<dyn Channel>> = vec![
        Box::new(Webhook::new(&webhook, SECRET).expect("an address on this machine")),
        Box::new(Smtp::new(smtp, "").expect("sound parameters")),
    ];
    let (entries, mut journal) = lines(path);
    let mut outbox = Outbox::default();
    outbox.replay(&entries).expect("entries that were written here");
    // Attempts are many: every kill takes one.
    let params = DeliverParams { attempts_max: 100, in_flight_max: 6, ..DeliverParams::default() };
    let mut delivery = Delivery::new(params, outbox, channels).expect("sound parameters");
    for n in 0..MESSAGES {
        let channel = if n < MESSAGES / 2 { ChannelKind::Webhook } else { ChannelKind::Email };
        delivery.plan(&mut journal, message(n, channel)).expect("there is room");
    }
    let clock = AtomicU64::new(NOW);
    for _ in 0..10_000 {
        if delivery.outbox().open() == 0 {
            return;
        }
        let told = || clock.load(Ordering::Relaxed);
        delivery.step(&mut journal, &mut |_, _| Gate::Go, &told).await.expect("the journal keeps");
        clock.fetch_add(3_600_000, Ordering::Relaxed);
    }
    panic!("not done: {:?}", delivery.outbox());
}

/// Not a test by itself: the process that is killed.
#[test]
#[ignore = "started by the test below"]
fn child() {
    let told = |name: &str| std::env::var(name).expect("started by the test below");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let port = told("KILL_SMTP_PORT").parse().expect("a port");
    runtime.block_on(send_all(Path::new(&told("KILL_JOURNAL")), &told("KILL_HOOK"), port));
}

fn start(path: &Path, hook: &str, port: u16) -> Child {
    let binary = std::env::current_exe().expect("this test");
    let mut command = Command::new(binary);
    command.args(["--exact", "child", "--ignored", "--test-threads=1"]).stdout(Stdio::null());
    command.env("KILL_JOURNAL", path).env("KILL_HOOK", hook).env("KILL_SMTP_PORT", port.to_string());
    command.spawn().expect("it starts")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_mid_send_nothing_is_sent_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let (receiver, hook) = Receiver::open(|_| Answer::Slow(20)).await;
    let (sink, post) = Sink::open(|_| Mood::Slow(20)).await;
    let hook = format!("http://{hook}/");
    let arrived = || receiver.taken().len() + sink.taken().len();
    let (mut rng, mut kills) = (Rng::new(17), 0);
    for _ in 0..200 {
        let target = arrived() + 1 + rng.below(14) as usize;
        let mut child = start(&path, &hook, post.port());
        let ended = loop {
            if let Some(status) = child.try_wait().expect("it is ours") {
                assert!(status.success(), "the child failed: {status}");
                break true;
            }
            if arrived() >= target {
                // SIGKILL: nothing of it runs any more.
                child.kill().expect("it is ours");
                child.wait().expect("it is ours");
                break false;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        if ended {
            break;
        }
        kills += 1;
    }
    let mut outbox = Outbox::default();
    outbox.replay(&lines(&path).0).expect("entries that were written there");
    assert_eq!((outbox.open(), kills > 3), (0, true), "{kills} kills");

    // Webhooks: at least once, and once for a receiver that drops keys it has seen.
    let once = receiver.once.lock().expect("unpoisoned").clone();
    assert!(keys(ChannelKind::Webhook).all(|key| outbox.state(key).is_some_and(|(state, _)| state == State::Sent)));
    assert!(keys(ChannelKind::Webhook).all(|key| once.contains_key(&key.to_string())));
    assert_eq!(once.len() as u64, MESSAGES / 2);
    let posts: usize = once.values().sum();
    assert!(posts as u64 > MESSAGES / 2, "some were repeated: the kills were in mid-send");

    // Mails: at most once; what the journal calls sent has arrived, what was under way when it ended is dead.
    let mut ids = BTreeMap::<String, usize>::new();
    for mail in sink.taken() {
        let id = mail.lines().find_map(|line| line.strip_prefix("Message-ID: <")).expect("an id").to_owned();
        *ids.entry(id.split('@').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    assert!(ids.values().all(|&times| times == 1), "a mail arrived twice: {ids:?}");
    let state = |key| outbox.state(key).expect("it was planned");
    let sent: Vec<Key> = keys(ChannelKind::Email).filter(|&key| state(key).0 == State::Sent).collect();
    assert!(sent.iter().all(|key| ids.contains_key(&key.to_string())));
    let dead: Vec<Key> = keys(ChannelKind::Email).filter(|&key| state(key).0 == State::Dead).collect();
    assert!(!sent.is_empty() && !dead.is_empty(), "{} sent, {} dead", sent.len(), dead.len());
    assert!(dead.iter().all(|&key| state(key).1 == 1), "one attempt each");
    println!("{kills} kills: {posts} posts of {} keys; {} mails sent, {} given up", once.len(), sent.len(), dead.len());
}
