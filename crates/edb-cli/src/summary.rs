//! What happened, for people and for programs.

use std::fmt::Write;
use std::time::Duration;

use edb::Result;
use edb_job::Report;

use crate::args::{Common, SummaryForm};
use crate::output;

/// The most notices that are printed one by one.
const MOST_NOTICES: usize = 12;

/// Prints the summary that the user asked for.
///
/// # Errors
/// [`edb::ErrorKind::Disk`] if stdout fails.
pub(crate) fn print(common: &Common, report: &Report, elapsed: Duration) -> Result<()> {
    match common.summary {
        SummaryForm::None => Ok(()),
        SummaryForm::Text if common.quiet => Ok(()),
        SummaryForm::Text => {
            output::say(text(report, elapsed).trim_end());
            Ok(())
        }
        SummaryForm::Json => {
            let mut object = serde_json::to_value(report).unwrap_or_default();
            object["elapsed_s"] = serde_json::json!(elapsed.as_secs_f64());
            output::data(format!("{object}\n").as_bytes())
        }
    }
}

fn text(report: &Report, elapsed: Duration) -> String {
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
        let _ = writeln!(
            text,
            "wrote {} ({}, {} rows, {})",
            file.path.display(),
            file.content,
            thousands(file.rows as u64),
            bytes(file.size_bytes)
        );
    }
    for notice in report.notices.iter().take(MOST_NOTICES) {
        let _ = writeln!(text, "notice: {notice}");
    }
    if report.notices.len() > MOST_NOTICES {
        let _ =
            writeln!(text, "notice: … and {} more (see --summary json)", report.notices.len() - MOST_NOTICES);
    }
    for failure in &report.failures {
        let _ = writeln!(text, "failed: {}: {}", failure.request, failure.error);
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
    if report.is_partial() {
        let _ = writeln!(
            text,
            "partial: {} failed; the rest was delivered",
            counted(report.failures.len(), "window")
        );
    }
    text
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
