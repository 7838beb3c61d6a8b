//! Asks an EDB service for samples and returns them decoded and proven complete, or says why not.
//!
//! **Does**: speak HTTP to one service ([`Client`]), decode while bytes arrive, try transient failures again within two
//! budgets ([`RetryPolicy`]), and work through many windows at once ([`retrieve`], [`download`]). **Does not**: keep
//! anything, or know what a table is.
//!
//! # What the service does
//! - it takes whole seconds and adds the last sample before the range and the first one after it
//! - an unknown mnemonic is answered with status 200 and no rows
//! - long answers may be cut off without an error: an answer that lacks its trailing bracket is asked again from its last
//!   row on, and what comes then is kept ([`retrieve`])
//! - no token is needed for ordinary reads; a wrong one is answered 401 and never tried again

mod client;
mod download;
mod retrieve;
mod retry;
mod token;

pub use client::{Client, ClientOptions, DEFAULT_BASE_URL, Downloaded};
pub use download::{Download, download};
pub use retrieve::{Event, Failure, Retrieval, Window, retrieve, windows};
pub use retry::RetryPolicy;
pub use token::Token;
