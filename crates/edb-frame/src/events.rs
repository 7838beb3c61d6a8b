//! The event log: what the observatory said it did.
//!
//! `ICTM_EVENT_MSG` and its companions `ICTM_EVENT_MSG_ID` and `ICTM_EVENT_MSG_SRC` are three mnemonics with one row for each message.
//! Several messages may have one time, and the three do not always have equally many rows, so rows are joined on the time and the ordinal
//! within it.
//!
//! What messages mean is taken from public parsers of the log and from real rows: a visit begins with `VISIT … STARTED` (the start of its
//! slew) and ends with `VISIT … ENDED`, which may have a cause after a comma (`SSR ALMOST FULL`). A script that ends in `ERROR` does not end its
//! visit.

use std::collections::HashMap;
use std::sync::Arc;

use edb_core::{
    Coverage, Error, Instant, Mnemonic, Notice, NoticeKind, Result, Series, TimeRange, Value, ValueKind,
};

use crate::columns;
use crate::expression::EVENT_MESSAGES;
use crate::intervals::seconds;
use crate::parts;
use crate::table::{ColumnAbout, Table};

/// One message.
#[derive(Clone)]
struct Message {
    time: i64,
    /// Which of the messages of its time it is, from 0.
    ordinal: u32,
    text: Arc<str>,
}

/// All messages in order.
fn messages_of(parts: &[&Series]) -> Result<Vec<Message>> {
    let is_empty = parts.iter().all(|part| part.samples.is_empty());
    if parts::kind_of(parts)? != ValueKind::Text && !is_empty {
        return Err(Error::usage(format!("could not read the event log: {EVENT_MESSAGES} has no texts")));
    }
    let mut all: Vec<Message> = Vec::new();
    for part in parts {
        for row in 0..part.samples.len() {
            let time = part.samples.times()[row];
            let ordinal = all.last().filter(|last| last.time == time).map_or(0, |last| last.ordinal + 1);
            let text = parts::text_at(part, row as u32).unwrap_or_default();
            all.push(Message { time, ordinal, text });
        }
    }
    Ok(all)
}

fn find<'a>(series: &'a [Series], name: &str) -> Vec<&'a Series> {
    let mut found: Vec<&Series> = series.iter().filter(|one| one.mnemonic().as_str() == name).collect();
    found.sort_by_key(|one| one.range);
    found
}

fn required(series: &[Series]) -> Result<Vec<&Series>> {
    let parts = find(series, EVENT_MESSAGES);
    if parts.is_empty() {
        return Err(Error::usage(format!(
            "the event log is {EVENT_MESSAGES}, which is not among the series"
        ))
        .with_hint(format!("select {EVENT_MESSAGES}")));
    }
    Ok(parts)
}

/// Every message with its number and its source. Columns: `time`, `ordinal` (which of the messages of that time, from 0), `id`, `source`,
/// `message`; null where a companion has no such row. A notice tells how many rows of companions have no message.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if `ICTM_EVENT_MSG` is not among `series`.
pub fn messages(series: &[Series]) -> Result<Table> {
    let messages = messages_of(&required(series)?)?;
    let mut notices = Vec::new();
    let mut companion = |name: &str| -> Result<HashMap<(i64, u32), Value>> {
        let mut values = HashMap::new();
        let (mut time, mut ordinal) = (i64::MIN, 0);
        for part in find(series, name) {
            for sample in part.samples.iter() {
                let at = sample.time.as_micros();
                ordinal = if at == time { ordinal + 1 } else { 0 };
                time = at;
                values.insert((at, ordinal), sample.value);
            }
        }
        let joined =
            messages.iter().filter(|message| values.contains_key(&(message.time, message.ordinal))).count();
        if joined < values.len() {
            let text = format!("{} of its {} rows belong to no message", values.len() - joined, values.len());
            notices.push(Notice::about(NoticeKind::LeftOut, &Mnemonic::new(name)?, text));
        }
        Ok(values)
    };
    let ids = companion("ICTM_EVENT_MSG_ID")?;
    let sources = companion("ICTM_EVENT_MSG_SRC")?;
    let id = |message: &Message| match ids.get(&(message.time, message.ordinal)) {
        Some(Value::Integer(id)) => Some(*id),
        Some(Value::Real(id)) => Some(*id as i64),
        _ => None,
    };
    let source = |message: &Message| match sources.get(&(message.time, message.ordinal)) {
        Some(Value::Text(text)) => Some(Arc::clone(text)),
        Some(Value::Null) | None => None,
        Some(other) => Some(other.to_string().into()),
    };
    let columns = vec![
        (
            columns::time("time", messages.iter().map(|one| one.time).collect()),
            ColumnAbout::general("time", "time of the message, UTC"),
        ),
        (
            columns::integer("ordinal", messages.iter().map(|one| Some(i64::from(one.ordinal)))),
            ColumnAbout::general("ordinal", "which of the messages of its time, from 0"),
        ),
        (
            columns::integer("id", messages.iter().map(id)),
            ColumnAbout::general("id", "number of the message; negative for failures"),
        ),
        (columns::text("source", messages.iter().map(source)), ColumnAbout::general("source", "who said it")),
        (
            columns::text("message", messages.iter().map(|one| Some(Arc::clone(&one.text)))),
            ColumnAbout::general("message", "what was said"),
        ),
    ];
    let mut table = Table::new(columns, notices)?;
    table.made = vec![("rows".to_owned(), "messages of the event log".to_owned())];
    Ok(table)
}

