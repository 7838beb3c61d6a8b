//! Tables of what may be wrong with samples, and of how they come.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use edb_core::{
    Coverage, Mnemonic, Notice, NoticeKind, Result, Sampling, Series, ValueKind, format_duration,
};
use edb_series::{flaws as kernel, gaps};

use crate::align::Limit;
use crate::columns;
use crate::intervals::seconds;
use crate::parts::{self, Reals, by_mnemonic, stretches};
use crate::table::{ColumnAbout, Table};

/// What counts as a flaw.
#[derive(Debug, Clone, PartialEq)]
pub struct FlawOptions {
    /// The longest step that is no gap; learned, it is one and a half cadences, for what has one.
    pub max_gap: Limit,
    /// How long a real-valued mnemonic that comes at a cadence may stand still; by default an hour.
    pub constant: Duration,
    /// Least and greatest values that mnemonics may have.
    pub limits: Vec<(Mnemonic, f64, f64)>,
    /// How many times the scatter a real value may stand away from those around it; by default 10 ([`kernel::spikes`]).
    pub spike_sigma: f64,
}

impl Default for FlawOptions {
    fn default() -> Self {
        Self {
            max_gap: Limit::Learned,
            constant: Duration::from_hours(1),
            limits: Vec::new(),
            spike_sigma: 10.0,
        }
    }
}

struct Flaw {
    mnemonic: Mnemonic,
    kind: &'static str,
    /// None where nobody knows.
    start_us: Option<i64>,
    stop_us: Option<i64>,
    samples: i64,
    value: Option<f64>,
    detail: String,
}

/// What may be wrong. Columns: `start`, `stop`, `duration_s`, `mnemonic`, `flaw`, `samples` (how many it is about), `value` (the furthest of them),
/// `detail`; by time. Flaws:
///
/// - `unknown`: nothing is known there: never fetched, or not fetched whole
/// - `gap`: from one sample to the next, or from or to a border of what is known, is longer than allowed; of what is change-only or has no
///   cadence only where `max_gap` says so
/// - `equal times`: several samples with one time; `detail` says whether their values are equal, too
/// - `out of order`: rows that came before an earlier one, as the notices of the retrieval tell
/// - `constant`: a real value that stood still, noise and all
/// - `outside limits`: from the first to the last sample of a run outside
/// - `spike`: one value far from those around it
/// - `not finite`: NaN or infinities; `null`: samples without a value
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if the ranges of one mnemonic overlap or have values of different kinds.
pub fn flaws(series: &[Series], options: &FlawOptions, notices: &[Notice]) -> Result<Table> {
    let mut all = Vec::new();
    for parts in by_mnemonic(series) {
        parts::kind_of(&parts)?;
        find(&parts, options, &mut all);
    }
    for notice in notices.iter().filter(|notice| notice.kind == NoticeKind::OutOfOrder) {
        if let Some(mnemonic) = notice.mnemonic.clone() {
            let detail = notice.text.clone();
            all.push(Flaw {
                mnemonic,
                kind: "out of order",
                start_us: None,
                stop_us: None,
                samples: 0,
                value: None,
                detail,
            });
        }
    }
    all.sort_by_key(|flaw| flaw.start_us);
    let rows = || all.iter();
    let general = ColumnAbout::general;
    let columns = vec![
        (
            columns::optional_time("start", rows().map(|one| one.start_us)),
            general("start", "first time of it, UTC"),
        ),
        (
            columns::optional_time("stop", rows().map(|one| one.stop_us)),
            general("stop", "last time of it, UTC"),
        ),
        seconds("duration_s", "from start to stop", rows().map(|one| Some(one.stop_us? - one.start_us?))),
        (
            columns::words("mnemonic", rows().map(|one| Some(one.mnemonic.as_str()))),
            general("mnemonic", "whose flaw"),
        ),
        (columns::words("flaw", rows().map(|one| Some(one.kind))), general("flaw", "what is wrong")),
        (
            columns::integer("samples", rows().map(|one| Some(one.samples))),
            general("samples", "how many samples it is about"),
        ),
        (columns::real("value", rows().map(|one| one.value)), general("value", "the furthest value")),
        (
            columns::words("detail", rows().map(|one| Some(one.detail.as_str()))),
            general("detail", "in words"),
        ),
    ];
    let selected = |name: &Mnemonic| series.iter().any(|one| one.mnemonic() == name);
    let idle = options.limits.iter().filter(|(name, ..)| !selected(name));
    let told =
        idle.map(|(name, ..)| Notice::about(NoticeKind::LeftOut, name, "has limits, and is not selected"));
    let mut table = Table::new(columns, told.collect())?;
    table.made = vec![("rows".to_owned(), "flaws".to_owned())];
    Ok(table)
}

