//! A tape's kernels on this thread.

use models::{Grid, Operand, matmul};

use super::engine::{Attend, Attended, Column, Engine, Factor, Normed, Place};
use super::{Bags, Entry, Sight, Standard, attend, conv, kernels, standard};
use crate::softmax::{self, Loss, Scored};
use domain::hash64;

/// This thread.
pub(crate) struct Cpu;

impl Engine for Cpu {
    type Buffer = Vec<f32>;
    type Bags = Bags;
    type Sight = Sight;

    fn shards(&self, wanted: usize) -> usize {
        wanted
    }

    fn upload(&self, numbers: Vec<f32>) -> Vec<f32> {
        numbers
    }

    fn bags(&self, bags: Bags) -> Bags {
        bags
    }

    fn sight(&self, sight: Sight) -> Sight {
        sight
    }

    fn download(&self, x: &Vec<f32>) -> Vec<f32> {
        x.clone()
    }

    fn download_all(&self, buffers: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
        buffers
    }

    fn zeros(&self, len: usize) -> Vec<f32> {
        vec![0.0; len]
    }

    fn copy(&self, x: &Vec<f32>) -> Vec<f32> {
        x.clone()
    }

    fn len(&self, x: &Vec<f32>) -> usize {
        x.len()
    }

    fn add_to(&self, x: &Vec<f32>, to: &mut Vec<f32>) {
        debug_assert_eq!(x.len(), to.len());
        to.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
    }

    fn add(&self, a: &Vec<f32>, b: &Vec<f32>) -> Vec<f32> {
        kernels::sum(a, b)
    }

    fn mul(&self, a: &Vec<f32>, b: &Vec<f32>) -> Vec<f32> {
        kernels::product(a, b)
    }

    fn mul_to(&self, a: &Vec<f32>, b: &Vec<f32>, to: &mut Vec<f32>) {
        kernels::add_product(a, b, to);
    }

    fn matmul(&self, lhs: Factor<Vec<f32>>, rhs: Factor<Vec<f32>>, keep: bool, to: &mut Vec<f32>) {
        let (lhs, rhs, cols) = (operand(&lhs), operand(&rhs), if rhs.turned { rhs.rows } else { rhs.cols });
        matmul(to, cols, lhs, rhs, f32::from(u8::from(keep)), 1.0);
    }

    fn convolve(&self, x: &Vec<f32>, weight: &Vec<f32>, grid: Grid) -> Vec<f32> {
        conv::forward(x, weight, grid)
    }

    fn standardise(&self, x: &Vec<f32>, bias: &Vec<f32>) -> (Vec<f32>, Standard) {
        standard::forward(x, bias)
    }

    fn standardise_back(&self, x: &Vec<f32>, found: &Standard, gradient: &Vec<f32>) -> [Vec<f32>; 2] {
        standard::backward(x, found, gradient).into()
    }

    fn convolve_back(
        &self,
        (x, weight): (&Vec<f32>, &Vec<f32>),
        gradient: &Vec<f32>,
        grid: Grid,
        wanted: bool,
    ) -> (Vec<f32>, Option<Vec<f32>>) {
        let (mut to_weight, mut to_x) = (vec![0.0; weight.len()], wanted.then(|| vec![0.0; x.len()]));
        conv::backward((x, weight), gradient, grid, &mut to_weight, to_x.as_deref_mut());
        (to_weight, to_x)
    }

    fn repeat(&self, row: &Vec<f32>, rows: usize) -> Vec<f32> {
        row.repeat(rows)
    }

    fn sum_rows_to(&self, x: &Vec<f32>, cols: usize, to: &mut Vec<f32>) {
        x.chunks_exact(cols).for_each(|row| kernels::add_scaled(1.0, row, to));
    }