/// One visit.
struct Visit {
    name: String,
    start: Option<i64>,
    guiding: Option<i64>,
    stop: Option<i64>,
    status: &'static str,
    cause: Option<String>,
    errors: i64,
}

/// A visit's name in the log's form: `V01234001001`, from that, from its digits, or from `1234:1:1` (`1234:1` is its first visit).
pub(crate) fn visit_name(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_uppercase();
    let digits = text.strip_prefix('V').unwrap_or(&text);
    if digits.len() == 11 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(format!("V{digits}"));
    }
    let fields = text.split(':').map(|field| field.parse::<u32>().ok()).collect::<Option<Vec<_>>>()?;
    match fields.as_slice() {
        [program @ 0..=99_999, observation @ 0..=999] => Some(format!("V{program:05}{observation:03}001")),
        [program @ 0..=99_999, observation @ 0..=999, visit @ 0..=999] => {
            Some(format!("V{program:05}{observation:03}{visit:03}"))
        }
        _ => None,
    }
}

/// The visit that an activity belongs to, whose name its own begins with.
fn visit_of(activity: &str) -> Option<&str> {
    activity.get(..12).filter(|name| visit_name(name).as_deref() == Some(*name))
}

/// The visits that the messages tell of, in order.
fn visits_of(messages: &[Message]) -> Vec<Visit> {
    let mut visits: Vec<Visit> = Vec::new();
    let mut open: Option<usize> = None;
    // No visit begins before the one before it is over.
    let mut earliest: Option<i64> = None;
    let fresh = |name: &str, start: Option<i64>| Visit {
        name: name.to_owned(),
        start,
        guiding: None,
        stop: None,
        status: "ongoing",
        cause: None,
        errors: 0,
    };
    for message in messages {
        let text = message.text.as_ref();
        if let Some(rest) = text.strip_prefix("VISIT ") {
            let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let rest = rest.trim();
            if rest.ends_with("STARTED") {
                if let Some(open) = open {
                    (visits[open].stop, visits[open].status) = (Some(message.time), "no end seen");
                }
                open = Some(visits.len());
                visits.push(fresh(name, Some(message.time)));
            } else if rest == "ENDED" || rest.starts_with("ENDED,") {
                let cause = rest.split_once(',').map(|(_, cause)| cause.trim().to_owned());
                let unended = |visit: &Visit| visit.name == name && visit.status == "no end seen";
                let known = open.take_if(|open| visits[*open].name == name);
                let at = known.or_else(|| visits.iter().rposition(unended)).unwrap_or_else(|| {
                    if let Some(open) = open.take() {
                        // It was over when this one, of which nobody knows since when, was there.
                        (visits[open].stop, visits[open].status) = (Some(message.time), "no end seen");
                        earliest = Some(message.time);
                    }
                    visits.push(Visit { status: "no start seen", ..fresh(name, earliest) });
                    visits.len() - 1
                });
                let visit = &mut visits[at];
                (visit.stop, visit.cause) = (Some(message.time), cause);
                if visit.status != "no start seen" {
                    visit.status = "ended";
                }
            } else if rest.ends_with("SKIPPED") {
                let skipped = fresh(name, Some(message.time));
                visits.push(Visit { stop: Some(message.time), status: "skipped", ..skipped });
            } else {
                continue;
            }
            earliest = Some(message.time);
            continue;
        }
        let script = text.strip_prefix("Script activated: ").or(text.strip_prefix("Script terminated: "));
        let Some(script) = script else { continue };
        // What belongs to an activity runs in a visit that began before the messages do; a visit's own scripts may end after it.
        let is_of_activity = script.get(12..13) == Some("P");
        if let (None, None, true, Some(name)) = (open, earliest, is_of_activity, visit_of(script)) {
            open = Some(visits.len());
            visits.push(fresh(name, None));
        }
        let Some(open) = open.map(|open| &mut visits[open]) else { continue };
        if text.starts_with("Script activated: ") {
            // The first one seen of a visit that began before the messages need not be its first.
            if open.start.is_some() && (script.ends_with(":FGSMAIN") || script.ends_with(":FGSMTMAIN")) {
                open.guiding.get_or_insert(message.time);
            }
        } else if script.ends_with(":ERROR") && script.contains(&open.name) {
            open.errors += 1;
        }
    }
    visits
}

