//! Tables to bytes, however many rows there are.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use edb_core::atomic::{self, AtomicFile};
use edb_core::{Error, ErrorKind, Notice, NoticeKind, Result};
use edb_frame::Table;
use edb_frame::polars::DataFrame;
use edb_parquet::GROUP_ROWS;

use crate::arrow::Arrow;
use crate::columns::{self, Batch};
use crate::csv::Csv;
use crate::ecsv::Ecsv;
use crate::fits::Fits;
use crate::format::{FileOptions, Format};
use crate::header::Header;
use crate::json_lines::JsonLines;
use crate::measured::Measured;
use crate::parquet::Parquet;
use crate::votable::Votable;

/// Cells that are written at once, at most; of narrow tables as many rows as Parquet has in a group.
const BATCH_CELLS: usize = 1 << 24;

/// Rows that are written at once, whatever tables they came in: the same rows give the same bytes.
fn batch_rows(columns: usize) -> usize {
    (BATCH_CELLS / columns.max(1)).clamp(1 << 10, GROUP_ROWS)
}

/// A format in the middle of a file.
pub(crate) trait Sink<W>: Send {
    /// Writes the next rows; a table without any has one batch, which is empty.
    fn batch(&mut self, batch: Batch) -> io::Result<()>;

    /// Writes what follows the rows; returns the output, and what the format could not say.
    fn finish(self: Box<Self>) -> io::Result<(W, Vec<String>)>;
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Rows.
    pub rows: usize,
    /// Bytes.
    pub size_bytes: u64,
    /// The SHA-256 of these in hexadecimal digits, if it was asked for.
    pub sha256: Option<String>,
    /// What the format could not say, and how it is written instead.
    pub notices: Vec<Notice>,
}

/// Writes tables of the same columns, one after the other, as one. Memory is bounded by the rows of a batch (a million), however many
/// come.
pub struct Writer<W: Write + Send + 'static> {
    sink: Box<dyn Sink<Measured<W>>>,
    /// Rows that do not fill a batch yet.
    pending: DataFrame,
    batch_rows: usize,
    rows: usize,
    remarks: Vec<String>,
}

impl<W: Write + Send + 'static> Writer<W> {
    /// Begins a file of the columns, the notices and the provenance of `first`, whose rows are not written yet. What is too much for
    /// memory and must wait goes to a nameless file in the folder `scratch`.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`] if `out` fails.
    pub fn new(first: &Table, options: FileOptions, out: W, scratch: &Path) -> Result<Self> {
        let header = Header::of(first)?;
        let out = Measured::new(out, options.is_hashed);
        Self::begin(first, options, out, header, |out, header| Fits::new(out, header, scratch))
    }

    /// Begins a file of `table`, of all its rows and no others: nothing needs to wait.
    fn whole(table: &Table, options: FileOptions, out: W) -> Result<Self> {
        let header = Header::of(table)?;
        let out = Measured::new(out, options.is_hashed);
        Self::begin(table, options, out, header, |out, header| Fits::of(out, header, table.frame()))
    }

    fn begin(
        first: &Table,
        options: FileOptions,
        out: Measured<W>,
        header: Header,
        fits: impl FnOnce(Measured<W>, Header) -> Result<Fits<Measured<W>>>,
    ) -> Result<Self> {
        let unknown = |(column, unit): (&str, &str)| {
            format!("no standard knows the unit `{unit}` of the column `{column}`: files keep it as text")
        };
        let remarks = header.unknown_units().map(unknown).collect();
        let sink: Box<dyn Sink<Measured<W>>> = match options.format {
            Format::Parquet => Box::new(Parquet::new(out, &header).map_err(refuse)?),
            Format::Csv => Box::new(Csv::new(out, &header, options.has_comments).map_err(refuse)?),
            Format::Ecsv => Box::new(Ecsv::new(out, header).map_err(refuse)?),
            Format::Fits => Box::new(fits(out, header)?),
            Format::Votable => Box::new(Votable::new(out, &header).map_err(refuse)?),
            Format::Arrow => Box::new(Arrow::new(out, &header).map_err(refuse)?),
            Format::JsonLines => Box::new(JsonLines::new(out, &header)),
        };
        Ok(Self {
            sink,
            pending: first.frame().clear(),
            batch_rows: batch_rows(first.columns().len()),
            rows: 0,
            remarks,
        })
    }

    /// Adds the rows of `table`.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`] if the output fails; [`ErrorKind::Unclassified`] if its columns are others.
    pub fn add(&mut self, table: &Table) -> Result<()> {
        let other = |error: edb_frame::polars::PolarsError| {
            Error::new(ErrorKind::Unclassified, "could not join two tables").caused_by(error)
        };
        if self.pending.height() == 0 {
            self.pending = table.frame().clone();
        } else {
            self.pending.vstack_mut(table.frame()).map_err(other)?;
        }
        while self.pending.height() >= self.batch_rows {
            let batch = self.pending.slice(0, self.batch_rows);
            self.pending = self.pending.slice(self.batch_rows as i64, usize::MAX);
            self.write(&batch)?;
        }
        Ok(())
    }

    fn write(&mut self, frame: &DataFrame) -> Result<()> {
        let batch = columns::batch(frame)?;
        self.rows += batch.rows;
        self.sink.batch(batch).map_err(refuse)
    }

    /// Writes what is left, and returns the output and what there is to say of it.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`].
    pub fn finish(mut self) -> Result<(W, Written)> {
        let rest = std::mem::take(&mut self.pending);
        if rest.height() > 0 || self.rows == 0 {
            self.write(&rest)?;
        }
        let (mut out, more) = self.sink.finish().map_err(refuse)?;
        self.remarks.extend(more);
        let (rows, remarks) = (self.rows, self.remarks);
        out.flush().map_err(refuse)?;
        let (out, size_bytes, sha256) = out.finish();
        let notice = |text: &String| Notice::general(NoticeKind::Format, text.clone());
        Ok((out, Written { rows, size_bytes, sha256, notices: remarks.iter().map(notice).collect() }))
    }
}

