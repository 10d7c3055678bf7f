//! Bytes to fields. Every length is held against what is left before anything is allocated.

use super::BadFact;
use domain::EventId;

/// Most floats of a list in which zeros take no room: 32 times what they can take on disk.
const SPARSE_FLOATS_MAX: usize = 1 << 16;

/// Takes fields from the front of what is left.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], BadFact> {
        let (taken, left) = self.0.split_at_checked(length).ok_or_else(|| BadFact::new("it ends too early"))?;
        self.0 = left;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], BadFact> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, BadFact> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn flags(&mut self) -> Result<[bool; 8], BadFact> {
        let byte = self.byte()?;
        Ok(std::array::from_fn(|bit| byte >> bit & 1 == 1))
    }

    pub(super) fn number(&mut self) -> Result<u64, BadFact> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(BadFact::new("a number has more than 64 bits"))
    }

    /// A number of a smaller type.
    pub(super) fn small<T: TryFrom<u64>>(&mut self) -> Result<T, BadFact> {
        let number = self.number()?;
        T::try_from(number).map_err(|_| BadFact::new(format!("{number} is too large for its field")))
    }

    pub(super) fn float(&mut self) -> Result<f32, BadFact> {
        self.array().map(f32::from_le_bytes)
    }

    pub(super) fn id(&mut self) -> Result<EventId, BadFact> {
        self.array().map(|bytes| EventId(u128::from_le_bytes(bytes)))
    }

    /// A number of things of at least `bytes_min` bytes each, which must fit into what is left.
    pub(super) fn length(&mut self, bytes_min: usize) -> Result<usize, BadFact> {
        let length: usize = self.small()?;
        match length.checked_mul(bytes_min) {
            Some(bytes) if bytes <= self.0.len() => Ok(length),
            _ => Err(BadFact::new(format!("a length of {length} with {} bytes left", self.0.len()))),
        }
    }

    pub(super) fn str(&mut self) -> Result<&'a str, BadFact> {
        let length = self.length(1)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| BadFact::new("text that is not UTF-8"))
    }

    pub(super) fn text(&mut self) -> Result<String, BadFact> {
        self.str().map(str::to_owned)
    }

    pub(super) fn optional<T>(
        &mut self,
        there: bool,
        read: impl FnOnce(&mut Self) -> Result<T, BadFact>,
    ) -> Result<Option<T>, BadFact> {
        if there { read(self).map(Some) } else { Ok(None) }
    }

    pub(super) fn list<T>(
        &mut self,
        bytes_min: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, BadFact>,
    ) -> Result<Vec<T>, BadFact> {
        let length = self.length(bytes_min)?;
        (0..length).map(|_| read(self)).collect()
    }

    pub(super) fn texts(&mut self) -> Result<Vec<String>, BadFact> {
        self.list(1, Self::text)
    }

    pub(super) fn floats(&mut self) -> Result<Vec<f32>, BadFact> {
        self.list(4, Self::float)
    }

    pub(super) fn sparse_floats(&mut self) -> Result<Vec<f32>, BadFact> {
        let length: usize = self.small()?;
        if length > SPARSE_FLOATS_MAX {
            return Err(BadFact::new(format!("{length} features, at most {SPARSE_FLOATS_MAX}")));
        }
        let flags = self.take(length.div_ceil(8))?;
        let there = |place: usize| flags[place / 8] >> (place % 8) & 1 == 1;
        (0..length).map(|place| if there(place) { self.float() } else { Ok(0.0) }).collect()
    }
}
