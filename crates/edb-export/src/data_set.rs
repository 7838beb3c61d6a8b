//! A folder of files by mnemonic and time, as Hive has them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use edb_core::atomic::Staging;
use edb_core::{Error, Instant, MICROS_PER_DAY, Result, TimeRange, parse_instant};
use edb_frame::Table;
use edb_parquet::OwnedColumn;

use crate::columns;
use crate::format::FileOptions;
use crate::writer::{FileWriter, Written, hidden_about_path};

/// What the rows of one file have in common. Each has a folder `key=value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionKey {
    /// The mnemonic, of tables with a column of that name, which the files do not have then: readers take it from the folder.
    Mnemonic,
    /// The year of the time, `2024`.
    Year,
    /// The month of the time, `2024-03`.
    Month,
    /// The UTC day of the time, `2024-03-01`.
    Day,
}

/// What a row without a time, or without a mnemonic, is filed under.
const NULL_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

impl PartitionKey {
    const ALL: [Self; 4] = [Self::Mnemonic, Self::Year, Self::Month, Self::Day];

    /// Reads `mnemonic`, `year`, `month` or `day`.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`].
    pub fn parse(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|key| key.word() == word.trim()).ok_or_else(|| {
            Error::usage(format!("could not read `{word}` as what files are to be parted by"))
                .with_hint("use `mnemonic`, `year`, `month`, `day`, or several: `mnemonic,day`")
        })
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mnemonic => "mnemonic",
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
        }
    }

    /// Bytes of a date that are the value.
    fn date_bytes(self) -> usize {
        match self {
            Self::Year => 4,
            Self::Month => 7,
            Self::Mnemonic | Self::Day => 10,
        }
    }
}

/// One file of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its place in the folder, `mnemonic=SA_ZATTEST1/day=2024-03-01/part-0.parquet`.
    pub path: PathBuf,
    /// What was written.
    pub written: Written,
}

/// A folder in which files of an earlier export were replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// Its place in the data set.
    pub path: PathBuf,
    /// The time that it is for, if its name says one.
    pub period: Option<TimeRange>,
}

/// Files that are open at once, at most: each needs buffers, and the system has a limit, too.
const MOST_OPEN: usize = 4;

/// A file that is being written.
struct Open {
    folder: PathBuf,
    path: PathBuf,
    file: FileWriter,
}

/// Writes tables into a folder of files that appear together.
///
/// A file that is open when rows of more than a few others have come is closed; if rows for it come again, it has a further part. What an
/// earlier export left in a folder `key=value` that this one writes is replaced, all of it; other folders stay: an export of the next day adds
/// to the data set.
pub struct DataSet {
    /// The one that was written to last is the last. (Dropped before the folder that they are in.)
    open: Vec<Open>,
    staging: Staging,
    keys: Vec<PartitionKey>,
    options: FileOptions,
    /// Columns, notices and provenance of the next files.
    first: Table,
    begun: HashMap<PathBuf, usize>,
    parts: Vec<Part>,
}

impl DataSet {
    /// Begins a data set in `folder`. Its files have the columns, the notices and the provenance of `first`, whose rows are not written yet.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`] if the folder cannot be made or written; [`edb_core::ErrorKind::Usage`] if the table has no mnemonic,
    /// and the files are to be parted by it.
    pub fn create(first: &Table, folder: &Path, keys: &[PartitionKey], options: FileOptions) -> Result<Self> {
        let mut set = Self {
            open: Vec::new(),
            staging: Staging::create(folder)?,
            keys: keys.to_vec(),
            options,
            first: first.slice(0..0),
            begun: HashMap::new(),
            parts: Vec::new(),
        };
        set.continue_as(first)?;
        Ok(set)
    }

