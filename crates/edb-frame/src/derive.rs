//! Quantities made of mnemonics.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use edb_core::{
    Coverage, DictionaryEntry, Error, Instant, Learned, Mnemonic, Notice, NoticeKind, Nulls, Outcome, Result,
    Sample, Samples, Sampling, Series, SqlType, TextColumn, Value, ValueKind, Values as Column,
};
use edb_series::align::Cells;
use edb_series::rolling::{Rolling, rolling};

use crate::align::{self, Limit, Method};
use crate::events;
use crate::expression::{self, Definition, Kind, Leaf, Node, OverTime, Typed, Unit, Values, evaluate};
use crate::parts::{self, Reals, by_mnemonic};

/// Makes a series of an expression, as if it had been measured.
///
/// - Times: those of the mnemonic that is named first, in its ranges.
/// - The others at these times: real values that are not change-only on the line between their samples
///   ([`Method::Linear`]), all others held; nothing across more than `limit`, which does not bind what is change-only.
/// - Where one of them has no value, or is not known, the result is null, unless it does not depend on it (`if`, `and`, `or`).
/// - `diff` and `rate` look at the sample before, at most `limit` ago, and at the bracket before the range; rolling windows begin with
///   the range.
/// - Unit: products, quotients and roots of units (`V`·`A` is `W`); sums keep theirs. Units that are added or compared and are not the
///   same are told in a notice.
/// - A comparison gives the integers 1 and 0.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if a mnemonic is not among `series`, if none is named, or if a text stands where a number must.
///
/// # Examples
/// ```
/// # use edb_core::*;
/// # use edb_frame::{Definition, Limit, derive};
/// # fn reals(name: &str, unit: &str, times: Vec<i64>, values: Vec<f64>) -> Series {
/// #     let range = TimeRange::new(Instant::from_micros(0), Instant::from_micros(100)).unwrap();
/// #     let (samples, _) = Samples::from_columns(SqlType::Float, times, Values::real(values), Nulls::none()).unwrap();
/// #     let mut series = Series::new(Mnemonic::new(name).unwrap(), range, samples);
/// #     series.about.unit = unit.to_owned();
/// #     series
/// # }
/// let current = reals("CURRENT", "A", vec![10, 20, 30], vec![1.0, 2.0, 3.0]);
/// let voltage = reals("VOLTAGE", "V", vec![0, 40], vec![10.0, 50.0]);
/// let power = derive(&Definition::parse("power = current * voltage")?, &[current, voltage], Limit::Unlimited)?.value;
/// assert_eq!(power[0].about.unit, "W");
/// assert_eq!(power[0].samples.values(), &Values::real(vec![20.0, 60.0, 120.0]));
/// # Ok::<(), edb_core::Error>(())
/// ```
pub fn derive(definition: &Definition, series: &[Series], limit: Limit) -> Result<Outcome<Vec<Series>>> {
    let expression = &definition.expression;
    let groups = by_mnemonic(series);
    let operands = Operands::new(&groups, &expression.text, limit);
    let mut remarks = Vec::new();
    let derived = operands.series_of(&expression.root, &definition.name, &mut remarks)?;
    let notice = |text| Notice::about(NoticeKind::Units, &definition.name, text);
    let mut notices: Vec<Notice> = remarks.into_iter().map(notice).collect();
    notices.append(&mut operands.notices.into_inner());
    Ok(Outcome { value: derived, notices })
}

/// What an expression is made of.
pub(crate) struct Operands<'a> {
    groups: &'a [Vec<&'a Series>],
    pub(crate) text: &'a str,
    limit: Limit,
    /// What there is to tell about them, each once.
    pub(crate) notices: RefCell<Vec<Notice>>,
    reaches: Found<Reach>,
    derived: Found<Vec<Series>>,
    visits: Found<(Coverage, Coverage)>,
}

/// What was found for places of the text: an expression is evaluated for each range of its first mnemonic.
type Found<T> = RefCell<HashMap<Range<usize>, Rc<T>>>;

fn once<T>(found: &Found<T>, node: &Node, find: impl FnOnce() -> Result<T>) -> Result<Rc<T>> {
    if let Some(known) = found.borrow().get(&node.span) {
        return Ok(Rc::clone(known));
    }
    let fresh = Rc::new(find()?);
    found.borrow_mut().insert(node.span.clone(), Rc::clone(&fresh));
    Ok(fresh)
}

/// How the samples of an operand reach to other times.
struct Reach {
    kind: ValueKind,
    method: Method,
    limit_us: i64,
}