fn find(parts: &[&Series], options: &FlawOptions, all: &mut Vec<Flaw>) {
    let mnemonic = parts[0].mnemonic();
    let is_change_only = parts::sampling(parts).0 == Sampling::ChangeOnly;
    let limits = options.limits.iter().find(|(name, ..)| name == mnemonic);
    let cadence = parts::cadence_us(parts).filter(|_| !is_change_only);
    let longest = match options.max_gap {
        Limit::At(gap) => Some(i64::try_from(gap.as_micros()).unwrap_or(i64::MAX)),
        Limit::Learned => cadence.map(gaps::gap_limit_us),
        Limit::Unlimited => None,
    };
    // The brackets of two ranges may tell of one gap between them.
    let mut told = BTreeSet::new();
    for part in parts.iter().filter(|part| !parts::is_left_out(part)) {
        let times = part.samples.times();
        let flaw = |kind: &'static str, start_us: i64, stop_us: i64, samples: usize, detail: String| Flaw {
            mnemonic: mnemonic.clone(),
            kind,
            start_us: Some(start_us),
            stop_us: Some(stop_us),
            samples: samples as i64,
            value: None,
            detail,
        };
        for unknown in part.unknown() {
            let (start, stop) = (unknown.start().as_micros(), unknown.stop().as_micros());
            all.push(flaw("unknown", start, stop, 0, "nothing is known there".to_owned()));
        }
        if let Some(limit) = longest {
            // What is unknown is told already, and is no gap of the telemetry.
            for times in stretches(part).map(|stretch| stretch.times_between()) {
                for at in gaps::gaps(&times, limit) {
                    let (start, stop) = (times[at], times[at + 1]);
                    if !told.insert((start, stop)) {
                        continue;
                    }
                    let step = format_duration(Duration::from_micros((stop - start) as u64));
                    let usual = format_duration(Duration::from_micros(limit as u64));
                    let detail = format!("{step} without a sample, at most {usual} is usual");
                    all.push(flaw("gap", start, stop, 0, detail));
                }
            }
        }
        for run in kernel::equal_times(times) {
            let is_same = run.clone().skip(1).all(|row| parts::same_value(part, row - 1, row));
            let detail = if is_same { "equal values, too" } else { "different values: legal for messages" };
            all.push(flaw("equal times", times[run.start], times[run.start], run.len(), detail.to_owned()));
        }
        let nulls = part.samples.nulls().positions();
        if let (Some(first), Some(last)) = (nulls.first(), nulls.last()) {
            all.push(flaw(
                "null",
                times[*first],
                times[*last],
                nulls.len(),
                "samples without a value".to_owned(),
            ));
        }
        if part.samples.values().kind() != ValueKind::Text {
            numbers(part, cadence.is_some(), options, limits.map(|(_, low, high)| (*low, *high)), &flaw, all);
        }
    }
}

