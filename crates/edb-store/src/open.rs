//! A segment on disk, of which only what is asked for is read.

use std::ops::Range;
use std::path::{Path, PathBuf};

use edb_core::{Error, Instant, Nulls, Result, Sample, TimeRange, ValueKind, keep};
use edb_parquet::{File, Kind, OwnedColumn, TimePage};

use crate::Segment;
use crate::footer::{About, FOOTER_KEY, Footer};
use crate::name::SegmentName;
use crate::pieces::{Gathered, Proof};
use crate::segment::content_hash;

/// A segment whose footer has been read.
#[derive(Debug)]
pub(crate) struct OpenSegment {
    file: File,
    footer: Footer,
    about: About,
    /// The column that holds the values.
    values_at: usize,
    /// The file, unless it is in memory.
    path: Option<PathBuf>,
}

impl OpenSegment {
    /// Opens the segment of this name in a folder.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`] if it cannot be opened, [`edb_core::ErrorKind::Integrity`] if it is not what was written.
    pub(crate) fn open(path: &Path, name: SegmentName) -> Result<Self> {
        let open = || {
            let segment = Self::new(File::open(path, name.body.map(|body| body.end))?)?;
            let rows = name.body.map_or(segment.rows(), |body| body.rows);
            let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
            let is_here =
                folder.strip_prefix(crate::disk::PARTITION) == Some(segment.footer.mnemonic.as_str());
            if segment.about.header != name.header || segment.rows() != rows || !is_here {
                return Err(Error::integrity("the segment does not say what its name and its folder say"));
            }
            Ok(Self { path: Some(path.to_owned()), ..segment })
        };
        open().map_err(|error| in_file(error, path))
    }

    pub(crate) fn new(file: File) -> Result<Self> {
        let text = file.metadata().find(|(key, _)| *key == FOOTER_KEY).map(|(_, text)| text);
        let text = text.ok_or_else(|| {
            Error::integrity(format!(
                "expected `{FOOTER_KEY}` in the footer: this is not a segment of a store"
            ))
        })?;
        let footer = Footer::from_json(text)?;
        let about = footer.about();
        let kind = column_kind(about.sql_type.kind());
        // The first column is the time; a second column of integers has another name.
        let values_at = file.columns().iter().skip(1).position(|(_, found)| *found == kind);
        let values_at = values_at.map(|at| at + 1).filter(|_| file.columns()[0].1 == Kind::Time);
        let values_at =
            values_at.ok_or_else(|| contradiction("expected a time column and a column of values"))?;
        if file.rows() != footer.rows {
            return Err(contradiction(&format!("expected {} rows, found {}", footer.rows, file.rows())));
        }
        Ok(Self { file, footer, about, values_at, path: None })
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.file.size_bytes()
    }

    pub(crate) fn rows(&self) -> usize {
        self.footer.rows
    }

    /// Compares every byte with its checksum, also where nobody reads.
    pub(crate) fn check(&self) -> Result<()> {
        self.told(self.file.check())
    }

    /// Says of an error which file it is about.
    fn told<T>(&self, result: Result<T>) -> Result<T> {
        match &self.path {
            Some(path) => result.map_err(|error| in_file(error, path)),
            None => result,
        }
    }

    /// Reads all samples, and compares them with all that is said of them.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`].
    pub(crate) fn whole(&self) -> Result<Segment> {
        self.told(self.try_whole())
    }

    fn try_whole(&self) -> Result<Segment> {
        let mut gathered = Gathered::default();
        self.try_append(self.about.header.proven, &mut gathered)?;
        let samples = gathered.samples()?;
        if samples.len() != self.rows() {
            return Err(contradiction(&format!(
                "expected {} rows in {}, found {}",
                self.rows(),
                self.about.header.proven,
                samples.len()
            )));
        }
        let hash = content_hash(&samples);
        if self.footer.content_hash.as_ref().is_some_and(|expected| *expected != hash) {
            return Err(contradiction("its samples have another hash than those that were written"));
        }
        let proven = self.about.header.proven;
        if self.about.leading.as_ref().is_some_and(|leading| leading.time >= proven.start())
            || self.about.trailing.as_ref().is_some_and(|trailing| trailing.time < proven.stop())
        {
            return Err(contradiction("a bracket lies inside the range"));
        }
        Ok(Segment { mnemonic: self.footer.mnemonic.clone(), about: self.about.clone(), samples })
    }

