//! Lists of intervals, read back from files.

use std::path::Path;

use edb_core::{Coverage, Error, Instant, Result, TimeRange, parse_instant};
use edb_parquet::{File, OwnedColumn};

use crate::Format;

/// Reads a list of half-open intervals from a file of ours (any table with times in `start` and `stop`: states, visits, spans), from a CSV file with
/// such columns in any order (lines that begin with `#` are passed over), or from one without a header that has them first. Times may have
/// every form that [`parse_instant`] reads; a row without a start is open to the past, one without a stop to the future; one without either, or
/// whose stop is its start, has no interval.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] with the line of what cannot be read, [`edb_core::ErrorKind::Disk`] if the file cannot be.
pub fn read_intervals(path: &Path, now: Instant) -> Result<Coverage> {
    let doing =
        |error: Error| error.while_doing(format!("could not read the intervals in `{}`", path.display()));
    match Format::from_path(path) {
        Ok(Format::Parquet) => from_parquet(path).map_err(doing),
        Ok(Format::Csv | Format::Ecsv) => {
            let text = std::fs::read_to_string(path).map_err(|error| Error::disk("read", path, error))?;
            from_csv(&text, now).map_err(doing)
        }
        _ => Err(doing(Error::usage("its name ends neither in `.csv` or `.ecsv` nor in `.parquet`"))),
    }
}

fn from_parquet(path: &Path) -> Result<Coverage> {
    let contents = File::open(path, None)?.contents()?;
    let times = |name: &str| {
        let column = contents.columns.iter().find(|(found, ..)| found == name);
        match column {
            Some((_, OwnedColumn::Time(times), nulls)) => {
                let at =
                    |(row, time): (usize, &i64)| (!nulls.contains(row)).then(|| Instant::from_micros(*time));
                Ok(times.iter().enumerate().map(at).collect::<Vec<_>>())
            }
            _ => Err(Error::usage(format!("expected a column `{name}` of UTC times in microseconds"))
                .with_hint("write the list as CSV with the columns `start` and `stop`")),
        }
    };
    let mut spans = Coverage::new();
    for (row, (start, stop)) in times("start")?.into_iter().zip(times("stop")?).enumerate() {
        let what = || format!("row {}", row + 1);
        TimeRange::between(start, stop)
            .map_err(|error| error.while_doing(what()))?
            .into_iter()
            .for_each(|span| spans.insert(span));
    }
    Ok(spans)
}

fn from_csv(text: &str, now: Instant) -> Result<Coverage> {
    let mut places = None;
    let mut spans = Coverage::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split(',').map(|field| field.trim().trim_matches('"')).collect();
        let place = |name: &str| fields.iter().position(|field| field.eq_ignore_ascii_case(name));
        let at = match (places, place("start"), place("stop")) {
            (Some(places), ..) => places,
            (None, Some(start), Some(stop)) => {
                places = Some((start, stop));
                continue;
            }
            _ if fields.iter().any(|field| parse_instant(field, now).is_ok()) => {
                places = Some((0, 1));
                (0, 1)
            }
            _ => {
                return Err(Error::usage(format!(
                    "line {}: expected columns `start` and `stop`, or two times, found `{line}`",
                    number + 1
                )));
            }
        };
        let read = |place: usize| match fields.get(place) {
            Some(&"") => Ok(None),
            Some(text) => parse_instant(text, now).map(Some),
            None => {
                Err(Error::usage(format!("expected {} fields, found {}", at.0.max(at.1) + 1, fields.len())))
            }
        };
        let found = read(at.0).and_then(|start| TimeRange::between(start, read(at.1)?));
        let found = found.map_err(|error| error.while_doing(format!("line {}", number + 1)))?;
        found.into_iter().for_each(|span| spans.insert(span));
    }
    Ok(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_many_forms() {
        let read = |text: &str| from_csv(text, Instant::MAX).map(|spans| format!("{spans:?}"));
        let expected =
            "[2024-03-01T00:00:00Z/2024-03-01T01:00:00Z, 2024-03-02T00:00:00Z/2024-03-03T00:00:00Z]";
        for text in [
            "2024-03-01,2024-03-01T01:00\n2024-03-02,2024-03-03\n",
            "# ours\nduration_s,start,what,stop\n3600,2024-03-01,x,2024-03-01T01:00:00Z\n\n1,2024-03-02,y,2024-03-03",
            "Start,Stop\r\n\"2024:061:00:00:00\",\"2024-03-01 01:00\"\r\n2024-03-02,2024-03-03\r\n",
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
        assert_eq!(
            read("start,stop\n,2024-03-01\n2024-03-02,\n").unwrap(),
            format!("[{}/2024-03-01T00:00:00Z, 2024-03-02T00:00:00Z/{}]", Instant::MIN, Instant::MAX)
        );
        assert_eq!(read("").unwrap(), "[]");
        assert_eq!(read("start,stop\n,\n2024-03-01,2024-03-01\n").unwrap(), "[]", "nothing is no interval");
        for (text, expected) in [
            ("start,stop\n2024-03-02,2024-03-01", "line 2: the range"),
            ("2024-03-02", "line 1: expected 2 fields, found 1"),
            (
                "time,mnemonic\n2024-03-01,X",
                "line 1: expected columns `start` and `stop`, or two times, found `time,mnemonic`",
            ),
            ("start,stop\nyesterday,now", "line 2: could not read `yesterday`"),
        ] {
            let error = read(text).unwrap_err().chain();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
