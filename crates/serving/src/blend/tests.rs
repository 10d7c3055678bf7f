use super::blend;
use super::kernel::{BLOCK, WINDOW_MAX};
use super::ssd::{RIDGE, Vectors, Window, ssd};
use crate::context::Context;
use crate::rows::Rows;
use crate::run::Cpu;
use crate::spare::Spare;
use crate::views::Views;
use domain::{EventId, Fact, Params, Pin, Request, Rng, RuleAction, RuleParams, Source, Surface};
use domain::{TopicKind, Understood};
use std::collections::HashMap;
use std::sync::Arc;

const NOW_MS: u64 = 1_700_000_000_000;
const DAY_MS: u64 = 86_400_000;
const DIM: usize = 16;

/// Rows by utility, which falls evenly, and the pins that they are.
struct Case {
    views: Arc<Views>,
    rows: Rows,
    params: Params,
}

/// What a row is.
#[derive(Clone, Default)]
struct Row {
    creator: String,
    topics: Vec<String>,
    language: String,
    vector: Option<Vec<f32>>,
    sources: Vec<Source>,
    age_days: Option<u64>,
}

impl Case {
    fn new(rows: &[Row]) -> Case {
        let views = Views::new().expect("views");
        let mut facts = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let id = number.to_string();
            facts.extend(row.vector.as_ref().map(|vector| {
                let embedding = vector.clone();
                Fact::Understood(Understood { pin: id.clone(), space: 1, embedding, ..Understood::default() })
            }));
            facts.push(Fact::Pin(Pin {
                id,
                creator: (!row.creator.is_empty()).then(|| row.creator.clone()),
                topics: row.topics.clone(),
                language: (!row.language.is_empty()).then(|| row.language.clone()),
                created_ms: row.age_days.map_or(0, |days| NOW_MS - days * DAY_MS),
                ..Pin::default()
            }));
        }
        let told: Vec<_> = (0u64..).zip(facts).map(|(at, fact)| (at, EventId(at.into()), fact)).collect();
        views.apply(TopicKind::Catalogue, &told);
        let mut made = Rows::default();
        let mut ranks = [0; Source::ALL.len()];
        for (number, row) in rows.iter().enumerate() {
            let pin = views.catalogue().pin(&number.to_string()).expect("told");
            let at = made.candidates.push(pin);
            made.candidates.utility[at] = (rows.len() - number) as f32;
            for &source in &row.sources {
                made.candidates.offer(at, source, 1.0, ranks[source.index()]);
                ranks[source.index()] += 1;
            }
        }
        let mut params = Params::default().for_evaluation();
        params.home.variety = 0.0;
        params.home.fresh_every = 0;
        Case { views: Arc::new(views), rows: made, params }
    }

    fn context(&self, seed: u64) -> Context {
        let request = Request { request_id: EventId(1), limit: 25, ..Request::new(Surface::Home, NOW_MS, seed) };
        Context::read(self.views.clone(), request, self.params.clone(), Cpu::here(), &Spare::default())
    }

    fn placed(&self, seed: u64) -> Vec<super::Placed> {
        let placed = blend(&self.context(seed), &self.rows).placed;
        for (place, item) in placed.iter().enumerate() {
            let steps = item.moves.iter().flat_map(|moved| [moved.from, moved.to]);
            let ends: Vec<u16> = std::iter::once(item.row as u16).chain(steps).chain([place as u16]).collect();
            assert!(ends.chunks(2).all(|pair| pair[0] == pair[1]), "row {} at {place}: {:?}", item.row, item.moves);
        }
        placed
    }

    fn order(&self) -> Vec<usize> {
        self.placed(1).into_iter().map(|placed| placed.row).collect()
    }

    /// What moved rows, each once.
    fn movers(&self) -> Vec<String> {
        let placed = self.placed(1);
        let mut names: Vec<String> = placed.iter().flat_map(|item| &item.moves).map(|m| m.by.to_string()).collect();
        names.sort();
        names.dedup();
        names
    }

    fn rule(&mut self, name: &str, filter: &str, action: RuleAction) {
        let rule = RuleParams { name: name.into(), surfaces: vec![Surface::Home], filter: filter.into(), action };
        self.params.rules.push(rule);
    }
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

