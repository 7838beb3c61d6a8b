//! What happened, for people and for programs.

use std::fmt::Write;
use std::time::Duration;

use edb::fetch::{Plan, PlannedPart};
use edb::{ErrorKind, Exposures, Result};
use edb_job::{FailureReport, Report};
use serde_json::json;

use crate::args::{Common, SummaryForm};
use crate::output;

/// The most notices, and the most failures, that are printed one by one.
const MOST_NOTICES: usize = 12;
const MOST_FAILURES: usize = 12;
/// What a plan reckons with, for want of anything better; it says so.
const ASSUMED_LATENCY_S: f64 = 1.0;
const ASSUMED_BYTES_PER_SECOND: f64 = 10e6;

/// Prints the summary that the user asked for.
///
/// # Errors
/// [`edb::ErrorKind::Disk`] if stdout fails.
pub(crate) fn print(common: &Common, report: &Report, elapsed: Duration, has_store: bool) -> Result<()> {
    match common.words.summary {
        SummaryForm::None => Ok(()),
        // The cause says all there is to say.
        SummaryForm::Text if common.words.quiet || report.cause.is_some() => Ok(()),
        SummaryForm::Text => {
            output::say(text(report, elapsed, has_store).trim_end());
            Ok(())
        }
        SummaryForm::Json => {
            let mut object = serde_json::to_value(report).unwrap_or_default();
            object["elapsed_s"] = serde_json::json!(elapsed.as_secs_f64());
            output::data(format!("{object}\n").as_bytes())
        }
    }
}

fn text(report: &Report, elapsed: Duration, has_store: bool) -> String {
    let mut text = String::new();
    let width = report.series.iter().map(|series| series.mnemonic.len()).max().unwrap_or(0).max(8);
    let _ = writeln!(
        text,
        "{:width$}  {:>10}  {:>9}  {:>5}  {:>10}  range",
        "mnemonic", "samples", "cadence", "gaps", "longest"
    );
    for series in &report.series {
        let cadence = series.cadence_s.map_or("-".to_owned(), |cadence| format!("{cadence} s"));
        let gaps = series.gaps.map_or("-".to_owned(), |gaps| gaps.to_string());
        let longest = series.longest_gap_s.map_or("-".to_owned(), |gap| format!("{gap:.1} s"));
        let known = if series.is_complete { "" } else { "  (not all known)" };
        let _ = writeln!(
            text,
            "{:width$}  {:>10}  {cadence:>9}  {gaps:>5}  {longest:>10}  {}/{}{known}",
            series.mnemonic,
            thousands(series.samples as u64),
            series.start,
            series.stop
        );
    }
    for file in &report.files {
        let parts = match file.parts.len() {
            0 => String::new(),
            parts => format!("{}, ", counted(parts, "file")),
        };
        let _ = writeln!(
            text,
            "wrote {} ({}, {} rows, {parts}{})",
            file.path.display(),
            file.content,
            thousands(file.rows as u64),
            bytes(file.size_bytes)
        );
    }
    for line in notices(&report.notices) {
        let _ = writeln!(text, "{line}");
    }
    for line in failures(&report.failures) {
        let _ = writeln!(text, "{line}");
    }
    let total: usize = report.series.iter().map(|series| series.samples).sum();
    let _ = writeln!(
        text,
        "{} of {} series in {:.2} s; {}, {} samples over the network; source: {}",
        counted(total, "sample"),
        report.series.len(),
        elapsed.as_secs_f64(),
        counted(report.requests, "request"),
        thousands(report.rows_fetched as u64),
        if report.sources.is_empty() { "none".to_owned() } else { report.sources.join(", ") }
    );
    if report.exit_code == ErrorKind::Limit.exit_code() {
        let what = if has_store {
            "what has come is in the store, and the next run goes on from there"
        } else {
            "without a store (`--store`) the next run begins anew"
        };
        let _ = writeln!(text, "stopped by a limit: {what}");
    }
    if report.is_partial() {
        let _ = writeln!(
            text,
            "partial: {} failed; the rest was delivered",
            counted(report.failures.len(), "range")
        );
    }
    text
}

/// Facts about the data, one line each, the first of them.
pub(crate) fn notices<T: std::fmt::Display>(notices: &[T]) -> Vec<String> {
    let mut lines: Vec<String> =
        notices.iter().take(MOST_NOTICES).map(|notice| format!("notice: {notice}")).collect();
    if notices.len() > MOST_NOTICES {
        lines.push(format!("notice: … and {} more (see --summary json)", notices.len() - MOST_NOTICES));
    }
    lines
}

