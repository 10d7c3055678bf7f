use super::merge::SEGMENTS_TO_MERGE;
use super::*;
use crate::filter::{Columns, Filter, PinSet};
use domain::Rng;
use std::collections::BTreeSet;

const NOTHING: [u32; 0] = [];

fn pins(found: &[(PinId, f32)]) -> Vec<u32> {
    found.iter().map(|(pin, _)| pin.0).collect()
}

fn titled(titles: &[&str]) -> TextIndex {
    let mut index = TextIndex::new().expect("an index in memory");
    for (pin, title) in titles.iter().enumerate() {
        put(&mut index, pin as u32, title);
    }
    index.commit().expect("commits");
    index
}

fn put(index: &mut TextIndex, pin: u32, title: &str) {
    index.upsert(PinId(pin), &TextDocument { title, ..TextDocument::default() }).expect("takes words");
}

fn find(index: &TextIndex, text: &str) -> Vec<u32> {
    pins(&index.search(text, 10).expect("any text can be searched for"))
}

#[test]
fn every_field_is_found_and_the_title_weighs_most() {
    let mut index = TextIndex::new().expect("an index in memory");
    let named = ["copper".to_owned()];
    let plain = TextDocument { title: "lamp", description: "warm light", ..TextDocument::default() };
    let documents = [
        TextDocument { boards: &named, ..plain },
        TextDocument { topics: &named, ..plain },
        TextDocument { description: "copper light", ..plain },
        TextDocument { title: "copper", ..plain },
        plain,
    ];
    for (pin, document) in documents.iter().enumerate() {
        index.upsert(PinId(pin as u32), document).expect("takes words");
    }
    index.commit().expect("commits");
    let found = find(&index, "copper");
    assert_eq!((found.len(), found[0]), (4, 3), "{found:?}");
}

#[test]
fn endings_do_not_matter_but_the_word_as_written_comes_first() {
    let index = titled(&["painting walls", "painted walls", "paints for walls", "green sofa"]);
    let found = find(&index, "painted ");
    assert_eq!(found.len(), 3);
    assert_eq!(found[0], 1);
    assert_eq!(find(&titled(&["Crème Brûlée"]), "creme BRULEE"), [0], "nor do case and accents");
}

#[test]
fn the_last_word_may_be_unfinished() {
    let index = titled(&["scandinavian kitchen", "small scarf", "kitten"]);
    assert_eq!(find(&index, "scandi"), [0]);
    assert_eq!(find(&index, "small kit"), [1, 2, 0], "a whole word counts more than a begun one");
    assert_eq!(find(&index, "scandi "), NOTHING, "a finished word is not completed");
    assert_eq!(find(&index, "s"), NOTHING, "one letter begins too much");
}

#[test]
fn misspelled_words_find_what_was_meant_unless_they_exist() {
    let index = titled(&["velvet armchair", "blue vase", "base coat"]);
    assert_eq!(find(&index, "velvte chair "), [0], "two letters changed places");
    assert_eq!(find(&index, "armhcairr "), [0], "two letters wrong in a long word");
    assert_eq!(find(&index, "vxlvxt "), NOTHING, "two letters wrong in a short word");
    assert_eq!(find(&index, "vse "), NOTHING, "three letters are too few to guess");
    assert_eq!(find(&index, "base "), [2], "a word that exists is meant as it is");
    let exact = index.search("velvet ", 1).expect("searches")[0].1;
    let guessed = index.search("velvat ", 1).expect("searches")[0].1;
    assert!(guessed < exact, "{guessed} {exact}");
}

