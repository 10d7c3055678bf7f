use super::*;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the endpoint says to the questions that come, in this order; a good answer to all others.
#[derive(Clone)]
enum Says {
    Status(u16, &'static str),
    Content(&'static str),
    /// Nothing for longer than anybody waits.
    Nothing,
}

/// A real endpoint on this machine with a script.
struct Scripted {
    url: String,
    bodies: Arc<Mutex<Vec<(String, serde_json::Value)>>>,
    most_at_once: Arc<Mutex<(usize, usize)>>,
}

impl Scripted {
    fn start(script: Vec<Says>) -> Scripted {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("set");
        let url = format!("http://{}/v1", listener.local_addr().expect("bound"));
        let (bodies, most_at_once) = (Arc::default(), Arc::default());
        let (script, heard, at_once) =
            (Arc::new(Mutex::new(VecDeque::from(script))), Arc::clone(&bodies), Arc::clone(&most_at_once));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).expect("listening");
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(talk(stream, Arc::clone(&script), Arc::clone(&heard), Arc::clone(&at_once)));
                }
            });
        });
        Scripted { url, bodies, most_at_once }
    }

    fn config(&self) -> RelevanceConfig {
        let (url, model) = (self.url.clone(), "judge-1".to_owned());
        RelevanceConfig { url, model, concurrency_max: 3, retries_max: 2, ..RelevanceConfig::default() }
    }

    fn heard(&self) -> usize {
        self.bodies.lock().expect("whole").len()
    }
}

