//! The statistics of each bin of one mnemonic.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use edb_core::{Instant, Mnemonic, Notice, NoticeKind, Series, TimeRange, ValueKind, Values};
use edb_series::align::Cells;
use edb_series::bins::{self, Bin};
use edb_series::held::{self, Hold};
use edb_series::order;

use crate::parts::{self, Reals, stretches};
use crate::resample::{Bins, EmptyBins, ResampleOptions, Stamp};
use crate::statistic::Statistic;

/// More states than this are no states.
const MOST_STATES: usize = 64;

type Text = Option<Arc<str>>;

/// The bins of one mnemonic.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) mnemonic: Mnemonic,
    pub(crate) kind: ValueKind,
    pub(crate) unit: String,
    pub(crate) description: String,
    pub(crate) bins: Vec<(i64, i64)>,
    pub(crate) stamps: Vec<i64>,
    pub(crate) counts: Vec<u64>,
    pub(crate) columns: Vec<StatisticColumn>,
}

#[derive(Debug)]
pub(crate) enum StatisticColumn {
    /// Kept with the bins.
    Count,
    Reals(Cells),
    Texts(Vec<Text>),
    States(BTreeMap<Arc<str>, Cells>),
    /// The mnemonic has no such statistic.
    None,
}

/// Which statistics that weight by time a mnemonic has.
pub(crate) struct ByTime {
    pub(crate) moments: bool,
    pub(crate) fractions: bool,
}

impl ByTime {
    pub(crate) fn of(kind: ValueKind, options: &ResampleOptions) -> Self {
        let is_moment = |one: &Statistic| matches!(one, Statistic::TimeMean | Statistic::TimeStd);
        Self {
            moments: kind != ValueKind::Text && options.statistics.iter().any(is_moment),
            fractions: kind != ValueKind::Real && options.statistics.contains(&Statistic::Fraction),
        }
    }
}

/// All samples of a mnemonic: the rows of its parts one after another.
struct Rows<'a> {
    times: Cow<'a, [i64]>,
    /// NaN for what has no value; empty for texts.
    values: Cow<'a, [f64]>,
    /// Where each part begins.
    firsts: Vec<usize>,
}

