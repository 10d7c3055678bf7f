use super::*;
use domain::Rng;

const DAY_MS: u64 = 86_400_000;
const NOW_MS: u64 = 20_000 * DAY_MS;

fn query(text: &str, popularity: f32, days_ago: u64) -> LoggedQuery {
    LoggedQuery { text: text.to_owned(), popularity, last_ms: NOW_MS - days_ago * DAY_MS }
}

fn completer() -> Completer {
    let queries = [
        ("blue shirt", 900.0, 0),
        ("blue shirts", 500.0, 0),
        ("shirt blue", 400.0, 0),
        ("shirt dress", 50.0, 0),
        ("shirts for men", 40.0, 0),
        ("shiny shoes", 800.0, 90),
        ("red ship", 30.0, 0),
        ("chérie été", 5.0, 1),
        ("日本 の 庭", 5.0, 1),
    ];
    Completer::new(CompleterParams::default(), queries.map(|(text, many, days)| query(text, many, days)).into())
}

fn texts(completer: &Completer, typed: &str, own: &[&str]) -> Vec<String> {
    completer.complete(typed, 10, NOW_MS, own).into_iter().map(|completion| completion.text).collect()
}

#[test]
fn beginnings_come_before_words_inside_and_recent_before_old() {
    // 800 asked three half-lives ago are 100; "blue shirts" and "blue shirt" mean what "shirt blue" does.
    let expected = ["shirt blue", "shiny shoes", "shirt dress", "shirts for men", "red ship"];
    assert_eq!(texts(&completer(), "shi", &[]), expected);
    assert_eq!(texts(&completer(), "blue", &[]), ["blue shirt"]);
    assert_eq!(texts(&completer(), "b", &[]), ["blue shirt"]);
    assert_eq!(texts(&completer(), "skirt blue", &[]), ["shirt blue"]);
    assert_eq!(texts(&completer(), "été", &[]), ["chérie été"]);
    assert_eq!(texts(&completer(), "日", &[]), ["日本 の 庭"]);
    let found = completer().complete("shi", 2, NOW_MS + 30 * DAY_MS, &[]);
    assert_eq!(found.len(), 2);
    assert!((found[0].score - 200.0).abs() < 0.1, "a half-life later: {found:?}");
}

#[test]
fn one_mistake_is_forgiven_below_what_is_exact() {
    let completer = completer();
    for typed in ["blie", "bleu", "lue s", "bblue", "blu s"] {
        let found = completer.complete(typed, 10, NOW_MS, &[]);
        assert_eq!(found[0].text, "blue shirt", "{typed}: {found:?}");
        assert_eq!(found[0].kind, CompletionKind::BeginningNearly, "{typed}: {found:?}");
    }
    assert_eq!(texts(&completer, "bli", &[]), [""; 0], "three letters are too few");
    let found = completer.complete("ship", 10, NOW_MS, &[]);
    assert_eq!((found[0].text.as_str(), found[0].kind), ("red ship", CompletionKind::Inside));
    assert!(found[1..].iter().all(|other| other.kind > CompletionKind::Inside) && found.len() > 3, "{found:?}");
}

#[test]
fn own_queries_are_boosted_and_kept_to_their_kind() {
    let completer = completer();
    assert_eq!(texts(&completer, "shi", &["shirts for men"])[0], "shirts for men");
    assert_eq!(texts(&completer, "ship", &["ship in a bottle"])[..2], ["ship in a bottle", "red ship"]);
    let inside = texts(&completer, "shi", &["wooden ship"]);
    assert_eq!(inside.iter().position(|text| text == "wooden ship"), Some(4), "{inside:?}");
    assert_eq!(texts(&completer, "shi", &["red chair"]), texts(&completer, "shi", &[]));
    assert!(completer.complete("shi", 1, NOW_MS, &["shirts for men"])[0].own);
}

