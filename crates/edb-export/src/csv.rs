//! CSV for people.

use std::io::{self, Write};

use edb_core::{Error, ErrorKind, Instant, Result};
use edb_frame::Table;

use crate::columns::{self, ExportColumn, Values};
use crate::metadata;

pub(crate) fn write(table: &Table, out: &mut (dyn Write + Send)) -> Result<()> {
    let columns = columns::of(table)?;
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    try_write(table, &columns, &mut out)
        .and_then(|()| out.flush())
        .map_err(|error| Error::new(ErrorKind::Disk, "could not write CSV").caused_by(error))
}

fn try_write(table: &Table, columns: &[ExportColumn], out: &mut impl Write) -> io::Result<()> {
    for (key, value) in metadata::facts(table) {
        writeln!(out, "# {key}: {}", one_line(&value))?;
    }
    for about in table.columns() {
        let unit =
            if about.unit.is_empty() { String::new() } else { format!(" [{}]", one_line(&about.unit)) };
        writeln!(out, "# column {}{unit}: {}", about.name, one_line(&about.description))?;
    }
    for (at, column) in columns.iter().enumerate() {
        separate(out, at)?;
        field(out, &column.name)?;
    }
    writeln!(out)?;
    for row in 0..table.rows() {
        for (at, column) in columns.iter().enumerate() {
            separate(out, at)?;
            if column.nulls.contains(row) {
                continue;
            }
            match &column.values {
                Values::Time(values) => time(out, values[row])?,
                // Debug is the shortest decimal that reads back as the same number, with an exponent where that is shorter.
                Values::Real(values) => write!(out, "{:?}", values[row])?,
                Values::Integer(values) => write!(out, "{}", values[row])?,
                Values::Text(text) => field(out, text.word(row))?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn separate(out: &mut impl Write, at: usize) -> io::Result<()> {
    if at > 0 { out.write_all(b",") } else { Ok(()) }
}

/// `2022-06-01T00:00:00.064000Z`: always six decimals, so that the column has one width.
fn time(out: &mut impl Write, micros: i64) -> io::Result<()> {
    let text = Instant::from_micros(micros).to_edb_text();
    write!(out, "{}T{}Z", &text[..10], &text[11..])
}

/// An empty text is quoted, so that it is not a null; so is what RFC 4180 says must be.
fn field(out: &mut impl Write, text: &str) -> io::Result<()> {
    if !text.is_empty() && !text.contains([',', '"', '\n', '\r']) && !text.starts_with('#') {
        return out.write_all(text.as_bytes());
    }
    write!(out, "\"{}\"", text.replace('"', "\"\""))
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
