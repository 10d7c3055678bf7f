use super::*;
use domain::{PinId, Rng};
use std::collections::BTreeSet;

/// What a pin has, by itself.
#[derive(Clone, Default)]
struct Plain {
    language: Option<&'static str>,
    topics: BTreeSet<&'static str>,
    price: Option<f64>,
    known: bool,
}

const LANGUAGES: [&str; 4] = ["en", "de", "fr", "nobody's"];
const TOPICS: [&str; 6] = ["shoes", "bags", "hats", "lamps", "sofas", "rare"];
const PINS: u32 = 3_000;

struct Both {
    columns: Columns,
    plain: Vec<Plain>,
    language: FieldId,
    topic: FieldId,
    price: FieldId,
}

impl Both {
    fn new() -> Both {
        let mut columns = Columns::new();
        let language = columns.field("language", FieldKind::Word).expect("a new field");
        let topic = columns.field("topic", FieldKind::Words).expect("a new field");
        let price = columns.field("price", FieldKind::Number).expect("a new field");
        Both { columns, plain: vec![Plain::default(); PINS as usize], language, topic, price }
    }

    fn change(&mut self, rng: &mut Rng) {
        let pin = PinId(rng.below(PINS));
        let plain = &mut self.plain[pin.index()];
        if rng.below(12) == 0 {
            *plain = Plain::default();
            self.columns.clear(pin);
            return;
        }
        plain.known = true;
        match rng.below(3) {
            0 => {
                plain.language = (rng.below(9) > 0).then(|| LANGUAGES[rng.below(3).min(rng.below(3)) as usize]);
                let word: Vec<&str> = plain.language.into_iter().collect();
                self.columns.set_words(pin, self.language, &word).expect("one word");
            }
            1 => {
                plain.topics = (0..rng.below(4)).map(|_| TOPICS[rng.below(5) as usize]).collect();
                if rng.below(200) == 0 {
                    plain.topics.insert("rare");
                }
                let words: Vec<&str> = plain.topics.iter().copied().collect();
                self.columns.set_words(pin, self.topic, &words).expect("few words");
            }
            _ => {
                plain.price = (rng.below(9) > 0).then(|| f64::from(rng.below(50)));
                self.columns.set_number(pin, self.price, plain.price.unwrap_or(f64::NAN)).expect("a number");
            }
        }
    }
}

fn naive(filter: &Filter, pin: PinId, plain: &Plain) -> bool {
    match filter {
        Filter::Pins(pins) => pins.contains(pin),
        Filter::Is { field, any_of } => any_of.iter().any(|word| match field.as_str() {
            "language" => plain.language == Some(word),
            _ => plain.topics.contains(word.as_str()),
        }),
        Filter::Range { min, max, .. } => plain.price.is_some_and(|price| *min <= price && price <= *max),
        Filter::All(parts) => parts.iter().all(|part| naive(part, pin, plain)),
        Filter::Any(parts) => parts.iter().any(|part| naive(part, pin, plain)),
        Filter::Not(part) => plain.known && !naive(part, pin, plain),
    }
}

fn words(rng: &mut Rng, of: &[&str]) -> Vec<String> {
    (0..1 + rng.below(3)).map(|_| of[rng.below(of.len() as u32) as usize].to_owned()).collect()
}

fn tree(rng: &mut Rng, depth: u32) -> Filter {
    match rng.below(if depth == 0 { 5 } else { 9 }) {
        0 => Filter::Pins(Arc::new((0..rng.below(900)).map(|_| PinId(rng.below(PINS))).collect())),
        1 => Filter::Is { field: "language".to_owned(), any_of: words(rng, &LANGUAGES) },
        2 | 3 => Filter::Is { field: "topic".to_owned(), any_of: words(rng, &TOPICS) },
        4 => {
            let (min, max) = (f64::from(rng.below(60)) - 5.0, f64::from(rng.below(60)) - 5.0);
            Filter::Range { field: "price".to_owned(), min, max }
        }
        5 | 6 => Filter::All((0..rng.below(4)).map(|_| tree(rng, depth - 1)).collect()),
        7 => Filter::Any((0..rng.below(4)).map(|_| tree(rng, depth - 1)).collect()),
        _ => Filter::Not(Box::new(tree(rng, depth - 1))),
    }
}