/// When a visit was executed, and when it was not, as far as the messages are known: one that began before them from their start, and one
/// that goes on up to their end. Where no message tells of any visit, neither is known.
pub(crate) fn visit_spans(parts: &[&Series], name: &str) -> Result<(Coverage, Coverage)> {
    let (mut inside, mut outside) = (Coverage::new(), Coverage::new());
    let of_all = messages_of(parts)?;
    for part in parts {
        for known in part.known.ranges() {
            let rows = |at: Instant| of_all.partition_point(|message| message.time < at.as_micros());
            let into = part.leading.as_ref().filter(|_| known.start() == part.range.start());
            let into = into.and_then(|sample| match &sample.value {
                Value::Text(text) => {
                    Some(Message { time: sample.time.as_micros(), ordinal: 0, text: Arc::clone(text) })
                }
                _ => None,
            });
            let messages = &of_all[rows(known.start())..rows(known.stop())];
            let messages: Vec<Message> = into.into_iter().chain(messages.iter().cloned()).collect();
            let visits = visits_of(&messages);
            if visits.is_empty() {
                continue;
            }
            let mut here = Coverage::new();
            for visit in visits.iter().filter(|visit| visit.name == name) {
                let start = visit.start.map_or(known.start(), Instant::from_micros).max(known.start());
                let stop = visit.stop.map_or(known.stop(), Instant::from_micros);
                TimeRange::checked(start, stop).into_iter().for_each(|span| here.insert(span));
            }
            here.gaps(*known).into_iter().for_each(|span| outside.insert(span));
            here.ranges().iter().for_each(|span| inside.insert(*span));
        }
    }
    Ok((inside, outside))
}

fn times(
    name: &str,
    words: &str,
    times: impl Iterator<Item = Option<i64>>,
) -> (crate::polars::Column, ColumnAbout) {
    (columns::optional_time(name, times), ColumnAbout::general(name, words))
}

fn texts(
    name: &str,
    words: &str,
    texts: impl Iterator<Item = Option<Arc<str>>>,
) -> (crate::polars::Column, ColumnAbout) {
    (columns::text(name, texts), ColumnAbout::general(name, words))
}

/// The visits. Columns: `start` (of the slew), `stop`, `duration_s`, `visit`, `guiding_start` (the first guide-star script: the scheduled
/// time), `status`, `cause` (what is said of an end out of turn), `errors` (how many of its scripts ended in one).
///
/// The status is `ended`, `skipped` (no time, when its window closed), `ongoing`, `no end seen` (it stops at the latest when the next one
/// starts, and does so here), or `no start seen` (it starts at the earliest when the one before is over, and does so here). What lies outside
/// the messages is null: the start of a visit that began before them, the stop of one that goes on.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if `ICTM_EVENT_MSG` is not among `series`.
pub fn visits(series: &[Series]) -> Result<Table> {
    let visits = visits_of(&messages_of(&required(series)?)?);
    let rows = || visits.iter();
    let columns = vec![
        times("start", "start of the slew, UTC", rows().map(|one| one.start)),
        times("stop", "end of the visit, or when it was skipped, UTC", rows().map(|one| one.stop)),
        seconds("duration_s", "from start to stop", rows().map(|one| Some(one.stop? - one.start?))),
        texts("visit", "the visit", rows().map(|one| Some(one.name.as_str().into()))),
        times("guiding_start", "first guide-star script, UTC", rows().map(|one| one.guiding)),
        texts(
            "status",
            "ended, skipped, ongoing, no end seen, no start seen",
            rows().map(|one| Some(one.status.into())),
        ),
        texts("cause", "why it ended out of turn", rows().map(|one| one.cause.as_deref().map(Into::into))),
        (
            columns::integer("errors", rows().map(|one| Some(one.errors))),
            ColumnAbout::general("errors", "scripts that ended in an error"),
        ),
    ];
    let mut table = Table::new(columns, Vec::new())?;
    table.made = vec![("rows".to_owned(), "visits of the event log".to_owned())];
    Ok(table)
}

