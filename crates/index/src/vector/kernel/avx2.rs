//! The kernels for AVX2.

use super::{Bar, LINE_DIMS, Line, ROWS, Scale};
use std::arch::x86_64::*;

/// Lines whose products are gathered in 16 bits: each adds at most 4 · 15 · 127 to a lane.
const LINES_IN_16_BITS: usize = 4;

/// # Safety
/// The processor must have AVX2; `blocks` must hold a block of `query.len() / 8` lines for each of `scales`,
/// `sums` and `masks`.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn scan(
    query: &[i8],
    blocks: &[Line],
    scales: &[[Scale; ROWS]],
    bar: Bar,
    sums: &mut [[i32; ROWS]],
    masks: &mut [u16],
) {
    let groups = query.len() / LINE_DIMS;
    let (base, step) = (_mm256_set1_ps(bar.base), _mm256_set1_ps(bar.step));
    let (lift, floor) = (_mm256_set1_ps(bar.lift), _mm256_set1_ps(bar.floor));
    for (at, ((sums, mask), scales)) in sums.iter_mut().zip(masks).zip(scales).enumerate() {
        *mask = 0;
        for half in 0..2 {
            // SAFETY: block `at` lies inside `blocks`; it is `groups` lines; `half` picks 32 of a line's
            // 64 bytes and 8 of 16 scales.
            unsafe {
                let block = blocks.as_ptr().add(at * groups).cast::<u8>().add(32 * half);
                let sum = half_sums(query, block, groups);
                _mm256_storeu_si256(sums.as_mut_ptr().add(8 * half).cast(), sum);
                let scale = _mm_loadu_si128(scales.as_ptr().add(8 * half).cast());
                let scale = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(scale)));
                let told = _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sum), step), lift);
                let score = _mm256_add_ps(base, _mm256_mul_ps(scale, told));
                let passes = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(score, floor));
                *mask |= (passes as u16) << (8 * half);
            }
        }
    }
}

/// Sums of eight rows.
///
/// # Safety
/// The processor must have AVX2; 32 bytes must lie at `block` and at each of the `groups - 1` next steps of 64; the
/// query must hold 8 numbers per group.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn half_sums(query: &[i8], block: *const u8, groups: usize) -> __m256i {
    let (low, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
    let quad = query.as_ptr().cast::<i32>();
    let mut sum = _mm256_setzero_si256();
    let mut group = 0;
    while group < groups {
        let end = groups.min(group + LINES_IN_16_BITS);
        let mut pairs = _mm256_setzero_si256();
        while group < end {
            // SAFETY: `group < groups`.
            unsafe {
                let codes = _mm256_loadu_si256(block.add(64 * group).cast());
                let below = _mm256_and_si256(codes, low);
                let above = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), low);
                let first = _mm256_set1_epi32(quad.add(2 * group).read_unaligned());
                let second = _mm256_set1_epi32(quad.add(2 * group + 1).read_unaligned());
                let both = _mm256_add_epi16(_mm256_maddubs_epi16(below, first), _mm256_maddubs_epi16(above, second));
                pairs = _mm256_add_epi16(pairs, both);
            }
            group += 1;
        }
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
    sum
}

/// # Safety
/// The processor must have AVX2; `query` and `row` must be of one length, a multiple of 32.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) unsafe fn lower(query: &[i8], row: &[u8]) -> i32 {
    let mut sums = [_mm256_setzero_si256(); 2];
    for at in (0..query.len()).step_by(32) {
        for (half, sum) in sums.iter_mut().enumerate() {
            // SAFETY: `at + 32` is at most the length of both.
            unsafe {
                let codes = _mm_loadu_si128(row.as_ptr().add(at + 16 * half).cast());
                let query = _mm_loadu_si128(query.as_ptr().add(at + 16 * half).cast());
                let products = _mm256_madd_epi16(_mm256_cvtepu8_epi16(codes), _mm256_cvtepi8_epi16(query));
                *sum = _mm256_add_epi32(*sum, products);
            }
        }
    }
    let sum = _mm256_add_epi32(sums[0], sums[1]);
    added(_mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum)))
}

/// # Safety
/// The processor must have AVX2; `query` must be twice as long as `row`, a multiple of 32.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) unsafe fn upper(query: &[i8], row: &[u8]) -> i32 {
    let (low, ones) = (_mm_set1_epi8(15), _mm_set1_epi16(1));
    let mut sum = _mm_setzero_si128();
    for at in (0..row.len()).step_by(16) {
        // SAFETY: `at + 16` is at most the length of the row, and twice that the length of the query.
        unsafe {
            let codes = _mm_loadu_si128(row.as_ptr().add(at).cast());
            let below = _mm_and_si128(codes, low);
            let above = _mm_and_si128(_mm_srli_epi16::<4>(codes), low);
            let first = _mm_loadu_si128(query.as_ptr().add(2 * at).cast());
            let second = _mm_loadu_si128(query.as_ptr().add(2 * at + 16).cast());
            let pairs = _mm_add_epi16(_mm_maddubs_epi16(below, first), _mm_maddubs_epi16(above, second));
            sum = _mm_add_epi32(sum, _mm_madd_epi16(pairs, ones));
        }
    }
    added(sum)
}

/// The sum of four numbers.
///
/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
#[inline]
fn added(sum: __m128i) -> i32 {
    let sum = _mm_add_epi32(sum, _mm_shuffle_epi32::<0b01_00_11_10>(sum));
    _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32::<0b10_11_00_01>(sum)))
}

/// # Safety
/// The processor must have AVX2; all queries must be of one length, 4 numbers a line of a block, and `out` of each
/// must have 16 places for each of `blocks`.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn whole<const N: usize>(queries: [&[i8]; N], blocks: &[Line], out: [&mut [i32]; N]) {
    let lines = queries[0].len() / 4;
    let quads = queries.map(|query| query.as_ptr().cast::<i32>());
    let outs = out.map(|out| out.as_mut_ptr());
    let ones = _mm256_set1_epi16(1);
    for half in 0..blocks.len() / lines * 2 {
        // SAFETY: half a block is 32 bytes of each of its lines; a query holds a quad per line, `out` 8 places
        // per half.
        unsafe {
            let block = blocks.as_ptr().add(half / 2 * lines).cast::<u8>().add(32 * (half % 2));
            let mut sums = [_mm256_setzero_si256(); N];
            for line in 0..lines {
                let codes = _mm256_loadu_si256(block.add(64 * line).cast());
                for (sum, quad) in sums.iter_mut().zip(quads) {
                    let query = _mm256_set1_epi32(quad.add(line).read_unaligned());
                    let pairs = _mm256_maddubs_epi16(codes, query);
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
                }
            }
            for (sum, out) in sums.iter().zip(outs) {
                _mm256_storeu_si256(out.add(half * 8).cast(), *sum);
            }
        }
    }
}

/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn largest(sums: &[i32], losses: &[f32], less: i32, step: f32) -> u32 {
    super::portable::largest(sums, losses, less, step)
}
