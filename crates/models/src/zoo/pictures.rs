//! Picture towers: vision transformers (Dosovitskiy et al., ICLR 2021) as CLIP and SigLIP have them.

use super::layer::{Linear, Norm};
use super::settings::{PictureShape, Settings, StackShape, StackWords};
use super::stack::{Order, Rows, Stack};
use super::tensors::Tensors;
use super::words::PAIRED;
use crate::ModelError;
use crate::kernel::{add_scaled, softmax};

/// Pixels to a vector.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PictureTower {
    shape: PictureShape,
    width: usize,
    patches: Linear,
    /// Of CLIP: the row that speaks for the picture stands before the patches.
    class: Option<Vec<f32>>,
    places: Vec<f32>,
    start_norm: Option<Norm>,
    stack: Stack,
    end_norm: Norm,
    head: Head,
}

#[derive(Clone, Debug, PartialEq)]
enum Head {
    /// The first row, times a matrix.
    First(Linear),
    /// What a learned question reads of all rows.
    Asked(Box<Asked>),
}

/// Attention of one learned question over all rows, with a hidden layer behind it.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    /// The question, already times its matrix. `[width]`
    query: Vec<f32>,
    /// Keys and values beside each other.
    reads: Linear,
    out: Linear,
    norm: Norm,
    up: Linear,
    down: Linear,
    stack: StackShape,
}

impl PictureTower {
    pub(super) fn clip(settings: &Settings, tensors: &Tensors, dim: usize) -> Result<PictureTower, ModelError> {
        let words =
            StackWords { names: StackWords::NAMES, standard: [768, 3072, 12, 12], act: "quick_gelu", epsilon: 1e-5 };
        let (stack, shape) = (words.read(settings)?, PictureShape::read(settings, 32)?);
        let head = Head::First(Linear::bare(tensors, "visual_projection", stack.width, dim)?);
        let class = tensors.take("vision_model.embeddings.class_embedding", &[stack.width])?;
        // The name is misspelt in all files.
        let start_norm = Norm::read(tensors, "vision_model.pre_layrnorm", stack.width, stack.epsilon)?;
        let bias = vec![0.0; stack.width];
        let tower = PictureTower::read(tensors, shape, stack, bias, shape.patches() + 1, head)?;
        Ok(PictureTower { class: Some(class), start_norm: Some(start_norm), ..tower })
    }

    pub(super) fn siglip(settings: &Settings, tensors: &Tensors) -> Result<PictureTower, ModelError> {
        settings.must_be("vision_use_head", &true.into())?;
        let words = StackWords {
            names: StackWords::NAMES,
            standard: [768, 3072, 12, 12],
            act: "gelu_pytorch_tanh",
            epsilon: 1e-6,
        };
        let (stack, shape) = (words.read(settings)?, PictureShape::read(settings, 16)?);
        let head = Head::Asked(Box::new(Asked::read(tensors, stack)?));
        let bias = tensors.take("vision_model.embeddings.patch_embedding.bias", &[stack.width])?;
        PictureTower::read(tensors, shape, stack, bias, shape.patches(), head)
    }

    fn read(
        tensors: &Tensors,
        shape: PictureShape,
        stack: StackShape,
        bias: Vec<f32>,
        rows: usize,
        head: Head,
    ) -> Result<PictureTower, ModelError> {
        let (d, patch) = (stack.width, shape.patch);
        let weight = tensors.take("vision_model.embeddings.patch_embedding.weight", &[d, 3, patch, patch])?;
        Ok(PictureTower {
            shape,
            width: d,
            patches: Linear::of(3 * patch * patch, d, weight, bias),
            class: None,
            places: tensors.take("vision_model.embeddings.position_embedding.weight", &[rows, d])?,
            start_norm: None,
            stack: Stack::read(tensors, "vision_model.", &PAIRED, stack, Order::NormBefore)?,
            end_norm: Norm::read(tensors, "vision_model.post_layernorm", d, stack.epsilon)?,
            head,
        })
    }

    pub(super) fn side(&self) -> usize {
        self.shape.side
    }

    pub(super) fn dim(&self) -> usize {
        match &self.head {
            Head::First(head) => head.outputs(),
            Head::Asked(_) => self.width,
        }
    }

