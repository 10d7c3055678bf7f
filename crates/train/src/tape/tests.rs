//! Every operation's way back against differences.

use super::*;
use domain::Rng;
use models::Matrix;

fn matrix(rows: usize, cols: usize, rng: &mut Rng) -> Matrix {
    Matrix { rows, cols, values: (0..rows * cols).map(|_| 0.7 * rng.normal()).collect() }
}

/// Compares the gradients of `Σ seed · value` with differences, for the leaf and every weight.
fn check(what: &str, cols: usize, leaf: &[f32], weights: &mut [Matrix], build: &dyn Fn(&mut Tape<Cpu>, Var) -> Var) {
    let value = |leaf: &[f32], weights: &[Matrix]| -> f64 {
        let loaded = Loaded::host(weights);
        let mut tape = Tape::new(&Cpu, &loaded);
        let x = tape.leaf(cols, leaf.to_vec());
        let out = build(&mut tape, x);
        let seed = seed(tape.value(out).len());
        tape.value(out).iter().zip(&seed).map(|(value, seed)| f64::from(value * seed)).sum()
    };
    let (of_leaf, of_weights) = {
        let loaded = Loaded::host(weights);
        let mut tape = Tape::new(&Cpu, &loaded);
        let x = tape.leaf(cols, leaf.to_vec());
        let out = build(&mut tape, x);
        let seed = seed(tape.value(out).len());
        let mut back = tape.backward(vec![(out, seed)]);
        (back.take(x).unwrap_or_default(), back.dense(&Cpu))
    };
    const STEP: f32 = 4e-3;
    let close = |found: f32, up: f64, down: f64, place: String| {
        let difference = ((up - down) / f64::from(2.0 * STEP)) as f32;
        let scale = 1.0 + found.abs().max(difference.abs());
        assert!((found - difference).abs() < 1e-2 * scale, "{what}, {place}: {found} {difference}");
    };
    let mut moved = leaf.to_vec();
    for i in 0..leaf.len() {
        moved[i] = leaf[i] + STEP;
        let up = value(&moved, weights);
        moved[i] = leaf[i] - STEP;
        let down = value(&moved, weights);
        moved[i] = leaf[i];
        close(of_leaf.get(i).copied().unwrap_or(0.0), up, down, format!("number {i}"));
    }
    for weight in 0..weights.len() {
        for i in 0..weights[weight].values.len() {
            let old = weights[weight].values[i];
            weights[weight].values[i] = old + STEP;
            let up = value(leaf, weights);
            weights[weight].values[i] = old - STEP;
            let down = value(leaf, weights);
            weights[weight].values[i] = old;
            close(of_weights[weight].get(i).copied().unwrap_or(0.0), up, down, format!("weight {weight} {i}"));
        }
    }
}

fn seed(len: usize) -> Vec<f32> {
    let mut rng = Rng::new(99);
    (0..len).map(|_| rng.normal()).collect()
}

fn numbers(count: usize, rng: &mut Rng) -> Vec<f32> {
    (0..count).map(|_| rng.normal()).collect()
}

#[test]
fn layers() {
    let mut rng = Rng::new(1);
    let x = numbers(5 * 6, &mut rng);
    let mut weights = vec![matrix(6, 4, &mut rng), matrix(1, 4, &mut rng), matrix(1, 6, &mut rng)];
    check("linear", 6, &x, &mut weights, &|tape, x| tape.linear(x, 0, Some(1)));
    check("linear twice", 6, &x, &mut weights, &|tape, x| {
        let a = tape.linear(x, 0, None);
        let b = tape.linear(x, 0, Some(1));
        tape.mul(a, b)
    });
    check("norm", 6, &x, &mut weights, &|tape, x| tape.rms(x, Some(2)));
    check("norm without a gain", 6, &x, &mut weights, &|tape, x| tape.rms(x, None));
    check("unit", 6, &x, &mut weights, &|tape, x| tape.unit(x));
    check("silu and sums", 6, &x, &mut weights, &|tape, x| {
        let y = tape.silu(x);
        let z = tape.add(x, y);
        tape.add(z, z)
    });
    check("folds", 6, &x, &mut weights, &|tape, x| {
        let longer = tape.reshape(x, 3);
        let folded = tape.fold(longer, 1);
        let back = tape.reshape(folded, 2);
        tape.mul(back, back)
    });
    check("gates", 6, &x, &mut weights, &|tape, x| {
        let logits = tape.linear(x, 0, None);
        let gates = tape.softmax(logits, 2);
        let scaled = tape.scale(x, gates, 2);
        tape.add(scaled, x)
    });
}

