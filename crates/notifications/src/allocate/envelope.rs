//! The upper concave envelope of one pinner's returns.

/// Most volumes of one pinner, none among them.
pub const VOLUMES_MAX: usize = 32;

/// A step of an envelope: from one volume to a higher one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Step {
    pub(super) from: u8,
    pub(super) to: u8,
    /// Return per notification; above 0, and not above that of the step before.
    pub(super) slope: f32,
}

impl Step {
    pub(super) fn sends(&self) -> u64 {
        u64::from(self.to - self.from)
    }
}

/// The steps of the envelopes of row after row; one room for all of them.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    steps: [Step; VOLUMES_MAX],
}

impl Envelope {
    /// The steps that are worth climbing from volume 0, the steepest first. Where returns bend upwards a step goes over
    /// several volumes (it climbs to the volume with the greatest gain per notification); points on a line are steps of
    /// their own, since small steps fill a budget better. Volumes whose return is no number are not there.
    pub(super) fn of(&mut self, row: &[f32]) -> &[Step] {
        let mut count = 0;
        if !row[0].is_finite() {
            return &[];
        }
        for (to, &reached) in row.iter().enumerate().skip(1) {
            let top = if count == 0 { 0 } else { self.steps[count - 1].to };
            if !(reached.is_finite() && reached > row[usize::from(top)]) {
                continue;
            }
            let mut step = climb(row, top, to);
            while count > 0 && step.slope > self.steps[count - 1].slope {
                step = climb(row, self.steps[count - 1].from, to);
                count -= 1;
            }
            self.steps[count] = step;
            count += 1;
        }
        &self.steps[..count]
    }
}

fn climb(row: &[f32], from: u8, to: usize) -> Step {
    let sends = to as f32 - f32::from(from);
    // A difference too small for a number is still a gain.
    let slope = ((row[to] - row[usize::from(from)]) / sends).max(f32::MIN_POSITIVE);
    Step { from, to: to as u8, slope }
}
