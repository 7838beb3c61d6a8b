//! The series of one mnemonic, and what its rows mean together with the brackets around them.

use std::ops::Range;
use std::sync::Arc;

use edb_core::{
    Instant, Learned, Mnemonic, Notice, NoticeKind, Sample, Sampling, Series, TimeRange, Value, ValueKind,
    Values, format_duration,
};
use edb_series::align::{self as kernel, CellsMut, Numbers};
use edb_series::gaps;
use edb_series::held::{self, Hold};

use crate::align::{Limit, Method};
use crate::intervals::Borders;

/// The row of the bracket before the samples, and of the one after, in numberings that have them.
const LEADING: u32 = u32::MAX - 2;
const TRAILING: u32 = u32::MAX - 1;

/// The series of each mnemonic, in order of first appearance; those of one in order of time.
pub(crate) fn by_mnemonic(series: &[Series]) -> Vec<Vec<&Series>> {
    let mut groups: Vec<Vec<&Series>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for one in series {
        let place = *places.entry(one.mnemonic()).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[place].push(one);
    }
    groups.iter_mut().for_each(|group| group.sort_by_key(|one| one.range));
    groups
}

/// How the mnemonic is sampled: as stated, or else as its samples say, which is told in a notice.
///
/// It is change-only if no sample repeats the one before and the steps have no cadence: at least ten samples, the longest
/// step at least ten times the median one, and real values are few, since noise does not repeat either.
pub fn sampling(parts: &[&Series]) -> (Sampling, Option<Notice>) {
    if let Some(learned) = parts.iter().find_map(|part| part.learned.as_ref()) {
        let notice =
            |text: &Arc<str>| Notice::about(NoticeKind::Inferred, parts[0].mnemonic(), text.to_string());
        return (learned.sampling, learned.evidence.as_ref().map(notice));
    }
    let stated = parts[0].sampling();
    let samples: usize = parts.iter().map(|part| part.samples.len()).sum();
    if stated != Sampling::Unknown || samples < 10 {
        return (stated, None);
    }
    let mut steps = Vec::new();
    for part in parts {
        let rows = 1..part.samples.len();
        if rows.clone().any(|row| same_value(part, row - 1, row))
            || gaps::regular_gaps(part.samples.times()).is_some()
        {
            return (Sampling::Unknown, None);
        }
        steps.extend(rows.map(|row| part.samples.times()[row] - part.samples.times()[row - 1]));
    }
    if steps.is_empty() {
        return (stated, None);
    }
    steps.sort_unstable();
    let (median, longest) = (steps[steps.len() / 2], steps[steps.len() - 1]);
    if longest < median.saturating_mul(10) || is_noise(parts, samples) {
        return (Sampling::Unknown, None);
    }
    let step = |micros: i64| format_duration(std::time::Duration::from_micros(micros as u64));
    let text = format!(
        "is taken to be change-only: none of {samples} samples repeats the one before, and steps go from {} to {} \
         (median {}); `--change-only` says so for certain",
        step(steps[0]),
        step(longest),
        step(median)
    );
    (Sampling::ChangeOnly, Some(Notice::about(NoticeKind::Inferred, parts[0].mnemonic(), text)))
}

/// Whether most of the values are there once.
fn is_noise(parts: &[&Series], samples: usize) -> bool {
    let mut bits = Vec::new();
    for part in parts {
        let Values::Real(values) = part.samples.values() else { return false };
        bits.extend(values.0.iter().map(|value| value.to_bits()));
    }
    bits.sort_unstable();
    bits.dedup();
    bits.len() * 2 > samples
}

/// Whether two rows have the same value: equal numbers (NaN equals itself), equal texts, both null.
pub(crate) fn same_value(part: &Series, a: usize, b: usize) -> bool {
    let nulls = part.samples.nulls();
    if nulls.contains(a) || nulls.contains(b) {
        return nulls.contains(a) && nulls.contains(b);
    }
    match part.samples.values() {
        Values::Real(values) => same_real(values.0[a], values.0[b]),
        Values::Integer(values) => values[a] == values[b],
        Values::Text(column) => column.codes()[a] == column.codes()[b] || column.word(a) == column.word(b),
    }
}

/// Whether two numbers are the same value.
#[expect(clippy::float_cmp, reason = "a value stands as long as it is the same to the last bit")]
pub(crate) fn same_real(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan()
}

