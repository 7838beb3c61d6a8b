//! Quoting foreign bytes in messages.

/// Characters of the offending text that a message shows.
pub(crate) const EXCERPT_CHARS: usize = 60;
/// Bytes that are sure to hold that many characters.
pub(crate) const EXCERPT_BYTES: usize = 4 * EXCERPT_CHARS;

/// The beginning of `bytes` in backticks, on one line.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(EXCERPT_BYTES)];
    let text = String::from_utf8_lossy(shown);
    let mut quoted = String::from("`");
    quoted.extend(text.chars().take(EXCERPT_CHARS).flat_map(char::escape_debug));
    let is_cut = shown.len() < bytes.len() || text.chars().nth(EXCERPT_CHARS).is_some();
    quoted.push_str(if is_cut { "…`" } else { "`" });
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        assert_eq!(excerpt(b"a\r\n\"b"), "`a\\r\\n\\\"b`");
        assert_eq!(excerpt("é".repeat(61).as_bytes()), format!("`{}…`", "é".repeat(60)));
        assert_eq!(excerpt(&[b'x'; 60]), format!("`{}`", "x".repeat(60)));
    }
}
