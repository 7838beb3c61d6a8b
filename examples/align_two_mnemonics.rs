//! From a source to a table in twenty lines: two synthetic mnemonics on a common one-minute grid.

use std::sync::Arc;
use std::time::Duration;

use edb::frame::{AlignOptions, Grid, Limit, Method, Times, align};
use edb::{Archive, ArchiveOptions, Instant, MemoryStore, Request, Result, sample};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let now = Instant::from_date(2024, 4, 1, 0).unwrap_or(Instant::MAX);
    let requests = [
        Request::parse("SAMPLE_MOTOR_VOLT@2024-03-01T05:58/2024-03-01T06:04", now)?,
        Request::parse("SAMPLE_WHEEL_POS@2024-03-01T05:58/2024-03-01T06:04", now)?,
    ];

    let source = Arc::new(sample::archive()?);
    let archive = Archive::new(Some(source), Arc::new(MemoryStore::new()), ArchiveOptions::default());
    let retrieved = archive.retrieve(&requests, now, |_| {}).await?;

    let options = AlignOptions::new(
        Times::Grid(Grid::every(60_000_000)),
        Method::Hold,
        Limit::At(Duration::from_secs(10)),
    );
    let table = align(&retrieved.series, &options)?;
    let options = edb::export::FileOptions::new(edb::export::Format::Csv);
    edb::export::write(&table, options, std::io::stdout()).map(|_| ())
}
