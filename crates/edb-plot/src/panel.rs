//! Which series share a panel, and what each panel shows.

use edb_core::{Notice, NoticeKind, Sampling, Series, TimeRange, Value, ValueKind, Values};

use crate::palette;
use crate::scene::Color;
use crate::track::{self, Course, Source, Track};

/// One series in a panel.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) color: Color,
    /// Samples on the axis.
    pub(crate) count: usize,
    pub(crate) track: Track,
}

/// What a panel shows.
pub(crate) enum Content {
    /// Numbers of one unit; all of them integers or not.
    Values { unit: String, whole: bool },
    /// The names of the states; a track's values are positions in it.
    States(Vec<String>),
    /// Times and texts of events.
    Messages(Vec<(i64, String)>),
}

/// One panel.
pub(crate) struct Panel {
    pub(crate) content: Content,
    pub(crate) entries: Vec<Entry>,
}

/// Text with more distinct words than this is a stream of messages, not a state.
const MOST_STATES: usize = 12;

/// A text longer than this many characters is a message, not the name of a state.
const LONGEST_STATE: usize = 40;

/// Sorts `series` into panels, in order of first appearance: numbers by unit, as many as there are colours; each text
/// alone. `columns`: pixels of the time axis, or more.
pub(crate) fn panels(
    series: &[Series],
    axis: TimeRange,
    columns: usize,
    gap_limit_us: Option<i64>,
) -> (Vec<Panel>, Vec<Notice>) {
    let (mut panels, mut notices): (Vec<Panel>, Vec<Notice>) = (Vec::new(), Vec::new());
    for series in series {
        let (holds, mut is_inferred) = track::holds(series);
        let drawn = |values: &[f64], leading, course| {
            track::track(&Source { series, values, leading, course, gap_limit_us }, axis, columns)
        };
        let level = if holds { Course::Hold } else { Course::Step };
        let course =
            if holds || series.samples.values().kind() != ValueKind::Real { level } else { Course::Straight };
        let mut entry = Entry {
            name: series.mnemonic().to_string(),
            color: palette::SERIES[0],
            count: series.range.intersect(axis).map_or(0, |window| series.samples.rows_in(window).len()),
            track: Track::default(),
        };
        match series.samples.values() {
            Values::Text(_) => {
                let words = words(series, axis);
                let content = if is_state(&words) {
                    entry.track = drawn(&positions(series, &words), leading_position(series, &words), course);
                    Content::States(words)
                } else {
                    Content::Messages(messages(series, axis))
                };
                // Messages are marks: how long they hold does not matter.
                is_inferred &= !matches!(content, Content::Messages(_));
                panels.push(Panel { content, entries: vec![entry] });
            }
            Values::Real(values) if series.samples.nulls().is_empty() => {
                entry.track = drawn(&values.0, leading_number(series), course);
                join(&mut panels, &series.about.unit, false, entry);
            }
            Values::Real(values) => {
                entry.track = drawn(&without_nulls(series, values.0.clone()), leading_number(series), course);
                join(&mut panels, &series.about.unit, false, entry);
            }
            Values::Integer(values) => {
                let values = values.iter().map(|value| *value as f64).collect();
                entry.track = drawn(&without_nulls(series, values), leading_number(series), course);
                join(&mut panels, &series.about.unit, true, entry);
            }
        }
        remark(series, axis, is_inferred, &mut notices);
    }
    (panels, notices)
}

fn remark(series: &Series, axis: TimeRange, is_inferred: bool, notices: &mut Vec<Notice>) {
    let mnemonic = series.mnemonic();
    let mut add = |kind, text: &str| notices.push(Notice::about(kind, mnemonic, text));
    let Some(window) = series.range.intersect(axis) else {
        return add(NoticeKind::NoSamples, "its range lies outside the time axis: nothing is drawn");
    };
    if series.samples.rows_in(window).is_empty() {
        add(NoticeKind::NoSamples, "no samples in the range drawn");
    }
    if !series.known.covers(window) {
        add(NoticeKind::NotKnown, "part of the range is not known: it is left blank");
    }
    if is_inferred {
        add(
            NoticeKind::Inferred,
            "drawn as holding its value: its samples look as if only changes were kept",
        );
    }
}

