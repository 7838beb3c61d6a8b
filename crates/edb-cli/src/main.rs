//! The binary `edb`: parses arguments, calls the library; data to stdout, everything else to stderr.

mod args;
mod commands;
mod output;
mod progress;
mod source;
mod summary;
mod token;

use std::process::ExitCode;

use clap::Parser;
use edb::{Error, ErrorKind, Result};

use crate::args::{Command, Options, StoreArgs, StoreCommand, SummaryForm};

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            // Help and version go to stdout with code 0, mistakes to stderr with code 2; a closed pipe is no fault.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { ErrorKind::Usage.exit_code() } else { 0 });
        }
    };
    output::speak(options.common.words.log_format);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::say(&format!("error: could not start: {error}"));
            return ExitCode::from(ErrorKind::Unclassified.exit_code());
        }
    };
    let wants_json = options.common.words.summary == SummaryForm::Json;
    let code = runtime.block_on(async {
        tokio::select! {
            result = dispatch(options) => match result {
                Ok(code) => code,
                Err(error) => {
                    output::say_error(&error);
                    output::summarise_error(wants_json, &error);
                    error.kind().exit_code()
                }
            },
            code = interrupted() => {
                let interrupted = Error::new(ErrorKind::Interrupted, "interrupted");
                output::summarise_error(wants_json, &interrupted);
                output::say("interrupted: nothing half-written is left; what is complete, or in a store, is not asked for again");
                code
            }
        }
    });
    if token::stop_asking() {
        // Whoever was asked will not answer, and must not be waited for.
        runtime.shutdown_background();
        return ExitCode::from(code);
    }
    // Tasks that were cut off drop their temporary files; what is being committed gets the time to end.
    runtime.shutdown_timeout(std::time::Duration::from_secs(10));
    ExitCode::from(code)
}

async fn dispatch(options: Options) -> Result<u8> {
    let common = options.common;
    let can_plan = matches!(
        options.command,
        Command::Fetch(_)
            | Command::Sync(_)
            | Command::Export(_)
            | Command::Stats(_)
            | Command::Plot(_)
            | Command::Run(_)
            | Command::Store(StoreArgs { command: StoreCommand::Remove { .. } })
    );
    if common.dry_run && !can_plan {
        return Err(Error::usage("there is no plan of this command").with_hint(
            "`--dry-run` goes with `fetch`, `sync`, `export`, `stats`, `plot`, `run` and `store remove`",
        ));
    }
    match options.command {
        Command::Fetch(args) => commands::fetch::run(&common, args).await,
        Command::Sync(args) => commands::sync::run(&common, args).await,
        Command::Export(args) => commands::export::run(&common, args).await,
        Command::Stats(args) => commands::stats::run(&common, args).await,
        Command::Plot(args) => commands::plot::run(&common, args).await,
        Command::Run(args) => commands::run::run(&common, args).await,
        Command::Serve(args) => commands::serve::run(&common, args).await,
        Command::Store(args) => commands::store::run(&common, args),
        Command::Search(args) => commands::search::run(&common, args).await,
        Command::Info(args) => commands::info::run(&common, args).await,
        Command::Auth(args) => commands::auth::run(&common, args).await,
    }
}

/// The exit code of the signal that came: 130 for an interrupt, 143 for a request to terminate.
async fn interrupted() -> u8 {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => ErrorKind::Interrupted.exit_code(),
        _ = terminate => 143,
    }
}