#[test]
fn any_text_is_only_words_and_phrases() {
    let index = titled(&["title of a vase", "and or not"]);
    let odd = [
        "\"",
        "title:",
        "\"vase",
        "vase\"~3",
        "(((",
        "vase AND",
        "+-vase",
        "[q TO",
        "*",
        "vase^",
        "/vase(/",
        "\\",
        "{}",
        "\0vase",
        "vase\u{202e}",
        "🪴",
        "NOT",
        "title:\"vase\" OR (",
        "?!",
        "''",
        "日本語",
        "vase:[* TO *]",
    ];
    for text in odd {
        let found = find(&index, text);
        assert_eq!(found.contains(&0), text.contains("vase") || text.contains("title"), "{text:?}: {found:?}");
    }
    assert_eq!(find(&index, ""), NOTHING);
    assert_eq!(find(&index, " \t\n . "), NOTHING);
    assert_eq!(find(&index, &"vase ".repeat(101)), NOTHING, "longer than a query may be");
    let many: String = (100..220).map(|word| format!("{word} ")).collect();
    assert_eq!(find(&index, &many), NOTHING, "many unknown words");
    assert_eq!(index.search("vase", 0).expect("searches"), []);
    assert_eq!(pins(&index.search("vase", usize::MAX).expect("searches")), [0]);
    assert_eq!(find(&TextIndex::new().expect("an index in memory"), "vase"), NOTHING, "an index without pins");
}

#[test]
fn words_can_be_replaced_and_taken_away() {
    let mut index = titled(&["red chair", "red table"]);
    put(&mut index, 0, "blue chair");
    index.remove(PinId(1)).expect("removes");
    index.remove(PinId(77)).expect("removes what is not there");
    assert_eq!(find(&index, "red ").len(), 2, "nothing is seen before the commit");
    index.commit().expect("commits");
    assert_eq!(find(&index, "red "), NOTHING);
    assert_eq!(find(&index, "chair "), [0]);
    assert_eq!(index.searcher().len(), 1);
    put(&mut index, 1, "first");
    put(&mut index, 1, "second");
    index.commit().expect("commits");
    assert_eq!((find(&index, "first "), find(&index, "second ")), (vec![], vec![1]), "the last words count");
    let beyond = index.upsert(PinId(u32::MAX), &TextDocument::default());
    assert!(matches!(beyond, Err(IndexError::TooManyPins { .. })));
}

#[test]
fn equal_pins_are_ordered_by_id_across_many_commits() {
    let mut index = TextIndex::new().expect("an index in memory");
    for pin in [7, 3, 9, 1, 8, 2, 6, 4, 5, 0, 11, 10, 13, 12, 15, 14, 17, 16, 19, 18] {
        put(&mut index, pin, "brass lamp");
        index.commit().expect("commits");
    }
    assert_eq!(find(&index, "brass lamp"), (0..10).collect::<Vec<_>>());
    let segments = index.writer.index().searchable_segment_metas().expect("metas").len();
    assert!(segments < SEGMENTS_TO_MERGE, "{segments} segments");
    for pin in 0..20 {
        index.remove(PinId(pin)).expect("removes");
    }
    index.commit().expect("commits");
    assert_eq!(find(&index, "brass lamp"), NOTHING);
}

#[test]
fn searching_goes_on_while_the_index_is_written() {
    let mut index = titled(&["oak shelf"]);
    let searcher = index.searcher();
    std::thread::scope(|threads| {
        let searching = threads.spawn(move || {
            let mut most = 0;
            while most < 200 {
                let found = searcher.search("oak shelf", 1_000).expect("searches").len();
                assert!(found >= most, "what was there is still there");
                most = found;
            }
        });
        for pin in 1..200 {
            put(&mut index, pin, "oak shelf");
            if pin % 20 == 0 {
                index.commit().expect("commits");
            }
        }
        index.commit().expect("commits");
        searching.join().expect("the searching thread");
    });
}

/// Some pins of few words, removed and replaced over several commits.
fn shuffled(seed: u64) -> TextIndex {
    let mut rng = Rng::new(seed);
    let mut index = TextIndex::new().expect("an index in memory");
    let words = ["oak", "brass", "lamp", "shelf", "red", "blue", "chair", "vase"];
    for round in 0..12 {
        for _ in 0..250 {
            let pin = rng.below(1_500);
            if rng.below(5) == 0 {
                index.remove(PinId(pin)).expect("removes");
            } else {
                let title: Vec<&str> = (0..1 + rng.below(5)).map(|_| words[rng.below(8) as usize]).collect();
                let rare = if rng.below(300) == 0 { " opal" } else { "" };
                put(&mut index, pin, &(title.join(" ") + rare));
            }
        }
        if round % 3 == 0 {
            index.commit().expect("commits");
        }
    }
    index.settle().expect("settles");
    index
}

