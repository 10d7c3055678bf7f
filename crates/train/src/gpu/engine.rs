//! A tape's kernels on a card.

use cudarc::driver::{CudaSlice, DeviceRepr, LaunchConfig, PushKernelArg, ValidAsZeroBits};
use models::{NORM_EPSILON, UNIT_EPSILON};

use super::card::{BLOCK, Buffer, Card, WARP, launch, must, threads};
use crate::softmax::{Loss, Scored};
use crate::sparse::{ADAGRAD_EPSILON, Use};
use crate::tape::{Attend, Attended, Bags, Column, Engine, Entry, Factor, Look, Normed, Place, Sight};

/// Scores that are held at once, about.
const SCORES_MAX: usize = 1 << 27;
/// Rows that a block sums.
const ROWS_SUMMED: usize = 256;
/// Blocks that pull scores.
const PULLING_BLOCKS: u32 = 4_096;

/// [`Bags`] on a card.
pub(crate) struct CardBags {
    ends: CudaSlice<u32>,
    entries: CudaSlice<Entry>,
    lists: usize,
}

/// [`Sight`] on a card.
pub(crate) struct CardSight {
    /// Five numbers a look: see `Look` in `kernels.cu`.
    looks: CudaSlice<u32>,
    places: CudaSlice<u64>,
    rows: usize,
    /// All shares, for one head.
    shares: usize,
}

// SAFETY: two numbers of 4 bytes, laid out as in C; any bytes, zeros too, are an entry.
unsafe impl DeviceRepr for Entry {}
// SAFETY: see above.
unsafe impl ValidAsZeroBits for Entry {}

impl Engine for Card {
    type Buffer = Buffer;
    type Bags = CardBags;
    type Sight = CardSight;

    /// One tape for everybody keeps the card busiest.
    fn shards(&self, _: usize) -> usize {
        1
    }

    fn upload(&self, numbers: Vec<f32>) -> Buffer {
        Buffer { slice: self.put(&numbers), len: numbers.len() }
    }

    fn bags(&self, bags: Bags) -> CardBags {
        CardBags { ends: self.put(&bags.ends), entries: self.put(&bags.entries), lists: bags.ends.len() }
    }

    fn sight(&self, sight: Sight) -> CardSight {
        let words = |(look, start): (&Look, u32)| [start, look.seen, look.at, look.extras[0], look.extras[1]];
        let looks: Vec<u32> = sight.looks().flat_map(words).collect();
        let places: Vec<u64> = sight.places().iter().map(|place| *place as u64).collect();
        let (rows, shares) = (looks.len() / 5, places.last().map_or(0, |place| *place as usize));
        CardSight { looks: self.put(&looks), places: self.put(&places), rows, shares }
    }

    fn download(&self, x: &Buffer) -> Vec<f32> {
        self.get(x)
    }

    fn download_all(&self, buffers: Vec<Buffer>) -> Vec<Vec<f32>> {
        let (mut all, mut start) = (self.room(buffers.iter().map(|buffer| buffer.len).sum()), 0);
        for buffer in &buffers {
            let place = Place { start, stride: buffer.len };
            self.block_to((buffer, Place::of(buffer.len)), (&mut all, place), (1, buffer.len), false);
            start += buffer.len;
        }
        let all = self.get(&all);
        let mut rest = &all[..];
        let mut cut = |buffer: &Buffer| {
            let (own, others) = rest.split_at(buffer.len);
            rest = others;
            own.to_vec()
        };
        buffers.iter().map(&mut cut).collect()
    }

    fn zeros(&self, len: usize) -> Buffer {
        Buffer { slice: must(self.stream.alloc_zeros(len.max(1))), len }
    }

    fn copy(&self, x: &Buffer) -> Buffer {
        Buffer { slice: must(self.stream.clone_dtod(&x.slice)), len: x.len }
    }

    fn len(&self, x: &Buffer) -> usize {
        x.len
    }

    fn add_to(&self, x: &Buffer, to: &mut Buffer) {
        launch!(self, add_to, x.len, 1, &x.slice, &mut to.slice);
    }

    fn add(&self, a: &Buffer, b: &Buffer) -> Buffer {
        let mut out = self.room(a.len);
        launch!(self, sum, a.len, 1, &a.slice, &b.slice, &mut out.slice);
        out
    }

    fn mul(&self, a: &Buffer, b: &Buffer) -> Buffer {
        let mut out = self.room(a.len);
        launch!(self, product, a.len, 1, &a.slice, &b.slice, &mut out.slice);
        out
    }

