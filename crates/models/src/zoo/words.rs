//! Text towers: BERT and its kin, CLIP's, SigLIP's.

use serde_json::Value;

use super::layer::{Linear, Norm};
use super::settings::{Settings, StackShape, StackWords, TextShape};
use super::stack::{BlockNames, Order, Rows, Stack};
use super::tensors::Tensors;
use crate::ModelError;
use crate::kernel::add_scaled;

/// Tokens to a vector.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TextTower {
    shape: TextShape,
    width: usize,
    words: Vec<f32>,
    /// Places and, of BERT, what kind of sentence it is: a row each.
    places: Vec<f32>,
    /// The place of the first token.
    first: usize,
    start_norm: Option<Norm>,
    stack: Stack,
    end_norm: Option<Norm>,
    pool: Pool,
    head: Option<Linear>,
}

/// Which of the last rows speak for a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pool {
    First,
    Mean,
    Last,
    /// The first token with this number, or the last token.
    Token(u32),
    /// The token with the highest number.
    Highest,
}

const BERT: BlockNames = BlockNames {
    blocks: "encoder.layer",
    reads: ["attention.self.query", "attention.self.key", "attention.self.value"],
    out: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    up: "intermediate.dense",
    down: "output.dense",
    hidden_norm: "output.LayerNorm",
};

const DISTILBERT: BlockNames = BlockNames {
    blocks: "transformer.layer",
    reads: ["attention.q_lin", "attention.k_lin", "attention.v_lin"],
    out: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    up: "ffn.lin1",
    down: "ffn.lin2",
    hidden_norm: "output_layer_norm",
};

/// Blocks of CLIP and SigLIP, of words and of pictures.
pub(super) const PAIRED: BlockNames = BlockNames {
    blocks: "encoder.layers",
    reads: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    out: "self_attn.out_proj",
    attention_norm: "layer_norm1",
    up: "mlp.fc1",
    down: "mlp.fc2",
    hidden_norm: "layer_norm2",
};

/// BERT's kin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kin {
    Bert,
    DistilBert,
    /// RoBERTa and XLM-RoBERTa: places are counted from behind the padding's number.
    Roberta,
}

impl TextTower {
    /// BERT (Devlin et al., NAACL 2019), DistilBERT, RoBERTa or XLM-RoBERTa, pooled for sentences (Reimers and
    /// Gurevych, EMNLP 2019).
    pub(super) fn bert(kin: Kin, settings: &Settings, tensors: Tensors, pool: Pool) -> Result<TextTower, ModelError> {
        settings.must_be("position_embedding_type", &Value::from("absolute"))?;
        settings.must_be("is_decoder", &Value::from(false))?;
        let standard = [768, 3072, if kin == Kin::DistilBert { 6 } else { 12 }, 12];
        let names = match kin {
            Kin::DistilBert => ["dim", "hidden_dim", "n_layers", "n_heads", "activation"],
            _ => StackWords::NAMES,
        };
        let stack = StackWords { names, standard, act: "gelu", epsilon: 1e-12 }.read(settings)?;
        let shape = TextShape::read(settings, 30_522, 512)?;
        let tensors = tensors.under(&["", "bert.", "distilbert.", "roberta."], "embeddings.word_embeddings.weight");
        let blocks = if kin == Kin::DistilBert { &DISTILBERT } else { &BERT };
        let first = match kin {
            Kin::Roberta => settings.number("pad_token_id", 1, 0..=shape.positions - 1)? + 1,
            _ => 0,
        };
        let mut tower = TextTower {
            start_norm: Some(Norm::read(&tensors, "embeddings.LayerNorm", stack.width, stack.epsilon)?),
            first,
            ..TextTower::read(&tensors, "", BERT_TABLES, shape, stack, (blocks, Order::NormAfter), pool)?
        };
        if kin != Kin::DistilBert {
            let kinds = settings.number("type_vocab_size", if kin == Kin::Bert { 2 } else { 1 }, 1..=64)?;
            let kinds = tensors.take("embeddings.token_type_embeddings.weight", &[kinds, stack.width])?;
            // All tokens are of the first kind.
            let places = tower.places.chunks_exact_mut(stack.width);
            places.for_each(|place| add_scaled(1.0, &kinds[..stack.width], place));
        }
        Ok(tower)
    }