/// Unit vectors of some groups: some are alone, some nearly the same, some the same.
fn grouped(count: usize, dim: usize, rng: &mut Rng) -> Vec<Vec<f32>> {
    let centres: Vec<Vec<f32>> = (0..12).map(|_| (0..dim).map(|_| rng.normal()).collect()).collect();
    let one = |_| {
        let centre = &centres[rng.below(12) as usize];
        let spread = [0.0, 0.01, 0.3, 2.0][rng.below(4) as usize];
        unit(centre.iter().map(|x| x + spread * rng.normal()).collect())
    };
    (0..count).map(one).collect()
}

/// What is left of a vector without its projection on others, by Gram-Schmidt, twice, from the vectors themselves. Each
/// of the others has `own` of itself in a direction of its own.
fn rest(vector: &[f32], others: &[&[f32]], own: f64) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let wide = |vector: &[f32], number: usize| {
        let mut wide: Vec<f64> = vector.iter().map(|&x| f64::from(x)).chain(others.iter().map(|_| 0.0)).collect();
        wide.iter_mut().skip(vector.len()).nth(number).into_iter().for_each(|x| *x = own);
        wide
    };
    let without = |mut left: Vec<f64>, basis: &[Vec<f64>]| {
        for direction in basis.iter().chain(basis) {
            let part = dot(&left, direction);
            left.iter_mut().zip(direction).for_each(|(left, x)| *left -= part * x);
        }
        let length = dot(&left, &left).sqrt();
        (left, length)
    };
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for (number, other) in others.iter().enumerate() {
        let (left, length) = without(wide(other, number), &basis);
        basis.push(left.into_iter().map(|x| x / length).collect());
    }
    without(wide(vector, usize::MAX), &basis).1
}

/// A row for each vector.
fn of(given: &[Vec<f32>]) -> Vectors {
    let mut vectors = Vectors::none(given[0].len(), given.len());
    given.iter().enumerate().for_each(|(row, vector)| vectors.put(row, vector));
    vectors
}

/// The largest error of any share over a slate of all vectors.
fn worst_share(given: &[Vec<f32>], size: usize, own: f64) -> f64 {
    let vectors = of(given);
    let mut window = Window::new(&vectors, size);
    let (mut open, mut shares) = (vec![true; given.len()], vec![0.0; given.len()]);
    let (mut picks, mut worst) = (Vec::new(), 0.0f64);
    for place in 0..given.len() - 1 {
        let blocks = 0..given.len().div_ceil(BLOCK);
        // Blocks that were not looked at for a while know as much as others.
        blocks.filter(|block| (place / 20) % 3 != block % 3).for_each(|block| {
            window.look(block, &open, &mut shares, |_, _, _| ());
        });
        let latest: Vec<&[f32]> = picks.iter().rev().take(size).map(|&pick: &usize| &given[pick][..]).collect();
        let left: Vec<usize> = (0..given.len()).filter(|row| open[*row]).collect();
        let looked_at = |row: &&usize| (place / 20) % 3 != (**row / BLOCK) % 3;
        for &row in left.iter().filter(looked_at).step_by(7) {
            worst = worst.max((rest(&given[row], &latest, own) - f64::from(shares[row])).abs());
        }
        let pick = left[place * 31 % left.len()];
        open[pick] = false;
        window.push(pick);
        picks.push(pick);
    }
    worst
}

#[test]
fn shares_are_those_of_the_exact_decomposition_over_a_long_slate() {
    let mut rng = Rng::new(5);
    for size in [1, 3, 8, WINDOW_MAX] {
        let worst = worst_share(&grouped(400, 24, &mut rng), size, RIDGE.sqrt());
        assert!(worst < 1e-3, "window {size}: {worst}");
        // Where no pick is nearly made of others, what each has of its own tells next to nothing.
        let apart: Vec<Vec<f32>> = (0..200).map(|_| unit((0..64).map(|_| rng.normal()).collect())).collect();
        let worst = worst_share(&apart, size, 0.0);
        assert!(worst < 2e-3, "window {size}: {worst}");
    }
}

