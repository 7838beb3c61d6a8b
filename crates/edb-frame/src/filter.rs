//! Samples while a condition holds.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::time::Duration;

use edb_core::{
    Coverage, Instant, Learned, Mnemonic, Notice, NoticeKind, Outcome, Result, Sampling, Series, TimeRange,
    ValueKind, format_duration,
};
use edb_series::align::{Cells, union};

use crate::align::Limit;
use crate::derive::{Operands, lookup};
use crate::expression::{Expression, Kind, Node, Operator, Typed, Unit, Values, collect, evaluate};
use crate::intervals::Borders;
use crate::parts::{self, Reals, by_mnemonic, stretches};

/// A condition, and how far its intervals are widened.
///
/// # Examples
/// ```
/// # use edb_frame::{Bins, Condition, ResampleOptions, resample, select};
/// # use edb_core::{Instant, Mnemonic, Nulls, Samples, Series, SqlType, TextColumn, TimeRange, Values};
/// # fn series(name: &str, times_s: &[i64], values: Values, sql_type: SqlType) -> Series {
/// #     let times = times_s.iter().map(|time| time * 1_000_000).collect();
/// #     let (samples, _) = Samples::from_columns(sql_type, times, values, Nulls::none()).unwrap();
/// #     let range = TimeRange::new(Instant::from_micros(0), Instant::from_micros(60_000_000)).unwrap();
/// #     Series::new(Mnemonic::new(name).unwrap(), range, samples)
/// # }
/// # fn reals(name: &str, times_s: &[i64], values: &[f64]) -> Series {
/// #     series(name, times_s, Values::real(values.to_vec()), SqlType::Float)
/// # }
/// # fn texts(name: &str, times_s: &[i64], words: &[&str]) -> Series {
/// #     let mut column = TextColumn::default();
/// #     words.iter().for_each(|word| column.push(word));
/// #     series(name, times_s, Values::Text(column), SqlType::Varchar)
/// # }
/// let mode = texts("MODE", &[0, 20, 40], &["OFF", "ON", "OFF"]);
/// let volts = reals("VOLTS", &[5, 15, 25, 35, 45], &[0.0, 0.0, 28.0, 30.0, 0.0]);
/// let on = Condition::parse("MODE = 'ON'")?.spans(&[mode])?.value;
/// assert_eq!(on.ranges()[0].to_string(), "1970-01-01T00:00:20Z/1970-01-01T00:00:40Z");
/// let blocks = resample(&select(&[volts], &on), &ResampleOptions::new(Bins::Series))?;
/// assert_eq!(blocks.frame().column("mean").unwrap().f64().unwrap().get(0), Some(29.0));
/// # Ok::<(), edb_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What must hold.
    pub expression: Expression,
    /// How much earlier each interval begins, in microseconds; negative for later.
    pub before_us: i64,
    /// How much later each interval ends, in microseconds; negative for earlier. What is left of nothing is none.
    pub after_us: i64,
    /// How long a value holds at most, until another comes. It does not bind what is change-only.
    pub limit: Limit,
    /// Whether an interval ends with the last sample that meets the condition (inside), as the JWQL monitor has it, and not with the
    /// first that does not. What is joined with `and` is looked at one by one, and one without a sample inside an interval does not hold in it.
    pub until_seen: bool,
    /// Where a value begins and ends to stand.
    pub borders: Borders,
    /// Only intervals right before and right after which the condition is known not to hold.
    pub complete_only: bool,
}

impl Condition {
    /// A condition without a margin; values hold as long as no sample is missing ([`Limit::Learned`]).
    ///
    /// # Errors
    /// As [`Expression::parse_condition`].
    pub fn parse(text: &str) -> Result<Self> {
        let expression = Expression::parse_condition(text)?;
        Ok(Self {
            expression,
            before_us: 0,
            after_us: 0,
            limit: Limit::Learned,
            until_seen: false,
            borders: Borders::Hold,
            complete_only: false,
        })
    }

