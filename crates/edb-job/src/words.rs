//! The words of flags and job files that say what to make of series.

use edb::export::{FileOptions, Format};
use edb::frame::{Beside, Bins, Borders, Clip, Grid, Layout, Limit, Method, Stamp, Statistic, Times};
use edb::{Error, Instant, Mnemonic, Result, parse_duration, parse_instant};

use crate::job::{Shape, TableShape};

/// A form of CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// For people and their tools.
    Plain,
    /// The service's own.
    Service,
}

/// Reads `plain` or `edb`.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_dialect(word: &str) -> Result<Dialect> {
    match word {
        "plain" => Ok(Dialect::Plain),
        "edb" => Ok(Dialect::Service),
        _ => {
            Err(Error::usage(format!("there is no dialect of CSV `{word}`"))
                .with_hint("use `plain` or `edb`"))
        }
    }
}

/// A table in a format, or the service's own form of every sample. `comments` is whether CSV begins with them, if that was said.
///
/// # Errors
/// [`edb::ErrorKind::Usage`] for what only CSV has, and for other tables in the service's form.
pub fn file_shape(
    table: TableShape,
    format: Format,
    dialect: Dialect,
    comments: Option<bool>,
) -> Result<Shape> {
    if format != Format::Csv && dialect != Dialect::Plain {
        return Err(Error::usage("a dialect is a matter of CSV, and another format is asked for"));
    }
    if format != Format::Csv && comments.is_some() {
        return Err(Error::usage(
            "comments are a matter of CSV: other formats have a place of their own for them",
        ));
    }
    match (dialect, table) {
        (Dialect::Service, TableShape::Long) => Ok(Shape::ServiceCsv),
        (Dialect::Service, _) => {
            Err(Error::usage("the service's form has every sample as it came, and no other table")
                .with_hint("leave the dialect out, or what makes another table"))
        }
        (Dialect::Plain, table) => {
            let has_comments = comments.unwrap_or(true);
            Ok(Shape::Table(table, FileOptions { has_comments, ..FileOptions::new(format) }))
        }
    }
}

/// Reads the times of rows: a step (`1s`, `1mo`) and an origin (default 1970-01-01), or `union`, or `of:MNEMONIC`.
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
    parse_grid(text, origin).map(Times::Grid).map_err(|error| {
        Error::usage(format!("could not read the times `{text}`"))
            .with_hint("write a step as in `1s`, or `union`, or `of:MNEMONIC`")
            .caused_by(error)
    })
}

/// Reads a step as a duration (`90s`, `1d`), or in calendar months (`1mo`, `3mo`) or years (`1y`), which have no origin.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_grid(text: &str, origin: Option<&str>) -> Result<Grid> {
    for (unit, months) in [("mo", 1), ("y", 12)] {
        if let Some(count) = text.trim().strip_suffix(unit).and_then(|count| count.trim().parse::<u32>().ok())
        {
            if !(1..=12_000).contains(&(count.saturating_mul(months))) {
                return Err(Error::usage(format!(
                    "could not use the step `{text}`: expected 1 to 12000 months"
                )));
            }
            if origin.is_some() {
                return Err(Error::usage(format!(
                    "the step `{text}` goes by the calendar, and has no origin"
                )));
            }
            return Ok(Grid::Months(count * months));
        }
    }
    let step = parse_duration(text)?;
    let step_us = i64::try_from(step.as_micros()).ok().filter(|step| *step > 0).ok_or_else(|| {
        Error::usage(format!("could not use the step `{text}`: it must be longer than nothing"))
    })?;
    let origin_us = origin.map_or(Ok(0), parse_origin)?;
    Ok(Grid::Step { step_us, origin_us })
}

/// An instant that is the same whenever it is read: two runs must have the same bins.
fn parse_origin(text: &str) -> Result<i64> {
    let read = |now_us: i64| parse_instant(text, Instant::from_micros(now_us)).map(Instant::as_micros);
    let (one, other) = (read(0)?, read(1 << 50)?);
    if one != other {
        return Err(Error::usage(format!("could not use the origin `{text}`: it goes by the clock"))
            .with_hint("write a time, as in `2024-01-01T12:00`"));
    }
    Ok(one)
}

/// Reads what each row of statistics is about: `range`, `block`, or a step as [`parse_grid`] does.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_bins(text: &str, origin: Option<&str>) -> Result<Bins> {
    match text {
        "range" | "block" if origin.is_some() => {
            Err(Error::usage(format!("an origin is given, and a {text} has none"))
                .with_hint("leave the origin out, or ask for bins as `1m`"))
        }
        "range" => Ok(Bins::Ranges(Vec::new())),
        "block" => Ok(Bins::Series),
        // What is wrong with the origin says so itself.
        step if parse_grid(step, None).is_ok() => parse_grid(step, origin).map(Bins::Grid),
        step => parse_grid(step, None).map(Bins::Grid).map_err(|error| {
            Error::usage(format!("could not tell what each row is about by `{step}`"))
                .with_hint("use `range`, `block`, or a bin as `1m`, `1d` or `1mo`")
                .caused_by(error)
        }),
    }
}

/// Reads a duration, `learned` or `unlimited`.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_limit(text: &str) -> Result<Limit> {
    match text {
        "unlimited" => Ok(Limit::Unlimited),
        "learned" => Ok(Limit::Learned),
        _ => parse_duration(text).map(Limit::At),
    }
}

