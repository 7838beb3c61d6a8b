//! Asks an EDB service for samples and returns them decoded and proven complete, or says why not.
//!
//! **Does**: speak HTTP to one service ([`Client`]), decode while bytes arrive, ask no more at once than the service bears
//! ([`FlowOptions`]), try transient failures again within two budgets ([`RetryPolicy`]), plan windows and work through them
//! ([`retrieve`], [`download`]). **Does not**: keep anything, or know what a table is.
//!
//! # What the service does
//! - it takes whole seconds and adds the last sample before the range and the first one after it
//! - an unknown mnemonic is answered with status 200 and no rows
//! - long answers may be cut off without an error: an answer that lacks its trailing bracket is asked again from its last
//!   row on, and what comes then is kept ([`retrieve`])
//! - it refuses, with 4xx too, what it answers a moment later; 404, 405, 410, 413, 414, 416, 422, 501 and 505 are taken to be final
//! - no token is needed for ordinary reads; a wrong one is answered 401 and never tried again

mod address;
mod body;
mod breaker;
mod client;
mod download;
mod flow;
mod lane;
mod metadata;
mod plan;
mod retrieve;
mod retry;
mod token;
mod trouble;

pub use address::takes_kept_token;
pub use client::{Client, ClientOptions, DEFAULT_BASE_URL, SpeedLimits};
pub use download::{Download, DownloadOptions, Downloaded, Downloads, download};
pub use flow::FlowOptions;
pub use lane::Window;
pub use metadata::Account;
pub use plan::{Plan, PlannedPart, Rate};
pub use retrieve::{Event, Failure, Limits, Progress, Retrieval, RetrieveOptions, retrieve};
pub use retry::{Jitter, RetryPolicy};
pub use token::{Token, TokenFinder};
