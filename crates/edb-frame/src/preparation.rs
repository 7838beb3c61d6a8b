//! What is done to series before tables are made of them.

use std::borrow::Cow;

use edb_core::{Coverage, Error, Mnemonic, Notice, NoticeKind, Outcome, Result, Series};

use crate::align::Limit;
use crate::derive::derive;
use crate::expression::Definition;
use crate::filter::{Condition, remove, select, trim};
use crate::intervals::Borders;

/// Deriving, filtering, selecting: each is optional, and they are done in this order.
#[derive(Debug, Clone, PartialEq)]
pub struct Preparation {
    /// Quantities to add; each may use those before it.
    pub derive: Vec<Definition>,
    /// How far the operands of derived quantities reach.
    pub limit: Limit,
    /// What must hold.
    pub condition: Option<Condition>,
    /// Only what lies in these intervals.
    pub within: Option<Coverage>,
    /// Nothing that lies in these intervals.
    pub without: Option<Coverage>,
    /// How many samples to leave out at the beginning and at the end of each block.
    pub edges: (usize, usize),
}

impl Default for Preparation {
    fn default() -> Self {
        Self {
            derive: Vec::new(),
            limit: Limit::Learned,
            condition: None,
            within: None,
            without: None,
            edges: (0, 0),
        }
    }
}

