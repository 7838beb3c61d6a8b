//! What a segment's footer says.

use edb_core::{Error, Instant, Mnemonic, Result, Sample, SqlType, TimeRange};
use serde::{Deserialize, Serialize};

use crate::format::{self, FORMAT};
use crate::{Header, Segment};

/// The footer key under which a segment's facts stand, as JSON.
pub(crate) const FOOTER_KEY: &str = "edb.segment";

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Footer {
    format: u32,
    #[serde(default)]
    tool: String,
    pub(crate) mnemonic: Mnemonic,
    sql_type: String,
    #[serde(default)]
    unit: String,
    proven: TimeRange,
    fetched_at: Instant,
    provisional: bool,
    pub(crate) rows: usize,
    leading: Option<Sample>,
    trailing: Option<Sample>,
    /// One, in the first version.
    #[serde(default, skip_serializing)]
    source: Option<String>,
    #[serde(default)]
    sources: Vec<String>,
    /// Of the first version there is none.
    #[serde(default)]
    pub(crate) content_hash: Option<String>,
}

/// What a segment says beside its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// What is proven, and since when.
    pub header: Header,
    /// The service's type of the values.
    pub sql_type: SqlType,
    /// The unit of the values, empty if nobody said.
    pub unit: String,
    /// The last sample before the range, if one is known.
    pub leading: Option<Sample>,
    /// The first sample at or after the end of the range, if one is known.
    pub trailing: Option<Sample>,
    /// Where the samples came from, without secrets.
    pub sources: Vec<String>,
}

impl Footer {
    pub(crate) fn of(segment: &Segment) -> Self {
        let about = segment.about.clone();
        Self {
            format: FORMAT,
            tool: concat!("edb ", env!("CARGO_PKG_VERSION")).to_owned(),
            mnemonic: segment.mnemonic.clone(),
            sql_type: about.sql_type.as_str().to_owned(),
            unit: about.unit,
            proven: about.header.proven,
            fetched_at: about.header.fetched_at,
            provisional: about.header.provisional,
            rows: segment.samples.len(),
            leading: about.leading,
            trailing: about.trailing,
            source: None,
            sources: about.sources,
            content_hash: Some(segment.content_hash()),
        }
    }

    pub(crate) fn to_json(&self) -> Result<String> {
        serde_json::to_string(self)
            .map_err(|error| Error::integrity("could not write a segment's footer").caused_by(error))
    }

    pub(crate) fn from_json(text: &str) -> Result<Self> {
        let footer: Self = serde_json::from_str(text)
            .map_err(|error| Error::integrity("could not read the segment's footer").caused_by(error))?;
        format::check(footer.format)?;
        Ok(footer)
    }

    pub(crate) fn about(&self) -> About {
        About {
            header: Header {
                fetched_at: self.fetched_at,
                proven: self.proven,
                provisional: self.provisional,
            },
            sql_type: SqlType::new(&self.sql_type),
            unit: self.unit.clone(),
            leading: self.leading.clone(),
            trailing: self.trailing.clone(),
            sources: self.source.iter().chain(&self.sources).cloned().collect(),
        }
    }
}