    fn bag(&self, table: &Vec<f32>, cols: usize, bags: &Bags) -> Vec<f32> {
        let mut out = vec![0.0; bags.ends.len() * cols];
        for (list, out) in bags.lists().zip(out.chunks_exact_mut(cols.max(1))) {
            for &Entry { row, weight } in list {
                kernels::add_scaled(weight, &table[row as usize * cols..][..cols], out);
            }
        }
        out
    }

    fn bag_back_to(&self, gradient: &Vec<f32>, cols: usize, bags: &Bags, to: &mut Vec<f32>) {
        for (list, gradient) in bags.lists().zip(gradient.chunks_exact(cols)) {
            for &Entry { row, weight } in list {
                kernels::add_scaled(weight, gradient, &mut to[row as usize * cols..][..cols]);
            }
        }
    }

    fn scale(&self, x: &Vec<f32>, cols: usize, by: Column<Vec<f32>>) -> Vec<f32> {
        let mut out = x.clone();
        out.chunks_exact_mut(cols).zip(column(&by)).for_each(|(row, f)| row.iter_mut().for_each(|v| *v *= f));
        out
    }

    fn scale_to(&self, gradient: &Vec<f32>, cols: usize, by: Column<Vec<f32>>, to: &mut Vec<f32>) {
        let rows = gradient.chunks_exact(cols).zip(to.chunks_exact_mut(cols));
        rows.zip(column(&by)).for_each(|((gradient, to), factor)| kernels::add_scaled(*factor, gradient, to));
    }

    fn dots_to(&self, a: &Vec<f32>, b: &Vec<f32>, cols: usize, (width, column): (usize, usize), to: &mut Vec<f32>) {
        let rows = a.chunks_exact(cols).zip(b.chunks_exact(cols));
        to[column..].iter_mut().step_by(width).zip(rows).for_each(|(sum, (a, b))| *sum += kernels::dot(a, b));
    }

    fn silu(&self, x: &Vec<f32>) -> Vec<f32> {
        let mut out = x.clone();
        models::silu(&mut out);
        out
    }

    fn silu_back(&self, x: &Vec<f32>, gradient: &Vec<f32>) -> Vec<f32> {
        kernels::silu_back(x, gradient)
    }

    fn softmax(&self, x: &Vec<f32>, cols: usize, groups: usize) -> Vec<f32> {
        let mut out = x.clone();
        for row in out.chunks_exact_mut(cols) {
            for group in 0..groups {
                let mut shares: Vec<f32> = row[group..].iter().step_by(groups).copied().collect();
                models::softmax(&mut shares);
                row[group..].iter_mut().step_by(groups).zip(shares).for_each(|(value, share)| *value = share);
            }
        }
        out
    }

    fn softmax_back(&self, shares: &Vec<f32>, gradient: &Vec<f32>, cols: usize, groups: usize) -> Vec<f32> {
        let mut out = gradient.clone();
        for (part, share) in out.chunks_exact_mut(cols).zip(shares.chunks_exact(cols)) {
            for group in 0..groups {
                let shares = || share[group..].iter().step_by(groups);
                let mean: f32 = part[group..].iter().step_by(groups).zip(shares()).map(|(a, b)| a * b).sum();
                let part = part[group..].iter_mut().step_by(groups);
                part.zip(shares()).for_each(|(part, share)| *part = share * (*part - mean));
            }
        }
        out
    }

    fn fold(&self, x: &Vec<f32>, width: usize, cols: usize) -> Vec<f32> {
        let mut out = vec![0.0; x.len() / width * cols];
        for (row, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(cols)) {
            row.chunks_exact(cols).for_each(|part| kernels::add_scaled(1.0, part, out));
        }
        out
    }

    fn fold_back(&self, gradient: &Vec<f32>, width: usize, cols: usize) -> Vec<f32> {
        gradient.chunks_exact(cols).flat_map(|row| row.repeat(width / cols)).collect()
    }

    fn rms(&self, x: &Vec<f32>, cols: usize, gain: Option<&Vec<f32>>) -> (Vec<f32>, Vec<f32>) {
        kernels::rms(x, cols, gain.map(Vec::as_slice))
    }