    /// CLIP's (Radford et al., ICML 2021).
    pub(super) fn clip(settings: &Settings, tensors: &Tensors, dim: usize) -> Result<TextTower, ModelError> {
        let words =
            StackWords { names: StackWords::NAMES, standard: [512, 2048, 12, 8], act: "quick_gelu", epsilon: 1e-5 };
        let (stack, shape) = (words.read(settings)?, TextShape::read(settings, 49_408, 77)?);
        // Files from before the number of the end was told right say 2; the end has the highest number.
        let pool = match settings.number("eos_token_id", 49_407, 0..=u32::MAX as usize)? {
            2 => Pool::Highest,
            end => Pool::Token(end as u32),
        };
        Ok(TextTower {
            end_norm: Some(Norm::read(tensors, "text_model.final_layer_norm", stack.width, stack.epsilon)?),
            head: Some(Linear::bare(tensors, "text_projection", stack.width, dim)?),
            ..TextTower::read(tensors, "text_model.", PAIRED_TABLES, shape, stack, (&PAIRED, Order::Causal), pool)?
        })
    }

    /// SigLIP's (Zhai et al., ICCV 2023): texts are filled up to their full length, and the filling is seen.
    pub(super) fn siglip(settings: &Settings, tensors: &Tensors) -> Result<TextTower, ModelError> {
        let words = StackWords {
            names: StackWords::NAMES,
            standard: [768, 3072, 12, 12],
            act: "gelu_pytorch_tanh",
            epsilon: 1e-6,
        };
        let (stack, shape) = (words.read(settings)?, TextShape::read(settings, 32_000, 64)?);
        let dim = settings.number("projection_size", stack.width, 1..=8_192)?;
        let order = (&PAIRED, Order::NormBefore);
        Ok(TextTower {
            end_norm: Some(Norm::read(tensors, "text_model.final_layer_norm", stack.width, stack.epsilon)?),
            head: Some(Linear::read(tensors, "text_model.head", stack.width, dim)?),
            ..TextTower::read(tensors, "text_model.", PAIRED_TABLES, shape, stack, order, Pool::Last)?
        })
    }

    fn read(
        tensors: &Tensors,
        under: &str,
        [words, places]: [&str; 2],
        shape: TextShape,
        stack: StackShape,
        (blocks, order): (&BlockNames, Order),
        pool: Pool,
    ) -> Result<TextTower, ModelError> {
        Ok(TextTower {
            shape,
            width: stack.width,
            words: tensors.take(&format!("{under}{words}"), &[shape.vocabulary, stack.width])?,
            places: tensors.take(&format!("{under}{places}"), &[shape.positions, stack.width])?,
            first: 0,
            start_norm: None,
            stack: Stack::read(tensors, under, blocks, stack, order)?,
            end_norm: None,
            pool,
            head: None,
        })
    }

    pub(super) fn vocabulary(&self) -> usize {
        self.shape.vocabulary
    }

    pub(super) fn tokens_max(&self) -> usize {
        self.shape.positions - self.first
    }

    /// Whether every text has to be as long as the longest.
    pub(super) fn is_filled(&self) -> bool {
        self.pool == Pool::Last
    }

    pub(super) fn dim(&self) -> usize {
        self.head.as_ref().map_or(self.width, Linear::outputs)
    }

    pub(super) fn run(&self, texts: &[&[u32]]) -> Vec<Vec<f32>> {
        let mut rows = Rows::default();
        for text in texts {
            let places = self.places.chunks_exact(self.width).skip(self.first);
            rows.lengths.push(text.len());
            for (&token, place) in text.iter().zip(places) {
                let word = &self.words[token as usize * self.width..][..self.width];
                rows.x.extend(word.iter().zip(place).map(|(word, place)| word + place));
            }
        }
        self.start_norm.iter().for_each(|norm| norm.apply(&mut rows.x));
        self.stack.run(&mut rows);
        texts.iter().zip(rows.each(self.width)).map(|(text, rows)| self.pooled(text, rows)).collect()
    }

    fn pooled(&self, text: &[u32], rows: &[f32]) -> Vec<f32> {
        let row = |at: usize| rows[at * self.width..][..self.width].to_vec();
        let last = text.len() - 1;
        let mut pooled = match self.pool {
            Pool::First => row(0),
            Pool::Last => row(last),
            Pool::Token(wanted) => row(text.iter().position(|&token| token == wanted).unwrap_or(last)),
            Pool::Highest => row((0..=last).rev().max_by_key(|&at| text[at]).unwrap_or(last)),
            Pool::Mean => {
                let mut sum = vec![0.0; self.width];
                rows.chunks_exact(self.width).for_each(|row| add_scaled(1.0 / text.len() as f32, row, &mut sum));
                sum
            }
        };
        self.end_norm.iter().for_each(|norm| norm.apply(&mut pooled));
        match &self.head {
            None => pooled,
            Some(head) => {
                let mut out = Vec::new();
                head.apply(&pooled, &mut out);
                out
            }
        }
    }
}

const BERT_TABLES: [&str; 2] = ["embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"];
const PAIRED_TABLES: [&str; 2] = ["embeddings.token_embedding.weight", "embeddings.position_embedding.weight"];