/// Adds a series of numbers to the panel of its unit. Numbers without a unit have nothing in common that an axis could show:
/// each has a panel of its own.
fn join(panels: &mut Vec<Panel>, unit: &str, is_whole: bool, mut entry: Entry) {
    let is_shared = |panel: &&mut Panel| matches!(&panel.content, Content::Values { unit: other, .. } if !unit.trim().is_empty() && other == unit.trim());
    let home = panels.iter_mut().rev().find(is_shared);
    match home {
        Some(panel) if panel.entries.len() < palette::SERIES.len() => {
            entry.color = palette::SERIES[panel.entries.len()];
            if let Content::Values { whole, .. } = &mut panel.content {
                *whole &= is_whole;
            }
            panel.entries.push(entry);
        }
        _ => {
            let content = Content::Values { unit: unit.trim().to_owned(), whole: is_whole };
            panels.push(Panel { content, entries: vec![entry] });
        }
    }
}

fn without_nulls(series: &Series, mut values: Vec<f64>) -> Vec<f64> {
    series.samples.nulls().positions().iter().for_each(|row| values[*row] = f64::NAN);
    values
}

fn leading_number(series: &Series) -> Option<f64> {
    match series.leading.as_ref()?.value {
        Value::Real(value) => Some(value),
        Value::Integer(value) => Some(value as f64),
        Value::Null | Value::Text(_) => None,
    }
}

/// The distinct texts on the axis or held into it, ascending; no more than tell a state from messages.
fn words(series: &Series, axis: TimeRange) -> Vec<String> {
    let Values::Text(column) = series.samples.values() else { return Vec::new() };
    let rows = series.range.intersect(axis).map_or(0..0, |window| series.samples.rows_in(window));
    let mut is_used = vec![false; column.words().len()];
    // The row before the axis may hold into it.
    for row in rows.start.saturating_sub(1)..rows.end {
        if !series.samples.nulls().contains(row) {
            is_used[column.codes()[row] as usize] = true;
        }
    }
    let mut words: Vec<String> = is_used
        .iter()
        .zip(column.words())
        .filter(|(is_used, _)| **is_used)
        .map(|(_, word)| word.to_string())
        .collect();
    if let (Some(Value::Text(word)), true) =
        (series.leading.as_ref().map(|sample| &sample.value), series.sampling() != Sampling::AllPoints)
    {
        words.push(word.to_string());
    }
    words.sort_unstable();
    words.dedup();
    words
}

fn is_state(words: &[String]) -> bool {
    words.len() <= MOST_STATES && words.iter().all(|word| word.chars().count() <= LONGEST_STATE)
}

fn positions(series: &Series, words: &[String]) -> Vec<f64> {
    let Values::Text(column) = series.samples.values() else { return Vec::new() };
    let position = |word: &str| words.binary_search_by(|other| other.as_str().cmp(word));
    let of_code: Vec<f64> =
        column.words().iter().map(|word| position(word).map_or(f64::NAN, |at| at as f64)).collect();
    without_nulls(series, column.codes().iter().map(|code| of_code[*code as usize]).collect())
}

fn leading_position(series: &Series, words: &[String]) -> Option<f64> {
    match &series.leading.as_ref()?.value {
        Value::Text(word) => {
            words.iter().position(|other| other.as_str() == word.as_ref()).map(|at| at as f64)
        }
        _ => None,
    }
}

fn messages(series: &Series, axis: TimeRange) -> Vec<(i64, String)> {
    let rows = series.range.intersect(axis).map_or(0..0, |window| series.samples.rows_in(window));
    let samples = rows.map(|row| series.samples.sample(row));
    let text = |value: Value| if let Value::Text(text) = value { Some(text.trim().to_owned()) } else { None };
    samples.filter_map(|sample| Some((sample.time.as_micros(), text(sample.value)?))).collect()
}