#[test]
fn a_look_that_was_shown_twice_counts_until_the_second_has_left() {
    let axis = |at: usize| (0..8).map(|i| f32::from(u8::from(i == at))).collect::<Vec<f32>>();
    let given = [axis(0), axis(0), axis(1), axis(0), axis(2)];
    let vectors = of(&given);
    let (mut window, mut open, mut shares) = (Window::new(&vectors, 2), vec![true; 5], vec![0.0; 5]);
    for (pick, like_it) in [(0, 0.0), (1, 0.0), (2, 0.0), (4, 1.0)] {
        open[pick] = false;
        window.push(pick);
        window.look(0, &open, &mut shares, |_, _, _| ());
        assert!((shares[3] - like_it).abs() < 0.05, "after {pick}: {}", shares[3]);
    }
}

#[test]
fn a_row_without_a_vector_is_neither_like_the_picks_nor_unlike_them() {
    let given = [unit(vec![1.0, 0.0]), unit(vec![1.0, 1.0]), unit(vec![0.0, 1.0]), vec![0.0, 0.0]];
    let vectors = of(&given);
    let (mut window, mut open, mut shares) = (Window::new(&vectors, 4), vec![true; 4], vec![0.0; 4]);
    open[0] = false;
    window.push(0);
    window.look(0, &open, &mut shares, |_, _, _| ());
    assert!((shares[3] - (shares[1] + shares[2]) / 2.0).abs() < 1e-6, "{shares:?}");
    let before = shares.clone();
    open[3] = false;
    window.push(3);
    window.look(0, &open, &mut shares, |_, _, _| ());
    assert_eq!(shares[1..3], before[1..3], "it took nothing from the others");
}

#[test]
fn decomposition_by_itself_alternates_between_looks() {
    let looks = [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]].concat();
    let relevance = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0];
    assert_eq!(ssd(&relevance, &looks, 2, 0.0, 1, 6), [0, 1, 2, 3, 4, 5]);
    assert_eq!(ssd(&relevance, &looks, 2, 100.0, 1, 6), [0, 3, 1, 4, 2, 5]);
    assert_eq!(ssd(&relevance, &looks, 2, 100.0, 1, 3), [0, 3, 1]);
}

#[test]
fn blocks_that_are_left_out_hold_no_better_row() {
    let mut rng = Rng::new(8);
    for gamma in [0.1, 0.5, 2.0] {
        let given = grouped(200, 16, &mut rng);
        let mut relevance: Vec<f32> = (0..200).map(|_| rng.normal()).collect();
        relevance.sort_by(|a, b| b.total_cmp(a));
        let vectors = of(&given);
        let mut window = Window::new(&vectors, 5);
        let (mut open, mut shares, mut slate) = (vec![true; 200], vec![0.0; 200], Vec::new());
        for _ in 0..100 {
            (0..200usize.div_ceil(BLOCK)).for_each(|block| window.look(block, &open, &mut shares, |_, _, _| ()));
            let worth = |row: usize| relevance[row] + gamma * shares[row];
            let left = (0..200).filter(|&row| open[row]);
            let pick = left.reduce(|best, row| if worth(row) > worth(best) { row } else { best }).expect("a row");
            open[pick] = false;
            window.push(pick);
            slate.push(pick);
        }
        assert_eq!(ssd(&relevance, &given.concat(), 16, gamma, 5, 100), slate);
    }
}

fn rows(count: usize) -> Vec<Row> {
    vec![Row::default(); count]
}

#[test]
fn without_variety_the_ranking_stays() {
    let mut case = Case::new(&rows(60));
    case.params.slate_max = 50;
    assert_eq!(case.order(), (0..50).collect::<Vec<_>>());
    assert!(case.movers().is_empty());
}

