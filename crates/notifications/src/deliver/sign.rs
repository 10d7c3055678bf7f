//! Signatures over what goes out, by HMAC with SHA-256 (RFC 2104).

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Shortest secret (bytes): as long as the hash.
pub(super) const SECRET_BYTES_MIN: usize = 32;

/// The hash of a message under a secret, not yet finished.
pub(super) fn hmac(secret: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("invariant: keys of any length are taken");
    parts.iter().for_each(|part| mac.update(part));
    mac
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits; none where they are not.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    let pair = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    if digits.len().is_multiple_of(2) { digits.chunks_exact(2).map(pair).collect() } else { None }
}

/// The value of `Bowerbird-Signature`: `v1=` and the hash of the moment, a dot and the body.
pub(super) fn signature(secret: &[u8], timestamp_s: u64, body: &[u8]) -> String {
    let mac = hmac(secret, &[timestamp_s.to_string().as_bytes(), b".", body]);
    format!("v1={}", hex(&mac.finalize().into_bytes()))
}

/// Whether a webhook came from who knows the secret, unchanged, within `tolerance_s` of `now_s`: what its receiver
/// asks.
/// `timestamp` and `signature` are the headers `Bowerbird-Timestamp` and `Bowerbird-Signature` as they came. Compared
/// in constant time.
pub fn verify_signature(
    secret: &[u8],
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now_s: u64,
    tolerance_s: u64,
) -> bool {
    let fresh = timestamp.parse::<u64>().is_ok_and(|sent_s| now_s.abs_diff(sent_s) <= tolerance_s);
    let Some(told) = signature.strip_prefix("v1=").and_then(unhex) else { return false };
    fresh && hmac(secret, &[timestamp.as_bytes(), b".", body]).verify_slice(&told).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_rfc_4231() {
        let told = hex(&hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]).finalize().into_bytes());
        assert_eq!(told, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn what_was_changed_or_is_old_does_not_verify() {
        let (secret, body) = (b"0123456789abcdef0123456789abcdef", b"{}");
        let signed = signature(secret, 1_000, body);
        let verify = |secret: &[u8], at: &str, signed: &str, body: &[u8], now_s| {
            verify_signature(secret, at, signed, body, now_s, 300)
        };
        assert!(verify(secret, "1000", &signed, body, 1_300));
        assert!(!verify(secret, "1000", &signed, body, 1_301), "too old");
        assert!(!verify(secret, "1001", &signed, body, 1_300), "another moment");
        assert!(!verify(secret, "1000", &signed, b"{} ", 1_300), "another body");
        assert!(!verify(b"other", "1000", &signed, body, 1_300), "another secret");
        for bad in ["", "v1=", "v1=zz", "v1=é", &signed[..signed.len() - 2], &signed[3..]] {
            assert!(!verify(secret, "1000", bad, body, 1_300), "{bad}");
        }
    }
}
