//! Attention over ragged histories: each query row sees the first keys of one sequence, and up to two rows besides.

use super::engine::{Attend, Attended};
use super::kernels;
use models::distance_bucket;

/// No row.
pub(crate) const NOBODY: u32 = u32::MAX;
/// Rows that may be seen besides a sequence: what was asked, and oneself.
const EXTRAS: usize = 2;

/// What one query row sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Which sequence.
    pub(crate) sequence: u32,
    /// How many of its keys, from its first.
    pub(crate) seen: u32,
    /// The query's place in the sequence: the distance to key `j` is `at - j`.
    pub(crate) at: u32,
    /// The key row of what was asked, and of the query itself; [`NOBODY`] where there is none.
    pub(crate) extras: [u32; EXTRAS],
}

/// Who sees whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sight {
    /// First key row of each sequence.
    starts: Vec<u32>,
    /// One per query row.
    looks: Vec<Look>,
    /// Query rows, those of one sequence together.
    order: Vec<u32>,
    /// Where the shares of each query row begin, for one head.
    places: Vec<usize>,
}

impl Sight {
    /// `starts`: the first key row of each sequence; `looks`: one per query row.
    pub(crate) fn new(starts: Vec<u32>, looks: Vec<Look>) -> Sight {
        let mut order: Vec<u32> = (0..looks.len() as u32).collect();
        order.sort_by_key(|&row| looks[row as usize].sequence);
        let mut places = Vec::with_capacity(looks.len() + 1);
        places.push(0);
        for look in &looks {
            places.push(places[places.len() - 1] + look.seen as usize + EXTRAS);
        }
        Sight { starts, looks, order, places }
    }

    /// The query rows from `first` on.
    pub(crate) fn tail(&self, first: usize) -> Sight {
        Sight::new(self.starts.clone(), self.looks[first..].to_vec())
    }

    /// Query rows by sequence, with the sequence's first key row and how many keys any of them sees.
    fn groups(&self) -> impl Iterator<Item = (usize, usize, &[u32])> {
        let look = |row: &u32| &self.looks[*row as usize];
        self.order.chunk_by(move |a, b| look(a).sequence == look(b).sequence).map(move |rows| {
            let seen = rows.iter().map(|row| look(row).seen as usize).max().unwrap_or(0);
            (self.starts[look(&rows[0]).sequence as usize] as usize, seen, rows)
        })
    }

    /// Each query row's look, and the first key row of its sequence.
    #[cfg(feature = "gpu")]
    pub(crate) fn looks(&self) -> impl Iterator<Item = (&Look, u32)> {
        self.looks.iter().map(|look| (look, self.starts[look.sequence as usize]))
    }

    /// Where the shares of each query row begin, for one head, and where they end.
    #[cfg(feature = "gpu")]
    pub(crate) fn places(&self) -> &[usize] {
        &self.places
    }

    fn shares_of(&self, row: usize, head: usize, heads: usize) -> std::ops::Range<usize> {
        let (start, end) = (self.places[row], self.places[row + 1]);
        let first = start * heads + head * (end - start);
        first..first + end - start
    }
}

type Input<'a> = Attend<'a, Vec<f32>>;

/// Mixed values, and the share of each row that was seen.
pub(super) fn forward(input: &Input, sight: &Sight) -> (Vec<f32>, Vec<f32>) {
    let mut out = vec![0.0; sight.looks.len() * input.value_width];
    let mut shares = vec![0.0; sight.places[sight.looks.len()] * input.heads];
    let mut block = Block::default();
    for (start, seen, rows) in sight.groups() {
        block.keys.turn(input, start, seen, 0, input.width);
        for &row in rows {
            look(input, sight, row as usize, &mut block, (&mut out, &mut shares));
        }
    }
    (out, shares)
}

/// The way back, given the gradient of what [`forward`] gave.
pub(super) fn backward(input: &Input, sight: &Sight, shares: &[f32], gradient: &[f32]) -> Attended<Vec<f32>> {
    let mut back = Attended {
        queries: vec![0.0; input.queries.len()],
        keys: vec![0.0; input.keys.len()],
        bias: vec![0.0; input.bias.len()],
    };
    let mut block = Block::default();
    for (start, seen, rows) in sight.groups() {
        block.keys.turn(input, start, seen, input.width, input.value_width);
        for &row in rows {
            look_back(input, sight, row as usize, &mut block, (shares, gradient, &mut back));
        }
    }
    back
}

/// Room for one sequence.
#[derive(Default)]
struct Block {
    keys: Turned,
    scores: Vec<f32>,
}

/// Keys or values of a sequence with a row per column, so that scores of many keys are made at once.
#[derive(Default)]
struct Turned {
    values: Vec<f32>,
    /// Length of a row: the number of keys, rounded up.
    stride: usize,
}

impl Turned {
    fn turn(&mut self, input: &Input, start: usize, seen: usize, from: usize, width: usize) {
        let row_width = input.width + input.value_width;
        self.stride = seen.next_multiple_of(kernels::TILE);
        self.values.clear();
        self.values.resize(width * self.stride, 0.0);
        for key in 0..seen {
            let row = &input.keys[(start + key) * row_width + from..][..width];
            row.iter().enumerate().for_each(|(col, value)| self.values[col * self.stride + key] = *value);
        }
    }
}

