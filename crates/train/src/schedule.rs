/// Learning rate as a part of its peak: up in a line for the part `warmup` of all steps, then down along a cosine to a
/// hundredth.
pub(crate) fn rate(step: u64, steps: u64, warmup: f32) -> f32 {
    let done = step as f32 / steps.max(1) as f32;
    if done < warmup {
        return (step + 1) as f32 / (warmup * steps as f32).max(1.0);
    }
    let falling = ((done - warmup) / (1.0 - warmup)).min(1.0);
    (0.5 + 0.5 * (std::f32::consts::PI * falling).cos()).max(0.01)
}