    fn rms_back_to(
        &self,
        of: Normed<Vec<f32>>,
        gradient: &Vec<f32>,
        to_x: Option<&mut Vec<f32>>,
        to_gain: Option<&mut Vec<f32>>,
    ) {
        let rows = || of.x.chunks_exact(of.cols).zip(of.scales).zip(gradient.chunks_exact(of.cols));
        if let Some(to) = to_gain {
            for ((x, scale), gradient) in rows() {
                for ((to, x), gradient) in to.iter_mut().zip(x).zip(gradient) {
                    *to += *gradient * x * scale;
                }
            }
        }
        let Some(to) = to_x else { return };
        let mut gained = vec![0.0; of.cols];
        for (((x, scale), gradient), to) in rows().zip(to.chunks_exact_mut(of.cols)) {
            match of.gain {
                Some(gain) => {
                    gained.iter_mut().zip(gradient).zip(gain).for_each(|((gained, g), gain)| *gained = g * gain);
                    kernels::rms_back(x, *scale, &gained, to);
                }
                None => kernels::rms_back(x, *scale, gradient, to),
            }
        }
    }

    fn unit(&self, x: &Vec<f32>, cols: usize) -> (Vec<f32>, Vec<f32>) {
        kernels::unit(x, cols)
    }

    fn unit_back_to(
        &self,
        (value, scales): (&Vec<f32>, &Vec<f32>),
        gradient: &Vec<f32>,
        cols: usize,
        to: &mut Vec<f32>,
    ) {
        let rows = gradient.chunks_exact(cols).zip(value.chunks_exact(cols));
        for (((gradient, value), scale), to) in rows.zip(scales).zip(to.chunks_exact_mut(cols)) {
            let along = kernels::dot(gradient, value);
            kernels::add_scaled(*scale, gradient, to);
            kernels::add_scaled(-along * scale, value, to);
        }
    }

    fn block_to(
        &self,
        (from, of): (&Vec<f32>, Place),
        (to, at): (&mut Vec<f32>, Place),
        (rows, cols): (usize, usize),
        keep: bool,
    ) {
        for row in 0..rows {
            let from = &from[of.start + row * of.stride..][..cols];
            let to = &mut to[at.start + row * at.stride..][..cols];
            match keep {
                true => kernels::add_scaled(1.0, from, to),
                false => to.copy_from_slice(from),
            }
        }
    }

    fn mask(&self, len: usize, limit: u8, scale: f32, seed: u64) -> Vec<f32> {
        let mut kept = Vec::with_capacity(len + 8);
        let mut draw = 0;
        while kept.len() < len {
            let bytes = hash64(seed ^ (draw << 1)).to_le_bytes();
            kept.extend(bytes.map(|byte| if byte >= limit { scale } else { 0.0 }));
            draw += 1;
        }
        kept.truncate(len);
        kept
    }

    fn attend(&self, input: &Attend<Vec<f32>>, sight: &Sight) -> (Vec<f32>, Vec<f32>) {
        attend::forward(input, sight)
    }

    fn attend_back(
        &self,
        input: &Attend<Vec<f32>>,
        sight: &Sight,
        shares: &Vec<f32>,
        gradient: &Vec<f32>,
    ) -> Attended<Vec<f32>> {
        attend::backward(input, sight, shares, gradient)
    }

    fn contrast(&self, users: &Vec<f32>, pins: &Vec<f32>, scored: &Scored) -> Loss<Vec<f32>> {
        softmax::loss(users, pins, scored)
    }
}

fn operand<'a>(factor: &Factor<'a, Vec<f32>>) -> Operand<'a> {
    let operand = Operand::new(factor.values, factor.rows, factor.cols, factor.cols);
    if factor.turned { operand.transposed() } else { operand }
}

fn column<'a>(by: &Column<'a, Vec<f32>>) -> impl Iterator<Item = &'a f32> {
    by.values[by.column..].iter().step_by(by.width)
}