impl<'a> Rows<'a> {
    fn of(parts: &[&'a Series], kind: ValueKind) -> Self {
        let firsts = parts.iter().scan(0, |rows, part| {
            let first = *rows;
            *rows += part.samples.len();
            Some(first)
        });
        let firsts = firsts.collect();
        let times: Vec<Cow<'a, [i64]>> = parts.iter().map(|part| part.samples.times().into()).collect();
        let values = |part: &&'a Series| -> Cow<'a, [f64]> {
            let mut reals = Reals::of(part);
            if reals.has_missing() {
                let missing: Vec<usize> =
                    (0..reals.values.len()).filter(|row| reals.is_missing(*row)).collect();
                let values = reals.values.to_mut();
                missing.into_iter().for_each(|row| values[row] = f64::NAN);
            }
            reals.values
        };
        let values = if kind == ValueKind::Text { Vec::new() } else { parts.iter().map(values).collect() };
        Self { times: joined(times), values: joined(values), firsts }
    }

    fn mean_time(&self, bin: &Bin) -> i64 {
        let centre = bin.start_us + (bin.stop_us - bin.start_us) / 2;
        let times = &self.times[bin.rows.clone()];
        let sum: i128 = times.iter().map(|time| i128::from(time - bin.start_us)).sum();
        if times.is_empty() { centre } else { bin.start_us + (sum / times.len() as i128) as i64 }
    }
}

/// One piece as it is, several as one.
fn joined<T: Clone>(mut pieces: Vec<Cow<'_, [T]>>) -> Cow<'_, [T]> {
    match pieces.len() {
        0 => Cow::Owned(Vec::new()),
        1 => pieces.remove(0),
        _ => Cow::Owned(pieces.concat()),
    }
}

/// A value that held over a span.
struct Held<T> {
    value: T,
    start_us: i64,
    stop_us: i64,
}

/// The values of all parts and the spans over which they held.
fn held<T>(parts: &[&Series], limit_us: i64, value: impl Fn(&Series, u32) -> Option<T>) -> Vec<Held<T>> {
    let mut all = Vec::new();
    for part in parts {
        for stretch in stretches(part) {
            let one = |hold: Hold| {
                let value = value(part, hold.row as u32)?;
                Some(Held { value, start_us: hold.start_us, stop_us: hold.stop_us })
            };
            // A null ends what held before it and holds nothing itself.
            all.extend(stretch.holds(limit_us).into_iter().filter_map(one));
        }
    }
    all
}

/// The values that held in ascending bins, with how long.
struct InBins<'a, T>(&'a [Held<T>]);

impl<'a, T> InBins<'a, T> {
    fn next(&mut self, bin: &Bin) -> impl Iterator<Item = (&'a T, i64)> + use<'a, T> {
        let past = self.0.iter().take_while(|hold| hold.stop_us <= bin.start_us).count();
        self.0 = &self.0[past..];
        let (start, stop) = (bin.start_us, bin.stop_us);
        let inside = self.0.iter().take_while(move |hold| hold.start_us < stop);
        inside.map(move |hold| (&hold.value, hold.stop_us.min(stop) - hold.start_us.max(start)))
    }
}

impl Summary {
    pub(crate) fn of(
        parts: &[&Series],
        kind: ValueKind,
        is_held: bool,
        options: &ResampleOptions,
        notices: &mut Vec<Notice>,
    ) -> Self {
        let rows = Rows::of(parts, kind);
        let by_time = ByTime::of(kind, options);
        let inexact: usize = parts.iter().map(|part| parts::inexact(part)).sum();
        if inexact > 0 {
            let text = format!(
                "{inexact} integers beyond 2^53, which a double does not hold, have no part in its statistics"
            );
            notices.push(Notice::about(NoticeKind::LeftOut, parts[0].mnemonic(), text));
        }
        let can_hold = is_held || by_time.moments || by_time.fractions;
        let keep_empty = can_hold || options.empty == EmptyBins::Null;
        let ranges: Vec<Range<i64>> =
            parts.iter().map(|part| part.range.start().as_micros()..part.range.stop().as_micros()).collect();
        let bins = match &options.bins {
            Bins::Grid(grid) => bins::bins(&rows.times, &ranges, *grid, keep_empty),
            Bins::Ranges(asked) if asked.iter().any(|one| one.mnemonic == *parts[0].mnemonic()) => {
                let own = asked.iter().filter(|one| one.mnemonic == *parts[0].mnemonic());
                let mut own: Vec<TimeRange> = own.map(|one| one.range).collect();
                own.sort_unstable();
                let row = |at: Instant| rows.times.partition_point(|time| *time < at.as_micros());
                let bin = |range: TimeRange| Bin {
                    start_us: range.start().as_micros(),
                    stop_us: range.stop().as_micros(),
                    rows: row(range.start())..row(range.stop()),
                };
                own.into_iter().map(bin).collect()
            }
            Bins::Series | Bins::Ranges(_) => {
                let bin = |(range, (part, first)): (&Range<i64>, (&&Series, &usize))| Bin {
                    start_us: range.start,
                    stop_us: range.end,
                    rows: *first..*first + part.samples.len(),
                };
                let all = ranges.iter().zip(parts.iter().zip(&rows.firsts));
                all.filter(|(_, (part, _))| !parts::is_left_out(part)).map(bin).collect()
            }
        };
        let mut summary = Self {
            mnemonic: parts[0].mnemonic().clone(),
            kind,
            unit: parts[0].about.unit.clone(),
            description: parts[0].about.description.clone(),
            stamps: bins.iter().map(|bin| stamp(bin, &rows, options.stamp)).collect(),
            columns: options.statistics.iter().map(|_| StatisticColumn::None).collect(),
            bins: bins.iter().map(|bin| (bin.start_us, bin.stop_us)).collect(),
            counts: Vec::with_capacity(bins.len()),
        };
        let mut has_held = vec![false; if can_hold { bins.len() } else { 0 }];
        match (kind, is_held) {
            (ValueKind::Text, _) => summary.texts(parts, &rows, &bins, options),
            (_, true) => summary.weighted(parts, &rows, &bins, options, &mut has_held),
            _ => summary.plain(&rows, &bins, options),
        }
        let limit_us = if by_time.moments || by_time.fractions {
            parts::hold_limit_us(options.max_gap, parts, notices)
        } else {
            0
        };
        if by_time.moments {
            summary.time_weighted(parts, &bins, options, &mut has_held, limit_us);
        }
        if by_time.fractions {
            summary.fractions(parts, &bins, options, &mut has_held, limit_us, notices);
        } else if options.statistics.contains(&Statistic::Fraction) {
            let text = "is real-valued: it has no states to tell the fractions of";
            notices.push(Notice::about(NoticeKind::LeftOut, &summary.mnemonic, text));
        }
        if options.empty == EmptyBins::Absent {
            let held = has_held.into_iter().chain(std::iter::repeat(false));
            let exists: Vec<bool> =
                summary.counts.iter().zip(held).map(|(count, held)| *count > 0 || held).collect();
            summary.keep(&exists);
        }
        summary
    }