fn refuse(error: io::Error) -> Error {
    Error::new(ErrorKind::Disk, "could not write the table").caused_by(error)
}

/// Writes `table` to `out`.
///
/// # Errors
/// [`ErrorKind::Disk`] if `out` fails.
pub fn write<W: Write + Send + 'static>(table: &Table, options: FileOptions, out: W) -> Result<(W, Written)> {
    let mut writer = Writer::whole(table, options, out)?;
    writer.add(table)?;
    writer.finish()
}

/// A file that appears whole, or not at all.
pub struct FileWriter {
    writer: Writer<AtomicFile>,
    path: PathBuf,
    /// What has no place in the file itself, and where it goes.
    about: Option<(PathBuf, String)>,
}

impl FileWriter {
    /// Begins a file at `path`; see [`Writer::new`].
    ///
    /// # Errors
    /// [`ErrorKind::Disk`].
    pub fn create(first: &Table, options: FileOptions, path: &Path) -> Result<Self> {
        let writer = |file| Writer::new(first, options, file, folder_of(path));
        Self::begin(first, options, path, about_path(path), writer)
    }

    /// As [`create`](Self::create), for a folder of which every file is taken for rows: what stands beside them has a name that readers
    /// pass over.
    pub(crate) fn hidden(first: &Table, options: FileOptions, path: &Path) -> Result<Self> {
        let writer = |file| Writer::new(first, options, file, folder_of(path));
        Self::begin(first, options, path, hidden_about_path(path), writer)
    }

    fn begin(
        first: &Table,
        options: FileOptions,
        path: &Path,
        about_path: PathBuf,
        writer: impl FnOnce(AtomicFile) -> Result<Writer<AtomicFile>>,
    ) -> Result<Self> {
        let about =
            if options.format.has_header() { None } else { Some((about_path, Header::of(first)?.about())) };
        let writer = writer(AtomicFile::create(path)?).map_err(|error| doing(path, error))?;
        Ok(Self { writer, path: path.to_owned(), about })
    }