/// One run of a script.
struct Activity {
    start: Option<i64>,
    stop: Option<i64>,
    id: String,
    script: String,
    status: Option<String>,
}

impl Activity {
    fn new(id: &str, script: &str, start: Option<i64>) -> Self {
        Self { start, stop: None, id: id.to_owned(), script: script.to_owned(), status: None }
    }

    fn visit(&self) -> Option<&str> {
        visit_of(&self.id)
    }

    /// Whether it runs beside the visit's own instrument: the number after `P` is not that of the prime.
    fn is_parallel(&self) -> bool {
        self.id.get(12..18).is_some_and(|part| part.starts_with('P') && &part[1..] != "00000")
    }

    fn category(&self) -> &'static str {
        let script = self.script.as_str();
        match script {
            "SCSLEWMAIN" => "slew",
            "FGSMAIN" | "FGSMTMAIN" => "guiding",
            _ if script.contains("TA") => "target acquisition",
            _ if ["NRC", "NIS", "NRS", "MIR"].iter().any(|name| script.starts_with(name)) => {
                if self.is_parallel() { "parallel" } else { "science" }
            }
            _ if script.contains("WAIT") => "wait",
            _ => "other",
        }
    }
}

fn activities_of(messages: &[Message]) -> Vec<Activity> {
    let mut all: Vec<Activity> = Vec::new();
    // Of runs that go by one name, the one that began last ends first.
    let mut open: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for message in messages {
        let text = message.text.as_ref();
        if let Some((id, script)) =
            text.strip_prefix("Script activated: ").and_then(|rest| rest.split_once(':'))
        {
            let (id, script) = (id.trim(), script.trim());
            open.entry((id, script)).or_default().push(all.len());
            all.push(Activity::new(id, script, Some(message.time)));
        } else if let Some((id, rest)) =
            text.strip_prefix("Script terminated: ").and_then(|rest| rest.split_once(':'))
        {
            let (script, status) = match rest.split_once(':') {
                Some((script, status)) => (script, Some(status.trim().to_owned())),
                None => (rest, None),
            };
            let (id, script) = (id.trim(), script.trim());
            let at = open.get_mut(&(id, script)).and_then(Vec::pop).unwrap_or_else(|| {
                all.push(Activity::new(id, script, None));
                all.len() - 1
            });
            (all[at].stop, all[at].status) = (Some(message.time), status);
        }
    }
    all
}