impl<'a> Operands<'a> {
    pub(crate) fn new(groups: &'a [Vec<&'a Series>], text: &'a str, limit: Limit) -> Self {
        Self {
            groups,
            text,
            limit,
            notices: RefCell::default(),
            reaches: RefCell::default(),
            derived: RefCell::default(),
            visits: RefCell::default(),
        }
    }

    pub(crate) fn find(&self, mnemonic: &Mnemonic) -> Result<&Vec<&Series>> {
        self.groups.iter().find(|group| group[0].mnemonic() == mnemonic).ok_or_else(|| {
            Error::usage(format!("`{}` needs {mnemonic}, which is not among the series", self.text))
                .with_hint("add it to the selection; texts are written in quotes, as 'ON'")
        })
    }

    /// How far the samples of a mnemonic reach.
    pub(crate) fn limit_us(&self, parts: &[&Series]) -> i64 {
        parts::hold_limit_us(self.limit, parts, &mut self.notices.borrow_mut())
    }

    /// A part of an expression as a series of its own, at the times of its first mnemonic.
    pub(crate) fn series_of(
        &self,
        node: &Node,
        name: &Mnemonic,
        remarks: &mut Vec<String>,
    ) -> Result<Vec<Series>> {
        let mut names = Vec::new();
        expression::collect(node, &mut names);
        let Some(first) = names.first() else {
            return Err(expression::fault(
                self.text,
                &node.span,
                "it names no mnemonic, and so has no times",
            ));
        };
        let parts = self.find(first)?;
        parts.iter().map(|part| self.one(node, name, part, &names, remarks)).collect()
    }

    fn one(
        &self,
        node: &Node,
        name: &Mnemonic,
        part: &Series,
        names: &[Mnemonic],
        remarks: &mut Vec<String>,
    ) -> Result<Series> {
        let times = part.samples.times().to_vec();
        let mut leaf = |leaf: &Node| self.at_times(leaf, part, &times);
        let typed = evaluate(node, self.text, times.len(), &mut leaf, remarks)?;
        let bracket = |bracket: &Option<Sample>| match bracket {
            Some(sample) if names.len() == 1 => self.bracket(node, sample),
            _ => Ok(None),
        };
        let (leading, trailing) = (bracket(&part.leading)?, bracket(&part.trailing)?);
        let (sql_type, values, nulls) = columns(typed.values, times.len());
        // Between two samples of one mnemonic another one may change.
        let is_of_one = names.len() == 1 && !node.is_over_time();
        let about = DictionaryEntry {
            subsystem: part.about.subsystem.clone(),
            description: self.text.to_owned(),
            sql_type: Some(sql_type.clone()),
            unit: typed.unit.to_string(),
            all_points: part.about.all_points.filter(|all_points| *all_points || is_of_one),
            ..DictionaryEntry::bare(name.clone())
        };
        let (samples, _) = Samples::from_columns(sql_type, times, values, nulls)?;
        Ok(Series {
            about,
            range: part.range,
            samples,
            leading,
            trailing,
            known: part.known.clone(),
            learned: if is_of_one { part.learned.clone() } else { apart(part) },
        })
    }

    /// The value of an expression of one mnemonic at a bracket of it; none if it needs what came before.
    fn bracket(&self, node: &Node, sample: &Sample) -> Result<Option<Sample>> {
        let mut is_over_time = false;
        let mut leaf = |node: &Node| {
            let values = match &sample.value {
                _ if !matches!(node.kind, Kind::Mnemonic(_)) => {
                    is_over_time = true;
                    Values::Numbers(Cells::none(1))
                }
                Value::Text(text) => Values::Texts(vec![Some(text.clone())]),
                Value::Null => Values::Null,
                value => {
                    let mut cells = Cells::default();
                    cells.push(parts::as_real(value));
                    Values::Numbers(cells)
                }
            };
            Ok(Typed { values, unit: Unit::default() })
        };
        let typed = evaluate(node, self.text, 1, &mut leaf, &mut Vec::new())?;
        let (sql_type, values, nulls) = columns(typed.values, 1);
        let (samples, _) = Samples::from_columns(sql_type, vec![sample.time.as_micros()], values, nulls)?;
        let found = samples.sample(0);
        Ok(Some(found).filter(|found| !is_over_time && found.value != Value::Null))
    }

    /// A mnemonic, a function over time or a visit at the times of `part`.
    fn at_times(&self, leaf: &Node, part: &Series, times: &[i64]) -> Result<Typed> {
        match &leaf.kind {
            Kind::Mnemonic(name) if name == part.mnemonic() => {
                Ok(Typed { values: own(part), unit: unit(part) })
            }
            Kind::Mnemonic(name) => self.aligned(leaf, self.find(name)?, times),
            Kind::Visit(_) => {
                let found = self.visit(leaf)?;
                let (inside, outside) = found.as_ref();
                let is_in = |spans: &Coverage, at| {
                    let after = spans.ranges().partition_point(|span| span.stop() <= at);
                    spans.ranges().get(after).is_some_and(|span| span.contains(at))
                };
                let truth = |time: &i64| {
                    let at = Instant::from_micros(*time);
                    if is_in(inside, at) { Some(true) } else { is_in(outside, at).then_some(false) }
                };
                Ok(Typed { values: Values::Truths(times.iter().map(truth).collect()), unit: Unit::default() })
            }
            _ => {
                let derived = self.over_time(leaf)?;
                self.aligned(leaf, &derived.iter().collect::<Vec<_>>(), times)
            }
        }
    }

    fn aligned(&self, leaf: &Node, parts: &[&Series], times: &[i64]) -> Result<Typed> {
        let reach = once(&self.reaches, leaf, || {
            let kind = parts::kind_of(parts)?;
            let limit_us = self.limit_us(parts);
            let is_line = kind == ValueKind::Real && parts::sampling(parts).0 != Sampling::ChangeOnly;
            Ok(Reach { kind, method: if is_line { Method::Linear } else { Method::Hold }, limit_us })
        })?;
        let unit = unit(parts[0]);
        let is_near = |part: &Series| {
            let (start, stop) = (part.range.start().as_micros(), part.range.stop().as_micros());
            times.first().is_some_and(|first| *first < stop)
                && times.last().is_some_and(|last| *last >= start)
        };
        let parts: Vec<&Series> = parts.iter().copied().filter(|part| is_near(part)).collect();
        let values = if reach.kind == ValueKind::Text {
            Values::Texts(align::picked(&parts, times, Method::Hold, reach.limit_us, parts::text_at))
        } else {
            Values::Numbers(align::reals(&parts, times, reach.method, reach.limit_us))
        };
        Ok(Typed { values, unit })
    }

    /// A function over time as series of its own.
    pub(crate) fn over_time(&self, leaf: &Node) -> Result<Rc<Vec<Series>>> {
        once(&self.derived, leaf, || self.made_over_time(leaf))
    }

    fn made_over_time(&self, leaf: &Node) -> Result<Vec<Series>> {
        let Kind::OverTime(what, argument) = &leaf.kind else {
            return Err(expression::fault(self.text, &leaf.span, "expected a function over time"));
        };
        let mut names = Vec::new();
        expression::collect(argument, &mut names);
        let name = names.first().cloned().map_or_else(|| Mnemonic::new("X"), Ok)?;
        let mut series = self.series_of(argument, &name, &mut Vec::new())?;
        for one in &mut series {
            if one.samples.values().kind() == ValueKind::Text {
                let message = "expected a number: this mnemonic is text";
                return Err(expression::fault(self.text, &argument.span, message));
            }
            let limit_us = self.limit_us(&[one]);
            *one = over_time(one, *what, limit_us)?;
        }
        Ok(series)
    }

    /// When a visit was executed, and when it was not, as far as the event log is known.
    pub(crate) fn visit(&self, leaf: &Node) -> Result<Rc<(Coverage, Coverage)>> {
        let Kind::Visit(visit) = &leaf.kind else {
            return Err(expression::fault(self.text, &leaf.span, "expected a visit"));
        };
        let messages = self.find(&Mnemonic::new(expression::EVENT_MESSAGES)?)?;
        once(&self.visits, leaf, || events::visit_spans(messages, visit))
    }
}

