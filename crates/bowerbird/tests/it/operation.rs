//! What an operator does to a server: starting it, stopping it, killing it.

use crate::bowerbird::House;
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
