//! `edb auth`.

use edb::fetch::{Account, Client, takes_kept_token};
use edb::{Error, ErrorKind, Result};
use serde_json::json;

use crate::args::{AuthArgs, AuthCommand, Common, SummaryForm};
use crate::source::Origin;
use crate::{output, token};

/// What MAST says of its tokens.
const EXPIRY: &str = "tokens end after 10 days without use, and 60 days after they were made";

pub(crate) async fn run(common: &Common, args: AuthArgs) -> Result<u8> {
    let AuthCommand::Check = args.command;
    if common.credentials.no_token {
        return Err(Error::usage("with `--no-token` there is no token to check").with_hint("leave it out"));
    }
    let Origin::Service(mut options) = Origin::choose(common, None)? else {
        return Err(Error::usage("only a service takes a token").with_hint("use `--source mast`, or a URL"));
    };
    let url = options.base_url.clone();
    let found = match token::given(common, &url)? {
        None if !takes_kept_token(&url) => None,
        None => match token::kept()? {
            None if !common.words.quiet => token::asked()?,
            kept => kept,
        },
        given => given,
    };
    let Some(found) = found else {
        return Err(Error::new(ErrorKind::Unauthorized, format!("there is no token for {url}"))
            .with_hint(format!("none is needed for most telemetry; looked at {}", token::places(&url))));
    };
    options.token = Some(found.token);
    options.token_finder = None;
    let account = Client::new(&options)?.account().await?;
    let (works, name) = match &account {
        Account::Anonymous => (false, ""),
        Account::Known(name) => (true, name.as_str()),
    };
    let is_json = common.words.summary == SummaryForm::Json;
    if is_json {
        let code = if works { 0 } else { ErrorKind::Unauthorized.exit_code() };
        let object = json!({ "service": url, "token_from": found.place, "works": works, "name": name, "exit_code": code });
        output::data(format!("{object}\n").as_bytes())?;
    } else {
        output::data(format!("token from {}\n", found.place).as_bytes())?;
    }
    if !works {
        let error = Error::new(ErrorKind::Unauthorized, format!("{url} does not know this token"))
            .with_hint(format!("{EXPIRY}: make a new one at https://auth.mast.stsci.edu/token"));
        output::say_error(&error);
        return Ok(error.kind().exit_code());
    }
    if !is_json {
        let whose =
            if name.is_empty() { String::new() } else { format!(", as that of {}", output::plain(name)) };
        output::data(format!("{url} knows it{whose}; {EXPIRY}\n").as_bytes())?;
    }
    Ok(0)
}