/// What failed, one line each; what was not tried because something else had failed is counted with its reason.
pub(crate) fn failures(failures: &[FailureReport]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut not_tried: Vec<(&str, usize)> = Vec::new();
    for failure in failures {
        if failure.tries > 0 {
            lines.push(format!("failed: {}: {}", failure.request, failure.error));
            continue;
        }
        match not_tried.iter_mut().find(|(reason, _)| *reason == failure.error) {
            Some(one) => one.1 += 1,
            None => not_tried.push((&failure.error, 1)),
        }
    }
    lines.truncate(MOST_FAILURES);
    let told = lines.len() + not_tried.iter().map(|(_, count)| count).sum::<usize>();
    if told < failures.len() {
        lines.push(format!("failed: … and {} more (see --summary json)", failures.len() - told));
    }
    lines.extend(
        not_tried.iter().map(|(reason, count)| format!("failed: {}: {reason}", counted(*count, "range"))),
    );
    let hint = failures.iter().find_map(|failure| failure.hint.as_ref());
    lines.extend(hint.map(|hint| format!("hint: {hint}")));
    lines
}

/// Prints what would be asked.
///
/// # Errors
/// [`edb::ErrorKind::Disk`] if stdout fails.
pub(crate) fn print_plan(common: &Common, plan: &Plan, exposures: &Exposures) -> Result<()> {
    let places = usize::from(common.network.concurrency);
    let bytes_per_second = common.network.bwlimit.map_or(ASSUMED_BYTES_PER_SECOND, |limit| limit as f64);
    let spacing_s = common.network.rate.map_or(0.0, |rate| places as f64 / rate);
    let seconds = plan.seconds(places, ASSUMED_LATENCY_S.max(spacing_s), bytes_per_second);
    let part = |part: &PlannedPart| {
        json!({
            "mnemonic": part.request.mnemonic, "start": part.request.range.start().to_string(),
            "stop": part.request.range.stop().to_string(), "requests": part.requests, "rows": part.rows.ceil(),
            "bytes": part.bytes.ceil(), "is_rate_known": part.is_rate_known,
        })
    };
    if common.words.summary == SummaryForm::Json {
        let object = json!({
            "parts": plan.parts.iter().map(part).collect::<Vec<_>>(), "requests": plan.requests(), "bytes": plan.bytes().ceil(),
            "seconds": seconds, "assumed_latency_s": ASSUMED_LATENCY_S, "assumed_bytes_per_second": bytes_per_second,
            "exposures": exposures.all().iter().map(|one| json!({
                "label": one.label, "start": one.range.start().to_string(), "stop": one.range.stop().to_string(),
            })).collect::<Vec<_>>(),
        });
        return output::data(format!("{object}\n").as_bytes());
    }
    if plan.parts.is_empty() {
        return output::data(b"everything is known: nothing would be asked\n");
    }
    let mut text = String::new();
    for exposure in exposures.all() {
        let _ = writeln!(
            text,
            "exposure {}  {} {}  {}",
            exposure.label, exposure.instrument, exposure.kind, exposure.range
        );
    }
    let width = plan.parts.iter().map(|part| part.request.mnemonic.as_str().len()).max().unwrap_or(0).max(8);
    let _ = writeln!(
        text,
        "{:width$}  {:>8}  {:>15}  {:>11}  range to ask for",
        "mnemonic", "requests", "rows", "bytes"
    );
    let most = |is_known: bool, text: String| if is_known { text } else { format!("≤ {text}") };
    for part in &plan.parts {
        let _ = writeln!(
            text,
            "{:width$}  {:>8}  {:>15}  {:>11}  {}",
            part.request.mnemonic,
            most(part.is_rate_known, thousands(part.requests as u64)),
            most(part.is_rate_known, thousands(part.rows.ceil() as u64)),
            most(part.is_rate_known, bytes(part.bytes.ceil() as u64)),
            part.request.range
        );
    }
    let is_known = plan.parts.iter().all(|part| part.is_rate_known);
    let _ = writeln!(
        text,
        "{}, {}, some {} at {} s a request and {}/s, {} at once",
        most(is_known, counted(plan.requests(), "request")),
        most(is_known, bytes(plan.bytes().ceil() as u64)),
        edb::format_duration(Duration::from_secs(seconds.ceil() as u64)),
        ASSUMED_LATENCY_S,
        bytes(bytes_per_second as u64),
        places
    );
    if !is_known {
        let _ =
            writeln!(text, "≤: how often these are sampled is not known yet; 64 ms is the most there can be");
    }
    output::data(text.as_bytes())
}

/// `1 request`, `1_234 requests`
pub(crate) fn counted(number: usize, thing: &str) -> String {
    format!("{} {thing}{}", thousands(number as u64), if number == 1 { "" } else { "s" })
}

/// `1_234_567`
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

/// `1.5 MB`
pub(crate) fn bytes(size: u64) -> String {
    match size {
        0..1000 => format!("{size} B"),
        1000..1_000_000 => format!("{:.1} kB", size as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", size as f64 / 1e6),
        _ => format!("{:.2} GB", size as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            (thousands(7), thousands(1000), thousands(1_234_567)),
            ("7".into(), "1_000".into(), "1_234_567".into())
        );
        assert_eq!(
            (bytes(999), bytes(1500), bytes(2_500_000)),
            ("999 B".into(), "1.5 kB".into(), "2.5 MB".into())
        );
    }
}