/// The runs of scripts. Columns: `start`, `stop`, `duration_s`, `visit` (null for what belongs to none), `activity` (as the log writes it),
/// `script`, `category` (`slew`, `guiding`, `target acquisition`, `science`, `parallel`, `wait`, `other`), `status` (what is said at its end, as `Proceed`,
/// `ERROR`).
///
/// A run whose beginning or end lies outside the messages has a null there.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if `ICTM_EVENT_MSG` is not among `series`.
pub fn activities(series: &[Series]) -> Result<Table> {
    let all = activities_of(&messages_of(&required(series)?)?);
    let rows = || all.iter();
    let columns = vec![
        times("start", "activation of the script, UTC", rows().map(|one| one.start)),
        times("stop", "termination of the script, UTC", rows().map(|one| one.stop)),
        seconds("duration_s", "from start to stop", rows().map(|one| Some(one.stop? - one.start?))),
        texts("visit", "the visit that it belongs to", rows().map(|one| one.visit().map(Into::into))),
        texts(
            "activity",
            "the activity, as the log writes it",
            rows().map(|one| Some(one.id.as_str().into())),
        ),
        texts("script", "the script", rows().map(|one| Some(one.script.as_str().into()))),
        texts("category", "what kind of script", rows().map(|one| Some(one.category().into()))),
        texts("status", "what is said at its end", rows().map(|one| one.status.as_deref().map(Into::into))),
    ];
    let mut table = Table::new(columns, Vec::new())?;
    table.made = vec![("rows".to_owned(), "activities of the event log".to_owned())];
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_have_one_name_however_they_are_written() {
        for text in ["V04503031001", "04503031001", "4503:31:1", "4503:31", " v04503031001 "] {
            assert_eq!(visit_name(text).as_deref(), Some("V04503031001"), "{text}");
        }
        for text in ["", "V1", "4503", "4503:31:1:1", "100000:1:1", "1:1000", "V0450303100X"] {
            assert_eq!(visit_name(text), None, "{text}");
        }
    }

    fn read(lines: &[(i64, &str)]) -> Vec<Message> {
        lines.iter().map(|(time, text)| Message { time: *time, ordinal: 0, text: (*text).into() }).collect()
    }

    #[test]
    fn visits_end_as_the_log_says() {
        let visits = visits_of(&read(&[
            (1, "VISIT V01635026001 ENDED"),
            (2, "VISIT V01635026002 STARTED"),
            (3, "Script activated: V01635026002:CONVST"),
            (4, "Script activated: V01635026002P0000000001101:FGSMAIN"),
            (5, "Script activated: V01635026002P0000000001102:FGSMAIN"),
            (6, "Script terminated: V01635026002P0000000001102:FGSMAIN:ERROR"),
            (7, "VISIT V01635026002 ENDED, SSR ALMOST FULL"),
            (7, "*** PLAN PROCESSING STOPPED, SSR ALMOST FULL ***"),
            (8, "VISIT V01234005006 - window closed: SKIPPED"),
            (9, "VISIT V01635026003 STARTED"),
            (20, "VISIT V01635026004 STARTED"),
        ]));
        let told: Vec<_> = visits
            .iter()
            .map(|one| (&one.name[9..], one.start, one.guiding, one.stop, one.status, one.errors))
            .collect();
        assert_eq!(
            told,
            [
                ("001", None, None, Some(1), "no start seen", 0),
                ("002", Some(2), Some(4), Some(7), "ended", 1),
                ("006", Some(8), None, Some(8), "skipped", 0),
                ("003", Some(9), None, Some(20), "no end seen", 0),
                ("004", Some(20), None, None, "ongoing", 0),
            ]
        );
        assert_eq!(visits[1].cause.as_deref(), Some("SSR ALMOST FULL"));
        let parts = |lines: &[(i64, &str)]| -> Vec<(String, Option<i64>, Option<i64>, &'static str)> {
            visits_of(&read(lines))
                .into_iter()
                .map(|one| (one.name[9..].to_owned(), one.start, one.stop, one.status))
                .collect()
        };
        assert_eq!(
            parts(&[
                (1, "Script terminated: V01635026001P0000000001102:FGSMAIN:Proceed"),
                (5, "VISIT V01635026001 ENDED"),
                (6, "Script terminated: V01635026001:CONVST"),
                (9, "VISIT V01635026002 ENDED"),
            ]),
            [
                ("001".to_owned(), None, Some(5), "ended"),
                ("002".to_owned(), Some(5), Some(9), "no start seen"),
            ],
            "a script says what it runs in, unless that is over"
        );
        let late = [(1, "Script terminated: V01635026001:CONVST"), (9, "VISIT V01635026002 STARTED")];
        assert_eq!(parts(&late), [("002".to_owned(), Some(9), None, "ongoing")]);
        let other = [(1, "VISIT V01635026003 STARTED"), (9, "VISIT V01635026004 ENDED")];
        assert_eq!(
            parts(&other),
            [
                ("003".to_owned(), Some(1), Some(9), "no end seen"),
                ("004".to_owned(), Some(9), Some(9), "no start seen")
            ],
            "one at a time"
        );
        let lines = [
            (1, "VISIT V01635026002 STARTED"),
            (5, "VISIT V01635026003 STARTED"),
            (6, "VISIT V01635026002 ENDED"),
        ];
        assert_eq!(
            parts(&lines),
            [("002".to_owned(), Some(1), Some(6), "ended"), ("003".to_owned(), Some(5), None, "ongoing")],
            "each has one row"
        );
    }

    #[test]
    fn activities_pair_what_began_with_what_ended() {
        let all = activities_of(&read(&[
            (1, "Script terminated: VST_EXEC_THREAD:OPEVSTEXEC:SSR_ALMOST_FULL"),
            (2, "Script activated: V02726402001P0000000002102:NRCTAMAIN"),
            (3, "Script activated: V02726402001P0000100002102:MIRMAIN"),
            (4, "Script terminated: V02726402001P0000000002102:NRCTAMAIN:Proceed"),
            (5, "Script activated: V02726402001P0000000002102:NRCTAMAIN"),
            (6, "Script activated: V02726402001P0000000001101:SCSLEWMAIN"),
            (9, "Script terminated: V02726402001P0000000001101:SCSLEWMAIN"),
        ]));
        let told: Vec<_> = all
            .iter()
            .map(|one| (one.start, one.stop, one.visit(), one.category(), one.status.as_deref()))
            .collect();
        let visit = Some("V02726402001");
        assert_eq!(
            told,
            [
                (None, Some(1), None, "other", Some("SSR_ALMOST_FULL")),
                (Some(2), Some(4), visit, "target acquisition", Some("Proceed")),
                (Some(3), None, visit, "parallel", None),
                (Some(5), None, visit, "target acquisition", None),
                (Some(6), Some(9), visit, "slew", None),
            ]
        );
    }
}
