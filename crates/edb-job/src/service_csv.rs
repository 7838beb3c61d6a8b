//! The samples of one mnemonic in the form of the service's own answers.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use edb::atomic::AtomicFile;
use edb::export::Measured;
use edb::{Error, ErrorKind, Result, Sample, Samples, Series, SqlType, wire};

use crate::destination::{Destination, Stream};
use crate::report::FileReport;

/// An answer that is being written: what the service would send for the range, its bracket rows included.
pub(crate) struct ServiceCsv {
    out: Measured<Out>,
    path: PathBuf,
    has_begun: bool,
    sql_type: SqlType,
    trailing: Option<Sample>,
    rows: usize,
}

enum Out {
    File(AtomicFile),
    Stream(Stream),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stream(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stream(stream) => stream.flush(),
        }
    }
}

impl ServiceCsv {
    /// Begins the answer of the one request there may be.
    pub(crate) fn begin(destination: &Destination, described: &[Series], is_hashed: bool) -> Result<Self> {
        let [only] = described else { return Err(Self::refuse(described.len())) };
        let (path, out) = match destination {
            Destination::File(path) => (path.as_path(), Out::File(AtomicFile::create(path)?)),
            Destination::Stream(stream) => (Path::new("-"), Out::Stream(stream.clone())),
            Destination::DataSet(..) | Destination::Shown => {
                return Err(Error::usage("the service's form is written to a file, or to stdout"));
            }
        };
        let sql_type = only.about.sql_type.clone().unwrap_or(SqlType::Varchar);
        let out = Measured::new(out, is_hashed);
        Ok(Self { out, path: path.to_owned(), has_begun: false, sql_type, trailing: None, rows: 0 })
    }

    /// Why so many mnemonics and ranges cannot be written.
    pub(crate) fn refuse(count: usize) -> Error {
        Error::usage(format!("the service's form has one mnemonic over one range, and {count} are asked for"))
            .with_hint("name one, or use `edb fetch`, or `edb store export`, which write a file for each")
    }

    /// Adds the next samples.
    pub(crate) fn add(&mut self, series: &[Series]) -> Result<()> {
        for one in series {
            self.sql_type = one.samples.sql_type().clone();
            let leading = one.leading.as_ref().filter(|_| !self.has_begun);
            self.print(one.samples.clone().with_brackets(leading, None)?)?;
            self.trailing.clone_from(&one.trailing);
        }
        Ok(())
    }

    fn print(&mut self, samples: Samples) -> Result<()> {
        self.rows += samples.len();
        for (number, chunk) in wire::Encoder::new(samples).enumerate() {
            // The header comes once.
            let is_told = number == 0 && self.has_begun;
            let header = chunk.iter().position(|byte| *byte == b'\n').filter(|_| is_told);
            let rows = header.map_or(chunk.as_slice(), |end| &chunk[end + 1..]);
            self.out.write_all(rows).map_err(|error| self.failed(error))?;
        }
        self.has_begun = true;
        Ok(())
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::new(ErrorKind::Disk, format!("could not write `{}`", self.path.display())).caused_by(error)
    }

    /// Ends the answer with its trailing bracket.
    pub(crate) fn finish(mut self, content: &str) -> Result<FileReport> {
        let trailing = self.trailing.take();
        let end = Samples::empty(self.sql_type.clone()).with_brackets(None, trailing.as_ref())?;
        self.print(end)?;
        self.out.flush().map_err(|error| self.failed(error))?;
        let (out, size_bytes, sha256) = self.out.finish();
        if let Out::File(file) = out {
            file.commit()?;
        }
        let (content, parts) = (content.to_owned(), Vec::new());
        Ok(FileReport { path: self.path, content, rows: self.rows, size_bytes, sha256, parts })
    }
}