    /// When the condition holds: half-open intervals, from the sample that meets it up to the first that does not.
    ///
    /// Each mnemonic of the condition has at each instant the value of its last sample, the bracket before its range included, for at most the
    /// limit and only where it is known. Where that leaves the condition neither true nor false it is taken not to hold, and a notice says
    /// for how long.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] if a mnemonic is not among `series`, or if a text is compared with a number.
    pub fn spans(&self, series: &[Series]) -> Result<Outcome<Coverage>> {
        let groups = by_mnemonic(series);
        let operands = Operands::new(&groups, &self.expression.text, self.limit);
        let mut notices = Vec::new();
        let mut found: Option<Coverage> = None;
        let parts =
            if self.until_seen { conjuncts(&self.expression.root) } else { vec![&self.expression.root] };
        for node in parts {
            let mut spans = self.spans_of(node, &operands, &mut notices)?;
            if self.until_seen {
                spans = until_seen(&spans, &times_of(node, &operands)?);
            }
            found = Some(match found {
                Some(all) => all.intersect(&spans),
                None => spans,
            });
        }
        let widened = found.iter().flat_map(Coverage::ranges).filter_map(|span| {
            TimeRange::checked(
                span.start().plus_micros(-self.before_us),
                span.stop().plus_micros(self.after_us),
            )
        });
        let value = widened.collect();
        notices.append(&mut operands.notices.into_inner());
        Ok(Outcome { value, notices })
    }
}

impl Condition {
    /// When a part of it holds.
    fn spans_of(&self, root: &Node, operands: &Operands<'_>, notices: &mut Vec<Notice>) -> Result<Coverage> {
        let text = operands.text;
        let mut nodes = Vec::new();
        leaves(root, &mut nodes);
        let held = nodes.iter().map(|node| held(node, operands, self.borders)).collect::<Result<Vec<_>>>()?;
        let ends = |one: &Held| one.spans.iter().flat_map(|span| [span.0, span.1]).collect::<Vec<_>>();
        let ends: Vec<Vec<i64>> = held.iter().map(ends).collect();
        let borders = union(&ends.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let rows = borders.len().saturating_sub(1);
        let columns: Vec<(Node, Typed)> = nodes
            .into_iter()
            .zip(held)
            .map(|(node, one)| (node.clone(), Typed { values: one.between(&borders), unit: one.unit }))
            .collect();
        let mut remarks = Vec::new();
        let found = evaluate(root, text, rows, &mut lookup(&columns, text), &mut remarks)?.values;
        // Each interval between borders, joined with the one before where it says the same.
        let mut told: Vec<(Option<bool>, i64, i64)> = Vec::new();
        for (row, border) in borders.windows(2).enumerate() {
            let truth = found.truth(row);
            match told.last_mut() {
                Some(last) if last.0 == truth => last.2 = border[1],
                _ => told.push((truth, border[0], border[1])),
            }
        }
        let mut names = Vec::new();
        collect(root, &mut names);
        let mut asked = Coverage::new();
        for name in names {
            operands.find(&name)?.iter().for_each(|part| asked.insert(part.range));
        }
        let known_us: i64 = told.iter().filter(|one| one.0.is_some()).map(|one| one.2 - one.1).sum();
        let unknown_us = asked.micros() - known_us;
        let says_no =
            |at: Option<usize>| at.and_then(|at| told.get(at)).is_some_and(|one| one.0 == Some(false));
        let is_wanted = |at: usize| {
            let is_complete = says_no(at.checked_sub(1)) && says_no(Some(at + 1));
            told[at].0 == Some(true) && (is_complete || !self.complete_only)
        };
        let spans = (0..told.len()).filter(|at| is_wanted(*at)).map(|at| (told[at].1, told[at].2));
        notices.extend(remarks.into_iter().map(|text| Notice::general(NoticeKind::Units, text)));
        if unknown_us > 0 {
            let span = format_duration(Duration::from_micros(unknown_us as u64));
            let text =
                format!("whether `{text}` holds is not known for {span} in all: taken not to hold there");
            notices.push(Notice::general(NoticeKind::NotKnown, text));
        }
        let range =
            |(start, stop)| TimeRange::checked(Instant::from_micros(start), Instant::from_micros(stop));
        Ok(spans.filter_map(range).collect())
    }
}

/// What is joined with `and`.
fn conjuncts(node: &Node) -> Vec<&Node> {
    match &node.kind {
        Kind::Binary(Operator::And, left, right) => [conjuncts(left), conjuncts(right)].concat(),
        _ => vec![node],
    }
}

/// The times of the samples that a part of a condition looks at.
fn times_of(root: &Node, operands: &Operands<'_>) -> Result<Vec<i64>> {
    let mut nodes = Vec::new();
    leaves(root, &mut nodes);
    let mut times: Vec<&[i64]> = Vec::new();
    for node in nodes {
        let mut names = Vec::new();
        collect(node, &mut names);
        for name in names {
            times.extend(operands.find(&name)?.iter().map(|part| part.samples.times()));
        }
    }
    Ok(union(&times))
}

/// Ends each span with the last of the ascending `times` in it.
fn until_seen(spans: &Coverage, times: &[i64]) -> Coverage {
    let seen = spans.ranges().iter().filter_map(|span| {
        let before = times.partition_point(|time| *time < span.stop().as_micros());
        let last = Instant::from_micros(*times.get(before.checked_sub(1)?)?);
        TimeRange::checked(span.start(), last.plus_micros(1))
    });
    seen.collect()
}

/// The parts of a condition that bring values.
fn leaves<'a>(node: &'a Node, found: &mut Vec<&'a Node>) {
    match &node.kind {
        Kind::Mnemonic(_) | Kind::Visit(_) | Kind::OverTime(..) => found.push(node),
        _ => node.children().into_iter().for_each(|child| leaves(child, found)),
    }
}

