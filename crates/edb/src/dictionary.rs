//! A source's whole dictionary, kept between runs.

use std::path::PathBuf;
use std::time::Duration;

use edb_core::{
    Dictionary, Error, ErrorKind, Instant, Mnemonic, Notice, NoticeKind, Result, Source, atomic,
    format_duration,
};
use edb_wire::dictionary::viz;
use serde::Deserialize;

/// A dictionary this young has no name that the source has not.
const SURELY_COMPLETE: Duration = Duration::from_hours(1);

/// Where a source's whole dictionary is kept between runs.
#[derive(Debug, Clone)]
pub struct DictionaryCache {
    /// The file.
    pub path: PathBuf,
    /// How old it may grow before it is fetched again.
    pub longest_age: Duration,
}

/// A dictionary, and what is to be known of its age.
#[derive(Debug, Clone, Default)]
pub struct KeptDictionary {
    /// The entries.
    pub dictionary: Dictionary,
    /// Since when it has been kept; `None` if it has just come, or is not kept.
    pub kept_since: Option<Instant>,
    /// Whether it is older than it should be, and may lack what is new.
    pub is_stale: bool,
    /// Why it is, or why it could not be kept.
    pub notices: Vec<Notice>,
}

impl From<Dictionary> for KeptDictionary {
    fn from(dictionary: Dictionary) -> Self {
        Self { dictionary, ..Self::default() }
    }
}

/// What the file says beside the form of the service.
#[derive(Deserialize)]
struct Head {
    source: String,
    fetched_at: Instant,
}

impl DictionaryCache {
    /// A file that is fetched again once a week.
    pub fn new(path: PathBuf) -> Self {
        Self { path, longest_age: Duration::from_hours(168) }
    }

    /// The dictionary of `source`: the kept one if it is young and has all of `wanted`, or else a new one, which is kept. If
    /// none is to be had, an older one will do.
    ///
    /// # Errors
    /// As the source's own, if nothing was kept.
    pub async fn get(
        &self,
        source: &dyn Source,
        wanted: &[&Mnemonic],
        now: Instant,
    ) -> Result<KeptDictionary> {
        let kept = self.read(&source.name());
        let age = kept.as_ref().and_then(|(at, _)| u64::try_from(now.as_micros() - at.as_micros()).ok());
        let age = age.map(Duration::from_micros);
        if let (Some((since, dictionary)), Some(age)) = (&kept, age) {
            let has_all = wanted.iter().all(|mnemonic| dictionary.get(mnemonic).is_some());
            if age <= self.longest_age && (has_all || age <= SURELY_COMPLETE) {
                return Ok(KeptDictionary { kept_since: Some(*since), ..dictionary.clone().into() });
            }
        }
        match source.dictionary(None).await {
            Ok(dictionary) => {
                // It is at hand, and only the next run will miss it.
                let kept = self.keep(&source.name(), &dictionary, now);
                let notice = |error: Error| Notice::general(NoticeKind::NotKnown, error.chain());
                let notices = kept.err().map(notice).into_iter().collect();
                Ok(KeptDictionary { notices, ..dictionary.into() })
            }
            Err(error) => match kept {
                Some((since, dictionary)) => {
                    let age = age.map_or("of another time".to_owned(), |age| {
                        format!("{} old", format_duration(Duration::from_secs(age.as_secs())))
                    });
                    let text = format!("the dictionary is {age} and could not be renewed: {}", error.chain());
                    let notices = vec![Notice::general(NoticeKind::NotKnown, text)];
                    Ok(KeptDictionary { dictionary, kept_since: Some(since), is_stale: true, notices })
                }
                None => Err(error),
            },
        }
    }

    /// The names among `wanted` that the source does not have, as far as a kept dictionary tells; where none is kept, or none is
    /// to be had any more, nothing is said against any of them.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::UnknownMnemonic`] with the nearest names.
    pub async fn refuse_unknown(
        &self,
        source: &dyn Source,
        wanted: &[&Mnemonic],
        now: Instant,
    ) -> Result<()> {
        if self.read(&source.name()).is_none() {
            return Ok(());
        }
        let kept = self.get(source, wanted, now).await?;
        let unknown = wanted.iter().filter(|mnemonic| kept.dictionary.get(mnemonic).is_none());
        refuse_unknown(unknown.copied(), &kept, &source.name())
    }

    /// What is kept of `source`, and since when. A file that cannot be read is as good as none: it is only a copy.
    fn read(&self, source: &str) -> Option<(Instant, Dictionary)> {
        let text = std::fs::read(&self.path).ok()?;
        let head: Head = serde_json::from_slice(&text).ok().filter(|head: &Head| head.source == source)?;
        Some((head.fetched_at, viz::parse(&text).ok()?.dictionary))
    }

    /// The service's own form, with the source and the time before it.
    fn keep(&self, source: &str, dictionary: &Dictionary, now: Instant) -> Result<()> {
        let form = viz::format(dictionary);
        let head = serde_json::json!({ "source": source, "fetched_at": now }).to_string();
        let mut text = head.into_bytes();
        text.pop();
        text.push(b',');
        text.extend_from_slice(form.get(1..).unwrap_or_default());
        atomic::write(&self.path, &text).map_err(|error: Error| {
            error
                .while_doing("could not keep the dictionary")
                .with_hint("choose another folder with `--cache`")
        })
    }
}

/// Refuses names that a dictionary does not have, with the nearest that it has. One that may lack what is new refuses nothing.
pub(crate) fn refuse_unknown<'a>(
    unknown: impl Iterator<Item = &'a Mnemonic>,
    kept: &KeptDictionary,
    place: &str,
) -> Result<()> {
    let mut unknown: Vec<&Mnemonic> = unknown.collect();
    unknown.sort();
    unknown.dedup();
    let Some(first) = unknown.first().filter(|_| !kept.is_stale) else { return Ok(()) };
    let names: Vec<String> = unknown.iter().map(|mnemonic| format!("`{mnemonic}`")).collect();
    let error = Error::new(ErrorKind::UnknownMnemonic, format!("{place} does not know {}", names.join(", ")));
    let near: Vec<String> = kept.dictionary.nearest(first).iter().map(ToString::to_string).collect();
    Err(if near.is_empty() {
        error.with_hint("look names up with `edb search`")
    } else {
        error.with_hint(format!("for `{first}` try {}", near.join(", ")))
    })
}
