//! Samples as plain columns.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::{Error, Instant, Result, Sample, SqlType, TimeRange, Value, ValueKind};

/// The samples of one mnemonic, as a structure of arrays.
///
/// # Invariants
/// - times ascend; equal times are legal and keep the service's order
/// - times and values have the same length; nulls point inside it
/// - the column of the values is the one of the SQL type ([`SqlType::kind`])
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    sql_type: SqlType,
    times: Vec<i64>,
    values: Values,
    nulls: Nulls,
}

/// The value column. At null positions it holds an arbitrary value.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Real numbers, compared bit by bit.
    Real(RealColumn),
    /// Integers.
    Integer(Vec<i64>),
    /// Dictionary-coded text.
    Text(TextColumn),
}

/// `f64` values whose equality is that of the bits, so that NaN equals itself and -0.0 is not 0.0.
#[derive(Debug, Clone, Default)]
pub struct RealColumn(pub Vec<f64>);

impl PartialEq for RealColumn {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a.to_bits() == b.to_bits())
    }
}

impl Values {
    /// An empty column of `kind`.
    pub fn empty(kind: ValueKind) -> Self {
        match kind {
            ValueKind::Real => Self::Real(RealColumn::default()),
            ValueKind::Integer => Self::Integer(Vec::new()),
            ValueKind::Text => Self::Text(TextColumn::default()),
        }
    }

    /// A column of real numbers.
    pub fn real(values: Vec<f64>) -> Self {
        Self::Real(RealColumn(values))
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Real(values) => values.0.len(),
            Self::Integer(values) => values.len(),
            Self::Text(column) => column.codes.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which column this is.
    pub fn kind(&self) -> ValueKind {
        match self {
            Self::Real(_) => ValueKind::Real,
            Self::Integer(_) => ValueKind::Integer,
            Self::Text(_) => ValueKind::Text,
        }
    }

    fn value(&self, at: usize) -> Value {
        match self {
            Self::Real(values) => Value::Real(values.0[at]),
            Self::Integer(values) => Value::Integer(values[at]),
            Self::Text(column) => Value::Text(Arc::clone(column.word(at))),
        }
    }

    fn gather(&self, order: &[usize]) -> Self {
        match self {
            Self::Real(values) => Self::real(order.iter().map(|&at| values.0[at]).collect()),
            Self::Integer(values) => Self::Integer(order.iter().map(|&at| values[at]).collect()),
            Self::Text(column) => Self::Text(TextColumn {
                codes: order.iter().map(|&at| column.codes[at]).collect(),
                words: column.words.clone(),
                index: HashMap::new(),
            }),
        }
    }

    fn slice(&self, rows: Range<usize>) -> Self {
        match self {
            Self::Real(values) => Self::real(values.0[rows].to_vec()),
            Self::Integer(values) => Self::Integer(values[rows].to_vec()),
            Self::Text(column) => {
                let mut out = TextColumn::default();
                column.codes[rows].iter().for_each(|&code| out.push(&column.words[code as usize]));
                Self::Text(out)
            }
        }
    }

    fn append(&mut self, other: Self) -> Result<()> {
        match (self, other) {
            (Self::Real(all), Self::Real(more)) => all.0.extend(more.0),
            (Self::Integer(all), Self::Integer(more)) => all.extend(more),
            (Self::Text(all), Self::Text(more)) => all.append(&more),
            (all, more) => {
                return Err(Error::integrity(format!(
                    "could not join samples: expected {:?} values, found {:?} values",
                    all.kind(),
                    more.kind()
                )));
            }
        }
        Ok(())
    }
}

/// Text values, each distinct text stored once.
#[derive(Debug, Clone, Default)]
pub struct TextColumn {
    codes: Vec<u32>,
    words: Vec<Arc<str>>,
    /// From word to code; empty until the first push.
    index: HashMap<Arc<str>, u32>,
}

impl TextColumn {
    /// A column from codes into `words`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Integrity`] if a code points outside `words`.
    pub fn from_codes(codes: Vec<u32>, words: Vec<Arc<str>>) -> Result<Self> {
        let column = Self { codes, words, index: HashMap::new() };
        column.check_codes(&column.codes)?;
        Ok(column)
    }