/// What is known of how samples come where their values are made of others, too.
fn apart(part: &Series) -> Option<Learned> {
    let sampling = |learned: Learned| match learned.sampling {
        Sampling::ChangeOnly => Learned { sampling: Sampling::Unknown, evidence: None, ..learned },
        _ => learned,
    };
    part.learned.clone().map(sampling)
}

fn unit(part: &Series) -> Unit {
    Unit::parse(&part.about.unit)
}

/// The values of a series, one for each of its samples.
fn own(part: &Series) -> Values {
    let rows = 0..part.samples.len() as u32;
    if part.samples.values().kind() == ValueKind::Text {
        return Values::Texts(rows.map(|row| parts::text_at(part, row)).collect());
    }
    let reals = Reals::of(part);
    let mut cells = Cells::with_capacity(part.samples.len());
    rows.for_each(|row| cells.push(reals.get(row)));
    Values::Numbers(cells)
}

/// Values as a column of samples.
fn columns(values: Values, rows: usize) -> (SqlType, Column, Nulls) {
    let mut nulls = Nulls::none();
    match values {
        Values::Number(_) | Values::Numbers(_) | Values::Null => {
            let cells = values.into_numbers(rows);
            (0..rows).filter(|row| !cells.is_known[*row]).for_each(|row| nulls.push(row));
            (SqlType::Float, Column::real(cells.values), nulls)
        }
        Values::Text(_) | Values::Texts(_) => {
            let mut column = TextColumn::default();
            for row in 0..rows {
                let text = values.text(row);
                if text.is_none() {
                    nulls.push(row);
                }
                column.push(text.map_or("", |text| text));
            }
            (SqlType::Varchar, Column::Text(column), nulls)
        }
        Values::Truth(_) | Values::Truths(_) => {
            let mut integers = Vec::with_capacity(rows);
            for row in 0..rows {
                let truth = values.truth(row);
                if truth.is_none() {
                    nulls.push(row);
                }
                integers.push(i64::from(truth == Some(true)));
            }
            (SqlType::Int, Column::Integer(integers), nulls)
        }
    }
}