fn look(input: &Input, sight: &Sight, row: usize, block: &mut Block, (out, shares): (&mut [f32], &mut [f32])) {
    let Look { sequence, seen, at, extras } = sight.looks[row];
    let (start, seen) = (sight.starts[sequence as usize] as usize, seen as usize);
    let (width, wide) = (input.width / input.heads, input.value_width / input.heads);
    let scale = 1.0 / (width as f32).sqrt();
    for head in 0..input.heads {
        let bias = &input.bias[head * input.bias_cols..][..input.bias_cols];
        let query = &input.queries[row * input.width + head * width..][..width];
        let share = &mut shares[sight.shares_of(row, head, input.heads)];
        let turned = &block.keys.values[head * width * block.keys.stride..][..width * block.keys.stride];
        kernels::scores(query, turned, block.keys.stride, seen, &mut block.scores);
        for (key, (share, score)) in share.iter_mut().zip(&block.scores[..seen]).enumerate() {
            *share = score * scale + bias[distance_bucket(at as usize - key)];
        }
        for (place, &extra) in extras.iter().enumerate() {
            share[seen + place] = match extra {
                NOBODY => f32::NEG_INFINITY,
                extra => {
                    kernels::dot(query, key_of(input, extra, head, width)) * scale
                        + bias[column(place, input.bias_cols)]
                }
            };
        }
        if seen == 0 && extras == [NOBODY; EXTRAS] {
            share.fill(0.0);
            continue;
        }
        models::softmax(share);
        let out = &mut out[row * input.value_width + head * wide..][..wide];
        let row_width = input.width + input.value_width;
        let values = &input.keys[start * row_width..];
        kernels::mix(&share[..seen], values, row_width, input.width + head * wide, out);
        for (place, &extra) in extras.iter().enumerate().filter(|(_, extra)| **extra != NOBODY) {
            kernels::add_scaled(share[seen + place], value_of(input, extra, head, wide), out);
        }
    }
}

/// The column of the bias for what is seen besides: the last one for what was asked, the first for oneself.
fn column(place: usize, bias_cols: usize) -> usize {
    if place == 0 { bias_cols - 1 } else { 0 }
}

fn key_of<'a>(input: &Input<'a>, row: u32, head: usize, width: usize) -> &'a [f32] {
    &input.keys[row as usize * (input.width + input.value_width) + head * width..][..width]
}

fn value_of<'a>(input: &Input<'a>, row: u32, head: usize, wide: usize) -> &'a [f32] {
    &input.keys[row as usize * (input.width + input.value_width) + input.width + head * wide..][..wide]
}

fn look_back(
    input: &Input,
    sight: &Sight,
    row: usize,
    block: &mut Block,
    (shares, gradient, back): (&[f32], &[f32], &mut Attended<Vec<f32>>),
) {
    let Look { sequence, seen, at, extras } = sight.looks[row];
    let (start, seen) = (sight.starts[sequence as usize] as usize, seen as usize);
    let (width, wide) = (input.width / input.heads, input.value_width / input.heads);
    let row_width = input.width + input.value_width;
    let scale = 1.0 / (width as f32).sqrt();
    for head in 0..input.heads {
        let share = &shares[sight.shares_of(row, head, input.heads)];
        let out = &gradient[row * input.value_width + head * wide..][..wide];
        let query = &input.queries[row * input.width + head * width..][..width];
        let turned = &block.keys.values[head * wide * block.keys.stride..][..wide * block.keys.stride];
        kernels::scores(out, turned, block.keys.stride, seen, &mut block.scores);
        block.scores.resize(block.keys.stride.max(seen) + EXTRAS, 0.0);
        let pulls = &mut block.scores[..seen + EXTRAS];
        for (place, &extra) in extras.iter().enumerate() {
            pulls[seen + place] =
                if extra == NOBODY { 0.0 } else { kernels::dot(out, value_of(input, extra, head, wide)) };
        }
        let mean = kernels::dot(share, pulls);
        pulls.iter_mut().zip(share).for_each(|(pull, share)| *pull = share * (*pull - mean));
        let bias = &mut back.bias[head * input.bias_cols..][..input.bias_cols];
        pulls[..seen].iter().enumerate().for_each(|(key, pull)| bias[distance_bucket(at as usize - key)] += pull);
        pulls.iter_mut().for_each(|pull| *pull *= scale);
        let d_query = &mut back.queries[row * input.width + head * width..][..width];
        kernels::mix(&pulls[..seen], &input.keys[start * row_width..], row_width, head * width, d_query);
        let keys = &mut back.keys[start * row_width..];
        kernels::spread(&pulls[..seen], query, keys, row_width, head * width);
        kernels::spread(&share[..seen], out, keys, row_width, input.width + head * wide);
        for (place, &extra) in extras.iter().enumerate().filter(|(_, extra)| **extra != NOBODY) {
            let pull = pulls[seen + place];
            bias[column(place, input.bias_cols)] += pull / scale;
            kernels::add_scaled(pull, key_of(input, extra, head, width), d_query);
            let slot = &mut back.keys[extra as usize * row_width..][..row_width];
            kernels::add_scaled(pull, query, &mut slot[head * width..][..width]);
            kernels::add_scaled(share[seen + place], out, &mut slot[input.width + head * wide..][..wide]);
        }
    }
}