/// The kind of value that all parts have; parts without samples have none.
pub(crate) fn kind_of(parts: &[&Series]) -> edb_core::Result<ValueKind> {
    if let Some(pair) = parts.windows(2).find(|pair| pair[0].range.stop() > pair[1].range.start()) {
        let (one, other) = (pair[0].range, pair[1].range);
        let message =
            format!("could not use two series of {}: {one} and {other} overlap", pair[0].mnemonic());
        return Err(edb_core::Error::usage(message).with_hint("cut one of them, or ask for their hull"));
    }
    let mut kinds: Vec<ValueKind> = parts
        .iter()
        .filter(|part| !part.samples.is_empty())
        .map(|part| part.samples.values().kind())
        .collect();
    kinds.dedup();
    match kinds.as_slice() {
        [] => {
            let brackets = parts.iter().flat_map(|part| part.leading.iter().chain(&part.trailing));
            let kind = |sample: &Sample| match sample.value {
                Value::Integer(_) => Some(ValueKind::Integer),
                Value::Text(_) => Some(ValueKind::Text),
                Value::Real(_) => Some(ValueKind::Real),
                Value::Null => None,
            };
            let stated = || parts[0].about.sql_type.as_ref().map(edb_core::SqlType::kind);
            let of_samples = || parts[0].samples.values().kind();
            Ok(brackets.into_iter().find_map(kind).or_else(stated).unwrap_or_else(of_samples))
        }
        [kind] => Ok(*kind),
        _ => Err(edb_core::Error::usage(format!(
            "could not put {} into one column: its ranges have values of different kinds ({kinds:?})",
            parts[0].mnemonic()
        ))
        .with_hint("export the ranges separately, or as a long table")),
    }
}

/// A limit in microseconds. A learned one is one and a half cadences of the samples themselves
/// ([`gaps::gap_limit_us`]); what has no cadence stands until its next sample, and a notice says so.
pub(crate) fn limit_us(limit: Limit, parts: &[&Series], notices: &mut Vec<Notice>) -> i64 {
    match limit {
        Limit::At(duration) => i64::try_from(duration.as_micros()).unwrap_or(i64::MAX),
        Limit::Unlimited => kernel::UNLIMITED,
        Limit::Learned => {
            if let Some(cadence) = cadence_us(parts) {
                return gaps::gap_limit_us(cadence);
            }
            let samples: usize = parts.iter().map(|part| part.samples.len()).sum();
            let text = format!(
                "no cadence can be learned from its {samples} samples: a value stands until the next one comes"
            );
            let notice = Notice::about(NoticeKind::Inferred, parts[0].mnemonic(), text);
            if !notices.contains(&notice) {
                notices.push(notice);
            }
            kernel::UNLIMITED
        }
    }
}

/// The cadence of a mnemonic: as it was learned before, or from its longest part.
pub(crate) fn cadence_us(parts: &[&Series]) -> Option<i64> {
    if let Some(learned) = parts.iter().find_map(|part| part.learned.as_ref()) {
        return learned.cadence_us;
    }
    let longest = parts.iter().map(|part| part.samples.times()).max_by_key(|times| times.len());
    longest.and_then(gaps::regular_gaps).map(|(cadence, _)| cadence)
}

/// What all parts say together.
pub(crate) fn learned(parts: &[&Series]) -> Learned {
    let (sampling, notice) = sampling(parts);
    Learned { sampling, evidence: notice.map(|notice| notice.text.into()), cadence_us: cadence_us(parts) }
}

/// Whether a series only keeps the place of a mnemonic of which a filter left nothing.
pub(crate) fn is_left_out(part: &Series) -> bool {
    part.learned.is_some() && part.samples.is_empty() && part.known.is_empty()
}

/// As [`limit_us`], but no limit binds what is stated to be change-only, or taken to be.
pub(crate) fn hold_limit_us(limit: Limit, parts: &[&Series], notices: &mut Vec<Notice>) -> i64 {
    let (sampling, inferred) = sampling(parts);
    notices.extend(inferred.filter(|notice| !notices.contains(notice)));
    limit_us(if sampling == Sampling::ChangeOnly { Limit::Unlimited } else { limit }, parts, notices)
}