    fn mul_to(&self, a: &Buffer, b: &Buffer, to: &mut Buffer) {
        launch!(self, product_to, a.len, 1, &a.slice, &b.slice, &mut to.slice);
    }

    fn matmul(&self, lhs: Factor<Buffer>, rhs: Factor<Buffer>, keep: bool, to: &mut Buffer) {
        self.product(lhs, rhs, keep, to);
    }

    fn repeat(&self, row: &Buffer, rows: usize) -> Buffer {
        let mut out = self.room(rows * row.len);
        launch!(self, repeat, out.len, 1, &row.slice, &(row.len as u32), &mut out.slice);
        out
    }

    fn sum_rows_to(&self, x: &Buffer, cols: usize, to: &mut Buffer) {
        let rows = x.len / cols.max(1);
        if rows == 0 {
            return;
        }
        let shape = LaunchConfig {
            grid_dim: (cols.div_ceil(WARP) as u32, rows.div_ceil(ROWS_SUMMED) as u32, 1),
            block_dim: (WARP as u32, 8, 1),
            shared_mem_bytes: 0,
        };
        let mut launch = self.stream.launch_builder(&self.kernels.sum_rows_to);
        let (rows, cols, part) = (rows as u32, cols as u32, ROWS_SUMMED as u32);
        launch.arg(&rows).arg(&cols).arg(&part).arg(&x.slice).arg(&mut to.slice);
        // SAFETY: the arguments are the kernel's, and its threads stay below `rows` and `cols`.
        must(unsafe { launch.launch(shape) });
    }

    fn bag(&self, table: &Buffer, cols: usize, bags: &CardBags) -> Buffer {
        let (mut out, cols) = (self.room(bags.lists * cols), cols as u32);
        let CardBags { ends, entries, .. } = bags;
        launch!(self, bag, out.len, 1, &table.slice, &cols, ends, entries, &mut out.slice);
        out
    }

    fn bag_back_to(&self, gradient: &Buffer, cols: usize, bags: &CardBags, to: &mut Buffer) {
        let (CardBags { ends, entries, .. }, cols) = (bags, cols as u32);
        launch!(self, bag_back_to, gradient.len, 1, &gradient.slice, &cols, ends, entries, &mut to.slice);
    }

    fn scale(&self, x: &Buffer, cols: usize, by: Column<Buffer>) -> Buffer {
        let mut out = self.room(x.len);
        let (cols, width, column) = (cols as u32, by.width as u32, by.column as u32);
        launch!(self, scale, x.len, 1, &x.slice, &cols, &by.values.slice, &width, &column, &mut out.slice);
        out
    }

    fn scale_to(&self, gradient: &Buffer, cols: usize, by: Column<Buffer>, to: &mut Buffer) {
        let (cols, width, column) = (cols as u32, by.width as u32, by.column as u32);
        let work = gradient.len;
        launch!(self, scale_to, work, 1, &gradient.slice, &cols, &by.values.slice, &width, &column, &mut to.slice);
    }

    fn dots_to(&self, a: &Buffer, b: &Buffer, cols: usize, (width, column): (usize, usize), to: &mut Buffer) {
        let (rows, cols, width, column) = (a.len / cols, cols as u32, width as u32, column as u32);
        launch!(self, dots_to, rows, WARP, &a.slice, &b.slice, &cols, &width, &column, &mut to.slice);
    }

    fn silu(&self, x: &Buffer) -> Buffer {
        let mut out = self.room(x.len);
        launch!(self, silu, x.len, 1, &x.slice, &mut out.slice);
        out
    }

    fn silu_back(&self, x: &Buffer, gradient: &Buffer) -> Buffer {
        let mut out = self.room(x.len);
        launch!(self, silu_back, x.len, 1, &x.slice, &gradient.slice, &mut out.slice);
        out
    }

    fn softmax(&self, x: &Buffer, cols: usize, groups: usize) -> Buffer {
        let mut out = self.room(x.len);
        let work = x.len / cols * groups;
        launch!(self, softmax, work, 1, &x.slice, &(cols as u32), &(groups as u32), &mut out.slice);
        out
    }

    fn softmax_back(&self, shares: &Buffer, gradient: &Buffer, cols: usize, groups: usize) -> Buffer {
        let mut out = self.room(gradient.len);
        let (work, cols, groups) = (gradient.len / cols * groups, cols as u32, groups as u32);
        launch!(self, softmax_back, work, 1, &shares.slice, &gradient.slice, &cols, &groups, &mut out.slice);
        out
    }

