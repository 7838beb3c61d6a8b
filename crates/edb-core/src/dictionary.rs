//! The mnemonic dictionary.

use std::collections::BTreeMap;

use crate::{Mnemonic, SqlType};

/// What the service's dictionary says about one mnemonic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DictionaryEntry {
    /// The name.
    pub mnemonic: Mnemonic,
    /// The subsystem, as `ACS`; empty if not said.
    pub subsystem: String,
    /// The telemetry identifier number, if said.
    pub identifier: Option<i64>,
    /// The description; empty if not said.
    pub description: String,
    /// The type of the values, if said.
    pub sql_type: Option<SqlType>,
    /// The unit as the archive writes it; empty if none.
    pub unit: String,
    /// Whether every sample is kept (`true`) or only changes (`false`); the public service does not say.
    pub all_points: Option<bool>,
}

impl DictionaryEntry {
    /// An entry that says nothing but the name.
    pub fn bare(mnemonic: Mnemonic) -> Self {
        Self {
            mnemonic,
            subsystem: String::new(),
            identifier: None,
            description: String::new(),
            sql_type: None,
            unit: String::new(),
            all_points: None,
        }
    }
}

/// Entries by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dictionary(BTreeMap<Mnemonic, DictionaryEntry>);

impl Dictionary {
    /// The entry of `mnemonic`.
    pub fn get(&self, mnemonic: &Mnemonic) -> Option<&DictionaryEntry> {
        self.0.get(mnemonic)
    }

    /// Adds or replaces an entry.
    pub fn insert(&mut self, entry: DictionaryEntry) {
        self.0.insert(entry.mnemonic.clone(), entry);
    }

    /// All entries, by name.
    pub fn iter(&self) -> impl Iterator<Item = &DictionaryEntry> {
        self.0.values()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries whose name matches `pattern`, in which `*` stands for any characters and `?` for one, in any case.
    pub fn matching<'a>(&'a self, pattern: &str) -> impl Iterator<Item = &'a DictionaryEntry> + use<'a> {
        let pattern = pattern.to_owned();
        self.iter().filter(move |entry| entry.mnemonic.matches(&pattern))
    }

    /// Up to three names most like `mnemonic`, the nearest first, none of them further than a third of its length away.
    pub fn nearest(&self, mnemonic: &Mnemonic) -> Vec<&Mnemonic> {
        let wanted = mnemonic.as_str().as_bytes();
        let limit = (wanted.len() / 3).max(1);
        let mut near: Vec<_> = self
            .0
            .keys()
            .map(|name| (edit_distance(wanted, name.as_str().as_bytes()), name))
            .filter(|(distance, _)| *distance <= limit)
            .collect();
        near.sort();
        near.into_iter().take(3).map(|(_, name)| name).collect()
    }
}

impl FromIterator<DictionaryEntry> for Dictionary {
    fn from_iter<I: IntoIterator<Item = DictionaryEntry>>(entries: I) -> Self {
        Self(entries.into_iter().map(|entry| (entry.mnemonic.clone(), entry)).collect())
    }
}

/// Levenshtein distance.
fn edit_distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dictionary() -> Dictionary {
        let names = ["SA_ZADUCMDX", "SA_ZADUCMDY", "SE_ZIMIRICEA", "IMIR_HK_ICE_SEC_VOLT1"];
        names.into_iter().map(|name| DictionaryEntry::bare(Mnemonic::new(name).unwrap())).collect()
    }

    #[test]
    fn globs_match_whole_names_in_any_case() {
        let dictionary = dictionary();
        let names = |pattern: &str| -> Vec<String> {
            dictionary.matching(pattern).map(|entry| entry.mnemonic.to_string()).collect()
        };
        assert_eq!(names("sa_zaducmd?"), ["SA_ZADUCMDX", "SA_ZADUCMDY"]);
        assert_eq!(names("*ice*"), ["IMIR_HK_ICE_SEC_VOLT1", "SE_ZIMIRICEA"]);
        assert_eq!(names("SA_"), [""; 0]);
    }

    #[test]
    fn a_misspelt_name_has_near_ones() {
        let dictionary = dictionary();
        let near = dictionary.nearest(&Mnemonic::new("SA_ZADUCMX").unwrap());
        assert_eq!(near.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["SA_ZADUCMDX", "SA_ZADUCMDY"]);
        assert!(dictionary.nearest(&Mnemonic::new("QQQQQQ").unwrap()).is_empty());
    }
}
