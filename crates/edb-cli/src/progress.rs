//! What is shown on the way: bars on a terminal, lines, or events for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use edb::fetch::{Event, Progress as Part};
use edb::{MICROS_PER_SECOND, Source};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::json;

use crate::args::{Common, LogFormat, ProgressForm};
use crate::{output, summary};

/// With more mnemonics than this, bars are of groups of them.
const MOST_BARS: usize = 8;
const TICK: std::time::Duration = std::time::Duration::from_millis(200);

/// The bars on the terminal, while there are any.
static SHOWN: Mutex<Option<MultiProgress>> = Mutex::new(None);

fn shown() -> MutexGuard<'static, Option<MultiProgress>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `work`, which talks to the user, while no bar is drawn.
pub(crate) fn suspended<T>(work: impl FnOnce() -> T) -> T {
    let bars = shown().clone();
    match bars {
        Some(bars) => bars.suspend(work),
        None => work(),
    }
}

/// What is shown of a retrieval.
pub(crate) struct Display {
    form: ProgressForm,
    bars: Option<Bars>,
    /// Mnemonics of which something was given up.
    failed: BTreeSet<String>,
}

struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    groups: BTreeMap<String, ProgressBar>,
    parts: BTreeMap<String, Part>,
}

impl Display {
    pub(crate) fn new(common: &Common, source: Option<&Arc<dyn Source>>) -> Self {
        let words = &common.words;
        let form = if words.quiet { ProgressForm::Never } else { words.progress };
        let wants_bars = form == ProgressForm::Auto && words.log_format == LogFormat::Text;
        Self { form, bars: wants_bars.then(|| Bars::new(source.cloned())), failed: BTreeSet::new() }
    }

    /// Shows what happened.
    pub(crate) fn show(&mut self, event: &Event<'_>) {
        tell(event);
        let (part, is_news) = match event {
            Event::Planned(part) => (part, false),
            Event::Answered(_, part) | Event::Failed(_, part) => (part, true),
            Event::Asked(_) | Event::Split(..) => return,
        };
        if let Some(bars) = &mut self.bars {
            bars.update(part);
        }
        if let Event::Failed(..) = event {
            self.failed.insert(part.mnemonic.to_string());
        }
        if self.form == ProgressForm::Lines && is_news && part.done_us >= part.span_us {
            let (samples, answers) =
                (summary::counted(part.rows, "sample"), summary::counted(part.answers, "answer"));
            let failed = if self.failed.contains(part.mnemonic.as_str()) { ", in part failed" } else { "" };
            output::say(&format!("{}: {samples} in {answers}{failed}", part.mnemonic));
        }
    }

    /// Takes the bars away.
    pub(crate) fn finish(self) {
        *shown() = None;
        if let Some(bars) = self.bars {
            // What is cleared cannot be drawn again, so there is nothing to be done if that fails.
            let _ = bars.all.clear();
        }
    }
}

impl Bars {
    fn new(source: Option<Arc<dyn Source>>) -> Self {
        // indicatif draws nothing where stderr is no terminal.
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let total = all.add(ProgressBar::new(0));
        let speed = move |state: &ProgressState, out: &mut dyn Write| {
            let traffic = source.as_ref().map(|source| source.traffic()).unwrap_or_default();
            let seconds = state.elapsed().as_secs_f64().max(1e-3);
            // A bar that cannot be written is not seen either.
            let _ = write!(
                out,
                "{} rows  {}  {}/s",
                summary::thousands(traffic.rows),
                summary::bytes(traffic.bytes),
                summary::bytes((traffic.bytes as f64 / seconds) as u64)
            );
        };
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {percent:>3}%  {speed}  {elapsed} (ETA {eta})  {msg}")
        {
            total.set_style(style.with_key("speed", speed));
        }
        total.enable_steady_tick(TICK);
        *shown() = Some(all.clone());
        Self { all, total, groups: BTreeMap::new(), parts: BTreeMap::new() }
    }