fn numbers(
    part: &Series,
    is_regular: bool,
    options: &FlawOptions,
    limits: Option<(f64, f64)>,
    flaw: &impl Fn(&'static str, i64, i64, usize, String) -> Flaw,
    all: &mut Vec<Flaw>,
) {
    let reals = Reals::of(part);
    let rows: Vec<usize> = (0..part.samples.len()).filter(|row| !reals.is_missing(*row)).collect();
    let times: Vec<i64> = rows.iter().map(|row| part.samples.times()[*row]).collect();
    let values: Vec<f64> = rows.iter().map(|row| reals.values[*row]).collect();
    let broken: Vec<usize> = (0..values.len()).filter(|row| !values[*row].is_finite()).collect();
    if let (Some(first), Some(last)) = (broken.first(), broken.last()) {
        all.push(flaw("not finite", times[*first], times[*last], broken.len(), "NaN or infinite".to_owned()));
    }
    if let Some((low, high)) = limits {
        for run in kernel::runs_outside(&values, low, high) {
            let beyond = |value: &f64| (low - value).max(value - high);
            let furthest = values[run.clone()].iter().copied().max_by(|a, b| beyond(a).total_cmp(&beyond(b)));
            let detail = format!("outside [{low}, {high}]");
            let value = furthest;
            all.push(Flaw {
                value,
                ..flaw("outside limits", times[run.start], times[run.end - 1], run.len(), detail)
            });
        }
    }
    if !is_regular || part.samples.values().kind() != ValueKind::Real {
        return;
    }
    #[expect(clippy::float_cmp, reason = "standing still is being equal to the last bit")]
    let same = |a: usize, b: usize| values[a] == values[b];
    for run in kernel::constant_runs(values.len(), same, 2) {
        let (start, stop) = (times[run.start], times[run.end - 1]);
        if u128::from((stop - start) as u64) >= options.constant.as_micros() {
            let value = Some(values[run.start]);
            all.push(Flaw {
                value,
                ..flaw("constant", start, stop, run.len(), "the value stands still".to_owned())
            });
        }
    }
    for row in kernel::spikes(&values, options.spike_sigma) {
        let detail = format!("beyond {} times the scatter, on both sides", options.spike_sigma);
        all.push(Flaw { value: Some(values[row]), ..flaw("spike", times[row], times[row], 1, detail) });
    }
}

/// How samples come. Columns: `mnemonic`, `samples`, `first`, `last`, `known_s` (how much of the ranges is known), `cadence_s` (the median step) and `jitter_s`
/// (19 of 20 steps stray no further), both null without a cadence, `gaps`, `sampling` (`all points`, `change-only`, `not known`), `evidence` (who says so).
///
/// # Errors
/// None that bad telemetry could cause.
pub fn cadences(series: &[Series]) -> Result<Table> {
    struct Row {
        mnemonic: Mnemonic,
        samples: usize,
        first: Option<i64>,
        last: Option<i64>,
        known_us: i64,
        cadence: Option<(i64, i64, usize)>,
        sampling: &'static str,
        evidence: Arc<str>,
    }
    let row = |parts: Vec<&Series>| {
        let (sampling, notice) = parts::sampling(&parts);
        let longest = parts.iter().map(|part| part.samples.times()).max_by_key(|times| times.len());
        let cadence = parts::cadence_us(&parts).filter(|_| sampling != Sampling::ChangeOnly);
        let known: Coverage = parts.iter().flat_map(|part| part.known.ranges()).copied().collect();
        let evidence = match (&notice, parts[0].sampling()) {
            (Some(notice), _) => notice.text.as_str().into(),
            (None, Sampling::Unknown) if cadence.is_some() => "nobody says, but steps have a cadence".into(),
            (None, Sampling::Unknown) => "nobody says, and the samples do not either".into(),
            _ => "stated".into(),
        };
        Row {
            mnemonic: parts[0].mnemonic().clone(),
            samples: parts.iter().map(|part| part.samples.len()).sum(),
            first: parts.iter().filter_map(|part| part.samples.times().first()).min().copied(),
            last: parts.iter().filter_map(|part| part.samples.times().last()).max().copied(),
            known_us: known.micros(),
            cadence: cadence.map(|cadence| {
                let times = longest.unwrap_or_default();
                let gaps = gaps::gaps(times, gaps::gap_limit_us(cadence)).len();
                (cadence, gaps::jitter_us(times, cadence), gaps)
            }),
            sampling: match sampling {
                Sampling::AllPoints => "all points",
                Sampling::ChangeOnly => "change-only",
                Sampling::Unknown => "not known",
            },
            evidence,
        }
    };
    let all: Vec<Row> = by_mnemonic(series).into_iter().map(row).collect();
    let rows = || all.iter();
    let general = ColumnAbout::general;
    let columns = vec![
        (
            columns::words("mnemonic", rows().map(|one| Some(one.mnemonic.as_str()))),
            general("mnemonic", "whose samples"),
        ),
        (
            columns::integer("samples", rows().map(|one| Some(one.samples as i64))),
            general("samples", "how many samples"),
        ),
        (
            columns::optional_time("first", rows().map(|one| one.first)),
            general("first", "the first of them, UTC"),
        ),
        (
            columns::optional_time("last", rows().map(|one| one.last)),
            general("last", "the last of them, UTC"),
        ),
        seconds("known_s", "how much of the ranges is known", rows().map(|one| Some(one.known_us))),
        seconds("cadence_s", "the median step", rows().map(|one| one.cadence.map(|it| it.0))),
        seconds(
            "jitter_s",
            "19 of 20 steps stray no further from it",
            rows().map(|one| one.cadence.map(|it| it.1)),
        ),
        (
            columns::integer("gaps", rows().map(|one| one.cadence.map(|it| it.2 as i64))),
            general("gaps", "steps that are too long for it"),
        ),
        (
            columns::words("sampling", rows().map(|one| Some(one.sampling))),
            general("sampling", "how it is sampled"),
        ),
        (
            columns::text("evidence", rows().map(|one| Some(Arc::clone(&one.evidence)))),
            general("evidence", "who says so"),
        ),
    ];
    let mut table = Table::new(columns, Vec::new())?;
    table.made = vec![("rows".to_owned(), "mnemonics and how they come".to_owned())];
    Ok(table)
}
