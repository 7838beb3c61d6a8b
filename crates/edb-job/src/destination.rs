//! Where tables and figures go.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use edb::export::{self, DataSet, FileOptions, FileWriter, PartitionKey, Replaced, Writer, Written};
use edb::{Coverage, Error, Mnemonic, Notice, NoticeKind, Request, Result, Table};

use crate::report::{FileReport, PartReport};

/// Where an output goes.
#[derive(Debug, Clone)]
pub enum Destination {
    /// Nowhere: the report has the table.
    Shown,
    /// A file, which appears whole or not at all.
    File(PathBuf),
    /// A folder of files by mnemonic and time, which appear together.
    DataSet(PathBuf, Vec<PartitionKey>),
    /// As it is made, into a pipe.
    Stream(Stream),
}

/// What a job may write to and does not own, as stdout.
#[derive(Clone)]
pub struct Stream {
    out: Arc<Mutex<dyn Write + Send>>,
    /// Whether the job has other outputs, which do not end when nobody reads this one any more.
    has_others: bool,
}

impl Stream {
    /// A stream into `out`. If the job `has_others` to make, a reader that has gone away is none of its concern; otherwise nothing is left
    /// to do, and writing fails.
    pub fn new(out: impl Write + Send + 'static, has_others: bool) -> Self {
        Self { out: Arc::new(Mutex::new(out)), has_others }
    }

    fn or_go_on<T>(&self, result: io::Result<T>, instead: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && self.has_others => Ok(instead),
            result => result,
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream(…)")
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.out.lock().unwrap_or_else(PoisonError::into_inner).write(bytes);
        self.or_go_on(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.out.lock().unwrap_or_else(PoisonError::into_inner).flush();
        self.or_go_on(result, ())
    }
}

impl Destination {
    /// The file or folder.
    pub fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::File(path) | Self::DataSet(path, _) => Some(path),
            Self::Shown | Self::Stream(_) => None,
        }
    }
}

fn to_stdout(error: Error) -> Error {
    error.while_doing("could not write to stdout")
}

/// A table that is being written.
pub(crate) enum Writing {
    File(PathBuf, FileWriter),
    DataSet(PathBuf, DataSet),
    Stream(Box<Writer<Stream>>),
}

impl Writing {
    /// Begins with the columns and the provenance of `first`, whose rows are not written yet; `None` for what goes nowhere.
    pub(crate) fn begin(
        destination: &Destination,
        options: FileOptions,
        first: &Table,
    ) -> Result<Option<Self>> {
        Ok(match destination {
            Destination::Shown => None,
            Destination::File(path) => {
                Some(Self::File(path.clone(), FileWriter::create(first, options, path)?))
            }
            Destination::DataSet(path, keys) => {
                Some(Self::DataSet(path.clone(), DataSet::create(first, path, keys, options)?))
            }
            Destination::Stream(stream) => {
                let writer = Writer::new(first, options, stream.clone(), &std::env::temp_dir());
                let writer = writer.map_err(to_stdout)?;
                Some(Self::Stream(Box::new(writer)))
            }
        })
    }

    /// Writes a table that is there whole; `None` if that is nowhere.
    pub(crate) fn whole(
        destination: &Destination,
        options: FileOptions,
        table: &Table,
        content: &str,
        asked: &[Request],
    ) -> Result<Option<(FileReport, Vec<Notice>)>> {
        let (path, written) = match destination {
            Destination::Shown => return Ok(None),
            Destination::File(path) => (path.clone(), export::write_file(table, options, path)?),
            Destination::Stream(stream) => {
                let written = export::write(table, options, stream.clone()).map_err(to_stdout)?;
                (PathBuf::from("-"), written.1)
            }
            Destination::DataSet(path, keys) => {
                let mut set = DataSet::create(table, path, keys, options)?;
                set.add(table)?;
                return Self::DataSet(path.clone(), set).finish(content, asked).map(Some);
            }
        };
        let notices = written.notices.clone();
        Ok(Some((report(path, content, written), notices)))
    }

    /// Files that are begun from now on have the columns and the provenance of `first`.
    pub(crate) fn continue_as(&mut self, first: &Table) -> Result<()> {
        match self {
            Self::DataSet(_, set) => set.continue_as(first),
            Self::File(..) | Self::Stream(_) => Ok(()),
        }
    }

    pub(crate) fn add(&mut self, table: &Table) -> Result<()> {
        match self {
            Self::File(_, file) => file.add(table),
            Self::DataSet(_, set) => set.add(table),
            Self::Stream(writer) => writer.add(table).map_err(to_stdout),
        }
    }

    /// What was written, and what its format could not say.
    pub(crate) fn finish(self, content: &str, asked: &[Request]) -> Result<(FileReport, Vec<Notice>)> {
        let file = |path, written| report(path, content, written);
        Ok(match self {
            Self::File(path, writer) => {
                let written = writer.finish()?;
                let notices = written.notices.clone();
                (file(path, written), notices)
            }
            Self::Stream(writer) => {
                let (_, written) = writer.finish().map_err(to_stdout)?;
                let notices = written.notices.clone();
                (file(PathBuf::from("-"), written), notices)
            }
            Self::DataSet(path, set) => {
                let (parts, replaced) = set.finish()?;
                let mut notices = Vec::new();
                notices.extend(cut_short(&path, &replaced, asked));
                for notice in parts.iter().flat_map(|part| &part.written.notices) {
                    if !notices.contains(notice) {
                        notices.push(notice.clone());
                    }
                }
                let report = FileReport {
                    path,
                    content: content.to_owned(),
                    rows: parts.iter().map(|part| part.written.rows).sum(),
                    size_bytes: parts.iter().map(|part| part.written.size_bytes).sum(),
                    sha256: None,
                    parts: parts.into_iter().map(PartReport::from).collect(),
                };
                (report, notices)
            }
        })
    }
}

/// Tells of folders that had files of an earlier export, and now have those of a range that does not reach over their whole time.
fn cut_short(path: &Path, replaced: &[Replaced], asked: &[Request]) -> Option<Notice> {
    let is_of = |one: &Replaced, mnemonic: &Mnemonic| {
        let names = one.path.iter().filter_map(|part| part.to_str()?.strip_prefix("mnemonic="));
        names.into_iter().all(|name| name == mnemonic.as_str())
    };
    let is_short = |one: &&Replaced| {
        let own = asked.iter().filter(|request| is_of(one, &request.mnemonic));
        let own: Coverage = own.map(|request| request.range).collect();
        one.period.is_some_and(|period| !own.covers(period))
    };
    let mut short = replaced.iter().filter(is_short);
    let (first, others) = (short.next()?, short.count());
    let more = if others > 0 { format!(" and {others} more folders") } else { String::new() };
    let text = format!(
        "what an earlier export left in `{}`{more} is replaced by a range that is not all of its time: choose whole days, months or years",
        path.join(&first.path).display()
    );
    Some(Notice::general(NoticeKind::Replaced, text))
}

fn report(path: PathBuf, content: &str, written: Written) -> FileReport {
    let Written { rows, size_bytes, sha256, .. } = written;
    FileReport { path, content: content.to_owned(), rows, size_bytes, sha256, parts: Vec::new() }
}
