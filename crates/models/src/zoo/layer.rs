//! Layers as they are published: weights of `outputs × inputs`, norms with a gain and an offset.

use super::tensors::Tensors;
use crate::kernel::{exp, fit, fma};
use crate::matmul::{Operand, matmul};
use crate::{ModelError, kernel};

/// `y = x · Wᵀ + b`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Linear {
    inputs: usize,
    outputs: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    /// A layer under its name.
    pub(super) fn read(from: &Tensors, name: &str, inputs: usize, outputs: usize) -> Result<Linear, ModelError> {
        let weight = from.take(&format!("{name}.weight"), &[outputs, inputs])?;
        let bias = from.take(&format!("{name}.bias"), &[outputs])?;
        Ok(Linear { inputs, outputs, weight, bias })
    }

    /// A layer without a bias.
    pub(super) fn bare(from: &Tensors, name: &str, inputs: usize, outputs: usize) -> Result<Linear, ModelError> {
        Ok(Linear::of(inputs, outputs, from.take(&format!("{name}.weight"), &[outputs, inputs])?, vec![0.0; outputs]))
    }

    /// A layer of its values: `outputs × inputs` weights and a bias for each output.
    pub(super) fn of(inputs: usize, outputs: usize, weight: Vec<f32>, bias: Vec<f32>) -> Linear {
        debug_assert!(weight.len() == inputs * outputs && bias.len() == outputs);
        Linear { inputs, outputs, weight, bias }
    }

    /// One layer for several that read the same.
    pub(super) fn beside(layers: Vec<Linear>) -> Linear {
        let (inputs, outputs) = (layers.first().map_or(0, |l| l.inputs), layers.iter().map(|l| l.outputs).sum());
        let (weights, biases): (Vec<_>, Vec<_>) = layers.into_iter().map(|l| (l.weight, l.bias)).unzip();
        Linear { inputs, outputs, weight: weights.concat(), bias: biases.concat() }
    }

    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// `out = x · Wᵀ + b`, row by row.
    pub(super) fn apply(&self, x: &[f32], out: &mut Vec<f32>) {
        fit(out, x.len() / self.inputs * self.outputs);
        self.add(x, out);
    }

    /// `out += x · Wᵀ + b`, row by row.
    pub(super) fn add(&self, x: &[f32], out: &mut [f32]) {
        let rows = x.len() / self.inputs;
        for row in out.chunks_exact_mut(self.outputs) {
            row.iter_mut().zip(&self.bias).for_each(|(out, bias)| *out += bias);
        }
        let weight = Operand::new(&self.weight, self.outputs, self.inputs, self.inputs).transposed();
        matmul(out, self.outputs, Operand::new(x, rows, self.inputs, self.inputs), weight, 1.0, 1.0);
    }
}

/// `(x - mean) / deviation · gain + offset` (Ba, Kiros and Hinton, 2016).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Norm {
    gain: Vec<f32>,
    offset: Vec<f32>,
    epsilon: f32,
}

impl Norm {
    pub(super) fn read(from: &Tensors, name: &str, width: usize, epsilon: f32) -> Result<Norm, ModelError> {
        let gain = from.take_either(&format!("{name}.weight"), &format!("{name}.gamma"), &[width])?;
        let offset = from.take_either(&format!("{name}.bias"), &format!("{name}.beta"), &[width])?;
        Ok(Norm { gain, offset, epsilon })
    }

    /// Norms each row in place.
    pub(super) fn apply(&self, x: &mut [f32]) {
        x.chunks_exact_mut(self.gain.len()).for_each(|row| norm(row, &self.gain, &self.offset, self.epsilon));
    }

    /// Norms each row of `x` into `out`.
    pub(super) fn apply_to(&self, x: &[f32], out: &mut Vec<f32>) {
        out.clear();
        out.extend_from_slice(x);
        self.apply(out);
    }
}

kernel! {
    fn norm(x: &mut [f32], gain: &[f32], offset: &[f32], epsilon: f32) {
        let mean = lanes_sum(x, |value| value) / x.len() as f32;
        let variance = lanes_sum(x, |value| (value - mean) * (value - mean)) / x.len() as f32;
        let scale = 1.0 / (variance + epsilon).sqrt();
        for ((x, gain), offset) in x.iter_mut().zip(gain).zip(offset) {
            *x = fma::<FUSED>((*x - mean) * scale, *gain, *offset);
        }
    }
}