    /// Gives the files that are begun from now on the columns, the notices and the provenance of `first`.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn continue_as(&mut self, first: &Table) -> Result<()> {
        self.first = first.slice(0..0);
        if self.keys.contains(&PartitionKey::Mnemonic) {
            if first.columns().iter().all(|column| column.name != "mnemonic") {
                return Err(lacks("mnemonic"));
            }
            self.first = self.first.without("mnemonic")?;
        }
        Ok(())
    }

    /// Adds the rows of `table`, each to the file it belongs to.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] if the table has no mnemonic, or no time, and the files are to be parted by it;
    /// [`edb_core::ErrorKind::Disk`].
    pub fn add(&mut self, table: &Table) -> Result<()> {
        for (folder, rows) in self.places(table)? {
            let part = self.part(table, &rows)?;
            let mut open = match self.open.iter().position(|open| open.folder == folder) {
                Some(at) => self.open.remove(at),
                None => self.begin(folder)?,
            };
            open.file.add(&part)?;
            self.open.push(open);
        }
        Ok(())
    }

    fn begin(&mut self, folder: PathBuf) -> Result<Open> {
        if self.open.len() >= MOST_OPEN {
            let oldest = self.open.remove(0);
            self.close(oldest)?;
        }
        let number = self.begun.entry(folder.clone()).or_default();
        let path = folder.join(format!("part-{number}.{}", self.options.format.extension()));
        *number += 1;
        let file = FileWriter::hidden(&self.first, self.options, &self.staging.path(&path))?;
        Ok(Open { folder, path, file })
    }

    /// The rows as a table without the columns that are in the names of folders.
    fn part(&self, table: &Table, rows: &[u32]) -> Result<Table> {
        let is_run = rows.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        let part = match rows {
            [first, .., last] if is_run => table.slice(*first as usize..*last as usize + 1),
            rows => table.take(rows)?,
        };
        if self.keys.contains(&PartitionKey::Mnemonic) { part.without("mnemonic") } else { Ok(part) }
    }

    /// The folders of the rows, in the order of the first of each.
    fn places(&self, table: &Table) -> Result<Vec<(PathBuf, Vec<u32>)>> {
        let column = |names: &[&str], what: &str| {
            let found = table.frame().columns().iter().find(|column| names.contains(&column.name().as_str()));
            found.map(columns::cells).transpose()?.ok_or_else(|| lacks(what))
        };
        let has_time = self.keys.iter().any(|key| *key != PartitionKey::Mnemonic);
        let times = if has_time { Some(column(&["time", "start"], "time")?) } else { None };
        let has_names = self.keys.contains(&PartitionKey::Mnemonic);
        let names = if has_names { Some(column(&["mnemonic"], "mnemonic")?) } else { None };
        // A day and the code of a mnemonic, and where its rows are listed.
        let mut lists: HashMap<(Option<i64>, Option<u32>), usize> = HashMap::new();
        let mut of_folder: HashMap<PathBuf, usize> = HashMap::new();
        let mut places: Vec<(PathBuf, Vec<u32>)> = Vec::new();
        for row in 0..table.rows() {
            let day = times.as_ref().and_then(|cells| match &cells.values {
                OwnedColumn::Time(times) if !cells.is_null(row) => {
                    Some(times[row].div_euclid(MICROS_PER_DAY))
                }
                _ => None,
            });
            let code = names.as_ref().and_then(|cells| match &cells.values {
                OwnedColumn::Text(text) if !cells.is_null(row) => Some(text.codes()[row]),
                _ => None,
            });
            let list = *lists.entry((day, code)).or_insert_with(|| {
                let name = code.and_then(|code| names.as_ref()?.words().nth(code as usize));
                let folder = self.folder(day, name);
                // Several days may have one month.
                *of_folder.entry(folder).or_insert_with_key(|folder| {
                    places.push((folder.clone(), Vec::new()));
                    places.len() - 1
                })
            });
            places[list].1.push(row as u32);
        }
        Ok(places)
    }

    fn folder(&self, day: Option<i64>, name: Option<&str>) -> PathBuf {
        let date = day.map(|day| Instant::from_micros(day.saturating_mul(MICROS_PER_DAY)).to_edb_text());
        let value = |key: &PartitionKey| match key {
            PartitionKey::Mnemonic => name.map(safe),
            key => date.as_ref().map(|date| date[..key.date_bytes()].to_owned()),
        };
        let folder =
            |key: &PartitionKey| format!("{}={}", key.word(), value(key).as_deref().unwrap_or(NULL_VALUE));
        self.keys.iter().map(folder).collect()
    }

    fn close(&mut self, open: Open) -> Result<()> {
        self.parts.push(Part { path: open.path, written: open.file.finish()? });
        Ok(())
    }

    /// Gives the files their names, and returns what they are, by name, and the folders in which they replace those of an earlier export.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`], also if the earlier export has another format.
    pub fn finish(mut self) -> Result<(Vec<Part>, Vec<Replaced>)> {
        std::mem::take(&mut self.open).into_iter().try_for_each(|open| self.close(open))?;
        self.parts.sort_by(|one, other| one.path.cmp(&other.path));
        let mut paths: Vec<PathBuf> = self.parts.iter().map(|part| part.path.clone()).collect();
        if !self.options.format.has_header() {
            paths.extend(self.parts.iter().map(|part| hidden_about_path(&part.path)));
        }
        let is_ours = |name: &str| name.starts_with("part-") || name.starts_with("_part-");
        let replaced = self.staging.commit(&paths, is_ours)?;
        let of_folder = |path: PathBuf| Replaced { period: period(&path), path };
        Ok((self.parts, replaced.into_iter().map(of_folder).collect()))
    }
}

