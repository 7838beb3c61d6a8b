//! Texts over time: states as intervals, messages as moments.

use edb_core::{Instant, Sampling, Series, TimeRange, Value, Values};

use crate::track::{Canvas, Course};

/// Text with more distinct words than this is a stream of messages, not a state.
const MOST_STATES: usize = 12;

/// A text longer than this many characters is a message, not the name of a state.
const LONGEST_STATE: usize = 40;

/// An interval in which a state stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) start: i64,
    /// Not before the start; the same if nobody knows how long the state stood.
    pub(crate) stop: i64,
    /// Its place among the words.
    pub(crate) word: usize,
}

/// The states of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct States {
    /// Ascending, as long as they are few.
    pub(crate) words: Vec<String>,
    pub(crate) segments: Vec<Segment>,
}

/// A moment, and what was said.
pub(crate) type Message = (i64, String);

/// The states of the ranges of one mnemonic; `None` if its texts are messages.
pub(crate) fn states(parts: &[(&Series, Course)], canvas: Canvas) -> Option<States> {
    let mut words: Vec<String> = parts.iter().flat_map(|(series, _)| words(series, canvas.axis)).collect();
    words.sort_unstable();
    words.dedup();
    let is_state =
        words.len() <= MOST_STATES && words.iter().all(|word| word.chars().count() <= LONGEST_STATE);
    is_state.then(|| {
        let mut all: Vec<Segment> =
            parts.iter().flat_map(|(series, course)| segments(series, &words, *course, canvas)).collect();
        all.sort_by_key(|segment| segment.start);
        States { words, segments: all }
    })
}

/// The messages of a series of texts on the axis.
pub(crate) fn messages(series: &Series, axis: TimeRange) -> Vec<Message> {
    let rows = series.range.intersect(axis).map_or(0..0, |window| series.samples.rows_in(window));
    let samples = rows.map(|row| series.samples.sample(row));
    let text = |value: Value| if let Value::Text(text) = value { Some(text.trim().to_owned()) } else { None };
    samples.filter_map(|sample| Some((sample.time.as_micros(), text(sample.value)?))).collect()
}

/// The distinct texts on the axis or held into it.
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
    let used = is_used.iter().zip(column.words()).filter(|(is_used, _)| **is_used);
    let mut words: Vec<String> = used.map(|(_, word)| word.to_string()).collect();
    if let (Some(Value::Text(word)), true) =
        (series.leading.as_ref().map(|sample| &sample.value), series.sampling() != Sampling::AllPoints)
    {
        words.push(word.to_string());
    }
    words
}

/// When each state stood: a value stands until the next sample, where it holds, or the next sample is nearer than a gap, and no longer than
/// all is known.
fn segments(series: &Series, words: &[String], course: Course, canvas: Canvas) -> Vec<Segment> {
    let Values::Text(column) = series.samples.values() else { return Vec::new() };
    let Some(window) = series.range.intersect(canvas.axis) else { return Vec::new() };
    let place = |word: &str| words.binary_search_by(|other| other.as_str().cmp(word)).ok();
    let of_code: Vec<Option<usize>> = column.words().iter().map(|word| place(word)).collect();
    let (times, rows) = (series.samples.times(), series.samples.rows_in(window));
    let (start, end) = (window.start().as_micros(), window.stop().as_micros());
    let limit = canvas.gap_limit(series, course);
    let unknown = series.unknown();
    let mut unknown = unknown.iter().peekable();
    let mut segments: Vec<Segment> = Vec::new();
    let mut add = |from: i64, next: Option<i64>, word: Option<usize>| {
        while unknown.next_if(|span| span.stop().as_micros() <= from).is_some() {}
        let known = unknown.peek().map_or(i64::MAX, |span| span.start().as_micros()).max(from);
        let stop = match next {
            Some(next) if next.saturating_sub(from) <= limit => next,
            None if course == Course::Hold => end,
            _ => from,
        };
        let stop = stop.min(known);
        let Some(word) = word else { return };
        match segments.last_mut() {
            Some(last) if last.word == word && last.stop == from && last.stop > last.start => {
                last.stop = stop;
            }
            _ => segments.push(Segment { start: from, stop, word }),
        }
    };
    let code = |row: usize| {
        let is_null = series.samples.nulls().contains(row);
        of_code[column.codes()[row] as usize].filter(|_| !is_null)
    };
    if course == Course::Hold {
        let before = match rows.start.checked_sub(1) {
            Some(row) => Some((times[row], code(row))),
            None => series.leading.as_ref().map(|sample| {
                let word = if let Value::Text(word) = &sample.value { place(word) } else { None };
                (series.range.start().as_micros(), word)
            }),
        };
        let is_unknown = |taken: i64| {
            series
                .unknown()
                .iter()
                .any(|span| span.stop().as_micros() > taken && span.start() <= window.start())
        };
        if let Some((taken, word)) = before
            && !is_unknown(taken)
            && times.get(rows.start).is_none_or(|first| *first > start || rows.is_empty())
        {
            add(start, rows.clone().next().map(|row| times[row]), word);
        }
    }
    for row in rows.clone() {
        let next = (row + 1 < rows.end).then(|| times[row + 1]);
        add(times[row], next, code(row));
    }
    segments
}

pub(crate) fn range(start: i64, stop: i64) -> Option<TimeRange> {
    TimeRange::checked(Instant::from_micros(start), Instant::from_micros(stop))
}
