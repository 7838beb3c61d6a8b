//! Headers as astropy reads them: YAML in ECSV, and in a key of Parquet's footer.

use edb_parquet::Kind;

use crate::escape;
use crate::header::{Head, Header};
use crate::units::Unit;

/// How astropy is told what times are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeForm {
    /// `2022-06-01T00:00:00.064000`
    Text,
    /// Timestamps of the format itself.
    Timestamp,
}

/// The lines of the header: `datatype`, what follows it in `between`, and `meta`.
pub(crate) fn lines(header: &Header, form: TimeForm, between: &[&str]) -> Vec<String> {
    let mut lines = vec!["datatype:".to_owned()];
    lines.extend(header.columns.iter().map(|column| format!("- {{{}}}", attributes(column, form))));
    lines.extend(between.iter().map(|line| (*line).to_owned()));
    lines.push("meta: !!omap".to_owned());
    if !header.facts.is_empty() {
        lines.push("- edb.provenance:".to_owned());
        let pair = |(key, value): &(String, String)| format!("  - [{}, {}]", quoted(key), quoted(value));
        lines.extend(header.facts.iter().map(pair));
    }
    if !header.mnemonics.is_empty() {
        lines.push("- edb.mnemonics:".to_owned());
    }
    for entry in &header.mnemonics {
        let (name, description) = (quoted(entry.mnemonic.as_str()), quoted(&entry.description));
        let unit = quoted(Unit::of(&entry.unit).common().as_ref().unwrap_or(&entry.unit));
        lines.push(format!("    {name}: {{unit: {unit}, description: {description}}}"));
    }
    let times: Vec<&Head> = header.columns.iter().filter(|column| column.kind == Kind::Time).collect();
    if !times.is_empty() {
        lines.push("- __serialized_columns__:".to_owned());
    }
    let format = if form == TimeForm::Text { "isot" } else { "datetime64" };
    for column in times {
        let name = quoted(&column.name);
        lines.push(format!("    {name}:"));
        lines.push("      __class__: astropy.time.core.Time".to_owned());
        for word in
            [&format!("format: {format}"), "in_subfmt: '*'", "out_subfmt: '*'", "precision: 6", "scale: utc"]
        {
            lines.push(format!("      {word}"));
        }
        lines.push(format!("      value: !astropy.table.SerializedColumn {{name: {name}}}"));
    }
    if lines.last().is_some_and(|last| last.starts_with("meta:")) {
        lines.pop();
    }
    lines
}

fn attributes(column: &Head, form: TimeForm) -> String {
    let kind = match column.kind {
        Kind::Time if form == TimeForm::Timestamp => "datetime64",
        Kind::Time | Kind::Text => "string",
        Kind::Real => "float64",
        Kind::Integer => "int64",
    };
    let mut words = vec![format!("name: {}", quoted(&column.name))];
    words.extend(column.standard.common().map(|unit| format!("unit: {}", quoted(&unit))));
    words.push(format!("datatype: {kind}"));
    if !column.description.is_empty() {
        words.push(format!("description: {}", quoted(&column.description)));
    }
    let unit = Some(("unit", &column.unit)).filter(|(_, unit)| !unit.is_empty());
    let mnemonic = column.mnemonic.as_ref().map(|mnemonic| ("mnemonic", mnemonic));
    let meta: Vec<String> =
        unit.into_iter().chain(mnemonic).map(|(key, value)| format!("{key}: {}", quoted(value))).collect();
    if !meta.is_empty() {
        words.push(format!("meta: {{{}}}", meta.join(", ")));
    }
    words.join(", ")
}

/// A text in double quotes; plain ASCII, whatever is in it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", escape::ascii(text, &['"', '\\']))
}