/// The time that a folder is for, by its name: `month=2024-03` or `mnemonic=…/day=2024-03-01`.
fn period(folder: &Path) -> Option<TimeRange> {
    let value = |name: &str| {
        let mut values =
            folder.iter().filter_map(|part| part.to_str()?.strip_prefix(name)?.strip_prefix('='));
        values.next_back().map(str::to_owned)
    };
    let number = |text: &str| text.parse::<i32>().ok();
    let at = |year: i32, month: i32| parse_instant(&format!("{year:04}-{month:02}-01"), Instant::MIN).ok();
    if let Some(day) = value("day") {
        let start = parse_instant(&day, Instant::MIN).ok()?;
        return TimeRange::checked(start, start.plus_micros(MICROS_PER_DAY));
    }
    if let Some(month) = value("month") {
        let (year, month) = (number(month.get(..4)?)?, number(month.get(5..)?)?);
        return TimeRange::checked(at(year, month)?, at(year + month / 12, month % 12 + 1)?);
    }
    let year = number(&value("year")?)?;
    TimeRange::checked(at(year, 1)?, at(year + 1, 1)?)
}

fn lacks(what: &str) -> Error {
    Error::usage(format!("could not part the files by {what}: the table has no such column"))
        .with_hint("part them by something that is in each row")
}

/// A value as part of a path: what may not be in one is written as `%2F`.
fn safe(text: &str) -> String {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_-. ".contains(&byte);
    let one = |byte: u8| if is_safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, Int64Chunked, IntoColumn, TimeUnit, TimeZone};

    use super::*;
    use crate::Format;

    #[test]
    fn names_of_folders_say_their_time() {
        for (folder, expected) in [
            ("mnemonic=A/day=2024-02-29", Some("2024-02-29T00:00:00Z/2024-03-01T00:00:00Z")),
            ("month=2024-12", Some("2024-12-01T00:00:00Z/2025-01-01T00:00:00Z")),
            ("year=2024/month=2024-02", Some("2024-02-01T00:00:00Z/2024-03-01T00:00:00Z")),
            ("year=2024", Some("2024-01-01T00:00:00Z/2025-01-01T00:00:00Z")),
            ("mnemonic=A", None),
            ("day=__HIVE_DEFAULT_PARTITION__", None),
        ] {
            assert_eq!(period(Path::new(folder)).map(|range| range.to_string()).as_deref(), expected);
        }
    }

    #[test]
    fn few_files_are_open_however_many_days_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let times =
            Int64Chunked::from_vec("time".into(), (0..90).map(|row| row * MICROS_PER_DAY / 2).collect());
        let times = times.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column();
        let frame = DataFrame::new_infer_height(vec![times]).unwrap();
        let table = Table::from_polars(&frame, &[]).unwrap();
        let options = FileOptions::new(Format::Csv);
        let mut set = DataSet::create(&table, folder.path(), &[PartitionKey::Day], options).unwrap();
        // A table without rows closes nothing.
        for rows in [0..1, 0..0, 1..45, 45..90] {
            set.add(&table.slice(rows)).unwrap();
            assert!(set.open.len() <= MOST_OPEN);
        }
        let (parts, _) = set.finish().unwrap();
        assert_eq!(parts.len(), 45, "no day was begun twice");
        assert!(parts.iter().all(|part| part.written.rows == 2));
    }
}
