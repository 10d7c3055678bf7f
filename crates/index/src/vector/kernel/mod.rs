//! Sums of products of small integers: what a search spends its time on.
//!
//! A query is 8-bit numbers, a row is 12-bit codes cut in two: the upper four bits of sixteen rows lie interleaved in a
//! block, the lower eight bits of each row by themselves in a line. A scan reads upper parts only; what passes its
//! threshold is told exactly with the lower part.
//!
//! All sums are integers, so the three implementations give the same numbers to the last bit.

mod portable;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use bytemuck::{Pod, Zeroable};

/// Rows of a block: the sums of one block fill one register.
pub(super) const ROWS: usize = 16;

/// Numbers of a row are padded with zeros to a multiple of this.
pub(super) const LANES: usize = 32;

/// Numbers of a row whose upper parts share a line.
pub(super) const LINE_DIMS: usize = 8;

/// A cache line.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u8; 64]);

/// An implementation, chosen once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// Plain Rust.
    Portable,
    /// AVX2: 8 sums a register.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 with VNNI: 16 sums a register, four products an instruction.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// What a scan compares: a row of a list passes when `base + scale · (sum · step + lift)` reaches `floor`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bar {
    pub(super) base: f32,
    pub(super) step: f32,
    pub(super) lift: f32,
    pub(super) floor: f32,
}

/// What a scan found, by block.
#[derive(Clone, Debug, Default)]
pub(super) struct Scanned {
    pub(super) sums: Vec<[i32; ROWS]>,
    pub(super) masks: Vec<u16>,
}

impl Scanned {
    fn resize(&mut self, count: usize) {
        if self.masks.len() < count {
            self.sums.resize(count, [0; ROWS]);
            self.masks.resize(count, 0);
        }
    }
}

/// A positive number in 16 bits: the upper half of an `f32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub(super) struct Scale(u16);

impl Scale {
    /// The next scale that is not less than a finite number.
    pub(super) fn at_least(number: f32) -> Scale {
        Scale((number.to_bits().saturating_add(0xFFFF) >> 16) as u16)
    }

    #[inline]
    pub(super) fn get(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }
}

impl Kernel {
    /// The quickest that this processor has.
    pub(super) fn detect() -> Kernel {
        Kernel::all().into_iter().next_back().unwrap_or(Kernel::Portable)
    }

    /// All that this processor has, the quickest last.
    pub(super) fn all() -> Vec<Kernel> {
        let mut all = vec![Kernel::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                all.push(Kernel::Avx2);
            }
            let wide = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
            if wide && is_x86_feature_detected!("avx512vnni") {
                all.push(Kernel::Avx512);
            }
        }
        all
    }

    /// Scans blocks of `query.len() / 8` lines of upper parts. Writes the sums of each block and the mask of rows that
    /// pass `bar`. `scales` holds those of each block's rows.
    pub(super) fn scan(self, query: &[i8], blocks: &[Line], scales: &[[Scale; ROWS]], bar: Bar, out: &mut Scanned) {
        let lines = query.len() / LINE_DIMS;
        let count = scales.len();
        assert!(query.len().is_multiple_of(LANES) && blocks.len() == lines * count, "invariant: whole blocks");
        out.resize(count);
        let (sums, masks) = (&mut out.sums[..count], &mut out.masks[..count]);
        match self {
            Kernel::Portable => portable::scan(query, blocks, scales, bar, sums, masks),
            // SAFETY: the processor has it, see `detect`; `blocks` is whole blocks, one per scale, sum and mask.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => unsafe { avx2::scan(query, blocks, scales, bar, sums, masks) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => unsafe { avx512::scan(query, blocks, scales, bar, sums, masks) },
        }
    }

    /// The sum of products of a query with the lower parts of one row.
    #[inline]
    pub(super) fn lower(self, query: &[i8], row: &[u8]) -> i32 {
        assert!(query.len().is_multiple_of(LANES) && row.len() == query.len(), "invariant: a whole row");
        match self {
            Kernel::Portable => portable::lower(query, row),
            // SAFETY: the processor has AVX2 (AVX-512 implies it); the lengths were just checked.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 | Kernel::Avx512 => unsafe { avx2::lower(query, row) },
        }
    }

    /// The sum of products of a query, in the order of [`by_nibbles`], with the upper parts of one row: four
    /// bytes of each line of its block.
    #[inline]
    pub(super) fn upper(self, query: &[i8], row: &[u8]) -> i32 {
        assert!(query.len().is_multiple_of(LANES) && row.len() * 2 == query.len(), "invariant: a whole row");
        match self {
            Kernel::Portable => portable::upper(query, row),
            // SAFETY: the processor has AVX2 (AVX-512 implies it); the lengths were just checked.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 | Kernel::Avx512 => unsafe { avx2::upper(query, row) },
        }
    }

    /// Sums of products of a few queries with whole 7-bit codes (0 to 127) of blocks: `query.len() / 4` lines a block,
    /// line `i` holds numbers `4i..4i + 4` of each row. `out` of each query takes `ROWS` sums a block.
    pub(super) fn whole<const N: usize>(self, queries: [&[i8]; N], blocks: &[Line], out: [&mut [i32]; N]) {
        let lines = queries[0].len() / 4;
        assert!(lines > 0 && queries.iter().all(|query| query.len() == lines * 4), "invariant: queries of one length");
        assert!(out.iter().all(|out| out.len() * lines == blocks.len() * ROWS), "invariant: a sum for each row");
        match self {
            Kernel::Portable => portable::whole(queries, blocks, out),
            // SAFETY: the processor has it; the lengths were just checked.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => unsafe { avx2::whole(queries, blocks, out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => unsafe { avx512::whole(queries, blocks, out) },
        }
    }

    /// The place of the largest `(sum − less) · step − loss`; of equal ones the first. Whole blocks of sums.
    pub(super) fn largest(self, sums: &[i32], losses: &[f32], less: i32, step: f32) -> u32 {
        assert!(sums.len().is_multiple_of(ROWS) && sums.len() == losses.len(), "invariant: a loss for each sum");
        match self {
            Kernel::Portable => portable::largest(sums, losses, less, step),
            // SAFETY: the processor has it.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => unsafe { avx2::largest(sums, losses, less, step) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => unsafe { avx512::largest(sums, losses, less, step) },
        }
    }
}

/// A query in the order in which [`Kernel::upper`] meets its numbers: of each 32, those of lower nibbles, then those of
/// upper ones.
pub(super) fn by_nibbles(query: &[i8]) -> Vec<i8> {
    let halves = |part: &[i8]| {
        let half = |from: usize| part.chunks_exact(LINE_DIMS).flat_map(move |line| line[from..from + 4].to_vec());
        half(0).chain(half(4)).collect::<Vec<i8>>()
    };
    query.chunks_exact(LANES).flat_map(halves).collect()
}

/// Asks for the cache lines of `bytes` without waiting for them.
#[inline]
pub(super) fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing; every x86-64 processor has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

#[cfg(test)]
mod tests;
