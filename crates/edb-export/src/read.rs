//! Tables of samples, read back from files.

use std::collections::BTreeMap;

use edb_core::{
    Coverage, Error, Instant, Mnemonic, Nulls, Request, Result, Samples, Series, SqlType, TextColumn,
    TimeRange, Values, parse_instant,
};
use edb_parquet::{File, OwnedColumn};
use serde_json::Value;

/// Reads the series in a table of ours, as Parquet, CSV or ECSV: every sample (`time`, `mnemonic` and `value`, `integer` or `text`), a
/// column for each mnemonic (`time` and theirs), or statistics of bins (`MNEMONIC_mean` and so on). Other files with such columns are
/// read, too; lines of CSV that begin with `#` say where samples come from, or are passed over.
///
/// What the file says is proven is known; of a mnemonic that it says nothing of, the time from its first to its last sample; of a file that
/// conditions, lists of intervals, grids or bins made, nothing.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if it is no such table, with the line of what cannot be read.
pub fn read_series(bytes: Vec<u8>) -> Result<Vec<Series>> {
    let table = if bytes.starts_with(b"PAR1") { from_parquet(bytes)? } else { from_csv(&bytes)? };
    table.series()
}

/// Words of files that do not have every sample of what was asked, or others than were taken.
const PARTS: [&str; 7] = ["where", "within", "without", "edges", "times", "method", "bins"];

/// A column: its name and what is in it.
type Column = (String, OwnedColumn, Nulls);

/// What is told of something: unit and description.
type Told = (String, String);

struct Table {
    columns: Vec<Column>,
    /// Pairs of words: `selected`, `proven` and others.
    facts: Vec<(String, String)>,
    /// Of mnemonics, and of columns.
    told: BTreeMap<String, Told>,
}

fn from_parquet(bytes: Vec<u8>) -> Result<Table> {
    let contents = File::from_bytes(bytes, None)?.contents()?;
    let json =
        |key: &str| contents.metadata.get(key).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pairs = json("edb.provenance").and_then(|value| value.as_array().cloned()).unwrap_or_default();
    let facts = pairs.iter().map(|pair| (word(&pair[0]), word(&pair[1]))).collect();
    let mut told = BTreeMap::new();
    for key in ["edb.columns", "edb.mnemonics"] {
        let entries = json(key).and_then(|value| value.as_object().cloned()).unwrap_or_default();
        told.extend(
            entries
                .into_iter()
                .map(|(name, value)| (name, (word(&value["unit"]), word(&value["description"])))),
        );
    }
    Ok(Table { columns: contents.columns, facts, told })
}

fn from_csv(bytes: &[u8]) -> Result<Table> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Error::usage("it is neither Parquet nor text in UTF-8")
            .caused_by(error)
            .with_hint("export it as Parquet or CSV")
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let (mut facts, mut told) = (Vec::new(), BTreeMap::new());
    let mut rest = text;
    while let Some(line) = rest.lines().next().filter(|line| line.starts_with('#') || line.trim().is_empty())
    {
        if let Some((key, value)) = fact(line) {
            // `column NAME [unit]: description`, `mnemonic: NAME [unit]: description`
            let (head, description) = match key.strip_prefix("column ") {
                Some(head) => (head, value.as_str()),
                None if key == "mnemonic" => value.split_once(':').unwrap_or((&value, "")),
                None => {
                    facts.push((key, value));
                    ("", "")
                }
            };
            let (name, unit) = head.split_once(" [").unwrap_or((head, ""));
            told.insert(
                name.trim().to_owned(),
                (unit.trim_end_matches(']').to_owned(), description.trim().to_owned()),
            );
        }
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    let mut records = Records { rest, line: 1 + text[..text.len() - rest.len()].matches('\n').count() };
    let names = records.next().ok_or_else(|| Error::usage("it has no line with the names of columns"))?.1;
    let mut cells: Vec<Vec<Option<String>>> = vec![Vec::new(); names.len()];
    for (line, record) in records {
        if record.len() != names.len() {
            let message = format!("line {line}: expected {} fields, found {}", names.len(), record.len());
            return Err(Error::usage(message));
        }
        for (column, (cell, is_quoted)) in cells.iter_mut().zip(record) {
            column.push((is_quoted || !cell.is_empty()).then_some(cell));
        }
    }
    let names = names.into_iter().map(|(name, _)| name.trim().to_owned());
    let columns = names.zip(cells).map(|(name, cells)| column(name, &cells)).collect::<Result<Vec<_>>>()?;
    Ok(Table { columns, facts, told })
}

