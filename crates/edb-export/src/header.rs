//! What a file says about itself before its rows.

use std::collections::HashSet;

use edb_core::{DictionaryEntry, Result};
use edb_frame::Table;
use edb_parquet::Kind;
use serde_json::{Value, json};

use crate::columns;
use crate::units::Unit;

/// What is known of a table before its rows are written.
pub(crate) struct Header {
    pub(crate) columns: Vec<Head>,
    /// How the table was made, notices included, as pairs in reading order.
    pub(crate) facts: Vec<(String, String)>,
    /// What the dictionary says about the mnemonics.
    pub(crate) mnemonics: Vec<DictionaryEntry>,
    /// Whether the first column is one of times that ascend.
    pub(crate) is_sorted: bool,
}

/// One column.
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// As the archive writes it.
    pub(crate) unit: String,
    /// In words of the standards.
    pub(crate) standard: Unit,
    pub(crate) description: String,
    pub(crate) mnemonic: Option<String>,
    /// Whether no cell is null.
    pub(crate) is_required: bool,
}

impl Header {
    /// That of `table`, and of others whose rows follow.
    pub(crate) fn of(table: &Table) -> Result<Self> {
        let head = |(at, about): (usize, &edb_frame::ColumnAbout)| {
            let column = &table.frame().columns()[at];
            let kind = columns::kind(column)?;
            Ok(Head {
                name: about.name.clone(),
                kind,
                unit: about.unit.trim().to_owned(),
                standard: Unit::of(&about.unit),
                description: about.description.clone(),
                mnemonic: about.mnemonic.as_ref().map(ToString::to_string),
                is_required: at == 0 && kind == Kind::Time && column.null_count() == 0,
            })
        };
        let columns: Vec<Head> = table.columns().iter().enumerate().map(head).collect::<Result<_>>()?;
        let notices = table.notices.iter().map(|notice| ("notice".to_owned(), notice.to_string()));
        let first = columns.first().zip(table.frame().columns().first());
        let is_sorted = first.is_some_and(|(head, first)| head.is_required && columns::ascends(first));
        let said = table.mnemonics.iter().map(|entry| ("mnemonic".to_owned(), in_words(entry)));
        let facts = table.made.iter().cloned().chain(said).chain(notices).collect();
        Ok(Self { columns, facts, mnemonics: table.mnemonics.clone(), is_sorted })
    }

    /// The columns whose unit no standard knows, and it.
    pub(crate) fn unknown_units(&self) -> impl Iterator<Item = (&str, &str)> {
        let unknown = self.columns.iter().filter(|column| column.standard == Unit::Unknown);
        unknown.map(|column| (column.name.as_str(), column.unit.as_str()))
    }

    /// Names of letters, digits and underscores, no two the same in any case.
    pub(crate) fn plain_names(&self) -> Vec<String> {
        let mut taken = HashSet::new();
        let mut name = |column: &Head| {
            let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
            let wanted: String = column.name.chars().map(plain).collect();
            let wanted = if wanted.is_empty() { "_".to_owned() } else { wanted };
            let others = (2..).map(|number| format!("{wanted}_{number}"));
            let mut all = std::iter::once(wanted.clone()).chain(others);
            all.find(|name| taken.insert(name.to_ascii_lowercase())).unwrap_or_default()
        };
        self.columns.iter().map(&mut name).collect()
    }

    /// `edb.provenance`, a list of pairs, `edb.columns`, an object by column, and `edb.mnemonics`, one by mnemonic.
    pub(crate) fn footer(&self) -> Vec<(String, String)> {
        vec![
            ("edb.provenance".to_owned(), self.provenance().to_string()),
            ("edb.columns".to_owned(), self.meanings().to_string()),
            ("edb.mnemonics".to_owned(), self.dictionary().to_string()),
        ]
    }

    fn provenance(&self) -> Value {
        self.facts.iter().map(|(key, value)| json!([key, value])).collect()
    }

    /// What the columns mean.
    pub(crate) fn meanings(&self) -> Value {
        let meaning = |column: &Head| {
            let value = json!({
                "unit": column.unit, "standard_unit": column.standard.common(), "description": column.description,
                "mnemonic": column.mnemonic,
            });
            (column.name.clone(), value)
        };
        Value::Object(self.columns.iter().map(meaning).collect())
    }

    /// What the mnemonics are.
    fn dictionary(&self) -> Value {
        let entry = |entry: &DictionaryEntry| {
            let standard = Unit::of(&entry.unit).common();
            let value =
                json!({ "unit": entry.unit, "standard_unit": standard, "description": entry.description });
            (entry.mnemonic.to_string(), value)
        };
        Value::Object(self.mnemonics.iter().map(entry).collect())
    }

    /// All of it in one object, for what stands beside a file that has no place for it.
    pub(crate) fn about(&self) -> String {
        let about = json!({ "edb.provenance": self.provenance(), "edb.columns": self.meanings(), "edb.mnemonics": self.dictionary() });
        format!("{about:#}\n")
    }
}

/// `SA_ZATTEST1 [V]: description`
fn in_words(entry: &DictionaryEntry) -> String {
    let unit = if entry.unit.is_empty() { String::new() } else { format!(" [{}]", entry.unit) };
    format!("{}{unit}: {}", entry.mnemonic, entry.description)
}
