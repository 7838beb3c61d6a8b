//! `VOTable` 1.4.

use std::fmt::Write as _;
use std::io::{self, Write};

use edb_parquet::Kind;

use crate::columns::Batch;
use crate::header::{Head, Header};
use crate::rows::{self, CellFormat};
use crate::writer::Sink;

struct Cells;

impl CellFormat for Cells {
    fn before(&self, at: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(if at == 0 { b"<TR><TD>" } else { b"</TD><TD>" });
    }

    fn end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"</TD></TR>\n");
    }

    fn null(&self, _: &mut Vec<u8>) {}

    fn time(&self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(text);
    }

    fn real(&self, value: f64, out: &mut Vec<u8>) {
        if value.is_finite() {
            rows::push_decimal(value, out);
        } else if value.is_nan() {
            out.extend_from_slice(b"NaN");
        } else {
            out.extend_from_slice(if value < 0.0 { b"-Inf" } else { b"+Inf" });
        }
    }

    fn text(&self, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(escaped(text).as_bytes());
    }
}

/// Text for XML; characters that it does not allow become the one that stands for what cannot be said.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            _ if is_lost(character) => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
    out
}

/// Whether XML cannot say it.
fn is_lost(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

pub(crate) struct Votable<W> {
    out: W,
    /// Texts with characters that XML cannot say.
    lost: usize,
}

impl<W: Write + Send> Votable<W> {
    pub(crate) fn new(mut out: W, header: &Header) -> io::Result<Self> {
        out.write_all(head(header).as_bytes())?;
        Ok(Self { out, lost: 0 })
    }
}

/// Everything before the rows. (Writing into a string does not fail.)
fn head(header: &Header) -> String {
    let mut text = String::from(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">
<RESOURCE type="results">
<TIMESYS ID="time-scale" timescale="UTC" refposition="UNKNOWN"/>
<TABLE>
"#,
    );
    for (key, value) in &header.facts {
        let (key, value) = (escaped(key), escaped(value));
        let _ = writeln!(text, "<INFO name=\"{key}\" value=\"{value}\"/>");
    }
    for (column, id) in header.columns.iter().zip(header.plain_names()) {
        text.push_str(&field(column, &id));
    }
    text.push_str("<DATA><TABLEDATA>\n");
    text
}

fn field(column: &Head, id: &str) -> String {
    let kind = match column.kind {
        Kind::Time => r#"datatype="char" arraysize="26" xtype="timestamp" ucd="time.epoch" ref="time-scale""#,
        Kind::Real => r#"datatype="double""#,
        Kind::Integer => r#"datatype="long""#,
        Kind::Text => r#"datatype="unicodeChar" arraysize="*""#,
    };
    let name = escaped(&column.name);
    // An identifier of XML begins with no digit.
    let id = if id.starts_with(|c: char| c.is_ascii_digit()) { format!("_{id}") } else { id.to_owned() };
    let unit = column.standard.vo().map_or_else(String::new, |unit| format!(" unit=\"{}\"", escaped(&unit)));
    let mut text = format!("<FIELD ID=\"{id}\" name=\"{name}\" {kind}{unit}");
    let mut description = column.description.clone();
    if unit.is_empty() && !column.unit.is_empty() {
        let _ = write!(description, " [{}]", column.unit);
    }
    if description.is_empty() {
        text.push_str("/>\n");
    } else {
        let _ = writeln!(text, "><DESCRIPTION>{}</DESCRIPTION></FIELD>", escaped(description.trim()));
    }
    text
}

impl<W: Write + Send> Sink<W> for Votable<W> {
    fn batch(&mut self, batch: Batch) -> io::Result<()> {
        for cells in &batch.columns {
            self.lost += cells.words().filter(|word| word.contains(is_lost)).count();
        }
        rows::print(&Cells, &batch, &mut self.out)
    }

    fn finish(mut self: Box<Self>) -> io::Result<(W, Vec<String>)> {
        self.out.write_all(b"</TABLEDATA></DATA>\n</TABLE>\n</RESOURCE>\n</VOTABLE>\n")?;
        let lost = self.lost;
        let text =
            format!("{lost} texts have characters that XML cannot say: U+FFFD stands for each of them");
        Ok((self.out, (lost > 0).then_some(text).into_iter().collect()))
    }
}