/// A pair of words in a line before the rows: `# key: value`, or, of ECSV, `# - ["key", "value"]`.
fn fact(line: &str) -> Option<(String, String)> {
    let line = line.trim_start_matches('#').trim();
    if let Some(list) = line.strip_prefix("- [") {
        return serde_json::from_str(&format!("[{list}")).ok();
    }
    line.split_once(": ").map(|(key, value)| (key.to_owned(), value.to_owned()))
}

/// Records of comma-separated values, with the line on which each begins; of each field whether it stood in quotes.
struct Records<'a> {
    rest: &'a str,
    line: usize,
}

impl Iterator for Records<'_> {
    type Item = (usize, Vec<(String, bool)>);

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.line;
        let mut record = Vec::new();
        while !self.rest.is_empty() {
            let (field, is_quoted, end) = if let Some(quoted) = self.rest.strip_prefix('"') {
                let (field, length) = unquoted(quoted);
                (field, true, 1 + length)
            } else {
                let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
                (self.rest[..end].trim_end_matches('\r').to_owned(), false, end)
            };
            self.line += self.rest[..end].matches('\n').count();
            self.rest = &self.rest[end..];
            record.push((field, is_quoted));
            let is_last = !self.rest.starts_with(',');
            self.rest = self.rest.strip_prefix(',').unwrap_or_else(|| self.rest.trim_start_matches('\r'));
            if is_last {
                self.rest = self.rest.strip_prefix('\n').unwrap_or(self.rest);
                self.line += 1;
                return Some((line, record));
            }
            if self.rest.is_empty() || self.rest.starts_with('\n') {
                record.push((String::new(), false));
                self.rest = self.rest.strip_prefix('\n').unwrap_or(self.rest);
                self.line += 1;
                return Some((line, record));
            }
        }
        (!record.is_empty()).then_some((line, record))
    }
}

/// What stands before the quote that ends `text`, two of which are one, and how long that is with it.
fn unquoted(text: &str) -> (String, usize) {
    let mut field = String::new();
    let mut at = 0;
    loop {
        let Some(quote) = text[at..].find('"') else {
            field.push_str(&text[at..]);
            return (field, text.len());
        };
        field.push_str(&text[at..at + quote]);
        at += quote + 1;
        if !text[at..].starts_with('"') {
            return (field, at);
        }
        field.push('"');
        at += 1;
    }
}

/// A column of what all its cells are: moments under the names of times, integers, numbers, or text.
fn column(name: String, cells: &[Option<String>]) -> Result<Column> {
    let mut nulls = Nulls::none();
    cells.iter().enumerate().filter(|(_, cell)| cell.is_none()).for_each(|(row, _)| nulls.push(row));
    if ["time", "stop", "start"].contains(&name.as_str()) {
        let time = |(row, cell): (usize, &Option<String>)| match cell {
            // A file has no present that `now` could mean.
            Some(text) if !text.starts_with(|first: char| first.is_ascii_digit() || first == 'm') => Err(
                Error::usage(format!("row {}, column `{name}`: could not read `{text}` as a time", row + 1)),
            ),
            Some(text) => parse_instant(text, Instant::MIN)
                .map(Instant::as_micros)
                .map_err(|error| error.while_doing(format!("row {}, column `{name}`", row + 1))),
            None => Ok(0),
        };
        let times = cells.iter().enumerate().map(time).collect::<Result<Vec<_>>>()?;
        return Ok((name, OwnedColumn::Time(times), nulls));
    }
    let there = || cells.iter().map(|cell| cell.as_deref());
    // Columns of samples are what their names say, whatever their cells look like.
    let text = || {
        let mut texts = TextColumn::default();
        there().for_each(|cell| texts.push(cell.unwrap_or_default()));
        OwnedColumn::Text(texts)
    };
    if ["mnemonic", "text", "exposure"].contains(&name.as_str()) {
        return Ok((name, text(), nulls));
    }
    let integers: Option<Vec<i64>> =
        there().map(|cell| cell.map_or(Some(0), |text| text.parse().ok())).collect();
    if let Some(integers) = integers.filter(|_| name != "value" && nulls.positions().len() < cells.len()) {
        return Ok((name, OwnedColumn::Integer(integers), nulls));
    }
    let reals: Option<Vec<f64>> =
        there().map(|cell| cell.map_or(Some(0.0), |text| text.parse().ok())).collect();
    if let Some(reals) = reals {
        return Ok((name, OwnedColumn::Real(reals), nulls));
    }
    let texts = text();
    Ok((name, texts, nulls))
}

