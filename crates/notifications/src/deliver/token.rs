//! Addresses that end notifications with one request, without anything kept.

use super::sign::{SECRET_BYTES_MIN, hex, hmac, unhex};
use crate::NotifyError;
use hmac::Mac;

/// Longest pinner's id and kind together in a token (bytes).
pub const UNSUBSCRIBE_BYTES_MAX: usize = 512;
/// Bytes of the signature: 128 bits are more than anybody tries.
const TAG_BYTES: usize = 16;

/// Makes and reads the tokens of unsubscribe addresses.
///
/// A token says who leaves what, and is signed: nobody leaves for somebody else. It does not expire, since a mail may
/// be read after years.
pub struct UnsubscribeTokens {
    secret: Vec<u8>,
}

impl UnsubscribeTokens {
    /// Tokens under a secret of at least 32 bytes.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] where the secret is shorter.
    pub fn new(secret: &[u8]) -> Result<UnsubscribeTokens, NotifyError> {
        if secret.len() < SECRET_BYTES_MIN {
            let reason = format!("{} bytes; {SECRET_BYTES_MIN} at least", secret.len());
            return Err(NotifyError::invalid("unsubscribe.secret", reason));
        }
        Ok(UnsubscribeTokens { secret: secret.to_vec() })
    }

    /// The token with which a pinner leaves a kind; an empty kind is all of them.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] where id and kind are longer than [`UNSUBSCRIBE_BYTES_MAX`] together or a kind has a
    /// byte 0.
    pub fn token(&self, pinner: &str, kind: &str) -> Result<String, NotifyError> {
        let text = [kind.as_bytes(), pinner.as_bytes()].join(&0);
        if text.len() > UNSUBSCRIBE_BYTES_MAX || kind.contains('\0') {
            let reason = format!("at most {UNSUBSCRIBE_BYTES_MAX} bytes, and no byte 0 in the kind");
            return Err(NotifyError::invalid("unsubscribe token", reason));
        }
        let tag = self.mac(&text).finalize().into_bytes();
        Ok(format!("{}.{}", hex(&text), hex(&tag[..TAG_BYTES])))
    }

    /// Who leaves which kind (empty: all); none where the token is not ours. The signature is compared in constant
    /// time.
    pub fn verify(&self, token: &str) -> Option<(String, String)> {
        if token.len() > 2 * (UNSUBSCRIBE_BYTES_MAX + TAG_BYTES) + 1 {
            return None;
        }
        let (text, tag) = token.split_once('.')?;
        let (text, tag) = (unhex(text)?, unhex(tag)?);
        if tag.len() != TAG_BYTES || self.mac(&text).verify_truncated_left(&tag).is_err() {
            return None;
        }
        let text = String::from_utf8(text).ok()?;
        text.split_once('\0').map(|(kind, pinner)| (pinner.to_owned(), kind.to_owned()))
    }

    fn mac(&self, text: &[u8]) -> hmac::Hmac<sha2::Sha256> {
        // No signature of a webhook is a token.
        hmac(&self.secret, &[b"unsubscribe\0", text])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn a_token_comes_back_and_no_other_does() {
        let tokens = UnsubscribeTokens::new(&[7; 32]).expect("long enough");
        for (pinner, kind) in [("ann", "ideas"), ("\0é", ""), (&"x".repeat(500), "k")] {
            let token = tokens.token(pinner, kind).expect("short enough");
            assert_eq!(tokens.verify(&token), Some((pinner.to_owned(), kind.to_owned())));
            let mut rng = Rng::new(9);
            for _ in 0..300 {
                let mut bytes = token.clone().into_bytes();
                let at = rng.below(bytes.len() as u32) as usize;
                bytes[at] = b"0123456789abcdef."[rng.below(17) as usize];
                let changed = String::from_utf8(bytes).expect("ASCII");
                assert!(changed == token || tokens.verify(&changed).is_none(), "{changed}");
            }
            assert!(UnsubscribeTokens::new(&[8; 32]).expect("long enough").verify(&token).is_none());
        }
        for bad in ["", ".", "00", "zz.zz", &"0".repeat(9_999)] {
            assert!(tokens.verify(bad).is_none());
        }
        assert!(tokens.token(&"x".repeat(512), "k").is_err());
        assert!(UnsubscribeTokens::new(b"short").is_err());
    }
}
