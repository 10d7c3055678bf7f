use super::*;
use domain::Rng;

fn speller() -> Speller {
    let mut words = SpellerBuilder::new(SpellerParams::default());
    let texts = [
        ("blue shirt for men", 200.0),
        ("white t shirt", 100.0),
        ("red dress for women", 150.0),
        ("black sunglasses", 400.0),
        ("sun hat", 20.0),
        ("wine glasses", 15.0),
        ("leather shoes", 60.0),
        ("running shoes nike air", 60.0),
        ("green tea", 40.0),
        ("team jersey", 40.0),
        ("größe café", 30.0),
        ("синяя рубашка", 50.0),
        ("muave scarf", 1.0),
        ("mauve lipstick", 20.0),
    ];
    texts.iter().for_each(|(text, weight)| words.add_text(text, *weight));
    words.build()
}

fn check(typed: &str, expected: &str) {
    let found = speller().correct(typed);
    assert_eq!(found.text, expected, "{typed}: {found:?}");
    assert!((0.0..=1.0).contains(&found.confidence), "{found:?}");
    assert_eq!(found.changes.is_empty(), typed == expected, "{found:?}");
}

#[test]
fn letters_are_put_right() {
    check("bleu shirt", "blue shirt");
    check("blue shrit", "blue shirt");
    check("dlue shirt", "blue shirt");
    check("leathr sheos", "leather shoes");
    check("sunglases", "sunglasses");
    check("sunglsaes black", "sunglasses black");
    check("cafe", "café");
    check("рубашкка", "рубашка");
}

#[test]
fn the_words_beside_decide() {
    check("green tean", "green tea");
    check("tean jersey", "team jersey");
}

#[test]
fn words_are_split_and_joined() {
    check("blueshirt", "blue shirt");
    check("tshirt", "t shirt");
    check("sun glasses", "sunglasses");
    check("sungl asses", "sunglasses");
    check("sun-glasses", "sunglasses");
    check("wine glasses", "wine glasses");
    check("sun hat", "sun hat");
    // What stands between them is no space.
    check("sun, glasses", "sun, glasses");
}

#[test]
fn what_is_right_stays() {
    for text in ["blue shirt", "Blue  SHIRT!", "muave scarf", "\"red dress\"", "", " ", "?!"] {
        check(text, text);
    }
    // Codes, sizes, numbers: one edit from known words.
    for text in ["b1ue", "shirt2", "shoe5", "42", "air90", "re2"] {
        check(text, text);
    }
    // A plural and a singular that nobody counted.
    check("red scarfs", "red scarfs");
    check("running shoe", "running shoe");
    // A name that nobody counted, and what is longer than a word.
    check("zuckermann", "zuckermann");
    let long = "shirtt".repeat(10);
    check(&long, &long);
    let long = format!("bleu {}", "x".repeat(QUERY_BYTES_MAX));
    check(&long, &long);
}

#[test]
fn changes_say_what_and_how_sure() {
    let speller = speller();
    let found = speller.correct("Nike, bleu shirtt");
    let changes: Vec<_> = found.changes.iter().map(|change| (&change.typed[..], &change.meant[..])).collect();
    assert_eq!((found.text.as_str(), &changes[..]), ("Nike, blue shirt", &[("bleu", "blue"), ("shirtt", "shirt")][..]));
    assert!(found.changes.iter().all(|change| change.confidence >= found.confidence && change.confidence > 0.9));
    let (sure, unsure) = (speller.correct("sunglases"), speller.correct("tem"));
    assert!(sure.confidence > unsure.confidence, "{sure:?} {unsure:?}");
    assert!(speller.knows("SHIRT") && !speller.knows("shirtt"));
}

#[test]
fn words_and_pairs_are_bounded() {
    let params = SpellerParams { words_max: 10, pairs_max: 10, ..SpellerParams::default() };
    let mut words = SpellerBuilder::new(params);
    let name = |number: u32| format!("w{}", char::from_u32('a' as u32 + number).unwrap_or('z'));
    for number in 0..26 {
        words.add_text(&format!("{} {}", name(number), name((number + 1) % 26)), 1.0 + number as f32);
        words.add_pair("wa", &name(number), f32::NAN);
        words.add_word(&name(number), -1.0);
    }
    let speller = words.build();
    assert_eq!(speller.words.len(), 10);
    assert!(speller.knows("wz") && !speller.knows("wc"));
}

#[test]
fn nothing_that_is_typed_breaks_it() {
    let (speller, mut rng) = (speller(), Rng::new(5));
    let parts =
        ["blue", "shirt", "sun", "glasses", "t", " ", "-", "\"", "é", "e\u{301}", "İ", "ß", "日本", "👗", "٣", "a"];
    for _ in 0..3_000 {
        let mut text = String::new();
        for _ in 0..rng.below(12) {
            if rng.below(3) > 0 {
                text.push_str(parts[rng.below(parts.len() as u32) as usize]);
            } else if let Some(letter) = char::from_u32(rng.below(0x11_0000)) {
                text.push(letter);
            }
        }
        let found = speller.correct(&text);
        assert!((0.0..=1.0).contains(&found.confidence), "{text:?} {found:?}");
        assert_eq!(found.changes.is_empty(), found.text == text, "{text:?} {found:?}");
        assert_eq!(speller.correct(&text), found, "{text:?}");
    }
}