/// The samples of one mnemonic, while they are gathered.
struct Gathered {
    times: Vec<i64>,
    values: Values,
    nulls: Nulls,
    /// What is told of it, if that does not stand under its name.
    told: Option<Told>,
}

impl Table {
    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(found, ..)| found == name)
    }

    fn series(&self) -> Result<Vec<Series>> {
        if self.column("theTime").is_some() {
            return Err(Error::usage("it is a file of the service, which does not say whose samples it has")
                .with_hint("name the file `MNEMONIC.csv`, or as the service does"));
        }
        let Some((_, OwnedColumn::Time(times), nulls)) = self.column("time") else {
            return Err(Error::usage("it has no column `time` of UTC times")
                .with_hint("export samples, statistics of bins, or an aligned table"));
        };
        if !nulls.is_empty() {
            return Err(Error::usage("its column `time` has rows without a time"));
        }
        let all = match self.column("mnemonic") {
            Some((_, OwnedColumn::Text(names), _)) => self.of_rows(times, names),
            _ => self.of_columns(times, &["time", "stop", "start", "mnemonic", "exposure"], ""),
        };
        all.into_iter().map(|(name, gathered)| self.one(&name, gathered)).collect()
    }

    /// A row for each sample, or for each bin.
    fn of_rows(&self, times: &[i64], names: &TextColumn) -> Vec<(String, Gathered)> {
        let mut rows_of: Vec<Vec<usize>> = vec![Vec::new(); names.words().len()];
        names.codes().iter().enumerate().for_each(|(row, code)| rows_of[*code as usize].push(row));
        let mut all = Vec::new();
        for (name, rows) in names.words().iter().zip(rows_of).filter(|(_, rows)| !rows.is_empty()) {
            // What has no value anywhere is not copied for each.
            let is_used = |(name, column, nulls): &&Column| {
                name != "time" && name != "mnemonic" && nulls.positions().len() < column.len()
            };
            let part = Self {
                columns: self.columns.iter().filter(is_used).map(|column| taken(column, &rows)).collect(),
                facts: Vec::new(),
                told: BTreeMap::new(),
            };
            let times: Vec<i64> = rows.iter().map(|row| times[*row]).collect();
            if ["value", "integer", "text"].iter().any(|name| self.column(name).is_some()) {
                all.push((name.to_string(), part.sample_column(times)));
            } else {
                let others = ["time", "mnemonic", "stop", "start", "exposure"];
                let told = self.told.get(name.as_ref()).cloned().unwrap_or_default();
                for (column, gathered) in part.of_columns(&times, &others, &format!("{name}_")) {
                    // Statistics have the unit of their mnemonic, but for counts.
                    let unit = if column.ends_with("count") { String::new() } else { told.0.clone() };
                    all.push((column, Gathered { told: Some((unit, told.1.clone())), ..gathered }));
                }
            }
        }
        all
    }

    /// Of `integer`, `text` and `value` the one that has values.
    fn sample_column(mut self, times: Vec<i64>) -> Gathered {
        let place = |name: &str| self.columns.iter().position(|column| column.0 == name);
        let has_values = |at: &usize| {
            let (_, column, nulls) = &self.columns[*at];
            nulls.positions().len() < column.len()
        };
        let found = ["integer", "text", "value"].into_iter().filter_map(place).find(has_values);
        let found = found.and_then(|at| values(self.columns.swap_remove(at)));
        let (values, nulls) =
            found.unwrap_or_else(|| (Values::real(vec![f64::NAN; times.len()]), Nulls::none()));
        Gathered { times, values, nulls, told: None }
    }

    /// A column for each series.
    fn of_columns(&self, times: &[i64], others: &[&str], prefix: &str) -> Vec<(String, Gathered)> {
        let own = self.columns.iter().filter(|(name, ..)| !others.contains(&name.as_str()));
        let series = own.filter_map(|column| {
            let (values, nulls) = values(column.clone())?;
            Some((
                format!("{prefix}{}", column.0),
                Gathered { times: times.to_vec(), values, nulls, told: None },
            ))
        });
        let series = series.map(|(name, gathered)| (name, gathered.without_nulls()));
        series.filter(|(_, gathered)| !gathered.times.is_empty()).collect()
    }

    /// A series with what the file says of it.
    fn one(&self, name: &str, gathered: Gathered) -> Result<Series> {
        let mnemonic = Mnemonic::new(name)?;
        let Gathered { times, values, nulls, told: own } = gathered;
        let sql_type = match &values {
            Values::Real(_) => SqlType::Float,
            Values::Integer(_) => SqlType::BigInt,
            Values::Text(_) => SqlType::Varchar,
        };
        let (samples, _) = Samples::from_columns(sql_type, times, values, nulls)?;
        let hull = samples.times().first().zip(samples.times().last());
        let hull = hull.and_then(|(first, last)| {
            TimeRange::checked(Instant::from_micros(*first), Instant::from_micros(last.saturating_add(1)))
        });
        let told = |key: &str| -> Coverage {
            let own = self.facts.iter().filter(|(found, _)| found == key);
            let own = own.filter_map(|(_, words)| words.split_once('@')).filter(|(found, _)| *found == name);
            let ranges = own.flat_map(|(_, ranges)| ranges.split(", "));
            let request = |range: &str| Request::parse(&format!("{name}@{range}"), Instant::MIN).ok();
            ranges.filter_map(request).map(|request| request.range).collect()
        };
        // Of a file that a condition or a grid made, nothing says what it does not have.
        let is_part = |key: &str| PARTS.contains(&key);
        let is_whole = !self.facts.iter().any(|(key, _)| is_part(key));
        let mut known = if is_whole { told("proven") } else { Coverage::new() };
        let asked = told("selected").ranges().iter().copied().reduce(TimeRange::hull);
        if known.is_empty() && is_whole {
            hull.into_iter().for_each(|hull| known.insert(hull));
        }
        let all = known.ranges().iter().copied().chain(asked).chain(hull).reduce(TimeRange::hull);
        let range = all.ok_or_else(|| Error::usage(format!("it has no samples of {name}")))?;
        let mut series = Series::new(mnemonic, range, samples);
        series.known = known;
        if let Some((unit, description)) = own.as_ref().or_else(|| self.told.get(name)) {
            series.about.unit.clone_from(unit);
            series.about.description.clone_from(description);
        }
        Ok(series)
    }
}

