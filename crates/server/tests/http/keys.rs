//! Who may do what.

use crate::harness::with;
use server::{Key, Keys, Limits, Role};

#[test]
fn roles_allow_what_they_should() {
    let made: Vec<(String, Key)> =
        [Role::Read, Role::Write, Role::Admin].map(|role| Key::generate(role.as_str(), role).unwrap()).into();
    let lines: Vec<String> = made.iter().map(|(_, key)| key.to_string()).collect();
    let nest = with(Keys::parse(lines.iter().map(String::as_str)).unwrap(), Limits::default());
    let row = br#"{"pinner":"ann","action":"save","pin":"p"}"#;
    let ask = |method: &str, path: &str, key: Option<&str>| {
        let bearer = key.map(|key| format!("Bearer {key}"));
        let mut headers = vec![("content-type", "application/json"), ("host", "feeds.example")];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        nest.send(method, path, &headers, if method == "POST" { row } else { b"" }).status
    };
    let [read, write, admin] = [0, 1, 2].map(|at| Some(made[at].0.as_str()));
    let wrong = Some("bbk_0000000000000000000000000000000000000000000000000000000000000000");
    for (method, path, statuses) in [
        ("GET", "/health/live", [200, 200, 200, 200, 200]),
        ("GET", "/health/ready", [200, 200, 200, 200, 200]),
        ("GET", "/openapi.json", [200, 200, 200, 200, 200]),
        ("GET", "/v1/feed/ann", [401, 401, 200, 200, 200]),
        ("GET", "/metrics", [401, 401, 200, 200, 200]),
        ("GET", "/", [401, 401, 200, 200, 200]),
        ("GET", "/media/thumbs/x.jpg", [401, 401, 404, 404, 404]),
        ("POST", "/v1/events", [401, 401, 403, 200, 200]),
        ("DELETE", "/v1/pins/x", [401, 401, 403, 404, 404]),
        ("GET", "/console", [401, 401, 403, 403, 200]),
    ] {
        let got = [None, wrong, read, write, admin].map(|key| ask(method, path, key));
        assert_eq!(got, statuses, "{method} {path}");
    }
    let refused = nest.send("GET", "/v1/feed/ann", &[], b"");
    assert!(refused.problem(401).contains("Authorization: Bearer"));
    assert!(refused.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer")));
}

#[test]
fn a_person_logs_in_with_a_cookie() {
    let (secret, key) = Key::generate("ann", Role::Write).unwrap();
    let nest = with(Keys::parse([key.to_string().as_str()]).unwrap(), Limits::default());
    let html = ("accept", "text/html");
    let sent_away = nest.send("GET", "/as/ann?cursor=", &[html], b"");
    assert_eq!((sent_away.status, sent_away.header("location")), (303, Some("/login?next=%2Fas%2Fann%3Fcursor%3D")));
    let form = |key: &str, next: &str| {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        nest.send("POST", "/login", &[html, kind], format!("next={next}&key={key}").as_bytes())
    };
    let wrong = form("bbk_1", "%2F");
    assert!(wrong.text().contains("not known here") && wrong.header("set-cookie").is_none());
    let right = form(&secret, "%2Fas%2Fann");
    assert_eq!((right.status, right.header("location")), (303, Some("/as/ann")));
    let cookie = right.header("set-cookie").unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert_eq!(form(&secret, "https:%2F%2Fevil.example").header("location"), Some("/"));
    let pair = cookie.split(';').next().unwrap();
    assert_eq!(nest.send("GET", "/as/ann", &[html, ("cookie", pair)], b"").status, 200);
    assert_eq!(nest.send("GET", "/as/ann", &[html, ("cookie", "bowerbird_key=x")], b"").status, 303);
    let out = nest.send("POST", "/logout", &[("cookie", pair)], b"");
    assert!(out.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")));
}

#[test]
fn an_open_server_does_not_listen_to_others() {
    let nest = with(Keys::default(), Limits::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
        server::serve(listener, nest.app.clone(), std::future::pending()).await.expect_err("nobody asks for a key")
    });
    assert!(error.to_string().contains("no keys are configured"), "{error}");
}