/// A leaf's values and the spans in which they hold, ascending.
struct Held {
    spans: Vec<(i64, i64)>,
    values: Values,
    unit: Unit,
}

impl Held {
    /// The value in each interval between borders, among which are all of its own.
    fn between(&self, borders: &[i64]) -> Values {
        let mut at = 0;
        let mut row_at = |start: i64| {
            while self.spans.get(at).is_some_and(|span| span.1 <= start) {
                at += 1;
            }
            self.spans.get(at).filter(|span| span.0 <= start).map(|_| at)
        };
        let rows = borders.iter().take(borders.len().saturating_sub(1)).map(|border| row_at(*border));
        match &self.values {
            Values::Numbers(cells) => {
                let mut all = Cells::default();
                rows.for_each(|row| all.push(row.and_then(|row| cells.get(row))));
                Values::Numbers(all)
            }
            Values::Texts(texts) => Values::Texts(rows.map(|row| texts[row?].clone()).collect()),
            values => Values::Truths(rows.map(|row| values.truth(row?)).collect()),
        }
    }
}

fn held(node: &Node, operands: &Operands<'_>, borders: Borders) -> Result<Held> {
    match &node.kind {
        Kind::Mnemonic(name) => {
            let parts = operands.find(name)?;
            of_parts(parts, operands.limit_us(parts), borders)
        }
        Kind::Visit(_) => {
            let found = operands.visit(node)?;
            let (inside, outside) = found.as_ref();
            let mut all: Vec<(TimeRange, bool)> =
                inside.ranges().iter().map(|range| (*range, true)).collect();
            all.extend(outside.ranges().iter().map(|range| (*range, false)));
            all.sort_unstable();
            let spans =
                all.iter().map(|(range, _)| (range.start().as_micros(), range.stop().as_micros())).collect();
            let values = Values::Truths(all.into_iter().map(|(_, is_inside)| Some(is_inside)).collect());
            Ok(Held { spans, values, unit: Unit::default() })
        }
        _ => {
            let derived = operands.over_time(node)?;
            let parts: Vec<&Series> = derived.iter().collect();
            of_parts(&parts, operands.limit_us(&parts), borders)
        }
    }
}

fn of_parts(parts: &[&Series], limit_us: i64, borders: Borders) -> Result<Held> {
    let kind = parts::kind_of(parts)?;
    let (mut spans, mut cells, mut texts) = (Vec::new(), Cells::default(), Vec::new());
    for part in parts {
        let reals = Reals::of(part);
        for hold in stretches(part).flat_map(|stretch| stretch.spans(borders, limit_us)) {
            spans.push((hold.start_us, hold.stop_us));
            match kind {
                ValueKind::Text => texts.push(parts::text_at(part, hold.row as u32)),
                _ => cells.push(reals.nearest(part, hold.row as u32)),
            }
        }
    }
    let values = if kind == ValueKind::Text { Values::Texts(texts) } else { Values::Numbers(cells) };
    Ok(Held { spans, values, unit: Unit::parse(&parts[0].about.unit) })
}

