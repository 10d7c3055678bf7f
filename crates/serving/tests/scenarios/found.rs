//! What was found out about pins, and decided, in what is served.

use crate::world::*;
use domain::{Annotated, Clustered, Fact, Params, Pin, Reviewed, Subject, Surface, Verdict};

fn lamps() -> World {
    let world = World::new();
    let lamp = |id: &str| Fact::Pin(Pin { created_ms: NOW_MS - DAY_MS, ..titled(id, "Brass lamp") });
    world.tell(vec![lamp("a"), lamp("b"), lamp("c"), understood("a", [1.0, 0.0]), understood("b", [1.0, 0.1])]);
    world
}

fn clustered(pin: &str, head: &str) -> Fact {
    Fact::Clustered(Clustered { pin: pin.into(), head: head.into() })
}

#[test]
fn of_pins_with_one_picture_one_is_shown_everywhere() {
    let world = lamps();
    assert_eq!(world.keys(&world.search("ann", "brass lamp")).len(), 3);
    world.tell(vec![clustered("b", "a")]);
    for slate in [world.search("ann", "brass lamp"), world.home("ann")] {
        let keys = world.keys(&slate);
        assert_eq!(keys.iter().filter(|key| *key == "a" || *key == "b").count(), 1, "{keys:?}");
        assert!(keys.contains(&"c".to_owned()));
        let dropped = [world.dropped_by(&slate, "a"), world.dropped_by(&slate, "b")];
        assert!(dropped.contains(&Some("near_duplicate")), "{dropped:?}");
    }
    let related = world.related("ann", "a");
    assert_eq!(world.dropped_by(&related, "b"), Some("subject"), "it is the subject once more");
    let mut params: Params = params();
    params.diversity.one_of_a_picture = false;
    let request = world.request("ann", Surface::Search, Subject::Query("brass lamp".into()));
    assert_eq!(world.keys(&world.serve(request, &params)).len(), 3, "unless that is wanted");
    world.tell(vec![clustered("b", "b")]);
    assert_eq!(world.keys(&world.search("ann", "brass lamp")).len(), 3, "it got another picture");
}

#[test]
fn terms_are_words_and_verdicts_hold_until_somebody_decides() {
    let world = lamps();
    let annotated = |verdict| {
        let terms = vec![("art deco".into(), 0.9)];
        Fact::Annotated(Annotated { pin: "c".into(), terms, verdict, ..Annotated::default() })
    };
    let decided = |verdict| Fact::Reviewed(Reviewed { pin: "c".into(), verdict, ts_ms: NOW_MS });
    world.tell(vec![annotated(Verdict::Review)]);
    assert_eq!(world.keys(&world.search("ann", "art deco"))[0], "c");
    world.tell(vec![annotated(Verdict::Hide)]);
    let slate = world.search("ann", "art deco");
    assert_eq!(world.dropped_by(&slate, "c"), Some("withheld"));
    world.tell(vec![decided(Verdict::Show)]);
    assert_eq!(world.keys(&world.search("ann", "art deco"))[0], "c");
    world.tell(vec![decided(Verdict::Hide), annotated(Verdict::Show)]);
    assert_eq!(world.dropped_by(&world.search("ann", "art deco"), "c"), Some("withheld"));
    let world = world.restart();
    world.consumer.catch_up().expect("caught up");
    assert_eq!(world.dropped_by(&world.search("ann", "art deco"), "c"), Some("withheld"), "after a restart");
    world.tell(vec![Fact::Pin(titled("c", "Brass lamp"))]);
    assert_eq!(world.dropped_by(&world.search("ann", "art deco"), "c"), Some("withheld"), "described anew");
}
