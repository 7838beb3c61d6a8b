//! The observation search: which exposures there were, and when.
//!
//! One row for each file; the files of one exposure (one for each detector and stage) are folded into it.

use std::collections::BTreeMap;

use edb_core::{Exposure, Instant, Result, TimeRange};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::mashup::{self, Reply};

/// `jw02733001001_02101_00001`: program, observation, visit; parallel, group, activity; exposure.
const LABEL_CHARS: usize = 25;

/// A file's row.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Row {
    filename: Option<String>,
    exp_type: Option<String>,
    date_beg_mjd: Option<f64>,
    date_end_mjd: Option<f64>,
    expstart: Option<f64>,
    expend: Option<f64>,
}

/// The search service of an instrument, as `MIRI`.
pub fn service(instrument: &str) -> String {
    let mut word = instrument.to_ascii_lowercase();
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("Mast.Jwst.Filtered.{word}")
}

/// The parameters of a search for files whose column `name` has `value`.
pub fn params(name: &str, value: &str) -> Value {
    json!({
        "columns": "filename,exp_type,date_beg_mjd,date_end_mjd,expstart,expend",
        "filters": [{ "paramName": name, "values": [value] }],
    })
}

/// Reads a page of rows.
///
/// # Errors
/// [`edb_core::ErrorKind::Unavailable`] if the service says that it failed; [`edb_core::ErrorKind::Integrity`] if `body` is
/// not JSON of this form.
pub fn parse(body: &[u8]) -> Result<Reply<Vec<Row>>> {
    mashup::parse(body, "the list of exposures")
}

/// What a list of files comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded {
    /// The exposures, by time.
    pub exposures: Vec<Exposure>,
    /// Labels of exposures of which no file says when they were taken.
    pub without_times: Vec<String>,
}

/// The exposures of `rows` whose label begins with `prefix`. Files of no single exposure (combined products) are passed over.
pub fn fold(rows: Vec<Row>, instrument: &str, prefix: &str) -> Folded {
    let mut exposures: BTreeMap<String, Option<Exposure>> = BTreeMap::new();
    for row in rows {
        let label = row.filename.as_deref().and_then(label);
        let Some(label) = label.filter(|label| label.starts_with(prefix)) else { continue };
        let times = [(row.date_beg_mjd, row.date_end_mjd), (row.expstart, row.expend)];
        let range = times.into_iter().find_map(|(start, stop)| {
            TimeRange::checked(Instant::from_mjd(start?)?, Instant::from_mjd(stop?)?)
        });
        match (exposures.entry(label.to_owned()).or_default(), range) {
            (Some(exposure), Some(range)) => exposure.range = exposure.range.hull(range),
            (exposure @ None, Some(range)) => {
                *exposure = Some(Exposure {
                    label: label.to_owned(),
                    instrument: instrument.to_ascii_uppercase(),
                    kind: row.exp_type.unwrap_or_default(),
                    range,
                });
            }
            (_, None) => {}
        }
    }
    let mut folded = Folded::default();
    for (label, exposure) in exposures {
        match exposure {
            Some(exposure) => folded.exposures.push(exposure),
            None => folded.without_times.push(label),
        }
    }
    folded.exposures.sort_by_key(|exposure| exposure.range);
    folded
}

/// The exposure that a file is of.
fn label(filename: &str) -> Option<&str> {
    let label = filename.get(..LABEL_CHARS)?;
    let is_one = label.bytes().enumerate().all(|(at, byte)| match at {
        0 => byte == b'j',
        1 => byte == b'w',
        13 | 19 => byte == b'_',
        // Parallel exposures have letters in their group and activity.
        14..19 => byte.is_ascii_alphanumeric(),
        _ => byte.is_ascii_digit(),
    });
    is_one.then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_folded_into_exposures() {
        let row = |name: &str, start: f64, stop: f64| json!({"filename": name, "exp_type": "MIR_IMAGE", "expstart": start, "expend": stop, "date_beg_mjd": null});
        let body = json!({"status": "COMPLETE", "data": [
            row("jw02733001001_02103_00002_mirimage_rate.fits", 59_738.5, 59_738.6),
            row("jw02733001001_02103_00001_mirimage_rate.fits", 59_738.3, 59_738.4),
            row("jw02733001001_02103_00001_mirimage_uncal.fits", 59_738.31, 59_738.41),
            row("jw02733-o001_t001_miri_f1130w_i2d.fits", 59_738.0, 59_739.0),
            row("jw02733002001_02103_00001_mirimage_rate.fits", 59_740.3, 59_740.4),
            {"filename": "jw02733001001_02105_00001_mirimage_rate.fits"},
        ]});
        let Reply::Complete { found, pages } = parse(body.to_string().as_bytes()).unwrap() else { panic!() };
        let folded = fold(found, "miri", "jw02733001");
        let exposures = folded.exposures;
        assert_eq!((pages, folded.without_times), (1, vec!["jw02733001001_02105_00001".to_owned()]));
        let labels: Vec<&str> = exposures.iter().map(|exposure| exposure.label.as_str()).collect();
        assert_eq!(labels, ["jw02733001001_02103_00001", "jw02733001001_02103_00002"]);
        let expected = (Instant::from_mjd(59_738.3).unwrap(), Instant::from_mjd(59_738.41).unwrap());
        assert_eq!((exposures[0].range.start(), exposures[0].range.stop()), expected);
        assert_eq!((exposures[0].instrument.as_str(), exposures[0].kind.as_str()), ("MIRI", "MIR_IMAGE"));
        assert_eq!(service("NIRCAM"), "Mast.Jwst.Filtered.Nircam");
    }
}