/// Reads an exception: `MNEMONIC=METHOD@LIMIT`.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_exception(text: &str) -> Result<(Mnemonic, Method, Limit)> {
    let (name, way) = text.split_once('=').unwrap_or((text, ""));
    let (method, limit) = way.split_once('@').ok_or_else(|| {
        Error::usage(format!("could not read `{text}` as a method of its own"))
            .with_hint("write `MNEMONIC=METHOD@LIMIT`, as in `SA_ZFGDETID=hold@10s`")
    })?;
    Ok((Mnemonic::new(name)?, parse_method(method)?, parse_limit(limit)?))
}

/// Reads a margin before and after, in microseconds: `5s` for both, `5s/10s` for each; `-5s` takes away.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_pad(text: &str) -> Result<(i64, i64)> {
    let one = |text: &str| {
        let (sign, span) = text.trim().strip_prefix('-').map_or((1, text), |span| (-1, span));
        parse_duration(span).map(|span| sign * i64::try_from(span.as_micros()).unwrap_or(i64::MAX))
    };
    match text.split_once('/') {
        Some((before, after)) => Ok((one(before)?, one(after)?)),
        None => one(text).map(|both| (both, both)),
    }
}

/// Reads how many samples to leave out at both edges of a block: `2/1`, or `3` for both.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_edges(text: &str) -> Result<(usize, usize)> {
    let (first, last) = text.split_once('/').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) => Ok((first, last)),
        _ => Err(Error::usage(format!("could not read `{text}` as numbers of samples"))
            .with_hint("write the first and the last to leave out, as in `2/1`")),
    }
}

/// Reads limits of values: `MNEMONIC=LOW..HIGH`.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_value_limits(text: &str) -> Result<(Mnemonic, f64, f64)> {
    let (name, range) = text.split_once('=').ok_or_else(|| no_limits(text))?;
    let [low, high] = parse_range(range).map_err(|_| no_limits(text))?;
    Ok((Mnemonic::new(name)?, low, high))
}

/// Reads `LOW..HIGH`; a side that is left out is infinite.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_range(text: &str) -> Result<[f64; 2]> {
    let read = || {
        let (low, high) = text.split_once("..")?;
        let open =
            |text: &str, end: f64| if text.trim().is_empty() { Some(end) } else { text.trim().parse().ok() };
        let (low, high) = (open(low, f64::NEG_INFINITY)?, open(high, f64::INFINITY)?);
        (low <= high).then_some([low, high])
    };
    read().ok_or_else(|| no_limits(text))
}

fn no_limits(text: &str) -> Error {
    Error::usage(format!("could not read `{text}` as limits")).with_hint(
        "write `MNEMONIC=LOW..HIGH`, the lower one first, as in `SE_ZBUSVLT=26..32` or `SE_ZBUSVLT=..32`",
    )
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

/// Reads `start`, `centre` or `mean`: which time stands for a bin.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_stamp(text: &str) -> Result<Stamp> {
    match text {
        "start" => Ok(Stamp::Start),
        "centre" | "center" => Ok(Stamp::Centre),
        "mean" => Ok(Stamp::MeanTime),
        _ => {
            Err(Error::usage(format!("there is no stamp `{text}`"))
                .with_hint("use `start`, `centre` or `mean`"))
        }
    }
}

/// Reads words of statistics; none means the usual ones.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_statistics(words: &[String]) -> Result<Vec<Statistic>> {
    if words.is_empty() {
        return Ok(Statistic::USUAL.to_vec());
    }
    let statistics = words.iter().map(|word| Statistic::parse(word)).collect::<Result<Vec<_>>>()?;
    let twice = |at: &usize| statistics[..*at].contains(&statistics[*at]);
    match (0..statistics.len()).find(twice) {
        Some(at) => Err(Error::usage(format!("the statistic `{}` is asked for twice", words[at]))),
        None => Ok(statistics),
    }
}

/// Reads how far sigma clipping goes; no iterations at most means until nothing is left to clip.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_clip(sigma: f64, max_iterations: u32) -> Result<Clip> {
    if sigma.is_nan() || sigma <= 0.0 {
        return Err(Error::usage(format!("could not clip at {sigma} sigma: expected a positive number")));
    }
    Ok(Clip { sigma, max_iterations: Some(max_iterations).filter(|most| *most > 0) })
}

/// Reads `age` or `time`: what stands beside values.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_beside(text: &str) -> Result<Beside> {
    match text {
        "age" => Ok(Beside::Age),
        "time" => Ok(Beside::Time),
        _ => Err(Error::usage(format!("nothing called `{text}` can stand beside values"))
            .with_hint("use `age` or `time`")),
    }
}

/// Reads `hold` or `midpoint`: where states and conditions begin and end.
///
/// # Errors
/// [`edb::ErrorKind::Usage`].
pub fn parse_borders(text: &str) -> Result<Borders> {
    match text {
        "hold" => Ok(Borders::Hold),
        "midpoint" => Ok(Borders::Midpoint),
        _ => {
            Err(Error::usage(format!("there are no borders `{text}`")).with_hint("use `hold` or `midpoint`"))
        }
    }
}