/// Everything that a bound filter says of a state, against the plain one.
fn check(both: &Both, filter: &Filter) {
    let bound = filter.bind(&both.columns).expect("known fields");
    let passing: Vec<PinId> =
        (0..PINS).map(PinId).filter(|&pin| naive(filter, pin, &both.plain[pin.index()])).collect();
    let found: Vec<PinId> = (0..PINS).map(PinId).filter(|&pin| bound.passes(pin)).collect();
    assert_eq!(found, passing, "{filter:?}");
    let by_words: Vec<PinId> = (0..=PINS as usize / 64)
        .flat_map(|at| pin_set::bits(at, bound.passing(at, u64::MAX >> (64 - (PINS as usize - at * 64).min(64)))))
        .collect();
    assert_eq!(by_words, passing, "{filter:?}");
    if bound.is_everything() {
        assert_eq!((bound.share(), bound.pins(usize::MAX)), (1.0, None));
        return;
    }
    assert_eq!(bound.pins(passing.len()).as_ref(), Some(&passing), "{filter:?}");
    if !passing.is_empty() {
        assert_eq!(bound.pins(passing.len() - 1), None, "{filter:?}");
    }
    let known = both.columns.pins().len();
    let share = passing.len() as f32 / known as f32;
    let off = (bound.share() - share.min(1.0)).abs();
    assert!(off < 0.02 + 0.3 * share, "{} for {share}: {filter:?}", bound.share());
}

#[test]
fn a_bound_filter_answers_as_plain_evaluation_does_while_columns_change() {
    let mut rng = Rng::new(21);
    let mut both = Both::new();
    (0..20_000).for_each(|_| both.change(&mut rng));
    for _ in 0..400 {
        (0..50).for_each(|_| both.change(&mut rng));
        check(&both, &tree(&mut rng, 3));
    }
    assert_eq!(both.columns.pins().len(), both.plain.iter().filter(|plain| plain.known).count());
}

#[test]
fn single_conditions_are_counted_exactly_and_correlation_is_seen() {
    let mut columns = Columns::new();
    let language = columns.field("language", FieldKind::Word).expect("new");
    let topic = columns.field("topic", FieldKind::Words).expect("new");
    let created = columns.field("created", FieldKind::Number).expect("new");
    for pin in 0..50_000 {
        let german = pin % 10 == 0;
        columns.set_words(PinId(pin), language, &[if german { "de" } else { "en" }]).expect("a word");
        // Whatever is German is about hiking, and little else.
        let about: &[&str] = if german || pin % 500 == 1 { &["hiking", "nature"] } else { &["nature"] };
        columns.set_words(PinId(pin), topic, about).expect("words");
        columns.set_number(PinId(pin), created, f64::from(pin)).expect("a number");
    }
    let about = |text: &str| {
        let filter = Filter::parse(text).expect("a filter");
        let bound = filter.bind(&columns).expect("known fields");
        (bound.count(), bound.share())
    };
    assert_eq!(about("language:de"), (5_000, 0.1));
    assert_eq!(about("NOT language:de"), (45_000, 0.9));
    assert_eq!(about("created>=40000"), (10_000, 0.2));
    assert_eq!(about("created>40000 "), (9_999, 0.19998));
    assert_eq!(about("language:xx"), (0, 0.0));
    assert_eq!(about(""), (50_000, 1.0));
    let near = |text, factor: f32, expected: f32| {
        let (_, share) = about(text);
        assert!((1.0 / factor..factor).contains(&(share / expected)), "{text}: {share}, expected about {expected}");
    };
    near("language:de AND topic:hiking", 1.5, 0.1);
    near("language:en AND topic:hiking", 4.0, 0.002);
    near("language:de AND created<5000", 2.0, 0.01);
    near("language:de AND created<500", 4.0, 0.001);
    near("language:(de, en)", 1.5, 1.0);
    near("topic:hiking OR language:de OR created<25000", 1.5, 0.55);
    assert_eq!(columns.most_used(topic, 1), [("nature", 50_000)]);
    assert_eq!(columns.most_used(topic, 9), [("nature", 50_000), ("hiking", 5_100)]);
    assert_eq!((columns.most_used(created, 9), columns.filled(created)), (vec![], 50_000));
}