/// In 16 lanes, so that it vectorises.
#[inline(always)]
fn lanes_sum(x: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; 16];
    let (chunks, rest) = x.as_chunks::<16>();
    for chunk in chunks {
        for lane in 0..16 {
            lanes[lane] += of(chunk[lane]);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&value| of(value)).sum::<f32>()
}

/// What bends a hidden layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Relu,
    /// `x · Φ(x)`, Φ the normal distribution (Hendrycks and Gimpel, 2016).
    Gelu,
    /// The same, Φ by a hyperbolic tangent.
    GeluTanh,
    /// `x · sigmoid(1.702 x)`.
    QuickGelu,
}

impl Act {
    pub(super) fn named(name: &str) -> Option<Act> {
        match name {
            "relu" => Some(Act::Relu),
            "gelu" => Some(Act::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" => Some(Act::GeluTanh),
            "quick_gelu" => Some(Act::QuickGelu),
            _ => None,
        }
    }

    pub(super) fn apply(self, x: &mut [f32]) {
        match self {
            Act::Relu => x.iter_mut().for_each(|x| *x = x.max(0.0)),
            Act::Gelu => gelu(x),
            Act::GeluTanh => gelu_tanh(x),
            Act::QuickGelu => quick_gelu(x),
        }
    }
}

kernel! {
    /// The error function by Abramowitz and Stegun, 7.1.26: off by 1.5e-7 at most.
    fn gelu(x: &mut [f32]) {
        for x in x.iter_mut() {
            let u = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
            let t = 1.0 / fma::<FUSED>(0.327_591_1, u, 1.0);
            let mut p = 1.061_405_4;
            for factor in [-1.453_152_1, 1.421_413_8, -0.284_496_72, 0.254_829_6] {
                p = fma::<FUSED>(p, t, factor);
            }
            let tail = 0.5 * p * t * exp::<FUSED>(-u * u);
            *x *= if *x < 0.0 { tail } else { 1.0 - tail };
        }
    }
}

kernel! {
    /// `½ (1 + tanh u) = sigmoid(2u)`, u = √(2/π) (x + 0.044715 x³).
    fn gelu_tanh(x: &mut [f32]) {
        const TWICE: f32 = 2.0 * 0.797_884_6;
        for x in x.iter_mut() {
            let u = TWICE * fma::<FUSED>(0.044_715 * *x * *x, *x, *x);
            *x /= 1.0 + exp::<FUSED>(-u);
        }
    }
}

kernel! {
    fn quick_gelu(x: &mut [f32]) {
        for x in x.iter_mut() {
            *x /= 1.0 + exp::<FUSED>(-1.702 * *x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Φ by adding up its density.
    fn phi(x: f64) -> f64 {
        let steps = 20_000;
        let width = (x + 12.0) / f64::from(steps);
        let density = |at: f64| (-at * at / 2.0).exp() / std::f64::consts::TAU.sqrt();
        (0..steps).map(|i| density(-12.0 + (f64::from(i) + 0.5) * width) * width).sum()
    }

    #[test]
    fn activations_are_what_they_are_called() {
        for at in -60..=60 {
            let x = f64::from(at) / 10.0;
            let cubic = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            for (act, expected) in [
                (Act::Relu, x.max(0.0)),
                (Act::Gelu, x * phi(x)),
                (Act::GeluTanh, 0.5 * x * (1.0 + cubic.tanh())),
                (Act::QuickGelu, x / (1.0 + (-1.702 * x).exp())),
            ] {
                let mut value = [x as f32];
                act.apply(&mut value);
                assert!((f64::from(value[0]) - expected).abs() < 2e-6, "{act:?} of {x}: {} for {expected}", value[0]);
            }
        }
        let mut far = [-1e4f32, 1e4];
        for act in [Act::Gelu, Act::GeluTanh, Act::QuickGelu] {
            far = [-1e4, 1e4];
            act.apply(&mut far);
            assert!(far[0].abs() < 1e-3 && far[1] == 1e4, "{act:?}: {far:?}");
        }
        assert!(far[1].is_finite());
    }
}