    fn update(&mut self, part: &Part) {
        self.parts.insert(part.mnemonic.to_string(), part.clone());
        let grouped = self.parts.len() > MOST_BARS;
        if grouped && self.groups.len() == MOST_BARS {
            // The bars of single mnemonics make room for those of groups.
            self.groups.values().for_each(|bar| self.all.remove(bar));
            self.groups.clear();
        }
        let group_of = |name: &str| match name.split_once('_') {
            Some((prefix, _)) if grouped => format!("{prefix}_*"),
            _ => name.to_owned(),
        };
        let mut sums: BTreeMap<String, (f64, f64, usize)> = BTreeMap::new();
        let mut sum = (0.0, 0.0);
        for (name, part) in &self.parts {
            let group = sums.entry(group_of(name)).or_default();
            let (done, span) = (seconds(part.done_us), seconds(part.span_us));
            *group = (group.0 + done, group.1 + span, group.2 + part.rows);
            sum = (sum.0 + done, sum.1 + span);
        }
        for (name, (done, span, rows)) in sums {
            let bar = self.groups.entry(name.clone()).or_insert_with(|| {
                let bar = self.all.insert_before(&self.total, ProgressBar::new(0));
                if let Ok(style) = ProgressStyle::with_template("{bar:20} {percent:>3}%  {prefix}  {msg}") {
                    bar.set_style(style);
                }
                bar.set_prefix(name);
                bar
            });
            bar.set_length(span as u64);
            bar.set_position(done as u64);
            bar.set_message(summary::counted(rows, "sample"));
        }
        self.total.set_length(sum.1 as u64);
        self.total.set_position(sum.0 as u64);
    }
}

/// Tells programs what happened.
fn tell(event: &Event<'_>) {
    let part = |part: &Part| {
        json!({
            "mnemonic": part.mnemonic, "asked_s": seconds(part.span_us), "settled_s": seconds(part.done_us),
            "samples": part.rows, "answers": part.answers,
        })
    };
    let window = |window: &edb::fetch::Window| {
        let range = window.wanted.range;
        json!({
            "mnemonic": window.wanted.mnemonic, "start": range.start().to_string(), "stop": range.stop().to_string(),
            "is_check": window.check.is_some(),
        })
    };
    match event {
        Event::Planned(planned) => output::event("planned", part(planned)),
        Event::Asked(asked) => output::event("asked", window(asked)),
        Event::Answered(asked, so_far) => {
            let mut facts = window(asked);
            facts["progress"] = part(so_far);
            output::event("answered", facts);
        }
        Event::Split(asked, error) => {
            let mut facts = window(asked);
            facts["text"] = error.chain().into();
            output::event("split", facts);
        }
        Event::Failed(failure, so_far) => output::event(
            "failed",
            json!({
                "request": failure.wanted.to_string(), "text": failure.error.chain(), "tries": failure.error.tries(),
                "progress": part(so_far),
            }),
        ),
    }
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / MICROS_PER_SECOND as f64
}

/// A bar over so many files, and the bytes that `source` has received.
pub(crate) fn bar(common: &Common, length: u64, source: Arc<dyn Source>) -> ProgressBar {
    let words = &common.words;
    let is_hidden =
        words.quiet || words.progress != ProgressForm::Auto || words.log_format == LogFormat::Json;
    let target = if is_hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    let speed = move |state: &ProgressState, out: &mut dyn Write| {
        let bytes = source.traffic().bytes;
        let per_second = bytes as f64 / state.elapsed().as_secs_f64().max(1e-3);
        // A bar that cannot be written is not seen either.
        let _ = write!(out, "{}  {}/s", summary::bytes(bytes), summary::bytes(per_second as u64));
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} files  {speed}  {elapsed}  {msg}") {
        bar.set_style(style.with_key("speed", speed));
    }
    bar.enable_steady_tick(TICK);
    bar
}
