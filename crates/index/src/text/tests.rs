use super::*;

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
fn any_text_is_only_words() {
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
