//! Convolutions of many pictures on this thread.

use models::{Grid, Operand, matmul};

/// Patches that a product is made of at once: they stay in a core's cache.
const ROWS: usize = 256;

/// What a convolution of pictures, one after the other, makes: patches times `weight`.
pub(super) fn forward(x: &[f32], weight: &[f32], grid: Grid) -> Vec<f32> {
    let (cols, rows) = (weight.len() / grid.patch(), grid.side_after().pow(2));
    let mut out = vec![0.0; x.len() / grid.picture() * rows * cols];
    let mut patches = Vec::new();
    for (x, out) in x.chunks(group(grid) * grid.picture()).zip(out.chunks_mut(group(grid) * rows * cols)) {
        let count = patches_of(x, grid, &mut patches);
        let lhs = Operand::new(&patches, count, grid.patch(), grid.patch());
        matmul(out, cols, lhs, Operand::new(weight, grid.patch(), cols, cols), 0.0, 1.0);
    }
    out
}

/// The way back of [`forward`]: adds to the gradient of the weight, and to that of the pictures where it is wanted.
pub(super) fn backward(
    (x, weight): (&[f32], &[f32]),
    gradient: &[f32],
    grid: Grid,
    to_weight: &mut [f32],
    mut to_x: Option<&mut [f32]>,
) {
    let (cols, rows) = (weight.len() / grid.patch(), grid.side_after().pow(2));
    let (mut patches, mut back) = (Vec::new(), vec![0.0; group(grid) * rows * grid.patch()]);
    let groups = x.chunks(group(grid) * grid.picture()).zip(gradient.chunks(group(grid) * rows * cols));
    for (number, (x, gradient)) in groups.enumerate() {
        let count = patches_of(x, grid, &mut patches);
        let read = Operand::new(&patches, count, grid.patch(), grid.patch());
        let gradient = Operand::new(gradient, count, cols, cols);
        matmul(to_weight, cols, read.transposed(), gradient, 1.0, 1.0);
        if let Some(to) = &mut to_x {
            let weight = Operand::new(weight, grid.patch(), cols, cols).transposed();
            matmul(&mut back, grid.patch(), gradient, weight, 0.0, 1.0);
            let to = to[number * group(grid) * grid.picture()..].chunks_mut(grid.picture());
            back[..count * grid.patch()]
                .chunks(rows * grid.patch())
                .zip(to)
                .for_each(|(back, to)| grid.patches_back(back, to));
        }
    }
}

/// Pictures whose patches are multiplied at once.
fn group(grid: Grid) -> usize {
    (ROWS / grid.side_after().pow(2)).max(1)
}

/// All patches of pictures; how many.
fn patches_of(x: &[f32], grid: Grid, patches: &mut Vec<f32>) -> usize {
    patches.clear();
    x.chunks_exact(grid.picture()).for_each(|x| grid.patches(x, patches));
    patches.len() / grid.patch()
}