    /// Samples that stand for themselves.
    fn plain(&mut self, rows: &Rows<'_>, bins: &[Bin], options: &ResampleOptions) {
        let mut finite = Vec::new();
        let (mut sorted, mut scratch) = (Vec::new(), order::Scratch::default());
        let needs = |test: fn(Statistic) -> bool| options.statistics.iter().any(|statistic| test(*statistic));
        let needs_spread = needs(|one| matches!(one, Statistic::Std | Statistic::StdSample));
        let needs_clip = needs(is_clipped);
        let needs_order = needs(|one| matches!(one, Statistic::Percentile(..)));
        let needs_median = needs(|one| one == Statistic::Median);
        let mut columns: Vec<Cells> =
            options.statistics.iter().map(|_| Cells::with_capacity(bins.len())).collect();
        for bin in bins {
            let (x, sums) = bins::finite(&rows.values[bin.rows.clone()], &mut finite);
            let count = x.len();
            self.counts.push(count as u64);
            if count == 0 || (count as u64) < options.min_count {
                columns.iter_mut().for_each(|column| column.push(None));
                continue;
            }
            let mean = sums.mean(count);
            let squares = if needs_spread { bins::squares_about(x, mean) } else { 0.0 };
            if needs_order || needs_median {
                sorted.clear();
                sorted.extend_from_slice(x);
            }
            if needs_order {
                order::sort(&mut sorted);
            }
            let clipped = if needs_clip { order::clip(x, options.clip, &mut scratch) } else { None };
            for (statistic, column) in options.statistics.iter().zip(&mut columns) {
                column.push(match *statistic {
                    Statistic::Mean => Some(mean),
                    Statistic::Min => Some(sums.min),
                    Statistic::Max => Some(sums.max),
                    Statistic::Range => Some(sums.max - sums.min),
                    Statistic::Std => Some((squares / count as f64).sqrt()),
                    Statistic::StdSample => (count > 1).then(|| (squares / (count - 1) as f64).sqrt()),
                    Statistic::Median if needs_order => Some(order::median_of_sorted(&sorted)),
                    Statistic::Median => Some(order::median(&mut sorted)),
                    Statistic::First => Some(x[0]),
                    Statistic::Last => Some(x[count - 1]),
                    Statistic::Sum => Some(sums.sum),
                    Statistic::Rms => Some((bins::squares_about(x, 0.0) / count as f64).sqrt()),
                    Statistic::Percentile(hundredths, method) => {
                        Some(order::percentile_of_sorted(&sorted, f64::from(hundredths) / 100.0, method))
                    }
                    Statistic::ClippedCount => clipped.map(|kept| kept.count as f64),
                    Statistic::ClippedMean => clipped.map(|kept| kept.mean),
                    Statistic::ClippedMedian => clipped.map(|kept| kept.median),
                    Statistic::ClippedStd => clipped.map(|kept| kept.std),
                    Statistic::Count | Statistic::TimeMean | Statistic::TimeStd | Statistic::Fraction => None,
                });
            }
        }
        self.set(options, columns);
    }

