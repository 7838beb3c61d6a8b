//! What is done to series before anything is made of them, in the words of flags and files.

use std::path::PathBuf;

use edb::frame::{Borders, Condition, Definition, Preparation};
use edb::{Error, Instant, Result, export};

use crate::words::{parse_borders, parse_edges, parse_limit, parse_pad};

/// The words; each means what the flag of its name does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PreparationWords {
    /// Quantities to add.
    pub derive: Vec<String>,
    /// What must hold.
    pub condition: Option<String>,
    /// Margins of the condition's intervals.
    pub pad: Option<String>,
    /// Whether these end with the last sample that meets it.
    pub until_seen: bool,
    /// Whether only whole ones count.
    pub complete_only: bool,
    /// Where they begin and end.
    pub borders: Option<String>,
    /// A file of intervals of which samples are wanted.
    pub within: Option<PathBuf>,
    /// A file of intervals of which none are.
    pub without: Option<PathBuf>,
    /// How many samples to leave out at both ends of blocks.
    pub ignore_edges: Option<String>,
    /// How long a value may stand for others.
    pub max_gap: Option<String>,
}

impl PreparationWords {
    /// Reads the words, and the files that they name; `now` is what relative times refer to.
    ///
    /// # Errors
    /// [`edb::ErrorKind::Usage`] for what cannot be read, [`edb::ErrorKind::Disk`] for a file that cannot be.
    pub fn plan(&self, now: Instant) -> Result<Preparation> {
        let limit = parse_limit(self.max_gap.as_deref().unwrap_or("learned"))?;
        let (before_us, after_us) = self.pad.as_deref().map_or(Ok((0, 0)), parse_pad)?;
        let condition = match &self.condition {
            Some(text) => Some(Condition {
                before_us,
                after_us,
                limit,
                until_seen: self.until_seen,
                borders: self.borders.as_deref().map_or(Ok(Borders::Hold), parse_borders)?,
                complete_only: self.complete_only,
                ..Condition::parse(text)?
            }),
            None if self.pad.is_some() || self.until_seen => {
                return Err(Error::usage(
                    "there is a `pad` or `until_seen` and no `where` that it belongs to",
                ));
            }
            None => None,
        };
        let list =
            |path: &Option<PathBuf>| path.as_ref().map(|path| export::read_intervals(path, now)).transpose();
        Ok(Preparation {
            derive: self.derive.iter().map(|text| Definition::parse(text)).collect::<Result<Vec<_>>>()?,
            limit,
            condition,
            within: list(&self.within)?,
            without: list(&self.without)?,
            edges: self.ignore_edges.as_deref().map_or(Ok((0, 0)), parse_edges)?,
        })
    }
}
