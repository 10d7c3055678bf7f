//! The channels over real sockets: what arrives, and what each way of failing means.

mod support;

use notifications::{
    Channel, ChannelKind, DeliverParams, Delivery, Entry, Gate, InApp, Inbox, Journal, Outbox, Outcome, Smtp,
    SmtpParams, SmtpTls, State, Webhook, WebhookParams, verify_signature,
};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use support::{Answer, Mood, NOW, Receiver, SECRET, Sink, message};

fn webhook(address: SocketAddr) -> Webhook {
    let params = WebhookParams { url: format!("http://{address}/hook"), plain: false };
    Webhook::new(&params, SECRET).expect("an address on this machine")
}

fn smtp(address: SocketAddr) -> Smtp {
    let params = SmtpParams {
        host: address.ip().to_string(),
        port: address.port(),
        tls: SmtpTls::None,
        from: "Bowerbird <ideas@pins.example>".to_owned(),
        domain: "pins.example".to_owned(),
        timeout_ms: 2_000,
        ..SmtpParams::default()
    };
    Smtp::new(params, "").expect("sound parameters")
}

#[tokio::test]
async fn a_webhook_is_signed_and_each_status_means_something() {
    let answers = [
        Answer::Status("204 No Content", ""),
        Answer::Status("503 Busy", "retry-after: 120\r\n"),
        Answer::Status("410 Gone", ""),
        Answer::Status("302 Found", "location: http://127.0.0.1:1/\r\n"),
        Answer::Hang,
    ];
    let (receiver, address) = Receiver::open(move |n| answers[n].clone()).await;
    let channel = webhook(address);
    let mut outcomes = Vec::new();
    for n in 0..5 {
        outcomes.push(channel.send(&message(n, ChannelKind::Webhook), NOW).await);
    }
    assert_eq!(outcomes[0], Outcome::Accepted);
    assert_eq!(outcomes[1], Outcome::Failed { reason: "status 503".to_owned(), after_ms: Some(120_000) });
    assert!(matches!(&outcomes[2], Outcome::Refused(why) if why.0 == "status 410"), "{:?}", outcomes[2]);
    assert!(matches!(&outcomes[3], Outcome::Refused(_)), "redirections are not followed: {:?}", outcomes[3]);
    assert!(matches!(&outcomes[4], Outcome::Unknown(_)), "{:?}", outcomes[4]);

    let first = &receiver.taken()[0];
    let header = |name: &str| first.headers.get(name).map(String::as_str).unwrap_or_default();
    assert_eq!(header("idempotency-key"), message(0, ChannelKind::Webhook).key.to_string());
    let (at, signed) = (header("bowerbird-timestamp"), header("bowerbird-signature"));
    assert!(verify_signature(SECRET, at, signed, &first.body, NOW / 1_000 + 60, 300));
    assert!(!verify_signature(b"another secret", at, signed, &first.body, NOW / 1_000, 300));
    let body: serde_json::Value = serde_json::from_slice(&first.body).expect("JSON");
    assert_eq!((body["title"].as_str(), body["pin"].as_str()), (Some("Fünf Ideen"), Some("pin-0")));
}

#[tokio::test]
async fn nobody_listening_is_a_failure_and_not_unknown() {
    let (_, address) = Receiver::open(|_| Answer::Hang).await;
    let free = SocketAddr::new(address.ip(), 1);
    let sent = webhook(free).send(&message(1, ChannelKind::Webhook), NOW).await;
    assert!(matches!(&sent, Outcome::Failed { .. }), "{sent:?}");
    let sent = smtp(free).send(&message(1, ChannelKind::Email), NOW).await;
    assert!(matches!(&sent, Outcome::Failed { .. }), "{sent:?}");
}