    /// Adds one text.
    pub fn push(&mut self, text: &str) {
        let code = match self.codes.last() {
            Some(&code) if self.words[code as usize].as_ref() == text => code,
            _ => self.intern(text),
        };
        self.codes.push(code);
    }

    /// The code of `text`, which becomes a word if it is none, without adding a row.
    pub fn intern(&mut self, text: &str) -> u32 {
        if self.index.len() != self.words.len() {
            let words = self.words.iter().enumerate();
            self.index = words.map(|(code, word)| (Arc::clone(word), code as u32)).collect();
        }
        self.index.get(text).copied().unwrap_or_else(|| {
            let (word, code): (Arc<str>, _) = (text.into(), self.words.len() as u32);
            self.words.push(Arc::clone(&word));
            self.index.insert(word, code);
            code
        })
    }

    /// Adds rows by their codes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Integrity`] if a code points outside the words; nothing is added then.
    pub fn push_codes(&mut self, codes: &[u32]) -> Result<()> {
        self.check_codes(codes)?;
        self.codes.extend_from_slice(codes);
        Ok(())
    }

    fn check_codes(&self, codes: &[u32]) -> Result<()> {
        match codes.iter().find(|code| **code as usize >= self.words.len()) {
            None => Ok(()),
            Some(code) => Err(Error::integrity(format!(
                "text code {code} points outside its dictionary of {} words",
                self.words.len()
            ))),
        }
    }

    /// Makes room for `rows` more.
    pub fn reserve(&mut self, rows: usize) {
        self.codes.reserve_exact(rows);
    }

    /// Of the rows from `from` on keeps those in `kept`, counted from there.
    ///
    /// # Panics
    /// If these are not all rows.
    pub fn keep(&mut self, from: usize, kept: &Range<usize>) {
        keep(&mut self.codes, from, kept);
    }

    /// The text of row `at`.
    ///
    /// # Panics
    /// If `at` is not a row.
    pub fn word(&self, at: usize) -> &Arc<str> {
        &self.words[self.codes[at] as usize]
    }

    /// One code per row, into [`words`](Self::words).
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The distinct texts in order of first appearance; some may be unused.
    pub fn words(&self) -> &[Arc<str>] {
        &self.words
    }

    fn append(&mut self, other: &Self) {
        self.codes.reserve(other.codes.len());
        (0..other.codes.len()).for_each(|at| self.push(other.word(at)));
    }
}

impl PartialEq for TextColumn {
    fn eq(&self, other: &Self) -> bool {
        self.codes.len() == other.codes.len()
            && (0..self.codes.len()).all(|at| self.word(at) == other.word(at))
    }
}

/// The positions of missing values, ascending. Nearly always empty, so nothing is spent on the values that are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nulls(Vec<usize>);

impl Nulls {
    /// No nulls.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Marks row `at`, which must be after every row marked so far.
    pub fn push(&mut self, at: usize) {
        debug_assert!(self.0.last().is_none_or(|last| *last < at), "nulls ascend");
        self.0.push(at);
    }

    /// The positions, ascending.
    pub fn positions(&self) -> &[usize] {
        &self.0
    }

    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether row `at` is missing.
    pub fn contains(&self, at: usize) -> bool {
        !self.0.is_empty() && self.0.binary_search(&at).is_ok()
    }

    fn slice(&self, rows: Range<usize>) -> Self {
        let inside =
            self.0.partition_point(|at| *at < rows.start)..self.0.partition_point(|at| *at < rows.end);
        Self(self.0[inside].iter().map(|at| at - rows.start).collect())
    }
}

/// Of the rows from `from` on keeps those in `kept`, counted from there, without room for a second column.
///
/// # Panics
/// If these are not all rows.
pub fn keep<T>(column: &mut Vec<T>, from: usize, kept: &Range<usize>) {
    column.truncate(from + kept.end);
    column.drain(from..from + kept.start);
}

impl Samples {
    /// No samples, of `sql_type`.
    pub fn empty(sql_type: SqlType) -> Self {
        let values = Values::empty(sql_type.kind());
        Self { sql_type, times: Vec::new(), values, nulls: Nulls::none() }
    }