    pub(super) fn run(&self, pictures: &[&[f32]]) -> Vec<Vec<f32>> {
        let length = self.places.len() / self.width;
        let (mut squares, mut embedded) = (Vec::new(), Vec::new());
        pictures.iter().for_each(|picture| self.cut(picture, &mut squares));
        self.patches.apply(&squares, &mut embedded);
        let mut rows = Rows { x: Vec::new(), lengths: vec![length; pictures.len()] };
        for patches in embedded.chunks_exact(self.shape.patches() * self.width) {
            let start = rows.x.len();
            rows.x.extend(self.class.iter().flatten());
            rows.x.extend_from_slice(patches);
            add_scaled(1.0, &self.places, &mut rows.x[start..]);
        }
        self.start_norm.iter().for_each(|norm| norm.apply(&mut rows.x));
        self.stack.run(&mut rows);
        rows.each(self.width).map(|rows| self.pooled(rows)).collect()
    }

    /// The patches of a picture, row by row: of each, a plane of every colour.
    fn cut(&self, picture: &[f32], out: &mut Vec<f32>) {
        let PictureShape { side, patch } = self.shape;
        let along = side / patch;
        for place in 0..along * along {
            let (top, left) = (place / along * patch, place % along * patch);
            for plane in picture.chunks_exact(side * side) {
                (top..top + patch).for_each(|y| out.extend_from_slice(&plane[y * side + left..][..patch]));
            }
        }
    }

    fn pooled(&self, rows: &[f32]) -> Vec<f32> {
        let (mut normed, mut out) = (Vec::new(), Vec::new());
        match &self.head {
            Head::First(head) => {
                self.end_norm.apply_to(&rows[..self.width], &mut normed);
                head.apply(&normed, &mut out);
                out
            }
            Head::Asked(asked) => {
                self.end_norm.apply_to(rows, &mut normed);
                asked.read_of(&normed)
            }
        }
    }
}

impl Asked {
    fn read(tensors: &Tensors, stack: StackShape) -> Result<Asked, ModelError> {
        let d = stack.width;
        let name = |part: &str| format!("vision_model.head.{part}");
        let mut weight = tensors.take(&name("attention.in_proj_weight"), &[3 * d, d])?;
        let mut bias = tensors.take(&name("attention.in_proj_bias"), &[3 * d])?;
        let (others, other_biases) = (weight.split_off(d * d), bias.split_off(d));
        let mut query = Vec::new();
        Linear::of(d, d, weight, bias).apply(&tensors.take(&name("probe"), &[1, 1, d])?, &mut query);
        Ok(Asked {
            query,
            reads: Linear::of(d, 2 * d, others, other_biases),
            out: Linear::read(tensors, &name("attention.out_proj"), d, d)?,
            norm: Norm::read(tensors, &name("layernorm"), d, stack.epsilon)?,
            up: Linear::read(tensors, &name("mlp.fc1"), d, stack.hidden)?,
            down: Linear::read(tensors, &name("mlp.fc2"), stack.hidden, d)?,
            stack,
        })
    }

    fn read_of(&self, rows: &[f32]) -> Vec<f32> {
        let (d, width) = (self.stack.width, self.stack.width / self.stack.heads);
        let mut reads = Vec::new();
        self.reads.apply(rows, &mut reads);
        let mut mixed = vec![0.0; d];
        for (head, mixed) in mixed.chunks_exact_mut(width).enumerate() {
            let query = &self.query[head * width..][..width];
            let score = |read: &[f32]| crate::kernel::dot(query, &read[head * width..][..width]);
            let scale = 1.0 / (width as f32).sqrt();
            let mut scores: Vec<f32> = reads.chunks_exact(2 * d).map(|read| score(read) * scale).collect();
            softmax(&mut scores);
            for (score, read) in scores.iter().zip(reads.chunks_exact(2 * d)) {
                add_scaled(*score, &read[d + head * width..][..width], mixed);
            }
        }
        let (mut out, mut normed, mut hidden) = (Vec::new(), Vec::new(), Vec::new());
        self.out.apply(&mixed, &mut out);
        self.norm.apply_to(&out, &mut normed);
        self.up.apply(&normed, &mut hidden);
        self.stack.act.apply(&mut hidden);
        self.down.add(&hidden, &mut out);
        out
    }
}
