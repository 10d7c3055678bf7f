//! Filters as people write them.

use super::columns::is_name_letter;
use super::{Filter, FilterError, PARTS_MAX};

/// Longest text of a filter (bytes).
const TEXT_BYTES_MAX: usize = 4_000;
/// Most brackets and NOTs inside of each other. Each becomes up to two levels of the tree.
const NESTED_MAX: usize = 8;
/// Most letters of what was found instead that an error repeats.
const FOUND_LETTERS_MAX: usize = 20;

pub(super) fn parse(text: &str) -> Result<Filter, FilterError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(FilterError::TooMany { what: "bytes of a filter", got: text.len(), max: TEXT_BYTES_MAX });
    }
    let mut parser = Parser { text, at: 0, parts: 0 };
    parser.space();
    if parser.rest().is_empty() {
        return Ok(Filter::everything());
    }
    let filter = parser.any(1)?;
    if !parser.rest().is_empty() {
        return Err(parser.expected("AND, OR or the end"));
    }
    Ok(filter)
}

struct Parser<'a> {
    text: &'a str,
    /// The byte that is read next.
    at: usize,
    parts: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn expected(&self, expected: &'static str) -> FilterError {
        let at = self.text[..self.at].chars().count() + 1;
        let mut found: String = self.rest().chars().take(FOUND_LETTERS_MAX).collect();
        if found.len() < self.rest().len() {
            found.push('…');
        }
        let found = if found.is_empty() { "the end".to_owned() } else { format!("'{found}'") };
        FilterError::Syntax { at, expected, found }
    }

    /// Takes `sign` and the space behind it, if it comes next.
    fn sign(&mut self, sign: &str) -> bool {
        let comes = self.rest().starts_with(sign);
        if comes {
            self.at += sign.len();
            self.space();
        }
        comes
    }

    /// Takes the word `keyword`, if it comes next, ends there, and is not the name of a field.
    fn keyword(&mut self, keyword: &str) -> bool {
        let Some(behind) = self.rest().strip_prefix(keyword) else { return false };
        let ends = behind.starts_with(|next: char| next.is_whitespace() || next == '(') || behind.is_empty();
        ends && self.sign(keyword)
    }

    fn any(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = vec![self.all(depth)?];
        while self.keyword("OR") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = vec![self.part(depth)?];
        while self.keyword("AND") {
            parts.push(self.part(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::All(parts) })
    }

    fn part(&mut self, depth: usize) -> Result<Filter, FilterError> {
        self.count()?;
        if depth > NESTED_MAX {
            return Err(FilterError::TooMany { what: "nested parts of a filter", got: depth, max: NESTED_MAX });
        }
        if self.keyword("NOT") {
            return Ok(Filter::Not(Box::new(self.part(depth + 1)?)));
        }
        if self.sign("(") {
            let inner = self.any(depth + 1)?;
            return if self.sign(")") { Ok(inner) } else { Err(self.expected("AND, OR or ')'")) };
        }
        self.condition()
    }

    fn count(&mut self) -> Result<(), FilterError> {
        self.parts += 1;
        let many = FilterError::TooMany { what: "parts of a filter", got: self.parts, max: PARTS_MAX };
        if self.parts > PARTS_MAX { Err(many) } else { Ok(()) }
    }

    fn condition(&mut self) -> Result<Filter, FilterError> {
        let rest = self.rest();
        let end =
            rest.char_indices().find(|&(at, letter)| !is_name_letter(at, letter)).map_or(rest.len(), |(at, _)| at);
        if end == 0 {
            return Err(self.expected("a condition such as language:en, NOT or '('"));
        }
        let field = rest[..end].to_owned();
        self.at += end;
        self.space();
        if self.sign(":") {
            return Ok(Filter::Is { field, any_of: self.words()? });
        }
        let sign = ["<=", ">=", "<", ">", "="].into_iter().find(|sign| self.sign(sign));
        let sign = sign.ok_or_else(|| self.expected("':', '<', '<=', '=', '>=' or '>' behind the name of a field"))?;
        let number = self.number()?;
        let (min, max) = match sign {
            "<=" => (f64::NEG_INFINITY, number),
            ">=" => (number, f64::INFINITY),
            "<" => (f64::NEG_INFINITY, number.next_down()),
            ">" => (number.next_up(), f64::INFINITY),
            _ => (number, number),
        };
        Ok(Filter::Range { field, min, max })
    }

    fn number(&mut self) -> Result<f64, FilterError> {
        let bare = self.bare();
        let number = bare.parse().ok().filter(|number: &f64| number.is_finite());
        let number = number.ok_or_else(|| self.expected("a number"))?;
        self.at += bare.len();
        self.space();
        Ok(number)
    }

    fn words(&mut self) -> Result<Vec<String>, FilterError> {
        if !self.sign("(") {
            return Ok(vec![self.word()?]);
        }
        let mut words = vec![self.word()?];
        while self.sign(",") {
            self.count()?;
            words.push(self.word()?);
        }
        if self.sign(")") { Ok(words) } else { Err(self.expected("',' or ')'")) }
    }

    /// The letters up to space or a sign.
    fn bare(&self) -> &'a str {
        let rest = self.rest();
        let ends = |letter: char| letter.is_whitespace() || matches!(letter, '(' | ')' | ',' | '"');
        &rest[..rest.find(ends).unwrap_or(rest.len())]
    }

    fn word(&mut self) -> Result<String, FilterError> {
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let bare = self.bare();
        if bare.is_empty() {
            return Err(self.expected("a word"));
        }
        self.at += bare.len();
        self.space();
        Ok(bare.to_owned())
    }

    fn quoted(&mut self) -> Result<String, FilterError> {
        let mut word = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.at += at + 1;
                    self.space();
                    return Ok(word);
                }
                '\\' => match letters.next() {
                    Some((_, escaped @ ('"' | '\\'))) => word.push(escaped),
                    _ => {
                        self.at += at;
                        return Err(self.expected("\\\" or \\\\ inside of quotes"));
                    }
                },
                letter => word.push(letter),
            }
        }
        self.at = self.text.len();
        Err(self.expected("a quote that closes the word"))
    }
}