    fn fold(&self, x: &Buffer, width: usize, cols: usize) -> Buffer {
        let mut out = self.room(x.len / width * cols);
        launch!(self, fold, out.len, 1, &x.slice, &(width as u32), &(cols as u32), &mut out.slice);
        out
    }

    fn fold_back(&self, gradient: &Buffer, width: usize, cols: usize) -> Buffer {
        let mut out = self.room(gradient.len / cols * width);
        launch!(self, fold_back, out.len, 1, &gradient.slice, &(width as u32), &(cols as u32), &mut out.slice);
        out
    }

    fn rms(&self, x: &Buffer, cols: usize, gain: Option<&Buffer>) -> (Buffer, Buffer) {
        let rows = x.len / cols;
        let (mut out, mut scales) = (self.room(x.len), self.room(rows));
        let (cols, gained, gain) = (cols as u32, u32::from(gain.is_some()), gain.unwrap_or(x));
        let (x, gain, out_slice, epsilon) = (&x.slice, &gain.slice, &mut out.slice, NORM_EPSILON);
        launch!(self, rms, rows, WARP, x, &cols, gain, &gained, &epsilon, out_slice, &mut scales.slice);
        (out, scales)
    }

    fn rms_back_to(
        &self,
        of: Normed<Buffer>,
        gradient: &Buffer,
        to_x: Option<&mut Buffer>,
        to_gain: Option<&mut Buffer>,
    ) {
        let (x, scales, cols) = (&of.x.slice, &of.scales.slice, of.cols as u32);
        if let Some(to) = to_gain {
            let mut parts = self.room(gradient.len);
            launch!(self, gain_parts, gradient.len, 1, x, &cols, scales, &gradient.slice, &mut parts.slice);
            self.sum_rows_to(&parts, of.cols, to);
        }
        if let Some(to) = to_x {
            let (gained, gain) = (u32::from(of.gain.is_some()), &of.gain.unwrap_or(of.x).slice);
            let (rows, gradient, to) = (gradient.len / of.cols, &gradient.slice, &mut to.slice);
            launch!(self, rms_back_to, rows, WARP, x, &cols, scales, gain, &gained, gradient, to);
        }
    }

    fn unit(&self, x: &Buffer, cols: usize) -> (Buffer, Buffer) {
        let rows = x.len / cols;
        let (mut out, mut scales) = (self.room(x.len), self.room(rows));
        let (cols, epsilon) = (cols as u32, UNIT_EPSILON);
        launch!(self, unit, rows, WARP, &x.slice, &cols, &epsilon, &mut out.slice, &mut scales.slice);
        (out, scales)
    }

    fn unit_back_to(&self, (value, scales): (&Buffer, &Buffer), gradient: &Buffer, cols: usize, to: &mut Buffer) {
        let (rows, cols) = (gradient.len / cols, cols as u32);
        let (value, scales, gradient) = (&value.slice, &scales.slice, &gradient.slice);
        launch!(self, unit_back_to, rows, WARP, value, scales, gradient, &cols, &mut to.slice);
    }

    fn block_to(
        &self,
        (from, of): (&Buffer, Place),
        (to, at): (&mut Buffer, Place),
        (rows, cols): (usize, usize),
        keep: bool,
    ) {
        let [from_start, from_stride, to_start, to_stride] =
            [of.start, of.stride, at.start, at.stride].map(|number| number as u64);
        let (work, cols, keep) = (rows * cols, cols as u32, u32::from(keep));
        let (from, to) = (&from.slice, &mut to.slice);
        launch!(self, block_to, work, 1, from, &from_start, &from_stride, to, &to_start, &to_stride, &cols, &keep);
    }

    fn mask(&self, len: usize, limit: u8, scale: f32, seed: u64) -> Buffer {
        let mut out = self.room(len);
        let (numbers, limit) = (len as u32, u32::from(limit));
        launch!(self, mask, len.div_ceil(8), 1, &numbers, &limit, &scale, &seed, &mut out.slice);
        out
    }

    fn attend(&self, input: &Attend<Buffer>, sight: &CardSight) -> (Buffer, Buffer) {
        let mut out = self.room(sight.rows * input.value_width);
        let mut shares = self.room(sight.shares * input.heads);
        let [width, wide, bias_cols, heads] =
            [input.width, input.value_width, input.bias_cols, input.heads].map(|number| number as u32);
        let (queries, keys, bias) = (&input.queries.slice, &input.keys.slice, &input.bias.slice);
        let (looks, places, into, seen) = (&sight.looks, &sight.places, &mut out.slice, &mut shares.slice);
        launch!(
            self,
            attend,
            sight.rows * input.heads,
            WARP,
            queries,
            keys,
            &width,
            &wide,
            bias,
            &bias_cols,
            &heads,
            looks,
            places,
            into,
            seen
        );
        (out, shares)
    }

