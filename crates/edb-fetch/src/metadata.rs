//! The services around the telemetry: dictionary, observation search, account.

use edb_core::{
    Dictionary, Error, ErrorKind, Exposure, ExposureSearch, INSTRUMENTS, Mnemonic, Notice, NoticeKind,
    Outcome, Result, format_duration,
};
use edb_wire::mashup::{self, Reply};
use edb_wire::{dictionary, exposures};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::{Ask, Client, Tries};

/// A dictionary of 20,000 mnemonics has some 4 MB, and so has a long list of files.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Who a token is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// Nobody: the service knows no such token.
    Anonymous,
    /// Somebody, by the name that the service shows; may be empty.
    Known(String),
}

impl Client {
    /// The dictionary, of `only` or all of it: from the documented service, and where that fails from the portal's.
    pub(crate) async fn look_up(&self, only: Option<&Mnemonic>) -> Result<Dictionary> {
        let query = only
            .map_or(String::new(), |mnemonic| format!("?name={}", mnemonic.as_str().to_ascii_lowercase()));
        let url = format!("{}viz/api/v0.1/info/mnemonics{query}", self.base);
        let read = |text: &[u8]| dictionary::viz::parse(text).map(|listing| listing.dictionary);
        let error = match self.ask(&url, Ask::Get, MAX_ANSWER_BYTES, Tries::Few, read).await {
            Ok(dictionary) => return Ok(dictionary),
            Err(error) => error,
        };
        let (service, params) = match only {
            Some(mnemonic) => ("Mast.JwstEdb.Dictionary", json!({ "mnemonic": mnemonic.as_str() })),
            None => ("Mast.JwstEdb.Mnemonics", json!({})),
        };
        // A host that cannot be reached, or refuses the token, need not be asked in another way.
        let is_refused = matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden);
        let fallback = match error.tries() {
            0 => None,
            _ if is_refused => None,
            _ => self.invoke(service, &params, Tries::Few, dictionary::mashup::parse).await.ok(),
        };
        match fallback {
            Some(pages) => Ok(pages
                .into_iter()
                .flat_map(|page| page.dictionary.iter().cloned().collect::<Vec<_>>())
                .collect()),
            None => Err(error.while_doing("could not look mnemonics up in the dictionary")),
        }
    }

    pub(crate) async fn search(&self, search: &ExposureSearch) -> Result<Outcome<Vec<Exposure>>> {
        let (name, value) = search.filter();
        let params = exposures::params(name, &value);
        let wanted = |instrument: &&&str| search.instrument().is_none_or(|one| one == **instrument);
        let asked = INSTRUMENTS.iter().filter(wanted).map(|instrument| {
            let (params, service) = (&params, exposures::service(instrument));
            async move {
                let pages = self.invoke(&service, params, Tries::All, exposures::parse).await?;
                Ok(exposures::fold(pages.concat(), instrument, search.prefix()))
            }
        });
        let folded: Result<Vec<exposures::Folded>> =
            futures_util::future::join_all(asked).await.into_iter().collect();
        let folded = folded
            .map_err(|error| error.while_doing(format!("could not search for exposures of {search}")))?;
        let mut found = Outcome { value: Vec::new(), notices: Vec::new() };
        for mut one in folded {
            found.value.append(&mut one.exposures);
            if !one.without_times.is_empty() {
                let text = format!("no times are known of the exposures {}", one.without_times.join(", "));
                found.notices.push(Notice::general(NoticeKind::LeftOut, text));
            }
        }
        if found.value.is_empty() {
            return Err(Error::usage(format!("there are no exposures of {search} with a time")).with_hint(
                "check the numbers; exposures appear in the archive some days after they were taken",
            ));
        }
        found.value.sort_by_key(|exposure| exposure.range);
        Ok(found)
    }

    /// Whom the service takes the token to be of.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`], [`ErrorKind::Unauthorized`], [`ErrorKind::Integrity`] from the service.
    pub async fn account(&self) -> Result<Account> {
        #[derive(Deserialize)]
        struct Who {
            anon: bool,
            #[serde(default)]
            attrib: Value,
        }
        let url = format!("{}whoami", self.base);
        let read = |text: &[u8]| {
            let who: Who = serde_json::from_slice(text).map_err(|error| {
                Error::integrity("could not read the answer of the account service").caused_by(error)
            })?;
            let name = who.attrib.get("display_name").and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok(if who.anon { Account::Anonymous } else { Account::Known(self.scrubbed(name)) })
        };
        self.ask(&url, Ask::GetAccount, MAX_ANSWER_BYTES, Tries::All, read).await.map_err(|error| match error
            .kind()
        {
            ErrorKind::Usage => {
                Error::new(ErrorKind::Unavailable, format!("{} tells nothing of tokens", self.base))
                    .with_hint("only MAST has an account service: use `--source mast`")
                    .caused_by(error)
            }
            _ => error.while_doing(format!("could not ask {} about the token", self.base)),
        })
    }

    /// Asks a Mashup service for all pages, and again as long as it is at work.
    async fn invoke<T>(
        &self,
        service: &str,
        params: &Value,
        tries: Tries,
        parse: impl Fn(&[u8]) -> Result<Reply<T>>,
    ) -> Result<Vec<T>> {
        let url = format!("{}{}api/v0/invoke", self.base, self.prefix);
        let mut pages = Vec::new();
        let since = Instant::now();
        let mut nonce = self.nonce();
        loop {
            let question = mashup::ask(service, params, pages.len() as u64 + 1, nonce);
            let form = form("request", &question)?;
            match self.ask(&url, Ask::Post(&form), MAX_ANSWER_BYTES, tries, &parse).await? {
                Reply::Complete { found, pages: all } => {
                    pages.push(found);
                    if pages.len() as u64 >= all {
                        return Ok(pages);
                    }
                    nonce = self.nonce();
                }
                Reply::Executing if since.elapsed() < self.longest_time() => self.pause().await,
                Reply::Executing => {
                    return Err(Error::new(
                        ErrorKind::Unavailable,
                        format!("`{service}` was still at work after {}", format_duration(since.elapsed())),
                    )
                    .with_hint("try again later"));
                }
            }
        }
    }
}

/// One field of a form, encoded.
fn form(name: &str, value: &str) -> Result<String> {
    let url = reqwest::Url::parse_with_params("http://form/", [(name, value)])
        .map_err(|error| Error::new(ErrorKind::Unclassified, "could not encode a form").caused_by(error))?;
    Ok(url.query().unwrap_or_default().to_owned())
}
