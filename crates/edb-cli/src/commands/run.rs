//! `edb run`.

use edb::{Error, Result};
use edb_job::Job;

use crate::args::{Common, RunArgs};
use crate::source;

pub(crate) async fn run(common: &Common, args: RunArgs) -> Result<u8> {
    let now = source::now();
    let text = std::fs::read_to_string(&args.job).map_err(|error| {
        Error::usage(format!("could not read the job file `{}`", args.job.display())).caused_by(error)
    })?;
    let mut job = Job::from_toml(&text, &args.job.display().to_string(), now)?;
    job.asked.extend(super::asked());
    super::run_job(common, &job, now).await
}