#[test]
fn a_filter_leaves_out_pins_and_changes_nothing_else() {
    let index = shuffled(1);
    let columns = Columns::new();
    let mut rng = Rng::new(2);
    let mut plans = BTreeSet::new();
    for text in ["oak lamp ", "red ", "\"red chair\"", "brass shelf blue vase ", "lamb ", "oa", "opal "] {
        let all = index.search(text, 2_000).expect("searches");
        assert!(all.len() > 40 || (text == "opal " && !all.is_empty()), "{text}: {}", all.len());
        for share in [1.0, 0.5, 0.1, 0.01, 0.0] {
            let passing: PinSet = (0..1_500).map(PinId).filter(|_| rng.uniform() < share).collect();
            let filter = Filter::Pins(Arc::new(passing.clone()));
            let bound = filter.bind(&columns).expect("no field");
            for k in [3, 2_000] {
                let found = index.search_within(text, k, &bound).expect("searches");
                let expected = all.iter().copied().filter(|(pin, _)| passing.contains(*pin)).take(k);
                assert_eq!(found.pins, expected.collect::<Vec<_>>(), "{text}, {share}");
                plans.insert(found.plan.to_string().split(':').next().map(str::to_owned));
            }
        }
    }
    assert_eq!(plans.len(), 2, "{plans:?}");
    let unfiltered = index.search_within("oak", 3, &Bound::everything()).expect("searches");
    assert_eq!(unfiltered.plan, TextPlan::Unfiltered);
}

#[test]
fn quoted_words_must_stand_together() {
    let titles = [
        "red chair",
        "chair, red",
        "red wooden chair",
        "red and very old chair",
        "red chairs",
        "a red chair by a lake",
    ];
    let index = titled(&titles);
    let sorted = |text: &str| {
        let mut found = find(&index, text);
        found.sort_unstable();
        found
    };
    assert_eq!(sorted("red chair "), [0, 1, 2, 3, 4, 5]);
    assert_eq!(sorted("\"red chair\""), [0, 2, 5], "one other word may be in between");
    assert_eq!(sorted("“Red Chair” lake"), [0, 2, 5]);
    assert_eq!(find(&index, "“Red Chair” lake")[0], 5, "other words still count");
    assert_eq!(sorted("\"red chair\" \"a lake\""), [5]);
    assert_eq!(sorted("\"chairs\""), [4], "a quoted word is meant as it is written");
    assert_eq!(sorted("\"chair red\" wooden"), [1]);
    assert_eq!(sorted("\"green chair\""), NOTHING);
    assert_eq!(sorted("\"red chair"), [0, 1, 2, 3, 4, 5], "a quote that nothing closes");
    let long = titled(&[&"a b c d e f g h i j k l m n o p".repeat(2)]);
    assert_eq!(find(&long, "\"a b c d e f g h i j k l m n o p\""), [0]);
}

#[test]
fn annotations_count_by_their_confidence_and_queries_by_their_use() {
    let mut index = TextIndex::new().expect("an index in memory");
    let annotations = [("velvet", 0.9), ("velvet", 0.3), ("velvet", 0.1), ("velvet", f32::NAN), ("velvet", 7.0)];
    for (pin, (annotation, confidence)) in annotations.into_iter().enumerate() {
        let annotations = [(annotation.to_owned(), confidence)];
        let words = TextDocument { title: "chair", annotations: &annotations, ..TextDocument::default() };
        index.upsert(PinId(pin as u32), &words).expect("takes words");
    }
    for (pin, acts) in [(10, 1), (11, 200), (12, 0)] {
        let queries = [("reading corner".to_owned(), acts)];
        let words = TextDocument { title: "chair", queries: &queries, ..TextDocument::default() };
        index.upsert(PinId(pin), &words).expect("takes words");
    }
    index.commit().expect("commits");
    assert_eq!(find(&index, "velvet "), [0, 4, 1], "the more certain first; what is hardly so is not there");
    let mut found = find(&index, "reading corner ");
    found.sort_unstable();
    assert_eq!(found, [10, 11]);
    assert_eq!(
        find(&index, "raeding ")[..1],
        find(&index, "reading corner ")[..1],
        "queries complete and correct words"
    );
    let deaf = index.searcher().weighed(TextWeights { queries: 0.0, written: 0.0, ..TextWeights::default() });
    assert_eq!(deaf.search("reading ", 9).expect("searches"), [], "weights are of searching");
}

