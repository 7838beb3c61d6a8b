//! Finds records and their fields: RFC 4180 quoting, resumable at any byte.

use std::ops::Range;

/// Where one field lies in its record.
#[derive(Debug, Clone, Default)]
pub(super) struct Span {
    /// The content, without the quotes around it.
    pub(super) content: Range<usize>,
    pub(super) is_quoted: bool,
    /// Whether the content has doubled quotes.
    pub(super) has_doubled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum State {
    #[default]
    FieldStart,
    Bare,
    Quoted,
    /// After a quote inside a quoted field: the end of the field, or the first half of a doubled quote.
    Closed,
    /// After text that follows a closing quote; ends with the line.
    Broken,
}

/// Reads one record. The caller shows it the record from its first byte, longer each time, until it has an end.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    state: State,
    at: usize,
    field_start: usize,
    has_doubled: bool,
    spans: Vec<Span>,
    fields: usize,
    line_ends: usize,
}

impl Scanner {
    /// Forgets the record, keeps the memory.
    pub(super) fn reset(&mut self) {
        let mut spans = std::mem::take(&mut self.spans);
        spans.clear();
        *self = Self { spans, ..Self::default() };
    }

    /// The fields of the record that ended; no more than the `keep` that [`scan`](Self::scan) was told.
    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// How many fields the record has.
    pub(super) fn fields(&self) -> usize {
        self.fields
    }

    /// How many line ends the record has, its own included.
    pub(super) fn line_ends(&self) -> usize {
        self.line_ends
    }

    /// Where the field begins whose closing quote is followed by text.
    pub(super) fn broken_at(&self) -> Option<usize> {
        (self.state == State::Broken).then_some(self.field_start)
    }

    /// Goes on reading; the end of the record (past its LF) once it is there. Remembers the first `keep` fields.
    pub(super) fn scan(&mut self, record: &[u8], keep: usize) -> Option<usize> {
        loop {
            let rest = record.get(self.at..).unwrap_or_default();
            let (&byte, step) = (rest.first()?, self.at);
            match self.state {
                State::FieldStart if byte == b'"' => {
                    self.state = State::Quoted;
                    self.at += 1;
                }
                State::FieldStart => self.state = State::Bare,
                State::Bare => {
                    let Some(found) = memchr::memchr2(b',', b'\n', rest) else {
                        self.at = record.len();
                        return None;
                    };
                    let stop = step + found;
                    if record.get(stop) == Some(&b',') {
                        self.end_field(self.field_start..stop, false, keep);
                        self.at = stop + 1;
                        self.field_start = self.at;
                        continue;
                    }
                    let has_return = stop > self.field_start && record.get(stop - 1) == Some(&b'\r');
                    self.end_field(self.field_start..stop - usize::from(has_return), false, keep);
                    return Some(self.end_record(stop));
                }
                State::Quoted => {
                    let found = memchr::memchr(b'"', rest);
                    let inside = rest.get(..found.unwrap_or(rest.len())).unwrap_or_default();
                    self.line_ends += memchr::memchr_iter(b'\n', inside).count();
                    self.at += inside.len() + usize::from(found.is_some());
                    if found.is_some() {
                        self.state = State::Closed;
                    }
                }
                State::Closed => match byte {
                    b'"' => {
                        self.has_doubled = true;
                        self.state = State::Quoted;
                        self.at += 1;
                    }
                    b',' => {
                        self.end_field(self.field_start + 1..step - 1, true, keep);
                        self.at += 1;
                        self.field_start = self.at;
                    }
                    b'\n' => {
                        self.end_field(self.field_start + 1..step - 1, true, keep);
                        return Some(self.end_record(step));
                    }
                    b'\r' => match rest.get(1) {
                        None => return None,
                        Some(b'\n') => {
                            self.end_field(self.field_start + 1..step - 1, true, keep);
                            return Some(self.end_record(step + 1));
                        }
                        Some(_) => self.state = State::Broken,
                    },
                    _ => self.state = State::Broken,
                },
                State::Broken => {
                    let found = memchr::memchr(b'\n', rest);
                    self.at = found.map_or(record.len(), |found| step + found);
                    return found.map(|_| self.end_record(self.at));
                }
            }
        }
    }

    fn end_field(&mut self, content: Range<usize>, is_quoted: bool, keep: usize) {
        if self.fields < keep {
            self.spans.push(Span { content, is_quoted, has_doubled: self.has_doubled });
        }
        self.fields += 1;
        self.has_doubled = false;
        self.state = State::FieldStart;
    }

    fn end_record(&mut self, line_feed: usize) -> usize {
        self.line_ends += 1;
        line_feed + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(record: &str) -> Vec<String> {
        let mut scanner = Scanner::default();
        let end = scanner.scan(record.as_bytes(), 9);
        assert_eq!(end, Some(record.len()));
        let show = |span: &Span| {
            let mark = if span.is_quoted { "q:" } else { "" };
            format!("{mark}{}", &record[span.content.clone()])
        };
        scanner.spans().iter().map(show).collect()
    }

    #[test]
    fn fields_are_found_with_quotes_and_line_ends_inside() {
        assert_eq!(fields("a,b\r\n"), ["a", "b"]);
        assert_eq!(fields("a,\n"), ["a", ""]);
        assert_eq!(fields("\n"), [""]);
        assert_eq!(fields("a\"b,c\r,d\r\n"), ["a\"b", "c\r", "d"]);
        assert_eq!(fields("\"a,\r\n\"\"b\",\"\"\r\n"), ["q:a,\r\n\"\"b", "q:"]);
    }

    #[test]
    fn scanning_resumes_at_any_byte() {
        let record = b"a,\"b\"\"\n,\",c\r\n";
        let mut scanner = Scanner::default();
        let ends = (0..=record.len()).map(|upto| scanner.scan(&record[..upto], 9));
        assert_eq!(ends.flatten().collect::<Vec<_>>(), [record.len()]);
        assert_eq!((scanner.fields(), scanner.line_ends()), (3, 2));
    }

    #[test]
    fn text_after_a_closing_quote_breaks_the_record() {
        let mut scanner = Scanner::default();
        assert_eq!(scanner.scan(b"a,\"b\"c,\"\nd", 9), Some(9));
        assert_eq!(scanner.broken_at(), Some(2));
    }
}
