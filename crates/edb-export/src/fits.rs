//! FITS binary tables.
//!
//! A FITS header says how many rows there are, how wide the texts are, and which integer stands for null, before the first row. Of a table that is
//! there whole this is looked up first; otherwise rows wait: those of one batch in memory, more of them in a nameless file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use edb_core::{Error, ErrorKind, Instant, MICROS_PER_DAY, Result};
use edb_frame::polars::{Column, DataFrame, PolarsError};
use edb_parquet::{Kind, OwnedColumn};

use crate::columns::{self, Batch, Cells};
use crate::escape;
use crate::fits_header::{BLOCK_BYTES, Cards};
use crate::header::{Head, Header};
use crate::rows;
use crate::spool::Spool;
use crate::units::Unit;
use crate::writer::Sink;

/// Three digits are left for a column's number.
const MOST_COLUMNS: usize = 999;

/// Beyond it a double of days has no whole microseconds (2038-04-23).
const EXACT_MJD: f64 = 65_536.0;

pub(crate) struct Fits<W> {
    out: W,
    header: Header,
    scratch: PathBuf,
    /// The first batch, while it is the only one.
    only: Option<Batch>,
    spool: Option<Spool>,
    columns: Vec<Seen>,
    rows: usize,
    /// Whether the header is written, because all was known before.
    has_head: bool,
}

/// What the rows so far say of a column.
#[derive(Debug, Clone, Default)]
struct Seen {
    has_nulls: bool,
    /// Real values that are not numbers: FITS has one word for these and for null.
    nans: usize,
    /// The smallest integers that are there, as many as may be asked for.
    least: std::collections::BTreeSet<i64>,
    width: usize,
    /// The width if all texts are escaped, and whether one must be.
    escaped_width: usize,
    must_escape: bool,
    is_late: bool,
}

impl Seen {
    fn look(&mut self, cells: &Cells) {
        self.has_nulls |= cells.null_count() > 0;
        match &cells.values {
            OwnedColumn::Real(values) => self.look_at_reals(values, |row| cells.is_null(row)),
            OwnedColumn::Integer(values) => self.look_at_integers(values),
            OwnedColumn::Time(values) => self.look_at_times(values),
            OwnedColumn::Text(_) => cells.words().for_each(|word| self.look_at_text(word)),
        }
    }

    /// All of a column, without its cells.
    fn of(column: &Column) -> Result<Self> {
        let mut seen = Self { has_nulls: column.null_count() > 0, ..Self::default() };
        let refuse = |error: PolarsError| {
            Error::new(ErrorKind::Unclassified, format!("could not export the column `{}`", column.name()))
                .caused_by(error)
        };
        let series = column.as_materialized_series();
        match columns::kind(column)? {
            Kind::Real => {
                for chunk in series.f64().map_err(refuse)?.downcast_iter() {
                    let is_null = |row| chunk.validity().is_some_and(|validity| !validity.get_bit(row));
                    seen.look_at_reals(chunk.values(), is_null);
                }
            }
            Kind::Integer => {
                let chunks = series.i64().map_err(refuse)?.downcast_iter();
                chunks.for_each(|chunk| seen.look_at_integers(chunk.values()));
            }
            Kind::Time => {
                let physical = series.to_physical_repr();
                let chunks = physical.i64().map_err(refuse)?.downcast_iter();
                chunks.for_each(|chunk| seen.look_at_times(chunk.values()));
            }
            Kind::Text => {
                let mut last = "";
                for text in series.str().map_err(refuse)?.iter().flatten() {
                    // Telemetry repeats itself.
                    if text != last {
                        seen.look_at_text(text);
                        last = text;
                    }
                }
            }
        }
        Ok(seen)
    }

    fn look_at_reals(&mut self, values: &[f64], is_null: impl Fn(usize) -> bool) {
        let nans = values.iter().enumerate().filter(|(_, value)| value.is_nan());
        self.nans += nans.filter(|(row, _)| !is_null(*row)).count();
    }

    /// Whatever integers there are, one of the first few has no use.
    fn look_at_integers(&mut self, values: &[i64]) {
        self.least.extend(values.iter().filter(|value| **value < i64::MIN + 8));
    }

