//! Fields to bytes.

use domain::EventId;

/// Puts fields behind what is there.
pub(super) struct Writer<'a>(pub(super) &'a mut Vec<u8>);

impl Writer<'_> {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Up to eight yes-or-no answers, the first in the lowest bit.
    pub(super) fn flags(&mut self, flags: &[bool]) {
        self.byte(flags.iter().rev().fold(0, |byte, &flag| byte << 1 | u8::from(flag)));
    }

    /// LEB128: seven bits a byte, lowest first.
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(super) fn float(&mut self, value: f32) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn id(&mut self, id: EventId) {
        self.bytes(&id.0.to_le_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes(text.as_bytes());
    }

    pub(super) fn texts(&mut self, texts: &[String]) {
        self.number(texts.len() as u64);
        texts.iter().for_each(|text| self.text(text));
    }

    pub(super) fn floats(&mut self, values: &[f32]) {
        self.number(values.len() as u64);
        values.iter().for_each(|&value| self.float(value));
    }

    /// Floats of which many are zero: their number, a bit for each that is not, and those that are not.
    pub(super) fn sparse_floats(&mut self, values: &[f32]) {
        self.number(values.len() as u64);
        for eight in values.chunks(8) {
            let mut flags = [false; 8];
            flags.iter_mut().zip(eight).for_each(|(flag, value)| *flag = value.to_bits() != 0);
            self.flags(&flags);
        }
        values.iter().filter(|value| value.to_bits() != 0).for_each(|&value| self.float(value));
    }
}