#[test]
fn what_is_asked_now_is_offered_now() {
    let mut completer = completer();
    assert!(completer.record(query("shimmer top", 2_000.0, 0)));
    assert!(completer.record(query("shirt dress", 1_000.0, 0)));
    let expected = ["shimmer top", "shirt dress", "shirt blue", "shiny shoes", "shirts for men", "red ship"];
    assert_eq!(texts(&completer, "shi", &[]), expected);
    assert_eq!(texts(&completer, "shimnr", &[]), [""; 0]);
    assert_eq!(texts(&completer, "shimer", &[]), ["shimmer top"]);
    let merged = completer.merged();
    assert_eq!((merged.len(), merged.live.len()), (10, 0));
    assert_eq!(texts(&merged, "shi", &[]), expected);
    let score = |completer: &Completer| completer.complete("shirt d", 1, NOW_MS, &[])[0].score;
    assert!((score(&merged) - 1_050.0).abs() < 0.1 && (score(&completer) - 1_050.0).abs() < 0.1);
}

#[test]
fn everything_is_bounded() {
    let params = CompleterParams { entries_max: 3, live_max: 1, ..CompleterParams::default() };
    let queries = (1..=9).map(|at| query(&format!("query {at}"), at as f32, 0)).collect();
    let mut completer = Completer::new(params, queries);
    assert_eq!(texts(&completer, "q", &[]), ["query 9", "query 8", "query 7"]);
    assert!(completer.record(query("new", 1.0, 0)) && !completer.record(query("other", 1.0, 0)));
    assert!(completer.record(query("new", 1.0, 0)), "what is known is counted");
    for refused in [query(&"x".repeat(201), 1.0, 0), query("?!", 1.0, 0), query("x", f32::NAN, 0), query("x", 0.0, 0)] {
        assert!(!completer.record(refused));
    }
    assert_eq!(completer.merged().len(), 3);
    assert!(
        texts(&completer, &"q".repeat(QUERY_BYTES_MAX + 1), &[]).is_empty() && texts(&completer, " ", &[]).is_empty()
    );
    let many = (0..300).map(|at| query(&format!("q{at}"), 1.0, 0)).collect();
    assert_eq!(Completer::new(CompleterParams::default(), many).complete("q", 1_000, 0, &[]).len(), COMPLETIONS_MAX);
}

fn drawn(rng: &mut Rng, words: u32) -> String {
    const LETTERS: [char; 10] = ['a', 'b', 'b', 's', 'é', 'ß', '日', '👗', '-', '\u{301}'];
    let word = |rng: &mut Rng| (0..1 + rng.below(4)).map(|_| LETTERS[rng.below(10) as usize]).collect::<String>();
    (0..1 + rng.below(words)).map(|_| word(rng)).collect::<Vec<_>>().join(" ")
}

/// All completions without an index: by looking at every query.
fn looked_for(queries: &BTreeMap<String, f32>, typed: &str) -> Vec<String> {
    let kinds = |text: &str| {
        let all = [
            CompletionKind::Beginning,
            CompletionKind::Inside,
            CompletionKind::BeginningNearly,
            CompletionKind::InsideNearly,
        ];
        all.into_iter()
            .find(|kind| fits(text, typed, *kind) && (*kind <= CompletionKind::Inside || typed.chars().count() > 3))
    };
    let mut found: Vec<_> = queries.iter().filter_map(|(text, score)| Some((kinds(text)?, -score, text))).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(b.2)));
    let mut seen = HashSet::new();
    let distinct = found.into_iter().filter(|(_, _, text)| seen.insert(form(text, FORM_WORDS_MAX)));
    distinct.map(|(_, _, text)| text.clone()).collect()
}

#[test]
fn every_text_is_answered_as_by_looking_at_all() {
    let mut rng = Rng::new(9);
    let mut queries = BTreeMap::new();
    for at in 0..400u32 {
        let text = drawn(&mut rng, 4);
        if text.chars().any(char::is_alphanumeric) {
            queries.insert(text, 1.0 + at as f32);
        }
    }
    let logged = queries.iter().map(|(text, popularity)| query(text, *popularity, 0)).collect();
    let completer = Completer::new(CompleterParams::default(), logged);
    let mut answers = 0;
    for _ in 0..2_000 {
        let typed = drawn(&mut rng, 3);
        let found: Vec<String> =
            completer.complete(&typed, 5, NOW_MS, &[]).into_iter().map(|completion| completion.text).collect();
        let expected = looked_for(&queries, &typed);
        assert_eq!(found, expected[..expected.len().min(5)], "{typed:?}");
        answers += found.len();
    }
    assert!(answers > 2_000, "{answers}");
}