#[test]
fn convolutions() {
    let mut rng = Rng::new(5);
    // Three pictures of 5 × 5 pixels, two numbers each.
    let x = numbers(3 * 25 * 2, &mut rng);
    let mut weights = vec![matrix(18, 3, &mut rng), matrix(1, 3, &mut rng), matrix(27, 2, &mut rng)];
    check("convolutions", 2, &x, &mut weights, &|tape, x| {
        let halved = tape.convolve(x, 0, Grid { side: 5, channels: 2, stride: 2 });
        let level = tape.standardise(halved, 1);
        let more = tape.silu(level);
        tape.convolve(more, 2, Grid { side: 3, channels: 3, stride: 1 })
    });
}

#[test]
fn shapes() {
    let mut rng = Rng::new(2);
    let x = numbers(4 * 6, &mut rng);
    let mut weights = vec![matrix(7, 6, &mut rng)];
    let mut rows = Bags::default();
    [3, 0, 3, 1].into_iter().for_each(|row| rows.push([(row, 1.0)]));
    let rows = Arc::new(rows);
    let mut bags = Bags::default();
    for list in [vec![(0, 1.0), (6, -0.5)], vec![], vec![(2, 2.0)], vec![(2, 1.0), (2, 1.0), (5, 1.0)]] {
        bags.push(list);
    }
    let bags = Arc::new(bags);
    check("parts", 6, &x, &mut weights, &|tape, x| {
        let turned = tape.slice(x, 0, 4);
        let table = tape.bag(0, bags.clone());
        let both = tape.stack(&[turned, table, x]);
        let chosen = tape.gather(x, rows.clone());
        let product = tape.mul(turned, chosen);
        let more = tape.stack(&[product, x, table]);
        tape.mul(both, more)
    });
    check("dropped", 6, &x, &mut weights, &|tape, x| tape.drop(x, 0.4, 3));
}

/// Two sequences of 5 and 18 tokens, then two questions and three candidates.
fn sight() -> (Sight, usize) {
    let look = |sequence, seen, at, extras| Look { sequence, seen, at, extras };
    let mut looks: Vec<Look> = Vec::new();
    looks.extend((0..5).map(|i| look(0, i + 1, i, [NOBODY; 2])));
    looks.extend((0..18).map(|i| look(1, i + 1, i, [NOBODY; 2])));
    looks.push(look(1, 17, 17, [NOBODY, 23]));
    looks.push(look(0, 0, 0, [NOBODY, 24]));
    looks.push(look(1, 17, 17, [23, 25]));
    looks.push(look(0, 0, 0, [24, 26]));
    looks.push(look(0, 0, 0, [NOBODY; 2]));
    let rows = looks.len();
    (Sight::new(vec![0, 5], looks), rows)
}

#[test]
fn attention() {
    let mut rng = Rng::new(3);
    let (sight, rows) = sight();
    let sight = Arc::new(sight);
    // Queries of width 4, keys of 4, values of 6, in two heads.
    let x = numbers(rows * 4, &mut rng);
    let mut weights = vec![matrix(4, 4, &mut rng), matrix(4, 10, &mut rng), matrix(2, models::DISTANCES + 1, &mut rng)];
    check("attention", 4, &x, &mut weights, &|tape, x| {
        let (queries, keys) = (tape.linear(x, 0, None), tape.linear(x, 1, None));
        tape.attend(queries, keys, 2, 2, sight.clone())
    });
}

#[test]
fn attention_is_a_softmax_over_what_is_seen() {
    let mut rng = Rng::new(4);
    let (sight, rows) = sight();
    let weights = [matrix(2, models::DISTANCES + 1, &mut rng)];
    let (queries, keys) = (numbers(rows * 4, &mut rng), numbers(rows * 10, &mut rng));
    let loaded = Loaded::host(&weights);
    let mut tape = Tape::new(&Cpu, &loaded);
    let (q, k) = (tape.leaf(4, queries.clone()), tape.leaf(10, keys.clone()));
    let out = tape.attend(q, k, 0, 2, Arc::new(sight));
    // The second candidate but one: sees 17 tokens of the second sequence, the question 23 and itself.
    let seen: Vec<(usize, usize)> =
        (0..17).map(|j| (5 + j, models::distance_bucket(17 - j))).chain([(23, models::DISTANCES), (25, 0)]).collect();
    for head in 0..2 {
        let score = |&(row, bias): &(usize, usize)| -> f32 {
            let dot: f32 = (0..2).map(|c| queries[25 * 4 + head * 2 + c] * keys[row * 10 + head * 2 + c]).sum();
            (dot / 2f32.sqrt() + weights[0].row(head)[bias]).exp()
        };
        let total: f32 = seen.iter().map(score).sum();
        for c in 0..3 {
            let truth: f32 = seen.iter().map(|s| score(s) / total * keys[s.0 * 10 + 4 + head * 3 + c]).sum();
            let found = tape.value(out)[25 * 6 + head * 3 + c];
            assert!((truth - found).abs() < 1e-5, "{truth} {found}");
        }
    }
    assert_eq!(tape.value(out)[27 * 6..28 * 6], [0.0; 6], "who sees nobody hears nothing");
}