#[test]
fn sets_are_spaced_as_their_costs_say() {
    for (set, name) in ["creator", "topic", "near_duplicate", "source"].into_iter().enumerate() {
        let mut given = rows(40);
        for (number, row) in given.iter_mut().enumerate() {
            let kind = number / 20;
            row.creator = if set == 0 { format!("maker{kind}") } else { format!("maker{number}") };
            row.topics = vec![if set == 1 { format!("topic{kind}") } else { format!("topic{number}") }, "x".into()];
            row.topics.truncate(if set == 1 { 2 } else { 1 });
            row.sources = vec![if set == 3 && kind == 1 { Source::Walks } else { Source::Retrieval }];
            let axis = if set == 2 { kind } else { number % DIM };
            row.vector = Some((0..DIM).map(|i| f32::from(u8::from(i == axis))).collect());
        }
        let mut case = Case::new(&given);
        case.params.home.variety = 1.0;
        let diversity = &mut case.params.diversity;
        diversity.ssd = 0.0;
        let sets = [&mut diversity.creator, &mut diversity.topic, &mut diversity.near_duplicate, &mut diversity.source];
        for (at, spacing) in sets.into_iter().enumerate() {
            *spacing = domain::SpacingParams { cost: if at == set { 100.0 } else { 0.0 }, window: 1 };
        }
        let order = case.order();
        let changes = order.windows(2).filter(|pair| pair[0] / 20 != pair[1] / 20).count();
        // All share the topic `x`, which costs the same everywhere.
        let expected = if name == "topic" { 1 } else { 39 };
        assert_eq!(changes, expected, "{name}: {order:?}");
        assert_eq!(case.movers(), if name == "topic" { vec![] } else { vec![format!("spacing/{name}")] });
    }
}

#[test]
fn costs_fall_with_the_distance_and_end_with_the_window() {
    let params = domain::DiversityParams {
        creator: domain::SpacingParams { cost: 0.6, window: 3 },
        topic: domain::SpacingParams { cost: 1.0, window: WINDOW_MAX },
        ..Params::default().diversity
    };
    let mut spacing = super::spacing::Spacing::new(&params, 2.0, 1);
    let (mut rng, mut past) = (Rng::new(3), Vec::new());
    for _ in 0..200 {
        let shared = [0, 1].map(|_| rng.below(2) == 1);
        spacing.next();
        for (set, _) in super::spacing::Set::ALL.into_iter().zip(shared).filter(|(_, shared)| *shared) {
            spacing.mark(set, 0, 1);
        }
        past.push(shared);
        let cost = |set: usize, cost: f32, window: usize| {
            let latest = (1..=window).zip(past.iter().rev());
            latest.filter(|(_, shared)| shared[set]).map(|(d, _)| cost / d as f32).sum::<f32>()
        };
        let expected = cost(0, 1.2, 3) + cost(1, 2.0, WINDOW_MAX);
        assert!((spacing.total(0) - expected).abs() < 1e-4, "{} {expected}", spacing.total(0));
    }
}

#[test]
fn no_page_holds_more_of_a_source_than_its_share_as_long_as_there_are_others() {
    let mut given = rows(60);
    given.iter_mut().enumerate().for_each(|(at, row)| {
        row.sources = vec![if at < 40 { Source::Walks } else { Source::Text }];
    });
    let mut case = Case::new(&given);
    case.params.generators.walks.share_max = 0.6;
    case.params.diversity.page = 10;
    let order = case.order();
    let most = |order: &[usize]| order.windows(10).map(|page| page.iter().filter(|&&row| row < 40).count()).max();
    assert_eq!(most(&order[..50]), Some(6), "{order:?}");
    assert_eq!(order.len(), 60, "what is left comes in spite of it");
    assert_eq!(case.movers(), ["quota/walks"]);
}

#[test]
fn a_fresh_pin_comes_at_least_so_often() {
    let mut given = rows(60);
    given.iter_mut().enumerate().for_each(|(at, row)| row.age_days = Some(if at < 50 { 30 } else { 2 }));
    given[1].age_days = None;
    let mut case = Case::new(&given);
    (case.params.home.fresh_every, case.params.home.fresh_days) = (5, 7.0);
    let order = case.order();
    assert!(order[..50].windows(5).all(|five| five.iter().any(|&row| row >= 50)), "{order:?}");
    assert_eq!(order[4], 50, "the best of them, as late as may be");
    assert_eq!(case.movers(), ["fresh"]);
}