    fn attend_back(
        &self,
        input: &Attend<Buffer>,
        sight: &CardSight,
        shares: &Buffer,
        gradient: &Buffer,
    ) -> Attended<Buffer> {
        let mut back = Attended {
            queries: self.room(input.queries.len),
            keys: self.zeros(input.keys.len),
            bias: self.zeros(input.bias.len),
        };
        let mut pulls = self.room(shares.len);
        let [width, wide, bias_cols, heads] =
            [input.width, input.value_width, input.bias_cols, input.heads].map(|number| number as u32);
        let (queries, keys, gradient, shares) =
            (&input.queries.slice, &input.keys.slice, &gradient.slice, &shares.slice);
        let (looks, places, pulls) = (&sight.looks, &sight.places, &mut pulls.slice);
        let Attended { queries: d_queries, keys: d_keys, bias: d_bias } = &mut back;
        let (d_queries, d_keys, d_bias) = (&mut d_queries.slice, &mut d_keys.slice, &mut d_bias.slice);
        launch!(
            self,
            attend_back,
            sight.rows * input.heads,
            WARP,
            queries,
            keys,
            &width,
            &wide,
            &bias_cols,
            &heads,
            looks,
            places,
            shares,
            gradient,
            pulls,
            d_queries,
            d_keys,
            d_bias
        );
        back
    }

    fn contrast(&self, users: &Buffer, pins: &Buffer, scored: &Scored) -> Loss<Buffer> {
        let (d, questions, candidates) = (scored.dim, scored.answers.targets.len(), pins.len / scored.dim);
        let mut loss = Loss { mean: 0.0, d_users: self.zeros(users.len), d_pins: self.zeros(pins.len), d_scale: 0.0 };
        let log_chance = self.put(scored.log_chance);
        let chunk = (SCORES_MAX / candidates.max(1)).clamp(1, questions.max(1));
        for from in (0..questions).step_by(chunk) {
            let to = (from + chunk).min(questions);
            let place = Place { start: from * d, stride: d };
            let mut part = self.room((to - from) * d);
            self.block_to((users, place), (&mut part, Place::of(d)), (to - from, d), false);
            let found = self.contrast_part(&part, pins, (scored, &log_chance), (from, to), &mut loss.d_pins);
            self.block_to((&found.d_users, Place::of(d)), (&mut loss.d_users, place), (to - from, d), false);
            loss.mean += found.mean;
            loss.d_scale += found.d_scale;
        }
        loss
    }
}

/// An entry of the lists of some questions is its question, from the first of them on, and a candidate.
struct Entries {
    questions: CudaSlice<u32>,
    candidates: CudaSlice<u32>,
    count: usize,
}

/// The loss of some questions.
struct Part {
    d_users: Buffer,
    mean: f64,
    d_scale: f32,
}

