//! Parameters of a request's address, read strictly: unknown, doubled, unreadable or out of bounds is refused.

use crate::problem::{Problem, shortened};

/// The decoded pairs of a query string. Each is taken once; what is left is unknown.
pub(crate) struct Parameters {
    pairs: Vec<(String, String)>,
    known: &'static [&'static str],
}

const PARAMETERS_MAX: usize = 32;

impl Parameters {
    /// Reads `query`, whose parameters may only have the names `known`.
    pub(crate) fn read(query: Option<&str>, known: &'static [&'static str]) -> Result<Parameters, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let unreadable = || Problem::parameter(&shortened(name), "the parameter is not percent-encoded UTF-8");
            let (name, value) =
                (decode(name, true).ok_or_else(unreadable)?, decode(value, true).ok_or_else(unreadable)?);
            if !known.contains(&name.as_str()) {
                let detail = format!("unknown parameter (known: {})", known.join(" "));
                return Err(Problem::parameter(&shortened(&name), detail));
            }
            if pairs.iter().any(|(given, _)| *given == name) || pairs.len() == PARAMETERS_MAX {
                return Err(Problem::parameter(&name, "the parameter is given twice"));
            }
            pairs.push((name, value));
        }
        Ok(Parameters { pairs, known })
    }

    /// The text of a parameter, when it is given and not empty.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        debug_assert!(self.known.contains(&name), "'{name}' is not among the known parameters");
        let at = self.pairs.iter().position(|(given, _)| given == name)?;
        Some(self.pairs.swap_remove(at).1).filter(|text| !text.is_empty())
    }

    /// A whole number within bounds, or `otherwise` when it is not given. Bounds that leave nothing are no panic: the
    /// lower one counts.
    pub(crate) fn whole(&mut self, name: &'static str, bounds: (u64, u64), otherwise: u64) -> Result<u64, Problem> {
        let (min, max) = bounds;
        let Some(text) = self.text(name) else { return Ok(otherwise.min(max).max(min)) };
        let number = text.parse::<u64>().ok().filter(|number| (min..=max).contains(number));
        number.ok_or_else(|| {
            let detail = format!("must be a whole number from {min} to {max}, not '{}'", shortened(&text));
            Problem::parameter(name, detail)
        })
    }

    /// `true` or `false`; false when it is not given.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool, Problem> {
        match self.text(name).as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(other) => Err(Problem::parameter(name, format!("must be true or false, not '{}'", shortened(other)))),
        }
    }
}

/// Percent-decoded text, or nothing when it is not UTF-8 or an escape is cut short. In forms and queries a plus is a
/// space.
pub(crate) fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex_digit(rest.next()?)? << 4 | hex_digit(rest.next()?)?,
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The text as one segment of a path or one value of a query.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => encoded.push(char::from(byte)),
            // A path segment of one or two dots would be folded away by browsers.
            b'.' if text.len() > 2 => encoded.push('.'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["q", "limit", "explain"];

    fn why(query: &str) -> String {
        let read = |query| {
            let mut parameters = Parameters::read(Some(query), KNOWN)?;
            parameters.whole("limit", (1, 200), 25)?;
            parameters.flag("explain")
        };
        read(query).expect_err(query).detail
    }

    #[test]
    fn good_parameters_are_read() {
        let mut parameters =
            Parameters::read(Some("q=oak+%26%20pine%C3%A9&limit=7&explain=true"), KNOWN).expect("read");
        assert_eq!(parameters.text("q").as_deref(), Some("oak & pineé"));
        assert_eq!(parameters.whole("limit", (1, 200), 25).expect("read"), 7);
        assert!(parameters.flag("explain").expect("read"));
        let mut parameters = Parameters::read(None, KNOWN).expect("read");
        assert_eq!(parameters.text("q"), None);
        assert_eq!(parameters.whole("limit", (1, 200), 25).expect("read"), 25);
        assert_eq!(parameters.whole("limit", (1, 0), 25).expect("read"), 1, "bounds that leave nothing");
    }

    #[test]
    fn bad_parameters_say_why() {
        for bad in ["-1", "abc", "0", "201", "1.5", "99999999999999999999"] {
            let detail = why(&format!("limit={bad}"));
            assert!(detail.contains("from 1 to 200") && detail.contains(bad), "{detail}");
        }
        assert!(why("q=%FF").contains("UTF-8"));
        assert!(why("q=%F").contains("UTF-8"));
        assert!(why("q=%+1").contains("UTF-8"));
        assert!(why("limits=1").contains("known: q limit explain"));
        assert!(why("q=1&q=2").contains("twice"));
        assert!(why("explain=maybe").contains("true or false"));
    }

    #[test]
    fn encoding_comes_back() {
        for text in ["a b/c?d&e=f", "..", ".", "é%", "p.jpg", "<script>"] {
            let encoded = encode(text);
            assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte)), "{encoded}");
            assert!(encoded != "." && encoded != "..");
            assert_eq!(decode(&encoded, true).as_deref(), Some(text));
        }
    }
}