impl Gathered {
    /// In a table with a column for each, a null says that there was no sample.
    fn without_nulls(self) -> Self {
        if self.nulls.is_empty() {
            return self;
        }
        let rows: Vec<usize> = (0..self.times.len()).filter(|row| !self.nulls.contains(*row)).collect();
        let times = rows.iter().map(|row| self.times[*row]).collect();
        let values = match self.values {
            Values::Real(values) => Values::real(rows.iter().map(|row| values.0[*row]).collect()),
            Values::Integer(values) => Values::Integer(rows.iter().map(|row| values[*row]).collect()),
            Values::Text(values) => Values::Text(texts(&values, &rows)),
        };
        Self { times, values, nulls: Nulls::none(), told: self.told }
    }
}

fn texts(column: &TextColumn, rows: &[usize]) -> TextColumn {
    let mut texts = TextColumn::default();
    rows.iter().for_each(|row| texts.push(column.word(*row)));
    texts
}

/// Some rows of a column.
fn taken((name, column, nulls): &Column, rows: &[usize]) -> Column {
    let column = match column {
        OwnedColumn::Time(values) => OwnedColumn::Time(rows.iter().map(|row| values[*row]).collect()),
        OwnedColumn::Integer(values) => OwnedColumn::Integer(rows.iter().map(|row| values[*row]).collect()),
        OwnedColumn::Real(values) => OwnedColumn::Real(rows.iter().map(|row| values[*row]).collect()),
        OwnedColumn::Text(values) => OwnedColumn::Text(texts(values, rows)),
    };
    let mut own = Nulls::none();
    rows.iter().enumerate().filter(|(_, row)| nulls.contains(**row)).for_each(|(at, _)| own.push(at));
    (name.clone(), column, own)
}