    /// Values that count for as long as they held.
    fn weighted(
        &mut self,
        parts: &[&Series],
        rows: &Rows<'_>,
        bins: &[Bin],
        options: &ResampleOptions,
        has_held: &mut [bool],
    ) {
        let holds =
            held(parts, i64::MAX, |part, row| parts::value_at(part, row).as_ref().and_then(parts::as_real));
        let mut walk = InBins(&holds);
        let mut finite = Vec::new();
        let mut columns: Vec<Cells> =
            options.statistics.iter().map(|_| Cells::with_capacity(bins.len())).collect();
        for (at, bin) in bins.iter().enumerate() {
            let mut inside: Vec<(f64, i64)> =
                walk.next(bin).map(|(value, micros)| (*value, micros)).collect();
            let found = held::weighted(&inside);
            has_held[at] = found.is_some();
            let (x, sums) = bins::finite(&rows.values[bin.rows.clone()], &mut finite);
            self.counts.push(x.len() as u64);
            let told = found.filter(|_| self.counts[at] >= options.min_count);
            inside.retain(|(value, micros)| value.is_finite() && *micros > 0);
            inside.sort_by(|a, b| a.0.total_cmp(&b.0));
            let clipped = if options.statistics.iter().copied().any(is_clipped) {
                held::clip(&inside, options.clip)
            } else {
                None
            };
            for (statistic, column) in options.statistics.iter().zip(&mut columns) {
                column.push(told.and_then(|told| match *statistic {
                    Statistic::Mean => Some(told.mean),
                    Statistic::Min => Some(told.min),
                    Statistic::Max => Some(told.max),
                    Statistic::Range => Some(told.max - told.min),
                    Statistic::Std => Some(told.std),
                    Statistic::Median => Some(held::percentile(&inside, 50.0)),
                    Statistic::First => Some(told.first),
                    Statistic::Last => Some(told.last),
                    Statistic::Rms => Some(told.mean_square.sqrt()),
                    Statistic::Percentile(hundredths, _) => {
                        Some(held::percentile(&inside, f64::from(hundredths) / 100.0))
                    }
                    Statistic::Sum => (!x.is_empty()).then_some(sums.sum),
                    Statistic::ClippedCount => clipped.map(|kept| kept.count as f64),
                    Statistic::ClippedMean => clipped.map(|kept| kept.mean),
                    Statistic::ClippedMedian => clipped.map(|kept| kept.median),
                    Statistic::ClippedStd => clipped.map(|kept| kept.std),
                    Statistic::Count
                    | Statistic::StdSample
                    | Statistic::TimeMean
                    | Statistic::TimeStd
                    | Statistic::Fraction => None,
                }));
            }
        }
        self.set(options, columns);
    }

    fn texts(&mut self, parts: &[&Series], rows: &Rows<'_>, bins: &[Bin], options: &ResampleOptions) {
        let text = |row: usize| {
            let part = rows.firsts.partition_point(|first| *first <= row) - 1;
            parts::text_at(parts[part], (row - rows.firsts[part]) as u32)
        };
        let nulls = |(part, first): (&&Series, &usize)| {
            part.samples.nulls().positions().iter().map(|at| at + first).collect::<Vec<_>>()
        };
        let nulls: Vec<usize> = parts.iter().zip(&rows.firsts).flat_map(nulls).collect();
        let without = |limit: usize| limit - nulls.partition_point(|at| *at < limit);
        let count = |bin: &Bin| (without(bin.rows.end) - without(bin.rows.start)) as u64;
        self.counts.extend(bins.iter().map(count));
        for (statistic, column) in options.statistics.iter().zip(&mut self.columns) {
            let pick = |(bin, count): (&Bin, &u64)| match statistic {
                _ if *count < options.min_count => None,
                Statistic::First => bin.rows.clone().find_map(text),
                _ => bin.rows.clone().rev().find_map(text),
            };
            if matches!(statistic, Statistic::First | Statistic::Last) {
                *column = StatisticColumn::Texts(bins.iter().zip(&self.counts).map(pick).collect());
            }
        }
    }

    /// Moments that are weighted by time whatever the sampling.
    fn time_weighted(
        &mut self,
        parts: &[&Series],
        bins: &[Bin],
        options: &ResampleOptions,
        has_held: &mut [bool],
        limit_us: i64,
    ) {
        let value = |part: &Series, row| parts::value_at(part, row).as_ref().and_then(parts::as_real);
        let holds = held(parts, limit_us, value);
        let mut walk = InBins(&holds);
        let (mut mean, mut std) = (Cells::with_capacity(bins.len()), Cells::with_capacity(bins.len()));
        for ((bin, count), has_held) in bins.iter().zip(&self.counts).zip(has_held) {
            let inside: Vec<(f64, i64)> = walk.next(bin).map(|(value, micros)| (*value, micros)).collect();
            let found = held::weighted(&inside);
            *has_held |= found.is_some();
            let told = found.filter(|_| *count >= options.min_count);
            mean.push(told.map(|told| told.mean));
            std.push(told.map(|told| told.std));
        }
        for (statistic, column) in options.statistics.iter().zip(&mut self.columns) {
            match statistic {
                Statistic::TimeMean => *column = StatisticColumn::Reals(mean.clone()),
                Statistic::TimeStd => *column = StatisticColumn::Reals(std.clone()),
                _ => {}
            }
        }
    }

