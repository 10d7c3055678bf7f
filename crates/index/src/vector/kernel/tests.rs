use super::*;
use domain::Rng;

fn codes(rng: &mut Rng, len: usize) -> Vec<i8> {
    (0..len).map(|_| rng.below(255) as i8).map(|code| code.max(-127)).collect()
}

fn lines(rng: &mut Rng, count: usize, mask: u8) -> Vec<Line> {
    (0..count).map(|_| Line(std::array::from_fn(|_| rng.next_u64() as u8 & mask))).collect()
}

#[test]
fn all_kernels_give_the_same_sums_and_masks() {
    let mut rng = Rng::new(11);
    for (dim, blocks) in [(32, 1), (64, 7), (96, 3), (800, 2)] {
        let query = codes(&mut rng, dim);
        let upper = lines(&mut rng, blocks * dim / LINE_DIMS, 255);
        let scales: Vec<[Scale; ROWS]> =
            (0..blocks).map(|_| std::array::from_fn(|_| Scale::at_least(rng.uniform()))).collect();
        // Sums lie around that of a row of middles: about half of the rows pass.
        let middle: i32 = query.iter().map(|&code| i32::from(code)).sum();
        let bar = Bar { base: 0.5, step: 0.01, lift: -0.075 * middle as f32, floor: 0.7 };
        let mut expected = Scanned::default();
        Kernel::Portable.scan(&query, &upper, &scales, bar, &mut expected);
        let passing: u32 = expected.masks.iter().map(|mask| mask.count_ones()).sum();
        assert!(passing > 0 && passing < (blocks * ROWS) as u32, "{passing} pass");
        let row: Vec<u8> = (0..dim).map(|_| rng.next_u64() as u8).collect();
        for kernel in Kernel::all() {
            let mut found = Scanned::default();
            kernel.scan(&query, &upper, &scales, bar, &mut found);
            assert_eq!((&found.sums, &found.masks), (&expected.sums, &expected.masks), "{kernel:?}, {dim}");
            assert_eq!(kernel.lower(&query, &row), Kernel::Portable.lower(&query, &row), "{kernel:?}, {dim}");
            let order = by_nibbles(&query);
            let first: Vec<u8> = upper[..dim / LINE_DIMS].iter().flat_map(|line| line.0[..4].to_vec()).collect();
            assert_eq!(kernel.upper(&order, &first), expected.sums[0][0], "{kernel:?}, {dim}");
        }
    }
}

#[test]
fn extreme_codes_do_not_overflow() {
    let upper = vec![Line([255; 64]); 8];
    let scales = [[Scale::at_least(1.0); ROWS]];
    let bar = Bar { base: 0.0, step: 1.0, lift: 0.0, floor: 0.0 };
    for (code, sum) in [(127, 64 * 15 * 127), (-127, -64 * 15 * 127)] {
        let query = [code; 64];
        for kernel in Kernel::all() {
            let mut found = Scanned::default();
            kernel.scan(&query, &upper, &scales, bar, &mut found);
            assert_eq!(found.sums[0], [sum; ROWS], "{kernel:?}");
            assert_eq!(kernel.lower(&query, &[255; 64]), sum * 17, "{kernel:?}");
            let mut whole = [0; ROWS];
            kernel.whole([&query], &[Line([127; 64]); 16], [&mut whole]);
            assert_eq!(whole, [sum / 15 * 127; ROWS], "{kernel:?}");
        }
    }
}

#[test]
fn whole_codes_are_the_same_for_one_query_and_for_four() {
    let mut rng = Rng::new(12);
    let (dim, blocks) = (64, 5);
    let coarse = lines(&mut rng, blocks * dim / 4, 127);
    let queries: Vec<Vec<i8>> = (0..4).map(|_| codes(&mut rng, dim)).collect();
    let mut expected = vec![vec![0; blocks * ROWS]; 4];
    for (query, out) in queries.iter().zip(&mut expected) {
        Kernel::Portable.whole([query], &coarse, [out]);
    }
    for kernel in Kernel::all() {
        let mut found = vec![vec![0; blocks * ROWS]; 4];
        let [a, b, c, d] = &mut found[..] else { unreachable!() };
        kernel.whole([&queries[0], &queries[1], &queries[2], &queries[3]], &coarse, [a, b, c, d]);
        assert_eq!(found, expected, "{kernel:?}");
    }
}

#[test]
fn the_first_of_the_largest_is_found() {
    let mut rng = Rng::new(14);
    for round in 0..200 {
        let sums: Vec<i32> = (0..5 * ROWS).map(|_| rng.below(40) as i32).collect();
        let losses: Vec<f32> = (0..5 * ROWS).map(|_| rng.below(3) as f32 / 2.0).collect();
        let score = |at: usize| (sums[at] - 20) as f32 * 0.25 - losses[at];
        let first = (0..sums.len()).rev().max_by(|&a, &b| score(a).total_cmp(&score(b))).expect("some");
        for kernel in Kernel::all() {
            assert_eq!(kernel.largest(&sums, &losses, 20, 0.25), first as u32, "{kernel:?}, {round}");
        }
    }
}

#[test]
fn a_scale_is_never_too_small() {
    let mut rng = Rng::new(13);
    for _ in 0..1_000 {
        let number = (rng.normal() * 5.0).exp();
        let scale = Scale::at_least(number).get();
        assert!(scale >= number && scale <= number * 1.01, "{number} {scale}");
    }
    assert_eq!(Scale::at_least(0.0).get(), 0.0);
}
