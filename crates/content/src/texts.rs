//! A list of texts as the bytes of one column.

/// All texts, each behind its length (u32, little-endian).
pub(crate) fn pack<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// The texts that [`pack`] packed; nothing when these are other bytes.
pub(crate) fn unpack(mut bytes: &[u8]) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        texts.push(std::str::from_utf8(text).ok()?.to_owned());
        bytes = rest;
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_and_other_bytes_do_not() {
        let texts = ["", "running shoe", "größe"];
        let bytes = pack(texts.into_iter());
        assert_eq!(unpack(&bytes).expect("packed"), texts);
        assert!((1..bytes.len()).filter_map(|cut| unpack(&bytes[..cut])).all(|some| some.len() < 3));
        assert_eq!(unpack(&[255, 255, 255, 255, 0]), None);
        assert_eq!(unpack(&[1, 0, 0, 0, 255]), None);
    }
}
