//! Any text in printable ASCII.

use std::fmt::Write;

/// What is not printable ASCII as Python's `unicode_escape` and YAML have it (`\\n`, `\\xb0`, `\\u2192`), and a backslash before those in
/// `marked`, among which the backslash itself must be.
pub(crate) fn ascii(text: &str, marked: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        // Writing into a string does not fail.
        let _ = match (character, character as u32) {
            _ if marked.contains(&character) => write!(out, "\\{character}"),
            (' '..='~', _) => write!(out, "{character}"),
            ('\n', _) => write!(out, "\\n"),
            ('\r', _) => write!(out, "\\r"),
            ('\t', _) => write!(out, "\\t"),
            (_, code @ ..0x100) => write!(out, "\\x{code:02x}"),
            (_, code @ ..0x1_0000) => write!(out, "\\u{code:04x}"),
            (_, code) => write!(out, "\\U{code:08x}"),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_beyond_ascii_is_told_in_it() {
        let text = "a\\\"\n\u{b0}\u{2192}\u{1f600}\u{7f}";
        assert_eq!(super::ascii(text, &['\\']), r#"a\\"\n\xb0\u2192\U0001f600\x7f"#);
        assert_eq!(super::ascii(text, &['\\', '"']), r#"a\\\"\n\xb0\u2192\U0001f600\x7f"#);
    }
}
