//! The kernels of a card against those of the CPU. Without a card each test skips with a line.

use super::card::Card;
use crate::softmax::{Answers, Scored};
use crate::tape::{Bags, Cpu, Engine, Loaded, Look, NOBODY, Sight, Tape, Var};
use domain::Rng;
use models::Matrix;
use std::sync::Arc;

fn card() -> Option<Card> {
    Card::open().map_err(|error| eprintln!("skipped: {error}")).ok()
}

fn numbers(count: usize, rng: &mut Rng) -> Vec<f32> {
    (0..count).map(|_| rng.normal()).collect()
}

fn assert_close(what: &str, cpu: &[f32], card: &[f32]) {
    assert_eq!(cpu.len(), card.len(), "{what}");
    for (at, (a, b)) in cpu.iter().zip(card).enumerate() {
        assert!((a - b).abs() < 1e-3 * (1.0 + a.abs().max(b.abs())), "{what}, {at}: {a} on the CPU, {b} on the card");
    }
}

fn matrix(rows: usize, cols: usize, rng: &mut Rng) -> Matrix {
    Matrix { rows, cols, values: numbers(rows * cols, rng) }
}

const ROWS: usize = 75;
const WIDTH: usize = 40;

fn bags(table: u32, lists: usize, rng: &mut Rng) -> Bags {
    let mut bags = Bags::default();
    for list in 0..lists {
        bags.push((0..list % 4).map(|_| (rng.below(table), rng.normal())).collect::<Vec<_>>());
    }
    bags
}

/// Three sequences of 25, 1 and 33 tokens, then questions and candidates.
fn sight() -> Sight {
    let look = |sequence, seen, at, extras| Look { sequence, seen, at, extras };
    let mut looks: Vec<Look> = Vec::new();
    for (sequence, length) in [(0, 25), (1, 1), (2, 33)] {
        looks.extend((0..length).map(|at| look(sequence, at + 1, at, [NOBODY; 2])));
    }
    for own in looks.len() as u32..ROWS as u32 - 1 {
        let (sequence, seen) = (own % 3, [20, 0, 33][own as usize % 3]);
        let asked = if own % 2 == 0 { NOBODY } else { own - 1 };
        looks.push(look(sequence, seen, seen + own % 5, [asked, own]));
    }
    looks.push(look(1, 0, 0, [NOBODY; 2]));
    Sight::new(vec![0, 25, 26], looks)
}

const PROGRAMS: usize = 7;

/// What is put on a tape of any engine.
fn program<E: Engine>(number: usize, tape: &mut Tape<E>, x: Var) -> Var {
    let engine = tape.engine();
    let mut rng = Rng::new(number as u64);
    match number {
        0 => {
            let y = tape.linear(x, 0, Some(1));
            let z = tape.silu(y);
            let w = tape.linear(z, 2, None);
            tape.add(w, x)
        }
        1 => {
            let (gained, plain) = (tape.rms(x, Some(3)), tape.rms(x, None));
            let product = tape.mul(gained, plain);
            tape.unit(product)
        }
        2 => {
            let gates = tape.softmax(x, 4);
            let scaled = tape.scale(x, gates, 3);
            let folded = tape.fold(scaled, 8);
            let longer = tape.reshape(folded, 2);
            tape.mul(longer, longer)
        }
        3 => {
            let (table, chosen) = (bags(30, ROWS, &mut rng), bags(ROWS as u32, ROWS, &mut rng));
            let table = tape.bag(4, Arc::new(engine.bags(table)));
            let chosen = tape.gather(x, Arc::new(engine.bags(chosen)));
            tape.mul(table, chosen)
        }
        4 => {
            let (left, right) = (tape.columns(x, 3, 11), tape.columns(x, 20, 11));
            let both = tape.concat(&[left, right]);
            let (top, rest) = (tape.slice(both, 0, 30), tape.slice(both, 10, ROWS - 10));
            let all = tape.stack(&[top, rest, top]);
            tape.mul(all, all)
        }
        5 => tape.drop(x, 0.3, 77),
        _ => {
            let (queries, keys) = (tape.linear(x, 5, None), tape.linear(x, 6, None));
            tape.attend(queries, keys, 7, 2, Arc::new(engine.sight(sight())))
        }
    }
}

fn weights() -> Vec<Matrix> {
    let mut rng = Rng::new(9);
    let shapes = [(WIDTH, 24), (1, 24), (24, WIDTH), (1, WIDTH), (30, WIDTH), (WIDTH, 8), (WIDTH, 20), (2, 11)];
    shapes.into_iter().map(|(rows, cols)| matrix(rows, cols, &mut rng)).collect()
}

/// Value, gradient of the leaf, gradients of the weights.
fn run<E: Engine>(engine: &E, number: usize) -> Vec<Vec<f32>> {
    let weights = weights();
    let values: Vec<E::Buffer> = weights.iter().map(|matrix| engine.upload(matrix.values.clone())).collect();
    let loaded = Loaded::new(&weights, values.iter());
    let mut tape = Tape::new(engine, &loaded);
    let leaf = tape.leaf(WIDTH, engine.upload(numbers(ROWS * WIDTH, &mut Rng::new(3))));
    let out = program(number, &mut tape, leaf);
    let value = engine.download(tape.value(out));
    let seed = numbers(value.len(), &mut Rng::new(5));
    let mut back = tape.backward(vec![(out, engine.upload(seed))]);
    let of_leaf = back.take(leaf).map(|gradient| engine.download(&gradient)).unwrap_or_default();
    [vec![value, of_leaf], back.dense(engine)].concat()
}

#[test]
fn operations_give_what_the_cpu_gives() {
    let Some(card) = card() else { return };
    for number in 0..PROGRAMS {
        for (at, (cpu, card)) in run(&Cpu, number).iter().zip(&run(&card, number)).enumerate() {
            assert_close(&format!("program {number}, result {at}"), cpu, card);
        }
    }
}

#[test]
fn the_loss_is_what_the_cpu_gives() {
    let Some(card) = card() else { return };
    const DIM: usize = 16;
    let mut rng = Rng::new(4);
    let mut unit = |rows: usize| Cpu.unit(&numbers(rows * DIM, &mut rng), DIM).0;
    let (users, pins) = (unit(70), unit(900));
    let mut rng = Rng::new(6);
    let log_chance: Vec<f32> = (0..900).map(|_| -rng.uniform()).collect();
    let targets: Vec<Vec<(u32, f32)>> =
        (0..70).map(|i| (0..i % 5).map(|t| (i * 12 + t, 1.0 / (i % 5) as f32)).collect()).collect();
    let positives: Vec<Vec<u32>> = (0..70).map(|i| (i * 12..i * 12 + 7).collect()).collect();
    let answers = Answers { targets, positives };
    let scored = Scored { dim: DIM, log_chance: &log_chance, answers: &answers, scale: 7.0, shards: 1 };
    let cpu = Cpu.contrast(&users, &pins, &scored);
    let ours = card.contrast(&card.upload(users.clone()), &card.upload(pins.clone()), &scored);
    assert_close("users", &cpu.d_users, &card.download(&ours.d_users));
    assert_close("pins", &cpu.d_pins, &card.download(&ours.d_pins));
    assert_close("mean and scale", &[cpu.mean as f32, cpu.d_scale], &[ours.mean as f32, ours.d_scale]);
}
