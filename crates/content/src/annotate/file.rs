//! An annotator as bytes.

use bytemuck::cast_slice;
use bytes::Bytes;
use domain::Snapshot;

use super::{Annotator, Known};
use crate::ContentError;
use crate::texts::{pack, unpack};

const KIND: &str = "annotator";
const VERSION: u32 = 1;

impl Annotator {
    /// As bytes, to be read by [`Annotator::from_bytes`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, ContentError> {
        let keys = pack(self.terms.iter().map(|term| term.key.as_str()));
        let shown = pack(self.terms.iter().map(|term| term.shown.as_str()));
        let names = pack(self.topics.iter().map(String::as_str));
        let pins: Vec<u32> = self.terms.iter().map(|term| term.pins).collect();
        let rates: Vec<f32> = self.terms.iter().map(|term| term.rate).collect();
        let topics: Vec<u32> = self.terms.iter().flat_map(|term| term.topics.iter().copied()).collect();
        let measured: Vec<u8> = self.terms.iter().map(|term| u8::from(term.measured)).collect();
        let topic_counts: Vec<u8> = self.terms.iter().map(|term| term.topics.len() as u8).collect();
        let read = [self.pins];
        let mut out = Vec::new();
        let sections: [(&str, &[u8]); 9] = [
            ("read", cast_slice(&read)),
            ("keys", &keys),
            ("shown", &shown),
            ("names", &names),
            ("pins", cast_slice(&pins)),
            ("rates", cast_slice(&rates)),
            ("measured", &measured),
            ("topics", cast_slice(&topics)),
            ("topic_counts", &topic_counts),
        ];
        let written = Snapshot::write(&mut out, KIND, VERSION, &sections);
        written.map_err(|error| ContentError::Damaged { what: KIND, reason: error.to_string() })?;
        Ok(out)
    }

    /// Reads what [`Annotator::to_bytes`] wrote; other and damaged bytes are refused with a reason.
    pub fn from_bytes(bytes: &[u8]) -> Result<Annotator, ContentError> {
        let odd = |reason: String| ContentError::Damaged { what: KIND, reason };
        let snapshot = Snapshot::open(KIND, VERSION, &Bytes::copy_from_slice(bytes)).map_err(|e| odd(e.to_string()))?;
        let texts = |name: &str| {
            let column = snapshot.column::<u8>(name).map_err(|e| odd(e.to_string()))?;
            unpack(&column).ok_or_else(|| odd(format!("section '{name}' is not of texts")))
        };
        let numbers = |name: &str| snapshot.column::<u32>(name).map_err(|e| odd(e.to_string()));
        let (keys, shown, names) = (texts("keys")?, texts("shown")?, texts("names")?);
        let (read, pins, topics) = (numbers("read")?, numbers("pins")?, numbers("topics")?);
        let rates = snapshot.column::<f32>("rates").map_err(|e| odd(e.to_string()))?;
        let measured = snapshot.column::<u8>("measured").map_err(|e| odd(e.to_string()))?;
        let topic_counts = snapshot.column::<u8>("topic_counts").map_err(|e| odd(e.to_string()))?;
        let lengths = [shown.len(), pins.len(), rates.len(), measured.len(), topic_counts.len()];
        let of_terms: usize = topic_counts.iter().map(|&count| usize::from(count)).sum();
        if lengths.iter().any(|&length| length != keys.len()) || of_terms != topics.len() || read.len() != 1 {
            return Err(odd("its columns are not of one length".into()));
        }
        if topics.iter().any(|&topic| topic as usize >= names.len()) || !rates.iter().all(|r| (0.0..=1.0).contains(r)) {
            return Err(odd("a topic or a rate is out of bounds".into()));
        }
        let mut at = 0;
        let terms = keys.into_iter().zip(shown).enumerate().map(|(i, (key, shown))| {
            let from = at;
            at += usize::from(topic_counts[i]);
            let topics = topics[from..at].to_vec();
            Known { key, shown, pins: pins[i], rate: rates[i], measured: measured[i] != 0, topics }
        });
        Ok(Annotator::of(read[0], terms.collect(), names))
    }
}