/// What fills cells at targets within a limit: [`kernel::hold_values`] or [`kernel::linear`].
pub(crate) type Kernel = fn(Numbers<'_>, &[i64], i64, CellsMut<'_>);

/// Times and numbers of a few rows, and targets for which one of them may stand.
type Outer<'t> = (Vec<(i64, u32)>, &'t [i64]);

/// One stretch of a series in which every sample is known, with the brackets that reach into it. Its rows are numbered as in
/// the samples of the series; the brackets have numbers of their own.
pub(crate) struct Stretch<'a> {
    part: &'a Series,
    range: TimeRange,
    rows: Range<usize>,
    leading: Option<&'a Sample>,
    trailing: Option<&'a Sample>,
}

/// The stretches of a series, ascending.
pub(crate) fn stretches(part: &Series) -> impl Iterator<Item = Stretch<'_>> {
    part.known.ranges().iter().map(|&range| Stretch {
        part,
        range,
        rows: part.samples.rows_in(range),
        // Beyond an end that is not an end of the range nothing is known, so no bracket reaches across it.
        leading: part.leading.as_ref().filter(|_| range.start() == part.range.start()),
        trailing: part.trailing.as_ref().filter(|_| range.stop() == part.range.stop()),
    })
}

impl<'a> Stretch<'a> {
    /// Where every sample is known.
    pub(crate) fn range(&self) -> TimeRange {
        self.range
    }

