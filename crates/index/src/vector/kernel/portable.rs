//! The kernels in plain Rust: what the others are tested against.

use super::{Bar, LANES, LINE_DIMS, Line, ROWS, Scale};

pub(super) fn scan(
    query: &[i8],
    blocks: &[Line],
    scales: &[[Scale; ROWS]],
    bar: Bar,
    sums: &mut [[i32; ROWS]],
    masks: &mut [u16],
) {
    for (((block, scales), sums), mask) in blocks.chunks_exact(query.len() / LINE_DIMS).zip(scales).zip(sums).zip(masks)
    {
        *sums = [0; ROWS];
        for (line, query) in block.iter().zip(query.chunks_exact(LINE_DIMS)) {
            let (first, second) = query.split_at(LINE_DIMS / 2);
            for (sum, codes) in sums.iter_mut().zip(line.0.chunks_exact(LINE_DIMS / 2)) {
                for ((&code, &a), &b) in codes.iter().zip(first).zip(second) {
                    *sum += i32::from(code & 15) * i32::from(a) + i32::from(code >> 4) * i32::from(b);
                }
            }
        }
        let passes = |(row, &sum): (usize, &i32)| {
            let score = bar.base + scales[row].get() * (sum as f32 * bar.step + bar.lift);
            u16::from(score >= bar.floor) << row
        };
        *mask = sums.iter().enumerate().map(passes).sum();
    }
}

pub(super) fn lower(query: &[i8], row: &[u8]) -> i32 {
    query.iter().zip(row).map(|(&q, &code)| i32::from(q) * i32::from(code)).sum()
}

pub(super) fn upper(query: &[i8], row: &[u8]) -> i32 {
    let part = |(query, codes): (&[i8], &[u8])| -> i32 {
        let (first, second) = query.split_at(LANES / 2);
        let pair = |((&code, &a), &b): ((&u8, &i8), &i8)| {
            i32::from(code & 15) * i32::from(a) + i32::from(code >> 4) * i32::from(b)
        };
        codes.iter().zip(first).zip(second).map(pair).sum()
    };
    query.chunks_exact(LANES).zip(row.chunks_exact(LANES / 2)).map(part).sum()
}

pub(super) fn whole<const N: usize>(queries: [&[i8]; N], blocks: &[Line], out: [&mut [i32]; N]) {
    for (query, out) in queries.into_iter().zip(out) {
        for (block, sums) in blocks.chunks_exact(query.len() / 4).zip(out.chunks_exact_mut(ROWS)) {
            sums.fill(0);
            for (line, query) in block.iter().zip(query.chunks_exact(4)) {
                for (sum, codes) in sums.iter_mut().zip(line.0.chunks_exact(4)) {
                    *sum += codes.iter().zip(query).map(|(&code, &q)| i32::from(code) * i32::from(q)).sum::<i32>();
                }
            }
        }
    }
}

/// Inlined into the other kernels, which have it compiled for their registers.
#[inline(always)]
pub(super) fn largest(sums: &[i32], losses: &[f32], less: i32, step: f32) -> u32 {
    let (mut best, mut blocks) = ([f32::NEG_INFINITY; ROWS], [0u32; ROWS]);
    let (sums, losses) = (sums.as_chunks::<ROWS>().0, losses.as_chunks::<ROWS>().0);
    for (block, (sums, losses)) in (0u32..).zip(sums.iter().zip(losses)) {
        for lane in 0..ROWS {
            let score = (sums[lane] - less) as f32 * step - losses[lane];
            let better = score > best[lane];
            best[lane] = if better { score } else { best[lane] };
            blocks[lane] = if better { block } else { blocks[lane] };
        }
    }
    let place = |lane: &usize| blocks[*lane] * ROWS as u32 + *lane as u32;
    let order = |a: &usize, b: &usize| best[*a].total_cmp(&best[*b]).then(place(b).cmp(&place(a)));
    (0..ROWS).max_by(order).map_or(0, |lane| place(&lane))
}