impl Preparation {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        *self == Self { limit: self.limit, ..Self::default() }
    }

    /// The mnemonics that derived quantities are made of, those that are derived themselves left out.
    pub fn operands(&self) -> Vec<Mnemonic> {
        let used = self.derive.iter().flat_map(|one| one.expression.mnemonics());
        self.measured(used)
    }

    /// All mnemonics that are needed beside those that are selected.
    pub fn needs(&self) -> Vec<Mnemonic> {
        let condition = self.condition.iter().flat_map(|condition| condition.expression.mnemonics());
        self.measured(self.operands().into_iter().chain(condition))
    }

    fn measured(&self, names: impl Iterator<Item = Mnemonic>) -> Vec<Mnemonic> {
        let mut measured = Vec::new();
        for name in names {
            if !self.derive.iter().any(|one| one.name == name) && !measured.contains(&name) {
                measured.push(name);
            }
        }
        measured
    }

    /// Refuses quantities that have the name of another one, or of one of `selected`, and those that are made of later ones.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`].
    pub fn check(&self, selected: &[Mnemonic]) -> Result<()> {
        for (at, one) in self.derive.iter().enumerate() {
            if selected.contains(&one.name) || self.derive[..at].iter().any(|other| other.name == one.name) {
                return Err(Error::usage(format!(
                    "could not derive {}: something else has that name",
                    one.name
                ))
                .with_hint("give the derived quantity a name of its own"));
            }
            let later =
                self.derive[at..].iter().find(|later| one.expression.mnemonics().contains(&later.name));
            if let Some(later) = later {
                let message = format!(
                    "could not derive {}: it is made of {}, which is derived after it",
                    one.name, later.name
                );
                return Err(Error::usage(message).with_hint("define what it is made of before it"));
            }
        }
        Ok(())
    }

    /// The derived quantities of `series`.
    ///
    /// # Errors
    /// As [`derive()`].
    pub fn derived(&self, series: &[Series]) -> Result<Outcome<Vec<Series>>> {
        let mut outcome = Outcome { value: Vec::new(), notices: Vec::new() };
        for definition in &self.derive {
            let operands: Vec<Series> = series
                .iter()
                .chain(&outcome.value)
                .filter(|one| definition.expression.mnemonics().contains(one.mnemonic()))
                .cloned()
                .collect();
            let mut more = derive(definition, &operands, self.limit)?;
            outcome.value.append(&mut more.value);
            outcome.notices.append(&mut more.notices);
        }
        Ok(outcome)
    }

    /// When samples are wanted: everywhere without a condition and without lists. `series` has what the condition needs.
    ///
    /// # Errors
    /// As [`Condition::spans`].
    pub fn spans(&self, series: &[Series]) -> Result<Outcome<Option<Coverage>>> {
        let mut outcome = Outcome { value: self.within.clone(), notices: Vec::new() };
        if let Some(condition) = &self.condition {
            let found = condition.spans(series)?;
            outcome.notices = found.notices;
            if found.value.is_empty() {
                let is_plain =
                    (condition.before_us, condition.after_us) == (0, 0) && !condition.complete_only;
                let what = if is_plain {
                    "holds nowhere in the range"
                } else {
                    "leaves no interval, narrowed or complete as asked"
                };
                let text = format!("`{}` {what}", condition.expression);
                outcome.notices.push(Notice::general(NoticeKind::NoSamples, text));
            }
            outcome.value = Some(match outcome.value {
                Some(within) => within.intersect(&found.value),
                None => found.value,
            });
        } else if outcome.value.as_ref().is_some_and(Coverage::is_empty) {
            outcome.notices.push(Notice::general(NoticeKind::NoSamples, "the list of intervals is empty"));
        }
        if let (Some(spans), Some(without)) = (&mut outcome.value, &self.without) {
            *spans = spans.without(without);
        }
        Ok(outcome)
    }

    /// What of `series` is wanted, given [`spans`](Self::spans).
    pub fn cut<'a>(&self, series: &'a [Series], spans: Option<&Coverage>) -> Cow<'a, [Series]> {
        let mut series = Cow::Borrowed(series);
        if let Some(spans) = spans {
            series = select(&series, spans).into();
        }
        if let Some(without) = &self.without {
            series = remove(&series, without).into();
        }
        if self.edges != (0, 0) {
            series = trim(&series, self.edges.0, self.edges.1).into();
        }
        series
    }

    /// All of it: `series` and what is derived of them, cut; series that were only needed for that (`is_wanted`) left out.
    ///
    /// # Errors
    /// As [`derive()`] and [`Condition::spans`].
    pub fn apply<'a>(
        &self,
        series: &'a [Series],
        is_wanted: impl Fn(&Mnemonic) -> bool,
    ) -> Result<Outcome<Cow<'a, [Series]>>> {
        if self.is_empty() && series.iter().all(|one| is_wanted(one.mnemonic())) {
            return Ok(Outcome { value: Cow::Borrowed(series), notices: Vec::new() });
        }
        let derived = self.derived(series)?;
        let mut all = series.to_vec();
        all.extend(derived.value.iter().cloned());
        let spans = self.spans(&all)?;
        all.retain(|one| is_wanted(one.mnemonic()));
        all.extend(derived.value);
        let notices = [derived.notices, spans.notices].concat();
        let cut = self.cut(&all, spans.value.as_ref()).into_owned();
        Ok(Outcome { value: Cow::Owned(cut), notices })
    }

    /// What was done, in words, as pairs for the provenance of a table.
    pub fn words(&self) -> Vec<(String, String)> {
        let mut words: Vec<(String, String)> = self.derive.iter().map(derived).collect();
        if let Some(condition) = &self.condition {
            let margin = if (condition.before_us, condition.after_us) == (0, 0) {
                String::new()
            } else {
                format!(
                    ", {} s earlier to {} s later",
                    condition.before_us as f64 / 1e6,
                    condition.after_us as f64 / 1e6
                )
            };
            words.push(("where".to_owned(), format!("{}{margin}", condition.expression)));
            let borders = match condition.borders {
                Borders::Hold => "held until the next sample",
                Borders::Midpoint => "halfway between samples",
            };
            let until =
                if condition.until_seen { ", each interval up to the last sample that says so" } else { "" };
            let complete = if condition.complete_only { ", whole intervals only" } else { "" };
            let text = format!("values {borders}, limit {}{until}{complete}", condition.limit);
            words.push(("where holds".to_owned(), text));
        } else if !self.derive.is_empty() {
            words.push(("limit of operands".to_owned(), self.limit.to_string()));
        }
        let list = |spans: &Coverage| format!("{} intervals", spans.ranges().len());
        words.extend(self.within.iter().map(|spans| ("within".to_owned(), list(spans))));
        words.extend(self.without.iter().map(|spans| ("without".to_owned(), list(spans))));
        if self.edges != (0, 0) {
            let text =
                format!("first {} and last {} samples of each block left out", self.edges.0, self.edges.1);
            words.push(("edges".to_owned(), text));
        }
        words
    }
}

fn derived(one: &Definition) -> (String, String) {
    let times = one
        .expression
        .mnemonics()
        .first()
        .map_or_else(String::new, |first| format!(", at the times of {first}"));
    ("derived".to_owned(), format!("{} = {}{times}", one.name, one.expression))
}