    fn times(&self) -> &'a [i64] {
        &self.part.samples.times()[self.rows.clone()]
    }

    /// The ascending `targets` before, among and after the samples, and for the outer ones the two or fewer rows that can stand
    /// for them: brackets are so few that the samples need not be copied to stand beside them.
    fn split<'t>(&self, targets: &'t [i64]) -> [Outer<'t>; 2] {
        let times = self.times();
        let row = |at: usize| (times[at], (self.rows.start + at) as u32);
        let leading = self.leading.map(|sample| (sample.time.as_micros(), LEADING));
        let trailing = self.trailing.map(|sample| (sample.time.as_micros(), TRAILING));
        let Some((&first, &last)) = times.first().zip(times.last()) else {
            return [(leading.into_iter().chain(trailing).collect(), targets), (Vec::new(), &[])];
        };
        let before = targets.partition_point(|target| *target < first);
        let inside = targets.partition_point(|target| *target <= last);
        let twins = times.iter().take_while(|time| **time == first).count();
        // A line goes to the first of equal times, and the last of them stands for all.
        let twin = (twins > 1).then(|| row(twins - 1));
        let head = leading.into_iter().chain([row(0)]).chain(twin).collect();
        let tail = std::iter::once(row(times.len() - 1)).chain(trailing).collect();
        [(head, &targets[..before]), (tail, &targets[inside..])]
    }

    /// For each target, all of which lie in the stretch, the row that stands for it, or [`kernel::NONE`].
    pub(crate) fn picks(&self, method: Method, targets: &[i64], limit_us: i64) -> Vec<u32> {
        let pick = |times: &[i64], targets: &[i64]| match method {
            Method::Nearest => kernel::nearest(times, targets, limit_us),
            Method::Exact => kernel::exact(times, targets),
            Method::Hold | Method::Linear => kernel::hold(times, targets, limit_us),
        };
        let outer = |(rows, targets): &Outer<'_>| -> Vec<u32> {
            let times: Vec<i64> = rows.iter().map(|row| row.0).collect();
            let name = |pick: u32| rows.get(pick as usize).map_or(kernel::NONE, |row| row.1);
            pick(&times, targets).into_iter().map(name).collect()
        };
        let [head, tail] = self.split(targets);
        let among = &targets[head.1.len()..targets.len() - tail.1.len()];
        let mut picks = pick(self.times(), among);
        if self.rows.start > 0 {
            let first = self.rows.start as u32;
            picks.iter_mut().filter(|pick| **pick != kernel::NONE).for_each(|pick| *pick += first);
        }
        if !head.1.is_empty() {
            picks.splice(0..0, outer(&head));
        }
        picks.extend(outer(&tail));
        picks
    }

    /// For each target, all of which lie in the stretch, the value that `kernel` finds.
    pub(crate) fn fill(
        &self,
        kernel: Kernel,
        values: &Reals<'_>,
        targets: &[i64],
        limit_us: i64,
        mut cells: CellsMut<'_>,
    ) {
        let [head, tail] = self.split(targets);
        let among = head.1.len()..targets.len() - tail.1.len();
        let missing = values.missing_in(self.rows.clone());
        let inside =
            Numbers { times: self.times(), values: &values.values[self.rows.clone()], missing: &missing };
        kernel(inside, &targets[among.clone()], limit_us, cells.part(among.clone()));
        for ((rows, targets), place) in [(head, 0..among.start), (tail, among.end..targets.len())] {
            let times: Vec<i64> = rows.iter().map(|row| row.0).collect();
            let known: Vec<Option<f64>> = rows.iter().map(|row| values.get(row.1)).collect();
            let missing: Vec<usize> = (0..known.len()).filter(|row| known[*row].is_none()).collect();
            let known: Vec<f64> = known.into_iter().map(Option::unwrap_or_default).collect();
            let outside = Numbers { times: &times, values: &known, missing: &missing };
            kernel(outside, targets, limit_us, cells.part(place));
        }
    }

    /// The spans over which the rows held, the bracket before them included, each at most `limit_us` after its time.
    pub(crate) fn holds(&self, limit_us: i64) -> Vec<Hold> {
        let range = self.range.start().as_micros()..self.range.stop().as_micros();
        let first = self.times().first().copied().unwrap_or(i64::MAX);
        let into = self.leading.map(|sample| Hold {
            row: LEADING as usize,
            start_us: range.start,
            stop_us: first.min(range.end).min(sample.time.as_micros().saturating_add(limit_us)),
        });
        let mut holds = held::holds(self.times(), range, limit_us);
        holds.iter_mut().for_each(|hold| hold.row += self.rows.start);
        holds.splice(0..0, into.filter(|hold| hold.start_us < hold.stop_us));
        holds
    }

    /// The spans in which the rows stand.
    pub(crate) fn spans(&self, borders: Borders, limit_us: i64) -> Vec<Hold> {
        match borders {
            Borders::Hold => self.holds(limit_us),
            Borders::Midpoint => self.midpoints(limit_us),
        }
    }

    /// The times of the rows, between those of the brackets, or else the borders of the stretch.
    pub(crate) fn times_between(&self) -> Vec<i64> {
        let at = |bracket: Option<&Sample>, border: Instant| bracket.map_or(border, |sample| sample.time);
        let (start, stop) = (at(self.leading, self.range.start()), at(self.trailing, self.range.stop()));
        let times = self.times().iter().copied();
        std::iter::once(start.as_micros()).chain(times).chain([stop.as_micros()]).collect()
    }

    /// The spans that reach halfway to the neighbours.
    fn midpoints(&self, max_gap_us: i64) -> Vec<Hold> {
        let range = self.range.start().as_micros()..self.range.stop().as_micros();
        let leading = self.leading.map(|sample| sample.time.as_micros());
        let trailing = self.trailing.map(|sample| sample.time.as_micros());
        let times: Vec<i64> =
            leading.into_iter().chain(self.times().iter().copied()).chain(trailing).collect();
        let before = usize::from(leading.is_some());
        let mut holds = edb_series::intervals::midpoints(&times, range, max_gap_us);
        for hold in &mut holds {
            hold.row = match hold.row.checked_sub(before) {
                None => LEADING as usize,
                Some(row) if row < self.rows.len() => self.rows.start + row,
                Some(_) => TRAILING as usize,
            };
        }
        holds
    }
}

/// The value of a row of a series, brackets included; null is none.
pub(crate) fn value_at(part: &Series, row: u32) -> Option<Value> {
    let value = match row {
        LEADING => part.leading.as_ref()?.value.clone(),
        TRAILING => part.trailing.as_ref()?.value.clone(),
        row => part.samples.sample(row as usize).value,
    };
    (value != Value::Null).then_some(value)
}

/// The time of a row of a series, brackets included.
pub(crate) fn time_at(part: &Series, row: u32) -> Option<i64> {
    match row {
        kernel::NONE => None,
        LEADING => part.leading.as_ref().map(|sample| sample.time.as_micros()),
        TRAILING => part.trailing.as_ref().map(|sample| sample.time.as_micros()),
        row => Some(part.samples.times()[row as usize]),
    }
}

