//! What an operator does to a server: starting it, stopping it, killing it.

use crate::bowerbird::House;
use std::process::Command;
use std::time::Duration;

#[test]
fn a_stopping_server_knows_what_it_has_just_taken_in() {
    let house = House::new();
    assert_eq!(house.run(&["init"]).code, 0);
    let server = house.serve();
    let describe = |title: &str| format!("{{\"id\":\"p1\",\"title\":\"{title}\"}}");
    let [first, second] = ["first", "second"].map(|title| server.begin_post("/v1/pins", &describe(title)));
    server.terminate();
    while server.listens() {
        std::thread::sleep(Duration::from_millis(10));
    }
    // Whatever was to stop at once has done so by then.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(first.finish().0, 200);
    let (status, body) = second.finish();
    assert_eq!(status, 200, "who changes it must see what was written of it: {body}");
    assert_eq!(server.ended(), 0);
    let kept = house.json(&["sql", "select title from pins where id = 'p1'"]);
    assert_eq!(kept["rows"][0]["title"], "second", "{kept}");
}

#[cfg(unix)]
#[test]
fn a_server_is_alive_while_its_data_is_opened() {
    let house = House::new();
    // Whoever opens a pipe waits until somebody writes to it: nobody ever does.
    let topic = house.data().join("log/catalogue");
    std::fs::create_dir_all(&topic).expect("a folder");
    let made = Command::new("mkfifo").arg(topic.join("00000000000000000000.log")).status().expect("mkfifo runs");
    assert!(made.success());
    let server = house.start();
    let (status, body) = server.get("/health/live");
    assert!(status == 200 && body.contains("\"live\":true"), "{status}: {body}");
    for path in ["/health/ready", "/v1/feed/ann", "/"] {
        let (status, body) = server.get(path);
        assert!(status == 503 && body.contains("still being opened"), "{path}: {status}: {body}");
    }
}
