//! Bytes of a stored state: little-endian base-128 integers and raw `f32`s behind a version byte.

/// Why stored bytes are not a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadState {
    /// Written by a version that is not known here.
    #[error("state of version {0} is not known here")]
    Version(u8),
    /// The bytes end before the state does.
    #[error("state is cut short")]
    Cut,
    /// A value that no state holds.
    #[error("state holds a bad {0}")]
    Value(&'static str),
    /// More bytes than a state.
    #[error("state is followed by other bytes")]
    Trailing,
}

/// Appends an integer, 7 bits a byte, lowest first.
pub(crate) fn put_int(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// Appends strictly ascending ids as their gaps.
pub(crate) fn put_ascending(to: &mut Vec<u8>, ids: &[u32]) {
    put_int(to, ids.len() as u64);
    let mut least = 0;
    for &id in ids {
        put_int(to, u64::from(id) - least);
        least = u64::from(id) + 1;
    }
}

/// Reads what the functions above wrote; refuses what they never write.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of the bytes behind the version byte, which must be `version`.
    pub(crate) fn new(bytes: &'a [u8], version: u8) -> Result<Reader<'a>, BadState> {
        match bytes.split_first() {
            Some((&found, rest)) if found == version => Ok(Reader { rest }),
            Some((&found, _)) => Err(BadState::Version(found)),
            None => Err(BadState::Cut),
        }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, BadState> {
        let (&first, rest) = self.rest.split_first().ok_or(BadState::Cut)?;
        self.rest = rest;
        Ok(first)
    }

    pub(crate) fn int(&mut self) -> Result<u64, BadState> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                return Err(BadState::Value("integer"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(BadState::Value("integer"))
    }

    pub(crate) fn int32(&mut self) -> Result<u32, BadState> {
        u32::try_from(self.int()?).map_err(|_| BadState::Value("integer"))
    }

    /// A length of at most `max`.
    pub(crate) fn length(&mut self, max: usize) -> Result<usize, BadState> {
        let length = usize::try_from(self.int()?).unwrap_or(usize::MAX);
        if length > max { Err(BadState::Value("length")) } else { Ok(length) }
    }

    /// A finite number, zero or more.
    pub(crate) fn amount(&mut self) -> Result<f32, BadState> {
        let value = f32::from_le_bytes(self.array()?);
        if value.is_finite() && value >= 0.0 { Ok(value) } else { Err(BadState::Value("amount")) }
    }

    /// Strictly ascending ids, at most `max`.
    pub(crate) fn ascending(&mut self, max: usize) -> Result<Vec<u32>, BadState> {
        let length = self.length(max)?;
        let mut ids = Vec::with_capacity(length);
        let mut least = 0u64;
        for _ in 0..length {
            let id = least.checked_add(self.int()?).and_then(|id| u32::try_from(id).ok());
            let id = id.ok_or(BadState::Value("id"))?;
            ids.push(id);
            least = u64::from(id) + 1;
        }
        Ok(ids)
    }

    /// Must be called last: nothing may follow.
    pub(crate) fn end(self) -> Result<(), BadState> {
        if self.rest.is_empty() { Ok(()) } else { Err(BadState::Trailing) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BadState> {
        let (first, rest) = self.rest.split_first_chunk::<N>().ok_or(BadState::Cut)?;
        self.rest = rest;
        Ok(*first)
    }
}
