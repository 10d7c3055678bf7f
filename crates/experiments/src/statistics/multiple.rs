/// p-values adjusted for their number so that, of those below α, a part α at most is wrong (Benjamini and Hochberg
/// 1995): `min over j ≥ i of m p₍ⱼ₎ / j`, in the order in which they came. NaN stays NaN and counts as a test.
pub fn adjusted_p(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    // NaN sinks to the end.
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![f64::NAN; p.len()];
    let mut least: f64 = 1.0;
    for (place, &row) in order.iter().enumerate().rev() {
        if !p[row].is_nan() {
            least = least.min(p[row] * p.len() as f64 / (place + 1) as f64);
            adjusted[row] = least;
        }
    }
    adjusted
}