#[test]
fn addresses_and_secrets_that_will_not_do_are_named() {
    let error = |url: &str, secret: &[u8]| {
        let params = WebhookParams { url: url.to_owned(), plain: false };
        Webhook::new(&params, secret).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(error("http://pins.example/hook", SECRET).contains("on this machine only"));
    assert!(error("ftp://pins.example/hook", SECRET).starts_with("webhook.url"));
    assert!(error("https://pins.example/hook", b"short").starts_with("webhook.secret: 5 bytes"));
    assert_eq!(error("https://pins.example/hook", SECRET), "");
    let error = |change: fn(&mut SmtpParams)| {
        let mut params =
            SmtpParams { host: "mail.example".to_owned(), from: "a@b.example".to_owned(), ..SmtpParams::default() };
        change(&mut params);
        Smtp::new(params, "secret").err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(error(|_| ()), "");
    assert!(error(|params| params.from = "nobody".to_owned()).starts_with("smtp.from"));
    assert!(error(|params| params.host = "a b".to_owned()).starts_with("smtp.host"));
    assert!(error(|params| (params.tls, params.user) = (SmtpTls::None, "me".to_owned())).starts_with("smtp.tls"));
}

#[tokio::test]
async fn a_mail_has_a_stable_id_and_one_click_unsubscription() {
    let (sink, address) = Sink::open(|_| Mood::Take).await;
    let message = message(7, ChannelKind::Email);
    assert_eq!(smtp(address).send(&message, NOW).await, Outcome::Accepted);
    let mails = sink.taken();
    let (head, body) = mails[0].split_once("\r\n\r\n").expect("a head and a body");
    let has = |line: &str| head.lines().any(|known| known.trim_end() == line);
    assert!(has(&format!("Message-ID: <{}@pins.example>", message.key)), "{head}");
    assert!(has("List-Unsubscribe: <https://pins.example/u/abc.def>"), "{head}");
    assert!(has("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{head}");
    assert!(has("To: ann@example.com") && has("From: Bowerbird <ideas@pins.example>"), "{head}");
    assert!(has("Date: Thu, 28 May 2026 20:26:40 +0000"), "{head}");
    assert!(body.contains("https://pins.example/p/1") && body.contains("Ende"), "a dot alone does not end it: {body}");
}

#[tokio::test]
async fn what_the_mail_server_says_decides() {
    let moods = [
        Mood::Recipient("550 nobody here"),
        Mood::Recipient("450 later"),
        Mood::After("554 spam"),
        Mood::After("451 full"),
        Mood::Hang,
        Mood::Deaf,
    ];
    let (sink, address) = Sink::open(move |n| moods[n]).await;
    let channel = smtp(address);
    let mut told = Vec::new();
    for n in 0..moods.len() as u64 {
        told.push(match channel.send(&message(n, ChannelKind::Email), NOW).await {
            Outcome::Accepted => "accepted",
            Outcome::Refused(_) => "refused",
            Outcome::Failed { .. } => "failed",
            Outcome::Unknown(_) => "unknown",
        });
    }
    assert_eq!(told, ["refused", "failed", "refused", "failed", "unknown", "failed"]);
    assert_eq!(sink.taken().len(), 3, "the other three never began");
    let mut odd = message(9, ChannelKind::Email);
    odd.unsubscribe = "https://x.example/>\r\nBcc: all@example.com".to_owned();
    assert!(matches!(channel.send(&odd, NOW).await, Outcome::Refused(_)), "no header is smuggled in");
    odd = message(9, ChannelKind::Email);
    odd.title = "Hello\r\nBcc: all@example.com".to_owned();
    odd.address = "ann@example.com>\r\nRCPT TO:<bob@example.com".to_owned();
    assert!(matches!(channel.send(&odd, NOW).await, Outcome::Refused(_)), "no command is smuggled in");
}

/// A journal that keeps its entries.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Entry>>>);

impl Journal for Kept {
    fn append(&mut self, entries: &[Entry]) -> Result<(), String> {
        self.0.lock().expect("unpoisoned").extend_from_slice(entries);
        Ok(())
    }
}

/// Steps until nothing is open; the clock goes on by ten minutes a step.
async fn finish(delivery: &mut Delivery, journal: &mut Kept) {
    let clock = AtomicU64::new(NOW);
    for _ in 0..50 {
        let told = || clock.load(Ordering::Relaxed);
        delivery.step(journal, &mut |_, _| Gate::Go, &told).await.expect("the journal keeps");
        clock.fetch_add(600_000, Ordering::Relaxed);
        if delivery.outbox().open() == 0 {
            return;
        }
    }
    panic!("not done: {:?}", delivery.outbox());
}

#[tokio::test]
async fn a_lost_answer_repeats_a_webhook_under_its_key_and_never_a_mail() {
    // The first takes it and hangs up, the second takes it and is silent, then it is taken with an answer.
    let (receiver, hook) = Receiver::open(|n| match n {
        0 => Answer::Hang,
        1 => Answer::Silent,
        _ => Answer::Status("200 OK", ""),
    })
    .await;
    let (sink, post) = Sink::open(|_| Mood::Hang).await;
    let channels: Vec<Box<dyn Channel>> = vec![Box::new(webhook(hook)), Box::new(smtp(post))];
    let params = DeliverParams { timeout_ms: 300, ..DeliverParams::default() };
    let mut delivery = Delivery::new(params, Outbox::default(), channels).expect("sound parameters");
    let mut journal = Kept::default();
    let (push, mail) = (message(1, ChannelKind::Webhook), message(2, ChannelKind::Email));
    assert!(delivery.plan(&mut journal, push.clone()).expect("room"));
    assert!(delivery.plan(&mut journal, mail.clone()).expect("room"));
    assert!(!delivery.plan(&mut journal, mail.clone()).expect("room"), "a known key");
    finish(&mut delivery, &mut journal).await;
    assert_eq!(delivery.outbox().state(push.key), Some((State::Sent, 3)));
    assert_eq!(delivery.outbox().state(mail.key), Some((State::Dead, 1)));
    assert_eq!(receiver.taken().len(), 3);
    assert_eq!(receiver.once.lock().expect("unpoisoned").len(), 1, "one key for the receiver");
    assert_eq!(sink.taken().len(), 1, "one mail");
    // What the journal says is where it stands.
    let mut again = Outbox::default();
    assert_eq!(again.replay(journal.0.lock().expect("unpoisoned").iter()).expect("entries"), 0);
    assert_eq!(again.state(push.key), Some((State::Sent, 3)));
}

#[tokio::test]
async fn a_step_that_is_dropped_in_mid_send_leaves_an_unknown_outcome() {
    let (receiver, hook) = Receiver::open(|n| if n == 0 { Answer::Silent } else { Answer::Status("200 OK", "") }).await;
    let channels: Vec<Box<dyn Channel>> = vec![Box::new(webhook(hook))];
    let mut delivery = Delivery::new(DeliverParams::default(), Outbox::default(), channels).expect("sound parameters");
    let mut journal = Kept::default();
    let push = message(1, ChannelKind::Webhook);
    delivery.plan(&mut journal, push.clone()).expect("room");
    let mut gate = |_: &notifications::Message, _: u64| Gate::Go;
    let half = delivery.step(&mut journal, &mut gate, &|| NOW);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(200), half).await.is_err(), "it was dropped");
    assert_eq!(delivery.outbox().state(push.key), Some((State::Sending, 1)));
    finish(&mut delivery, &mut journal).await;
    assert_eq!(delivery.outbox().state(push.key), Some((State::Sent, 2)));
    assert_eq!(receiver.once.lock().expect("unpoisoned").len(), 1);
}

#[tokio::test]
async fn the_apps_list_is_a_channel_like_any_other() {
    let inbox = Arc::new(Mutex::new(Inbox::default()));
    let ours = inbox.clone();
    let channel = InApp::new(Box::new(move |entry| {
        ours.lock().expect("unpoisoned").apply(entry);
        Ok(())
    }));
    let message = message(1, ChannelKind::InApp);
    for _ in 0..2 {
        assert_eq!(channel.send(&message, NOW).await, Outcome::Accepted);
    }
    assert_eq!(inbox.lock().expect("unpoisoned").list("ann").count(), 1);
    let full = InApp::new(Box::new(|_| Err("disk full".to_owned())));
    assert_eq!(full.send(&message, NOW).await, Outcome::Unknown("disk full".to_owned()));
}