    fn look_at_times(&mut self, values: &[i64]) {
        self.is_late |=
            values.iter().max().is_some_and(|last| Instant::from_micros(*last).to_mjd() >= EXACT_MJD);
    }

    fn look_at_text(&mut self, text: &str) {
        self.width = self.width.max(text.len());
        let is_plain = text.bytes().all(|byte| is_plain(byte) && byte != b'\\');
        let escaped_width = if is_plain { text.len() } else { escape(text).len() };
        self.must_escape |= !text.bytes().all(self::is_plain);
        self.escaped_width = self.escaped_width.max(escaped_width);
    }

    /// The integer that stands for null: the smallest that is no value.
    fn null(&self) -> i64 {
        (i64::MIN..i64::MIN + 16).find(|value| !self.least.contains(value)).unwrap_or(i64::MIN)
    }

    /// Bytes of a text.
    fn text_width(&self) -> usize {
        if self.must_escape { self.escaped_width } else { self.width }.max(1)
    }

    fn cell_bytes(&self, kind: Kind) -> usize {
        if kind == Kind::Text { self.text_width() } else { 8 }
    }
}

impl<W: Write + Send> Fits<W> {
    pub(crate) fn new(out: W, header: Header, scratch: &Path) -> Result<Self> {
        let count = header.columns.len();
        if count > MOST_COLUMNS {
            let message =
                format!("a FITS table has at most {MOST_COLUMNS} columns, and this one has {count}");
            return Err(Error::usage(message).with_hint("write Parquet or ECSV, or fewer columns"));
        }
        let columns = vec![Seen::default(); header.columns.len()];
        let scratch = scratch.to_owned();
        Ok(Self { out, header, scratch, only: None, spool: None, columns, rows: 0, has_head: false })
    }

    /// As [`new`](Self::new), for the rows of `frame` and no others.
    pub(crate) fn of(out: W, header: Header, frame: &DataFrame) -> Result<Self> {
        let mut fits = Self::new(out, header, Path::new(""))?;
        fits.columns = frame.columns().iter().map(Seen::of).collect::<Result<_>>()?;
        fits.rows = frame.height();
        let names = fits.header.plain_names();
        let head = fits.head(&names);
        fits.out
            .write_all(&head)
            .map_err(|error| Error::new(ErrorKind::Disk, "could not write FITS").caused_by(error))?;
        fits.has_head = true;
        Ok(fits)
    }

    fn head(&self, names: &[String]) -> Vec<u8> {
        let mut cards = Cards::default();
        cards.logical("SIMPLE", true, "conforms to the FITS standard");
        cards.integer("BITPIX", 8, "");
        cards.integer("NAXIS", 0, "the table is in the extension");
        cards.logical("EXTEND", true, "");
        let mut bytes = cards.finish();
        let mut cards = Cards::default();
        let width: usize = self
            .header
            .columns
            .iter()
            .zip(&self.columns)
            .map(|(head, seen)| seen.cell_bytes(head.kind))
            .sum();
        cards.text("XTENSION", "BINTABLE", "binary table");
        cards.integer("BITPIX", 8, "");
        cards.integer("NAXIS", 2, "");
        cards.integer("NAXIS1", width as i64, "bytes in a row");
        cards.integer("NAXIS2", self.rows as i64, "rows");
        cards.integer("PCOUNT", 0, "");
        cards.integer("GCOUNT", 1, "");
        cards.integer("TFIELDS", self.header.columns.len() as i64, "columns");
        cards.text("EXTNAME", "TELEMETRY", "");
        if self.header.columns.iter().any(|column| column.kind == Kind::Time) {
            cards.text("TIMESYS", "UTC", "scale of all times");
            cards.real("MJDREF", "0.0", "times are absolute MJD");
            cards.text("TIMEUNIT", "d", "");
            cards.text("TREFPOS", "CUSTOM", "on board");
        }
        for (at, ((head, seen), name)) in self.header.columns.iter().zip(&self.columns).zip(names).enumerate()
        {
            column(&mut cards, at + 1, head, seen, name);
        }
        if cards.has_long_texts() {
            cards.text("LONGSTRN", "OGIP 1.0", "texts go on in CONTINUE cards");
        }
        for (key, value) in &self.header.facts {
            cards.history(&escape(&format!("{key}: {value}")));
        }
        bytes.append(&mut cards.finish());
        bytes
    }