    /// How the time was spent.
    fn fractions(
        &mut self,
        parts: &[&Series],
        bins: &[Bin],
        options: &ResampleOptions,
        has_held: &mut [bool],
        limit_us: i64,
        notices: &mut Vec<Notice>,
    ) {
        match fractions(parts, bins, limit_us) {
            Ok(states) => {
                for cells in states.values() {
                    has_held.iter_mut().zip(&cells.is_known).for_each(|(held, is_known)| *held |= is_known);
                }
                let columns = options.statistics.iter().zip(&mut self.columns);
                for (_, column) in columns.filter(|(statistic, _)| **statistic == Statistic::Fraction) {
                    *column = StatisticColumn::States(states.clone());
                }
            }
            Err(text) => notices.push(Notice::about(NoticeKind::LeftOut, &self.mnemonic, text)),
        }
    }

    fn set(&mut self, options: &ResampleOptions, columns: Vec<Cells>) {
        for ((statistic, place), cells) in options.statistics.iter().zip(&mut self.columns).zip(columns) {
            *place = match statistic {
                Statistic::Count => StatisticColumn::Count,
                _ => StatisticColumn::Reals(cells),
            };
        }
    }

    /// A cell of a column of numbers.
    pub(crate) fn real(&self, column: usize, bin: usize) -> Option<f64> {
        match &self.columns[column] {
            StatisticColumn::Reals(cells) => cells.get(bin),
            _ => None,
        }
    }

    /// A cell of a column of texts.
    pub(crate) fn text(&self, column: usize, bin: usize) -> Option<&str> {
        match &self.columns[column] {
            StatisticColumn::Texts(texts) => texts[bin].as_deref(),
            _ => None,
        }
    }

    pub(crate) fn states(&self, column: usize) -> Option<&BTreeMap<Arc<str>, Cells>> {
        match &self.columns[column] {
            StatisticColumn::States(states) => Some(states),
            _ => None,
        }
    }

    fn keep(&mut self, exists: &[bool]) {
        if exists.iter().all(|exists| *exists) {
            return;
        }
        keep(&mut self.bins, exists);
        keep(&mut self.stamps, exists);
        keep(&mut self.counts, exists);
        let cells = |cells: &mut Cells| {
            keep(&mut cells.values, exists);
            keep(&mut cells.is_known, exists);
        };
        for column in &mut self.columns {
            match column {
                StatisticColumn::Reals(column) => cells(column),
                StatisticColumn::Texts(texts) => keep(texts, exists),
                StatisticColumn::States(states) => states.values_mut().for_each(cells),
                StatisticColumn::Count | StatisticColumn::None => {}
            }
        }
    }
}

fn is_clipped(statistic: Statistic) -> bool {
    matches!(
        statistic,
        Statistic::ClippedCount | Statistic::ClippedMean | Statistic::ClippedMedian | Statistic::ClippedStd
    )
}

fn keep<T>(column: &mut Vec<T>, exists: &[bool]) {
    let mut exists = exists.iter();
    column.retain(|_| exists.next().copied().unwrap_or(true));
}

fn stamp(bin: &Bin, rows: &Rows<'_>, stamp: Stamp) -> i64 {
    match stamp {
        Stamp::Start => bin.start_us,
        Stamp::Centre => bin.start_us + (bin.stop_us - bin.start_us) / 2,
        Stamp::MeanTime => rows.mean_time(bin),
    }
}

/// The fraction of the known time of each bin that each state took.
fn fractions(parts: &[&Series], bins: &[Bin], limit_us: i64) -> Result<BTreeMap<Arc<str>, Cells>, String> {
    let state = |part: &Series, row: u32| match part.samples.values() {
        Values::Text(_) => parts::text_at(part, row),
        _ => parts::value_at(part, row).map(|value| value.to_string().into()),
    };
    let holds = held(parts, limit_us, state);
    let names: BTreeSet<&Arc<str>> = holds.iter().map(|hold| &hold.value).collect();
    if names.len() > MOST_STATES {
        return Err(format!("has {} states, and fractions are told of at most {MOST_STATES}", names.len()));
    }
    let mut columns: BTreeMap<Arc<str>, Cells> =
        names.into_iter().map(|name| (Arc::clone(name), Cells::with_capacity(bins.len()))).collect();
    let mut walk = InBins(&holds);
    for bin in bins {
        let mut micros: BTreeMap<&Arc<str>, i64> = BTreeMap::new();
        for (state, held) in walk.next(bin) {
            *micros.entry(state).or_default() += held;
        }
        let known: i64 = micros.values().sum();
        for (name, cells) in &mut columns {
            let held = micros.get(name).copied().unwrap_or_default();
            cells.push((known > 0).then(|| held as f64 / known as f64));
        }
    }
    Ok(columns)
}