impl Card {
    fn entries<'a>(&self, lists: impl Iterator<Item = (u32, &'a u32)>) -> Entries {
        let (questions, candidates): (Vec<u32>, Vec<u32>) = lists.map(|(question, row)| (question, *row)).unzip();
        Entries { questions: self.put(&questions), count: candidates.len(), candidates: self.put(&candidates) }
    }

    /// The loss of the questions `from..to`, whose vectors are `users`; `d_pins` grows.
    fn contrast_part(
        &self,
        users: &Buffer,
        pins: &Buffer,
        (scored, log_chance): (&Scored, &CudaSlice<f32>),
        (from, to): (usize, usize),
        d_pins: &mut Buffer,
    ) -> Part {
        let (d, scale, rows, candidates) = (scored.dim, scored.scale, to - from, pins.len / scored.dim);
        let (targets, positives) = (&scored.answers.targets[from..to], &scored.answers.positives[from..to]);
        let numbered = || (0u32..).zip(targets);
        let hits = self.entries(numbered().flat_map(|(number, list)| list.iter().map(move |hit| (number, &hit.0))));
        let known = (0u32..).zip(positives).flat_map(|(number, list)| list.iter().map(move |row| (number, row)));
        let known = self.entries(known);
        let mut end = 0;
        let ends: Vec<u32> = targets.iter().map(|list| (end += list.len() as u32, end).1).collect();
        let weights: Vec<f32> = targets.iter().flatten().map(|(_, weight)| *weight).collect();
        let (ends, weights) = (self.put(&ends), self.put(&weights));
        let (width, share) = (candidates as u32, 1.0 / scored.answers.targets.len() as f32);
        let mut scores = self.room(rows * candidates);
        let all = || Factor::new(pins, candidates, d);
        self.product(Factor::new(users, rows, d), all().turned(), false, &mut scores);
        let (mut own, mut rest, mut pull) = (self.room(hits.count), self.room(rows), self.room(rows));
        let mut lost = self.room(rows);
        let Entries { questions, candidates: hit, count } = &hits;
        launch!(self, own, *count, 1, &scores.slice, &width, questions, hit, &scale, &mut own.slice);
        launch!(self, forbid, known.count, 1, &mut scores.slice, &width, &known.questions, &known.candidates);
        self.exponents(&mut scores, rows, log_chance, scale, &mut rest);
        let (own, rest) = (&own.slice, &rest.slice);
        launch!(self, pulls, rows, 1, &ends, own, &weights, rest, &share, &scale, &mut pull.slice, &mut lost.slice);
        self.pull_rows(&mut scores, candidates, &pull);
        let into = &mut scores.slice;
        launch!(self, push_targets, *count, 1, into, &width, questions, hit, own, &weights, rest, &share, &scale);
        let mut d_users = self.room(users.len);
        self.product(Factor::new(&scores, rows, candidates), all(), false, &mut d_users);
        let turned = Factor::new(&scores, rows, candidates).turned();
        self.product(turned, Factor::new(users, rows, d), true, d_pins);
        // Scores are scale · u · v: the gradient of the scale is that of u along u.
        let mut along = self.zeros(rows);
        self.dots_to(&d_users, users, d, (1, 0), &mut along);
        let told = self.download_all(vec![lost, along]);
        let sum = |numbers: &[f32]| numbers.iter().map(|number| f64::from(*number)).sum::<f64>();
        Part { d_users, mean: sum(&told[0]), d_scale: (sum(&told[1]) / f64::from(scale)) as f32 }
    }

    /// Rows of cosines become e to their scores, and their sums.
    fn exponents(&self, scores: &mut Buffer, rows: usize, chance: &CudaSlice<f32>, scale: f32, rest: &mut Buffer) {
        let candidates = (scores.len / rows) as u32;
        let mut launch = self.stream.launch_builder(&self.kernels.exponents);
        launch.arg(&mut scores.slice).arg(&candidates).arg(chance).arg(&scale).arg(&mut rest.slice);
        let shape = LaunchConfig { grid_dim: (rows as u32, 1, 1), block_dim: (BLOCK, 1, 1), shared_mem_bytes: 0 };
        // SAFETY: the arguments are the kernel's; a block stays in its row.
        must(unsafe { launch.launch(shape) });
    }

    fn pull_rows(&self, scores: &mut Buffer, candidates: usize, pull: &Buffer) {
        let (count, candidates) = (scores.len as u64, candidates as u32);
        let mut launch = self.stream.launch_builder(&self.kernels.pull_rows);
        launch.arg(&count).arg(&mut scores.slice).arg(&candidates).arg(&pull.slice);
        let shape = LaunchConfig { grid_dim: (PULLING_BLOCKS, 1, 1), block_dim: (BLOCK, 1, 1), shared_mem_bytes: 0 };
        // SAFETY: the arguments are the kernel's; its threads stay below `count`.
        must(unsafe { launch.launch(shape) });
    }

    /// Row-wise Adagrad, as [`crate::sparse::RowAdagrad::step`].
    pub(super) fn adagrad(
        &self,
        uses: &[Use],
        gradients: &Buffer,
        (rate, dim): (f32, usize),
        (table, sums): (&mut Buffer, &mut Buffer),
    ) {
        let (mut rows, mut starts) = (Vec::new(), vec![0u32]);
        for same in uses.chunk_by(|a, b| a.0 == b.0) {
            rows.push(same[0].0);
            starts.push(starts[starts.len() - 1] + same.len() as u32);
        }
        let pins: Vec<u32> = uses.iter().map(|(_, pin)| *pin).collect();
        let (work, dim) = (rows.len(), dim as u32);
        let (rows, starts, pins, gradients) = (self.put(&rows), self.put(&starts), self.put(&pins), &gradients.slice);
        let (table, sums, epsilon) = (&mut table.slice, &mut sums.slice, ADAGRAD_EPSILON);
        launch!(self, adagrad, work, WARP, &rows, &starts, &pins, gradients, &dim, &rate, &epsilon, table, sums);
    }
}