#[test]
fn rules_pin_boost_bury_and_cap() {
    let mut given = rows(30);
    given.iter_mut().enumerate().for_each(|(at, row)| row.topics = vec![format!("t{}", at % 5)]);
    [7, 8, 9].into_iter().for_each(|at| given[at].language = "en".into());
    let named = |action, filter: &str| {
        let mut case = Case::new(&given);
        case.params.diversity.page = 10;
        case.rule("r", filter, action);
        assert!(case.movers().iter().all(|name| name == "rule/r"), "{:?}", case.movers());
        case.order()
    };
    let pinned = named(RuleAction::PinTo(3), "language:en");
    assert_eq!(pinned[..5], [0, 1, 7, 2, 3]);
    assert_eq!(named(RuleAction::PinTo(20), "language:en")[19], 7, "not before its place");
    assert_eq!(named(RuleAction::PinTo(99), "language:en")[29], 7, "the last place there is");
    assert_eq!(named(RuleAction::Boost(50.0), "language:en")[..4], [7, 8, 9, 0]);
    assert_eq!(named(RuleAction::Bury, "language:en")[27..], [7, 8, 9]);
    let capped = named(RuleAction::Cap(1), "topic:t0");
    let on_page = |page: &[usize]| page.iter().filter(|&&row| row % 5 == 0).count();
    assert!(capped.windows(10).all(|page| on_page(page) <= 1), "{capped:?}");
    assert_eq!(capped.len(), 27, "three would have been too many: {capped:?}");
    assert_eq!(named(RuleAction::Cap(0), "language:en").len(), 27);
}

#[test]
fn several_pinned_rows_share_what_is_left() {
    let mut given = rows(6);
    given.iter_mut().for_each(|row| row.language = "en".into());
    let mut case = Case::new(&given);
    case.rule("first", "language:en", RuleAction::PinTo(2));
    case.rule("second", "language:en", RuleAction::PinTo(2));
    case.rule("elsewhere", "language:en", RuleAction::PinTo(1));
    case.params.rules[2].surfaces = vec![Surface::Search];
    case.rule("unread", "colour:red", RuleAction::Bury);
    assert_eq!(case.order(), [2, 0, 1, 3, 4, 5], "one row a rule, one after the other");
    let note = blend(&case.context(1), &case.rows).note;
    assert!(note.ends_with("rule unread cannot be read"), "{note}");
    case.params.slate_max = 1;
    assert_eq!(case.order(), [0], "the better claim has the only place");
    case.params.slate_max = 6;
    case.rule("none", "language:en", RuleAction::Cap(0));
    assert_eq!(case.order(), [0, 1], "where nothing else may come, they come at once");
}

#[test]
fn all_together_moves_still_add_up() {
    let mut rng = Rng::new(11);
    for seed in 0..20 {
        let vectors = grouped(120, DIM, &mut rng);
        let mut given = rows(120);
        for (row, vector) in given.iter_mut().zip(vectors) {
            row.creator = format!("maker{}", rng.below(30));
            row.topics = (0..rng.below(4)).map(|_| format!("t{}", rng.below(12))).collect();
            row.vector = (rng.below(10) > 0).then_some(vector);
            row.sources = Source::ALL.into_iter().filter(|_| rng.below(3) == 0).collect();
            row.language = ["en", "de", ""][rng.below(3) as usize].into();
            row.age_days = Some(u64::from(rng.below(60)));
        }
        let mut case = Case::new(&given);
        case.params.home = domain::SurfaceParams { explore_every: 7, fresh_every: 9, ..case.params.home.clone() };
        case.params.home.variety = 1.0;
        case.params.generators.walks.share_max = 0.3;
        case.rule("pinned", "language:de AND topic:t3", RuleAction::PinTo(4));
        case.rule("less", "topic:t1", RuleAction::Boost(-0.5));
        case.rule("last", "topic:t2", RuleAction::Bury);
        case.rule("few", "topic:t4", RuleAction::Cap(2));
        let placed = case.placed(seed);
        let mut rows: Vec<usize> = placed.iter().map(|placed| placed.row).collect();
        let again: Vec<usize> = case.placed(seed).iter().map(|placed| placed.row).collect();
        assert_eq!(rows, again, "a seed gives one order");
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), placed.len(), "each row once");
        let drawn = placed.iter().enumerate().filter(|(_, placed)| placed.propensity < 1.0);
        assert!(drawn.map(|(place, _)| place).all(|place| (place + 1) % 7 == 0));
    }
}