/// What of each series lies in `spans`: one series for each interval, in their order; of a mnemonic of which nothing is left, one without
/// samples, of which nothing is known. A statistic of each is one of a block, and values hold to its end and no further.
///
/// What was left out takes no part: a piece has no brackets. Only what holds until the next sample has the state into each interval: a
/// mnemonic that is change-only (as stated, or as all its samples say), or one of states (texts, integers) that has no cadence. A series of
/// which all lies in them stays as it is.
pub fn select(series: &[Series], spans: &Coverage) -> Vec<Series> {
    pieces(series, |one| spans.within(one.range).ranges().to_vec())
}

/// What of each series does not lie in `spans`; pieces as those of [`select`].
pub fn remove(series: &[Series], spans: &Coverage) -> Vec<Series> {
    pieces(series, |one| spans.gaps(one.range))
}

fn pieces(series: &[Series], ranges: impl Fn(&Series) -> Vec<TimeRange>) -> Vec<Series> {
    let learned = all_learned(series);
    let ranges = |one: &Series| if parts::is_left_out(one) { Vec::new() } else { ranges(one) };
    let ranges: Vec<Vec<TimeRange>> = series.iter().map(ranges).collect();
    let is_left = |(_, ranges): &(&Series, &Vec<TimeRange>)| !ranges.is_empty();
    let mut told: HashSet<&Mnemonic> =
        series.iter().zip(&ranges).filter(is_left).map(|(one, _)| one.mnemonic()).collect();
    let mut all = Vec::new();
    for (one, ranges) in series.iter().zip(&ranges) {
        let learned = &learned[one.mnemonic()];
        all.extend(ranges.iter().map(|range| piece(one, *range, one.samples.rows_in(*range), learned)));
        if told.insert(one.mnemonic()) {
            all.push(Series {
                known: Coverage::new(),
                leading: None,
                ..piece(one, one.range, 0..0, learned)
            });
        }
    }
    all
}

fn all_learned(series: &[Series]) -> HashMap<&Mnemonic, Learned> {
    by_mnemonic(series).iter().map(|parts| (parts[0].mnemonic(), parts::learned(parts))).collect()
}

/// A part of a series.
fn piece(one: &Series, range: TimeRange, rows: Range<usize>, learned: &Learned) -> Series {
    let learned = learned.clone();
    if range == one.range && rows == (0..one.samples.len()) {
        return Series { learned: Some(learned), ..one.clone() };
    }
    let known_between =
        |from: Instant, to: Instant| TimeRange::checked(from, to).is_none_or(|gap| one.known.covers(gap));
    let is_state = one.samples.values().kind() != ValueKind::Real && learned.cadence_us.is_none();
    let leading = match rows.start.checked_sub(1) {
        _ if learned.sampling != Sampling::ChangeOnly && !is_state => None,
        Some(row) => Some(one.samples.sample(row)).filter(|sample| known_between(sample.time, range.start())),
        None => one.leading.clone().filter(|_| known_between(one.range.start(), range.start())),
    };
    let (about, samples, known) = (one.about.clone(), one.samples.slice(rows), one.known.within(range));
    Series { about, range, samples, leading, trailing: None, known, learned: Some(learned) }
}

/// Leaves out the first and the last few samples of each series that has more than all of these: values at the edges of a block
/// may belong to the change itself. The range becomes that of what stays.
pub fn trim(series: &[Series], first: usize, last: usize) -> Vec<Series> {
    let learned = all_learned(series);
    let trimmed = |one: &Series| {
        let rows = one.samples.len();
        if rows <= first.saturating_add(last) {
            return one.clone();
        }
        let times = one.samples.times();
        let start = if first == 0 { one.range.start() } else { Instant::from_micros(times[first]) };
        let stop = if last == 0 { one.range.stop() } else { Instant::from_micros(times[rows - last]) };
        // Of equal times some may stay and some go: there is a microsecond for them.
        let stop = stop.max(Instant::from_micros(times[rows - last - 1]).plus_micros(1));
        let range = TimeRange::checked(start, stop).unwrap_or(one.range);
        piece(one, range, first..rows - last, &learned[one.mnemonic()])
    };
    series.iter().map(trimmed).collect()
}
