//! What is left of a budget when all steps above the threshold are climbed.

use super::{Rows, Tie};

/// A way to use some of what is left.
#[derive(Clone, Copy)]
struct Move {
    pinner: u32,
    gain: f32,
    from: u8,
    sends: u8,
}

/// Climbs the steps at the threshold in the order of the pinners, passing over those that are longer than what is left;
/// says what is left then.
pub(super) fn ties(given: &mut [u8], ties: &[Tie], mut left: u64) -> u64 {
    for Tie { pinner, step } in ties {
        let volume = &mut given[*pinner as usize];
        if *volume == step.from && step.sends() <= left {
            *volume = step.to;
            left -= step.sends();
        }
        if left == 0 {
            break;
        }
    }
    left
}

/// Uses what is left, less than the longest step, for moves off the envelopes: each time the one with the greatest gain
/// that fits, as long as any gains something.
pub(super) fn rest(rows: &Rows, given: &mut [u8], mut left: u64) {
    debug_assert!(left < rows.volumes as u64, "a step at the threshold would have fitted");
    let mut moves = moves(rows, given, (left as usize).min(rows.volumes - 1));
    moves.sort_by(|a, b| b.gain.total_cmp(&a.gain).then(a.sends.cmp(&b.sends)).then(a.pinner.cmp(&b.pinner)));
    for Move { pinner, from, sends, .. } in moves {
        let volume = &mut given[pinner as usize];
        if *volume == from && u64::from(sends) <= left {
            *volume += sends;
            left -= u64::from(sends);
        }
    }
}

/// For each number of notifications up to `sends_max` the `sends_max` moves that gain most.
fn moves(rows: &Rows, given: &[u8], sends_max: usize) -> Vec<Move> {
    let blocks = rows.blocks(|first, block| {
        let mut best: Vec<Vec<Move>> = vec![Vec::with_capacity(sends_max + 1); sends_max];
        for ((row, &from), pinner) in block.chunks_exact(rows.volumes).zip(&given[first..]).zip(first as u32..) {
            if !row[0].is_finite() {
                continue;
            }
            let at = usize::from(from);
            for (sends, &reached) in (1..=sends_max as u8).zip(&row[at + 1..]) {
                let gain = reached - row[at];
                if gain.is_finite() && gain > 0.0 {
                    keep(&mut best[usize::from(sends) - 1], Move { pinner, gain, from, sends }, sends_max);
                }
            }
        }
        best.concat()
    });
    blocks.concat()
}

fn keep(best: &mut Vec<Move>, new: Move, most: usize) {
    if best.len() == most && best.last().is_some_and(|last| last.gain >= new.gain) {
        return;
    }
    let place = best.partition_point(|old| old.gain >= new.gain);
    best.insert(place, new);
    best.truncate(most);
}
