//! Text to words.

use std::ops::Range;

use edb_core::{Error, Result, parse_duration};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Number(f64),
    Duration(i64),
    Name(String),
    Text(String),
    Symbol(&'static str),
    End,
}

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 21] = [
    "==", "!=", "<>", "<=", ">=", "&&", "||", "=", "<", ">", "+", "-", "*", "/", "^", "(", ")", ",", "!",
    "&", "|",
];

/// The error about a place in the text, which is shown with a caret under it.
pub(crate) fn fault(text: &str, span: &Range<usize>, message: &str) -> Error {
    let line = text.replace(['\n', '\t', '\r'], " ");
    let before = text[..span.start.min(text.len())].chars().count();
    let marked = text.get(span.clone()).map_or(1, |marked| marked.chars().count()).max(1);
    Error::usage(format!(
        "could not use the expression: {message}\n  {line}\n  {}{}",
        " ".repeat(before),
        "^".repeat(marked)
    ))
}

/// The words of a text, the end among them, and where they stand.
pub(crate) fn lex(text: &str) -> Result<Vec<(Token, Range<usize>)>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (token, length) = if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        } else if first == '\'' || first == '"' {
            quoted(rest, first).ok_or_else(|| fault(text, &(at..text.len()), "the quote is not closed"))?
        } else if first.is_ascii_digit() || first == '.' {
            number(rest).ok_or_else(|| {
                let length =
                    rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
                fault(text, &(at..at + length.max(1)), "expected a number, or a duration as `10s`")
            })?
        } else if first.is_ascii_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            (Token::Name(rest[..length].to_owned()), length)
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            (Token::Symbol(symbol), symbol.len())
        } else {
            return Err(fault(text, &(at..at + first.len_utf8()), &format!("`{first}` has no meaning here")));
        };
        tokens.push((token, at..at + length));
        at += length;
    }
    tokens.push((Token::End, text.len()..text.len()));
    Ok(tokens)
}

/// A text in quotes; two of them stand for one inside.
fn quoted(rest: &str, quote: char) -> Option<(Token, usize)> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != quote {
            text.push(character);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            text.push(quote);
        } else {
            return Some((Token::Text(text), at + 1));
        }
    }
    None
}

/// A number, or with a unit of time right after it a duration.
fn number(rest: &str) -> Option<(Token, usize)> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let mut length = digits(rest);
    if rest[length..].starts_with('.') {
        length += 1 + digits(&rest[length + 1..]);
    }
    let exponent =
        rest[length..].strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
    if let Some(power) = exponent.filter(|power| digits(power) > 0) {
        length = rest.len() - power.len() + digits(power);
    }
    let letters = rest[length..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - length);
    if letters > 0 {
        let whole = &rest[..length + letters];
        let micros = i64::try_from(parse_duration(whole).ok()?.as_micros()).ok()?;
        return Some((Token::Duration(micros), whole.len()));
    }
    Some((Token::Number(rest[..length].parse().ok()?), length))
}