    fn remarks(&self, names: &[String]) -> Vec<String> {
        let mut remarks = Vec::new();
        for ((head, seen), name) in self.header.columns.iter().zip(&self.columns).zip(names) {
            let column = &head.name;
            if name != column {
                remarks.push(format!(
                    "names in FITS have letters, digits and underscores: the column `{column}` is `{name}` there"
                ));
            }
            if head.standard.fits().is_none() && head.standard.common().is_some() {
                let unit = &head.unit;
                remarks.push(format!("FITS has no unit `{unit}`: that of `{column}` is kept as text"));
            }
            if seen.nans > 0 {
                remarks.push(format!(
                    "FITS has one word for null and for what is no number: the {} NaN of `{column}` read as nulls",
                    seen.nans
                ));
            }
            if seen.must_escape {
                remarks.push(format!(
                    "text in FITS is ASCII: `{column}` has escapes as \\xb0, \\u2192 and \\n, and \\\\ for a backslash \
                     (Python: .encode().decode(\"unicode_escape\"))"
                ));
            }
            if seen.is_late {
                remarks.push(format!(
                    "from 2038-04-23 on an MJD in a double has steps of 1.3 µs: times in `{column}` may be off by 0.6 µs"
                ));
            }
        }
        remarks
    }
}

/// The cards of one column.
fn column(cards: &mut Cards, number: usize, head: &Head, seen: &Seen, name: &str) {
    let key = |word: &str| format!("{word}{number}");
    cards.text(&key("TTYPE"), name, "");
    match head.kind {
        Kind::Time => {
            cards.text(&key("TFORM"), "D", "");
            cards.text(&key("TUNIT"), "d", "");
            cards.text(&key("TCTYP"), "UTC", "");
            cards.text(&key("TCUNI"), "d", "");
            cards.text(&key("TRPOS"), "CUSTOM", "");
        }
        Kind::Real => cards.text(&key("TFORM"), "D", ""),
        Kind::Integer => {
            cards.text(&key("TFORM"), "K", "");
            if seen.has_nulls {
                cards.integer(&key("TNULL"), seen.null(), "");
            }
        }
        Kind::Text => cards.text(&key("TFORM"), &format!("{}A", seen.text_width()), ""),
    }
    if let Some(unit) = head.standard.fits() {
        cards.text(&key("TUNIT"), &unit, "");
    } else if head.standard != Unit::None && head.kind != Kind::Time {
        cards.text(&key("TUNIT"), &escape(&head.unit), "not of the standard");
    }
    if !head.description.is_empty() {
        cards.text(&key("TCOMM"), &escape(&head.description), "");
    }
    if name != head.name {
        // Five letters, which leave room for three digits.
        cards.text(&key("TNAME"), &escape(&head.name), "as it is elsewhere");
    }
}

fn is_plain(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte)
}

/// ASCII for any text.
fn escape(text: &str) -> String {
    escape::ascii(text, &['\\'])
}

/// MJD of many times, the ones of a day after each other: a whole day is found once.
#[derive(Default)]
struct Days {
    start: i64,
    mjd: f64,
}

impl Days {
    /// As [`Instant::to_mjd`].
    fn mjd(&mut self, micros: i64) -> f64 {
        if !(0..MICROS_PER_DAY).contains(&micros.wrapping_sub(self.start)) || self.mjd == 0.0 {
            let time = Instant::from_micros(micros);
            self.start = time.as_micros().div_euclid(MICROS_PER_DAY) * MICROS_PER_DAY;
            self.mjd = Instant::from_micros(self.start).to_mjd();
            return time.to_mjd();
        }
        self.mjd + (micros - self.start) as f64 / MICROS_PER_DAY as f64
    }
}

