//! A body as rows: a JSON array, one object, or one object a line. Rows are cut out without being read, so that a bad
//! row spoils only itself.

/// How the rows lie in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A JSON array of objects, or one object.
    Json,
    /// One object a line.
    Lines,
}

/// One row: its bytes and where they start in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

/// A body whose rows cannot be told apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// What is wrong, and the byte where.
    Malformed(usize, &'static str),
    /// More rows than are taken at once.
    TooMany,
}

const DEPTH_MAX: usize = 64;

/// Cuts `body` into at most `rows_max` rows. Empty lines are no rows.
pub(crate) fn cut(body: &[u8], layout: Layout, rows_max: usize) -> Result<Vec<Row<'_>>, Broken> {
    let start = if body.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    match layout {
        Layout::Lines => cut_lines(body, start, rows_max),
        Layout::Json => match body.get(skip_space(body, start)) {
            None => Err(Broken::Malformed(body.len(), "the body is empty")),
            Some(b'[') => cut_array(body, skip_space(body, start) + 1, rows_max),
            Some(b'{') => cut_one(body, skip_space(body, start)),
            Some(_) => Err(Broken::Malformed(skip_space(body, start), "expected '[' or '{'")),
        },
    }
}

fn cut_lines(body: &[u8], start: usize, rows_max: usize) -> Result<Vec<Row<'_>>, Broken> {
    let mut rows = Vec::new();
    let mut at = start;
    for line in body[start..].split(|&byte| byte == b'\n') {
        let bytes = line.trim_ascii();
        if !bytes.is_empty() {
            if rows.len() == rows_max {
                return Err(Broken::TooMany);
            }
            rows.push(Row { bytes, at: at + (line.len() - line.trim_ascii_start().len()) });
        }
        at += line.len() + 1;
    }
    Ok(rows)
}

fn cut_one(body: &[u8], start: usize) -> Result<Vec<Row<'_>>, Broken> {
    let end = value_end(body, start)?;
    let rest = skip_space(body, end);
    if rest < body.len() {
        let why = "more follows after the object (several rows are a JSON array, or application/x-ndjson)";
        return Err(Broken::Malformed(rest, why));
    }
    Ok(vec![Row { bytes: &body[start..end], at: start }])
}

fn cut_array(body: &[u8], start: usize, rows_max: usize) -> Result<Vec<Row<'_>>, Broken> {
    let mut rows = Vec::new();
    let mut at = skip_space(body, start);
    if body.get(at) == Some(&b']') {
        return nothing_after(body, at + 1, rows);
    }
    loop {
        let end = value_end(body, at)?;
        if rows.len() == rows_max {
            return Err(Broken::TooMany);
        }
        rows.push(Row { bytes: body[at..end].trim_ascii_end(), at });
        match body.get(end) {
            Some(b',') => at = skip_space(body, end + 1),
            Some(b']') => return nothing_after(body, end + 1, rows),
            _ => return Err(Broken::Malformed(skip_space(body, end), "the array does not end")),
        }
    }
}

fn nothing_after<'a>(body: &[u8], end: usize, rows: Vec<Row<'a>>) -> Result<Vec<Row<'a>>, Broken> {
    let rest = skip_space(body, end);
    if rest < body.len() { Err(Broken::Malformed(rest, "more follows after the array")) } else { Ok(rows) }
}

/// Where the value that starts at `start` ends: at the comma or bracket that is not its own, or behind its last
/// bracket when it stands alone.
fn value_end(body: &[u8], start: usize) -> Result<usize, Broken> {
    let mut open = [0u8; DEPTH_MAX];
    let mut depth = 0;
    let mut at = start;
    while let Some(&byte) = body.get(at) {
        match byte {
            b'"' => at = string_end(body, at)?,
            b'{' | b'[' => {
                *open.get_mut(depth).ok_or(Broken::Malformed(at, "nested too deeply"))? = byte + 2;
                depth += 1;
            }
            b',' | b']' if depth == 0 => return Ok(at),
            b'}' | b']' => {
                depth = depth.checked_sub(1).ok_or(Broken::Malformed(at, "a bracket closes nothing"))?;
                if open[depth] != byte {
                    return Err(Broken::Malformed(at, "brackets do not match"));
                }
                if depth == 0 {
                    let end = skip_space(body, at + 1);
                    let follows = matches!(body.get(end), Some(b',' | b']'));
                    return Ok(if follows { end } else { at + 1 });
                }
            }
            _ => {}
        }
        at += 1;
    }
    Err(Broken::Malformed(body.len(), "the body ends in the middle of a value"))
}