/// A function over time of a series of numbers, stretch by stretch of what is known; no difference across more than the limit.
fn over_time(series: &Series, what: OverTime, limit_us: i64) -> Result<Series> {
    let reals = Reals::of(series);
    let times = series.samples.times();
    let mut cells = Cells::none(times.len());
    for (number, range) in series.known.ranges().iter().enumerate() {
        let rows: Vec<usize> = series.samples.rows_in(*range).filter(|row| !reals.is_missing(*row)).collect();
        let into = series.leading.as_ref().filter(|_| number == 0 && range.start() == series.range.start());
        let mut before =
            into.and_then(|sample| Some((sample.time.as_micros(), parts::as_real(&sample.value)?)));
        let window = |window_us: i64, statistic: Rolling| {
            let times: Vec<i64> = rows.iter().map(|row| times[*row]).collect();
            let values: Vec<f64> = rows.iter().map(|row| reals.values[*row]).collect();
            rolling(&times, &values, window_us, statistic)
        };
        let found: Vec<Option<f64>> = match what {
            OverTime::Mean(micros) => window(micros, Rolling::Mean).into_iter().map(Some).collect(),
            OverTime::Median(micros) => window(micros, Rolling::Median).into_iter().map(Some).collect(),
            OverTime::Std(micros) => window(micros, Rolling::Std).into_iter().map(Some).collect(),
            OverTime::Diff | OverTime::Rate => {
                let step = |row: &usize| {
                    let (time, value) = (times[*row], reals.values[*row]);
                    let (earlier, old) = before.replace((time, value))?;
                    if time - earlier > limit_us {
                        return None;
                    }
                    let seconds = (time - earlier) as f64 / 1e6;
                    match what {
                        OverTime::Diff => Some(value - old),
                        // Of two samples with one time nobody knows a rate.
                        _ => (seconds > 0.0).then(|| (value - old) / seconds),
                    }
                };
                rows.iter().map(step).collect()
            }
        };
        for (row, value) in rows.iter().zip(found) {
            // A window without a finite value has no statistic.
            let value = value.filter(|value| !value.is_nan() || reals.values[*row].is_nan());
            cells.is_known[*row] = value.is_some();
            cells.values[*row] = value.unwrap_or_default();
        }
    }
    let mut about = series.about.clone();
    about.all_points = about.all_points.filter(|all_points| *all_points);
    if what == OverTime::Rate {
        about.unit = unit(series).times(&Unit::parse("s"), -1).to_string();
    }
    let (sql_type, values, nulls) = columns(Values::Numbers(cells), times.len());
    let (samples, _) = Samples::from_columns(sql_type, times.to_vec(), values, nulls)?;
    Ok(Series {
        about,
        samples,
        leading: None,
        trailing: None,
        range: series.range,
        known: series.known.clone(),
        learned: apart(series),
    })
}

/// A leaf that is looked up, for the evaluation of conditions.
pub(crate) fn lookup<'a>(leaves: &'a [(Node, Typed)], text: &'a str) -> Box<Leaf<'a>> {
    Box::new(move |node: &Node| {
        let found = leaves.iter().find(|(leaf, _)| leaf == node);
        found
            .map(|(_, typed)| typed.clone())
            .ok_or_else(|| expression::fault(text, &node.span, "it has no value"))
    })
}