#[test]
fn propensities_are_the_frequencies_of_what_is_drawn() {
    const SEEDS: u64 = 40_000;
    let mut given = rows(12);
    [5, 8, 9, 11].into_iter().for_each(|row| given[row].sources = vec![Source::Exploration]);
    let mut case = Case::new(&given);
    case.params.home = domain::SurfaceParams { explore_every: 2, explore_any: 0.3, ..case.params.home.clone() };
    case.params.slate_max = 8;
    // By the slate so far, what was drawn for each slot how often, and with what chance it was said to be.
    let mut drawn: HashMap<Vec<usize>, HashMap<usize, (u64, f32)>> = HashMap::new();
    for seed in 0..SEEDS {
        let placed = case.placed(seed);
        let rows: Vec<usize> = placed.iter().map(|placed| placed.row).collect();
        for slot in [1, 3, 5, 7] {
            let of_slate = drawn.entry(rows[..slot].to_vec()).or_default();
            let (count, chance) = of_slate.entry(rows[slot]).or_insert((0, placed[slot].propensity));
            *count += 1;
            assert_eq!(*chance, placed[slot].propensity, "a function of the slate so far");
        }
        assert!([0, 2, 4, 6].into_iter().all(|place| placed[place].propensity == 1.0));
    }
    let mut checked = 0;
    for (slate, outcomes) in
        drawn.iter().filter(|(_, outcomes)| outcomes.values().map(|one| one.0).sum::<u64>() > 2_000)
    {
        let all: u64 = outcomes.values().map(|one| one.0).sum();
        let sum: f32 = outcomes.values().map(|one| one.1).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{slate:?}: {sum}");
        for (row, &(count, chance)) in outcomes {
            let (p, n) = (f64::from(chance), all as f64);
            let deviation = (count as f64 - n * p) / (n * p * (1.0 - p)).sqrt();
            assert!(deviation.abs() < 4.5, "{row} after {slate:?}: {count} of {all}, {chance}");
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked}");
}

#[test]
fn a_slot_without_anything_to_explore_says_so_too() {
    let mut case = Case::new(&rows(10));
    case.params.home = domain::SurfaceParams { explore_every: 10, explore_any: 0.2, ..case.params.home.clone() };
    case.params.slate_max = 10;
    let placed = case.placed(3);
    assert_eq!(placed[9].propensity, 1.0, "there is no choice");
    case.params.home.explore_every = 2;
    let chances = |seed| case.placed(seed)[1].propensity;
    let all: Vec<f32> = (0..200).map(chances).collect();
    let [greedy, other] = [0.8 + 0.2 / 9.0, 0.2 / 9.0];
    assert!(all.iter().all(|p| (p - greedy).abs() < 1e-6 || (p - other).abs() < 1e-6), "{all:?}");
    assert!(all.iter().any(|p| (p - other).abs() < 1e-6));
}

#[test]
fn what_is_no_number_comes_last() {
    let mut case = Case::new(&rows(20));
    case.rows.candidates.utility[19] = f32::NAN;
    case.params.home.variety = 1.0;
    assert_eq!(case.order()[19], 19);
}

#[test]
fn rows_that_tie_keep_their_order_but_for_what_variety_moves() {
    let mut given = rows(60);
    given.iter_mut().enumerate().for_each(|(at, row)| row.creator = format!("maker{}", at / 2));
    for utility in [vec![2.5; 60], (0..60).map(|at| if at < 5 { 9.0 - at as f32 } else { 1.0 }).collect()] {
        let mut case = Case::new(&given);
        case.rows.candidates.utility = utility;
        case.params.home.variety = 1.0;
        let order = case.order();
        assert!(order[6..].windows(2).all(|pair| pair[0] / 2 != pair[1] / 2), "{order:?}");
        assert!(order.iter().enumerate().all(|(place, row)| place.abs_diff(*row) < 20), "{order:?}");
    }
}