    /// Samples from columns: `times` in microseconds since 1970 UTC, one value each. Rows out of order of time are
    /// sorted, equal times in the order they came; the second result is how many rows came before their predecessor.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Integrity`] if the lengths differ, a null points outside, or the column is not the type's.
    pub fn from_columns(
        sql_type: SqlType,
        times: Vec<i64>,
        values: Values,
        nulls: Nulls,
    ) -> Result<(Self, usize)> {
        let rows = times.len();
        if values.len() != rows || nulls.0.last().is_some_and(|last| *last >= rows) {
            return Err(Error::integrity(format!(
                "could not form samples: expected {rows} values for {rows} times, found {}",
                values.len()
            )));
        }
        if values.kind() != sql_type.kind() {
            return Err(Error::integrity(format!(
                "could not form samples: expected {:?} values for `{sql_type}`, found {:?} values",
                sql_type.kind(),
                values.kind()
            )));
        }
        let misplaced = times.windows(2).filter(|pair| pair[1] < pair[0]).count();
        let samples = Self { sql_type, times, values, nulls };
        if misplaced == 0 {
            return Ok((samples, 0));
        }
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by_key(|&at| samples.times[at]);
        let nulls = order.iter().enumerate().filter(|(_, at)| samples.nulls.contains(**at)).map(|(to, _)| to);
        let sorted = Self {
            times: order.iter().map(|&at| samples.times[at]).collect(),
            values: samples.values.gather(&order),
            nulls: Nulls(nulls.collect()),
            sql_type: samples.sql_type,
        };
        Ok((sorted, misplaced))
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The service's type.
    pub fn sql_type(&self) -> &SqlType {
        &self.sql_type
    }

    /// Times in microseconds since 1970-01-01T00:00:00 UTC, ascending.
    pub fn times(&self) -> &[i64] {
        &self.times
    }

    /// The values.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Which rows have no value.
    pub fn nulls(&self) -> &Nulls {
        &self.nulls
    }

    /// The columns, for consumers that take them without a copy.
    pub fn into_columns(self) -> (SqlType, Vec<i64>, Values, Nulls) {
        (self.sql_type, self.times, self.values, self.nulls)
    }

    /// The time of row `at`.
    ///
    /// # Panics
    /// If `at` is not a row.
    pub fn time(&self, at: usize) -> Instant {
        Instant::from_micros(self.times[at])
    }

    /// Row `at`.
    ///
    /// # Panics
    /// If `at` is not a row.
    pub fn sample(&self, at: usize) -> Sample {
        let value = if self.nulls.contains(at) { Value::Null } else { self.values.value(at) };
        Sample { time: self.time(at), value }
    }

    /// All rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = Sample> {
        (0..self.len()).map(|at| self.sample(at))
    }

    /// The rows whose time lies in `range`.
    pub fn rows_in(&self, range: TimeRange) -> Range<usize> {
        let before = |limit: Instant| self.times.partition_point(|time| *time < limit.as_micros());
        before(range.start())..before(range.stop())
    }