/// The text of a row of a series, without a copy for samples.
pub(crate) fn text_at(part: &Series, row: u32) -> Option<Arc<str>> {
    match (row, part.samples.values()) {
        (LEADING | TRAILING, _) => match value_at(part, row)? {
            Value::Text(text) => Some(text),
            _ => None,
        },
        (row, Values::Text(column)) => {
            Some(column.word(row as usize)).filter(|_| !part.samples.nulls().contains(row as usize)).cloned()
        }
        _ => None,
    }
}

/// The values of a series as real numbers.
pub(crate) struct Reals<'a> {
    /// One for each row; arbitrary where there is none.
    pub(crate) values: std::borrow::Cow<'a, [f64]>,
    /// The rows that have none, ascending: nulls, texts, and integers that a double does not hold.
    missing: std::borrow::Cow<'a, [usize]>,
    leading: Option<f64>,
    trailing: Option<f64>,
}

impl<'a> Reals<'a> {
    pub(crate) fn of(part: &'a Series) -> Self {
        let bracket = |sample: &Option<Sample>| sample.as_ref().and_then(|sample| as_real(&sample.value));
        let nulls = part.samples.nulls().positions();
        let (values, missing) = match part.samples.values() {
            Values::Real(values) => (values.0.as_slice().into(), nulls.into()),
            Values::Integer(integers)
                if nulls.is_empty() && integers.iter().all(|value| is_exact(*value)) =>
            {
                (integers.iter().map(|value| *value as f64).collect(), nulls.into())
            }
            Values::Integer(integers) => {
                let is_missing = |row: &usize| nulls.binary_search(row).is_ok() || !is_exact(integers[*row]);
                let values = integers.iter().map(|value| *value as f64).collect();
                (values, (0..integers.len()).filter(is_missing).collect())
            }
            Values::Text(column) => {
                let rows = column.codes().len();
                (vec![f64::NAN; rows].into(), (0..rows).collect())
            }
        };
        Self { values, missing, leading: bracket(&part.leading), trailing: bracket(&part.trailing) }
    }

    pub(crate) fn has_missing(&self) -> bool {
        !self.missing.is_empty()
    }

    pub(crate) fn is_missing(&self, row: usize) -> bool {
        !self.missing.is_empty() && self.missing.binary_search(&row).is_ok()
    }

    /// The rows of `rows` that have no value, counted from the first of them.
    fn missing_in(&self, rows: Range<usize>) -> Vec<usize> {
        let inside = self.missing.partition_point(|row| *row < rows.start);
        let missing = self.missing[inside..].iter().take_while(|row| **row < rows.end);
        missing.map(|row| row - rows.start).collect()
    }

    /// The value of a row, brackets included.
    pub(crate) fn get(&self, row: u32) -> Option<f64> {
        match row {
            kernel::NONE => None,
            LEADING => self.leading,
            TRAILING => self.trailing,
            row => Some(self.values[row as usize]).filter(|_| !self.is_missing(row as usize)),
        }
    }
}

impl Reals<'_> {
    /// As [`get`](Self::get), but integers beyond 2^53 are the nearest double: good enough to compare with.
    pub(crate) fn nearest(&self, part: &Series, row: u32) -> Option<f64> {
        self.get(row).or_else(|| match value_at(part, row)? {
            Value::Integer(value) => Some(value as f64),
            _ => None,
        })
    }
}

/// How many integers of a series a double does not hold.
pub(crate) fn inexact(part: &Series) -> usize {
    match part.samples.values() {
        Values::Integer(integers) => {
            let is_missing =
                |(row, value): &(usize, &i64)| !is_exact(**value) && !part.samples.nulls().contains(*row);
            integers.iter().enumerate().filter(is_missing).count()
        }
        _ => 0,
    }
}

/// Whether a double holds the integer.
pub(crate) fn is_exact(value: i64) -> bool {
    value.unsigned_abs() <= 1 << 53
}

/// The number, if it is one that `f64` holds exactly.
pub(crate) fn as_real(value: &Value) -> Option<f64> {
    match value {
        Value::Real(value) => Some(*value),
        Value::Integer(value) if is_exact(*value) => Some(*value as f64),
        _ => None,
    }
}

/// The mnemonics, each once, in order of first appearance.
pub(crate) fn names(groups: &[Vec<&Series>]) -> Vec<Mnemonic> {
    groups.iter().map(|group| group[0].mnemonic().clone()).collect()
}