#[test]
fn text_becomes_the_tree_that_it_says() {
    let is = |field: &str, any_of: &[&str]| Filter::Is {
        field: field.to_owned(),
        any_of: any_of.iter().map(|&word| word.to_owned()).collect(),
    };
    let range = |min, max| Filter::Range { field: "price".to_owned(), min, max };
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let not = |filter| Filter::Not(Box::new(filter));
    let good = [
        ("", Filter::everything()),
        (" \n ", Filter::everything()),
        ("language:en", is("language", &["en"])),
        (" language : en ", is("language", &["en"])),
        ("topic:(shoes, \"hand bags\",x)", is("topic", &["shoes", "hand bags", "x"])),
        ("topic:AND", is("topic", &["AND"])),
        ("link:https://x.y/z?a=b", is("link", &["https://x.y/z?a=b"])),
        (r#"t:"a \"b\" \\ AND (c""#, is("t", &[r#"a "b" \ AND (c"#])),
        ("t:\"\"", is("t", &[""])),
        ("price<=20", range(low, 20.0)),
        ("price >= -1.5e3", range(-1_500.0, high)),
        ("price=7", range(7.0, 7.0)),
        ("price<7", range(low, 7f64.next_down())),
        ("price>7", range(7f64.next_up(), high)),
        ("NOT a:b", not(is("a", &["b"]))),
        ("NOT NOT(a:b)", not(not(is("a", &["b"])))),
        ("NOT:b", is("NOT", &["b"])),
        ("a:b AND c:d OR e:f", Filter::Any(vec![Filter::All(vec![is("a", &["b"]), is("c", &["d"])]), is("e", &["f"])])),
        (
            "a:b AND (c:日本語 OR NOT e:f)AND price=1",
            Filter::All(vec![
                is("a", &["b"]),
                Filter::Any(vec![is("c", &["日本語"]), not(is("e", &["f"]))]),
                range(1.0, 1.0),
            ]),
        ),
    ];
    for (text, filter) in good {
        assert_eq!(Filter::parse(text), Ok(filter), "{text}");
    }
}

#[test]
fn text_that_is_no_filter_is_told_where_and_why() {
    let said = |text: &str| Filter::parse(text).expect_err(text).to_string();
    let sign = "':', '<', '<=', '=', '>=' or '>' behind the name of a field";
    let condition = "a condition such as language:en, NOT or '('";
    assert_eq!(said("language"), format!("filter, character 9: expected {sign}, found the end"));
    assert_eq!(said("język:pl"), format!("filter, character 2: expected {sign}, found 'ęzyk:pl'"));
    assert_eq!(said("language:"), "filter, character 10: expected a word, found the end");
    assert_eq!(said("ü:x"), format!("filter, character 1: expected {condition}, found 'ü:x'"));
    assert_eq!(said("a:ü AND"), format!("filter, character 8: expected {condition}, found the end"));
    assert_eq!(said("a:b c:d"), "filter, character 5: expected AND, OR or the end, found 'c:d'");
    assert_eq!(said("a:b and c:d"), "filter, character 5: expected AND, OR or the end, found 'and c:d'");
    assert_eq!(said("(a:b"), "filter, character 5: expected AND, OR or ')', found the end");
    assert_eq!(said("a:b)"), "filter, character 4: expected AND, OR or the end, found ')'");
    assert_eq!(said("a:(b c)"), "filter, character 6: expected ',' or ')', found 'c)'");
    assert_eq!(said("a:(b,)"), "filter, character 6: expected a word, found ')'");
    assert_eq!(said("a:\"b"), "filter, character 5: expected a quote that closes the word, found the end");
    assert_eq!(said(r#"a:"b\n""#), "filter, character 5: expected \\\" or \\\\ inside of quotes, found '\\n\"'");
    assert_eq!(said("price<=cheap"), "filter, character 8: expected a number, found 'cheap'");
    assert_eq!(said("price<=NaN"), "filter, character 8: expected a number, found 'NaN'");
    assert_eq!(said("price>1e999"), "filter, character 7: expected a number, found '1e999'");
    let long = said(&format!("a:b {}", "c".repeat(50)));
    assert_eq!(long, format!("filter, character 5: expected AND, OR or the end, found '{}…'", "c".repeat(20)));
    assert_eq!(said(&"(".repeat(500)), "nested parts of a filter: 9, at most 8");
    assert_eq!(said(&"NOT ".repeat(500)), "nested parts of a filter: 9, at most 8");
    assert_eq!(said(&format!("a:(b{})", ",b".repeat(1_100))), "parts of a filter: 1025, at most 1024");
    assert_eq!(said(&"x".repeat(4_001)), "bytes of a filter: 4001, at most 4000");
    // Anything may come; nothing may panic, and what is a filter can be bound.
    let mut rng = Rng::new(4);
    let pieces = ["a", ":", "(", ")", ",", "\"", "\\", " ", "AND", "OR", "NOT", "<=", "=", "1", "ß", "\u{2003}", "-"];
    let (mut columns, mut filters) = (Columns::new(), 0);
    columns.field("a", FieldKind::Word).expect("new");
    for _ in 0..20_000 {
        let text: String = (0..rng.below(12)).map(|_| pieces[rng.below(17) as usize]).collect();
        if let Ok(filter) = Filter::parse(&text) {
            filters += 1;
            assert!(!matches!(filter.bind(&columns), Err(FilterError::TooMany { .. })), "{text}");
        }
    }
    assert!(filters > 100, "{filters}");
    let deepest = format!("{}a:b{}", "(a:b OR a:b AND ".repeat(7), ")".repeat(7));
    assert!(Filter::parse(&deepest).expect("nested seven times").bind(&columns).is_ok());
}

#[test]
fn fields_are_checked_by_name_and_kind() {
    let mut columns = Columns::new();
    let price = columns.field("price", FieldKind::Number).expect("new");
    let topic = columns.field("topic", FieldKind::Words).expect("new");
    assert_eq!(columns.field("topic", FieldKind::Words), Ok(topic), "the same again");
    let said = |result: Result<FieldId, FilterError>| result.expect_err("refused").to_string();
    assert_eq!(said(columns.field("topic", FieldKind::Word)), "field 'topic' is there already and holds words");
    assert!(said(columns.field("a b", FieldKind::Word)).starts_with("filter, character 2: expected a name"));
    assert!(said(columns.field(&"a".repeat(65), FieldKind::Word)).ends_with("65, at most 64"));
    let said = |result: Result<(), FilterError>| result.expect_err("refused").to_string();
    assert_eq!(said(columns.set_words(PinId(0), price, &[])), "field 'price' holds a number, not words");
    assert_eq!(said(columns.set_number(PinId(0), topic, 1.0)), "field 'topic' holds words, not a number");
    let said = |text: &str| {
        let filter = Filter::parse(text).expect("a filter");
        filter.bind(&columns).expect_err("refused").to_string()
    };
    assert_eq!(said("creator:x"), "filter: no field 'creator'; there are: price, topic");
    assert_eq!(said("price:20"), "field 'price' holds a number, not words (field:word)");
    assert_eq!(said("NOT topic=3"), "field 'topic' holds words, not numbers (field>=number)");
    let mut deep = Filter::everything();
    for _ in 0..30 {
        deep = Filter::Not(Box::new(deep));
    }
    assert!(deep.bind(&columns).expect_err("too deep").to_string().contains("at most 24"));
    let wide = Filter::Any(vec![Filter::everything(); 2_000]);
    assert!(wide.bind(&columns).expect_err("too wide").to_string().contains("at most 1024"));
    for at in 2..64 {
        columns.field(&format!("f{at}"), FieldKind::Number).expect("room");
    }
    assert!(columns.field("one_more", FieldKind::Number).is_err());
}

#[test]
fn filters_joined_by_and_stay_flat() {
    let a = || Filter::parse("a:b").expect("a filter");
    let both = a().and(a()).and(a()).and(Filter::everything());
    assert_eq!(both, Filter::All(vec![a(), a(), a()]));
    assert!(Filter::everything().bind(&Columns::new()).expect("no field").is_everything());
    assert!(Bound::everything().is_everything() && Bound::everything().passes(PinId(7)));
}

#[test]
fn a_snapshot_of_columns_answers_the_same_and_goes_on() {
    let (mut both, mut rng) = (Both::new(), Rng::new(21));
    let written = |columns: &Columns| {
        let mut out = Vec::new();
        columns.write(&mut out).expect("memory takes bytes");
        out
    };
    for round in 0..4 {
        (0..4_000).for_each(|_| both.change(&mut rng));
        let bytes = written(&both.columns);
        both.columns = Columns::open(&bytes.clone().into()).expect("intact");
        assert_eq!(written(&both.columns), bytes);
        for text in ["language:en", "topic:(shoes, rare) AND NOT language:de", "price<=20 OR topic:bags", "price>=48"] {
            let filter = Filter::parse(text).expect("a filter");
            let bound = filter.bind(&both.columns).expect("known fields");
            let naive = |pin: &u32| passes(&both.plain[*pin as usize], text);
            let expected: Vec<PinId> = (0..PINS).filter(naive).map(PinId).collect();
            let found: Vec<PinId> = (0..PINS).map(PinId).filter(|&pin| bound.passes(pin)).collect();
            assert_eq!(found, expected, "round {round}: {text}");
            assert_eq!(bound.pins(usize::MAX), Some(expected), "round {round}: {text}");
        }
        let cut = bytes[..bytes.len() - 1].to_vec();
        assert!(Columns::open(&cut.into()).is_err());
    }
}

fn passes(pin: &Plain, text: &str) -> bool {
    let (shoes, bags) = (pin.topics.contains("shoes") || pin.topics.contains("rare"), pin.topics.contains("bags"));
    match text {
        "language:en" => pin.language == Some("en"),
        "price>=48" => pin.price.is_some_and(|price| price >= 48.0),
        "price<=20 OR topic:bags" => bags || pin.price.is_some_and(|price| price <= 20.0),
        _ => shoes && pin.language != Some("de"),
    }
}