    /// A copy of `rows`.
    ///
    /// # Panics
    /// If `rows` are not all rows.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        if rows == (0..self.len()) {
            return self.clone();
        }
        Self {
            sql_type: self.sql_type.clone(),
            times: self.times[rows.clone()].to_vec(),
            values: self.values.slice(rows.clone()),
            nulls: self.nulls.slice(rows),
        }
    }

    /// The samples in `range`, moved to the front of the room they have; costs nothing when that is all of them.
    #[must_use]
    pub fn cut(mut self, range: TimeRange) -> Self {
        let rows = self.rows_in(range);
        if rows != (0..self.len()) {
            keep(&mut self.times, 0, &rows);
            self.nulls = self.nulls.slice(rows.clone());
            match &mut self.values {
                Values::Real(values) => keep(&mut values.0, 0, &rows),
                Values::Integer(values) => keep(values, 0, &rows),
                Values::Text(column) => keep(&mut column.codes, 0, &rows),
            }
        }
        self
    }

    /// These samples with one before and one after them, as the service sends them.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Integrity`] if one of them lies on the wrong side, or has another kind of value.
    pub fn with_brackets(self, leading: Option<&Sample>, trailing: Option<&Sample>) -> Result<Self> {
        let one = |sample: &Sample| Self::from_sample(self.sql_type.clone(), sample);
        let mut rows = leading.map_or_else(|| Ok(Self::empty(self.sql_type.clone())), one)?;
        let last = trailing.map(one).transpose()?;
        rows.append(self)?;
        last.map_or(Ok(()), |last| rows.append(last))?;
        Ok(rows)
    }

    fn from_sample(sql_type: SqlType, sample: &Sample) -> Result<Self> {
        let mut nulls = Nulls::none();
        let values = match &sample.value {
            Value::Real(value) => Values::real(vec![*value]),
            Value::Integer(value) => Values::Integer(vec![*value]),
            Value::Text(text) => {
                let mut column = TextColumn::default();
                column.push(text);
                Values::Text(column)
            }
            Value::Null => {
                nulls.push(0);
                match sql_type.kind() {
                    ValueKind::Real => Values::real(vec![0.0]),
                    ValueKind::Integer => Values::Integer(vec![0]),
                    ValueKind::Text => Values::Text(TextColumn {
                        codes: vec![0],
                        words: vec!["".into()],
                        index: HashMap::new(),
                    }),
                }
            }
        };
        Self::from_columns(sql_type, vec![sample.time.as_micros()], values, nulls).map(|(samples, _)| samples)
    }

    /// Adds later samples of the same mnemonic. The wider SQL type is not guessed: a different column kind is an error,
    /// a different type of the same kind takes the newer word.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Integrity`] if `later` starts before the last sample here, or has another kind of value.
    pub fn append(&mut self, later: Self) -> Result<()> {
        if later.is_empty() {
            return Ok(());
        }
        if self.is_empty() {
            *self = later;
            return Ok(());
        }
        if self.times.last() > later.times.first() {
            return Err(Error::integrity(format!(
                "could not join samples: {} comes after {}",
                self.time(self.len() - 1),
                later.time(0)
            )));
        }
        let rows = self.len();
        self.values.append(later.values)?;
        self.times.extend(later.times);
        self.nulls.0.extend(later.nulls.0.iter().map(|at| at + rows));
        self.sql_type = later.sql_type;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &[&str]) -> Values {
        let mut column = TextColumn::default();
        words.iter().for_each(|word| column.push(word));
        Values::Text(column)
    }

    #[test]
    fn equal_times_keep_the_order_they_came_in() {
        let values = text(&["b", "a", "c", "d"]);
        let (samples, misplaced) =
            Samples::from_columns(SqlType::Varchar, vec![5, 1, 5, 5], values, Nulls(vec![3])).unwrap();
        assert_eq!(misplaced, 1);
        assert_eq!(samples.times(), [1, 5, 5, 5]);
        let words: Vec<_> = samples.iter().map(|sample| sample.value.to_string()).collect();
        assert_eq!(words, ["a", "b", "c", "null"]);
    }

    #[test]
    fn cut_then_append_is_identity() {
        let values = text(&["on", "off", "on", "on", "off"]);
        let (all, _) =
            Samples::from_columns(SqlType::Varchar, vec![1, 2, 2, 3, 9], values, Nulls(vec![1, 4])).unwrap();
        for at in 0..12 {
            let border = Instant::from_micros(at);
            let before = TimeRange::checked(Instant::from_micros(-1), border).unwrap();
            let after = TimeRange::checked(border, Instant::from_micros(99)).unwrap();
            let mut joined = all.clone().cut(before);
            joined.append(all.clone().cut(after)).unwrap();
            assert_eq!(joined, all, "cut at {at}");
        }
    }

    #[test]
    fn columns_that_do_not_fit_are_refused() {
        let real = || Values::real(vec![1.0]);
        assert!(Samples::from_columns(SqlType::Real, vec![1, 2], real(), Nulls::none()).is_err());
        assert!(Samples::from_columns(SqlType::Int, vec![1], real(), Nulls::none()).is_err());
        assert!(Samples::from_columns(SqlType::Real, vec![1], real(), Nulls(vec![1])).is_err());
        let (mut one, _) = Samples::from_columns(SqlType::Real, vec![5], real(), Nulls::none()).unwrap();
        assert!(one.append(one.clone()).is_ok(), "equal times may follow each other");
        let (early, _) = Samples::from_columns(SqlType::Real, vec![4], real(), Nulls::none()).unwrap();
        assert!(one.append(early).is_err());
    }
}
