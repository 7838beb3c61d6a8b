//! Ranges from exposures: searched for, or read from the headers of their products.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use edb_core::{
    Error, Exposure, ExposureSearch, Exposures, Instant, Outcome, Result, Source, TimeRange, parse_instant,
};

/// Exposures whose times are ranges of interest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct During {
    /// Searches for exposures in the archive of observations.
    pub searches: Vec<ExposureSearch>,
    /// Products whose headers say when they were exposed.
    pub files: Vec<PathBuf>,
    /// How much more time is of interest before and after each.
    pub margin: Duration,
}

impl During {
    /// Whether no exposure is named.
    pub fn is_empty(&self) -> bool {
        self.searches.is_empty() && self.files.is_empty()
    }

    /// The exposures; `source` is asked where one is searched for.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] for files, and for a search without a source that knows observations; the source's
    /// own.
    pub async fn exposures(&self, source: Option<&Arc<dyn Source>>) -> Result<Outcome<Exposures>> {
        let mut all = self.files.iter().map(|path| exposure_of_file(path)).collect::<Result<Vec<_>>>()?;
        let mut notices = Vec::new();
        for search in &self.searches {
            let source = source.ok_or_else(|| {
                Error::usage(format!("could not search for exposures of {search} offline"))
                    .with_hint("name a service with `--source`, or give the ranges themselves")
            })?;
            let mut found = source.exposures(search).await?;
            all.append(&mut found.value);
            notices.append(&mut found.notices);
        }
        let margin_us = i64::try_from(self.margin.as_micros()).unwrap_or(i64::MAX);
        Ok(Outcome { value: Exposures::new(all, margin_us), notices })
    }
}

/// FITS files come in blocks of 2880 bytes, headers in cards of 80.
const BLOCK_BYTES: usize = 2880;
const CARD_BYTES: usize = 80;
/// Primary headers of JWST products have some hundred cards; a file that is no FITS file must not be read to its end.
const MOST_BLOCKS: usize = 1000;

/// Reads when a JWST product was exposed: `DATE-BEG` and `DATE-END` of its primary header, or `EXPSTART` and `EXPEND`. The
/// label is the product's name (`FILENAME`, or the file's) up to the detector, or without its extension.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if the file cannot be read, is no FITS file, or does not say when it was exposed.
pub fn exposure_of_file(path: &Path) -> Result<Exposure> {
    let fault = |what: &str| Error::usage(format!("could not take the time of `{}`: {what}", path.display()));
    let mut file = File::open(path).map_err(|error| {
        fault("it cannot be opened").caused_by(error).with_hint("name an uncompressed FITS product of JWST")
    })?;
    let cards = read_cards(&mut file).map_err(|error| {
        fault("it is no FITS file").caused_by(error).with_hint("name an uncompressed FITS product of JWST")
    })?;
    let text = |name: &str| cards.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let dates = || Some((civil(text("DATE-BEG")?)?, civil(text("DATE-END")?)?));
    let days = || Some((days(text("EXPSTART")?)?, days(text("EXPEND")?)?));
    let range = dates().or_else(days).and_then(|(start, stop)| TimeRange::checked(start, stop));
    let range = range.ok_or_else(|| {
        fault("its primary header has neither DATE-BEG and DATE-END nor EXPSTART and EXPEND, one before the other")
            .with_hint("name a product of one exposure")
    })?;
    // A product may have been given another name; its header keeps its own.
    let name = text("FILENAME").map_or(path, Path::new);
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let is_exposure = stem.len() > 25 && stem.starts_with("jw") && stem.as_bytes().get(25) == Some(&b'_');
    Ok(Exposure {
        label: if is_exposure { stem.get(..25).unwrap_or(&stem).to_owned() } else { stem.into_owned() },
        instrument: text("INSTRUME").unwrap_or_default().to_owned(),
        kind: text("EXP_TYPE").unwrap_or_default().to_owned(),
        range,
    })
}

