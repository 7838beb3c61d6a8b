//! Header units of FITS files: cards of 80 characters in blocks of 2,880 bytes.

/// Headers and data fill whole blocks.
pub(crate) const BLOCK_BYTES: usize = 2_880;
const CARD_BYTES: usize = 80;

/// The cards of one header.
#[derive(Debug, Default)]
pub(crate) struct Cards {
    bytes: Vec<u8>,
    has_long_texts: bool,
}

impl Cards {
    pub(crate) fn logical(&mut self, key: &str, value: bool, comment: &str) {
        self.value(key, if value { "T" } else { "F" }, comment);
    }

    pub(crate) fn integer(&mut self, key: &str, value: i64, comment: &str) {
        self.value(key, &value.to_string(), comment);
    }

    /// A number as it is written.
    pub(crate) fn real(&mut self, key: &str, value: &str, comment: &str) {
        self.value(key, value, comment);
    }

    /// Numbers and truth values end in column 30.
    fn value(&mut self, key: &str, value: &str, comment: &str) {
        self.card(&with_comment(format!("{key:<8}= {value:>20}"), comment));
    }

    /// ASCII; what is too long for a card goes on in further ones.
    pub(crate) fn text(&mut self, key: &str, value: &str, comment: &str) {
        let quoted = value.replace('\'', "''");
        if quoted.len() <= CARD_BYTES - 12 {
            self.card(&with_comment(format!("{key:<8}= '{quoted:<8}'"), comment));
            return;
        }
        self.has_long_texts = true;
        // A doubled quote must not be torn, so characters are taken one by one.
        let room = CARD_BYTES - 13;
        let mut parts = vec![String::new()];
        for character in value.chars() {
            let length = if character == '\'' { 2 } else { 1 };
            if parts.last().is_none_or(|part| part.len() + length > room) {
                parts.push(String::new());
            }
            let part = parts.len() - 1;
            match character {
                '\'' => parts[part].push_str("''"),
                other => parts[part].push(other),
            }
        }
        for (at, part) in parts.iter().enumerate() {
            let more = if at + 1 < parts.len() { "&" } else { "" };
            let start = if at == 0 { format!("{key:<8}= ") } else { "CONTINUE  ".to_owned() };
            self.card(&format!("{start}'{part}{more}'"));
        }
    }

    /// A line of the table's history in ASCII, in as many cards as it needs.
    pub(crate) fn history(&mut self, text: &str) {
        let text: Vec<char> = text.chars().collect();
        for part in text.chunks(CARD_BYTES - 8) {
            self.card(&format!("HISTORY {}", part.iter().collect::<String>()));
        }
    }

    /// Whether a text needed more than a card.
    pub(crate) fn has_long_texts(&self) -> bool {
        self.has_long_texts
    }

    fn card(&mut self, text: &str) {
        let text = format!("{text:<CARD_BYTES$}");
        self.bytes.extend_from_slice(&text.as_bytes()[..CARD_BYTES]);
    }

    /// The header in whole blocks.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.card("END");
        let length = self.bytes.len().next_multiple_of(BLOCK_BYTES);
        self.bytes.resize(length, b' ');
        self.bytes
    }
}

/// A comment that would not fit is left out.
fn with_comment(card: String, comment: &str) -> String {
    let whole = format!("{card} / {comment}");
    if comment.is_empty() || whole.len() > CARD_BYTES { card } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_have_eighty_characters_and_texts_go_on() {
        let mut cards = Cards::default();
        cards.integer("NAXIS", 2, "axes");
        cards.text("TTYPE1", "it's", "");
        cards.text("TCOMM1", &"'".repeat(100), "left out");
        cards.history(&"h".repeat(73));
        let bytes = cards.finish();
        assert_eq!(bytes.len(), BLOCK_BYTES);
        let lines: Vec<&str> =
            bytes.chunks(CARD_BYTES).map(|card| std::str::from_utf8(card).unwrap().trim_end()).collect();
        assert_eq!(lines[0], "NAXIS   =                    2 / axes");
        assert_eq!(lines[1], "TTYPE1  = 'it''s   '");
        let quotes: usize = lines[2..6].iter().map(|line| line.matches('\'').count() - 2).sum();
        assert_eq!(quotes, 200, "{lines:?}");
        assert!(lines[2].ends_with("&'") && lines[3].starts_with("CONTINUE  '"));
        assert_eq!(lines[6..9], ["HISTORY ".to_owned() + &"h".repeat(72), "HISTORY h".into(), "END".into()]);
    }
}