    /// Adds the rows of `table`.
    ///
    /// # Errors
    /// As [`Writer::add`].
    pub fn add(&mut self, table: &Table) -> Result<()> {
        self.writer.add(table).map_err(|error| doing(&self.path, error))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`]; an earlier file of that name is then untouched.
    pub fn finish(self) -> Result<Written> {
        let (file, written) = self.writer.finish().map_err(|error| doing(&self.path, error))?;
        file.commit()?;
        // After the rows: it must not tell of some that are not there.
        if let Some((path, about)) = self.about {
            atomic::write(&path, about.as_bytes())?;
        }
        Ok(written)
    }
}

/// Where the provenance of a file stands whose format has no place for it: `x.jsonl.about.json`.
pub fn about_path(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".about.json");
    name.into()
}

/// The same for files of a data set: readers pass over what begins so.
pub(crate) fn hidden_about_path(path: &Path) -> PathBuf {
    let mut hidden = OsString::from("_");
    hidden.push(about_path(path).file_name().unwrap_or_default());
    path.with_file_name(hidden)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn doing(path: &Path, error: Error) -> Error {
    error.while_doing(format!("could not write `{}`", path.display()))
}

/// Writes `table` to a file that appears whole or not at all.
///
/// # Errors
/// [`ErrorKind::Disk`]; an earlier file of that name is then untouched.
pub fn write_file(table: &Table, options: FileOptions, path: &Path) -> Result<Written> {
    let mut file = FileWriter::begin(table, options, path, about_path(path), |file| {
        Writer::whole(table, options, file)
    })?;
    file.add(table)?;
    file.finish()
}

#[cfg(test)]
mod tests {
    use polars::prelude::{
        Float64Chunked, Int64Chunked, IntoColumn, NewChunkedArray, StringChunked, TimeUnit, TimeZone,
    };

    use super::*;

    /// Rows in a batch here.
    const FEW: usize = 1000;

    /// Two batches and a bit, with nulls and words that come late.
    fn rows() -> Table {
        let rows = 2 * FEW + 123;
        let times = Int64Chunked::from_vec("time".into(), (0..rows as i64).map(|row| row * 64_000).collect());
        let late = |row: usize| {
            if row + 10 > rows {
                "a longer word, µ"
            } else if row.is_multiple_of(7) {
                "on"
            } else {
                "off"
            }
        };
        let frame = DataFrame::new_infer_height(vec![
            times.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column(),
            Float64Chunked::from_iter_options(
                "value".into(),
                (0..rows).map(|row| (row % 5 != 0).then_some(row as f64 / 8.0)),
            )
            .into_column(),
            Int64Chunked::from_iter_options(
                "integer".into(),
                (0..rows).map(|row| (row % 3 != 0).then_some(i64::MIN + (row % 4) as i64)),
            )
            .into_column(),
            StringChunked::from_iter_options(
                "text".into(),
                (0..rows).map(|row| (row % 11 != 0).then(|| late(row))),
            )
            .into_column(),
        ])
        .unwrap();
        Table::from_polars(&frame, &[]).unwrap()
    }

    #[test]
    fn a_file_is_the_same_whatever_tables_its_rows_came_in() {
        let all = rows();
        let folder = tempfile::tempdir().unwrap();
        for (format, names) in Format::ALL {
            let options = FileOptions::new(format);
            let begin = |first: &Table| {
                let mut writer = Writer::new(first, options, Vec::new(), folder.path()).unwrap();
                writer.batch_rows = FEW;
                writer
            };
            let mut writer = Writer::whole(&all, options, Vec::new()).unwrap();
            writer.batch_rows = FEW;
            writer.add(&all).unwrap();
            let (once, written) = writer.finish().unwrap();
            let mut writer = begin(&all.slice(0..0));
            let steps = [0, 1, 500, FEW + 17, all.rows()];
            steps.windows(2).for_each(|pair| writer.add(&all.slice(pair[0]..pair[1])).unwrap());
            let (grown, grown_written) = writer.finish().unwrap();
            assert!(grown == once, "{}", names[0]);
            assert_eq!(grown_written, written);
            assert_eq!((written.rows, written.size_bytes), (all.rows(), once.len() as u64));
            assert_eq!(
                std::fs::read_dir(folder.path()).unwrap().count(),
                0,
                "{} leaves nothing behind",
                names[0]
            );
        }
    }

    #[test]
    fn tables_of_other_columns_are_refused() {
        let all = rows();
        let mut writer =
            Writer::new(&all, FileOptions::new(Format::Csv), Vec::new(), &std::env::temp_dir()).unwrap();
        writer.add(&all.slice(0..5)).unwrap();
        assert!(writer.add(&all.without("text").unwrap()).is_err());
    }
}
