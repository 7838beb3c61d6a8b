//! `edb search`.

use std::fmt::Write;

use edb::{Error, ErrorKind, Result};

use crate::args::{Common, SearchArgs};
use crate::{output, source};

pub(crate) async fn run(common: &Common, args: SearchArgs) -> Result<u8> {
    let archive = source::archive(common, None, None, &[]).await?;
    let dictionary = archive.dictionary().await?;
    let pattern =
        if args.pattern.contains(['*', '?']) { args.pattern } else { format!("*{}*", args.pattern) };
    let mut text = String::new();
    for entry in dictionary.matching(&pattern) {
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "{:24}  {:8}  {:10}  {:10}  {}",
            entry.mnemonic,
            entry.sql_type.as_ref().map_or("-", edb::SqlType::as_str),
            if entry.unit.is_empty() { "-" } else { &entry.unit },
            if entry.subsystem.is_empty() { "-" } else { &entry.subsystem },
            entry.description
        );
    }
    if text.is_empty() {
        return Err(Error::new(ErrorKind::UnknownMnemonic, format!("no mnemonic matches `{pattern}`"))
            .with_hint("`*` stands for any characters, `?` for one"));
    }
    output::data(text.as_bytes())?;
    Ok(0)
}