#[test]
fn scores_do_not_depend_on_how_segments_lie() {
    let titles: Vec<String> = (0..600).map(|pin| format!("oak {} {}", pin % 7, pin % 11)).collect();
    let found = |commit_every: usize| {
        let mut index = TextIndex::new().expect("an index in memory");
        for (pin, title) in titles.iter().enumerate() {
            put(&mut index, pin as u32, title);
            if pin % commit_every == 0 {
                index.commit().expect("commits");
            }
        }
        index.commit().expect("commits");
        ["oak 3 ", "5 6 10 ", "oak"].map(|text| index.search(text, 700).expect("searches"))
    };
    let one = found(1_000);
    assert_eq!(one[0].len(), 600);
    assert_eq!(one, found(7));
    assert_eq!(one, found(90));
    let (a, b) = (shuffled(5), shuffled(5));
    assert_eq!(a.search("oak red ", 99).expect("searches"), b.search("oak red ", 99).expect("searches"));
}

#[test]
fn large_segments_are_joined_beside_the_commits() {
    let mut index = TextIndex::new().expect("an index in memory");
    let mut beside = 0;
    for pin in 0..30_000u32 {
        put(&mut index, pin, "oak shelf");
        if pin % 4_000 == 3_999 {
            put(&mut index, pin - 3_000, "brass lamp");
            index.commit().expect("commits");
            beside += usize::from(index.beside.is_some());
            let lamps = index.search("brass ", 100).expect("searches").len();
            assert_eq!(lamps as u32, (pin + 1) / 4_000, "what was committed is found");
        }
    }
    assert!(beside > 0, "no join beside");
    index.settle().expect("settles");
    assert!(index.beside.is_none());
    let segments = index.writer.index().searchable_segment_metas().expect("metas").len();
    assert!(segments < SEGMENTS_TO_MERGE, "{segments} segments");
    assert_eq!((index.searcher().len(), find(&index, "brass ").len()), (30_000, 7));
}

#[test]
fn a_snapshot_finds_the_same_and_goes_on() {
    let mut rng = Rng::new(8);
    let mut index = TextIndex::new().expect("an index in memory");
    let title = |rng: &mut Rng| format!("word{} word{}", rng.below(50), rng.below(400));
    for pin in 0..3_000 {
        put(&mut index, pin, &title(&mut rng));
        if pin % 500 == 0 {
            index.commit().expect("commits");
        }
    }
    (0..300).for_each(|pin| index.remove(PinId(pin * 7)).expect("removes"));
    index.commit().expect("commits");
    put(&mut index, 0, "written after the last commit");
    let mut bytes = Vec::new();
    index.snapshot().expect("taken").write(&mut bytes).expect("memory takes bytes");
    let mut opened = TextIndex::open(&bytes.clone().into()).expect("intact");
    assert_eq!(opened.searcher().len(), 2_700);
    let same = |a: &TextIndex, b: &TextIndex| {
        for word in (0..50).map(|word| format!("word{word} ")) {
            assert_eq!(a.search(&word, 100).expect("found"), b.search(&word, 100).expect("found"));
        }
    };
    index.remove(PinId(0)).expect("removes");
    index.commit().expect("commits");
    same(&opened, &index);
    for one in [&mut opened, &mut index] {
        (0..900).for_each(|pin| put(one, pin, "replaced"));
        one.settle().expect("settles");
    }
    same(&opened, &index);
    assert_eq!((opened.searcher().len(), find(&opened, "replaced").len()), (2_829, 10));
    bytes.truncate(bytes.len() - 1);
    assert!(TextIndex::open(&bytes.into()).is_err());
}