async fn talk(
    mut stream: TcpStream,
    script: Arc<Mutex<VecDeque<Says>>>,
    heard: Arc<Mutex<Vec<(String, serde_json::Value)>>>,
    at_once: Arc<Mutex<(usize, usize)>>,
) {
    let mut bytes = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            let mut some = [0; 4096];
            match stream.read(&mut some).await {
                Ok(read) if read > 0 => bytes.extend_from_slice(&some[..read]),
                _ => return,
            }
        };
        let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.expect("a length").trim().parse().expect("a number");
        while bytes.len() < head + length {
            let mut some = [0; 4096];
            match stream.read(&mut some).await {
                Ok(read) if read > 0 => bytes.extend_from_slice(&some[..read]),
                _ => return,
            }
        }
        let body = serde_json::from_slice(&bytes[head..head + length]).expect("JSON");
        bytes.drain(..head + length);
        heard.lock().expect("whole").push((text, body));
        let says = script.lock().expect("whole").pop_front();
        {
            let mut at_once = at_once.lock().expect("whole");
            at_once.0 += 1;
            at_once.1 = at_once.1.max(at_once.0);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        let answer = match says.unwrap_or(Says::Content("{\"reason\":\"fits\",\"level\":3}")) {
            Says::Status(status, body) => {
                format!("HTTP/1.1 {status} So\r\nretry-after: 0\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            }
            Says::Content(content) => {
                let body = serde_json::json!({
                    "choices": [{"message": {"content": content}}],
                    "usage": {"prompt_tokens": 400, "completion_tokens": 20},
                });
                let body = body.to_string();
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            }
            Says::Nothing => {
                tokio::time::sleep(Duration::from_secs(3)).await;
                String::new()
            }
        };
        at_once.lock().expect("whole").0 -= 1;
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn questions(count: usize) -> Vec<Question> {
    let pin = |place: usize| PinWords { title: format!("lamp {place} {{topics}}"), ..PinWords::default() };
    (0..count).map(|place| Question { place, query: "blue lamp".into(), pin: pin(place) }).collect()
}

fn endpoint(config: &RelevanceConfig, folder: &Path) -> Endpoint {
    let endpoint = Endpoint::with_key(config, folder, Some("sesame".into())).expect("configured");
    Endpoint { client: endpoint.client.hasty(), ..endpoint }
}

fn ask(endpoint: &Endpoint, questions: &[Question]) -> (Result<Asked>, Vec<(usize, usize)>) {
    let mut found = Vec::new();
    let asked = endpoint.ask(questions, &Progress::quiet(), &Stop::default(), |place, level| {
        found.push((place, level));
        Ok(())
    });
    found.sort_unstable();
    (asked, found)
}

#[test]
fn what_fails_for_now_is_asked_again_and_nothing_is_paid_for_twice() {
    let script = vec![
        Says::Status(429, "slow down"),
        Says::Status(503, ""),
        Says::Content("I would say four"),
        Says::Nothing,
        Says::Content("{\"reason\":\"no\",\"level\":9}"),
    ];
    let (server, folder) = (Scripted::start(script), tempfile::tempdir().expect("a folder"));
    let endpoint = endpoint(&server.config(), folder.path());
    let (asked, found) = ask(&endpoint, &questions(8));
    let asked = asked.expect("asked");
    assert_eq!((asked.answered, asked.cached, asked.failed, asked.left), (8, 0, 0, 0));
    assert_eq!(found, (0..8).map(|place| (place, 3)).collect::<Vec<_>>());
    assert_eq!(server.heard(), 8 + 5, "each of the five was asked again");
    assert!(server.most_at_once.lock().expect("whole").1 <= 3, "no more than three at once");
    let (head, body) = server.bodies.lock().expect("whole")[0].clone();
    assert!(head.starts_with("post /v1/chat/completions") && head.contains("authorization: bearer sesame"), "{head}");
    assert_eq!(body["response_format"]["type"], "json_schema");
    let text = body["messages"][0]["content"].as_str().expect("text");
    assert!(text.contains("Query: blue lamp") && text.contains("{topics}"), "what pins say is not a template: {text}");
    let (again, found) = ask(&endpoint, &questions(9));
    let again = again.expect("asked");
    assert_eq!((again.answered, again.cached, found.len(), server.heard()), (9, 8, 9, 14), "one was new");
}

#[test]
fn a_budget_is_kept_and_what_was_answered_stays() {
    let (server, folder) = (Scripted::start(Vec::new()), tempfile::tempdir().expect("a folder"));
    let config = RelevanceConfig { tokens_max: 3_000, concurrency_max: 1, ..server.config() };
    let (asked, found) = ask(&endpoint(&config, folder.path()), &questions(20));
    let asked = asked.expect("asked");
    assert!(asked.answered > 0 && asked.left > 0 && asked.answered + asked.left == 20, "{asked:?}");
    assert_eq!((found.len(), server.heard()), (asked.answered, asked.answered));
    assert!(asked.tokens.iter().sum::<u64>() <= 3_000 && asked.tokens[0] == 400 * asked.answered as u64);
    let priced =
        RelevanceConfig { price_in: 10.0, price_out: 100.0, cost_max: 0.1, concurrency_max: 1, ..server.config() };
    let (asked, _) = ask(&endpoint(&priced, folder.path()), &questions(40));
    let asked = asked.expect("asked");
    assert!(asked.cached > 0 && asked.left > 0 && asked.cost <= 0.1 && asked.cost > 0.0, "{asked:?}");
}

#[test]
fn an_endpoint_that_refuses_or_is_not_there_is_told_at_once() {
    let script = vec![Says::Status(401, "{\"error\":{\"message\":\"no such key\"}}")];
    let (server, folder) = (Scripted::start(script), tempfile::tempdir().expect("a folder"));
    let (asked, found) = ask(&endpoint(&server.config(), folder.path()), &questions(1));
    let error = asked.expect_err("refused").to_string();
    assert!(error.contains("401") && error.contains("no such key") && found.is_empty(), "{error}");
    let unread = Scripted::start(vec![Says::Content("hm"); 90]);
    let (asked, _) = ask(&endpoint(&unread.config(), folder.path()), &questions(40));
    assert!(asked.expect_err("in vain").to_string().contains("20 pairs in a row got no answer"));
    let nobody = RelevanceConfig { url: "http://127.0.0.1:9/v1".into(), ..server.config() };
    let (asked, _) = ask(&endpoint(&nobody, folder.path()), &questions(2));
    assert_eq!(asked.expect("told per pair").failed, 2);
    let open =
        |config: &RelevanceConfig| format!("{:#}", Endpoint::open(config, folder.path()).err().expect("refused"));
    assert!(open(&RelevanceConfig::default()).contains("relevance.url"));
    let keyless = RelevanceConfig { key_env: "A_KEY_THAT_NOBODY_SETS".into(), ..server.config() };
    assert!(open(&keyless).contains("A_KEY_THAT_NOBODY_SETS"));
    let prompt = RelevanceConfig { prompt: "no such file".into(), key_env: String::new(), ..server.config() };
    assert!(open(&prompt).contains("relevance.prompt"));
}
