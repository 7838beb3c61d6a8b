//! Enhanced CSV 1.0: CSV with a header that astropy reads.

use std::io::{self, Write};

use crate::columns::{Batch, Cells};
use crate::csv::{self, OF_ECSV, ends_line, one_line};
use crate::header::Header;
use crate::rows;
use crate::writer::Sink;
use crate::yaml::{self, TimeForm};

pub(crate) struct Ecsv<W> {
    out: W,
    remarks: Vec<String>,
    /// Whether some text has characters that would end its row.
    is_lossy: bool,
}

impl<W: Write + Send> Ecsv<W> {
    pub(crate) fn new(mut out: W, mut header: Header) -> io::Result<Self> {
        let mut remarks = Vec::new();
        for column in &mut header.columns {
            let plain = one_line(&column.name);
            if plain != column.name {
                remarks.push(format!(
                    "ECSV has names on one line: the column {:?} is `{plain}` there",
                    column.name
                ));
                column.name = plain;
            }
        }
        let header = &header;
        let mut text = b"# %ECSV 1.0\n# ---\n".to_vec();
        for line in yaml::lines(header, TimeForm::Text, &["delimiter: ','"]) {
            writeln!(text, "# {line}")?;
        }
        text.extend_from_slice(b"# schema: astropy-2.0\n");
        csv::names(&OF_ECSV, header, &mut text);
        out.write_all(&text)?;
        Ok(Self { out, remarks, is_lossy: false })
    }
}

impl<W: Write + Send> Sink<W> for Ecsv<W> {
    fn batch(&mut self, batch: Batch) -> io::Result<()> {
        self.is_lossy |= batch.columns.iter().flat_map(Cells::words).any(|word| word.contains(ends_line));
        rows::print(&OF_ECSV, &batch, &mut self.out)
    }

    fn finish(mut self: Box<Self>) -> io::Result<(W, Vec<String>)> {
        if self.is_lossy {
            let text = "texts in ECSV cannot have what astropy takes for the end of a line (U+0085, U+2028, form feed …): U+FFFD stands for it";
            self.remarks.push(text.to_owned());
        }
        Ok((self.out, self.remarks))
    }
}