/// Rows as they lie in the file: big-endian, one after the other.
fn write_rows(columns: &[Seen], batch: &Batch, out: &mut dyn Write) -> io::Result<()> {
    let words = |(seen, cells): (&Seen, &Cells)| {
        let print = |word: &str| if seen.must_escape { escape(word) } else { word.to_owned() };
        cells.words().map(print).collect::<Vec<_>>()
    };
    let words: Vec<Vec<String>> = columns.iter().zip(&batch.columns).map(words).collect();
    let missing: Vec<Vec<u8>> = columns
        .iter()
        .zip(&batch.columns)
        .map(|(seen, cells)| match cells.values.kind() {
            Kind::Time | Kind::Real => f64::NAN.to_be_bytes().to_vec(),
            Kind::Integer => seen.null().to_be_bytes().to_vec(),
            Kind::Text => vec![0; seen.text_width()],
        })
        .collect();
    let width: usize = missing.iter().map(Vec::len).sum();
    rows::in_parts(batch, out, |rows, out| {
        out.reserve(rows.len() * width);
        let mut days = Days::default();
        for row in rows {
            for (at, cells) in batch.columns.iter().enumerate() {
                if cells.is_null(row) {
                    out.extend_from_slice(&missing[at]);
                    continue;
                }
                match &cells.values {
                    OwnedColumn::Time(times) => {
                        out.extend_from_slice(&days.mjd(times[row]).to_be_bytes());
                    }
                    OwnedColumn::Real(values) => out.extend_from_slice(&values[row].to_be_bytes()),
                    OwnedColumn::Integer(values) => out.extend_from_slice(&values[row].to_be_bytes()),
                    OwnedColumn::Text(text) => {
                        let end = out.len() + missing[at].len();
                        out.extend_from_slice(words[at][text.codes()[row] as usize].as_bytes());
                        out.resize(end, b' ');
                    }
                }
            }
        }
    })
}

impl<W: Write + Send> Sink<W> for Fits<W> {
    fn batch(&mut self, batch: Batch) -> io::Result<()> {
        if self.has_head {
            return write_rows(&self.columns, &batch, &mut self.out);
        }
        self.rows += batch.rows;
        self.columns.iter_mut().zip(&batch.columns).for_each(|(seen, cells)| seen.look(cells));
        if self.only.is_none() && self.spool.is_none() {
            self.only = Some(batch);
            return Ok(());
        }
        let spool = match &mut self.spool {
            Some(spool) => spool,
            none => {
                let kinds = self.header.columns.iter().map(|column| column.kind);
                none.insert(Spool::new(&self.scratch, kinds)?)
            }
        };
        if let Some(first) = self.only.take() {
            spool.push(&first)?;
        }
        spool.push(&batch)
    }

    fn finish(mut self: Box<Self>) -> io::Result<(W, Vec<String>)> {
        let names = self.header.plain_names();
        if !self.has_head {
            let head = self.head(&names);
            self.out.write_all(&head)?;
        }
        let columns = &self.columns;
        let width: usize =
            self.header.columns.iter().zip(columns).map(|(head, seen)| seen.cell_bytes(head.kind)).sum();
        if let Some(batch) = self.only.take() {
            write_rows(columns, &batch, &mut self.out)?;
        }
        if let Some(spool) = self.spool.take() {
            spool.read(|batch| write_rows(columns, batch, &mut self.out))?;
        }
        let data = width * self.rows;
        self.out.write_all(&vec![0; data.next_multiple_of(BLOCK_BYTES) - data])?;
        let remarks = self.remarks(&names);
        Ok((self.out, remarks))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn days_are_those_of_single_times(
            times in proptest::collection::vec(
                prop_oneof![
                    any::<i64>(),
                    1_700_000_000_000_000..1_700_100_000_000_000_i64,
                    -MICROS_PER_DAY..2 * MICROS_PER_DAY,
                    -40_589 * MICROS_PER_DAY..-40_585 * MICROS_PER_DAY,
                ],
                1..20,
            )
        ) {
            let mut days = Days::default();
            for micros in times {
                prop_assert_eq!(days.mjd(micros).to_bits(), Instant::from_micros(micros).to_mjd().to_bits());
            }
        }

        #[test]
        fn a_double_of_days_is_exact_to_the_microsecond_until_2038(micros in 0..2_155_593_600_000_000_i64) {
            let found = Instant::from_mjd(Instant::from_micros(micros).to_mjd());
            prop_assert_eq!(found, Some(Instant::from_micros(micros)));
        }
    }

    #[test]
    fn the_integer_for_null_is_none_that_is_there() {
        let mut seen = Seen::default();
        assert_eq!(seen.null(), i64::MIN);
        seen.look_at_integers(&[i64::MIN + 1, i64::MIN, 7]);
        assert_eq!(seen.null(), i64::MIN + 2);
    }
}
