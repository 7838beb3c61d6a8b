//! What to select, and what to make of it.

use std::path::PathBuf;

use edb::frame::{AlignOptions, Grid, Layout, Method, ResampleOptions, Statistic, Times};
use edb::plot::FigureOptions;
use edb::{
    Archive, Dictionary, During, Error, Exposures, Instant, Mnemonic, Notice, Request, Result, Selection,
    export, parse_duration, parse_instant, plot,
};

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// What it is called in its report.
    pub name: String,
    /// The source it asks for: `mast`, `sample`, `store` or a URL; the user may ask for another.
    pub source: Option<String>,
    /// The store it asks for.
    pub store: Option<PathBuf>,
    /// What is selected.
    pub selection: Selection,
    /// Exposures whose times are ranges of the words that bring none.
    pub during: During,
    /// Mnemonics that are stated to be change-only.
    pub change_only: Vec<Mnemonic>,
    /// What is made of it.
    pub outputs: Vec<Output>,
}

/// What a job's selection comes to.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// What is asked.
    pub requests: Vec<Request>,
    /// The exposures that ranges were taken from.
    pub exposures: Exposures,
    /// Facts about exposures and the dictionary.
    pub notices: Vec<Notice>,
}

impl Job {
    /// Resolves the selection: searches for its exposures, and looks its patterns up.
    ///
    /// # Errors
    /// Those of [`During::exposures`], [`Archive::dictionary`] and [`Selection::resolve`].
    pub async fn resolve(&self, archive: &Archive, now: Instant) -> Result<Resolved> {
        let mut resolved = Resolved::default();
        let mut selection = self.selection.clone();
        if !self.during.is_empty() {
            let found = self.during.exposures(archive.source()).await?;
            resolved.exposures = found.value;
            resolved.notices = found.notices;
            selection.ranges.extend(resolved.exposures.ranges());
        }
        let dictionary = if selection.has_patterns() {
            let kept = archive.dictionary(now).await?;
            resolved.notices.extend(kept.notices);
            kept.dictionary
        } else {
            Dictionary::default()
        };
        resolved.requests = selection.resolve(&dictionary)?;
        Ok(resolved)
    }
}

/// One file that a job makes.
#[derive(Debug, Clone)]
pub struct Output {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub shape: Shape,
}

/// What is in a file.
#[derive(Debug, Clone)]
pub enum Shape {
    /// Every sample a row.
    Long(export::Format),
    /// One row a time.
    Aligned(AlignOptions, export::Format),
    /// One row a bin.
    Resampled(ResampleOptions, export::Format),
    /// A figure.
    Figure(Box<FigureOptions>, plot::Format),
}

/// Reads `grid` times from a step (`1s`) and an origin (default 1970-01-01), or `union`, or `of:MNEMONIC`.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_times(text: &str, origin: Option<&str>) -> Result<Times> {
    if text.eq_ignore_ascii_case("union") {
        return Ok(Times::Union);
    }
    if let Some(mnemonic) = text.strip_prefix("of:") {
        return Mnemonic::new(mnemonic).map(Times::Of);
    }
    let step = parse_duration(text).map_err(|error| {
        Error::usage(format!("could not read the times `{text}`"))
            .with_hint("write a step as in `1s`, or `union`, or `of:MNEMONIC`")
            .caused_by(error)
    })?;
    Ok(Times::Grid(Grid::Step { step_us: positive_micros(text, step)?, origin_us: origin_us(origin)? }))
}

pub(crate) fn origin_us(text: Option<&str>) -> Result<i64> {
    text.map_or(Ok(0), |text| parse_instant(text, Instant::MIN).map(Instant::as_micros))
}

pub(crate) fn positive_micros(text: &str, step: std::time::Duration) -> Result<i64> {
    i64::try_from(step.as_micros()).ok().filter(|step| *step > 0).ok_or_else(|| {
        Error::usage(format!("could not use the step `{text}`: it must be longer than nothing"))
    })
}

/// Reads `hold`, `nearest`, `linear` or `exact`.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_method(text: &str) -> Result<Method> {
    match text {
        "hold" => Ok(Method::Hold),
        "nearest" => Ok(Method::Nearest),
        "linear" => Ok(Method::Linear),
        "exact" => Ok(Method::Exact),
        _ => Err(Error::usage(format!("there is no method `{text}`"))
            .with_hint("use `hold`, `nearest`, `linear` or `exact`")),
    }
}

/// Reads `long` or `wide`.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_layout(text: &str) -> Result<Layout> {
    match text {
        "long" => Ok(Layout::Long),
        "wide" => Ok(Layout::Wide),
        _ => Err(Error::usage(format!("there is no layout `{text}`")).with_hint("use `long` or `wide`")),
    }
}

/// Reads words of statistics; none means all.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_statistics(words: &[String]) -> Result<Vec<Statistic>> {
    if words.is_empty() {
        return Ok(Statistic::USUAL.to_vec());
    }
    words.iter().map(|word| Statistic::parse(word)).collect()
}
