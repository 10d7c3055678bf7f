//! The kernels for AVX-512 with VNNI.

use super::{Bar, LINE_DIMS, Line, ROWS, Scale};
use std::arch::x86_64::*;

/// Blocks that are asked of memory before they are needed.
const AHEAD: usize = 4;

/// # Safety
/// The processor must have AVX-512 F, BW and VNNI; `blocks` must hold a block of `query.len() / 8` lines
/// for each of `scales`, `sums` and `masks`.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn scan(
    query: &[i8],
    blocks: &[Line],
    scales: &[[Scale; ROWS]],
    bar: Bar,
    sums: &mut [[i32; ROWS]],
    masks: &mut [u16],
) {
    let groups = query.len() / LINE_DIMS;
    let low = _mm512_set1_epi8(15);
    let (base, step) = (_mm512_set1_ps(bar.base), _mm512_set1_ps(bar.step));
    let (lift, floor) = (_mm512_set1_ps(bar.lift), _mm512_set1_ps(bar.floor));
    let quad = query.as_ptr().cast::<i32>();
    for (at, ((sums, mask), scales)) in sums.iter_mut().zip(masks).zip(scales).enumerate() {
        // SAFETY: block `at` lies inside `blocks`; it is `groups` lines; the query holds two quads per
        // line; scales are 16 numbers of 16 bits.
        unsafe {
            let block = blocks.as_ptr().add(at * groups);
            let (mut first, mut second) = (_mm512_setzero_si512(), _mm512_setzero_si512());
            for group in 0..groups {
                _mm_prefetch::<_MM_HINT_T0>(block.wrapping_add(group + AHEAD * groups).cast());
                let codes = _mm512_loadu_si512(block.add(group).cast());
                let below = _mm512_and_si512(codes, low);
                let above = _mm512_and_si512(_mm512_srli_epi16::<4>(codes), low);
                first = _mm512_dpbusd_epi32(first, below, _mm512_set1_epi32(quad.add(2 * group).read_unaligned()));
                second =
                    _mm512_dpbusd_epi32(second, above, _mm512_set1_epi32(quad.add(2 * group + 1).read_unaligned()));
            }
            let sum = _mm512_add_epi32(first, second);
            _mm512_storeu_si512(sums.as_mut_ptr().cast(), sum);
            let scale = _mm512_cvtepu16_epi32(_mm256_loadu_si256(scales.as_ptr().cast()));
            let scale = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(scale));
            let told = _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), step), lift);
            let score = _mm512_add_ps(base, _mm512_mul_ps(scale, told));
            *mask = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(score, floor);
        }
    }
}

/// # Safety
/// The processor must have AVX-512 F, BW and VNNI; all queries must be of one length, 4 numbers a line of a block,
/// and `out` of each must have 16 places for each of `blocks`.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn whole<const N: usize>(queries: [&[i8]; N], blocks: &[Line], out: [&mut [i32]; N]) {
    let lines = queries[0].len() / 4;
    let quads = queries.map(|query| query.as_ptr().cast::<i32>());
    let outs = out.map(|out| out.as_mut_ptr());
    for at in 0..blocks.len() / lines {
        // SAFETY: block `at` lies inside `blocks`, a query holds a quad per line, and `out` 16 places per block.
        unsafe {
            let block = blocks.as_ptr().add(at * lines);
            let mut sums = [_mm512_setzero_si512(); N];
            for line in 0..lines {
                let codes = _mm512_loadu_si512(block.add(line).cast());
                for (sum, quad) in sums.iter_mut().zip(quads) {
                    *sum = _mm512_dpbusd_epi32(*sum, codes, _mm512_set1_epi32(quad.add(line).read_unaligned()));
                }
            }
            for (sum, out) in sums.iter().zip(outs) {
                _mm512_storeu_si512(out.add(at * ROWS).cast(), *sum);
            }
        }
    }
}

/// # Safety
/// The processor must have AVX-512 F.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn largest(sums: &[i32], losses: &[f32], less: i32, step: f32) -> u32 {
    super::portable::largest(sums, losses, less, step)
}
