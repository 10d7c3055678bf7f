//! Brushes: a colour for each pixel.

use super::canvas::noise;
use super::colour::Colour;
use super::shape::At;

const STEPS: usize = 64;

/// What a shape is painted with.
#[derive(Clone)]
pub(crate) struct Brush {
    pub(crate) alpha: f32,
    paint: Paint,
    grain: f32,
}

#[derive(Clone)]
enum Paint {
    Flat(Colour),
    Linear { along: (f32, f32), offset: f32, ramp: Box<[Colour; STEPS]> },
    Radial { centre: At, reach: f32, ramp: Box<[Colour; STEPS]> },
}

impl Brush {
    pub(crate) fn flat(colour: Colour) -> Brush {
        Brush { alpha: 1.0, paint: Paint::Flat(colour), grain: 0.0 }
    }

    /// A gradient through the colours from one point to another.
    pub(crate) fn linear(from: At, to: At, colours: &[Colour]) -> Brush {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).max(1e-3);
        let along = (dx / length, dy / length);
        let offset = -(from.0 * along.0 + from.1 * along.1);
        Brush { alpha: 1.0, paint: Paint::Linear { along, offset, ramp: ramp(colours) }, grain: 0.0 }
    }

    /// A gradient from the height `top` down to `bottom`.
    pub(crate) fn down(top: f32, bottom: f32, colours: &[Colour]) -> Brush {
        Brush::linear((0.0, top), (0.0, bottom), colours)
    }

    /// A gradient from the left to the right.
    pub(crate) fn across(left: f32, right: f32, colours: &[Colour]) -> Brush {
        Brush::linear((left, 0.0), (right, 0.0), colours)
    }

    /// A gradient from a centre outwards.
    pub(crate) fn radial(centre: At, radius: f32, colours: &[Colour]) -> Brush {
        Brush {
            alpha: 1.0,
            paint: Paint::Radial { centre, reach: 1.0 / radius.max(1e-3), ramp: ramp(colours) },
            grain: 0.0,
        }
    }

    /// The gradient breaks up into specks: 0 not at all, 0.5 like chalk.
    pub(crate) fn grain(mut self, grain: f32) -> Brush {
        self.grain = grain;
        self
    }

    pub(crate) fn alpha(mut self, alpha: f32) -> Brush {
        self.alpha = alpha;
        self
    }

    /// The colour of a pixel.
    #[inline]
    pub(crate) fn at(&self, x: usize, y: usize, seed: u32) -> [f32; 4] {
        match &self.paint {
            Paint::Flat(colour) => colour.0,
            Paint::Linear { along, offset, ramp } => {
                let place = x as f32 * along.0 + y as f32 * along.1 + offset;
                self.step(place, ramp, x, y, seed)
            }
            Paint::Radial { centre, reach, ramp } => {
                let (dx, dy) = (x as f32 + 0.5 - centre.0, y as f32 + 0.5 - centre.1);
                self.step((dx * dx + dy * dy).sqrt() * reach, ramp, x, y, seed)
            }
        }
    }

    #[inline]
    fn step(&self, place: f32, ramp: &[Colour; STEPS], x: usize, y: usize, seed: u32) -> [f32; 4] {
        // Without grain a little noise still hides the steps of the ramp.
        let speck = (noise(x as u32, y as u32, seed ^ 0x51) - 0.5) * (self.grain + 0.016);
        let step = ((place + speck) * STEPS as f32).clamp(0.0, STEPS as f32 - 1.0);
        ramp[step as usize].0
    }
}

fn ramp(colours: &[Colour]) -> Box<[Colour; STEPS]> {
    let parts = colours.len().saturating_sub(1).max(1) as f32;
    Box::new(std::array::from_fn(|i| {
        let at = i as f32 / (STEPS - 1) as f32 * parts;
        let first = (at as usize).min(colours.len().saturating_sub(2));
        let second = (first + 1).min(colours.len() - 1);
        colours[first].mix(colours[second], at - first as f32)
    }))
}