fn values((_, column, nulls): Column) -> Option<(Values, Nulls)> {
    let values = match column {
        OwnedColumn::Time(_) => return None,
        OwnedColumn::Real(values) => Values::real(values),
        OwnedColumn::Integer(values) => Values::Integer(values),
        OwnedColumn::Text(values) => Values::Text(values),
    };
    Some((values, nulls))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_quotes_line_ends_and_empty_fields() {
        let text = "a,b\r\n\"x,\"\"y\"\"\nz\",\n,\"\"\n1,2";
        let found: Vec<(usize, Vec<(String, bool)>)> = Records { rest: text, line: 1 }.collect();
        let record = |fields: &[(&str, bool)]| {
            fields.iter().map(|(text, quoted)| ((*text).to_owned(), *quoted)).collect::<Vec<_>>()
        };
        assert_eq!(
            found,
            [
                (1, record(&[("a", false), ("b", false)])),
                (2, record(&[("x,\"y\"\nz", true), ("", false)])),
                (4, record(&[("", false), ("", true)])),
                (5, record(&[("1", false), ("2", false)])),
            ]
        );
    }

    #[test]
    fn tables_of_others_are_read_by_their_columns() {
        let read = |text: &str| read_series(text.as_bytes().to_vec());
        let wide = read("time,SA_A,mode\n2024-03-01T00:00:00Z,1.5,ON\n2024-03-01 00:00:01,,OFF\n2024-03-01T00:00:02Z,2,\n").unwrap();
        let [a, mode] = wide.as_slice() else { panic!("two series") };
        assert_eq!(
            (a.mnemonic().as_str(), a.samples.len(), a.samples.values()),
            ("SA_A", 2, &Values::real(vec![1.5, 2.0]))
        );
        assert_eq!(a.range.to_string(), "2024-03-01T00:00:00Z/2024-03-01T00:00:02.000001Z");
        assert_eq!((mode.mnemonic().as_str(), mode.samples.len()), ("MODE", 2));
        let bins = read(
            "# mnemonic: A [V]: a voltage\ntime,mnemonic,count,mean\n2024-03-01,A,3,0.5\n2024-03-02,A,4,\n",
        )
        .unwrap();
        let names: Vec<_> = bins
            .iter()
            .map(|one| (one.mnemonic().to_string(), one.samples.len(), one.about.unit.as_str()))
            .collect();
        assert_eq!(names, [("A_COUNT".to_owned(), 2, ""), ("A_MEAN".to_owned(), 1, "V")]);
        let long = "# proven: A@2024-03-01/2024-03-02\ntime,mnemonic,value,integer,text\n2024-03-01T01:00,A,28,,\n2024-03-01T02:00,B,,,007\n";
        let long = read(long).unwrap();
        assert_eq!(
            (long[0].samples.values(), long[0].known.micros()),
            (&Values::real(vec![28.0]), 86_400_000_000)
        );
        assert!(matches!(long[1].samples.values(), Values::Text(texts) if texts.word(0).as_ref() == "007"));
        let part = read(
            "# proven: A@2024-03-01/2024-03-02\n# where: B > 1\ntime,mnemonic,value\n2024-03-01T01:00,A,28\n",
        )
        .unwrap();
        assert!(part[0].known.is_empty(), "who knows what the condition left out");
        for (text, expected) in [
            ("time,a\n-7d,1\n", "could not read `-7d` as a time"),
            ("", "no line with the names"),
            ("a,b\n1,2\n", "no column `time`"),
            ("time,a\n2024-03-01\n", "line 2: expected 2 fields, found 1"),
            ("time,a\nyesterday,1\n", "row 1, column `time`"),
            ("theTime,MJD,euvalue,sqldataType\n", "a file of the service"),
            ("time,a b\n2024-03-01,1\n", "`a b` as a mnemonic"),
        ] {
            let error = read(text).unwrap_err().chain();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