fn string_end(body: &[u8], start: usize) -> Result<usize, Broken> {
    let mut at = start + 1;
    loop {
        match body.get(at) {
            Some(b'"') => return Ok(at),
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return Err(Broken::Malformed(body.len(), "the body ends in the middle of a text")),
        }
    }
}

fn skip_space(body: &[u8], start: usize) -> usize {
    start + body[start..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Turns byte positions into lines and columns, both from 1. Positions must come in ascending order: a body with many
/// bad rows is then walked once.
#[derive(Default)]
pub(crate) struct Places {
    at: usize,
    newlines: usize,
    line_start: usize,
}

impl Places {
    pub(crate) fn of(&mut self, body: &[u8], position: usize) -> (usize, usize) {
        let position = position.min(body.len());
        for (offset, &byte) in body.iter().enumerate().take(position).skip(self.at) {
            if byte == b'\n' {
                self.newlines += 1;
                self.line_start = offset + 1;
            }
        }
        self.at = position.max(self.at);
        (self.newlines + 1, position.saturating_sub(self.line_start) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(body: &str, layout: Layout) -> Vec<&str> {
        let rows = cut(body.as_bytes(), layout, 100).expect("rows");
        rows.iter().map(|row| std::str::from_utf8(row.bytes).expect("text")).collect()
    }

    fn why(body: &str) -> (usize, &'static str) {
        match cut(body.as_bytes(), Layout::Json, 3) {
            Err(Broken::Malformed(at, why)) => (at, why),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn arrays_objects_and_lines_become_rows() {
        assert_eq!(rows("[]", Layout::Json), [""; 0]);
        assert_eq!(
            rows(" [ {\"a\": [1, \"]}\"]} ,\n 7 , \"x,\\\"]\" ] ", Layout::Json),
            ["{\"a\": [1, \"]}\"]}", "7", "\"x,\\\"]\""]
        );
        assert_eq!(rows("\u{feff}{\"a\":{}}\n", Layout::Json), ["{\"a\":{}}"]);
        assert_eq!(rows("{\"a\":1}\r\n\n  {b\n", Layout::Lines), ["{\"a\":1}", "{b"]);
        assert_eq!(rows("", Layout::Lines), [""; 0]);
    }

    #[test]
    fn a_bad_row_does_not_hide_the_next() {
        assert_eq!(rows("[{\"a\":},{\"b\":1},nul]", Layout::Json), ["{\"a\":}", "{\"b\":1}", "nul"]);
    }

    #[test]
    fn bodies_without_rows_say_where_they_break() {
        assert_eq!(why(""), (0, "the body is empty"));
        assert_eq!(why("  7"), (2, "expected '[' or '{'"));
        assert_eq!(why("{\"a\":1} {}").0, 8);
        assert_eq!(why("[{},{}"), (6, "the array does not end"));
        assert_eq!(why("[{} x]"), (4, "the array does not end"));
        assert_eq!(why("[{\"a\":\"x"), (8, "the body ends in the middle of a text"));
        assert_eq!(why("[{]"), (2, "brackets do not match"));
        assert_eq!(why("[1}"), (2, "a bracket closes nothing"));
        assert_eq!(why("[1,2] 3"), (6, "more follows after the array"));
        assert_eq!(why(&"[".repeat(100)), (65, "nested too deeply"));
        assert_eq!(why("[1,"), (3, "the body ends in the middle of a value"));
        assert_eq!(cut(b"[1,2,3,4]", Layout::Json, 3), Err(Broken::TooMany));
        assert_eq!(cut(b"1\n2\n3\n4", Layout::Lines, 3), Err(Broken::TooMany));
    }

    #[test]
    fn any_bytes_end_without_a_panic() {
        let mut rng = domain::Rng::new(5);
        let alphabet = b"[]{},\"\\ :a1\n\xff";
        for _ in 0..20_000 {
            let length = rng.below(24) as usize;
            let body: Vec<u8> = (0..length).map(|_| alphabet[rng.below(alphabet.len() as u32) as usize]).collect();
            for layout in [Layout::Json, Layout::Lines] {
                if let Ok(rows) = cut(&body, layout, 10) {
                    rows.iter().for_each(|row| assert_eq!(&body[row.at..row.at + row.bytes.len()], row.bytes));
                }
            }
        }
    }

    #[test]
    fn places_are_lines_and_columns() {
        let mut places = Places::default();
        let body = b"ab\ncd\n\nx";
        assert_eq!(places.of(body, 1), (1, 2));
        assert_eq!(places.of(body, 4), (2, 2));
        assert_eq!(places.of(body, 7), (4, 1));
        assert_eq!(places.of(body, 99), (4, 2));
    }
}