    /// The rows of the file in `range`, of those in `pages`, found by reading their times, which are appended.
    fn rows_in(
        &self,
        range: TimeRange,
        pages: Range<usize>,
        times: &mut OwnedColumn,
    ) -> Result<Range<usize>> {
        let (start, stop) = (range.start().as_micros(), range.stop().as_micros());
        let before = times.len();
        self.file.read(0, pages.clone(), times, &mut Nulls::none())?;
        let OwnedColumn::Time(read) = times else { return Err(contradiction("its times are none")) };
        let found = &read[before..];
        if !found.is_sorted() {
            return Err(contradiction("its times do not ascend"));
        }
        let kept = found.partition_point(|time| *time < start)..found.partition_point(|time| *time < stop);
        keep(read, before, &kept);
        Ok(pages.start + kept.start..pages.start + kept.end)
    }

    fn pages_in(&self, range: TimeRange) -> Vec<Range<usize>> {
        self.file.pages_between(range.start().as_micros(), range.stop().as_micros())
    }

    /// The sample nearest to one end of `range`, from the page that holds it.
    fn one_in(&self, range: TimeRange, last: bool) -> Result<Option<Sample>> {
        let mut pages = self.pages_in(range);
        if last {
            pages.reverse();
        }
        // The first or the second: the range may begin or end between two pages.
        for page in pages {
            let mut times = OwnedColumn::Time(Vec::new());
            let rows = self.rows_in(range, page, &mut times)?;
            if let (false, OwnedColumn::Time(times)) = (rows.is_empty(), times) {
                let row = if last { rows.end - 1 } else { rows.start };
                let mut gathered = Gathered::default();
                self.append_rows(row..row + 1, &mut gathered)?;
                gathered.times = OwnedColumn::Time(vec![times[row - rows.start]]);
                return Ok(Some(gathered.samples()?.sample(0)));
            }
        }
        Ok(None)
    }

    fn try_append(&self, range: TimeRange, to: &mut Gathered) -> Result<()> {
        let pages = self.pages_in(range);
        let pages = pages.first().map_or(0..0, |first| first.start..pages[pages.len() - 1].end);
        to.reserve_times();
        let rows = self.rows_in(range, pages, &mut to.times)?;
        self.append_rows(rows, to)
    }

    /// Appends values; their times are there already, or follow.
    fn append_rows(&self, rows: Range<usize>, to: &mut Gathered) -> Result<()> {
        let kind = self.file.columns()[self.values_at].1;
        to.expect(&self.about.sql_type, kind, rows.len())?;
        if rows.is_empty() {
            return Ok(());
        }
        let Some(values) = &mut to.values else { return Ok(()) };
        self.file.read(self.values_at, rows, values, &mut to.nulls)
    }
}

impl Proof for OpenSegment {
    fn about(&self) -> &About {
        &self.about
    }

    fn counts(&self) -> Vec<(TimeRange, usize)> {
        let span = |page: TimePage| {
            let (least, most) = page.bounds?;
            let stop = Instant::from_micros(most).plus_micros(1);
            Some((TimeRange::checked(Instant::from_micros(least), stop)?, page.rows.len()))
        };
        self.file.time_pages().into_iter().filter_map(span).collect()
    }

    fn append(&self, range: TimeRange, to: &mut Gathered) -> Result<()> {
        self.told(self.try_append(range, to))
    }

    fn last_in(&self, range: TimeRange) -> Result<Option<Sample>> {
        self.told(self.one_in(range, true))
    }

    fn first_in(&self, range: TimeRange) -> Result<Option<Sample>> {
        self.told(self.one_in(range, false))
    }
}

fn column_kind(kind: ValueKind) -> Kind {
    match kind {
        ValueKind::Real => Kind::Real,
        ValueKind::Integer => Kind::Integer,
        ValueKind::Text => Kind::Text,
    }
}

fn contradiction(what: &str) -> Error {
    Error::integrity(format!("the segment contradicts itself: {what}"))
}

/// Says which file it is that cannot be read, and what to do about it.
///
/// What has a hint of its own is not about the file.
fn in_file(error: Error, path: &Path) -> Error {
    if error.hint().is_some() {
        return error;
    }
    error
        .while_doing(format!("could not read the segment `{}`", path.display()))
        .with_hint("run `edb store verify --repair`: it sets damaged segments aside, and the next query fetches their ranges again")
}
