//! One CSV record.

use std::borrow::Cow;

/// A field of a record: its place in the buffer, without quotes, and how it was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    start: usize,
    end: usize,
    pub(crate) is_quoted: bool,
    has_doubled: bool,
}

impl Field {
    /// The field's text, doubled quotes undone.
    pub(crate) fn text<'a>(&self, buffer: &'a [u8]) -> Cow<'a, [u8]> {
        let raw = &buffer[self.start..self.end];
        if !self.has_doubled {
            return Cow::Borrowed(raw);
        }
        let mut text = Vec::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(at) = memchr::memchr(b'"', rest) {
            text.extend_from_slice(&rest[..=at]);
            rest = &rest[at + 2..];
        }
        text.extend_from_slice(rest);
        Cow::Owned(text)
    }
}

/// What was found at the start of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// A record of so many bytes, its line end included.
    Record(usize),
    /// The record does not end in the buffer.
    Incomplete,
    /// Text follows a closing quote, at this place.
    AfterQuote(usize),
}

/// Finds the fields of the first record of `buffer` (RFC 4180; CRLF or LF; a quote inside an unquoted field is literal).
pub(crate) fn scan(buffer: &[u8], fields: &mut Vec<Field>) -> Scan {
    fields.clear();
    let mut at = 0;
    loop {
        let (field, after) = if buffer.get(at) == Some(&b'"') {
            let Some((end, has_doubled)) = closing_quote(buffer, at + 1) else { return Scan::Incomplete };
            let field = Field { start: at + 1, end, is_quoted: true, has_doubled };
            match buffer[end + 1..] {
                [b',' | b'\n', ..] => (field, end + 1),
                [b'\r', b'\n', ..] => (field, end + 2),
                [] | [b'\r'] => return Scan::Incomplete,
                _ => return Scan::AfterQuote(end + 1),
            }
        } else {
            let Some(length) = memchr::memchr2(b',', b'\n', &buffer[at..]) else { return Scan::Incomplete };
            let after = at + length;
            let has_return = buffer[after] == b'\n' && buffer[at..after].ends_with(b"\r");
            let end = after - usize::from(has_return);
            (Field { start: at, end, is_quoted: false, has_doubled: false }, after)
        };
        fields.push(field);
        at = after + 1;
        if buffer[after] == b'\n' {
            return Scan::Record(at);
        }
    }
}

/// Where the quoted field that begins at `from` ends, and whether it holds doubled quotes. A quote that is the last byte of
/// the buffer may be the first half of a doubled one, so it ends nothing yet.
fn closing_quote(buffer: &[u8], from: usize) -> Option<(usize, bool)> {
    let mut at = from;
    let mut has_doubled = false;
    loop {
        at += memchr::memchr(b'"', buffer.get(at..)?)?;
        match buffer.get(at + 1) {
            Some(b'"') => {
                has_doubled = true;
                at += 2;
            }
            Some(_) => return Some((at, has_doubled)),
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<String> {
        let mut fields = Vec::new();
        assert_eq!(scan(text.as_bytes(), &mut fields), Scan::Record(text.len()), "{text:?}");
        fields
            .iter()
            .map(|field| String::from_utf8(field.text(text.as_bytes()).into_owned()).unwrap())
            .collect()
    }

    #[test]
    fn quotes_commas_and_line_ends_are_kept_inside_quotes() {
        assert_eq!(fields("a,b\r\n"), ["a", "b"]);
        assert_eq!(fields("a,\"b,\"\"c\"\"\r\n d\"\n"), ["a", "b,\"c\"\r\n d"]);
        assert_eq!(fields(",\"\",\n"), ["", "", ""]);
        assert_eq!(fields("a\"b,  c \n"), ["a\"b", "  c "]);
        assert_eq!(fields("a\rb\n"), ["a\rb"], "a lone carriage return is text");
    }

    #[test]
    fn every_proper_prefix_is_incomplete() {
        let text = b"a,\"b\"\"c\nd\",e\r\n";
        for length in 0..text.len() {
            assert_eq!(scan(&text[..length], &mut Vec::new()), Scan::Incomplete, "{length}");
        }
        assert_eq!(scan(b"a,\"b\" c\n", &mut Vec::new()), Scan::AfterQuote(5));
    }
}