fn civil(text: &str) -> Option<Instant> {
    parse_instant(text, Instant::MIN).ok()
}

fn days(text: &str) -> Option<Instant> {
    Instant::from_mjd(text.parse().ok()?)
}

/// The cards of the primary header: keyword and value, quotes and comments taken off.
fn read_cards(file: &mut impl Read) -> std::io::Result<Vec<(String, String)>> {
    let invalid = || std::io::Error::new(std::io::ErrorKind::InvalidData, "it does not begin with SIMPLE");
    let mut cards = Vec::new();
    let mut block = [0; BLOCK_BYTES];
    for at in 0..MOST_BLOCKS {
        file.read_exact(&mut block)?;
        if at == 0 && !block.starts_with(b"SIMPLE  =") {
            return Err(invalid());
        }
        for card in block.chunks(CARD_BYTES) {
            let text = String::from_utf8_lossy(card);
            let (key, rest) = text.split_at_checked(8).ok_or_else(invalid)?;
            if key.trim() == "END" {
                return Ok(cards);
            }
            if let Some(value) = rest.strip_prefix("= ") {
                let value = value.trim_start();
                let value = match value.strip_prefix('\'') {
                    Some(quoted) => quoted.split('\'').next().unwrap_or_default(),
                    None => value.split('/').next().unwrap_or_default(),
                };
                cards.push((key.trim().to_owned(), value.trim().to_owned()));
            }
        }
    }
    Err(invalid())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test may make what files it likes")]
mod tests {
    use super::*;

    fn product(folder: &Path, name: &str, cards: &[&str]) -> std::path::PathBuf {
        let first =
            ["SIMPLE  =                    T / a standard FITS file", "BITPIX  =                    8"];
        let all = first.iter().chain(cards).chain(&["END"]);
        let header = all.map(|card| format!("{card:80}")).collect::<Vec<_>>().concat();
        let path = folder.join(name);
        std::fs::write(
            &path,
            format!("{header:width$}", width = header.len().div_ceil(BLOCK_BYTES) * BLOCK_BYTES),
        )
        .unwrap();
        path
    }

    #[test]
    fn headers_say_when_a_product_was_exposed() {
        let folder = tempfile::tempdir().unwrap();
        let filler = ["COMMENT = 'not a value'"; 40];
        let cards = [
            &filler[..],
            &[
                "DATE-BEG= '2022-06-11T17:28:19.5' / [UTC] Date-time start of exposure",
                "DATE-END= '2022-06-11T17:40:00.25'",
                "INSTRUME= 'MIRI    '           / Instrument",
                "FILENAME= 'jw02733001001_02101_00001_mirimage_cal.fits'",
                "EXPSTART=                 59000.",
            ],
        ]
        .concat();
        let path = product(folder.path(), "renamed.fits", &cards);
        let exposure = exposure_of_file(&path).unwrap();
        assert_eq!(
            (exposure.label.as_str(), exposure.instrument.as_str()),
            ("jw02733001001_02101_00001", "MIRI")
        );
        assert_eq!(exposure.range.to_string(), "2022-06-11T17:28:19.500Z/2022-06-11T17:40:00.250Z");

        let path =
            product(folder.path(), "mine.fits", &["EXPSTART=      59741.5 / MJD", "EXPEND  =      59741.75"]);
        let exposure = exposure_of_file(&path).unwrap();
        assert_eq!(
            (exposure.label.as_str(), exposure.range.to_string().as_str()),
            ("mine", "2022-06-11T12:00:00Z/2022-06-11T18:00:00Z")
        );
    }

    #[test]
    fn what_is_no_product_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let none = product(folder.path(), "none.fits", &["EXPSTART=      59741.5"]);
        let text = folder.path().join("text.fits");
        std::fs::write(&text, "theTime,MJD,euvalue").unwrap();
        for (path, expected) in [
            (none, "neither DATE-BEG"),
            (text, "no FITS file"),
            (folder.path().join("x"), "cannot be opened"),
        ] {
            let error = exposure_of_file(&path).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
